/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Tests of conflicts and their events, below the public API: what is told, held, held back, and
 * that counters and events add up.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/conflict.h"
#include "message.h"

#define START  INT64_C(1767323045678)
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define HASH   UINT64_C(77)

static struct docket docket;
static struct counters counters;
static struct casework work;
static struct openings openings;
static struct providers *providers;
static struct docket_shard *shard;
static struct docket_case *c;
static struct case_outcome outcome;
static mxclash_time now;

static int setup(void **state)
{
    struct wire_name owner = wire_name_of("shop.test");
    char error[PROVIDERS_ERROR_MAX];

    (void)state;
    now = START;
    memset(&counters, 0, sizeof(counters));
    assert_true(docket_init(&docket, 1 << 20));
    providers = providers_builtin(error);
    assert_non_null(providers);
    work = (struct casework){.docket = &docket,
                             .counters = &counters,
                             .openings = &openings,
                             .providers = providers,
                             .probe = true};
    openings_init(&openings);
    shard = docket_lock(&docket, HASH);
    c = docket_add(&docket, shard, HASH, owner.octets, owner.len);
    assert_non_null(c);
    case_outcome_init(&outcome);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    openings_deinit(&openings);
    docket_unlock(shard);
    docket_deinit(&docket);
    providers_free(providers);
    return 0;
}

static void set_target(const char *target)
{
    struct wire_name name = wire_name_of(target);

    assert_true(docket_set_target(&docket, shard, c, name.octets, name.len));
}

static void set_mx(const char *exchange)
{
    struct wire_name name = wire_name_of(exchange);
    struct mxclash_mx mx = {.preference = 5, .exchange_len = (uint8_t)name.len};

    memcpy(mx.exchange, name.octets, name.len);
    assert_true(docket_set_mx(&docket, shard, c, &mx, 1));
}

static void open_kind(enum mxclash_kind kind, enum mxclash_state state)
{
    conflict_open(&work, shard, c, kind, state,
                  state == mxclash_confirmed ? mxclash_probe : mxclash_separate_answers, now,
                  &outcome);
}

static void clear_kind(enum mxclash_kind kind)
{
    conflict_clear(&work, shard, c, kind, now, &outcome);
}

static uint64_t sum_open(enum mxclash_kind kind)
{
    return counters.open_now[kind][mxclash_suspected] + counters.open_now[kind][mxclash_confirmed];
}

/** What was opened and neither cleared nor expired is open. */
static void assert_counters(void)
{
    uint64_t sum = 0;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        uint64_t open = sum_open((enum mxclash_kind)kind);

        assert_int_equal(counters.opened[kind] - counters.cleared[kind] - counters.expired[kind],
                         open);
        assert_int_equal(open, c->conflicts[kind].open);
        sum += open;
    }
    assert_int_equal(case_is_open(c), sum != 0);
}

/** Take the events of the step: types in their order, as letters. */
static const char *events(void)
{
    static char text[CASE_EVENTS_MAX + 1];
    static const char letters[] = {[mxclash_opened] = 'o',
                                   [mxclash_changed] = 'c',
                                   [mxclash_cleared] = 'x',
                                   [mxclash_expired] = 'e'};

    assert_counters();
    for (size_t i = 0; i < outcome.event_count; i++)
        text[i] = letters[outcome.events[i].type];
    text[outcome.event_count] = '\0';
    case_outcome_init(&outcome);
    return text;
}

static void test_life(void **state)
{
    (void)state;
    open_kind(mxclash_cname_and_mx, mxclash_suspected);
    assert_int_equal(outcome.events[0].state, mxclash_suspected);
    assert_string_equal(events(), "o");
    now += MINUTE;
    open_kind(mxclash_cname_and_mx, mxclash_suspected);
    assert_string_equal(events(), "");
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_int_equal(outcome.events[0].state, mxclash_confirmed);
    assert_int_equal(outcome.events[0].evidence, mxclash_probe);
    assert_int_equal(outcome.events[0].first_seen, START);
    assert_int_equal(outcome.events[0].last_seen, now);
    assert_string_equal(events(), "c");
    /* what was proved once is not a suspicion again */
    open_kind(mxclash_cname_and_mx, mxclash_suspected);
    assert_string_equal(events(), "");
    assert_int_equal(counters.open_now[mxclash_cname_and_mx][mxclash_confirmed], 1);
    clear_kind(mxclash_cname_and_mx);
    assert_string_equal(events(), "x");
    clear_kind(mxclash_cname_and_mx);
    assert_string_equal(events(), "");
}

