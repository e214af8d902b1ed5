/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tally events: harm is told where it grew, the worst in lines of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "detector.h"
#include "runtime/tally.h"

static struct {
    unsigned lines;
    unsigned sums;
    uint64_t queries_of_lines;
    uint64_t least_of_lines;
    struct mxclash_event last, sum;
} told;

static void take(void *context, const struct mxclash_event *event)
{
    (void)context;
    assert_int_equal(event->type, mxclash_tally);
    assert_int_equal(event->time, detector.now);
    if (event->owner_len == 0) {
        told.sums++;
        told.sum = *event;
        return;
    }
    told.lines++;
    told.queries_of_lines += event->mx_queries;
    if (told.least_of_lines == 0 || event->mx_queries < told.least_of_lines)
        told.least_of_lines = event->mx_queries;
    told.last = *event;
}

static void tally(void)
{
    memset(&told, 0, sizeof(told));
    tally_tell(detector.engine, detector.now, take, NULL);
}

/** A conflict by one answer that has both. */
static void open_one(const char *owner)
{
    see(owner, MX_IS_BOTH());
}

static void ask(const char *owner, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        assert_true(client_mx(owner, true));
}

/** Nothing is told twice, and nothing of a conflict that nobody asked about. */
static void test_only_what_grew(void **state)
{
    (void)state;
    tally();
    assert_int_equal(told.lines + told.sums, 0);
    open_one("split.test");
    tally();
    assert_int_equal(told.lines, 0);

    ask("split.test", 3);
    detector.now += MINUTE;
    tally();
    assert_int_equal(told.lines, 1);
    assert_int_equal(told.sums, 0);
    assert_int_equal(told.last.mx_queries, 3);
    assert_int_equal(told.last.kind, mxclash_cname_and_mx);
    assert_int_equal(told.last.state, mxclash_confirmed);
    assert_int_equal(told.last.first_seen, DETECTOR_START);
    tally();
    assert_int_equal(told.lines, 0);

    /* so far, not since */
    ask("split.test", 2);
    tally();
    assert_int_equal(told.lines, 1);
    assert_int_equal(told.last.mx_queries, 5);
}

/** What another event told of is not told again. */
static void test_events_tell_too(void **state)
{
    (void)state;
    see("split.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    ask("split.test", 4);
    detector.now += HOUR;
    assert_true(client_mx("split.test", true));
    see("split.test", A_IS_A());
    /* cleared, which tells of the five; and open anew it begins at 0 */
    prove(MX_IS_MX(), NO_CNAME());
    assert_int_equal(detector.events[detector.event_count - 1].type, mxclash_cleared);
    assert_int_equal(detector.events[detector.event_count - 1].mx_queries, 5);
    see("split.test", MX_IS_BOTH());
    tally();
    assert_int_equal(told.lines + told.sums, 0);
    ask("split.test", 1);
    tally();
    assert_int_equal(told.lines, 1);
    assert_int_equal(told.last.mx_queries, 1);
}

/** A domain with three conflicts has a line for each. */
static void test_each_conflict(void **state)
{
    (void)state;
    see("split.test", ((struct reply){.qtype = wire_type_mx,
                                      .cname = TARGET,
                                      .mx = {"mxbiz2.qq.com", "mx1.qiye.aliyun.com"}}));
    ask("split.test", 2);
    tally();
    assert_int_equal(told.sums, 0);
    assert_int_equal(told.lines, 3);
    assert_int_equal(told.queries_of_lines, 6);
    tally();
    assert_int_equal(told.lines, 0);
}

#define MANY (TALLY_LINES + 500)

/** Of too many the worst have lines, the rest one. */
static void test_the_rest_is_summed_up(void **state)
{
    struct mxclash_options options = detector_options();
    uint64_t asked = 0;

    (void)state;
    options.table_size = 64 << 20;
    options.on_event = NULL;
    detector_begin(&options);
    for (unsigned i = 0; i < MANY; i++) {
        char owner[32];

        /* so many of one domain would not be opened, nor so many at once */
        snprintf(owner, sizeof(owner), "d%u.test", i);
        open_one(owner);
        /* every third is hurt much */
        ask(owner, i % 3 == 0 ? 40 : 1);
        asked += i % 3 == 0 ? 40 : 1;
        detector.now += SECOND;
    }
    tally();
    assert_int_equal(told.lines, TALLY_LINES);
    assert_int_equal(told.sums, 1);
    assert_int_equal(told.sum.held_back, MANY - TALLY_LINES);
    assert_int_equal(told.sum.mx_queries, MANY - TALLY_LINES);
    assert_int_equal(told.queries_of_lines + told.sum.mx_queries, asked);
    assert_int_equal(told.least_of_lines, 1);
    tally();
    assert_int_equal(told.lines + told.sums, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_only_what_grew),
        WITH_DETECTOR(test_events_tell_too),
        WITH_DETECTOR(test_each_conflict),
        WITH_DETECTOR(test_the_rest_is_summed_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
