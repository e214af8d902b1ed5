/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The table of cases: see docket.h. */
#include "core/cases/docket.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/block.h"
#include "core/base/pool.h"

/** One bucket for so many octets of a shard: few enough cases a bucket, little memory lost. */
#define OCTETS_PER_BUCKET 512
/** One octet of the docket's in so many counts cases by their hash: some six counters a case. */
#define FILTER_SHARE 64
/** One octet of the docket's in so many counts the open cases by how their owners begin. */
#define HEADS_SHARE 128
/** A share of each shard that is left free, so that cells in a row are found. */
#define RESERVE_SHARE 16
/** Most cases that are given up for one block: a lock is not held for long. */
#define GIVEN_UP_MAX 32
/** Buckets that are visited under one lock. There are about as many cases. */
#define VISIT_BUCKETS 64

_Static_assert(sizeof(struct mx_set) + MXCLASH_MX_MAX * sizeof(struct mxclash_mx) <=
                       POOL_BLOCK_MAX &&
                   sizeof(struct docket_case) + MXCLASH_NAME_MAX <= POOL_BLOCK_MAX,
               "what is kept of a case fits into blocks of a pool");

struct case_list {
    struct docket_case *newest;
    struct docket_case *oldest;
};

struct docket_shard {
    _Alignas(64) pthread_mutex_t lock; /* shards on one cache line would slow each other */
    struct docket_case **buckets;
    size_t bucket_mask;
    struct case_list lists[2]; /* [is_open] */
    struct pool pool;          /* the cases, and what hangs on them */
    /* written under the lock, read without it. Octets are those of the cases; the bucket array is
     * paid for at the start */
    _Atomic size_t cases;
    _Atomic size_t octets;
    void (*evicted)(void *context, const struct docket_case *c);
    void *context;
};

/* the shard comes from bits that the bucket does not use */
static size_t shard_number(uint64_t hash)
{
    return (hash >> 60) % DOCKET_SHARDS;
}

/** A counter that came near its end stays there: it would wrap, and hide open cases. */
static void count_head(const struct docket *docket, const struct docket_case *c, int more)
{
    _Atomic uint16_t *counter = docket_head(docket, c->owner, c->owner_len);

    if (atomic_load_explicit(counter, memory_order_relaxed) < UINT16_MAX - DOCKET_SHARDS)
        atomic_fetch_add_explicit(counter, (uint16_t)more, memory_order_relaxed);
}

/** \return octets of a power of two of counters, four at least: at most one octet in so many */
static size_t octets_of_share(size_t max_octets, size_t share)
{
    size_t octets = 4 * sizeof(uint16_t);

    while (octets * 2 * share <= max_octets)
        octets *= 2;
    return octets;
}

bool docket_init(struct docket *docket, size_t max_octets)
{
    size_t filter_octets = octets_of_share(max_octets, FILTER_SHARE);
    size_t heads_octets = octets_of_share(max_octets, HEADS_SHARE);
    size_t fixed;
    size_t share;
    size_t buckets = 1;
    size_t array;
    size_t pool_size;
    unsigned char *pools;

    /* the shards and their pools are aligned to a cache line, which may cost another */
    fixed = block_octets(filter_octets) + block_octets(heads_octets) +
            block_octets(DOCKET_SHARDS * sizeof(struct docket_shard)) + 64 + BLOCK_EXCESS_MAX + 64;
    share = max_octets > fixed ? (max_octets - fixed) / DOCKET_SHARDS : 0;
    while (buckets * 2 * OCTETS_PER_BUCKET <= share)
        buckets *= 2;
    array = block_octets(buckets * sizeof(struct docket_case *));
    pool_size = share > array + POOL_CELL ? (share - array) / POOL_CELL * POOL_CELL : POOL_CELL;
    memset(docket, 0, sizeof(*docket));
    docket->filter = calloc(1, filter_octets);
    docket->heads = calloc(1, heads_octets);
    docket->filter_mask = filter_octets / sizeof(*docket->filter) - 1;
    docket->heads_shift = 64;
    for (size_t counters = heads_octets / sizeof(*docket->heads); counters > 1; counters /= 2)
        docket->heads_shift--;
    docket->shards = aligned_alloc(64, DOCKET_SHARDS * sizeof(struct docket_shard));
    pools = block_zeroed(DOCKET_SHARDS * pool_size, &docket->memory);
    if (docket->filter == NULL || docket->heads == NULL || docket->shards == NULL ||
        docket->memory == NULL) {
        free(docket->shards);
        docket->shards = NULL;
        docket_deinit(docket);
        return false;
    }
    memset(docket->shards, 0, DOCKET_SHARDS * sizeof(struct docket_shard));
    for (size_t i = 0; i < DOCKET_SHARDS; i++) {
        struct docket_shard *shard = &docket->shards[i];

        pthread_mutex_init(&shard->lock, NULL);
        pool_init(&shard->pool, pools + i * pool_size, pool_size);
        docket->shard_octets_max = shard->pool.cell_count * POOL_CELL;
        docket->shard_octets_max -= docket->shard_octets_max / RESERVE_SHARE;
        shard->bucket_mask = buckets - 1;
        shard->buckets = calloc(buckets, sizeof(struct docket_case *));
        if (shard->buckets == NULL) {
            docket_deinit(docket);
            return false;
        }
    }
    return true;
}

