/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Proofs, or lookups, that wait to be made, first come first served, and the token bucket that
 * paces them. Beside them wait those whose time has yet to come.
 */
#ifndef MXCLASH_CORE_ENGINE_ERRAND_QUEUE_H
#define MXCLASH_CORE_ENGINE_ERRAND_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bucket.h"
#include "core/base/ring.h"
#include "mxclash.h"

/** Probe queries of one proof, MX and CNAME; a lookup is one query. */
#define PROOF_QUERIES 2
/** A proof that waited longer is not worth making: its domain comes again if it matters. */
#define PROOF_WAIT_MAX_MS 60000

struct errand_queue {
    pthread_mutex_t lock; /* guards all that is not atomic */
    struct ring ring;
    /** since: when its time comes. All wait equally long, so the first is the next. */
    struct ring later;
    mxclash_time later_ms;
    /** of both rings, relaxed; written under the lock, read without it to save the lock */
    _Atomic size_t count;
    /** nothing is to be had before this; relaxed, as count */
    _Atomic mxclash_time next_at;
    struct bucket bucket; /* a token is a query */
    int64_t cost;         /* of one that is taken, in thousandths of a token */
};

/** \param queries  that each of them costs
 * \param later_ms  how long those of errand_queue_push_later() wait; 0: there are none */
bool errand_queue_init(struct errand_queue *queue, size_t capacity, unsigned rate, unsigned queries,
                       mxclash_time later_ms);
void errand_queue_deinit(struct errand_queue *queue);

/** Queue one. \return false if the queue is full */
bool errand_queue_push(struct errand_queue *queue, uint64_t hash, const uint8_t *owner,
                       size_t owner_len, mxclash_time now);

/** Queue one in later_ms milliseconds from now. \return false if there is no room */
bool errand_queue_push_later(struct errand_queue *queue, uint64_t hash, const uint8_t *owner,
                             size_t owner_len, mxclash_time now);

/** \return true if less than half of the queue is taken: there is room for what may be nothing */
bool errand_queue_have_room(const struct errand_queue *queue);

enum errand_taken { errand_none, errand_one, errand_stale };

/**
 * Take the first of the queue if the bucket has tokens for it. A stale one costs no token.
 * \param[out] waiting  written unless the result is errand_none
 */
enum errand_taken errand_queue_pop(struct errand_queue *queue, mxclash_time now,
                                   struct ring_entry *waiting);

/** \return milliseconds until errand_queue_pop() may have one, 0: now; INT64_MAX: none is queued */
int64_t errand_queue_wait(struct errand_queue *queue, mxclash_time now);

/** What was taken is not made after all: its tokens go back. */
void errand_queue_give_back(struct errand_queue *queue);

/** More queries were sent than the cost: the next one waits the longer. What is owed is bounded,
 * see BUCKET_DEBT_MAX_MS. */
void errand_queue_pay(struct errand_queue *queue, unsigned queries);

#endif
