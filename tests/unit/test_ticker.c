/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Tests of the thread that lets go of events that wait: none waits for ever, none is woken in vain,
 * no thread is left. Run it under a thread sanitiser too.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/engine/engine.h"
#include "detector.h"
#include "runtime/ticker.h"

#define DEADLINE_MS (60 * SECOND)

static struct mxclash_engine *engine;
static struct ticker *ticker;

/** Guards told, which the ticker's thread counts up. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static unsigned told;

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec / 1000000;
}

static void on_event(void *context, const struct mxclash_event *event)
{
    (void)context;
    (void)event;
    pthread_mutex_lock(&lock);
    told++;
    pthread_cond_signal(&more);
    pthread_mutex_unlock(&lock);
}

static void on_held(void *context)
{
    (void)context;
    ticker_wake(ticker);
}

static int setup(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.lookup = true;
    options.on_event = on_event;
    options.on_held = on_held;
    assert_int_equal(mxclash_engine_new(&options, &engine, NULL, 0), mxclash_ok);
    ticker = ticker_start(engine);
    assert_non_null(ticker);
    told = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ticker_stop(ticker);
    ticker = NULL;
    mxclash_engine_free(engine);
    engine = NULL;
    return 0;
}

static _Atomic unsigned faults;

/** A domain in conflict, whose event then waits. Any thread. */
static void open_one(const char *owner)
{
    struct message *m = malloc(sizeof(*m));
    struct wire_name zone = wire_name_of(owner);
    struct mxclash_answer answer = {
        .struct_size = sizeof(answer), .zone = zone.octets, .zone_len = zone.len};

    if (m == NULL) {
        atomic_fetch_add(&faults, 1);
        return;
    }
    reply_build(m, owner, &MX_IS_BOTH());
    answer.message = m->octets;
    answer.message_len = m->len;
    if (mxclash_inspect(engine, &answer, DETECTOR_START) != mxclash_ok)
        atomic_fetch_add(&faults, 1);
    free(m);
}

/** Wait until so many events were told. \return false if they were not before the deadline */
static bool wait_told(unsigned count)
{
    struct timespec until;
    bool there;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_MS / SECOND;
    pthread_mutex_lock(&lock);
    while (told < count && pthread_cond_timedwait(&more, &lock, &until) == 0)
        ;
    there = told == count;
    pthread_mutex_unlock(&lock);
    return there;
}

/** One after another, each from a ticker that has gone to sleep or is about to. */
static void test_wakes_up(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 5; i++) {
        int64_t begun = monotonic_ms();
        char owner[16];

        snprintf(owner, sizeof(owner), "d%u.test", i % 100);
        open_one(owner);
        assert_true(wait_told(i));
        /* it had time to be looked up: one tick at least */
        assert_true(monotonic_ms() - begun >= TICKER_MS - 1);
    }
}

#define OPENERS 3
#define EACH    100

static void *open_many(void *number)
{
    unsigned self = *(const unsigned *)number;
    unsigned seed = self;

    for (unsigned i = 0; i < EACH; i++) {
        struct timespec pause = {.tv_nsec = rand_r(&seed) % 10000000};
        char owner[32];

        snprintf(owner, sizeof(owner), "o%u-%u.test", self, i);
        open_one(owner);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/** Before, after and amid ticks: none is lost, though nobody wakes the ticker after the last one.
 */
static void test_none_is_lost(void **state)
{
    pthread_t threads[OPENERS];
    unsigned numbers[OPENERS];

    (void)state;
    for (unsigned i = 0; i < OPENERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, open_many, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < OPENERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&faults), 0);
    assert_true(wait_told(OPENERS * EACH));
}

/** With nothing that waits it is not woken to look. */
static void test_sleeps_otherwise(void **state)
{
    int64_t end = monotonic_ms() + DEADLINE_MS;
    mxclash_time ticks;

    (void)state;
    open_one("shop.test");
    assert_true(wait_told(1));
    /* it is told in the second tick, whose count goes up at its end */
    do {
        assert_true(monotonic_ms() < end);
        pthread_mutex_lock(&engine->held.lock);
        ticks = engine->held.ticks;
        pthread_mutex_unlock(&engine->held.lock);
    } while (ticks < 2);
    for (end = monotonic_ms() + 4 * TICKER_MS; monotonic_ms() < end;) {
        struct timespec pause = {.tv_nsec = 20000000};

        nanosleep(&pause, NULL);
        pthread_mutex_lock(&engine->held.lock);
        /* the wake may have come while the first tick ran */
        assert_in_range(engine->held.ticks, ticks, ticks + 1);
        pthread_mutex_unlock(&engine->held.lock);
    }
}

static unsigned threads_now(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned count = 0;

    assert_non_null(tasks);
    for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

/** Stopped at once, asleep, awake, amid a tick, with an event that waits still: it goes, and soon.
 */
static void test_start_and_stop(void **state)
{
    unsigned before;
    int64_t begun;

    (void)state;
    ticker_stop(ticker);
    before = threads_now();
    begun = monotonic_ms();
    for (unsigned i = 0; i < 100; i++) {
        struct timespec pause = {.tv_nsec = (long)(i % 5) * 100000};

        ticker = ticker_start(engine);
        assert_non_null(ticker);
        if (i % 2 == 0)
            ticker_wake(ticker);
        nanosleep(&pause, NULL);
        if (i % 3 == 0)
            ticker_wake(ticker);
        ticker_stop(ticker);
    }
    /* two in three were awake, and none of them waited for its tick */
    assert_true(monotonic_ms() - begun < 30 * TICKER_MS);
    /* a thread that was joined may be listed for a moment yet */
    while (threads_now() != before)
        assert_true(monotonic_ms() - begun < DEADLINE_MS);
    ticker = NULL;
    ticker_stop(NULL);
}

static void test_stop_keeps_what_waits(void **state)
{
    (void)state;
    open_one("shop.test");
    ticker_stop(ticker);
    ticker = NULL;
    /* it may have been told before: then it is not told again */
    while (mxclash_tick(engine))
        ;
    assert_int_equal(told, 1);
    assert_false(mxclash_tick(engine));
    assert_int_equal(told, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_wakes_up),       TEST(test_none_is_lost),          TEST(test_sleeps_otherwise),
        TEST(test_start_and_stop), TEST(test_stop_keeps_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