void docket_deinit(struct docket *docket)
{
    for (size_t i = 0; docket->shards != NULL && i < DOCKET_SHARDS; i++) {
        struct docket_shard *shard = &docket->shards[i];

        /* a shard that docket_init() did not reach has no buckets and no lock */
        if (shard->buckets != NULL)
            pthread_mutex_destroy(&shard->lock);
        free(shard->buckets);
    }
    free(docket->shards);
    free(docket->memory);
    free((void *)docket->filter);
    free((void *)docket->heads);
    docket->shards = NULL;
    docket->memory = NULL;
    docket->filter = docket->heads = NULL;
}

void docket_on_evict(struct docket *docket,
                     void (*evicted)(void *context, const struct docket_case *c), void *context)
{
    for (size_t i = 0; i < DOCKET_SHARDS; i++) {
        docket->shards[i].evicted = evicted;
        docket->shards[i].context = context;
    }
}

struct docket_shard *docket_lock(struct docket *docket, uint64_t hash)
{
    struct docket_shard *shard = &docket->shards[shard_number(hash)];

    pthread_mutex_lock(&shard->lock);
    return shard;
}

void docket_unlock(struct docket_shard *shard)
{
    pthread_mutex_unlock(&shard->lock);
}

static void octets_add(struct docket_shard *shard, struct docket_case *c, size_t octets)
{
    c->octets += (uint32_t)octets;
    atomic_fetch_add_explicit(&shard->octets, octets, memory_order_relaxed);
}

static void octets_take(struct docket_shard *shard, struct docket_case *c, size_t octets)
{
    c->octets -= (uint32_t)octets;
    atomic_fetch_sub_explicit(&shard->octets, octets, memory_order_relaxed);
}

static size_t mx_set_octets(size_t count)
{
    return sizeof(struct mx_set) + count * sizeof(struct mxclash_mx);
}

static void free_case(struct docket_shard *shard, struct docket_case *c)
{
    pool_give(&shard->pool, c->cname_target, c->cname_target_len);
    if (c->mx_set != NULL)
        pool_give(&shard->pool, c->mx_set, mx_set_octets(c->mx_set->count));
    if (c->spf_walk != NULL)
        pool_give(&shard->pool, c->spf_walk, sizeof(*c->spf_walk));
    pool_give(&shard->pool, c, sizeof(*c) + c->owner_len);
}

static struct docket_case **bucket_of(struct docket_shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & shard->bucket_mask];
}

struct docket_case *docket_find(struct docket_shard *shard, uint64_t hash, const uint8_t *owner,
                                size_t owner_len)
{
    struct docket_case *c = *bucket_of(shard, hash);

    while (c != NULL && (c->hash != hash || c->owner_len != owner_len ||
                         memcmp(c->owner, owner, owner_len) != 0))
        c = c->bucket_next;
    return c;
}

static void list_take(struct docket_shard *shard, struct docket_case *c)
{
    struct case_list *list = &shard->lists[c->is_open];

    *(c->newer != NULL ? &c->newer->older : &list->newest) = c->older;
    *(c->older != NULL ? &c->older->newer : &list->oldest) = c->newer;
    c->newer = c->older = NULL;
}

static void list_put_newest(struct docket_shard *shard, struct docket_case *c)
{
    struct case_list *list = &shard->lists[c->is_open];

    c->newer = NULL;
    c->older = list->newest;
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = c;
    list->newest = c;
}

void docket_touch(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                  bool open)
{
    list_take(shard, c);
    if (c->is_open != open)
        count_head(docket, c, open ? 1 : -1);
    c->is_open = open;
    list_put_newest(shard, c);
}

struct docket_case *docket_oldest(struct docket_shard *shard, bool open)
{
    return shard->lists[open].oldest;
}

void docket_remove(struct docket *docket, struct docket_shard *shard, struct docket_case *c)
{
    struct docket_case **link = bucket_of(shard, c->hash);

    while (*link != c)
        link = &(*link)->bucket_next;
    *link = c->bucket_next;
    list_take(shard, c);
    if (c->is_open)
        count_head(docket, c, -1);
    atomic_fetch_sub_explicit(&shard->cases, 1, memory_order_relaxed);
    octets_take(shard, c, c->octets);
    atomic_fetch_sub_explicit(docket_class(docket, c->hash), 1, memory_order_relaxed);
    free_case(shard, c);
}

