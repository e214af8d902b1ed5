/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of cname-at-apex: when mail counts as wanted, and how seldom others are proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "detector.h"

#define APEX "power.test"

static const struct mxclash_event *expect(enum mxclash_event_type type, enum mxclash_state state,
                                          enum mxclash_evidence evidence)
{
    return expect_event(APEX, type, mxclash_cname_at_apex, state, evidence);
}

/** The apex is a CNAME, a proof has shown that MX gets it too, and nobody has asked for mail. */
static void prove_quiet_apex(void)
{
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect_no_event();
}

static void test_nobody_asks_mail(void **state)
{
    (void)state;
    prove_quiet_apex();
    for (int i = 0; i < 100; i++, detector.now += MINUTE)
        see(APEX, A_IS_CNAME());
    expect_no_event();
    assert_int_equal(stats_now().opened[mxclash_cname_at_apex], 0);
}

static void test_first_question_suspects(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    prove_quiet_apex();
    assert_true(client_mx(APEX, true));
    event = expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    assert_int_equal(event->apex, mxclash_apex_yes);
    assert_int_equal(event->mx_count, 0);
    assert_int_equal(event->cname_target_len, wire_name_of(TARGET).len);
    assert_string_equal(event->provider, "");
    assert_int_equal(stats_now().affected_mx[mxclash_hidden], 1);
}

/** Before any proof: the MX question of the client itself showed it. */
static void test_first_question_before_a_proof(void **state)
{
    (void)state;
    see(APEX, MX_IS_CNAME());
    expect_no_event();
    assert_true(client_mx(APEX, true));
    expect(mxclash_opened, mxclash_suspected, mxclash_separate_answers);
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect_no_event();
}

static void test_confirmed_by_questions(void **state)
{
    const mxclash_time start = DETECTOR_START;

    (void)state;
    prove_quiet_apex();
    /* enough of them, but all within one retry of one mail */
    for (int i = 0; i < CASE_WANTED_QUESTIONS + 5; i++, detector.now += SECOND) {
        client_mx(APEX, true);
        if (i == 0)
            expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    }
    expect_no_event();
    detector.now = start + CASE_WANTED_SPAN_MS - 1;
    client_mx(APEX, true);
    expect_no_event();
    detector.now = start + CASE_WANTED_SPAN_MS;
    client_mx(APEX, true);
    assert_int_equal(expect(mxclash_changed, mxclash_confirmed, mxclash_probe)->mx_queries,
                     CASE_WANTED_QUESTIONS + 6);
}

/** A `www` at a load balancer: whoever asks all names for their MX asks it too. */
static void test_questions_below_a_domain(void **state)
{
    static const char *const names[] = {"www.power.test", "www.power.co.uk", "www.power.gd.cn"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        detector_setup(state);
        see(names[i], A_IS_CNAME(.zone = names[i]));
        prove(MX_IS_CNAME(.zone = names[i]), CNAME_IS_CNAME(.zone = names[i]));
        for (int j = 0; j < 10 * CASE_WANTED_QUESTIONS; j++, detector.now += 2 * MINUTE) {
            client_mx(names[i], true);
            if (j == 0)
                expect_event(names[i], mxclash_opened, mxclash_cname_at_apex, mxclash_suspected,
                             mxclash_probe);
        }
        expect_no_event();
    }
}

/** It had an MX: mail was wanted there. */
static void test_an_mx_seen_below_a_domain(void **state)
{
    static const char www[] = "www.power.test";

    (void)state;
    see(www, A_IS_CNAME(.zone = www));
    see(www, MX_IS_MX(.zone = www));
    detector.now += MINUTE;
    see(www, A_IS_CNAME(.zone = www));
    prove(MX_IS_CNAME(.zone = www), CNAME_IS_CNAME(.zone = www));
    client_mx(www, true);
    expect_event(www, mxclash_opened, mxclash_cname_at_apex, mxclash_confirmed, mxclash_probe);
}