static void test_quiet(void **state)
{
    (void)state;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    clear_kind(mxclash_foreign_mx);
    assert_string_equal(events(), "ox");
    /* within the hour: counted, not told, and what was not told is not told to be over */
    for (int i = 0; i < 3; i++) {
        now += MINUTE;
        open_kind(mxclash_foreign_mx, mxclash_confirmed);
        clear_kind(mxclash_foreign_mx);
    }
    assert_string_equal(events(), "");
    /* other kinds have hours of their own */
    open_kind(mxclash_incomplete_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
    now = START + HOUR;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_int_equal(outcome.events[0].held_back, 6);
    clear_kind(mxclash_foreign_mx);
    assert_int_equal(outcome.events[1].held_back, 0);
    assert_string_equal(events(), "ox");
}

/** Open for longer than the quiet: then it is told, and once only. */
static void test_told_after_quiet(void **state)
{
    (void)state;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    clear_kind(mxclash_foreign_mx);
    now += MINUTE;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "ox");
    for (int i = 0; i < 58; i++, now += MINUTE)
        open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "");
    now = START + HOUR;
    for (int i = 0; i < 100; i++, now += MINUTE)
        open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
}

/** The clock is set back: what was told before the hour of the old time does not silence the new.
 */
static void test_quiet_and_clocks(void **state)
{
    (void)state;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    clear_kind(mxclash_foreign_mx);
    assert_string_equal(events(), "ox");
    /* another thread's clock is a little behind */
    now -= 100;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "");
    now -= 24 * HOUR;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
    clear_kind(mxclash_foreign_mx);
    assert_string_equal(events(), "x");
    now -= 24 * HOUR;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
}

static void test_held(void **state)
{
    (void)state;
    work.lookup = true;
    open_kind(mxclash_cname_and_mx, mxclash_suspected);
    assert_true(outcome.held && outcome.lookup);
    assert_string_equal(events(), "");
    now += 100;
    /* what it is when it is told, not what it was */
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_false(outcome.held);
    assert_string_equal(events(), "");
    c->impact = mxclash_implicit_mx;
    case_let_go(&work, c, &outcome);
    assert_int_equal(outcome.events[0].state, mxclash_confirmed);
    assert_int_equal(outcome.events[0].impact, mxclash_implicit_mx);
    assert_int_equal(outcome.events[0].time, START);
    assert_string_equal(events(), "o");
    case_let_go(&work, c, &outcome);
    assert_string_equal(events(), "");
    /* the quiet begins when it opened */
    clear_kind(mxclash_cname_and_mx);
    assert_string_equal(events(), "x");
    now = START + HOUR - 1;
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_false(outcome.held);
    assert_string_equal(events(), "");
}

/** Kinds that have nothing to look up, and an impact that is known already, wait for nothing. */
static void test_not_held(void **state)
{
    (void)state;
    work.lookup = true;
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    open_kind(mxclash_spf_missing, mxclash_confirmed);
    c->impact = mxclash_no_mail_host;
    open_kind(mxclash_cname_at_apex, mxclash_suspected);
    assert_false(outcome.held || outcome.lookup);
    assert_int_equal(outcome.events[0].impact, mxclash_impact_unknown);
    assert_int_equal(outcome.events[2].impact, mxclash_no_mail_host);
    assert_string_equal(events(), "ooo");
}

/** Over before it could be told: both are told, in their order. */
static void test_cleared_while_held(void **state)
{
    (void)state;
    work.lookup = true;
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    now += 50;
    clear_kind(mxclash_cname_and_mx);
    assert_int_equal(outcome.events[0].time, START);
    assert_int_equal(outcome.events[1].time, now);
    assert_string_equal(events(), "ox");
    case_let_go(&work, c, &outcome);
    assert_string_equal(events(), "");
}

