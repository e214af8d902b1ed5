/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Openings: see openings.h. */
#include "core/limits/openings.h"

void openings_init(struct openings *openings)
{
    domain_cap_init(&openings->domains, OPENINGS_DOMAIN, OPENINGS_WINDOW_MS);
    pthread_mutex_init(&openings->lock, NULL);
    bucket_init(&openings->bucket, OPENINGS_RATE, OPENINGS_BURST);
}

void openings_deinit(struct openings *openings)
{
    pthread_mutex_destroy(&openings->lock);
    domain_cap_deinit(&openings->domains);
}

bool openings_take_token(struct openings *openings, mxclash_time now)
{
    bool given;

    pthread_mutex_lock(&openings->lock);
    bucket_refill(&openings->bucket, now);
    given = bucket_take(&openings->bucket, BUCKET_TOKEN);
    pthread_mutex_unlock(&openings->lock);
    return given;
}

enum mxclash_delay openings_take(struct openings *openings, uint64_t domain, bool proved,
                                 mxclash_time now)
{
    if (!domain_cap_take(&openings->domains, domain, now))
        return mxclash_delay_domain_limit;
    if (proved || openings_take_token(openings, now))
        return MXCLASH_DELAYS;
    domain_cap_give_back(&openings->domains, domain, now);
    return mxclash_delay_rate_limit;
}
