/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of how a conflict goes on and ends: rechecks, contradiction, quiet, expiry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "detector.h"

/** The event that came since, of a conflict that a proof confirmed. */
static const struct mxclash_event *expect(enum mxclash_event_type type)
{
    return expect_event("shop.test", type, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
}

/** shop.test is in conflict, proved, and its event taken. */
static void open_shop(void)
{
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect(mxclash_opened);
}

static void open_without_probe(void)
{
    struct mxclash_options options = detector_options();

    options.probe = false;
    detector_begin(&options);
    see("shop.test", A_IS_CNAME(.ttl_s = 86400));
    see("shop.test", MX_IS_MX(.ttl_s = 86400));
    expect_event("shop.test", mxclash_opened, mxclash_cname_and_mx, mxclash_suspected,
                 mxclash_separate_answers);
}

static uint64_t open_conflicts(void)
{
    struct engine_stats stats = stats_now();

    return stats.open_now[mxclash_cname_and_mx][mxclash_suspected] +
           stats.open_now[mxclash_cname_and_mx][mxclash_confirmed];
}

static void test_recheck_interval(void **state)
{
    (void)state;
    open_shop();
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 60; j++, detector.now += MINUTE - (j == 59)) {
            see("shop.test", MX_IS_MX());
            see("shop.test", A_IS_CNAME());
            assert_true(client_mx("shop.test", true));
            expect_no_proof();
        }
        detector.now += 1;
        assert_true(client_mx("shop.test", true));
        prove(MX_IS_MX(), CNAME_IS_CNAME());
    }
    expect_no_event();
    assert_int_equal(stats_now().proofs[mxclash_proof_both], 6);
}

/** Nobody asks: nothing is proved. */
static void test_recheck_is_lazy(void **state)
{
    (void)state;
    open_shop();
    detector.now += 24 * HOUR;
    see("other.test", A_IS_A());
    expect_no_proof();
    assert_int_equal(open_conflicts(), 1);
}

static void test_changed_facts(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    open_shop();
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_ANSWER(.mx = {"mx.other.test"}), CNAME_IS_CNAME());
    event = expect(mxclash_changed);
    assert_int_equal(event->mx_count, 1);
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_ANSWER(.mx = {"mx.other.test"}), CNAME_ANSWER(.cname = "new.test"));
    expect(mxclash_changed);
    /* the same set in another order, another TTL: nothing new */
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_ANSWER(.mx = {"mx.other.test"}, .ttl_s = 5), CNAME_ANSWER(.cname = "NEW.test"));
    expect_no_event();
}

static void test_cleared_by_a_proof(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    open_shop();
    assert_true(client_mx("shop.test", true));
    detector.now += HOUR;
    see("shop.test", A_IS_A());
    prove(MX_IS_MX(), NO_CNAME());
    event = expect(mxclash_cleared);
    assert_int_equal(event->first_seen, DETECTOR_START);
    assert_int_equal(event->mx_queries, 1);
    assert_int_equal(open_conflicts(), 0);
    assert_int_equal(stats_now().cleared[mxclash_cname_and_mx], 1);
    assert_false(client_mx("shop.test", false));
    /* it comes back, hours later */
    detector.now += 2 * HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    event = expect(mxclash_opened);
    assert_int_equal(event->first_seen, detector.now);
    assert_int_equal(event->mx_queries, 0);
}

static void test_not_cleared_by_a_failed_proof(void **state)
{
    (void)state;
    open_shop();
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    fail_proof();
    expect_no_event();
    assert_int_equal(open_conflicts(), 1);
}

/** Between two proofs an authority's answer ends it. */
static void test_cleared_by_contradiction(void **state)
{
    static const struct reply replies[] = {
        {.qtype = wire_type_a},
        {.qtype = wire_type_a, .rcode = MESSAGE_NXDOMAIN},
        {.qtype = wire_type_cname},
        {.qtype = wire_type_mx},
        {.qtype = wire_type_mx, .cname = TARGET},
        {.qtype = wire_type_mx, .mx = {"."}},
        {.qtype = wire_type_cname, .mx = {MX1}},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector_setup(state);
        open_shop();
        detector.now += MINUTE;
        see("shop.test", replies[i]);
        expect(mxclash_cleared);
        assert_int_equal(open_conflicts(), 0);
    }
}

