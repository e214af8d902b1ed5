/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A cap on something of each domain: whoever publishes a million broken names in his zones, or a
 * wildcard that is one, gets no more than this of what all share.
 */
#ifndef MXCLASH_CORE_ZONECAP_H
#define MXCLASH_CORE_ZONECAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

/** Most proofs of one domain in ZONECAP_WINDOW_MS. */
#define ZONECAP_PROOFS    20
#define ZONECAP_WINDOW_MS 60000
/** Domains that are counted at one time, in sets of so many; in a full set a newer one takes the
 * place of that with the least. */
#define ZONECAP_ZONES 256
#define ZONECAP_WAYS  4

struct zonecap_slot {
    uint64_t zone;
    mxclash_time since;
    unsigned taken;
};

struct zonecap {
    pthread_mutex_t lock; /* guards the slots */
    unsigned max;
    mxclash_time window_ms;
    struct zonecap_slot slots[ZONECAP_ZONES];
};

/** \param max  of each domain in window_ms milliseconds */
void zonecap_init(struct zonecap *cap, unsigned max, mxclash_time window_ms);
void zonecap_deinit(struct zonecap *cap);

/** \return what the domain that an owner belongs to is counted under: it is guessed without a list
 * of public suffixes, see providers_own_at(). \param seed  secret */
uint64_t zonecap_key(const uint8_t *owner, size_t owner_len, uint64_t seed);

/** Count one of a domain. \param zone  zonecap_key(), so that nobody can aim at a set.
 * \return false if it has had enough */
bool zonecap_take(struct zonecap *cap, uint64_t zone, mxclash_time now);

#endif
