/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Tests of the docket: random operations against a plain model, every invariant after each; the
 * filter; then four threads through the engine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/pool.h"
#include "core/cases/docket.h"
#include "message.h"

/* --- the model: one array, a stamp for recency ------------------------------------------------ */

#define NAMES  90
#define SHARDS 3

struct entry {
    bool there;
    bool open;
    /** later is newer; never the same twice */
    uint64_t stamp;
    size_t octets;
    size_t target_len;
    size_t mx_count;
};

static struct docket docket;
static struct entry entries[NAMES];
static uint64_t stamps;
static uint64_t evictions;
/** of these, given up although there were octets enough */
static uint64_t for_cells;
static unsigned open_evicted, open_evicted_told;

/** The three shards, few buckets, and two classes of the filter. */
static uint64_t hash_of(size_t i)
{
    return (uint64_t)(i % SHARDS) << 60 | (uint64_t)(i & 1) << 20 | i / 7;
}

static size_t owner_of(size_t i, uint8_t *owner)
{
    size_t len = 1 + i % 60;

    owner[0] = (uint8_t)len;
    memset(owner + 1, 'x', len);
    owner[1] = (uint8_t)i;
    owner[1 + len] = (uint8_t)(i >> 8);
    /* not a whole name, but the docket does not look */
    return len + 2;
}

static struct docket_case *find(struct docket_shard *shard, size_t i)
{
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t len = owner_of(i, owner);

    return docket_find(shard, hash_of(i), owner, len);
}

static size_t model_octets(size_t shard)
{
    size_t octets = 0;

    for (size_t i = shard; i < NAMES; i += SHARDS)
        octets += entries[i].there ? entries[i].octets : 0;
    return octets;
}

/** \return the entry of a shard's list that was longest not met, but for keep; NAMES if none */
static size_t model_oldest(size_t shard, bool open, size_t keep)
{
    size_t oldest = NAMES;

    for (size_t i = shard; i < NAMES; i += SHARDS)
        if (i != keep && entries[i].there && entries[i].open == open &&
            (oldest == NAMES || entries[i].stamp < entries[oldest].stamp))
            oldest = i;
    return oldest;
}

/**
 * Give up what the docket gave up for a block: suspects before open ones, the longest not met
 * first, and few more than the octets ask for, where cells in a row are not to be found.
 */
static void model_room(size_t shard, size_t octets, size_t keep, bool kept)
{
    size_t max = docket.shard_octets_max;
    bool fits_alone = octets == 0 || (keep < NAMES ? entries[keep].octets : 0) + octets <= max;
    bool victims_left;

    while (evictions < atomic_load(&docket.evictions)) {
        size_t victim = model_oldest(shard, false, keep);

        if (victim == NAMES)
            victim = model_oldest(shard, true, keep);
        assert_true(fits_alone && victim < NAMES);
        for_cells += model_octets(shard) + octets <= max;
        open_evicted += entries[victim].open;
        evictions++;
        entries[victim].there = false;
    }
    victims_left =
        model_oldest(shard, false, keep) < NAMES || model_oldest(shard, true, keep) < NAMES;
    assert_int_equal(kept, fits_alone && model_octets(shard) + octets <= max);
    assert_true(kept || !fits_alone || !victims_left);
}

static void on_evict(void *context, const struct docket_case *c)
{
    (void)context;
    open_evicted_told += c->is_open;
}

/* --- operations on both ----------------------------------------------------------------------- */

static void do_touch(struct docket_shard *shard, struct docket_case *c, size_t i)
{
    /* by turns few are open, and nearly all: then open ones have to go as well */
    entries[i].open = random() % 8 < (stamps / 300 % 2 == 0 ? 2 : 8);
    entries[i].stamp = ++stamps;
    docket_touch(&docket, shard, c, entries[i].open);
}

static void do_add(struct docket_shard *shard, size_t i)
{
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t len = owner_of(i, owner);
    size_t octets = pool_octets(sizeof(struct docket_case) + len);
    struct docket_case *c = docket_add(&docket, shard, hash_of(i), owner, len);

    model_room(i % SHARDS, octets, NAMES, c != NULL);
    if (c == NULL)
        return;
    entries[i] = (struct entry){.there = true, .stamp = ++stamps, .octets = octets};
    if (random() % 2 == 0)
        do_touch(shard, c, i);
}

static void do_target(struct docket_shard *shard, struct docket_case *c, size_t i)
{
    uint8_t target[MXCLASH_NAME_MAX];
    size_t len = random() % 3 == 0 ? 0 : (size_t)random() % MXCLASH_NAME_MAX;
    bool kept;

    memset(target, (int)(random() % 2), sizeof(target));
    if (len != 0 && len == entries[i].target_len && memcmp(c->cname_target, target, len) == 0) {
        assert_true(docket_set_target(&docket, shard, c, target, len));
        return;
    }
    entries[i].octets -= pool_octets(entries[i].target_len);
    entries[i].target_len = 0;
    kept = docket_set_target(&docket, shard, c, len != 0 ? target : NULL, len);
    model_room(i % SHARDS, pool_octets(len), i, kept);
    if (kept) {
        entries[i].octets += pool_octets(len);
        entries[i].target_len = len;
    }
}

