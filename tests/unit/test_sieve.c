/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the sieve: validity over time, its wrap, aging, clocks that are set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/recall/sieve.h"
#include "mxclash.h"

/** An expiry is kept in units of 8 s, rounded either way, and the unit 0 is written as 1. */
#define SLACK_MS INT64_C(16000)
/** After so long the units begin anew: 2^20 times 8 s. */
#define WRAP_MS INT64_C(8388608000)
#define DAY_MS  INT64_C(86400000)
#define SOME_MS INT64_C(1767323045678)

static struct sieve sieve;

static int setup(void **state)
{
    (void)state;
    assert_true(sieve_init(&sieve, 65536));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sieve_deinit(&sieve);
    return 0;
}

static struct sieve_found note_cname(uint64_t hash, uint32_t ttl_s, mxclash_time now)
{
    return sieve_note(&sieve, hash, true, ttl_s, false, 0, now);
}

static struct sieve_found note_mx(uint64_t hash, uint32_t ttl_s, mxclash_time now)
{
    return sieve_note(&sieve, hash, false, 0, true, ttl_s, now);
}

/** Is an MX, noted at one moment, held for valid when the CNAME is met at another? */
static bool mx_lasts(mxclash_time noted, uint32_t ttl_s, mxclash_time met)
{
    static uint64_t hash;
    bool valid;

    hash += UINT64_C(0x9e3779b97f4a7c15);
    assert_false(note_mx(hash, ttl_s, noted).cname);
    valid = note_cname(hash, 0, met).mx;
    return valid;
}

static void test_finds_what_it_brought(void **state)
{
    struct sieve_found found;

    (void)state;
    found = note_cname(7, 0, SOME_MS);
    assert_true(found.cname && !found.mx);
    found = note_mx(7, 300, SOME_MS);
    assert_true(found.cname && found.mx);
    found = note_mx(8, 0, SOME_MS);
    assert_true(!found.cname && found.mx);
    found = sieve_note(&sieve, 9, true, 1, true, 1, SOME_MS);
    assert_true(found.cname && found.mx);
}

static void test_both_orders(void **state)
{
    (void)state;
    note_mx(1, 300, SOME_MS);
    assert_true(note_cname(1, 300, SOME_MS + 1000).mx);
    note_cname(2, 300, SOME_MS);
    assert_true(note_mx(2, 300, SOME_MS + 1000).cname);
}

static void test_valid_for_its_ttl(void **state)
{
    static const uint32_t ttls[] = {0, 1, 7, 8, 9, 60, 300, 3600, 86399, 86400};

    (void)state;
    for (size_t i = 0; i < sizeof(ttls) / sizeof(ttls[0]); i++) {
        mxclash_time ttl_ms = (mxclash_time)ttls[i] * 1000;

        for (mxclash_time at = SOME_MS; at < SOME_MS + 8000; at += 997) {
            assert_true(mx_lasts(at, ttls[i], at));
            assert_true(mx_lasts(at, ttls[i], at + ttl_ms));
            assert_false(mx_lasts(at, ttls[i], at + ttl_ms + SLACK_MS));
        }
    }
}

static void test_newer_word_counts(void **state)
{
    (void)state;
    note_mx(1, 86400, SOME_MS);
    note_mx(1, 10, SOME_MS + 1000);
    assert_false(note_cname(1, 0, SOME_MS + 11000 + SLACK_MS).mx);
    note_mx(1, 3600, SOME_MS + 60000);
    assert_true(note_cname(1, 0, SOME_MS + 3600000).mx);
}

static void test_ttl_is_capped(void **state)
{
    static const uint32_t ttls[] = {86401, 604800, INT32_MAX, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof(ttls) / sizeof(ttls[0]); i++) {
        assert_true(mx_lasts(SOME_MS, ttls[i], SOME_MS + DAY_MS));
        assert_false(mx_lasts(SOME_MS, ttls[i], SOME_MS + DAY_MS + SLACK_MS));
    }
}

/** Around the wrap of the units an entry lives as long as elsewhere. */
static void test_wrap(void **state)
{
    const mxclash_time wrap = 200 * WRAP_MS;

    (void)state;
    for (mxclash_time noted = wrap - 40000; noted <= wrap + 40000; noted += 1000) {
        assert_true(mx_lasts(noted, 0, noted));
        assert_true(mx_lasts(noted, 20, noted + 20000));
        assert_false(mx_lasts(noted, 20, noted + 20000 + SLACK_MS));
        assert_true(mx_lasts(noted, 86400, noted + DAY_MS));
        assert_false(mx_lasts(noted, 86400, noted + DAY_MS + SLACK_MS));
    }
    assert_true(mx_lasts(wrap - DAY_MS, 86400, wrap));
}

/** What has run out stays so for the rest of the range. */
static void test_stays_run_out(void **state)
{
    (void)state;
    for (mxclash_time later = SLACK_MS; later < WRAP_MS - DAY_MS - SLACK_MS; later += 1234567)
        assert_false(mx_lasts(SOME_MS, 0, SOME_MS + later));
}

static void test_clock_set_back(void **state)
{
    (void)state;
    /* a little: held longer by that */
    assert_true(mx_lasts(SOME_MS, 300, SOME_MS - 3600000));
    /* more than the longest life: it cannot be, so it is past */
    assert_false(mx_lasts(SOME_MS, 300, SOME_MS - 2 * DAY_MS));
    /* and it goes on as before when the clock is right again */
    note_mx(1, 300, SOME_MS);
    assert_false(note_cname(1, 0, SOME_MS - 2 * DAY_MS).mx);
    assert_true(note_cname(1, 0, SOME_MS + 1000).mx);
    /* far forward: past */
    assert_false(mx_lasts(SOME_MS, 300, SOME_MS + 30 * DAY_MS));
}

