/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the walk over what is open, of export and import, and of forgetting an owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "detector.h"

#define CASES_MAX 64

static struct {
    uint8_t octets[CASES_MAX][MXCLASH_EXPORT_MAX];
    size_t len[CASES_MAX];
    size_t count;
} file;

static void export_all(void)
{
    struct mxclash_cursor cursor = {{0}};

    file.count = 0;
    for (;;) {
        size_t len;

        assert_in_range(file.count, 0, CASES_MAX - 1);
        len = mxclash_export(detector.engine, &cursor, file.octets[file.count], MXCLASH_EXPORT_MAX);
        if (len == 0)
            return;
        file.len[file.count++] = len;
    }
}

/** A new engine, of another seed, that takes in what was exported. */
static void start_anew(void)
{
    struct mxclash_options options = detector_options();
    mxclash_time now = detector.now;

    options.seed = 4711;
    detector_begin(&options);
    detector.now = now;
    for (size_t i = 0; i < file.count; i++)
        assert_int_equal(mxclash_import(detector.engine, file.octets[i], file.len[i], detector.now),
                         mxclash_ok);
    expect_no_event();
}

static struct mxclash_event only_open(void)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    struct mxclash_event more = {.struct_size = sizeof(more)};
    struct mxclash_cursor cursor = {{0}};

    assert_true(mxclash_next_open(detector.engine, &cursor, &event));
    assert_false(mxclash_next_open(detector.engine, &cursor, &more));
    assert_false(mxclash_next_open(detector.engine, &cursor, &more));
    return event;
}

static void confirm(const char *owner)
{
    see(owner, MX_IS_MX());
    see(owner, A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event(owner)->type, mxclash_opened);
}

static void test_nothing_open(void **state)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    struct mxclash_cursor cursor = {{0}};

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_false(mxclash_next_open(detector.engine, &cursor, &event));
    export_all();
    assert_int_equal(file.count, 0);
}

/** What is open is told as its event was. */
static void test_next_open(void **state)
{
    struct mxclash_event open;
    const struct mxclash_event *told = &detector.events[0];

    (void)state;
    confirm("shop.test");
    detector.now += MINUTE;
    client_mx("shop.test", true);
    open = only_open();
    assert_int_equal(open.struct_size, sizeof(open));
    assert_int_equal(open.type, mxclash_opened);
    assert_int_equal(open.kind, mxclash_cname_and_mx);
    assert_int_equal(open.state, mxclash_confirmed);
    assert_int_equal(open.time, told->time);
    assert_int_equal(open.first_seen, told->first_seen);
    assert_int_equal(open.last_seen, detector.now);
    assert_int_equal(open.mx_queries, 1);
    assert_int_equal(open.mx_count, 2);
    assert_memory_equal(open.mx, told->mx, 2 * sizeof(open.mx[0]));
    assert_memory_equal(open.owner, told->owner, sizeof(open.owner));
    assert_memory_equal(&open.authority, &told->authority, sizeof(open.authority));
}

/** Each conflict of each case once, and two of one case are two. */
static void test_next_open_of_many(void **state)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    struct mxclash_cursor cursor = {{0}};
    unsigned seen[50] = {0}, of_mailbox = 0;

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        char owner[32];

        snprintf(owner, sizeof(owner), "n%u.test", i);
        /* a known provider's set, of which hosts lack: a second kind */
        see(owner,
            i % 5 == 0 ? MX_ANSWER(.cname = TARGET, .mx = {"mx1.qiye.aliyun.com"}) : MX_IS_BOTH());
        detector.now += SECOND;
    }
    while (mxclash_next_open(detector.engine, &cursor, &event)) {
        char owner[MXCLASH_NAME_TEXT_MAX];
        unsigned number;

        assert_int_equal(mxclash_name_to_text(event.owner, event.owner_len, owner), mxclash_ok);
        assert_int_equal(sscanf(owner, "n%u.test", &number), 1);
        assert_in_range(number, 0, 49);
        if (event.kind == mxclash_cname_and_mx)
            seen[number]++;
        else
            of_mailbox += event.kind == mxclash_incomplete_mx;
    }
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(of_mailbox, stats_now().open_now[mxclash_incomplete_mx][mxclash_confirmed]);
    assert_int_equal(of_mailbox, 10);
}

/** A cursor that no engine wrote ends the walk or goes on somewhere; it harms nothing. */
static void test_wild_cursors(void **state)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};

    (void)state;
    confirm("shop.test");
    for (int i = 0; i < 200000; i++) {
        struct mxclash_cursor cursor;

        for (int j = 0; j < 4; j++)
            cursor.place[j] = ((uint64_t)rand() << 32 ^ (uint64_t)rand()) >> rand() % 64;
        mxclash_next_open(detector.engine, &cursor, &event);
    }
    memset(file.octets[0], 0, MXCLASH_EXPORT_MAX);
    assert_int_equal(mxclash_export(detector.engine,
                                    &(struct mxclash_cursor){{0, UINT64_MAX, 0, 0}}, file.octets[0],
                                    MXCLASH_EXPORT_MAX),
                     0);
}

