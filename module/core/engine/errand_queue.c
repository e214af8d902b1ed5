/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Queue and bucket: see errand_queue.h. */
#include "core/engine/errand_queue.h"

#include <stdatomic.h>
#include <string.h>

/** Longest time that the queue is not looked at, because it was found to lack tokens, or that none
 * is due. */
#define NEXT_MAX_MS 4000

bool proofs_init(struct proofs *proofs, size_t capacity, unsigned rate, unsigned queries,
                 mxclash_time later_ms)
{
    memset(proofs, 0, sizeof(*proofs));
    if (later_ms != 0 && !ring_init(&proofs->later, capacity))
        return false;
    if (!ring_init(&proofs->ring, capacity)) {
        ring_deinit(&proofs->later);
        return false;
    }
    proofs->later_ms = later_ms;
    pthread_mutex_init(&proofs->lock, NULL);
    proofs->cost = (int64_t)queries * BUCKET_TOKEN;
    /* a second's worth may come at once, and always one */
    bucket_init(&proofs->bucket, rate, rate > queries ? rate : queries);
    return true;
}

void proofs_deinit(struct proofs *proofs)
{
    if (proofs->ring.entries == NULL)
        return;
    ring_deinit(&proofs->ring);
    ring_deinit(&proofs->later);
    pthread_mutex_destroy(&proofs->lock);
}

/** Under the lock. */
static void set_count(struct proofs *proofs)
{
    atomic_store_explicit(&proofs->count, proofs->ring.count + proofs->later.count,
                          memory_order_relaxed);
}

/** Put one into a ring of the queue. \return false if it is full */
static bool push(struct proofs *proofs, struct ring *ring, uint64_t hash, const uint8_t *owner,
                 size_t owner_len, mxclash_time since)
{
    struct ring_entry entry = {.hash = hash, .since = since, .owner_len = (uint8_t)owner_len};
    bool fits;

    memcpy(entry.owner, owner, owner_len);
    pthread_mutex_lock(&proofs->lock);
    fits = ring_push(ring, &entry);
    /* what is waited for may be something that comes after this one */
    if (fits && ring->count == 1)
        atomic_store_explicit(&proofs->next_at, 0, memory_order_relaxed);
    set_count(proofs);
    pthread_mutex_unlock(&proofs->lock);
    return fits;
}

bool proofs_push(struct proofs *proofs, uint64_t hash, const uint8_t *owner, size_t owner_len,
                 mxclash_time now)
{
    return push(proofs, &proofs->ring, hash, owner, owner_len, now);
}

bool proofs_push_later(struct proofs *proofs, uint64_t hash, const uint8_t *owner, size_t owner_len,
                       mxclash_time now)
{
    return push(proofs, &proofs->later, hash, owner, owner_len, now + proofs->later_ms);
}

bool proofs_have_room(const struct proofs *proofs)
{
    return atomic_load_explicit(&proofs->count, memory_order_relaxed) < proofs->ring.capacity / 2;
}

static bool is_stale(const struct ring_entry *entry, mxclash_time now)
{
    return now - entry->since > PROOF_WAIT_MAX_MS;
}

/** Whose time has come goes to the end of the queue. What lies further ahead than anything is put
 * is left from before the clock was set back. */
static void move_due(struct proofs *proofs, mxclash_time now)
{
    const struct ring_entry *first;

    while ((first = ring_first(&proofs->later)) != NULL) {
        struct ring_entry entry = *first;
        mxclash_time wait = entry.since - now;

        entry.since = now;
        if ((wait > 0 && wait <= proofs->later_ms + BUCKET_SKEW_MAX_MS) ||
            !ring_push(&proofs->ring, &entry))
            return;
        ring_pop(&proofs->later);
    }
}

/** Nothing can be taken now: when may it be worth another look? Under the lock. */
static mxclash_time note_wait(struct proofs *proofs, mxclash_time now)
{
    const struct ring_entry *later = ring_first(&proofs->later);
    mxclash_time wait = NEXT_MAX_MS;

    if (proofs->ring.count != 0)
        wait =
            (proofs->cost - proofs->bucket.tokens + proofs->bucket.rate - 1) / proofs->bucket.rate;
    else if (later != NULL)
        wait = later->since - now;
    /* who owes much waits longer, but looks in between: see proofs_pop() */
    if (wait > NEXT_MAX_MS)
        wait = NEXT_MAX_MS;
    atomic_store_explicit(&proofs->next_at, now + wait, memory_order_relaxed);
    return wait;
}

/** Can one be taken now, as a stale one always can? Under the lock. */
static bool is_ready(struct proofs *proofs, mxclash_time now)
{
    const struct ring_entry *first;

    move_due(proofs, now);
    first = ring_first(&proofs->ring);
    if (first == NULL)
        return false;
    bucket_refill(&proofs->bucket, now);
    return is_stale(first, now) || proofs->bucket.tokens >= proofs->cost;
}

int64_t proofs_wait(struct proofs *proofs, mxclash_time now)
{
    mxclash_time next = atomic_load_explicit(&proofs->next_at, memory_order_relaxed);
    int64_t wait = 0;

    if (atomic_load_explicit(&proofs->count, memory_order_relaxed) == 0)
        return INT64_MAX;
    if (now < next && next - now <= NEXT_MAX_MS)
        return next - now;
    pthread_mutex_lock(&proofs->lock);
    if (!is_ready(proofs, now))
        wait = note_wait(proofs, now);
    pthread_mutex_unlock(&proofs->lock);
    return wait;
}

enum proofs_taken proofs_pop(struct proofs *proofs, mxclash_time now, struct ring_entry *waiting)
{
    enum proofs_taken taken = proofs_none;
    mxclash_time next = atomic_load_explicit(&proofs->next_at, memory_order_relaxed);

    if (atomic_load_explicit(&proofs->count, memory_order_relaxed) == 0)
        return proofs_none;
    /* a next time far ahead is left from before the clock went back */
    if (now < next && next - now <= NEXT_MAX_MS)
        return proofs_none;
    pthread_mutex_lock(&proofs->lock);
    if (is_ready(proofs, now)) {
        *waiting = *ring_first(&proofs->ring);
        ring_pop(&proofs->ring);
        taken = is_stale(waiting, now) ? proofs_stale : proofs_one;
        if (taken == proofs_one)
            bucket_take(&proofs->bucket, proofs->cost);
    } else {
        note_wait(proofs, now);
    }
    set_count(proofs);
    pthread_mutex_unlock(&proofs->lock);
    return taken;
}

void proofs_give_back(struct proofs *proofs)
{
    pthread_mutex_lock(&proofs->lock);
    bucket_add(&proofs->bucket, proofs->cost);
    atomic_store_explicit(&proofs->next_at, 0, memory_order_relaxed);
    pthread_mutex_unlock(&proofs->lock);
}

void proofs_pay(struct proofs *proofs, unsigned queries)
{
    pthread_mutex_lock(&proofs->lock);
    bucket_owe(&proofs->bucket, (int64_t)queries * BUCKET_TOKEN);
    pthread_mutex_unlock(&proofs->lock);
}
