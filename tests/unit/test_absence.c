/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of records that an answer shows to be gone: whose word counts, who waits for a
 * proof, and that what is gone counts for nothing afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "detector.h"

#define OWNER "shop.test"

static void expect_opened(void)
{
    assert_int_equal(next_event(OWNER)->type, mxclash_opened);
    expect_no_event();
}

static void expect_cleared(void)
{
    assert_int_equal(next_event(OWNER)->type, mxclash_cleared);
    expect_no_event();
}

/** The owner is in conflict, proved, and its event taken. */
static void open_it(void)
{
    see(OWNER, A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_opened();
}

/** A cache can hold what was there before. */
static void test_a_caches_word_ends_nothing(void **state)
{
    static const struct reply replies[] = {
        {.qtype = wire_type_mx, .cname = TARGET, .no_aa = true},
        {.qtype = wire_type_mx, .cname = TARGET, .no_aa = true, .forwarded = true},
        {.qtype = wire_type_cname, .mx = {MX1}, .no_aa = true},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector_setup(state);
        open_it();
        detector.now += MINUTE;
        see(OWNER, replies[i]);
        expect_no_event();
    }
}

/** Once the proof is wanted, while it waits and while it is made, nothing else ends the conflict.
 */
static void test_a_proof_on_its_way_decides(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    open_it();
    detector.now += HOUR;
    see(OWNER, MX_IS_CNAME());
    expect_no_event();
    see(OWNER, MX_IS_CNAME());
    /* nor does the other kind begin beside it */
    client_mx(OWNER, true);
    expect_no_event();
    assert_true(take_proof(&proof));
    see(OWNER, MX_IS_CNAME());
    expect_no_event();
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    expect_no_event();
    assert_int_equal(stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed], 1);
    see(OWNER, MX_IS_CNAME());
    expect_cleared();
}

/** An MX that is gone is not valid beside a CNAME that is seen later, nor the other way round: when
 * the proof fails nothing is left to suspect. */
static void test_what_is_gone_is_valid_no_more(void **state)
{
    (void)state;
    see(OWNER, MX_IS_MX());
    see(OWNER, A_IS_CNAME());
    see(OWNER, MX_IS_CNAME());
    see(OWNER, A_IS_CNAME());
    fail_proof();
    expect_no_event();
    see("food.test", A_IS_CNAME());
    see("food.test", MX_IS_MX());
    see("food.test", CNAME_ANSWER(.mx = {MX1}));
    see("food.test", MX_IS_MX());
    fail_proof();
    expect_no_event();
}

/** A new CNAME, seen for A, is not gone because AAAA has none: that the old one was seen for AAAA
 * says nothing of it. */
static void test_another_cname_later(void **state)
{
    static const struct reply aaaa = {.qtype = wire_type_aaaa};

    (void)state;
    open_it();
    detector.now += MINUTE;
    see(OWNER, (struct reply){.qtype = wire_type_aaaa, .cname = TARGET});
    see(OWNER, aaaa);
    expect_cleared();
    detector.now += HOUR;
    see(OWNER, A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_opened();
    detector.now += MINUTE;
    see(OWNER, aaaa);
    expect_no_event();
    see(OWNER, A_IS_A());
    expect_cleared();
}

/** What a failed proof did not see may still be there. */
static void test_a_failed_proof_takes_nothing_away(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    open_it();
    detector.now += HOUR;
    see(OWNER, A_IS_CNAME());
    fail_proof();
    detector.now += SECOND;
    see(OWNER, A_IS_A());
    event = next_event(OWNER);
    assert_int_equal(event->type, mxclash_cleared);
    assert_int_equal(event->mx_count, 2);
    assert_int_equal(event->cname_target_len, wire_name_of(TARGET).len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_a_caches_word_ends_nothing),
        WITH_DETECTOR(test_a_proof_on_its_way_decides),
        WITH_DETECTOR(test_what_is_gone_is_valid_no_more),
        WITH_DETECTOR(test_another_cname_later),
        WITH_DETECTOR(test_a_failed_proof_takes_nothing_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
