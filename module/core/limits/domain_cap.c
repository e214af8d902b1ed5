/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The cap of each domain: see domain_cap.h. */
#include "core/limits/domain_cap.h"

#include <string.h>

#include "core/base/clock.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t domain_cap_key(const struct psl_ctx_st *suffixes, const uint8_t *owner, size_t owner_len,
                        uint64_t seed)
{
    size_t own_at = registrable_at(suffixes, owner, owner_len);

    return own_at == 0 ? DOMAIN_CAP_FREE
                       : XXH3_64bits_withSeed(owner + own_at, owner_len - own_at, seed);
}

void domain_cap_init(struct domain_cap *cap, unsigned max, mxclash_time window_ms)
{
    memset(cap->slots, 0, sizeof(cap->slots));
    cap->max = max;
    cap->window_ms = window_ms;
    pthread_mutex_init(&cap->lock, NULL);
}

void domain_cap_deinit(struct domain_cap *cap)
{
    pthread_mutex_destroy(&cap->lock);
}

static bool is_over(const struct domain_cap *cap, const struct domain_cap_slot *slot,
                    mxclash_time now)
{
    return slot->taken == 0 || !clock_within(slot->since, cap->window_ms, now);
}

static struct domain_cap_slot *set_of(struct domain_cap *cap, uint64_t domain)
{
    return &cap->slots[domain % (DOMAIN_CAP_DOMAINS / DOMAIN_CAP_WAYS) * DOMAIN_CAP_WAYS];
}

/** \return the slot of a domain, made its own if it had none */
static struct domain_cap_slot *find(struct domain_cap *cap, uint64_t domain, mxclash_time now)
{
    struct domain_cap_slot *set = set_of(cap, domain);
    struct domain_cap_slot *least = set;

    for (struct domain_cap_slot *slot = set; slot < set + DOMAIN_CAP_WAYS; slot++) {
        if (is_over(cap, slot, now))
            slot->taken = 0;
        if (slot->domain == domain && slot->taken != 0)
            return slot;
        if (slot->taken < least->taken)
            least = slot;
    }
    *least = (struct domain_cap_slot){.domain = domain, .since = now};
    return least;
}

bool domain_cap_take(struct domain_cap *cap, uint64_t domain, mxclash_time now)
{
    struct domain_cap_slot *slot;
    bool given;

    if (domain == DOMAIN_CAP_FREE)
        return true;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, domain, now);
    given = slot->taken < cap->max;
    slot->taken += given;
    pthread_mutex_unlock(&cap->lock);
    return given;
}

bool domain_cap_has(struct domain_cap *cap, uint64_t domain, mxclash_time now)
{
    const struct domain_cap_slot *set = set_of(cap, domain);
    bool has = true;

    if (domain == DOMAIN_CAP_FREE)
        return true;
    pthread_mutex_lock(&cap->lock);
    for (const struct domain_cap_slot *slot = set; slot < set + DOMAIN_CAP_WAYS; slot++)
        if (slot->domain == domain && !is_over(cap, slot, now))
            has = slot->taken < cap->max;
    pthread_mutex_unlock(&cap->lock);
    return has;
}

void domain_cap_give_back(struct domain_cap *cap, uint64_t domain, mxclash_time now)
{
    struct domain_cap_slot *slot;

    if (domain == DOMAIN_CAP_FREE)
        return;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, domain, now);
    slot->taken -= slot->taken != 0;
    pthread_mutex_unlock(&cap->lock);
}

void domain_cap_charge(struct domain_cap *cap, uint64_t domain, unsigned parts, unsigned whole,
                       mxclash_time now)
{
    struct domain_cap_slot *slot;

    if (domain == DOMAIN_CAP_FREE)
        return;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, domain, now);
    slot->parts += parts;
    slot->taken += slot->parts / whole;
    slot->parts %= whole;
    pthread_mutex_unlock(&cap->lock);
}
