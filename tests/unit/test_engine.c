/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the public API: options, ignore list, broken input, counters, lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detector.h"

static enum mxclash_status try_options(const struct mxclash_options *options)
{
    struct mxclash_engine *engine = NULL;
    enum mxclash_status status = mxclash_engine_new(options, &engine, NULL, 0);

    assert_int_equal(engine != NULL, status == mxclash_ok);
    mxclash_engine_free(engine);
    return status;
}

static void test_options(void **state)
{
    struct mxclash_options options;

    (void)state;
#define REFUSED(field, value)                                                                      \
    options = detector_options();                                                                  \
    options.field = (value);                                                                       \
    assert_int_equal(try_options(&options), mxclash_invalid)
#define TAKEN(field, value)                                                                        \
    options = detector_options();                                                                  \
    options.field = (value);                                                                       \
    assert_int_equal(try_options(&options), mxclash_ok)
    TAKEN(table_size, 262144);
    REFUSED(table_size, 262143);
    REFUSED(table_size, 0);
    TAKEN(probe_rate, 1);
    TAKEN(probe_rate, 100000);
    REFUSED(probe_rate, 0);
    REFUSED(probe_rate, 100001);
    TAKEN(recheck_interval_s, 1);
    TAKEN(recheck_interval_s, 604800);
    REFUSED(recheck_interval_s, 0);
    REFUSED(recheck_interval_s, 604801);
    TAKEN(confirm_after_s, 0);
    TAKEN(confirm_after_s, 60);
    REFUSED(confirm_after_s, 61);
    TAKEN(expire_after_s, 60);
    TAKEN(expire_after_s, 31536000);
    REFUSED(expire_after_s, 59);
    REFUSED(expire_after_s, 31536001);
    TAKEN(on_event, NULL);
    mxclash_engine_free(NULL);
}

static void test_ignore_list_that_is_broken(void **state)
{
    static const char *const names[] = {"good.test", "a..b"};
    struct mxclash_options options = detector_options();

    (void)state;
    options.ignore = names;
    options.ignore_count = 2;
    assert_int_equal(try_options(&options), mxclash_invalid);
    options.ignore_count = 1;
    assert_int_equal(try_options(&options), mxclash_ok);
}

/** A list that leaves no room for cases is refused: the detector would find nothing, silently. */
static void test_ignore_list_that_is_too_long(void **state)
{
    static const char *names[5000];
    struct mxclash_options options = detector_options();

    (void)state;
    for (size_t i = 0; i < 5000; i++)
        names[i] = "good.test";
    options.ignore = names;
    options.ignore_count = 5000;
    assert_int_equal(try_options(&options), mxclash_invalid);
    options.table_size = 8 << 20;
    assert_int_equal(try_options(&options), mxclash_ok);
}

static void test_ignored(void **state)
{
    static const char *const names[] = {"shop.TEST", "a.b.example.", "zz.test", "short.test"};
    static const char *const ignored[] = {"shop.test", "x.y.Shop.test", "a.b.example", "zz.test"};
    static const char *const others[] = {"test", "notshop.test", "b.example", "c.b.example"};
    struct mxclash_options options = detector_options();

    (void)state;
    options.ignore = names;
    options.ignore_count = 4;
    detector_begin(&options);
    for (size_t i = 0; i < 4; i++) {
        see(ignored[i], MX_IS_BOTH());
        see(ignored[i], A_IS_CNAME());
        assert_false(client_mx(ignored[i], true));
    }
    expect_no_event();
    expect_no_proof();
    assert_int_equal(stats_now().table_entries, 0);
    for (size_t i = 0; i < 4; i++) {
        see(others[i], MX_IS_BOTH());
        assert_int_equal(next_event(others[i])->type, mxclash_opened);
    }
}

/** Any name of any zone is one: the root may be ignored as well. */
static void test_root_ignored(void **state)
{
    static const char *const names[] = {"."};
    struct mxclash_options options = detector_options();

    (void)state;
    options.ignore = names;
    options.ignore_count = 1;
    detector_begin(&options);
    see("shop.test", MX_IS_BOTH());
    expect_no_event();
}

static void test_malformed(void **state)
{
    const uint8_t octets[12] = {0};
    struct mxclash_answer answer = {.struct_size = sizeof(answer), .message = octets};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    for (answer.message_len = 0; answer.message_len < 12; answer.message_len++) {
        assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now),
                         mxclash_malformed);
        assert_int_equal(
            mxclash_proof_answer(detector.engine, &proof, wire_type_mx, &answer, detector.now),
            mxclash_malformed);
    }
    assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now), mxclash_ok);
    assert_int_equal(stats_now().malformed, 24);
    assert_int_equal(stats_now().inspected, 26);
    /* the proof is none the worse for it */
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->state, mxclash_confirmed);
}