static void test_few_questions_do_not_confirm(void **state)
{
    (void)state;
    prove_quiet_apex();
    for (int i = 0; i < CASE_WANTED_QUESTIONS - 1; i++, detector.now += CASE_WANTED_SPAN_MS) {
        client_mx(APEX, true);
        if (i == 0)
            expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    }
    expect_no_event();
    client_mx(APEX, true);
    expect(mxclash_changed, mxclash_confirmed, mxclash_probe);
}

/** There was an MX before, of which nothing is left but a fingerprint in the sieve. It may be
 * another owner's. */
static void test_not_confirmed_by_a_fingerprint(void **state)
{
    (void)state;
    see(APEX, MX_IS_MX());
    detector.now += MINUTE;
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect_no_event();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
}

/** The owner's case knows its MX, for the set is not what the provider documents. */
static void test_confirmed_by_an_mx_seen_before(void **state)
{
    (void)state;
    see(APEX, MX_ANSWER(.mx = {"mx1.qiye.aliyun.com"}));
    assert_int_equal(next_event(APEX)->kind, mxclash_incomplete_mx);
    detector.now += MINUTE;
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    assert_int_equal(next_event(APEX)->type, mxclash_cleared);
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_confirmed, mxclash_probe);
}

static void test_no_probe(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.probe = false;
    detector_begin(&options);
    see(APEX, A_IS_CNAME());
    client_mx(APEX, true);
    expect_no_event();
    see(APEX, MX_IS_CNAME());
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_separate_answers);
    detector.now += CASE_WANTED_SPAN_MS;
    for (int i = 0; i < CASE_WANTED_QUESTIONS; i++)
        client_mx(APEX, true);
    expect(mxclash_changed, mxclash_confirmed, mxclash_separate_answers);
}

/** An MX that came after the suspicion counts as one that was there before it. */
static void test_confirmed_by_an_mx_seen_meanwhile(void **state)
{
    (void)state;
    see(APEX, A_IS_CNAME());
    see(APEX, MX_IS_MX());
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect_no_event();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_confirmed, mxclash_probe);
}

/** The CNAME went, not the mailbox: when it comes back, mail is wanted here as it was. */
static void test_confirmed_by_an_mx_that_outlived_a_cname(void **state)
{
    (void)state;
    see(APEX, MX_IS_BOTH());
    assert_int_equal(next_event(APEX)->type, mxclash_opened);
    see(APEX, A_IS_A());
    assert_int_equal(next_event(APEX)->type, mxclash_cleared);
    detector.now += HOUR;
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_confirmed, mxclash_probe);
}

/** The mailbox was moved to another name, the CNAME stayed: that there was an MX counts no more. */
static void test_an_mx_that_was_taken_away(void **state)
{
    (void)state;
    see(APEX, MX_IS_BOTH());
    assert_int_equal(next_event(APEX)->type, mxclash_opened);
    see(APEX, MX_IS_CNAME());
    assert_int_equal(next_event(APEX)->type, mxclash_cleared);
    detector.now += HOUR;
    see(APEX, A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
}

/** One question a day, each day: nobody waits for mail. */
static void test_stray_questions_do_not_confirm(void **state)
{
    (void)state;
    prove_quiet_apex();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    for (int day = 0; day < 30; day++) {
        detector.now += CASE_WANTED_WINDOW_MS + 1;
        client_mx(APEX, true);
        expect_no_event();
    }
    /* those of the last day count, and the first of them */
    for (int i = 1; i < CASE_WANTED_QUESTIONS; i++) {
        expect_no_event();
        detector.now += CASE_WANTED_SPAN_MS;
        client_mx(APEX, true);
    }
    expect(mxclash_changed, mxclash_confirmed, mxclash_probe);
}

/** However often mail is asked, what no proof has shown is only suspected. */
static void test_wanted_but_not_proved(void **state)
{
    (void)state;
    see(APEX, MX_IS_CNAME());
    for (int i = 0; i < 10 * CASE_WANTED_QUESTIONS; i++, detector.now += CASE_WANTED_SPAN_MS) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        client_mx(APEX, true);
        if (i == 0)
            expect(mxclash_opened, mxclash_suspected, mxclash_separate_answers);
        if (take_proof(&proof))
            end_proof(&proof);
    }
    expect_no_event();
    detector.now += HOUR;
    client_mx(APEX, true);
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect(mxclash_changed, mxclash_confirmed, mxclash_probe);
}

