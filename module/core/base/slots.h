/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A fixed, aging set of 64-bit slots: a fingerprint of a keyed hash, and bits that go with it.
 *
 * 8 slots a bucket, one cache line. No lock, no allocation after the start. A full bucket forgets a
 * slot that the hash picks: that is how it ages. A slot can be lost to a race and a fingerprint
 * can be another's: what is found here is good for suspicion only.
 *
 * The sieve has its memory from here and no more. Each CNAME and MX comes to it: it compares
 * fingerprints only, and lets what is valid yet give way last, for which it must know when that is.
 */
#ifndef MXCLASH_CORE_BASE_SLOTS_H
#define MXCLASH_CORE_BASE_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

/** Slots of a bucket: one cache line. */
#define SLOTS_A_BUCKET 8

struct slots {
    /** atomic words, relaxed: each stands for itself */
    _Atomic uint64_t *words;
    void *block; /* their memory */
    /** buckets - 1; buckets are a power of two */
    size_t mask;
    size_t octets;
    /** bits that go with a fingerprint, 32 to 48; the fingerprint has the rest */
    unsigned payload_bits;
};

/** Allocate at most max_octets, at least one bucket. \return false if there is no memory */
bool slots_init(struct slots *slots, size_t max_octets, unsigned payload_bits);
void slots_deinit(struct slots *slots);

/**
 * Find the slot of a hash, or the one that it may take.
 * \param[out] payload  what goes with it; 0 if it is new
 */
_Atomic uint64_t *slots_find(struct slots *slots, uint64_t hash, uint64_t *payload);

/** Write a slot that slots_find() gave for the same hash, if that changes it: what is only read,
 * other threads keep in their caches. */
static inline void slots_put(const struct slots *slots, _Atomic uint64_t *slot, uint64_t hash,
                             uint64_t payload)
{
    uint64_t word = hash >> slots->payload_bits << slots->payload_bits | payload;

    if (atomic_load_explicit(slot, memory_order_relaxed) != word)
        atomic_store_explicit(slot, word, memory_order_relaxed);
}

/**
 * A time in units, modulo 2^bits and never 0, so that 0 can say "never". What is compared must not
 * lie more than half the range apart.
 */
static inline uint32_t slots_time(mxclash_time at, uint32_t unit_ms, unsigned bits)
{
    uint32_t value = (uint32_t)((uint64_t)at / unit_ms) & ((1u << bits) - 1);

    return value != 0 ? value : 1;
}

/** \return true if expiry is not 0, and now or at most ahead_max_ms ahead; else it is long past */
bool slots_valid(uint32_t expiry, mxclash_time now, uint32_t unit_ms, unsigned bits,
                 uint32_t ahead_max_ms);

#endif
