/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The engine's inside, for the files that make up the public API; see mxclash.h. */
#ifndef MXCLASH_CORE_ENGINE_ENGINE_H
#define MXCLASH_CORE_ENGINE_ENGINE_H

#include "core/cases/casework.h"
#include "core/engine/errand_queue.h"
#include "core/engine/event_queue.h"
#include "core/limits/domain_cap.h"
#include "core/recall/hosted.h"
#include "core/recall/ignore.h"
#include "core/recall/sieve.h"
#include "mxclash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/** Opened events that wait for their impact. */
struct held {
    pthread_mutex_t lock; /* guards ring and ticks */
    struct ring ring;     /* since: the tick at which it began to wait */
    mxclash_time ticks;
    /** when the next tick is due, for hosts that ask; 0: nobody asked since the last one */
    mxclash_time due;
};

struct mxclash_engine {
    struct sieve sieve;
    struct slots hosted;
    struct docket docket;
    struct errand_queue proofs;
    struct errand_queue lookups; /* paced like the proofs, by a bucket of their own */
    struct domain_cap domain_cap;
    struct openings openings;
    struct held held;
    struct event_queue events;
    struct ignore ignore;
    struct providers *providers;
    struct counters counters;
    struct casework work;
    uint64_t seed;
    size_t table_size;
    size_t fixed_octets;
    /** when some shard is looked through for expired cases at the latest */
    _Atomic mxclash_time sweep_due;
    void (*on_event)(void *context, const struct mxclash_event *event);
    void (*on_held)(void *context);
    void *context;
    /** on a cache line of their own, for they change all the time: the next id, and which shard is
     * looked through next */
    _Alignas(64) _Atomic uint64_t next_errand_id;
    _Atomic uint32_t sweep_at;
};

/** Keyed hash of an owner in lower case. */
static inline uint64_t engine_hash(const struct mxclash_engine *engine, const uint8_t *owner,
                                   size_t owner_len)
{
    return XXH3_64bits_withSeed(owner, owner_len, engine->seed);
}

/** mxclash_errands_wait(), inline. */
static inline bool engine_errands_wait(const struct mxclash_engine *engine)
{
    /* one branch for both: this is asked with every query that is done */
    return (atomic_load_explicit(&engine->proofs.count, memory_order_relaxed) |
            atomic_load_explicit(&engine->lookups.count, memory_order_relaxed)) != 0;
}

#endif