/** Give up a case for another. */
static void evict(struct docket *docket, struct docket_shard *shard, struct docket_case *victim)
{
    if (victim->is_open && shard->evicted != NULL)
        shard->evicted(shard->context, victim);
    atomic_fetch_add_explicit(&docket->evictions, 1, memory_order_relaxed);
    docket_remove(docket, shard, victim);
}

/** Make room in a bucket for one more: at the cost of a case that is not open, if there is one, and
 * of the one that has been there longest. */
static void bound_chain(struct docket *docket, struct docket_shard *shard,
                        struct docket_case *newest)
{
    struct docket_case *victim = NULL;
    unsigned count = 0;

    for (struct docket_case *c = newest; c != NULL; c = c->bucket_next, count++)
        if (victim == NULL || victim->is_open || !c->is_open)
            victim = c;
    if (count >= DOCKET_CHAIN_MAX)
        evict(docket, shard, victim);
}

/** \return the case to be given up next, but for keep, NULL if there is none */
static struct docket_case *next_victim(const struct docket_shard *shard,
                                       const struct docket_case *keep)
{
    struct docket_case *victim = NULL;

    for (int open = 0; open <= 1 && victim == NULL; open++) {
        victim = shard->lists[open].oldest;
        if (victim != NULL && victim == keep)
            victim = victim->newer;
    }
    return victim;
}

/** Take a block for a case, and give up cases other than keep until it fits. \return NULL if it
 * never will */
static void *take_room(struct docket *docket, struct docket_shard *shard, size_t octets,
                       const struct docket_case *keep)
{
    size_t counted = pool_octets(octets);
    unsigned given_up = 0;

    /* what cannot fit even alone must not drive out the others first */
    if ((keep != NULL ? keep->octets : 0) + counted > docket->shard_octets_max)
        return NULL;
    for (;;) {
        struct docket_case *victim;

        if (shard->octets + counted <= docket->shard_octets_max) {
            void *block = pool_take(&shard->pool, octets);

            if (block != NULL)
                return block;
        }
        victim = next_victim(shard, keep);
        if (victim == NULL || given_up++ == GIVEN_UP_MAX)
            return NULL;
        evict(docket, shard, victim);
    }
}

struct docket_case *docket_add(struct docket *docket, struct docket_shard *shard, uint64_t hash,
                               const uint8_t *owner, size_t owner_len)
{
    size_t octets = sizeof(struct docket_case) + owner_len;
    struct docket_case **bucket = bucket_of(shard, hash);
    _Atomic uint16_t *counter = docket_class(docket, hash);
    struct docket_case *c;

    /* a counter that wrapped to 0 would hide cases; so many in one class means an attack */
    if (owner_len > MXCLASH_NAME_MAX ||
        atomic_load_explicit(counter, memory_order_relaxed) >= UINT16_MAX - DOCKET_SHARDS)
        return NULL;
    c = take_room(docket, shard, octets, NULL);
    if (c == NULL)
        return NULL;
    memset(c, 0, sizeof(*c));
    memcpy(c->owner, owner, owner_len);
    c->owner_len = (uint8_t)owner_len;
    c->zone_at = c->owner_len;
    c->apex = mxclash_apex_unknown;
    c->hides_spf = mxclash_unknown;
    c->hash = hash;
    bound_chain(docket, shard, *bucket);
    c->bucket_next = *bucket;
    *bucket = c;
    list_put_newest(shard, c);
    atomic_fetch_add_explicit(&shard->cases, 1, memory_order_relaxed);
    octets_add(shard, c, pool_octets(octets));
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return c;
}

/** Replace a block that hangs on a case; *block may be NULL before and after. */
static bool replace_block(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                          void **block, size_t old_octets, size_t octets)
{
    if (*block != NULL) {
        pool_give(&shard->pool, *block, old_octets);
        octets_take(shard, c, pool_octets(old_octets));
        *block = NULL;
    }
    if (octets == 0)
        return true;
    *block = take_room(docket, shard, octets, c);
    if (*block == NULL)
        return false;
    octets_add(shard, c, pool_octets(octets));
    return true;
}

bool docket_set_target(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                       const uint8_t *target, size_t target_len)
{
    void *block = c->cname_target;
    size_t old = c->cname_target_len;
    bool done;

    if (target_len != 0 && target_len == old && memcmp(block, target, target_len) == 0)
        return true;
    done = replace_block(docket, shard, c, &block, old, target_len);
    c->cname_target = block;
    if (block != NULL)
        memcpy(block, target, target_len);
    c->cname_target_len = block != NULL ? (uint8_t)target_len : 0;
    return done;
}

