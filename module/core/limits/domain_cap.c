/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The cap of each domain: see domain_cap.h. */
#include "core/limits/domain_cap.h"

#include <string.h>

#include "core/base/clock.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t zonecap_key(const struct psl_ctx_st *suffixes, const uint8_t *owner, size_t owner_len,
                     uint64_t seed)
{
    size_t own_at = registrable_at(suffixes, owner, owner_len);

    return own_at == 0 ? ZONECAP_FREE
                       : XXH3_64bits_withSeed(owner + own_at, owner_len - own_at, seed);
}

void zonecap_init(struct zonecap *cap, unsigned max, mxclash_time window_ms)
{
    memset(cap->slots, 0, sizeof(cap->slots));
    cap->max = max;
    cap->window_ms = window_ms;
    pthread_mutex_init(&cap->lock, NULL);
}

void zonecap_deinit(struct zonecap *cap)
{
    pthread_mutex_destroy(&cap->lock);
}

static bool is_over(const struct zonecap *cap, const struct zonecap_slot *slot, mxclash_time now)
{
    return slot->taken == 0 || !clock_within(slot->since, cap->window_ms, now);
}

static struct zonecap_slot *set_of(struct zonecap *cap, uint64_t zone)
{
    return &cap->slots[zone % (ZONECAP_ZONES / ZONECAP_WAYS) * ZONECAP_WAYS];
}

/** \return the slot of a domain, made its own if it had none */
static struct zonecap_slot *find(struct zonecap *cap, uint64_t zone, mxclash_time now)
{
    struct zonecap_slot *set = set_of(cap, zone);
    struct zonecap_slot *least = set;

    for (struct zonecap_slot *slot = set; slot < set + ZONECAP_WAYS; slot++) {
        if (is_over(cap, slot, now))
            slot->taken = 0;
        if (slot->zone == zone && slot->taken != 0)
            return slot;
        if (slot->taken < least->taken)
            least = slot;
    }
    *least = (struct zonecap_slot){.zone = zone, .since = now};
    return least;
}

bool zonecap_take(struct zonecap *cap, uint64_t zone, mxclash_time now)
{
    struct zonecap_slot *slot;
    bool given;

    if (zone == ZONECAP_FREE)
        return true;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, zone, now);
    given = slot->taken < cap->max;
    slot->taken += given;
    pthread_mutex_unlock(&cap->lock);
    return given;
}

bool zonecap_has(struct zonecap *cap, uint64_t zone, mxclash_time now)
{
    const struct zonecap_slot *set = set_of(cap, zone);
    bool has = true;

    if (zone == ZONECAP_FREE)
        return true;
    pthread_mutex_lock(&cap->lock);
    for (const struct zonecap_slot *slot = set; slot < set + ZONECAP_WAYS; slot++)
        if (slot->zone == zone && !is_over(cap, slot, now))
            has = slot->taken < cap->max;
    pthread_mutex_unlock(&cap->lock);
    return has;
}

void zonecap_give_back(struct zonecap *cap, uint64_t zone, mxclash_time now)
{
    struct zonecap_slot *slot;

    if (zone == ZONECAP_FREE)
        return;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, zone, now);
    slot->taken -= slot->taken != 0;
    pthread_mutex_unlock(&cap->lock);
}

void zonecap_charge(struct zonecap *cap, uint64_t zone, unsigned parts, unsigned whole,
                    mxclash_time now)
{
    struct zonecap_slot *slot;

    if (zone == ZONECAP_FREE)
        return;
    pthread_mutex_lock(&cap->lock);
    slot = find(cap, zone, now);
    slot->parts += parts;
    slot->taken += slot->parts / whole;
    slot->parts %= whole;
    pthread_mutex_unlock(&cap->lock);
}
