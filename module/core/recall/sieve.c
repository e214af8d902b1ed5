/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The sieve: see sieve.h. */
#include "core/recall/sieve.h"

#include <stdatomic.h>

#include "core/dns/wire.h"

#define EXPIRY_BITS    20
#define EXPIRY_MASK    ((1u << EXPIRY_BITS) - 1)
#define EXPIRY_UNIT_MS 8000
#define PAYLOAD_BITS   (2 * EXPIRY_BITS)

/* slot: fingerprint << 40 | CNAME expiry << 20 | MX expiry; an expiry of 0 is "never seen" */

static uint32_t cname_expiry_in(uint64_t slot)
{
    return (uint32_t)(slot >> EXPIRY_BITS) & EXPIRY_MASK;
}

static uint32_t mx_expiry_in(uint64_t slot)
{
    return (uint32_t)slot & EXPIRY_MASK;
}

bool sieve_init(struct sieve *sieve, size_t max_octets)
{
    return slots_init(&sieve->slots, max_octets, PAYLOAD_BITS);
}

void sieve_deinit(struct sieve *sieve)
{
    slots_deinit(&sieve->slots);
}

/** The range wraps after 97 days; an expiry is at most a day ahead, so anything else is past. */
static bool is_valid(uint32_t expiry, uint32_t now_units)
{
    uint32_t ahead = (expiry - now_units) & EXPIRY_MASK;

    return expiry != 0 && ahead <= WIRE_TTL_MAX_S * 1000u / EXPIRY_UNIT_MS + 1;
}

/** \return the expiry, 0 if it has run out: written back as it is, it would come round again. One
 * that lies far ahead stays: the clock was set back, and may be set right. */
static uint32_t forget_past(uint32_t expiry, uint32_t now_units)
{
    uint32_t past = (now_units - expiry) & EXPIRY_MASK;

    return past == 0 || past > EXPIRY_MASK / 2 ? expiry : 0;
}

static uint32_t expiry_of(uint32_t ttl_s, mxclash_time now)
{
    if (ttl_s > WIRE_TTL_MAX_S)
        ttl_s = WIRE_TTL_MAX_S;
    return slots_time(now + (mxclash_time)ttl_s * 1000, EXPIRY_UNIT_MS, EXPIRY_BITS);
}

static inline _Atomic uint64_t *bucket_of(const struct sieve *sieve, uint64_t hash)
{
    return sieve->slots.words + (hash & sieve->slots.mask) * SLOTS_A_BUCKET;
}

static inline uint64_t fingerprint_in(const _Atomic uint64_t *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed) >> PAYLOAD_BITS;
}

/** \return the slot of a bucket that holds a fingerprint, SLOTS_A_BUCKET if none does */
static size_t place_of(_Atomic uint64_t *bucket, uint64_t fingerprint)
{
    for (size_t place = 0; place < SLOTS_A_BUCKET; place += 2) {
        if (fingerprint_in(&bucket[place]) == fingerprint)
            return place;
        if (fingerprint_in(&bucket[place + 1]) == fingerprint)
            return place + 1;
    }
    return SLOTS_A_BUCKET;
}

/**
 * The slot that a new owner takes: one that is free or has run out, else the one that the hash
 * picks. CNAMEs of a minute are many, an MX of a day must not give way to them.
 */
static size_t place_for(_Atomic uint64_t *bucket, uint64_t hash, uint32_t now_units)
{
    /* from bits that neither bucket nor fingerprint use up */
    size_t picked = (hash >> 32) % SLOTS_A_BUCKET;

    for (size_t i = 0; i < SLOTS_A_BUCKET; i++) {
        size_t place = (picked + i) % SLOTS_A_BUCKET;
        uint64_t slot = atomic_load_explicit(&bucket[place], memory_order_relaxed);

        if (!is_valid(cname_expiry_in(slot), now_units) && !is_valid(mx_expiry_in(slot), now_units))
            return place;
    }
    return picked;
}

/** Write a slot if that changes it: what is only read, other threads keep in their caches. */
static void put(_Atomic uint64_t *slot, uint64_t hash, uint32_t cname_expiry, uint32_t mx_expiry)
{
    uint64_t fingerprint = hash >> PAYLOAD_BITS << PAYLOAD_BITS;
    uint64_t word = fingerprint | (uint64_t)cname_expiry << EXPIRY_BITS | mx_expiry;

    if (atomic_load_explicit(slot, memory_order_relaxed) != word)
        atomic_store_explicit(slot, word, memory_order_relaxed);
}

struct sieve_found sieve_note(struct sieve *sieve, uint64_t hash, bool cname, uint32_t cname_ttl_s,
                              bool mx, uint32_t mx_ttl_s, mxclash_time now)
{
    _Atomic uint64_t *bucket = bucket_of(sieve, hash);
    uint32_t now_units = slots_time(now, EXPIRY_UNIT_MS, EXPIRY_BITS);
    size_t place = place_of(bucket, hash >> PAYLOAD_BITS);
    uint32_t cname_expiry = cname ? expiry_of(cname_ttl_s, now) : 0;
    uint32_t mx_expiry = mx ? expiry_of(mx_ttl_s, now) : 0;
    struct sieve_found found = {.cname = cname, .mx = mx};

    if (place == SLOTS_A_BUCKET) {
        place = place_for(bucket, hash, now_units);
    } else {
        uint64_t slot = atomic_load_explicit(&bucket[place], memory_order_relaxed);

        if (!cname) {
            cname_expiry = forget_past(cname_expiry_in(slot), now_units);
            found.cname = is_valid(cname_expiry, now_units);
        }
        if (!mx) {
            mx_expiry = forget_past(mx_expiry_in(slot), now_units);
            found.mx = is_valid(mx_expiry, now_units);
        }
    }
    put(&bucket[place], hash, cname_expiry, mx_expiry);
    return found;
}

bool sieve_note_cname(struct sieve *sieve, uint64_t hash, uint32_t ttl_s, mxclash_time now)
{
    _Atomic uint64_t *bucket = bucket_of(sieve, hash);
    uint32_t now_units = slots_time(now, EXPIRY_UNIT_MS, EXPIRY_BITS);
    size_t place = place_of(bucket, hash >> PAYLOAD_BITS);
    uint32_t mx_expiry;

    if (place == SLOTS_A_BUCKET) {
        put(&bucket[place_for(bucket, hash, now_units)], hash, expiry_of(ttl_s, now), 0);
        return false;
    }
    mx_expiry = forget_past(
        mx_expiry_in(atomic_load_explicit(&bucket[place], memory_order_relaxed)), now_units);
    put(&bucket[place], hash, expiry_of(ttl_s, now), mx_expiry);
    return is_valid(mx_expiry, now_units);
}