/** Until the MX question is answered in another way, whatever else is asked meanwhile. */
static void test_as_long_as_mx_gets_the_cname(void **state)
{
    (void)state;
    see(APEX, MX_IS_CNAME());
    see(APEX, A_IS_CNAME());
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_separate_answers);
    detector_setup(state);
    see(APEX, MX_IS_CNAME());
    see(APEX, MX_IS_MX());
    client_mx(APEX, true);
    expect_no_event();
}

/** Other types may stand beside the CNAME where answers are by type. */
static void test_not_cleared(void **state)
{
    static const uint16_t qtypes[] = {wire_type_txt, wire_type_ns};

    (void)state;
    prove_quiet_apex();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    for (size_t i = 0; i < sizeof(qtypes) / sizeof(qtypes[0]); i++)
        see(APEX, (struct reply){.qtype = qtypes[i]});
    see(APEX, (struct reply){.qtype = wire_type_cname, .mx = {MX1}, .no_aa = true});
    expect_no_event();
}

/** What is lawful or not known for sure opens nothing, however often mail is asked. */
static void test_no_conflict(void **state)
{
    static const struct {
        struct reply mx, cname;
    } worlds[] = {
        /* below the apex an alias is lawful */
        {{.qtype = 15, .cname = TARGET, .zone = "test"},
         {.qtype = 5, .cname = TARGET, .zone = "test"}},
        /* a forwarder's name is no zone cut, and no authority speaks */
        {{.qtype = 15, .cname = TARGET, .no_aa = true, .forwarded = true},
         {.qtype = 5, .cname = TARGET, .no_aa = true, .forwarded = true}},
        /* by type, and no MX: no mail is wanted */
        {{.qtype = 15}, {.qtype = 5, .cname = TARGET}},
        {{.qtype = 15, .mx = {"."}}, {.qtype = 5, .cname = TARGET}},
        {{.qtype = 15, .cname = TARGET, .mx = {"."}}, {.qtype = 5, .cname = TARGET}},
        /* no authority speaks */
        {{.qtype = 15, .cname = TARGET, .no_aa = true}, {.qtype = 5, .cname = TARGET}},
        /* the CNAME has gone meanwhile */
        {{.qtype = 15}, {.qtype = 5}},
    };

    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        detector_setup(state);
        see(APEX, worlds[i].mx);
        see(APEX, worlds[i].cname);
        client_mx(APEX, true);
        prove(worlds[i].mx, worlds[i].cname);
        for (int j = 0; j < 20; j++, detector.now += MINUTE)
            client_mx(APEX, true);
        expect_no_event();
    }
}

