/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what is remembered of an owner's mailbox provider and SPF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/recall/hosted.h"

#define SOME_MS INT64_C(1767323045678)
#define MINUTE  INT64_C(60000)
#define HOUR    (60 * MINUTE)
#define DAY     (24 * HOUR)
#define SHOP    UINT64_C(0x123456789abcdef0)
#define OTHER   UINT64_C(0x876543210fedcba0)
/** A little more than the unit in which expiries are kept. */
#define UNIT (5 * MINUTE)

static struct slots hosted;

static int setup(void **state)
{
    (void)state;
    slots_deinit(&hosted);
    assert_true(hosted_init(&hosted, 4096));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    slots_deinit(&hosted);
    return 0;
}

static void test_mx_then_spf(void **state)
{
    struct hosted_found found = hosted_note_mx(&hosted, SHOP, 7, 3600, SOME_MS);

    (void)state;
    assert_int_equal(found.provider, 7);
    assert_false(found.spf);
    found = hosted_note_spf(&hosted, SHOP, 0x8001, 3600, SOME_MS + MINUTE);
    assert_int_equal(found.provider, 7);
    assert_true(found.spf);
    assert_int_equal(found.spf_bits, 0x8001);
}

static void test_spf_then_mx(void **state)
{
    struct hosted_found found = hosted_note_spf(&hosted, SHOP, UINT16_MAX, 3600, SOME_MS);

    (void)state;
    assert_int_equal(found.provider, HOSTED_NONE);
    assert_true(found.spf);
    found = hosted_note_mx(&hosted, SHOP, 0, 3600, SOME_MS + MINUTE);
    assert_int_equal(found.provider, 0);
    assert_true(found.spf);
    assert_int_equal(found.spf_bits, UINT16_MAX);
    /* an SPF record without any include that is known is one too */
    hosted_note_spf(&hosted, SHOP, 0, 3600, SOME_MS + 2 * MINUTE);
    found = hosted_note_mx(&hosted, SHOP, HOSTED_PROVIDERS_MAX - 1, 3600, SOME_MS + 3 * MINUTE);
    assert_int_equal(found.provider, HOSTED_PROVIDERS_MAX - 1);
    assert_true(found.spf);
    assert_int_equal(found.spf_bits, 0);
}

static void test_owners_apart(void **state)
{
    struct hosted_found found;

    (void)state;
    hosted_note_mx(&hosted, SHOP, 7, 3600, SOME_MS);
    found = hosted_note_spf(&hosted, OTHER, 1, 3600, SOME_MS);
    assert_int_equal(found.provider, HOSTED_NONE);
    found = hosted_note_mx(&hosted, SHOP, 7, 3600, SOME_MS);
    assert_false(found.spf);
}

/** An MX of nobody's takes the place of one that named a provider. */
static void test_provider_left(void **state)
{
    struct hosted_found found;

    (void)state;
    hosted_note_mx(&hosted, SHOP, 7, 3600, SOME_MS);
    found = hosted_note_mx(&hosted, SHOP, HOSTED_NONE, 3600, SOME_MS + MINUTE);
    assert_int_equal(found.provider, HOSTED_NONE);
    found = hosted_note_spf(&hosted, SHOP, 1, 3600, SOME_MS + 2 * MINUTE);
    assert_int_equal(found.provider, HOSTED_NONE);
}

static void test_expiry(void **state)
{
    static const uint32_t ttls_s[] = {0, 60, 3600, 86400, 604800, INT32_MAX, UINT32_MAX};

    for (size_t i = 0; i < sizeof(ttls_s) / sizeof(ttls_s[0]); i++) {
        /* a day at most, whatever the record says */
        mxclash_time life = ttls_s[i] < 86400 ? ttls_s[i] * INT64_C(1000) : DAY;

        for (mxclash_time start = SOME_MS; start < SOME_MS + 4 * DAY; start += 5 * HOUR + 17) {
            setup(state);
            hosted_note_mx(&hosted, SHOP, 7, ttls_s[i], start);
            assert_int_equal(hosted_note_spf(&hosted, SHOP, 1, ttls_s[i], start + life).provider,
                             7);
            assert_int_equal(
                hosted_note_spf(&hosted, SHOP, 1, ttls_s[i], start + life + UNIT).provider,
                HOSTED_NONE);
            setup(state);
            hosted_note_spf(&hosted, SHOP, 1, ttls_s[i], start);
            assert_true(hosted_note_mx(&hosted, SHOP, 7, ttls_s[i], start + life).spf);
            assert_false(hosted_note_mx(&hosted, SHOP, 7, ttls_s[i], start + life + UNIT).spf);
        }
    }
}

/** The range of an expiry is three days: what ran out must not come to life again each time that it
 * comes round, while the other half of the slot is kept fresh. */
static void test_what_ran_out_stays_so(void **state)
{
    (void)state;
    hosted_note_spf(&hosted, SHOP, 1, 600, SOME_MS);
    hosted_note_mx(&hosted, OTHER, 7, 600, SOME_MS);
    for (mxclash_time now = SOME_MS + HOUR; now < SOME_MS + 20 * DAY; now += HOUR) {
        assert_false(hosted_note_mx(&hosted, SHOP, 7, 3600, now).spf);
        assert_int_equal(hosted_note_spf(&hosted, OTHER, 1, 3600, now).provider, HOSTED_NONE);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mx_then_spf),   TEST(test_spf_then_mx), TEST(test_owners_apart),
        TEST(test_provider_left), TEST(test_expiry),      TEST(test_what_ran_out_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
