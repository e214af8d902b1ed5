/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the queue of proofs and its token bucket, on clocks of every sort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine/errand_queue.h"
#include "mxclash.h"

#define SOME_MS   INT64_C(1767323045678)
#define TAKEN_MAX 4000
#define LATER_MS  2000

static struct errand_queue proofs;

/** When proofs were taken, by the true clock. */
static mxclash_time taken_at[TAKEN_MAX];
static size_t taken_count;

static void begin(size_t capacity, unsigned rate)
{
    errand_queue_deinit(&proofs);
    assert_true(errand_queue_init(&proofs, capacity, rate, PROOF_QUERIES, LATER_MS));
    taken_count = 0;
}

static int teardown(void **state)
{
    (void)state;
    errand_queue_deinit(&proofs);
    return 0;
}

static bool push(uint64_t hash, mxclash_time now)
{
    uint8_t owner[] = {1, (uint8_t)('a' + hash % 26), 0};

    return errand_queue_push(&proofs, hash, owner, sizeof(owner), now);
}

/** Take one, with always one waiting that is not stale. \param at  the true time */
static bool take(mxclash_time clock, mxclash_time at)
{
    struct ring_entry waiting;
    enum errand_taken taken;

    do {
        if (proofs.count == 0)
            push(0, clock);
        taken = errand_queue_pop(&proofs, clock, &waiting);
    } while (taken == errand_stale);
    if (taken == errand_one && taken_count < TAKEN_MAX)
        taken_at[taken_count++] = at;
    return taken == errand_one;
}

static unsigned take_all(mxclash_time clock)
{
    unsigned count = 0;

    while (take(clock, clock))
        count++;
    return count;
}

/** In any span of time: at most what may come at once and what the rate brings. */
static void assert_rate_kept(unsigned rate)
{
    int64_t at_once = rate > PROOF_QUERIES ? rate : PROOF_QUERIES;

    for (size_t i = 0; i < taken_count; i++)
        for (size_t j = i; j < taken_count; j++)
            assert_true((int64_t)(j - i + 1) * PROOF_QUERIES * 1000 <=
                        at_once * 1000 + (taken_at[j] - taken_at[i]) * rate);
}

static void test_order(void **state)
{
    struct ring_entry waiting;

    (void)state;
    begin(5, 100000);
    for (uint64_t round = 0; round < 4; round++) {
        for (uint64_t i = 0; i < 5; i++)
            assert_true(push(round * 5 + i, SOME_MS));
        assert_false(push(99, SOME_MS));
        for (uint64_t i = 0; i < 5; i++) {
            assert_int_equal(errand_queue_pop(&proofs, SOME_MS, &waiting), errand_one);
            assert_int_equal(waiting.hash, round * 5 + i);
            assert_int_equal(waiting.owner_len, 3);
            assert_int_equal(waiting.owner[1], 'a' + (round * 5 + i) % 26);
        }
        assert_int_equal(errand_queue_pop(&proofs, SOME_MS, &waiting), errand_none);
    }
}

static void test_burst_then_rate(void **state)
{
    (void)state;
    begin(10, 10);
    assert_int_equal(take_all(SOME_MS), 5);
    assert_int_equal(take_all(SOME_MS + 199), 0);
    assert_int_equal(take_all(SOME_MS + 200), 1);
    assert_int_equal(take_all(SOME_MS + 399), 0);
    assert_int_equal(take_all(SOME_MS + 599), 1);
    assert_int_equal(take_all(SOME_MS + 600), 1);
    /* what is not used does not pile up */
    assert_int_equal(take_all(SOME_MS + 3600000), 5);
}

static void test_slowest_rate(void **state)
{
    (void)state;
    begin(10, 1);
    assert_int_equal(take_all(SOME_MS), 1);
    assert_int_equal(take_all(SOME_MS + 1999), 0);
    assert_int_equal(take_all(SOME_MS + 2000), 1);
}

static void test_rate_in_every_window(void **state)
{
    static const unsigned rates[] = {1, 2, 3, 7, 10, 1000};

    (void)state;
    srandom(1);
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        mxclash_time now = SOME_MS;

        begin(10, rates[i]);
        while (now < SOME_MS + 2000000 / rates[i]) {
            take(now, now);
            now += random() % (1000 / rates[i] + 2);
        }
        assert_rate_kept(rates[i]);
        /* and it is not much less: nothing is lost by asking often */
        assert_true(taken_count * PROOF_QUERIES * 10 > 2000 * 8);
    }
}

