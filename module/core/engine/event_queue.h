/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Events that wait for mxclash_event_next(), first in, first out, for hosts that cannot take a
 * callback. A ring of octets, taken once at the start: an event with few MX takes little of it.
 */
#ifndef MXCLASH_CORE_ENGINE_EVENT_QUEUE_H
#define MXCLASH_CORE_ENGINE_EVENT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

struct event_queue {
    pthread_mutex_t lock; /* guards what follows; held for the copy of one event */
    unsigned char *octets;
    size_t size;
    size_t first;
    size_t used;
    uint32_t max;
    /** read without the lock to save it */
    _Atomic uint32_t count;
};

/** Octets of memory of a queue for so many events. */
size_t event_queue_octets(uint32_t max);

/** \param max  0: there is no queue. \return false: no memory */
bool event_queue_init(struct event_queue *queue, uint32_t max);
void event_queue_deinit(struct event_queue *queue);

/** \return false if there is no room */
bool event_queue_push(struct event_queue *queue, const struct mxclash_event *event);

/** Take the first. \param[out] event  members of mx behind its mx_count are not written.
 * \return false if there is none */
bool event_queue_pop(struct event_queue *queue, struct mxclash_event *event);

#endif
