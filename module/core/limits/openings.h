/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * How many conflicts may be opened and change, and so how long the log can grow: an authority that
 * answers every name with a CNAME and an MX, and clients that ask it, would else open one a
 * question.
 */
#ifndef MXCLASH_CORE_LIMITS_OPENINGS_H
#define MXCLASH_CORE_LIMITS_OPENINGS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/bucket.h"
#include "core/limits/domain_cap.h"
#include "mxclash.h"

/** Most conflicts opened in OPENINGS_WINDOW_MS of all names below one domain. */
#define OPENINGS_DOMAIN    100
#define OPENINGS_WINDOW_MS 3600000
/** Conflicts a second that are opened without a proof, or change, of all domains; proofs have
 * probe-rate. */
#define OPENINGS_RATE  10
#define OPENINGS_BURST 1000

struct openings {
    struct domain_cap domains;
    pthread_mutex_t lock; /* guards the bucket */
    struct bucket bucket;
};

void openings_init(struct openings *openings);
void openings_deinit(struct openings *openings);

/**
 * Count an opening. What is refused is not lost: it is tried again when the domain is met again.
 *
 * \param domain  keyed hash of the domain that the owner belongs to
 * \param proved  a proof shows it
 * \return MXCLASH_DELAYS if it may be opened, else why not
 * Threads: any.
 */
enum mxclash_delay openings_take(struct openings *openings, uint64_t domain, bool proved,
                                 mxclash_time now);

/** Count an event that no proof has paid for; any thread. \return false if it may not be told now
 */
bool openings_take_token(struct openings *openings, mxclash_time now);

#endif
