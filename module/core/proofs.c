/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Queue and bucket: see proofs.h. */
#include "core/proofs.h"

#include <stdatomic.h>
#include <string.h>

/** Longest time that the bucket is not looked at, because it was found to lack tokens. */
#define NEXT_TOKEN_MAX_MS 4000

bool proofs_init(struct proofs *proofs, size_t capacity, unsigned rate, unsigned queries)
{
    memset(proofs, 0, sizeof(*proofs));
    if (!ring_init(&proofs->ring, capacity))
        return false;
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
    pthread_mutex_destroy(&proofs->lock);
}

bool proofs_push(struct proofs *proofs, uint64_t hash, const uint8_t *owner, size_t owner_len,
                 mxclash_time now)
{
    struct ring_entry entry = {.hash = hash, .since = now, .owner_len = (uint8_t)owner_len};
    bool fits;

    memcpy(entry.owner, owner, owner_len);
    pthread_mutex_lock(&proofs->lock);
    fits = ring_push(&proofs->ring, &entry);
    atomic_store_explicit(&proofs->count, proofs->ring.count, memory_order_relaxed);
    pthread_mutex_unlock(&proofs->lock);
    return fits;
}

bool proofs_have_room(const struct proofs *proofs)
{
    return atomic_load_explicit(&proofs->count, memory_order_relaxed) < proofs->ring.capacity / 2;
}

enum proofs_taken proofs_pop(struct proofs *proofs, mxclash_time now, struct ring_entry *waiting)
{
    enum proofs_taken taken = proofs_none;
    const struct ring_entry *first;
    mxclash_time next = atomic_load_explicit(&proofs->next_token, memory_order_relaxed);

    if (atomic_load_explicit(&proofs->count, memory_order_relaxed) == 0)
        return proofs_none;
    /* a next token far ahead is left from before the clock went back */
    if (now < next && next - now <= NEXT_TOKEN_MAX_MS)
        return proofs_none;
    pthread_mutex_lock(&proofs->lock);
    first = ring_first(&proofs->ring);
    if (first != NULL) {
        bool stale = now - first->since > PROOF_WAIT_MAX_MS;

        bucket_refill(&proofs->bucket, now);
        if (stale || bucket_take(&proofs->bucket, proofs->cost)) {
            taken = stale ? proofs_stale : proofs_one;
            *waiting = *first;
            ring_pop(&proofs->ring);
            atomic_store_explicit(&proofs->count, proofs->ring.count, memory_order_relaxed);
        } else {
            int64_t lacking = proofs->cost - proofs->bucket.tokens;
            mxclash_time wait = (lacking + proofs->bucket.rate - 1) / proofs->bucket.rate;

            /* who owes much waits longer, but looks in between: see above */
            if (wait > NEXT_TOKEN_MAX_MS)
                wait = NEXT_TOKEN_MAX_MS;
            atomic_store_explicit(&proofs->next_token, now + wait, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&proofs->lock);
    return taken;
}

void proofs_give_back(struct proofs *proofs)
{
    pthread_mutex_lock(&proofs->lock);
    bucket_add(&proofs->bucket, proofs->cost);
    atomic_store_explicit(&proofs->next_token, 0, memory_order_relaxed);
    pthread_mutex_unlock(&proofs->lock);
}

void proofs_pay(struct proofs *proofs, unsigned queries)
{
    pthread_mutex_lock(&proofs->lock);
    bucket_owe(&proofs->bucket, (int64_t)queries * BUCKET_TOKEN);
    pthread_mutex_unlock(&proofs->lock);
}