static size_t mx_octets(size_t count)
{
    return count == 0 ? 0 : pool_octets(sizeof(struct mx_set) + count * sizeof(struct mxclash_mx));
}

static void do_mx(struct docket_shard *shard, struct docket_case *c, size_t i)
{
    static struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t count = (size_t)random() % 3 == 0 ? 0 : (size_t)random() % (MXCLASH_MX_MAX + 1);
    bool kept;

    mx[0].preference = (uint16_t)(stamps & 1);
    if (count != 0 && count == entries[i].mx_count &&
        memcmp(c->mx_set->mx, mx, count * sizeof(mx[0])) == 0) {
        assert_true(docket_set_mx(&docket, shard, c, mx, count));
        return;
    }
    entries[i].octets -= mx_octets(entries[i].mx_count);
    entries[i].mx_count = 0;
    kept = docket_set_mx(&docket, shard, c, count != 0 ? mx : NULL, count);
    model_room(i % SHARDS, mx_octets(count), i, kept);
    if (kept) {
        entries[i].octets += mx_octets(count);
        entries[i].mx_count = count;
    }
}

static void do_something(size_t i)
{
    struct docket_shard *shard = docket_lock(&docket, hash_of(i));
    struct docket_case *c = find(shard, i);

    assert_int_equal(c != NULL, entries[i].there);
    if (c == NULL) {
        do_add(shard, i);
    } else {
        switch (random() % 12) {
        case 0:
            docket_remove(&docket, shard, c);
            entries[i].there = false;
            break;
        case 1:
            do_target(shard, c, i);
            break;
        case 2:
            do_mx(shard, c, i);
            break;
        default:
            do_touch(shard, c, i);
            break;
        }
    }
    docket_unlock(shard);
}

/* --- what must hold after each ---------------------------------------------------------------- */

static void check_case(const struct docket_case *c, const struct entry *entry)
{
    assert_int_equal(c != NULL, entry->there);
    if (c == NULL)
        return;
    assert_true(docket_may_hold(&docket, c->hash));
    assert_int_equal(c->octets, entry->octets);
    assert_int_equal(c->is_open, entry->open);
    assert_int_equal(c->cname_target != NULL, entry->target_len != 0);
    assert_int_equal(c->cname_target_len, entry->target_len);
    assert_int_equal(c->mx_set != NULL ? c->mx_set->count : 0, entry->mx_count);
}

/** Walk a list from its oldest: the same entries in the same order as in the model. */
static void check_list(struct docket_shard *shard, size_t number, bool open)
{
    struct docket_case *c = docket_oldest(shard, open);
    size_t i = model_oldest(number, open, NAMES);
    struct entry gone[NAMES];

    memcpy(gone, entries, sizeof(gone));
    for (; i < NAMES; i = model_oldest(number, open, NAMES)) {
        assert_ptr_equal(c, find(shard, i));
        entries[i].there = false;
        c = c->newer;
    }
    assert_null(c);
    memcpy(entries, gone, sizeof(gone));
}

static void count_open(void *context, const struct docket_case *c)
{
    assert_true(c->is_open);
    ++*(size_t *)context;
}

static void check_all(void)
{
    uint64_t cases, octets;
    size_t there = 0, open = 0, visited = 0, sum = 0;

    for (size_t shard_number = 0; shard_number < SHARDS; shard_number++) {
        struct docket_shard *shard = docket_lock(&docket, hash_of(shard_number));

        for (size_t i = shard_number; i < NAMES; i += SHARDS) {
            check_case(find(shard, i), &entries[i]);
            there += entries[i].there;
            open += entries[i].there && entries[i].open;
        }
        check_list(shard, shard_number, false);
        check_list(shard, shard_number, true);
        docket_unlock(shard);
        assert_true(model_octets(shard_number) <= docket.shard_octets_max);
        sum += model_octets(shard_number);
    }
    docket_size(&docket, &cases, &octets);
    assert_int_equal(cases, there);
    assert_int_equal(octets, sum);
    docket_visit_open(&docket, count_open, &visited);
    assert_int_equal(visited, open);
    assert_int_equal(atomic_load(&docket.evictions), evictions);
    assert_int_equal(open_evicted, open_evicted_told);
}