/** Each kind is open, two of them are held, and all end in one step: nothing is lost. */
static void test_most_events(void **state)
{
    (void)state;
    work.lookup = true;
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        open_kind((enum mxclash_kind)kind, mxclash_confirmed);
    assert_string_equal(events(), "ooo");
    case_expire(&work, c, now, &outcome);
    assert_int_equal(outcome.event_count, CASE_EVENTS_MAX);
    assert_string_equal(events(), "ooeeeee");
    /* a proof that finds both and another mailbox */
    now += 2 * HOUR;
    open_kind(mxclash_spf_missing, mxclash_confirmed);
    open_kind(mxclash_cname_at_apex, mxclash_suspected);
    open_kind(mxclash_cname_and_mx, mxclash_suspected);
    assert_string_equal(events(), "o");
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    open_kind(mxclash_incomplete_mx, mxclash_confirmed);
    clear_kind(mxclash_spf_missing);
    clear_kind(mxclash_cname_at_apex);
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_string_equal(events(), "ooxooxc");
}

static void tell_changed(enum mxclash_kind kind)
{
    conflict_tell_changed(&work, c, kind, now, &outcome);
}

static void test_changed(void **state)
{
    (void)state;
    set_target("www.cdn.test");
    set_mx("mx.mail.test");
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    open_kind(mxclash_cname_at_apex, mxclash_confirmed);
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    assert_string_equal(events(), "ooo");
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        tell_changed((enum mxclash_kind)kind);
    assert_string_equal(events(), "");
    set_target("web.cdn.test");
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        tell_changed((enum mxclash_kind)kind);
    assert_int_equal(outcome.events[0].kind, mxclash_cname_and_mx);
    assert_int_equal(outcome.events[1].kind, mxclash_cname_at_apex);
    assert_string_equal(events(), "cc");
    now += MXCLASH_QUIET_MS;
    set_mx("mx.other.test");
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        tell_changed((enum mxclash_kind)kind);
    /* an apex that is a CNAME has no MX to tell of */
    assert_int_equal(outcome.events[0].kind, mxclash_cname_and_mx);
    assert_int_equal(outcome.events[1].kind, mxclash_foreign_mx);
    assert_string_equal(events(), "cc");
    now += MXCLASH_QUIET_MS;
    c->impact = mxclash_wrong_mail_host;
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        tell_changed((enum mxclash_kind)kind);
    assert_string_equal(events(), "cc");
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        tell_changed((enum mxclash_kind)kind);
    assert_string_equal(events(), "");
}

/** Once an hour at most, and then as it is by then; by a clock that was set back, at once. */
static void test_changed_all_the_time(void **state)
{
    char target[32];
    size_t told = 0;

    (void)state;
    set_target("www.cdn.test");
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
    for (int i = 0; i < 10 * 60; i++, now += MXCLASH_QUIET_MS / 60) {
        snprintf(target, sizeof(target), "t%d.cdn.test", i);
        set_target(target);
        tell_changed(mxclash_cname_and_mx);
        told += strlen(events());
    }
    assert_int_equal(told, 10);
    /* the last change was in the last hour: told when that is over */
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "c");
    set_target("www.cdn.test");
    now -= 2 * MXCLASH_QUIET_MS;
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "c");
}

/** Changes take what openings without a proof take; what was refused is told later. */
static void test_changes_of_very_many(void **state)
{
    (void)state;
    set_target("www.cdn.test");
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_string_equal(events(), "o");
    while (openings_take_token(&openings, now))
        ;
    set_target("web.cdn.test");
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "");
    assert_int_equal(atomic_load(&counters.delayed[mxclash_delay_rate_limit]), 1);
    now += 1000;
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "c");
}

/** What is not told, or not open, does not change. */
static void test_unchanged(void **state)
{
    (void)state;
    work.lookup = true;
    set_target("www.cdn.test");
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    set_target("web.cdn.test");
    tell_changed(mxclash_cname_and_mx);
    tell_changed(mxclash_foreign_mx);
    assert_string_equal(events(), "");
    case_let_go(&work, c, &outcome);
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "o");
    clear_kind(mxclash_cname_and_mx);
    set_target("new.cdn.test");
    tell_changed(mxclash_cname_and_mx);
    assert_string_equal(events(), "x");
}

