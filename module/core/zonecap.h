/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A cap on the proofs of one domain: whoever publishes a million broken names in his zones, or a
 * wildcard that is one, gets no more than this of the common rate.
 */
#ifndef MXCLASH_CORE_ZONECAP_H
#define MXCLASH_CORE_ZONECAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"

/** Most proofs of one zone in ZONECAP_WINDOW_MS. */
#define ZONECAP_PROOFS    20
#define ZONECAP_WINDOW_MS 60000
/** Zones that are counted at one time; a newer one takes the place of an older one. */
#define ZONECAP_ZONES 256

struct zonecap_slot {
    uint64_t zone;
    mxclash_time since;
    unsigned proofs;
};

struct zonecap {
    pthread_mutex_t lock;
    struct zonecap_slot slots[ZONECAP_ZONES];
};

void zonecap_init(struct zonecap *cap);
void zonecap_deinit(struct zonecap *cap);

/** Count one proof of a domain. \param zone  keyed hash of its name, so that nobody can aim at a
 * slot. \return false if it has had enough */
bool zonecap_take(struct zonecap *cap, uint64_t zone, mxclash_time now);

#endif