static void test_client_with_a_broken_name(void **state)
{
    static const uint8_t name[] = "\77short";
    uint8_t huge[1000] = {0};

    (void)state;
    assert_false(
        mxclash_client_mx(detector.engine, name, sizeof(name), mxclash_reply_hides, detector.now));
    assert_false(mxclash_client_mx(detector.engine, name, 0, mxclash_reply_hides, detector.now));
    assert_false(
        mxclash_client_mx(detector.engine, huge, sizeof(huge), mxclash_reply_hides, detector.now));
    memset(huge, 1, sizeof(huge));
    assert_false(mxclash_client_mx(detector.engine, huge, 256, mxclash_reply_hides, detector.now));
    assert_false(mxclash_client_mx(detector.engine, huge, 255, mxclash_reply_hides, detector.now));
    assert_int_equal(stats_now().table_entries, 0);
}

static void test_client_queries_count(void **state)
{
    struct engine_stats stats;

    (void)state;
    assert_false(client_mx("shop.test", false));
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    assert_true(client_mx("shop.test", true));
    assert_true(client_mx("SHOP.test", true));
    assert_true(client_mx("shop.test", false));
    assert_false(client_mx("www.shop.test", false));
    stats = stats_now();
    assert_int_equal(stats.affected_mx[mxclash_hidden], 2);
    see("shop.test", A_IS_A());
    assert_int_equal(next_event("shop.test")->mx_queries, 3);
    assert_false(client_mx("shop.test", true));
    assert_int_equal(stats_now().affected_mx[mxclash_hidden], 2);
}

static void client_got(const char *owner, enum mxclash_reply reply)
{
    struct wire_name name = wire_name_of(owner);

    mxclash_client_mx(detector.engine, name.octets, name.len, reply, detector.now);
}

/** Where an MX comes in spite of a conflict: repaired if answers are, and if it is that conflict.
 */
static void test_repaired_queries_count(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    for (int repair = 0; repair <= 1; repair++) {
        options.repair = repair;
        detector_begin(&options);
        see("shop.test", MX_IS_BOTH());
        see("mixed.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com", MX1}));
        client_got("shop.test", mxclash_reply_shows);
        client_got("shop.test", mxclash_reply_other);
        client_got("mixed.test", mxclash_reply_shows);
        assert_int_equal(stats_now().affected_mx[mxclash_repaired], repair);
        assert_int_equal(stats_now().affected_mx[mxclash_hidden], 0);
    }
}

/** Whoever asks for the MX of a domain in conflict, and gets it or not, has it proved again. */
static void test_any_question_rechecks(void **state)
{
    static const enum mxclash_reply replies[] = {mxclash_reply_shows, mxclash_reply_other,
                                                 mxclash_reply_hides};

    (void)state;
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector.now += HOUR;
        client_got("shop.test", replies[i]);
        prove(MX_IS_MX(), CNAME_IS_CNAME());
    }
    expect_no_event();
}

/** A domain that is met now and then outlives, in a table that is too small, any number of those
 * that are not: it is met by an answer, another one by clients. */
static void test_who_is_met_stays(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.table_size = 262144;
    options.on_event = NULL;
    detector_begin(&options);
    see("seen.test", MX_IS_BOTH());
    see("asked.test", MX_IS_BOTH());
    for (unsigned i = 0; i < 4000; i++) {
        char owner[16];

        snprintf(owner, sizeof(owner), "n%u.test", i);
        detector.now += SECOND;
        see(owner, MX_IS_BOTH());
        see("seen.test", A_IS_CNAME());
        client_mx("asked.test", true);
    }
    assert_true(stats_now().evicted[mxclash_cname_and_mx] > 3000);
    assert_true(client_mx("asked.test", true));
    assert_true(client_mx("seen.test", true));
    assert_false(client_mx("n0.test", true));
}

/** Answers about another domain, more than a second apart: each lets what is old leave one of the
 * 16 shards. */
static void sweep(int turns)
{
    for (int i = 0; i < turns; i++, detector.now += 2 * SECOND)
        see("other.test", A_IS_A());
}

/** A suspect that nobody meets leaves the table as an open conflict does, but nothing tells of it.
 */
