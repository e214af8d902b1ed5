/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The docket: the bounded, sharded table of cases. It stores, finds, ages and counts octets; what
 * a case means is casework.h's business.
 *
 * Locks: a shard's mutex guards its buckets, its lists and every field of its cases. At most one
 * shard is locked at a time, and nothing is called out of the core while one is.
 */
#ifndef MXCLASH_CORE_CASES_DOCKET_H
#define MXCLASH_CORE_CASES_DOCKET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/cases/case.h"

#define DOCKET_SHARDS 16
/**
 * Most cases of one bucket. There are about as many buckets as cases, so by chance none holds half
 * of this; it is for names that were chosen to meet, which would make each look at the table long.
 */
#define DOCKET_CHAIN_MAX 32

struct docket_shard;
struct docket {
    struct docket_shard *shards;
    /** the pools of all shards */
    void *memory;
    /** how many cases of each hash class there are, filter_mask + 1 counters; relaxed: it only
     * saves the lock */
    _Atomic uint16_t *filter;
    size_t filter_mask;
    /** how many open cases there are whose owners begin alike; 2^(64 - heads_shift) counters */
    _Atomic uint16_t *heads;
    unsigned heads_shift;
    size_t shard_octets_max;
    /** on a cache line of its own: what stands above is read for every answer */
    _Alignas(64) _Atomic uint64_t evictions;
};

/** \param max_octets  bound on everything the docket allocates. \return false: no memory */
bool docket_init(struct docket *docket, size_t max_octets);
void docket_deinit(struct docket *docket);

/** How many cases are of the same hash class. */
static inline _Atomic uint16_t *docket_class(const struct docket *docket, uint64_t hash)
{
    return &docket->filter[(hash >> 20) & docket->filter_mask];
}

/** \return false if no case can have this hash. No lock. */
static inline bool docket_may_hold(const struct docket *docket, uint64_t hash)
{
    return atomic_load_explicit(docket_class(docket, hash), memory_order_relaxed) != 0;
}

/** How many open cases have an owner that begins like this one, in any case of letters: near enough
 * for a filter. Reads eight octets of the name. */
static inline _Atomic uint16_t *docket_head(const struct docket *docket, const uint8_t *name,
                                            size_t name_len)
{
    uint64_t head = 0;

    if (name_len >= sizeof(head)) /* shorter ones are few, and count as one */
        memcpy(&head, name, sizeof(head));
    head |= UINT64_C(0x2020202020202020);
    return &docket->heads[head * UINT64_C(0x9e3779b97f4a7c15) >> docket->heads_shift];
}

/**
 * \return false if no case of this name can be open. No lock, and no hash of the name: it is what
 *     an answer costs in which there is nothing to see, while somewhere a conflict is open.
 */
static inline bool docket_may_be_open(const struct docket *docket, const uint8_t *name,
                                      size_t name_len)
{
    return atomic_load_explicit(docket_head(docket, name, name_len), memory_order_relaxed) != 0;
}

/** Lock the shard of a hash. */
struct docket_shard *docket_lock(struct docket *docket, uint64_t hash);
void docket_unlock(struct docket_shard *shard);

/** \param owner  lower case. \return NULL if there is none. Shard locked. */
struct docket_case *docket_find(struct docket_shard *shard, uint64_t hash, const uint8_t *owner,
                                size_t owner_len);

/**
 * Add a case that is not there. Others that are not open, then open ones, the longest not met
 * first, are given up until there is room; some dozen at most. Shard locked.
 * \return NULL if there is no room
 */
struct docket_case *docket_add(struct docket *docket, struct docket_shard *shard, uint64_t hash,
                               const uint8_t *owner, size_t owner_len);

/** Take a case out and free it. Shard locked. */
void docket_remove(struct docket *docket, struct docket_shard *shard, struct docket_case *c);

/** The case was met now: it becomes the newest of its list; open says which list. Shard locked. */
void docket_touch(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                  bool open);

/**
 * Keep a copy of the CNAME's target or of the MX set with the case; NULL forgets it. Room is made
 * as in docket_add(), never at the cost of c. Shard locked.
 * \return false if there is no room; then what was there is forgotten
 */
bool docket_set_target(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                       const uint8_t *target, size_t target_len);
bool docket_set_mx(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                   const struct mxclash_mx *mx, size_t count);

/** Have room for a walk with the case, its content undefined, or with keep false none any more.
 * Room is made as in docket_set_target(). Shard locked. \return false if there is no room */
bool docket_set_walk(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                     bool keep);

/** \return the case of the list that was longest not met, NULL if it is empty. Shard locked. */
struct docket_case *docket_oldest(struct docket_shard *shard, bool open);

/**
 * Call visit for every open case, its shard locked. No lock is held for more than some dozen cases.
 * A case that is open all the while is visited once; one that comes, goes, opens or ends meanwhile
 * once or not at all. visit must not call the docket.
 */
void docket_visit_open(struct docket *docket,
                       void (*visit)(void *context, const struct docket_case *c), void *context);

/** How far a walk has come. All 0 at its beginning. */
struct docket_cursor {
    /** the first of the buckets that are visited under one lock, the shard, the bucket of those,
     * and the least hash in it that was not visited */
    uint64_t from;
    uint32_t shard, bucket;
    uint64_t hash;
};

/**
 * Call visit for the next open case of a walk, its shard locked, in slices as above. The cursor
 * then stands at that case: docket_pass() goes on behind it. Two cases of one hash, one of 2^64,
 * count as one. \return false, nothing visited, at the end
 */
bool docket_next_open(struct docket *docket, struct docket_cursor *cursor,
                      void (*visit)(void *context, struct docket_case *c), void *context);
void docket_pass(struct docket_cursor *cursor);

/** Cases and octets of cases now. No lock. */
void docket_size(const struct docket *docket, uint64_t *cases, uint64_t *octets);

/** Told of every open case that is given up for room, shard locked; set once, before use. */
void docket_on_evict(struct docket *docket,
                     void (*evicted)(void *context, const struct docket_case *c), void *context);

#endif
