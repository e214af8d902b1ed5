/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the looks at what senders meet, through the public API. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "core/engine/errand_queue.h"
#include "lookups.h"

/** shop.test has both in one answer; its opened event waits. */
static void open_shop(void)
{
    see("shop.test", MX_IS_BOTH());
    expect_no_event();
}

/** shop.test is in conflict and told with this impact. */
static void open_and_tell(enum look look, enum mxclash_impact impact)
{
    open_shop();
    look_up("shop.test", wire_type_mx, look);
    if (look == look_empty)
        look_up("shop.test", wire_type_a, look_address);
    expect_impact(next_event("shop.test"), impact);
    expect_no_event();
    expect_no_lookup();
}

/** An hour later the authority is asked again. */
static void recheck(struct reply mx, struct reply cname)
{
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(mx, cname);
}

static void test_each_impact(void **state)
{
    static const struct {
        enum look looks[3];
        unsigned count;
        enum mxclash_impact impact;
    } cases[] = {
        {{look_own_mx}, 1, mxclash_impact_none},
        {{look_other_mx}, 1, mxclash_wrong_mail_host},
        {{look_null_mx}, 1, mxclash_no_mail_host},
        {{look_empty, look_address}, 2, mxclash_implicit_mx},
        {{look_empty, look_empty, look_address}, 3, mxclash_implicit_mx},
        {{look_empty, look_empty, look_empty}, 3, mxclash_no_mail_host},
        {{look_failed}, 1, mxclash_impact_unknown},
        {{look_empty, look_failed}, 2, mxclash_impact_unknown},
        {{look_empty, look_empty, look_failed}, 3, mxclash_impact_unknown},
    };
    static const uint16_t qtypes[] = {wire_type_mx, wire_type_a, wire_type_aaaa};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mxclash_event *event;

        lookups_setup(state);
        open_shop();
        assert_int_equal(lookups_held, 1);
        for (unsigned j = 0; j < cases[i].count; j++) {
            expect_no_event();
            assert_true(mxclash_errands_wait(detector.engine));
            look_up("shop.test", qtypes[j], cases[i].looks[j]);
        }
        event = expect_event("shop.test", mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed,
                             mxclash_same_answer);
        expect_impact(event, cases[i].impact);
        assert_false(mxclash_errands_wait(detector.engine));
        expect_no_lookup();
        /* the tick finds nothing to let go */
        assert_true(mxclash_tick(detector.engine));
        assert_false(mxclash_tick(detector.engine));
        expect_no_event();
    }
}

/** The event tells when the conflict opened, not when the look was over. */
static void test_time_of_the_event(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    open_shop();
    detector.now += 150;
    look_up("shop.test", wire_type_mx, look_other_mx);
    event = next_held_event("shop.test", DETECTOR_START);
    assert_int_equal(event->first_seen, DETECTOR_START);
    expect_no_event();
}

/** An apex that is a CNAME has no MX of its own: any MX at the target is another. */
static void test_apex(void **state)
{
    (void)state;
    see("shop.test", MX_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    client_mx("shop.test", true);
    expect_no_event();
    look_up("shop.test", wire_type_mx, look_own_mx);
    expect_impact(expect_event("shop.test", mxclash_opened, mxclash_cname_at_apex,
                               mxclash_suspected, mxclash_probe),
                  mxclash_impact_unknown);
    /* and back again: that the target has no MX any more is known, and that it has one then not */
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_empty);
    look_up("shop.test", wire_type_a, look_address);
    expect_impact(next_event("shop.test"), mxclash_implicit_mx);
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_own_mx);
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
}

/** Where nothing may be asked, nothing waits. */
static void test_no_lookups(void **state)
{
    struct mxclash_options options = lookups_options();

    (void)state;
    options.lookup = false;
    detector_begin(&options);
    see("shop.test", MX_IS_BOTH());
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    expect_no_lookup();
    options = lookups_options();
    options.probe = false;
    detector_begin(&options);
    see("shop.test", MX_IS_BOTH());
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    expect_no_lookup();
    assert_false(mxclash_errands_wait(detector.engine));
    assert_int_equal(lookups_held, 0);
}