/** After a restart all is as it was, nothing is told anew, and it goes on being counted. */
static void test_restart(void **state)
{
    struct mxclash_event before, after;

    (void)state;
    confirm("shop.test");
    detector.now += MINUTE;
    client_mx("shop.test", true);
    client_mx("shop.test", true);
    before = only_open();
    export_all();
    assert_int_equal(file.count, 1);
    start_anew();
    after = only_open();
    assert_memory_equal(&after, &before, MXCLASH_EVENT_SIZE(&before));
    assert_int_equal(stats_now().imported[mxclash_cname_and_mx], 1);
    assert_int_equal(stats_now().opened[mxclash_cname_and_mx], 0);
    assert_int_equal(stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed], 1);
    /* the recheck comes when it would have come, and finds nothing new */
    see("shop.test", A_IS_CNAME());
    expect_no_proof();
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
    assert_true(client_mx("shop.test", true));
    /* mended: the end is told, with the queries of both lives */
    detector.now += HOUR;
    see("shop.test", A_IS_A());
    prove(MX_IS_MX(), NO_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    assert_int_equal(detector.events[detector.event_next - 1].mx_queries, 3);
    assert_int_equal(stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed], 0);
}

/** The hour in which no second opened event is made goes on over a restart. */
static void test_restart_while_quiet(void **state)
{
    (void)state;
    confirm("shop.test");
    detector.now += MINUTE;
    see("shop.test", MX_IS_BOTH());
    see("shop.test", MX_IS_MX());
    export_all();
    start_anew();
    detector.now += MINUTE;
    see("shop.test", MX_IS_BOTH());
    expect_no_event();
}

/** What the case says has changed between what was told and the export: that is told, once. */
static void test_restart_tells_what_was_not_told(void **state)
{
    (void)state;
    confirm("shop.test");
    detector.now += MINUTE;
    see("shop.test", (struct reply){.qtype = wire_type_a, .cname = "other.cdn.test"});
    expect_no_event();
    export_all();
    start_anew();
    detector.now += HOUR;
    see("shop.test", (struct reply){.qtype = wire_type_a, .cname = "other.cdn.test"});
    prove(MX_IS_MX(), CNAME_ANSWER(.cname = "other.cdn.test"));
    assert_int_equal(next_event("shop.test")->type, mxclash_changed);
}

static void test_expires_after_restart(void **state)
{
    (void)state;
    confirm("shop.test");
    export_all();
    detector.now += 3 * 24 * HOUR;
    start_anew();
    for (int i = 0; i < 32; i++) {
        detector.now += 2 * SECOND;
        see("other.test", A_IS_A());
    }
    assert_int_equal(detector.event_count, 1);
    assert_int_equal(detector.events[0].type, mxclash_expired);
    assert_int_equal(detector.events[0].kind, mxclash_cname_and_mx);
}