/** Threads' clocks differ a little. Each in turn must not get the difference as a gift. */
static void test_clocks_of_many_threads(void **state)
{
    (void)state;
    srandom(2);
    begin(10, 10);
    for (mxclash_time now = SOME_MS; now < SOME_MS + 100000; now += random() % 20) {
        take(now, now);
        take(now - random() % BUCKET_SKEW_MAX_MS, now);
    }
    assert_rate_kept(10);
    assert_true(taken_count > 400);
}

static void test_clock_set_back(void **state)
{
    static const mxclash_time steps[] = {1,     500,   5000,    10000,    10001,
                                         30000, 59000, 3600000, 86400000, SOME_MS};

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        mxclash_time back = SOME_MS - steps[i];
        mxclash_time first;

        begin(10, 10);
        take_all(SOME_MS);
        assert_int_equal(take_all(back), 0);
        /* never shut for longer than clocks may differ, and never two bursts */
        for (first = 0; !take(back + first, back + first); first++)
            assert_true(first <= BUCKET_SKEW_MAX_MS + 2000);
        assert_int_equal(take_all(back + first), 0);
    }
}

static void test_clock_set_forward(void **state)
{
    (void)state;
    begin(10, 10);
    take_all(SOME_MS);
    assert_int_equal(take_all(SOME_MS + INT64_C(31536000000)), 5);
    assert_int_equal(take_all(SOME_MS + INT64_C(31536000000)), 0);
    begin(10, 100000);
    take_all(0);
    assert_int_equal(take_all(INT64_C(1) << 60), 50000);
}

static void test_stale(void **state)
{
    struct ring_entry waiting;

    (void)state;
    begin(10, 2);
    assert_true(push(1, SOME_MS));
    assert_true(push(2, SOME_MS));
    assert_true(push(3, SOME_MS + 1));
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS, &waiting), errand_one);
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS, &waiting), errand_none);
    /* a stale one goes, though there is no token, and takes none */
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS + 1, &waiting),
                     errand_none);
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS + 1000, &waiting),
                     errand_stale);
    assert_int_equal(waiting.hash, 2);
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS + 1000, &waiting),
                     errand_stale);
    assert_int_equal(waiting.hash, 3);
    assert_true(push(4, SOME_MS + PROOF_WAIT_MAX_MS + 1000));
    assert_int_equal(errand_queue_pop(&proofs, SOME_MS + PROOF_WAIT_MAX_MS + 1000, &waiting),
                     errand_one);
}

static void test_give_back(void **state)
{
    (void)state;
    begin(10, 10);
    assert_int_equal(take_all(SOME_MS), 5);
    errand_queue_give_back(&proofs);
    assert_int_equal(take_all(SOME_MS), 1);
    /* never more than the bucket holds */
    for (int i = 0; i < 100; i++)
        errand_queue_give_back(&proofs);
    assert_int_equal(take_all(SOME_MS), 5);
}

/** A proof that asked more puts the next off; over time the rate holds for all its queries. */
static void test_pay(void **state)
{
    int64_t queries = 0;

    (void)state;
    begin(10, 10);
    for (mxclash_time now = SOME_MS; now < SOME_MS + 100 * 1000; now += 10) {
        if (!take(now, now))
            continue;
        queries += PROOF_QUERIES + 2;
        errand_queue_pay(&proofs, 2);
        assert_true(queries * 1000 <= 10 * 1000 + 2 * 1000 + (now - SOME_MS) * 10);
    }
    assert_true(queries > 950);
}

/** Many packets for each proof, told of when some more proofs are under way: the rate holds. */
static void test_debt(void **state)
{
    static const unsigned rates[] = {1, 10, 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        mxclash_time late[TAKEN_MAX] = {0};
        size_t taken = 0, paid = 0;
        int64_t packets = 0;

        begin(10, rates[i]);
        for (mxclash_time now = SOME_MS; now < SOME_MS + 2000000 / rates[i]; now++) {
            for (; paid < taken && late[paid] <= now; paid++) {
                errand_queue_pay(&proofs, 6);
                packets += 6;
            }
            if (!take(now, now))
                continue;
            packets += PROOF_QUERIES;
            late[taken++] = now + 750;
        }
        /* what the rate brings, and what came before the first was told of */
        assert_in_range(packets, 1900, 2000 + 8 * (rates[i] + rates[i]) / PROOF_QUERIES + 8);
    }
}