bool docket_set_mx(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                   const struct mxclash_mx *mx, size_t count)
{
    void *block = c->mx_set;
    size_t old = c->mx_set != NULL ? mx_set_octets(c->mx_set->count) : 0;
    bool done;

    if (c->mx_set != NULL && c->mx_set->count == count &&
        memcmp(c->mx_set->mx, mx, count * sizeof(*mx)) == 0)
        return true;
    done = replace_block(docket, shard, c, &block, old, count != 0 ? mx_set_octets(count) : 0);
    c->mx_set = block;
    if (block != NULL) {
        c->mx_set->count = (uint8_t)count;
        memcpy(c->mx_set->mx, mx, count * sizeof(*mx));
    }
    return done;
}

bool docket_set_walk(struct docket *docket, struct docket_shard *shard, struct docket_case *c,
                     bool keep)
{
    void *block = c->spf_walk;
    bool done = true;

    if ((block != NULL) != keep)
        done = replace_block(docket, shard, c, &block, sizeof(*c->spf_walk),
                             keep ? sizeof(*c->spf_walk) : 0);
    c->spf_walk = block;
    return done;
}

/** Visit the open cases of VISIT_BUCKETS buckets. Shard locked. */
static void visit_buckets(const struct docket_shard *shard, size_t from,
                          void (*visit)(void *context, const struct docket_case *c), void *context)
{
    for (size_t at = from; at <= shard->bucket_mask && at < from + VISIT_BUCKETS; at++)
        for (const struct docket_case *c = shard->buckets[at]; c != NULL; c = c->bucket_next)
            if (c->is_open)
                visit(context, c);
}

void docket_visit_open(struct docket *docket,
                       void (*visit)(void *context, const struct docket_case *c), void *context)
{
    const size_t buckets = docket->shards[0].bucket_mask + 1;

    /* A few buckets of one shard, then as many of the next: who waits for a shard, with Unbound's
     * records locked perhaps, gets it before it is taken again. By buckets and not by the list,
     * for a case stays in its bucket, whatever happens to it meanwhile. */
    for (size_t from = 0; from < buckets; from += VISIT_BUCKETS) {
        for (size_t i = 0; i < DOCKET_SHARDS; i++) {
            struct docket_shard *shard = &docket->shards[i];

            pthread_mutex_lock(&shard->lock);
            if (shard->lists[1].newest != NULL)
                visit_buckets(shard, from, visit, context);
            pthread_mutex_unlock(&shard->lock);
        }
    }
}

/** \return the first open case of a slice that has not been visited, NULL if there is none. Shard
 * locked. */
static struct docket_case *next_of_slice(const struct docket_shard *shard,
                                         struct docket_cursor *cursor)
{
    for (; cursor->bucket < VISIT_BUCKETS && cursor->from + cursor->bucket <= shard->bucket_mask;
         cursor->bucket++, cursor->hash = 0) {
        struct docket_case *next = NULL;

        /* by hash: the order of a bucket changes as cases come and go */
        for (struct docket_case *c = shard->buckets[cursor->from + cursor->bucket]; c != NULL;
             c = c->bucket_next)
            if (c->is_open && c->hash >= cursor->hash && (next == NULL || c->hash < next->hash))
                next = c;
        if (next != NULL)
            return next;
    }
    return NULL;
}

bool docket_next_open(struct docket *docket, struct docket_cursor *cursor,
                      void (*visit)(void *context, struct docket_case *c), void *context)
{
    const size_t buckets = docket->shards[0].bucket_mask + 1;

    for (; cursor->from < buckets; cursor->from += VISIT_BUCKETS, cursor->shard = 0) {
        for (; cursor->shard < DOCKET_SHARDS; cursor->shard++, cursor->bucket = 0) {
            struct docket_shard *shard = &docket->shards[cursor->shard];
            struct docket_case *c = NULL;

            pthread_mutex_lock(&shard->lock);
            if (shard->lists[1].newest != NULL)
                c = next_of_slice(shard, cursor);
            if (c != NULL) {
                cursor->hash = c->hash;
                visit(context, c);
            }
            pthread_mutex_unlock(&shard->lock);
            if (c != NULL)
                return true;
            cursor->hash = 0;
        }
    }
    return false;
}

void docket_pass(struct docket_cursor *cursor)
{
    if (++cursor->hash == 0)
        cursor->bucket++;
}

void docket_size(const struct docket *docket, uint64_t *cases, uint64_t *octets)
{
    *cases = 0;
    *octets = 0;
    for (size_t i = 0; i < DOCKET_SHARDS; i++) {
        const struct docket_shard *shard = &docket->shards[i];

        *cases += atomic_load_explicit(&shard->cases, memory_order_relaxed);
        *octets += atomic_load_explicit(&shard->octets, memory_order_relaxed);
    }
}