static void test_refused(void **state)
{
    static const char *const names[] = {"shop.test"};
    struct mxclash_options options = detector_options();
    uint8_t *octets = file.octets[0];
    size_t len;

    (void)state;
    confirm("shop.test");
    export_all();
    len = file.len[0];
    /* there already */
    assert_int_equal(mxclash_import(detector.engine, octets, len, detector.now), mxclash_invalid);
    options.ignore = names;
    options.ignore_count = 1;
    detector_begin(&options);
    assert_int_equal(mxclash_import(detector.engine, octets, len, detector.now), mxclash_invalid);
    assert_int_equal(stats_now().import_refused, 1);
    options.ignore_count = 0;
    detector_begin(&options);
    /* cut, longer, or one bit another */
    for (size_t i = 0; i < len; i++) {
        uint8_t *exact = message_exact(octets, i);

        assert_int_equal(mxclash_import(detector.engine, exact, i, detector.now),
                         mxclash_malformed);
        free(exact);
    }
    assert_int_equal(mxclash_import(detector.engine, octets, len + 1, detector.now),
                     mxclash_malformed);
    for (size_t bit = 0; bit < len * 8; bit++) {
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(mxclash_import(detector.engine, octets, len, detector.now),
                         mxclash_malformed);
        octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(stats_now().table_entries, 0);
    assert_int_equal(mxclash_import(detector.engine, octets, len, detector.now), mxclash_ok);
}

/** Write the checksum anew, as who means harm would. */
static void sign(uint8_t *octets, size_t len)
{
    uint32_t sum = XXH32(octets, len - 4, 0);

    for (int i = 0; i < 4; i++)
        octets[len - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
}

static void test_another_version(void **state)
{
    (void)state;
    confirm("shop.test");
    export_all();
    mxclash_forget(detector.engine, (const uint8_t *)"\4shop\4test", 11);
    file.octets[0][3]++;
    sign(file.octets[0], file.len[0]);
    assert_int_equal(mxclash_import(detector.engine, file.octets[0], file.len[0], detector.now),
                     mxclash_invalid);
}

/** Octets that were changed with their checksum: taken for what they say, or refused. */
static void test_changed_with_checksum(void **state)
{
    unsigned taken = 0;

    (void)state;
    confirm("shop.test");
    export_all();
    for (size_t at = 6; at < file.len[0] - 4; at++) {
        uint8_t was = file.octets[0][at];

        for (int i = 0; i < 8; i++) {
            struct mxclash_event event = {.struct_size = sizeof(event)};
            struct mxclash_cursor cursor = {{0}};

            detector_setup(NULL);
            file.octets[0][at] = (uint8_t)(was + (i < 6 ? 1 << i : 128 + 64 * (i - 6)));
            sign(file.octets[0], file.len[0]);
            if (mxclash_import(detector.engine, file.octets[0], file.len[0], detector.now) ==
                mxclash_ok) {
                taken++;
                while (mxclash_next_open(detector.engine, &cursor, &event)) {
                    assert_in_range(event.kind, 0, MXCLASH_KINDS - 1);
                    assert_in_range(event.state, 0, MXCLASH_STATES - 1);
                    assert_in_range(event.evidence, 0, MXCLASH_EVIDENCES - 1);
                    assert_in_range(event.mx_count, 0, MXCLASH_MX_MAX);
                    assert_true(event.first_seen <= event.last_seen);
                    assert_true(event.last_seen <= detector.now);
                }
            }
        }
        file.octets[0][at] = was;
    }
    assert_in_range(taken, 1, file.len[0] * 8);
}

/** A table too small for all keeps some, and counts. */
static void test_small_table(void **state)
{
    static uint8_t octets[2000][1024];
    static size_t len[2000];
    struct mxclash_options options = detector_options();
    struct mxclash_cursor cursor = {{0}};
    struct engine_stats stats;
    uint8_t one[MXCLASH_EXPORT_MAX];
    size_t count = 0, got;

    (void)state;
    options.table_size = 16 << 20;
    options.on_event = NULL;
    detector_begin(&options);
    for (unsigned i = 0; i < 2000; i++) {
        char owner[32];

        snprintf(owner, sizeof(owner), "n%u.test", i);
        detector.now += SECOND;
        see(owner, MX_IS_BOTH());
    }
    while ((got = mxclash_export(detector.engine, &cursor, one, sizeof(one))) != 0) {
        assert_in_range(got, 1, sizeof(octets[0]));
        memcpy(octets[count], one, got);
        len[count++] = got;
    }
    assert_int_equal(count, stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed]);
    assert_in_range(count, 1000, 2000);
    options.table_size = 1 << 20;
    detector_begin(&options);
    for (size_t i = 0; i < count; i++)
        mxclash_import(detector.engine, octets[i], len[i], detector.now + HOUR);
    stats = stats_now();
    assert_true(stats.table_bytes <= stats.table_bytes_limit);
    assert_in_range(stats.table_entries, 100, count - 1);
    assert_int_equal(stats.imported[mxclash_cname_and_mx],
                     stats.evicted[mxclash_cname_and_mx] +
                         stats.open_now[mxclash_cname_and_mx][mxclash_confirmed]);
}

static void test_forget(void **state)
{
    struct wire_name name = wire_name_of("SHOP.test");

    (void)state;
    assert_false(mxclash_forget(detector.engine, name.octets, name.len));
    confirm("shop.test");
    assert_true(mxclash_forget(detector.engine, name.octets, name.len));
    assert_false(mxclash_forget(detector.engine, name.octets, name.len));
    assert_false(mxclash_forget(detector.engine, name.octets, 3));
    assert_int_equal(stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed], 0);
    assert_int_equal(stats_now().evicted[mxclash_cname_and_mx], 1);
    assert_int_equal(stats_now().table_entries, 0);
    expect_no_event();
    assert_false(client_mx("shop.test", false));
}

static void test_recheck(void **state)
{
    struct wire_name name = wire_name_of("SHOP.test");

    (void)state;
    assert_false(mxclash_recheck(detector.engine, name.octets, name.len, detector.now));
    confirm("shop.test");
    detector.now += MINUTE;
    expect_no_proof();
    assert_true(mxclash_recheck(detector.engine, name.octets, name.len, detector.now));
    /* it waits already */
    assert_false(mxclash_recheck(detector.engine, name.octets, name.len, detector.now));
    prove(NO_MX(), NO_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_nothing_open),
        WITH_DETECTOR(test_next_open),
        WITH_DETECTOR(test_next_open_of_many),
        WITH_DETECTOR(test_wild_cursors),
        WITH_DETECTOR(test_restart),
        WITH_DETECTOR(test_restart_while_quiet),
        WITH_DETECTOR(test_restart_tells_what_was_not_told),
        WITH_DETECTOR(test_expires_after_restart),
        WITH_DETECTOR(test_refused),
        WITH_DETECTOR(test_another_version),
        WITH_DETECTOR(test_changed_with_checksum),
        WITH_DETECTOR(test_small_table),
        WITH_DETECTOR(test_forget),
        WITH_DETECTOR(test_recheck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