static void test_one_at_a_time(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    open_shop();
    lookup = expect_lookup("shop.test", wire_type_mx, TARGET);
    /* a proof wants to know the impact too */
    recheck(MX_IS_MX(), CNAME_IS_CNAME());
    detector.now -= HOUR;
    expect_no_lookup();
    end_lookup(&lookup, look_other_mx);
    expect_impact(next_held_event("shop.test", DETECTOR_START), mxclash_wrong_mail_host);
    expect_no_lookup();
}

/** Whoever ends twice, or ends what is not there, does nothing. */
static void test_ends_that_nobody_waits_for(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)}, other = lookup;

    (void)state;
    open_shop();
    lookup = other = expect_lookup("shop.test", wire_type_mx, TARGET);
    other.id += 1000;
    end_lookup(&other, look_own_mx);
    other = lookup;
    other.owner[1] = 'x';
    end_lookup(&other, look_own_mx);
    expect_no_event();
    end_lookup(&lookup, look_empty);
    /* its MX question is over: another end of it must not pass for that of the next */
    end_lookup(&lookup, look_own_mx);
    expect_no_event();
    look_up("shop.test", wire_type_a, look_address);
    expect_impact(next_event("shop.test"), mxclash_implicit_mx);
    end_lookup(&lookup, look_other_mx);
    expect_no_event();
}

/** The conflict, or all of its case, is gone when the answer comes. */
static void test_case_that_vanished(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    open_shop();
    lookup = expect_lookup("shop.test", wire_type_mx, TARGET);
    see("shop.test", A_IS_A());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    end_lookup(&lookup, look_other_mx);
    expect_no_event();
    /* expired */
    see("mart.test", MX_IS_BOTH());
    lookup = expect_lookup("mart.test", wire_type_mx, TARGET);
    detector.now += 49 * HOUR;
    for (int i = 0; i < 20; i++, detector.now += SECOND)
        see("other.test", A_IS_A());
    assert_int_equal(detector.events[detector.event_next++].type, mxclash_opened);
    assert_int_equal(detector.events[detector.event_next++].type, mxclash_expired);
    end_lookup(&lookup, look_other_mx);
    expect_no_event();
    assert_false(client_mx("mart.test", false));
    /* another case of the same name is not the one that was looked up for */
    see("mart.test", MX_IS_BOTH());
    end_lookup(&lookup, look_other_mx);
    expect_no_event();
}

/** Queued, and the case is gone before its turn. */
static void test_case_that_vanished_in_the_queue(void **state)
{
    (void)state;
    open_shop();
    see("shop.test", A_IS_A());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    expect_no_lookup();
    assert_false(mxclash_errands_wait(detector.engine));
}

/** The host lost it: it is tried again, but not before it must be lost. */
static void test_lost(void **state)
{
    struct mxclash_options options = lookups_options();

    (void)state;
    options.recheck_interval_s = 60;
    detector_begin(&options);
    open_shop();
    expect_lookup("shop.test", wire_type_mx, TARGET);
    assert_true(mxclash_tick(detector.engine));
    assert_false(mxclash_tick(detector.engine));
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    detector.now += CASE_PROOF_MAX_MS - SECOND;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_lookup();
    detector.now += MINUTE;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_other_mx);
    expect_impact(expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx,
                               mxclash_confirmed, mxclash_same_answer),
                  mxclash_wrong_mail_host);
    /* lost once more, and the clock is set back by a day */
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_lookup("shop.test", wire_type_mx, TARGET);
    detector.now -= 24 * HOUR;
    see("shop.test", A_IS_A());
    prove(MX_IS_MX(), NO_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    detector.now += 2 * MINUTE;
    see("shop.test", MX_IS_MX(.cname = "new.cdn.test"));
    expect_lookup("shop.test", wire_type_mx, "new.cdn.test");
}

