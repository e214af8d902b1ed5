/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sieve: remembers of which owners a CNAME or an MX was seen, and until when each was valid.
 *
 * A set of 8 slots a bucket, a slot one 64-bit word: 24 bits of fingerprint, 20 bits for the
 * expiry of each type in units of 8 seconds. No lock, no allocation. A full bucket forgets a slot
 * that has run out, else one that the hash picks: that is how it ages. A slot can be lost to a race
 * and a fingerprint can lie (1 in 2 million looks): so what the sieve says only ever makes a
 * suspect, never a verdict.
 */
#ifndef MXCLASH_CORE_RECALL_SIEVE_H
#define MXCLASH_CORE_RECALL_SIEVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slots.h"
#include "mxclash.h"

struct sieve {
    struct slots slots;
};

/** What a look found besides what it brought. */
struct sieve_found {
    bool cname;
    bool mx;
};

/** Allocate at most max_octets, at least one bucket. \return false if there is no memory */
bool sieve_init(struct sieve *sieve, size_t max_octets);
void sieve_deinit(struct sieve *sieve);

/**
 * Note what an answer shows of an owner and tell what is valid of it now, old and new.
 *
 * \param hash         keyed hash of the owner in lower case
 * \param cname, mx    seen in this answer
 * \param *_ttl_s      seconds; read only if seen
 * Threads: any, no lock.
 */
struct sieve_found sieve_note(struct sieve *sieve, uint64_t hash, bool cname, uint32_t cname_ttl_s,
                              bool mx, uint32_t mx_ttl_s, mxclash_time now);

/** sieve_note() of a CNAME alone. \return true if an MX is valid too */
bool sieve_note_cname(struct sieve *sieve, uint64_t hash, uint32_t ttl_s, mxclash_time now);

#endif
