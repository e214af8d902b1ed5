/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the bounded queue of owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/ring.h"

static struct ring_entry entry_of(uint64_t number)
{
    struct ring_entry entry = {
        .hash = number, .since = (mxclash_time)number * 3, .owner_len = MXCLASH_NAME_MAX};

    memset(entry.owner, (int)(number % 251), sizeof(entry.owner));
    return entry;
}

static void expect_first(struct ring *ring, uint64_t number)
{
    struct ring_entry entry = entry_of(number);
    const struct ring_entry *first = ring_first(ring);

    assert_non_null(first);
    assert_int_equal(first->hash, entry.hash);
    assert_int_equal(first->since, entry.since);
    assert_int_equal(first->owner_len, entry.owner_len);
    assert_memory_equal(first->owner, entry.owner, sizeof(entry.owner));
}

/** Pushes and pops at random, beside two counters that say what must be in it. */
static void run(size_t capacity)
{
    struct ring ring;
    uint64_t pushed = 0, popped = 0;

    assert_true(ring_init(&ring, capacity));
    assert_null(ring_first(&ring));
    for (int i = 0; i < 5000; i++) {
        struct ring_entry entry = entry_of(pushed);

        /* now rather pushes, now rather pops, so that it is often full and often empty */
        if ((unsigned)random() % 8 < (i / 100 % 2 == 0 ? 6u : 2u)) {
            bool fits = pushed - popped < capacity;

            assert_int_equal(ring_push(&ring, &entry), fits);
            pushed += fits;
        } else if (pushed != popped) {
            ring_pop(&ring);
            popped++;
        }
        assert_int_equal(ring.count, pushed - popped);
        if (pushed != popped)
            expect_first(&ring, popped);
        else
            assert_null(ring_first(&ring));
    }
    assert_true(popped > capacity * 2);
    ring_deinit(&ring);
    assert_null(ring.entries);
}

static void test_ring(void **state)
{
    static const size_t capacities[] = {1, 2, 3, 15, 64};

    (void)state;
    srandom(3);
    for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++)
        run(capacities[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ring)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