/** The owner moves the CNAME while its old target is looked up: what comes of that is nothing. */
static void test_target_that_moved(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    open_shop();
    lookup = expect_lookup("shop.test", wire_type_mx, TARGET);
    see("shop.test", A_IS_A(.cname = "new.cdn.test"));
    end_lookup(&lookup, look_own_mx);
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    expect_no_lookup();
    /* the next proof looks at the new one */
    recheck(MX_IS_MX(), CNAME_ANSWER(.cname = "new.cdn.test"));
    lookup = expect_lookup("shop.test", wire_type_mx, "new.cdn.test");
    end_lookup(&lookup, look_null_mx);
    expect_impact(next_event("shop.test"), mxclash_no_mail_host);
    expect_no_event();
}

/** Between two questions: the look begins anew at the new target. */
static void test_target_that_moved_between_questions(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    open_shop();
    look_up("shop.test", wire_type_mx, look_empty);
    see("shop.test", A_IS_A(.cname = "new.cdn.test"));
    lookup = expect_lookup("shop.test", wire_type_mx, "new.cdn.test");
    end_lookup(&lookup, look_other_mx);
    expect_impact(next_event("shop.test"), mxclash_wrong_mail_host);
    expect_no_event();
}

/** A target in another case is the same. */
static void test_target_in_another_case(void **state)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    open_shop();
    lookup = expect_lookup("shop.test", wire_type_mx, TARGET);
    see("shop.test", A_IS_A(.cname = "WWW.cdn.TEST"));
    end_lookup(&lookup, look_own_mx);
    expect_impact(next_event("shop.test"), mxclash_impact_none);
}