static void test_before_the_epoch(void **state)
{
    (void)state;
    assert_true(mx_lasts(0, 60, 59000));
    assert_true(mx_lasts(-SOME_MS, 60, -SOME_MS + 60000));
    assert_false(mx_lasts(-SOME_MS, 60, -SOME_MS + 60000 + SLACK_MS));
}

/** Hash of an owner of the one bucket: fingerprint and the slot that it drives out. */
static uint64_t one_bucket(uint64_t fingerprint, uint64_t victim)
{
    return fingerprint << 40 | victim << 32;
}

static void one_bucket_sieve(void)
{
    sieve_deinit(&sieve);
    assert_true(sieve_init(&sieve, 0));
    assert_int_equal(sieve.slots.mask, 0);
    assert_int_equal(sieve.slots.octets, 64);
}

static void test_full_bucket_ages(void **state)
{
    unsigned left = 0;

    (void)state;
    one_bucket_sieve();
    for (uint64_t i = 1; i <= 8; i++)
        note_mx(one_bucket(i, 0), 3600, SOME_MS);
    for (uint64_t i = 1; i <= 8; i++)
        assert_true(note_cname(one_bucket(i, 0), 3600, SOME_MS).mx);
    note_mx(one_bucket(9, 3), 3600, SOME_MS);
    assert_true(note_cname(one_bucket(9, 3), 3600, SOME_MS).mx);
    /* one gave way; asking for it drives out another, so count by a look at the last first */
    for (uint64_t i = 1; i <= 8; i++)
        left += note_cname(one_bucket(i, 3), 3600, SOME_MS).mx;
    assert_in_range(left, 6, 7);
}

/** A stream of short-lived CNAMEs does not drive out an MX that lives long. */
static void test_what_ran_out_gives_way_first(void **state)
{
    mxclash_time now = SOME_MS;

    (void)state;
    one_bucket_sieve();
    for (uint64_t victim = 0; victim < 8; victim++) {
        note_mx(one_bucket(1000 + victim, victim), 86400, now);
        for (uint64_t i = 1; i <= 100; i++, now += 60000)
            note_cname(one_bucket(victim * 100 + i, victim), 30, now);
        assert_true(note_cname(one_bucket(1000 + victim, victim), 0, now).mx);
        now += 2 * DAY_MS;
    }
}

static void test_fingerprint_of_zeros(void **state)
{
    (void)state;
    one_bucket_sieve();
    assert_false(note_cname(0, 60, SOME_MS).mx);
    note_mx(one_bucket(5, 0), 60, SOME_MS);
    assert_true(note_mx(0, 60, SOME_MS).cname);
    assert_false(note_mx(one_bucket(6, 0), 60, SOME_MS).cname);
}

static void test_octets(void **state)
{
    (void)state;
    for (size_t max = 64; max < 1000000; max = max * 3 / 2) {
        struct sieve one;

        assert_true(sieve_init(&one, max));
        assert_true(one.slots.octets <= max && one.slots.octets * 2 > max);
        assert_int_equal(one.slots.octets, (one.slots.mask + 1) * 64);
        sieve_note(&one, UINT64_MAX, true, 1, true, 1, SOME_MS);
        sieve_deinit(&one);
    }
}

#define WITH_SIEVE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/** The short way for a CNAME alone does what the long one does. */
static void test_cname_alone(void **state)
{
    struct sieve other;
    mxclash_time now = SOME_MS;

    (void)state;
    assert_true(sieve_init(&other, 65536));
    srandom(4);
    for (unsigned i = 0; i < 200000; i++) {
        /* few enough names that many meet, more than there is room for */
        uint64_t hash = (uint64_t)(random() % 12000 + 1) * UINT64_C(0x9e3779b97f4a7c15);
        uint32_t ttl_s = (uint32_t)(random() % 700);

        now += random() % 200 - 20;
        if (random() % 3 == 0) {
            assert_int_equal(sieve_note(&sieve, hash, false, 0, true, ttl_s, now).cname,
                             sieve_note(&other, hash, false, 0, true, ttl_s, now).cname);
            continue;
        }
        assert_int_equal(sieve_note(&sieve, hash, true, ttl_s, false, 0, now).mx,
                         sieve_note_cname(&other, hash, ttl_s, now));
    }
    assert_memory_equal((void *)sieve.slots.words, (void *)other.slots.words, other.slots.octets);
    sieve_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SIEVE(test_cname_alone),
        WITH_SIEVE(test_finds_what_it_brought),
        WITH_SIEVE(test_both_orders),
        WITH_SIEVE(test_valid_for_its_ttl),
        WITH_SIEVE(test_newer_word_counts),
        WITH_SIEVE(test_ttl_is_capped),
        WITH_SIEVE(test_wrap),
        WITH_SIEVE(test_stays_run_out),
        WITH_SIEVE(test_clock_set_back),
        WITH_SIEVE(test_before_the_epoch),
        WITH_SIEVE(test_full_bucket_ages),
        WITH_SIEVE(test_what_ran_out_gives_way_first),
        WITH_SIEVE(test_fingerprint_of_zeros),
        WITH_SIEVE(test_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