/** The own MX turns up after all: it is the other kind then, and only that. */
static void test_becomes_the_other_kind(void **state)
{
    (void)state;
    prove_quiet_apex();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    detector.now += HOUR;
    see(APEX, A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event(APEX)->type, mxclash_cleared);
    expect_event(APEX, mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
    assert_int_equal(stats_now().open_now[mxclash_cname_at_apex][mxclash_suspected], 0);
    detector.now += MINUTE;
    client_mx(APEX, true);
    expect_no_event();
}

static void test_becomes_the_other_kind_by_one_answer(void **state)
{
    (void)state;
    prove_quiet_apex();
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    detector.now += MINUTE;
    see(APEX, MX_IS_BOTH());
    assert_int_equal(next_event(APEX)->type, mxclash_cleared);
    expect_event(APEX, mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_same_answer);
    assert_int_equal(stats_now().open_now[mxclash_cname_at_apex][mxclash_suspected], 0);
}

static void test_cleared(void **state)
{
    static const struct reply replies[] = {
        {.qtype = wire_type_a},
        {.qtype = wire_type_mx},
        {.qtype = wire_type_mx, .mx = {MX1}},
        {.qtype = wire_type_cname, .rcode = MESSAGE_NXDOMAIN},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector_setup(state);
        prove_quiet_apex();
        client_mx(APEX, true);
        expect(mxclash_opened, mxclash_suspected, mxclash_probe);
        detector.now += MINUTE;
        see(APEX, A_IS_CNAME());
        see(APEX, MX_IS_CNAME());
        expect_no_event();
        see(APEX, replies[i]);
        expect(mxclash_cleared, mxclash_suspected, mxclash_probe);
        /* not there any more, so a client's question means nothing */
        client_mx(APEX, false);
        expect_no_event();
    }
}

/** Proved ever more seldom, until somebody asks for mail. */
static void test_quiet_apex_is_proved_seldom(void **state)
{
    mxclash_time wait = HOUR;

    (void)state;
    prove_quiet_apex();
    for (int i = 0; i < 8; i++) {
        detector.now += wait - 1;
        see(APEX, A_IS_CNAME());
        expect_no_proof();
        detector.now += 1;
        see(APEX, A_IS_CNAME());
        prove(MX_IS_CNAME(), CNAME_IS_CNAME());
        if (i + 2 <= CASE_QUIET_DOUBLINGS)
            wait *= 2;
    }
    assert_int_equal(wait, HOUR << (CASE_QUIET_DOUBLINGS - 1));
    /* mail is asked: the last proof is more than an hour old or becomes so */
    client_mx(APEX, true);
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
    expect_no_proof();
    detector.now += HOUR;
    client_mx(APEX, true);
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    detector.now += HOUR;
    client_mx(APEX, true);
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
}

/** The first question for mail hastens a proof that was put off, and holds none up that has failed.
 */
static void test_first_question_after_a_failed_proof(void **state)
{
    (void)state;
    see(APEX, A_IS_CNAME());
    fail_proof();
    client_mx(APEX, true);
    expect_no_proof();
    detector.now += CASE_RETRY_MS;
    client_mx(APEX, true);
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect(mxclash_opened, mxclash_suspected, mxclash_probe);
}

/** Lawful aliases that mail is sent to must not cost a proof every hour either. */
static void test_alias_is_proved_seldom(void **state)
{
    unsigned proofs = 0;

    (void)state;
    for (int hour = 0; hour < 24 * 7; hour++, detector.now += HOUR) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        see("bounce.shop.test", A_IS_CNAME(.zone = "shop.test"));
        client_mx("bounce.shop.test", true);
        if (!take_proof(&proof))
            continue;
        proofs++;
        answer_proof(&proof, MX_IS_CNAME(.zone = "shop.test"));
        answer_proof(&proof, CNAME_IS_CNAME(.zone = "shop.test"));
    }
    expect_no_event();
    assert_in_range(proofs, 5, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_nobody_asks_mail),
        WITH_DETECTOR(test_first_question_suspects),
        WITH_DETECTOR(test_first_question_before_a_proof),
        WITH_DETECTOR(test_confirmed_by_questions),
        WITH_DETECTOR(test_few_questions_do_not_confirm),
        WITH_DETECTOR(test_not_confirmed_by_a_fingerprint),
        WITH_DETECTOR(test_confirmed_by_an_mx_seen_before),
        WITH_DETECTOR(test_confirmed_by_an_mx_seen_meanwhile),
        WITH_DETECTOR(test_confirmed_by_an_mx_that_outlived_a_cname),
        WITH_DETECTOR(test_an_mx_that_was_taken_away),
        WITH_DETECTOR(test_stray_questions_do_not_confirm),
        WITH_DETECTOR(test_questions_below_a_domain),
        WITH_DETECTOR(test_an_mx_seen_below_a_domain),
        WITH_DETECTOR(test_wanted_but_not_proved),
        WITH_DETECTOR(test_as_long_as_mx_gets_the_cname),
        WITH_DETECTOR(test_not_cleared),
        WITH_DETECTOR(test_no_probe),
        WITH_DETECTOR(test_no_conflict),
        WITH_DETECTOR(test_becomes_the_other_kind),
        WITH_DETECTOR(test_becomes_the_other_kind_by_one_answer),
        WITH_DETECTOR(test_cleared),
        WITH_DETECTOR(test_quiet_apex_is_proved_seldom),
        WITH_DETECTOR(test_first_question_after_a_failed_proof),
        WITH_DETECTOR(test_alias_is_proved_seldom),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