static void test_servers_are_told_of(void **state)
{
    struct mxclash_address server = {.family = 4, .port = 53};

    (void)state;
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    assert_int_equal(outcome.events[0].servers, mxclash_servers_unknown);
    assert_string_equal(events(), "o");
    views_note(&c->views, &server, view_has_cname | view_lacks_mx);
    server.octets[3] = 1;
    views_note(&c->views, &server, view_has_mx);
    tell_changed(mxclash_cname_and_mx);
    assert_int_equal(outcome.events[0].servers, mxclash_servers_differ);
    assert_string_equal(events(), "c");
}

static void test_client_queries_belong_to_the_conflict(void **state)
{
    (void)state;
    open_kind(mxclash_cname_and_mx, mxclash_confirmed);
    open_kind(mxclash_foreign_mx, mxclash_confirmed);
    c->mx_queries = 9;
    clear_kind(mxclash_foreign_mx);
    assert_int_equal(c->mx_queries, 9);
    clear_kind(mxclash_cname_and_mx);
    assert_int_equal(outcome.events[3].mx_queries, 9);
    assert_int_equal(c->mx_queries, 0);
    assert_string_equal(events(), "ooxx");
}

/** How one kind stands by the events that came. */
struct told {
    bool open;
    mxclash_time opened_at;
    bool ever;
};

static void follow(struct told *told, const struct mxclash_event *event)
{
    switch (event->type) {
    case mxclash_opened:
        assert_false(told->open);
        assert_true(!told->ever || event->time - told->opened_at >= MXCLASH_QUIET_MS);
        *told = (struct told){.open = true, .opened_at = event->time, .ever = true};
        break;
    case mxclash_changed:
        assert_true(told->open);
        break;
    default:
        assert_true(told->open);
        told->open = false;
    }
}

/** Whatever happens in whatever order: events come in turn, hours apart, and nothing is lost. */
static void test_random(void **state)
{
    struct told told[MXCLASH_KINDS] = {0};
    uint64_t made = 0;

    (void)state;
    srandom(5);
    work.lookup = true;
    set_target("www.cdn.test");
    for (int step = 0; step < 20000; step++) {
        enum mxclash_kind kind = (enum mxclash_kind)(random() % MXCLASH_KINDS);

        now += random() % (8 * MINUTE);
        switch (random() % 8) {
        case 0:
        case 1:
            open_kind(kind, mxclash_suspected);
            break;
        case 2:
            open_kind(kind, mxclash_confirmed);
            break;
        case 3:
        case 4:
            clear_kind(kind);
            break;
        case 5:
            c->impact = (enum mxclash_impact)(random() % MXCLASH_IMPACTS);
            tell_changed(kind);
            break;
        case 6:
            case_let_go(&work, c, &outcome);
            break;
        default:
            if (random() % 8 == 0) {
                case_expire(&work, c, now, &outcome);
                docket_touch(&docket, shard, c, case_is_open(c));
            }
        }
        for (size_t i = 0; i < outcome.event_count; i++)
            follow(&told[outcome.events[i].kind], &outcome.events[i]);
        made += outcome.event_count;
        events();
        for (int i = 0; i < MXCLASH_KINDS; i++) {
            assert_int_equal(told[i].open, c->conflicts[i].open && c->conflicts[i].told);
            assert_true(c->conflicts[i].open || !c->conflicts[i].holding);
        }
    }
    assert_true(made > 2000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_quiet),
        TEST(test_told_after_quiet),
        TEST(test_quiet_and_clocks),
        TEST(test_held),
        TEST(test_not_held),
        TEST(test_cleared_while_held),
        TEST(test_most_events),
        TEST(test_changed),
        TEST(test_changed_all_the_time),
        TEST(test_changes_of_very_many),
        TEST(test_unchanged),
        TEST(test_servers_are_told_of),
        TEST(test_client_queries_belong_to_the_conflict),
        TEST(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
