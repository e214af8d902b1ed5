/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A cap on something of all names below each domain: whoever publishes a million broken names in
 * his zones, or a wildcard that is one, gets no more than this of what all share.
 */
#ifndef MXCLASH_CORE_LIMITS_DOMAIN_CAP_H
#define MXCLASH_CORE_LIMITS_DOMAIN_CAP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dns/registrable.h"
#include "mxclash.h"

/** Most proofs of one domain in DOMAIN_CAP_WINDOW_MS. */
#define DOMAIN_CAP_PROOFS    20
#define DOMAIN_CAP_WINDOW_MS 60000
/** Domains that are counted at one time, in sets of so many; in a full set a newer one takes the
 * place of that with the least. */
#define DOMAIN_CAP_DOMAINS 256
#define DOMAIN_CAP_WAYS    4

struct domain_cap_slot {
    uint64_t domain;
    mxclash_time since;
    unsigned taken;
    unsigned parts; /* charged, but not yet a whole one */
};

struct domain_cap {
    pthread_mutex_t lock; /* guards the slots */
    unsigned max;
    mxclash_time window_ms;
    struct domain_cap_slot slots[DOMAIN_CAP_DOMAINS];
};

/** \param max  of each domain in window_ms milliseconds */
void domain_cap_init(struct domain_cap *cap, unsigned max, mxclash_time window_ms);
void domain_cap_deinit(struct domain_cap *cap);

/** What is counted under this is not: it is given always. */
#define DOMAIN_CAP_FREE 0

/**
 * What is asked or told of an owner is counted under the domain that it is below, as
 * registrable_at() finds it: not under its zone, for whoever has a domain can delegate any number
 * of zones below it. The domain's own name is one name, for which other bounds are enough. If it
 * were counted too, anybody who asks for many names below it could keep it from being proved.
 *
 * \param suffixes  as registrable_at() takes it
 * \param seed  secret
 * \return the domain's key, DOMAIN_CAP_FREE for its own name
 */
uint64_t domain_cap_key(const struct psl_ctx_st *suffixes, const uint8_t *owner, size_t owner_len,
                        uint64_t seed);

/** Count one of a domain. \param domain  domain_cap_key(), so that nobody can aim at a set.
 * \return false if it has had enough */
bool domain_cap_take(struct domain_cap *cap, uint64_t domain, mxclash_time now);

/** \return true if domain_cap_take() would give one now */
bool domain_cap_has(struct domain_cap *cap, uint64_t domain, mxclash_time now);

/** What was taken just now was not used. */
void domain_cap_give_back(struct domain_cap *cap, uint64_t domain, mxclash_time now);

/** What a domain took was more than one: charge it for further parts, so many of which are one. */
void domain_cap_charge(struct domain_cap *cap, uint64_t domain, unsigned parts, unsigned whole,
                       mxclash_time now);

#endif