static void test_what_nobody_meets_leaves_the_table(void **state)
{
    (void)state;
    see("quiet.test", A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    detector.now += 48 * HOUR - 32 * SECOND;
    sweep(17);
    assert_int_equal(stats_now().table_entries, 2);
    sweep(16);
    assert_int_equal(stats_now().table_entries, 0);
    assert_int_equal(detector.event_count, detector.event_next + 1);
    assert_int_equal(detector.events[detector.event_next].type, mxclash_expired);
    assert_int_equal(detector.events[detector.event_next].kind, mxclash_cname_and_mx);
}

static void test_top_domains(void **state)
{
    struct mxclash_domain top[8] = {{.struct_size = sizeof(top[0])}};
    static const int asked[] = {3, 0, 7, 3, 5, 3};
    char text[MXCLASH_NAME_TEXT_MAX];

    (void)state;
    assert_int_equal(mxclash_top_domains(detector.engine, top, 8), 0);
    for (int i = 0; i < 6; i++) {
        char owner[] = {(char)('f' - i), '.', 't', 'e', 's', 't', '\0'};

        see(owner, MX_IS_BOTH());
        for (int j = 0; j < asked[i]; j++) {
            detector.now += SECOND;
            client_mx(owner, true);
        }
    }
    for (size_t max = 0; max <= 8; max++) {
        static const char *const wanted[] = {"d.test", "b.test", "a.test",
                                             "c.test", "f.test", "e.test"};
        size_t count = mxclash_top_domains(detector.engine, top, max);

        assert_int_equal(count, max < 6 ? max : 6);
        for (size_t i = 0; i < count; i++) {
            mxclash_name_to_text(top[i].owner, top[i].owner_len, text);
            assert_string_equal(text, wanted[i]);
        }
    }
    assert_int_equal(top[0].mx_queries, 7);
    assert_int_equal(top[0].kind, mxclash_cname_and_mx);
    assert_int_equal(top[0].state, mxclash_confirmed);
    assert_string_equal(top[0].provider, "");
    assert_int_equal(top[0].last_seen - top[0].first_seen, 7 * SECOND);
    assert_int_equal(top[5].mx_queries, 0);
}

/** Random lives, little room: after each step the counters agree with each other and the events. */
static void test_counters_agree(void **state)
{
    static const struct reply replies[] = {
        {.qtype = 1, .cname = TARGET},
        {.qtype = 1},
        {.qtype = 15, .mx = {MX1}},
        {.qtype = 15, .cname = TARGET},
        {.qtype = 15, .cname = TARGET, .mx = {MX2}},
        {.qtype = 5, .cname = TARGET, .no_aa = true, .forwarded = true},
    };
    struct mxclash_options options = detector_options();

    (void)state;
    options.on_event = NULL;
    options.table_size = 1 << 21;
    options.expire_after_s = 600;
    options.recheck_interval_s = 30;
    detector_begin(&options);
    srandom(5);
    for (int i = 0; i < 20000; i++, detector.now += random() % SECOND) {
        struct engine_stats stats;
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};
        char owner[32];

        snprintf(owner, sizeof(owner), "d%ld.test", random() % 300);
        see(owner, replies[random() % 6]);
        if (random() % 3 == 0)
            client_mx(owner, true);
        if (random() % 2 == 0 && take_proof(&proof)) {
            answer_proof(&proof, random() % 2 == 0 ? MX_IS_MX() : MX_IS_CNAME());
            if (random() % 2 == 0)
                answer_proof(&proof, CNAME_IS_CNAME());
            end_proof(&proof);
        }
        stats = stats_now();
        for (int kind = 0; kind < MXCLASH_KINDS; kind++)
            assert_int_equal(stats.opened[kind] - stats.cleared[kind] - stats.expired[kind],
                             stats.open_now[kind][mxclash_suspected] +
                                 stats.open_now[kind][mxclash_confirmed]);
        assert_true(stats.table_bytes <= stats.table_bytes_limit);
        assert_int_equal(stats.table_evictions, 0);
    }
    assert_true(stats_now().expired[mxclash_cname_and_mx] > 0);
    assert_true(stats_now().cleared[mxclash_cname_at_apex] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_options),
        WITH_DETECTOR(test_ignore_list_that_is_broken),
        WITH_DETECTOR(test_ignore_list_that_is_too_long),
        WITH_DETECTOR(test_ignored),
        WITH_DETECTOR(test_root_ignored),
        WITH_DETECTOR(test_malformed),
        WITH_DETECTOR(test_client_with_a_broken_name),
        WITH_DETECTOR(test_client_queries_count),
        WITH_DETECTOR(test_repaired_queries_count),
        WITH_DETECTOR(test_any_question_rechecks),
        WITH_DETECTOR(test_who_is_met_stays),
        WITH_DETECTOR(test_what_nobody_meets_leaves_the_table),
        WITH_DETECTOR(test_top_domains),
        WITH_DETECTOR(test_counters_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