/** However much is owed, it is paid in a minute. */
static void test_debt_is_bounded(void **state)
{
    static const unsigned rates[] = {1, 10, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        mxclash_time now = SOME_MS;

        begin(10, rates[i]);
        assert_true(take(now, now));
        for (int owed = 0; owed < 1000; owed++)
            errand_queue_pay(&proofs, 4000000000u);
        for (; now < SOME_MS + BUCKET_DEBT_MAX_MS; now += 100)
            assert_false(take(now, now));
        /* the proof has its own price */
        while (!take(now, now))
            now += 100;
        assert_in_range(now - SOME_MS, BUCKET_DEBT_MAX_MS, BUCKET_DEBT_MAX_MS + 2000);
        /* who looks but once has it paid as well, and a full bucket then */
        errand_queue_pay(&proofs, 4000000000u);
        now += 2 * BUCKET_DEBT_MAX_MS;
        assert_int_equal(take_all(now) * PROOF_QUERIES, rates[i] > 2 ? rates[i] : 2);
    }
}

static void test_time_before_the_epoch(void **state)
{
    (void)state;
    begin(10, 10);
    assert_int_equal(take_all(-SOME_MS), 5);
    assert_int_equal(take_all(-SOME_MS + 1000), 5);
}

static bool push_later(uint64_t hash, mxclash_time now)
{
    uint8_t owner[] = {1, (uint8_t)('a' + hash % 26), 0};

    return errand_queue_push_later(&proofs, hash, owner, sizeof(owner), now);
}

static enum errand_taken pop(mxclash_time now, uint64_t *hash)
{
    struct ring_entry entry = {0};
    enum errand_taken taken = errand_queue_pop(&proofs, now, &entry);

    *hash = entry.hash;
    return taken;
}

/** What has its time comes then, in its turn; what comes meanwhile does not wait for it. */
static void test_later(void **state)
{
    const mxclash_time start = 1000000;
    uint64_t hash;

    (void)state;
    begin(4, 1000);
    assert_true(push_later(1, start));
    assert_true(push_later(2, start + 500));
    assert_int_equal(proofs.count, 2);
    assert_int_equal(pop(start, &hash), errand_none);
    assert_int_equal(pop(start + LATER_MS - 1, &hash), errand_none);
    assert_true(push(3, start + LATER_MS - 1));
    assert_int_equal(pop(start + LATER_MS - 1, &hash), errand_one);
    assert_int_equal(hash, 3);
    assert_int_equal(pop(start + LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 1);
    assert_int_equal(pop(start + LATER_MS, &hash), errand_none);
    assert_int_equal(proofs.count, 1);
    /* late, behind what has come before */
    assert_true(push(4, start + 5 * LATER_MS));
    assert_int_equal(pop(start + 5 * LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 4);
    assert_int_equal(pop(start + 5 * LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 2);
    assert_int_equal(proofs.count, 0);
}

/** A full queue keeps it waiting, a full room for the waiting takes no more, and neither takes the
 * other's. */
static void test_later_in_a_full_queue(void **state)
{
    const mxclash_time start = 1000000;
    uint64_t hash;

    (void)state;
    begin(2, 1);
    assert_true(push_later(1, start));
    assert_true(push_later(2, start));
    assert_false(push_later(3, start));
    assert_true(push(4, start));
    assert_true(push(5, start));
    assert_false(push(6, start));
    assert_int_equal(pop(start, &hash), errand_one);
    assert_int_equal(hash, 4);
    assert_int_equal(pop(start + LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 5);
    assert_int_equal(pop(start + 2 * LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 1);
    assert_int_equal(pop(start + 3 * LATER_MS, &hash), errand_one);
    assert_int_equal(hash, 2);
}

/** A clock that was set back does not keep it for longer than it would have waited. */
static void test_later_when_the_clock_is_set_back(void **state)
{
    const mxclash_time start = 100000000;
    uint64_t hash;

    (void)state;
    begin(4, 1000);
    assert_true(push_later(1, start));
    /* threads' clocks differ a little */
    assert_int_equal(pop(start - 5000, &hash), errand_none);
    assert_int_equal(pop(start - 86400000, &hash), errand_one);
    assert_int_equal(hash, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_burst_then_rate),
        cmocka_unit_test(test_slowest_rate),
        cmocka_unit_test(test_rate_in_every_window),
        cmocka_unit_test(test_clocks_of_many_threads),
        cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_clock_set_forward),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_give_back),
        cmocka_unit_test(test_pay),
        cmocka_unit_test(test_debt),
        cmocka_unit_test(test_debt_is_bounded),
        cmocka_unit_test(test_time_before_the_epoch),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_later_in_a_full_queue),
        cmocka_unit_test(test_later_when_the_clock_is_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