/** The other address type ends it as well, once it was seen with the CNAME. */
static void test_cleared_by_what_showed_it(void **state)
{
    static const struct reply shown[] = {{.qtype = wire_type_aaaa, .cname = TARGET},
                                         {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}}};
    static const struct reply moved = {.qtype = wire_type_a, .cname = "new.test"};
    static const struct reply aaaa = {.qtype = wire_type_aaaa};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        detector_setup(state);
        open_shop();
        detector.now += MINUTE;
        see("shop.test", shown[i]);
        see("shop.test", aaaa);
        expect(mxclash_cleared);
    }
    /* another CNAME is another matter */
    detector_setup(state);
    open_shop();
    detector.now += MINUTE;
    see("shop.test", shown[0]);
    see("shop.test", moved);
    see("shop.test", aaaa);
    assert_int_equal(open_conflicts(), 1);
}

static void test_not_cleared_by(void **state)
{
    static const struct reply replies[] = {
        /* other types may stand beside the CNAME where answers are by type */
        {.qtype = wire_type_txt},
        {.qtype = wire_type_ns},
        {.qtype = wire_type_any},
        {.qtype = wire_type_mx, .mx = {MX1}},
        {.qtype = wire_type_a, .cname = TARGET},
        /* and so may these, if it was never seen for them */
        {.qtype = wire_type_aaaa},
        {.qtype = wire_type_aaaa, .rcode = MESSAGE_NXDOMAIN},
        /* no authority, no answer, not its zone, not its name */
        {.qtype = wire_type_a, .no_aa = true},
        {.qtype = wire_type_mx, .no_aa = true, .referral = true},
        {.qtype = wire_type_a, .rcode = MESSAGE_SERVFAIL},
        {.qtype = wire_type_mx, .rcode = MESSAGE_REFUSED},
        {.qtype = wire_type_a, .zone = "evil.test"},
        {.qtype = wire_type_a, .qname = "www.shop.test"},
        {.qtype = wire_type_mx, .cname = TARGET, .qname = "www.shop.test"},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector_setup(state);
        open_shop();
        detector.now += MINUTE;
        see("shop.test", replies[i]);
        expect_no_event();
        assert_int_equal(open_conflicts(), 1);
    }
}

/** Where a proof is due it decides, not one server's answer. */
static void test_proof_before_contradiction(void **state)
{
    (void)state;
    open_shop();
    detector.now += HOUR;
    see("shop.test", A_IS_A());
    expect_no_event();
    see("shop.test", A_IS_A());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
    assert_int_equal(open_conflicts(), 1);
}

/** What a contradiction has ended, old sightings do not bring back. */
static void test_no_probe_stays_cleared(void **state)
{
    (void)state;
    open_without_probe();
    detector.now += MINUTE;
    see("shop.test", A_IS_A());
    expect_event("shop.test", mxclash_cleared, mxclash_cname_and_mx, mxclash_suspected,
                 mxclash_separate_answers);
    for (int i = 0; i < 5; i++, detector.now += 2 * HOUR) {
        see("shop.test", MX_IS_MX(.ttl_s = 86400));
        see("shop.test", A_IS_A());
    }
    expect_no_event();
    see("shop.test", A_IS_CNAME());
    expect_event("shop.test", mxclash_opened, mxclash_cname_and_mx, mxclash_suspected,
                 mxclash_separate_answers);
    assert_int_equal(detector.events[detector.event_count - 1].held_back, 0);
}

static void test_no_probe_cleared_by_the_mx_question(void **state)
{
    (void)state;
    open_without_probe();
    see("shop.test", MX_IS_CNAME(.ttl_s = 86400));
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    for (int i = 0; i < 5; i++, detector.now += HOUR)
        see("shop.test", A_IS_CNAME(.ttl_s = 86400));
    expect_no_event();
}

/** It comes and goes every ten minutes: one pair of events an hour, the others counted. */
static void test_flapping(void **state)
{
    size_t opened = 0, cleared = 0;
    uint64_t held_back = 0;

    (void)state;
    for (int minute = 0; minute < 240; minute += 10, detector.now += 5 * MINUTE) {
        see("tiny.test", MX_IS_BOTH());
        detector.now += 5 * MINUTE;
        see("tiny.test", A_IS_A());
    }
    for (size_t i = 0; i < detector.event_count; i++) {
        const struct mxclash_event *event = &detector.events[i];

        /* in turn, beginning with opened */
        assert_int_equal(event->type, i % 2 == 0 ? mxclash_opened : mxclash_cleared);
        opened += event->type == mxclash_opened;
        cleared += event->type == mxclash_cleared;
        held_back += event->held_back;
        if (i >= 2)
            assert_true(event->time - detector.events[i - 2].time >= MXCLASH_QUIET_MS);
    }
    assert_int_equal(opened, 4);
    assert_int_equal(cleared, 4);
    /* 24 rounds of two; those after the last event are not told yet */
    assert_int_equal(held_back, 3 * 10);
    assert_int_equal(stats_now().opened[mxclash_cname_and_mx], 24);
    assert_int_equal(stats_now().cleared[mxclash_cname_and_mx], 24);
    assert_int_equal(open_conflicts(), 0);
}

