/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the walk over the open cases: in slices, and right while the table changes. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/docket.h"
#include "message.h"

#define TABLE_OCTETS (64u << 20)
/** Cases that stay open, and those that come and go beside them. */
#define STAYING 20000
#define PASSING 2000
#define CHURNS  3

static struct docket docket;
static unsigned visits[STAYING];
static _Atomic bool over;

/** Names are numbers; the hash is what a hash would be. */
static uint64_t hash_of(uint32_t number)
{
    uint64_t hash = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return hash ^ hash >> 29;
}

static size_t owner_of(uint32_t number, uint8_t owner[MXCLASH_NAME_MAX])
{
    owner[0] = sizeof(number);
    memcpy(owner + 1, &number, sizeof(number));
    owner[1 + sizeof(number)] = 0;
    return 2 + sizeof(number);
}

static uint32_t number_of(const struct docket_case *c)
{
    uint32_t number;

    memcpy(&number, c->owner + 1, sizeof(number));
    return number;
}

static void put(uint32_t number, bool open)
{
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t len = owner_of(number, owner);
    uint64_t hash = hash_of(number);
    struct docket_shard *shard = docket_lock(&docket, hash);
    struct docket_case *c = docket_find(shard, hash, owner, len);

    if (c == NULL)
        c = docket_add(&docket, shard, hash, owner, len);
    if (c == NULL)
        abort();
    docket_touch(&docket, shard, c, open);
    docket_unlock(shard);
}

static void take_out(uint32_t number)
{
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t len = owner_of(number, owner);
    uint64_t hash = hash_of(number);
    struct docket_shard *shard = docket_lock(&docket, hash);
    struct docket_case *c = docket_find(shard, hash, owner, len);

    if (c != NULL)
        docket_remove(&docket, shard, c);
    docket_unlock(shard);
}

static int setup(void **state)
{
    (void)state;
    assert_true(docket_init(&docket, TABLE_OCTETS));
    memset(visits, 0, sizeof(visits));
    for (uint32_t i = 0; i < STAYING; i++)
        put(i, true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    docket_deinit(&docket);
    return 0;
}

struct walk {
    unsigned shard;
    size_t run, longest;
    size_t cases;
};

static void note_run(void *context, const struct docket_case *c)
{
    struct walk *walk = context;
    unsigned shard = (unsigned)(c->hash >> 60);

    walk->run = shard == walk->shard ? walk->run + 1 : 1;
    walk->shard = shard;
    walk->cases++;
    if (walk->run > walk->longest)
        walk->longest = walk->run;
}

/** A shard has 1,250 cases: they are not visited in one go. */
static void test_slices(void **state)
{
    struct walk walk = {.shard = DOCKET_SHARDS};

    (void)state;
    for (uint32_t i = 0; i < STAYING; i++)
        put(STAYING + i, false);
    docket_visit_open(&docket, note_run, &walk);
    assert_int_equal(walk.cases, STAYING);
    assert_in_range(walk.longest, 2, 200);
}

static void test_none_open(void **state)
{
    struct walk walk = {.shard = DOCKET_SHARDS};

    (void)state;
    for (uint32_t i = 0; i < STAYING; i++)
        put(i, false);
    docket_visit_open(&docket, note_run, &walk);
    assert_int_equal(walk.cases, 0);
}

static void count_visit(void *context, const struct docket_case *c)
{
    uint32_t number = number_of(c);

    (void)context;
    if (number < STAYING)
        visits[number]++;
}

/** Meets the cases that stay, and lets others come, open, end and go. */
static void *churn(void *context)
{
    uint32_t first = STAYING + PASSING * *(const uint32_t *)context;

    for (uint32_t i = 0; !atomic_load(&over); i = (i + 1) % PASSING) {
        put(first + i, i % 3 != 0);
        put(i * 7 % STAYING, true);
        put(first + i * 5 % PASSING, i % 2 != 0);
        take_out(first + i * 3 % PASSING);
    }
    return NULL;
}

static void test_while_the_table_changes(void **state)
{
    static uint32_t numbers[CHURNS];
    pthread_t threads[CHURNS];

    (void)state;
    atomic_store(&over, false);
    for (uint32_t i = 0; i < CHURNS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &numbers[i]), 0);
    }
    for (unsigned round = 1; round <= 20; round++) {
        docket_visit_open(&docket, count_visit, NULL);
        for (uint32_t i = 0; i < STAYING; i++)
            assert_int_equal(visits[i], round);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < CHURNS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_none_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_while_the_table_changes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
