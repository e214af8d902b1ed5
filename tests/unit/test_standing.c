/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of how an owner stands: what a host is told that annotates and repairs answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detector.h"

/** \return false if the owner is in no conflict */
static bool get_standing(const char *owner, struct mxclash_standing *standing)
{
    struct wire_name name = wire_name_of(owner);

    return mxclash_get_standing(detector.engine, name.octets, name.len, detector.now, standing);
}

static struct mxclash_standing standing_of(const char *owner)
{
    struct mxclash_standing standing = {.struct_size = sizeof(standing)};

    assert_true(get_standing(owner, &standing));
    return standing;
}

static void expect_none(const char *owner)
{
    struct mxclash_standing standing = {.struct_size = sizeof(standing)};

    assert_false(get_standing(owner, &standing));
}

/** The MX that may be put into an answer, and for how long. */
static void expect_mx(uint32_t ttl_s)
{
    struct mxclash_standing standing = standing_of("shop.test");
    struct wire_name first = wire_name_of(MX1);

    assert_int_equal(standing.mx_ttl_s, ttl_s);
    assert_int_equal(standing.mx_count, 2);
    assert_int_equal(standing.mx[0].preference, 5);
    assert_int_equal(standing.mx[0].exchange_len, first.len);
    assert_memory_equal(standing.mx[0].exchange, first.octets, first.len);
}

static void expect_no_mx(void)
{
    struct mxclash_standing standing = standing_of("shop.test");

    assert_int_equal(standing.mx_ttl_s, 0);
    assert_int_equal(standing.mx_count, 0);
}

static void test_from_its_opening_to_its_end(void **state)
{
    (void)state;
    /* whose name begins alike, so that no short cut is taken */
    see("shop.tent", MX_IS_BOTH());
    expect_none("shop.test");
    see("shop.test", A_IS_CNAME());
    expect_none("shop.test");
    fail_proof();
    expect_none("shop.test");
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(standing_of("shop.test").kind, mxclash_cname_and_mx);
    assert_int_equal(standing_of("shop.test").state, mxclash_confirmed);
    standing_of("SHOP.test");
    expect_none("sub.shop.test");
    expect_none("chop.test");
    see("shop.test", A_IS_A());
    expect_none("shop.test");
}

/** The gravest of several, and that one's state. */
static void test_gravest(void **state)
{
    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com", "mx1.emailsrvr.com"}));
    assert_int_equal(standing_of("shop.test").kind, mxclash_foreign_mx);
    assert_int_equal(standing_of("shop.test").state, mxclash_confirmed);
    see("shop.test", A_IS_CNAME());
    fail_proof();
    assert_int_equal(standing_of("shop.test").kind, mxclash_cname_and_mx);
    assert_int_equal(standing_of("shop.test").state, mxclash_suspected);
}

/** To the second, and then no more. */
static void test_mx_while_it_is_valid(void **state)
{
    (void)state;
    see("shop.test", MX_IS_BOTH(.ttl_s = 60));
    expect_mx(60);
    detector.now += 1;
    expect_mx(60);
    detector.now += 1;
    expect_mx(59);
    detector.now += 58 * SECOND;
    expect_mx(1);
    detector.now += 2 * SECOND;
    expect_no_mx();
    see("shop.test", A_IS_CNAME());
    expect_no_mx();
    see("shop.test", MX_IS_BOTH(.ttl_s = 60));
    expect_mx(60);
}

/** Only the owner's own authority is believed for what goes into an answer: not a forwarder,
 * whether its answers have AA or not. What a lame server says is not even noted. */
static void test_whose_mx(void **state)
{
    static const struct {
        bool no_aa, forwarded;
    } words[] = {{false, true}, {true, true}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        detector_setup(state);
        see("shop.test", MX_IS_BOTH());
        expect_mx(600);
        see("shop.test", MX_IS_BOTH(.no_aa = words[i].no_aa, .forwarded = words[i].forwarded));
        expect_no_mx();
        see("shop.test", MX_IS_BOTH());
        expect_mx(600);
        detector.now += 300 * SECOND;
        see("shop.test", MX_ANSWER(.cname = TARGET, .mx = {"mx.old.test"}, .no_aa = true));
        expect_mx(300);
    }
}

/** What the authority itself has taken back is given to nobody. */
static void test_mx_that_is_gone(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    see("shop.test", MX_IS_BOTH());
    expect_mx(600);
    /* while a proof is under way a conflict does not end */
    see("shop.test", MX_IS_CNAME());
    expect_no_mx();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_from_its_opening_to_its_end),
        WITH_DETECTOR(test_gravest),
        WITH_DETECTOR(test_mx_while_it_is_valid),
        WITH_DETECTOR(test_whose_mx),
        WITH_DETECTOR(test_mx_that_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