/** Held back while suspected, then proved: it is told once, as what it is now. */
static void test_held_back_until_confirmed(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.recheck_interval_s = 60;
    detector_begin(&options);
    open_shop();
    detector.now += 30 * SECOND;
    see("shop.test", A_IS_A());
    expect(mxclash_cleared);
    detector.now += MINUTE;
    see("shop.test", MX_IS_MX(.ttl_s = 86400));
    see("shop.test", A_IS_CNAME(.ttl_s = 86400));
    fail_proof();
    assert_int_equal(stats_now().open_now[mxclash_cname_and_mx][mxclash_suspected], 1);
    expect_no_event();
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(expect(mxclash_opened)->held_back, 1);
}

static void test_expires(void **state)
{
    struct mxclash_event event;

    (void)state;
    open_shop();
    detector.now += 10 * HOUR;
    assert_true(client_mx("shop.test", true));
    detector.now += 48 * HOUR;
    for (int i = 0; i < 40; i++, detector.now += SECOND / 20)
        see("other.test", A_IS_A());
    expect_no_event();
    /* any answers will do to notice it, as long as a second goes by now and then */
    for (int i = 0; i < 20; i++, detector.now += SECOND)
        see("other.test", A_IS_A());
    assert_int_equal(detector.event_count, detector.event_next + 1);
    event = detector.events[detector.event_next++];
    assert_int_equal(event.type, mxclash_expired);
    assert_int_equal(event.last_seen, DETECTOR_START + 10 * HOUR);
    assert_int_equal(event.mx_queries, 1);
    assert_int_equal(open_conflicts(), 0);
    assert_int_equal(stats_now().expired[mxclash_cname_and_mx], 1);
    assert_int_equal(stats_now().table_entries, 0);
    assert_false(client_mx("shop.test", false));
}

/** The clock is set back by a year: nothing expires early, and rechecks wait. */
static void test_clock_set_back(void **state)
{
    (void)state;
    open_shop();
    detector.now -= 365 * 24 * HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    for (int i = 0; i < 100; i++, detector.now += SECOND) {
        see("shop.test", A_IS_CNAME());
        see("other.test", A_IS_A());
        expect_no_proof();
    }
    expect_no_event();
    assert_int_equal(open_conflicts(), 1);
    see("shop.test", A_IS_A());
    expect(mxclash_cleared);
}

/** What was put off until a time by a clock that was a day ahead is not put off by a day. Threads'
 * clocks differ a little: one that is behind does not bring the proof forward. */
static void test_proved_again_after_the_clock_was_set_back(void **state)
{
    (void)state;
    open_shop();
    detector.now -= 5 * SECOND;
    see("shop.test", A_IS_CNAME());
    expect_no_proof();
    detector.now -= 24 * HOUR;
    see("shop.test", A_IS_CNAME());
    prove(NO_MX(), CNAME_IS_CNAME());
    expect(mxclash_cleared);
    /* put off anew, by the clock as it is now */
    see("shop.test", A_IS_CNAME());
    expect_no_proof();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_recheck_interval),
        WITH_DETECTOR(test_proved_again_after_the_clock_was_set_back),
        WITH_DETECTOR(test_recheck_is_lazy),
        WITH_DETECTOR(test_changed_facts),
        WITH_DETECTOR(test_cleared_by_a_proof),
        WITH_DETECTOR(test_not_cleared_by_a_failed_proof),
        WITH_DETECTOR(test_cleared_by_contradiction),
        WITH_DETECTOR(test_cleared_by_what_showed_it),
        WITH_DETECTOR(test_not_cleared_by),
        WITH_DETECTOR(test_proof_before_contradiction),
        WITH_DETECTOR(test_no_probe_stays_cleared),
        WITH_DETECTOR(test_no_probe_cleared_by_the_mx_question),
        WITH_DETECTOR(test_flapping),
        WITH_DETECTOR(test_held_back_until_confirmed),
        WITH_DETECTOR(test_expires),
        WITH_DETECTOR(test_clock_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
