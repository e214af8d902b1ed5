/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of opened events that wait for their impact: never for long, never lost, never told
 * twice. Run it under a thread sanitiser too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/ring.h"
#include "lookups.h"

static bool tick(void)
{
    return mxclash_tick(detector.engine);
}

static void open_it(const char *owner)
{
    see(owner, MX_IS_BOTH());
    expect_no_event();
}

static void test_two_ticks(void **state)
{
    (void)state;
    assert_false(tick());
    open_it("shop.test");
    assert_int_equal(lookups_held, 1);
    assert_true(tick());
    expect_no_event();
    assert_false(tick());
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    expect_no_event();
    assert_false(tick());
    expect_no_event();
}

/** Each waits its own two ticks, whoever came before. */
static void test_one_after_another(void **state)
{
    (void)state;
    open_it("a.test");
    assert_true(tick());
    open_it("b.test");
    assert_true(tick());
    assert_int_equal(next_event("a.test")->type, mxclash_opened);
    open_it("c.test");
    open_it("d.test");
    assert_true(tick());
    assert_int_equal(next_event("b.test")->type, mxclash_opened);
    expect_no_event();
    assert_false(tick());
    assert_int_equal(next_event("c.test")->type, mxclash_opened);
    assert_int_equal(next_event("d.test")->type, mxclash_opened);
    expect_no_event();
    assert_int_equal(lookups_held, 4);
}

/** The look is over first: it is told once; and what the look finds later is told as a change. */
static void test_look_before_and_after(void **state)
{
    (void)state;
    open_it("shop.test");
    assert_true(tick());
    look_up("shop.test", wire_type_mx, look_other_mx);
    expect_impact(next_event("shop.test"), mxclash_wrong_mail_host);
    assert_false(tick());
    expect_no_event();
    open_it("mart.test");
    look_up("mart.test", wire_type_mx, look_empty);
    assert_true(tick());
    assert_false(tick());
    expect_impact(next_event("mart.test"), mxclash_impact_unknown);
    look_up("mart.test", wire_type_a, look_address);
    expect_impact(expect_event("mart.test", mxclash_changed, mxclash_cname_and_mx,
                               mxclash_confirmed, mxclash_same_answer),
                  mxclash_implicit_mx);
}

/** One event of a suspicion that was proved before it was told. */
static void test_confirmed_while_held(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("shop.test", MX_IS_MX());
    see("shop.test", A_IS_CNAME());
    fail_proof();
    expect_no_event();
    see("shop.test", MX_IS_BOTH());
    assert_true(tick());
    assert_false(tick());
    event = expect_event("shop.test", mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed,
                         mxclash_same_answer);
    assert_int_equal(event->held_back, 0);
}

static void test_cleared_while_held(void **state)
{
    (void)state;
    open_it("shop.test");
    detector.now += 100;
    see("shop.test", A_IS_A());
    assert_int_equal(next_held_event("shop.test", DETECTOR_START)->type, mxclash_opened);
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    tick();
    tick();
    expect_no_event();
}

/** The clock jumps over the whole life of it. */
static void test_expired_while_held(void **state)
{
    (void)state;
    open_it("shop.test");
    detector.now += 49 * HOUR;
    for (int i = 0; i < 20; i++, detector.now += SECOND)
        see("other.test", A_IS_A());
    assert_int_equal(detector.events[detector.event_next++].type, mxclash_opened);
    assert_int_equal(detector.events[detector.event_next++].type, mxclash_expired);
    tick();
    tick();
    expect_no_event();
}

/** As many as wait already are all that can: the next is told at once, though it is looked up. */
static void test_no_room(void **state)
{
    struct mxclash_options options = lookups_options();
    const unsigned room = (unsigned)(options.table_size / 64 / sizeof(struct ring_entry));

    (void)state;
    for (unsigned i = 0; i < room; i++) {
        struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

        open_it(numbered(i));
        assert_true(take_lookup(&lookup));
    }
    assert_int_equal(lookups_held, room);
    see("shop.test", MX_IS_BOTH());
    expect_impact(next_event("shop.test"), mxclash_impact_unknown);
    assert_int_equal(lookups_held, room);
    look_up("shop.test", wire_type_mx, look_null_mx);
    assert_int_equal(next_event("shop.test")->type, mxclash_changed);
    assert_true(tick());
    expect_no_event();
    assert_false(tick());
    assert_int_equal(detector.event_count - detector.event_next, room);
}

/** Given up for room before it was told: nobody is told of it, and the counters say so. */
static void test_evicted_while_held(void **state)
{
    struct mxclash_options options = lookups_options();
    struct engine_stats stats;

    (void)state;
    options.table_size = 262144;
    options.on_event = NULL;
    detector_begin(&options);
    for (unsigned i = 0; i < 500; i++) {
        see(numbered(i), MX_IS_BOTH());
        tick();
    }
    tick();
    tick();
    stats = stats_now();
    assert_int_equal(stats.opened[mxclash_cname_and_mx], 500);
    assert_true(stats.evicted[mxclash_cname_and_mx] > 300);
    assert_int_equal(stats.open_now[mxclash_cname_and_mx][mxclash_confirmed],
                     500 - stats.evicted[mxclash_cname_and_mx]);
    assert_true(stats.table_bytes <= stats.table_bytes_limit);
}

