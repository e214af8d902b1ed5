/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the cap on the proofs of one domain. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits/domain_cap.h"
#include "message.h"

#define SOME_MS INT64_C(1767323045678)
#define ZONE    UINT64_C(1000)
#define THREADS 4

static struct domain_cap cap;

static int setup(void **state)
{
    (void)state;
    domain_cap_init(&cap, DOMAIN_CAP_PROOFS, DOMAIN_CAP_WINDOW_MS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    domain_cap_deinit(&cap);
    return 0;
}

/** \return proofs that are given of 100 that are wanted */
static unsigned take_many(uint64_t zone, mxclash_time now)
{
    unsigned given = 0;

    for (int i = 0; i < 100; i++)
        given += domain_cap_take(&cap, zone, now);
    return given;
}

static void test_window(void **state)
{
    (void)state;
    assert_int_equal(take_many(ZONE, SOME_MS), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS - 1), 0);
    assert_int_equal(take_many(ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS + 1), 0);
}

/** Over a long time it is never more than one window's worth a window, and one for the edges. */
static void test_in_the_long_run(void **state)
{
    unsigned given = 0;

    (void)state;
    for (mxclash_time now = 0; now < 100 * DOMAIN_CAP_WINDOW_MS; now += 100)
        given += domain_cap_take(&cap, ZONE, SOME_MS + now);
    assert_in_range(given, 99 * DOMAIN_CAP_PROOFS, 101 * DOMAIN_CAP_PROOFS);
}

static void test_zones_apart(void **state)
{
    (void)state;
    for (uint64_t zone = 1; zone <= DOMAIN_CAP_DOMAINS; zone++)
        assert_int_equal(take_many(zone, SOME_MS), DOMAIN_CAP_PROOFS);
    for (uint64_t zone = 1; zone <= DOMAIN_CAP_DOMAINS; zone++)
        assert_int_equal(take_many(zone, SOME_MS + 1), 0);
    /* a newcomer takes the place of one of its set, the others stay where they are */
    assert_int_equal(take_many(DOMAIN_CAP_DOMAINS + 1, SOME_MS + 1), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(2, SOME_MS + 1), 0);
}

/** Domains that meet in one set and are met in turn do not free each other of the cap. */
static void test_one_set(void **state)
{
    const uint64_t apart = DOMAIN_CAP_DOMAINS / DOMAIN_CAP_WAYS;
    unsigned given = 0;

    (void)state;
    for (int round = 0; round < 100; round++)
        for (uint64_t zone = 1; zone <= DOMAIN_CAP_WAYS; zone++)
            given += domain_cap_take(&cap, zone * apart, SOME_MS);
    assert_int_equal(given, DOMAIN_CAP_WAYS * DOMAIN_CAP_PROOFS);
}

/** In a full set the domain that has taken the least gives way. */
static void test_least_gives_way(void **state)
{
    const uint64_t apart = DOMAIN_CAP_DOMAINS / DOMAIN_CAP_WAYS;

    (void)state;
    for (uint64_t zone = 1; zone <= DOMAIN_CAP_WAYS; zone++)
        for (uint64_t i = 0; i < DOMAIN_CAP_PROOFS - (zone == 2); i++)
            assert_true(domain_cap_take(&cap, zone * apart, SOME_MS));
    assert_true(domain_cap_take(&cap, (DOMAIN_CAP_WAYS + 1) * apart, SOME_MS));
    assert_false(domain_cap_take(&cap, apart, SOME_MS));
    assert_false(domain_cap_take(&cap, 3 * apart, SOME_MS));
    assert_false(domain_cap_take(&cap, 4 * apart, SOME_MS));
    assert_int_equal(take_many(2 * apart, SOME_MS), DOMAIN_CAP_PROOFS);
}

/** A look takes nothing, and what is given back can be taken again. */
static void test_has_and_give_back(void **state)
{
    (void)state;
    for (int i = 0; i < DOMAIN_CAP_PROOFS; i++) {
        assert_true(domain_cap_has(&cap, ZONE, SOME_MS));
        assert_true(domain_cap_take(&cap, ZONE, SOME_MS));
    }
    assert_false(domain_cap_has(&cap, ZONE, SOME_MS));
    assert_true(domain_cap_has(&cap, ZONE + 1, SOME_MS));
    domain_cap_give_back(&cap, ZONE, SOME_MS);
    assert_true(domain_cap_has(&cap, ZONE, SOME_MS));
    assert_int_equal(take_many(ZONE, SOME_MS), 1);
    assert_true(domain_cap_has(&cap, ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS));
    domain_cap_give_back(&cap, ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS);
    assert_int_equal(take_many(ZONE, SOME_MS + DOMAIN_CAP_WINDOW_MS), DOMAIN_CAP_PROOFS);
}

static uint64_t key_of(const char *owner)
{
    struct wire_name name = wire_name_of(owner);

    return domain_cap_key(NULL, name.octets, name.len, 42);
}

/** All names below a domain are one to the cap; the domain's own name is not capped. */
static void test_own_name_is_free(void **state)
{
    (void)state;
    assert_int_equal(key_of("shop.test"), DOMAIN_CAP_FREE);
    assert_int_equal(key_of("shop.co.uk"), DOMAIN_CAP_FREE);
    assert_int_not_equal(key_of("www.shop.test"), DOMAIN_CAP_FREE);
    assert_int_equal(key_of("www.shop.test"), key_of("a.b.c.shop.test"));
    assert_int_not_equal(key_of("www.shop.test"), key_of("www.other.test"));
    /* strangers below one registry's suffix, or a private one's */
    assert_int_not_equal(key_of("www.shop.gd.cn"), key_of("www.other.gd.cn"));
    assert_int_not_equal(key_of("www.one.github.io"), key_of("www.two.github.io"));
    assert_int_equal(take_many(DOMAIN_CAP_FREE, SOME_MS), 100);
    assert_true(domain_cap_has(&cap, DOMAIN_CAP_FREE, SOME_MS));
    domain_cap_give_back(&cap, DOMAIN_CAP_FREE, SOME_MS);
    domain_cap_charge(&cap, DOMAIN_CAP_FREE, 1000, 2, SOME_MS);
    assert_int_equal(take_many(DOMAIN_CAP_FREE, SOME_MS), 100);
}

/** A window that began in the future is from before the clock was set back; a little in the future,
 * it is another thread's. */
static void test_clock(void **state)
{
    (void)state;
    assert_int_equal(take_many(ZONE, SOME_MS), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(ZONE, SOME_MS - 1000), 0);
    assert_int_equal(take_many(ZONE, SOME_MS - DOMAIN_CAP_WINDOW_MS), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(ZONE, 0), DOMAIN_CAP_PROOFS);
    assert_int_equal(take_many(ZONE, -SOME_MS), DOMAIN_CAP_PROOFS);
}

static _Atomic unsigned taken;

static void *take_in_thread(void *unused)
{
    (void)unused;
    atomic_fetch_add(&taken, take_many(ZONE, SOME_MS));
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    atomic_store(&taken, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_in_thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&taken), DOMAIN_CAP_PROOFS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_window),  TEST(test_in_the_long_run),   TEST(test_zones_apart),
        TEST(test_one_set), TEST(test_least_gives_way),   TEST(test_clock),
        TEST(test_threads), TEST(test_has_and_give_back), TEST(test_own_name_is_free),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
