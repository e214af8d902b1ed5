/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Events that wait to be taken: see event_queue.h. */
#include "core/engine/event_queue.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* what came after mx would have to be queued too */
_Static_assert(sizeof(struct mxclash_event) ==
                   offsetof(struct mxclash_event, mx) + MXCLASH_MX_MAX * sizeof(struct mxclash_mx),
               "mx is the end of an event");
_Static_assert(offsetof(struct mxclash_event, mx) + sizeof(struct mxclash_mx) * 4 <=
                   MXCLASH_QUEUE_OCTETS,
               "an event with four MX is what is counted with");

size_t event_queue_octets(uint32_t max)
{
    /* one of the longest fits into the smallest queue too */
    return max == 0 ? 0 : (size_t)max * MXCLASH_QUEUE_OCTETS + sizeof(struct mxclash_event);
}

bool event_queue_init(struct event_queue *queue, uint32_t max)
{
    memset(queue, 0, sizeof(*queue));
    queue->max = max;
    queue->size = event_queue_octets(max);
    if (max == 0)
        return true;
    queue->octets = malloc(queue->size);
    if (queue->octets == NULL)
        return false;
    pthread_mutex_init(&queue->lock, NULL);
    return true;
}

void event_queue_deinit(struct event_queue *queue)
{
    if (queue->octets == NULL)
        return;
    pthread_mutex_destroy(&queue->lock);
    free(queue->octets);
}

/** Put octets behind the last. */
static void put(struct event_queue *queue, const void *from, size_t octets)
{
    size_t at = (queue->first + queue->used) % queue->size;
    size_t to_end = queue->size - at < octets ? queue->size - at : octets;

    memcpy(queue->octets + at, from, to_end);
    memcpy(queue->octets, (const unsigned char *)from + to_end, octets - to_end);
    queue->used += octets;
}

/** Take octets from the first on. */
static void take(struct event_queue *queue, void *to, size_t octets)
{
    size_t to_end = queue->size - queue->first < octets ? queue->size - queue->first : octets;

    memcpy(to, queue->octets + queue->first, to_end);
    memcpy((unsigned char *)to + to_end, queue->octets, octets - to_end);
    queue->first = (queue->first + octets) % queue->size;
    queue->used -= octets;
}

bool event_queue_push(struct event_queue *queue, const struct mxclash_event *event)
{
    const size_t octets = MXCLASH_EVENT_SIZE(event);
    uint32_t count;
    bool fits;

    pthread_mutex_lock(&queue->lock);
    count = atomic_load_explicit(&queue->count, memory_order_relaxed);
    fits = count < queue->max && octets <= queue->size - queue->used;
    if (fits) {
        put(queue, event, octets);
        atomic_store_explicit(&queue->count, count + 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

bool event_queue_pop(struct event_queue *queue, struct mxclash_event *event)
{
    uint32_t count;

    if (atomic_load_explicit(&queue->count, memory_order_relaxed) == 0)
        return false;
    pthread_mutex_lock(&queue->lock);
    count = atomic_load_explicit(&queue->count, memory_order_relaxed);
    if (count != 0) {
        take(queue, event, offsetof(struct mxclash_event, mx));
        take(queue, event->mx, event->mx_count * sizeof(event->mx[0]));
        atomic_store_explicit(&queue->count, count - 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&queue->lock);
    return count != 0;
}