#define THREADS 4
#define DOMAINS 100

/** Each domain's answer, made before the threads begin. */
static struct {
    struct wire_name name;
    struct message both;
    struct message gone;
    /** what came of it: opened and not closed, 0 or 1; else the order was wrong */
    _Atomic int told;
} domains[DOMAINS];

static _Atomic unsigned faults, opened, closed, ended;

static void follow(void *context, const struct mxclash_event *event)
{
    unsigned domain = (unsigned)(event->owner[2] - '0') * 10 + (unsigned)(event->owner[3] - '0');

    (void)context;
    if (event->type == mxclash_opened) {
        atomic_fetch_add(&opened, 1);
        atomic_fetch_add(&domains[domain].told, 1);
    } else if (event->type == mxclash_cleared) {
        atomic_fetch_add(&closed, 1);
        atomic_fetch_sub(&domains[domain].told, 1);
    }
}

static void hand_in(const struct message *m, const struct wire_name *zone, mxclash_time now)
{
    struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                    .message = m->octets,
                                    .message_len = m->len,
                                    .zone = zone->octets,
                                    .zone_len = zone->len};

    if (mxclash_inspect(detector.engine, &answer, now) != mxclash_ok)
        atomic_fetch_add(&faults, 1);
}

/** Opens and clears its own domains, and makes whatever lookups wait. */
static void *work(void *number)
{
    unsigned self = *(const unsigned *)number;
    unsigned seed = self;

    for (int round = 0; round < 100; round++) {
        /* hours, so that nothing is held back */
        mxclash_time now = DETECTOR_START + round * 2 * HOUR;

        for (unsigned i = self; i < DOMAINS; i += THREADS) {
            struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};
            struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply),
                                                 .answered = rand_r(&seed) % 2 == 0,
                                                 .null_mx = rand_r(&seed) % 2 == 0};

            hand_in(&domains[i].both, &domains[i].name, now);
            if (rand_r(&seed) % 2 == 0 && mxclash_lookup_next(detector.engine, now, &lookup))
                mxclash_lookup_end(detector.engine, &lookup, &reply, now);
            if (rand_r(&seed) % 2 == 0)
                hand_in(&domains[i].gone, &domains[i].name, now);
        }
    }
    atomic_fetch_add(&ended, 1);
    return NULL;
}

static void *keep_ticking(void *unused)
{
    (void)unused;
    while (atomic_load(&ended) != THREADS)
        mxclash_tick(detector.engine);
    while (mxclash_tick(detector.engine))
        ;
    return NULL;
}

static void make_domains(void)
{
    for (unsigned i = 0; i < DOMAINS; i++) {
        char owner[16];

        snprintf(owner, sizeof(owner), "n%02u.test", i);
        domains[i].name = wire_name_of(owner);
        reply_build(&domains[i].both, owner, &MX_IS_BOTH(.ttl_s = 1));
        reply_build(&domains[i].gone, owner, &A_IS_A());
        atomic_store(&domains[i].told, 0);
    }
}

/** However it comes that an event is told, by the look, the tick or the end: once it is. */
static void test_threads(void **state)
{
    struct mxclash_options options = lookups_options();
    struct engine_stats stats;
    pthread_t threads[THREADS + 1];
    unsigned numbers[THREADS];

    (void)state;
    options.on_event = follow;
    options.on_held = NULL;
    /* the threads' clocks are days apart at times */
    options.expire_after_s = 31536000;
    detector_begin(&options);
    make_domains();
    atomic_store(&ended, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[THREADS], NULL, keep_ticking, NULL), 0);
    for (unsigned i = 0; i < THREADS + 1; i++)
        pthread_join(threads[i], NULL);
    stats = stats_now();
    assert_int_equal(atomic_load(&faults), 0);
    assert_int_equal(stats.table_evictions, 0);
    assert_int_equal(atomic_load(&opened), stats.opened[mxclash_cname_and_mx]);
    assert_int_equal(atomic_load(&closed), stats.cleared[mxclash_cname_and_mx]);
    assert_true(stats.cleared[mxclash_cname_and_mx] > 1000);
    for (unsigned i = 0; i < DOMAINS; i++)
        assert_in_range(atomic_load(&domains[i].told), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOKUPS(test_two_ticks),
        WITH_LOOKUPS(test_one_after_another),
        WITH_LOOKUPS(test_look_before_and_after),
        WITH_LOOKUPS(test_confirmed_while_held),
        WITH_LOOKUPS(test_cleared_while_held),
        WITH_LOOKUPS(test_expired_while_held),
        WITH_LOOKUPS(test_no_room),
        WITH_LOOKUPS(test_evicted_while_held),
        WITH_LOOKUPS(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