static void test_changed_impact(void **state)
{
    (void)state;
    open_and_tell(look_empty, mxclash_implicit_mx);
    recheck(MX_IS_MX(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_empty);
    look_up("shop.test", wire_type_a, look_address);
    expect_no_event();
    recheck(MX_IS_MX(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_null_mx);
    expect_impact(expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx,
                               mxclash_confirmed, mxclash_same_answer),
                  mxclash_no_mail_host);
    /* what cannot be looked up is taken to be as it was */
    recheck(MX_IS_MX(), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_failed);
    expect_no_event();
    recheck(MX_ANSWER(.mx = {"mx.third.test"}), CNAME_IS_CNAME());
    expect_no_event();
    look_up("shop.test", wire_type_mx, look_failed);
    expect_impact(next_event("shop.test"), mxclash_no_mail_host);
    expect_no_event();
}

/** Another MX and another impact: one event tells of both. */
static void test_changed_facts_and_impact(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    open_and_tell(look_other_mx, mxclash_wrong_mail_host);
    recheck(MX_ANSWER(.mx = {"mx.third.test"}), CNAME_IS_CNAME());
    expect_no_event();
    look_up("shop.test", wire_type_mx, look_null_mx);
    event = next_event("shop.test");
    assert_int_equal(event->type, mxclash_changed);
    assert_int_equal(event->mx_count, 1);
    expect_impact(event, mxclash_no_mail_host);
    expect_no_event();
}

/** The owner's MX becomes what the target has: nothing is lost any more. */
static void test_same_mx_later(void **state)
{
    (void)state;
    open_and_tell(look_other_mx, mxclash_wrong_mail_host);
    recheck(MX_ANSWER(.mx = {"mx.elsewhere.test", MX1}), CNAME_IS_CNAME());
    look_up("shop.test", wire_type_mx, look_other_mx);
    expect_impact(next_event("shop.test"), mxclash_impact_none);
}

/** More than can wait: those for which there is no room are told at once, without their impact. */
static void test_queue_full(void **state)
{
    struct mxclash_options options = lookups_options();
    const unsigned room = (unsigned)(options.table_size / 64 / sizeof(struct ring_entry));

    (void)state;
    detector_begin(&options);
    for (unsigned i = 0; i < room + 10; i++)
        see(numbered(i), MX_IS_BOTH());
    assert_int_equal(lookups_held, room);
    for (unsigned i = room; i < room + 10; i++)
        expect_impact(next_event(numbered(i)), mxclash_impact_unknown);
    expect_no_event();
    for (unsigned i = 0; i < room; i++) {
        look_up(numbered(i), wire_type_mx, look_other_mx);
        expect_impact(next_event(numbered(i)), mxclash_wrong_mail_host);
    }
    expect_no_lookup();
    expect_no_event();
}

/** What a proof found new is told at once where the queue has no room for the lookup. */
static void test_changed_with_the_queue_full(void **state)
{
    struct mxclash_options options = lookups_options();
    const unsigned room = (unsigned)(options.table_size / 64 / sizeof(struct ring_entry));

    (void)state;
    detector_begin(&options);
    open_and_tell(look_other_mx, mxclash_wrong_mail_host);
    assert_true(mxclash_tick(detector.engine));
    assert_false(mxclash_tick(detector.engine));
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    for (unsigned i = 0; i < room; i++)
        see(numbered(i), MX_IS_BOTH());
    expect_no_event();
    prove(MX_ANSWER(.mx = {"mx.third.test"}), CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->mx_count, 1);
    expect_no_event();
}

/** A lookup that waits too long for the rate is not made, and what waits for it is told. */
static void test_stale(void **state)
{
    struct mxclash_options options = lookups_options();

    (void)state;
    options.probe_rate = 1;
    detector_begin(&options);
    see("a.test", MX_IS_BOTH());
    see("b.test", MX_IS_BOTH());
    look_up("a.test", wire_type_mx, look_other_mx);
    expect_impact(next_event("a.test"), mxclash_wrong_mail_host);
    expect_no_lookup();
    detector.now += PROOF_WAIT_MAX_MS + SECOND;
    expect_no_lookup();
    expect_impact(next_held_event("b.test", DETECTOR_START), mxclash_impact_unknown);
    expect_no_event();
    assert_false(mxclash_errands_wait(detector.engine));
}

static void test_pace(void **state)
{
    struct mxclash_options options = lookups_options();
    unsigned made = 0;

    (void)state;
    options.probe_rate = 3;
    detector_begin(&options);
    for (unsigned i = 0; i < 30; i++)
        see(numbered(i), MX_IS_BOTH());
    for (mxclash_time end = detector.now + 5 * SECOND; detector.now < end; detector.now += 10) {
        struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

        while (take_lookup(&lookup)) {
            end_lookup(&lookup, look_null_mx);
            made++;
        }
    }
    /* a second's worth at once, and then the rate */
    assert_in_range(made, 3 + 14, 3 + 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOKUPS(test_each_impact),
        WITH_LOOKUPS(test_time_of_the_event),
        WITH_LOOKUPS(test_apex),
        WITH_LOOKUPS(test_no_lookups),
        WITH_LOOKUPS(test_one_at_a_time),
        WITH_LOOKUPS(test_ends_that_nobody_waits_for),
        WITH_LOOKUPS(test_case_that_vanished),
        WITH_LOOKUPS(test_case_that_vanished_in_the_queue),
        WITH_LOOKUPS(test_lost),
        WITH_LOOKUPS(test_target_that_moved),
        WITH_LOOKUPS(test_target_that_moved_between_questions),
        WITH_LOOKUPS(test_target_in_another_case),
        WITH_LOOKUPS(test_changed_impact),
        WITH_LOOKUPS(test_changed_facts_and_impact),
        WITH_LOOKUPS(test_same_mx_later),
        WITH_LOOKUPS(test_queue_full),
        WITH_LOOKUPS(test_changed_with_the_queue_full),
        WITH_LOOKUPS(test_stale),
        WITH_LOOKUPS(test_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
