/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Queue and bucket: see errand_queue.h. */
#include "core/engine/errand_queue.h"

#include <stdatomic.h>
#include <string.h>

/** Longest time that the queue is not looked at, because it was found to lack tokens, or that none
 * is due. */
#define NEXT_MAX_MS 4000

bool errand_queue_init(struct errand_queue *queue, size_t capacity, unsigned rate, unsigned queries,
                       mxclash_time later_ms)
{
    memset(queue, 0, sizeof(*queue));
    if (later_ms != 0 && !ring_init(&queue->later, capacity))
        return false;
    if (!ring_init(&queue->ring, capacity)) {
        ring_deinit(&queue->later);
        return false;
    }
    queue->later_ms = later_ms;
    pthread_mutex_init(&queue->lock, NULL);
    queue->cost = (int64_t)queries * BUCKET_TOKEN;
    /* a second's worth may come at once, and always one */
    bucket_init(&queue->bucket, rate, rate > queries ? rate : queries);
    return true;
}

void errand_queue_deinit(struct errand_queue *queue)
{
    if (queue->ring.entries == NULL)
        return;
    ring_deinit(&queue->ring);
    ring_deinit(&queue->later);
    pthread_mutex_destroy(&queue->lock);
}

/** Under the lock. */
static void set_count(struct errand_queue *queue)
{
    atomic_store_explicit(&queue->count, queue->ring.count + queue->later.count,
                          memory_order_relaxed);
}

/** Put one into a ring of the queue. \return false if it is full */
static bool push(struct errand_queue *queue, struct ring *ring, uint64_t hash, const uint8_t *owner,
                 size_t owner_len, mxclash_time since)
{
    struct ring_entry entry = {.hash = hash, .since = since, .owner_len = (uint8_t)owner_len};
    bool fits;

    memcpy(entry.owner, owner, owner_len);
    pthread_mutex_lock(&queue->lock);
    fits = ring_push(ring, &entry);
    /* what is waited for may be something that comes after this one */
    if (fits && ring->count == 1)
        atomic_store_explicit(&queue->next_at, 0, memory_order_relaxed);
    set_count(queue);
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

bool errand_queue_push(struct errand_queue *queue, uint64_t hash, const uint8_t *owner,
                       size_t owner_len, mxclash_time now)
{
    return push(queue, &queue->ring, hash, owner, owner_len, now);
}

bool errand_queue_push_later(struct errand_queue *queue, uint64_t hash, const uint8_t *owner,
                             size_t owner_len, mxclash_time now)
{
    return push(queue, &queue->later, hash, owner, owner_len, now + queue->later_ms);
}

bool errand_queue_have_room(const struct errand_queue *queue)
{
    return atomic_load_explicit(&queue->count, memory_order_relaxed) < queue->ring.capacity / 2;
}

static bool is_stale(const struct ring_entry *entry, mxclash_time now)
{
    return now - entry->since > PROOF_WAIT_MAX_MS;
}

/** Whose time has come goes to the end of the queue. What lies further ahead than anything is put
 * is left from before the clock was set back. */
static void move_due(struct errand_queue *queue, mxclash_time now)
{
    const struct ring_entry *first;

    while ((first = ring_first(&queue->later)) != NULL) {
        struct ring_entry entry = *first;
        mxclash_time wait = entry.since - now;

        entry.since = now;
        if ((wait > 0 && wait <= queue->later_ms + BUCKET_SKEW_MAX_MS) ||
            !ring_push(&queue->ring, &entry))
            return;
        ring_pop(&queue->later);
    }
}

/** Nothing can be taken now: when may it be worth another look? Under the lock. */
static mxclash_time note_wait(struct errand_queue *queue, mxclash_time now)
{
    const struct ring_entry *later = ring_first(&queue->later);
    mxclash_time wait = NEXT_MAX_MS;

    if (queue->ring.count != 0)
        wait = (queue->cost - queue->bucket.tokens + queue->bucket.rate - 1) / queue->bucket.rate;
    else if (later != NULL)
        wait = later->since - now;
    /* who owes much waits longer, but looks in between: see errand_queue_pop() */
    if (wait > NEXT_MAX_MS)
        wait = NEXT_MAX_MS;
    atomic_store_explicit(&queue->next_at, now + wait, memory_order_relaxed);
    return wait;
}

/** Can one be taken now, as a stale one always can? Under the lock. */
static bool is_ready(struct errand_queue *queue, mxclash_time now)
{
    const struct ring_entry *first;

    move_due(queue, now);
    first = ring_first(&queue->ring);
    if (first == NULL)
        return false;
    bucket_refill(&queue->bucket, now);
    return is_stale(first, now) || queue->bucket.tokens >= queue->cost;
}

int64_t errand_queue_wait(struct errand_queue *queue, mxclash_time now)
{
    mxclash_time next = atomic_load_explicit(&queue->next_at, memory_order_relaxed);
    int64_t wait = 0;

    if (atomic_load_explicit(&queue->count, memory_order_relaxed) == 0)
        return INT64_MAX;
    if (now < next && next - now <= NEXT_MAX_MS)
        return next - now;
    pthread_mutex_lock(&queue->lock);
    if (!is_ready(queue, now))
        wait = note_wait(queue, now);
    pthread_mutex_unlock(&queue->lock);
    return wait;
}

enum errand_taken errand_queue_pop(struct errand_queue *queue, mxclash_time now,
                                   struct ring_entry *waiting)
{
    enum errand_taken taken = errand_none;
    mxclash_time next = atomic_load_explicit(&queue->next_at, memory_order_relaxed);

    if (atomic_load_explicit(&queue->count, memory_order_relaxed) == 0)
        return errand_none;
    /* a next time far ahead is left from before the clock went back */
    if (now < next && next - now <= NEXT_MAX_MS)
        return errand_none;
    pthread_mutex_lock(&queue->lock);
    if (is_ready(queue, now)) {
        *waiting = *ring_first(&queue->ring);
        ring_pop(&queue->ring);
        taken = is_stale(waiting, now) ? errand_stale : errand_one;
        if (taken == errand_one)
            bucket_take(&queue->bucket, queue->cost);
    } else {
        note_wait(queue, now);
    }
    set_count(queue);
    pthread_mutex_unlock(&queue->lock);
    return taken;
}

void errand_queue_give_back(struct errand_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bucket_add(&queue->bucket, queue->cost);
    atomic_store_explicit(&queue->next_at, 0, memory_order_relaxed);
    pthread_mutex_unlock(&queue->lock);
}

void errand_queue_pay(struct errand_queue *queue, unsigned queries)
{
    pthread_mutex_lock(&queue->lock);
    bucket_owe(&queue->bucket, (int64_t)queries * BUCKET_TOKEN);
    pthread_mutex_unlock(&queue->lock);
}