static void test_against_a_model(void **state)
{
    (void)state;
    srandom(3);
    assert_true(docket_init(&docket, 280 << 10));
    docket_on_evict(&docket, on_evict, NULL);
    for (int i = 0; i < 3000; i++) {
        do_something((size_t)random() % NAMES);
        check_all();
    }
    /* the test was one: all that is to be seen was seen */
    assert_true(evictions > 500 && open_evicted > 10);
    print_message("%zu given up, %zu for cells in a row\n", (size_t)evictions, (size_t)for_cells);
    assert_true(for_cells > 0 && for_cells < evictions);
    for (size_t i = 0; i < NAMES; i++) {
        struct docket_shard *shard = docket_lock(&docket, hash_of(i));

        if (entries[i].there)
            docket_remove(&docket, shard, find(shard, i));
        entries[i].there = false;
        docket_unlock(shard);
    }
    check_all();
    for (size_t i = 0; i < NAMES; i++)
        assert_false(docket_may_hold(&docket, hash_of(i)));
    docket_deinit(&docket);
}

/** What cannot fit even alone does not drive out the others first. */
static void test_too_large_drives_out_nothing(void **state)
{
    static struct mxclash_mx mx[MXCLASH_MX_MAX];
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t cases, octets;

    (void)state;
    assert_true(docket_init(&docket, 78000));
    assert_in_range(docket.shard_octets_max, 3000, 4200);
    shard = docket_lock(&docket, 0);
    c = docket_add(&docket, shard, 0, (const uint8_t *)"", 1);
    assert_non_null(c);
    assert_non_null(docket_add(&docket, shard, 1, (const uint8_t *)"", 1));
    assert_false(docket_set_mx(&docket, shard, c, mx, MXCLASH_MX_MAX));
    assert_null(c->mx_set);
    docket_unlock(shard);
    docket_size(&docket, &cases, &octets);
    assert_int_equal(cases, 2);
    docket_deinit(&docket);
}

/** Names that all fall into one bucket: it stays short, and it is suspects that it gives up. */
static void test_one_bucket(void **state)
{
    struct docket_shard *shard;
    struct docket_case *open, *c = NULL;
    unsigned chain = 0;

    (void)state;
    open_evicted_told = 0;
    assert_true(docket_init(&docket, 16 << 20));
    docket_on_evict(&docket, on_evict, NULL);
    shard = docket_lock(&docket, 0);
    open = docket_add(&docket, shard, 0, (const uint8_t *)"open", 4);
    docket_touch(&docket, shard, open, true);
    for (uint32_t i = 0; i < 1000; i++) {
        c = docket_add(&docket, shard, (uint64_t)i << 32, (const uint8_t *)&i, sizeof(i));
        assert_non_null(c);
        assert_ptr_equal(docket_find(shard, (uint64_t)i << 32, (const uint8_t *)&i, sizeof(i)), c);
    }
    for (const struct docket_case *at = c; at != NULL; at = at->bucket_next)
        chain++;
    assert_int_equal(chain, DOCKET_CHAIN_MAX);
    assert_ptr_equal(docket_find(shard, 0, (const uint8_t *)"open", 4), open);
    assert_int_equal(open_evicted_told, 0);
    assert_int_equal(atomic_load(&docket.evictions), 1001 - DOCKET_CHAIN_MAX);
    /* only open ones left: then one of these */
    while (c != NULL) {
        docket_touch(&docket, shard, c, true);
        c = c->bucket_next;
    }
    assert_non_null(docket_add(&docket, shard, 0, (const uint8_t *)"more", 4));
    assert_int_equal(open_evicted_told, 1);
    docket_unlock(shard);
    docket_deinit(&docket);
}

/** A class of the filter that is full takes no more cases: none is ever hidden. */
static void test_full_filter(void **state)
{
    const uint64_t class = UINT64_C(5) << 20;
    size_t added = 0;
    struct docket_shard *shard;

    (void)state;
    assert_true(docket_init(&docket, 80 << 20));
    for (uint64_t i = 0; i <= UINT16_MAX; i++) {
        uint64_t hash = class | i << 48 | (i & 0xfffff);

        shard = docket_lock(&docket, hash);
        added += docket_add(&docket, shard, hash, (const uint8_t *)"", 1) != NULL;
        docket_unlock(shard);
        assert_true(docket_may_hold(&docket, class));
    }
    assert_in_range(added, UINT16_MAX - 2 * DOCKET_SHARDS, UINT16_MAX);
    assert_int_equal(atomic_load(&docket.evictions), 0);
    docket_deinit(&docket);
}

static void test_no_room_at_all(void **state)
{
    (void)state;
    for (size_t octets = 0; octets < 12000; octets += 299) {
        struct docket_shard *shard;

        assert_true(docket_init(&docket, octets));
        shard = docket_lock(&docket, 0);
        assert_null(docket_add(&docket, shard, 0, (const uint8_t *)"", 1));
        docket_unlock(shard);
        docket_deinit(&docket);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model), cmocka_unit_test(test_too_large_drives_out_nothing),
        cmocka_unit_test(test_one_bucket),      cmocka_unit_test(test_full_filter),
        cmocka_unit_test(test_no_room_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
