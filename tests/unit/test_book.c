/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Unit tests of the book: what each event changes in it, and how it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "book/writer_parts.h"
#include "book_fixture.h"

static struct book_fixture f;

static int set_up(void **state)
{
    (void)state;
    fixture_begin(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

/** The list as text. */
static const char *list(struct book_filter filter, enum book_sort sort)
{
    static char text[4096];
    text[0] = '\0';
    assert_true(book_list(f.book, &filter, sort, 100, NULL, false, fixture_list_one, text, NULL));
    return text;
}

static const struct book_filter open_now = {.which = book_open_now};
static const struct book_filter ended = {.which = book_ended};

static void test_opened_changed_cleared(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - HOUR});
    assert_string_equal(list(open_now, 0), "example.com/cname-and-mx/confirmed/0/1 ");
    fixture_tell(&f, (struct told){.event = "changed",
                                   .time = NOW - HOUR / 2,
                                   .first_seen = NOW - HOUR,
                                   .target = "other.cdn.test",
                                   .mx_queries = 3});
    struct shown shown = fixture_show(&f, "example.com");
    assert_int_equal(shown.count, 1);
    assert_int_equal(shown.conflict[0].mx_queries, 3);
    assert_int_equal(shown.conflict[0].mx_count, 2);
    assert_int_equal(shown.conflict[0].mx[1].preference, 10);
    assert_int_equal(shown.conflict[0].advice_count, 2);
    assert_int_equal(shown.conflict[0].apex, 1);
    assert_int_equal(shown.conflict[0].hides_spf, -1);
    assert_string_equal(shown.target[0], "other.cdn.test");
    assert_int_equal(shown.conflict[0].ended, 0);
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .time = NOW,
                                   .first_seen = NOW - HOUR,
                                   .target = "gone.test",
                                   .mx_queries = 5});
    shown = fixture_show(&f, "example.com");
    assert_int_equal(shown.count, 1);
    assert_int_equal(shown.conflict[0].ended, NOW);
    assert_string_equal(shown.ending[0], "cleared");
    assert_int_equal(shown.conflict[0].mx_queries, 5);
    /* what was wrong stays to be read */
    assert_string_equal(shown.target[0], "other.cdn.test");
    assert_string_equal(list(open_now, 0), "");
    assert_string_equal(list(ended, 0), "example.com/cname-and-mx/confirmed/5/1 ");
}

static void test_one_domain_on_many_hosts(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened",
                                   .time = NOW - DAY,
                                   .host = "r1",
                                   .state = "confirmed",
                                   .mx_queries = 4});
    fixture_tell(&f, (struct told){.event = "opened",
                                   .time = NOW - HOUR,
                                   .host = "r2",
                                   .state = "suspected",
                                   .mx_queries = 6});
    assert_string_equal(list(open_now, 0), "example.com/cname-and-mx/confirmed/10/2 ");
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .time = NOW,
                                   .first_seen = NOW - DAY,
                                   .host = "r1",
                                   .mx_queries = 4});
    assert_string_equal(list(open_now, 0), "example.com/cname-and-mx/suspected/6/1 ");
    assert_string_equal(list((struct book_filter){.host = "r1"}, 0), "");
    assert_string_equal(list((struct book_filter){.host = "r2"}, 0),
                        "example.com/cname-and-mx/suspected/6/1 ");
    fixture_tell(&f, (struct told){.event = "expired",
                                   .time = NOW,
                                   .first_seen = NOW - HOUR,
                                   .host = "r2",
                                   .mx_queries = 6});
    assert_string_equal(list(open_now, 0), "");
    assert_string_equal(list(ended, 0), "example.com/cname-and-mx/confirmed/10/2 ");
}

static bool pass_over(void *context, enum book_group by, const struct book_share *share)
{
    (void)context;
    (void)by;
    (void)share;
    return true;
}

static struct book_summary open_summary(void)
{
    struct book_summary summary;
    assert_true(book_overview(f.book, &summary, 0, pass_over, NULL));
    return summary;
}

static void test_two_kinds_are_two(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW});
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW, .kind = "spf-missing"});
    assert_string_equal(list(open_now, book_by_domain), "example.com/cname-and-mx/confirmed/0/1 "
                                                        "example.com/spf-missing/confirmed/0/1 ");
    const struct book_summary summary = open_summary();
    assert_int_equal(summary.open, 2);
    assert_int_equal(summary.domains, 1);
}

static void test_tally(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - HOUR});
    fixture_line(
        &f,
        "{\"time\":\"2026-11-28T09:30:00Z\",\"event\":\"tally\",\"domain\":\"example.com\","
        "\"kind\":\"cname-and-mx\",\"state\":\"confirmed\",\"mx_queries\":40,"
        "\"first_seen\":\"2026-11-28T09:00:00Z\",\"since\":\"2026-11-28T09:25:00Z\","
        "\"host\":\"resolver1\"}",
        NOW);
    struct shown shown = fixture_show(&f, "example.com");
    assert_int_equal(shown.conflict[0].mx_queries, 40);
    assert_int_equal(shown.conflict[0].told, NOW - HOUR / 2);
    /* a tally says nothing of the records */
    assert_int_equal(shown.conflict[0].mx_count, 2);
    assert_string_equal(shown.target[0], "www.cdn.test");
}

static void test_tally_of_what_nobody_opened(void **state)
{
    (void)state;
    fixture_line(
        &f,
        "{\"time\":\"2026-11-28T09:30:00Z\",\"event\":\"tally\",\"domain\":\"example.com\","
        "\"kind\":\"cname-and-mx\",\"mx_queries\":40,\"host\":\"r\"}",
        NOW);
    assert_string_equal(list(open_now, 0), "example.com/cname-and-mx/suspected/40/1 ");
}

static void test_end_of_what_nobody_opened(void **state)
{
    (void)state;
    fixture_tell(
        &f,
        (struct told){.event = "cleared", .time = NOW, .first_seen = NOW - DAY, .mx_queries = 9});
    assert_string_equal(list(open_now, 0), "");
    assert_string_equal(list(ended, 0), "example.com/cname-and-mx/confirmed/9/1 ");
}

/** A resolver that lost its cases opens anew what it finds, and counts from 0. */
static void test_restarted_resolver_counts_on(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - DAY, .mx_queries = 0});
    fixture_tell(&f, (struct told){.event = "changed",
                                   .time = NOW - 2 * HOUR,
                                   .first_seen = NOW - DAY,
                                   .mx_queries = 100});
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - HOUR, .mx_queries = 1});
    fixture_tell(&f, (struct told){.event = "changed",
                                   .time = NOW - HOUR / 2,
                                   .first_seen = NOW - HOUR,
                                   .mx_queries = 20});
    struct shown shown = fixture_show(&f, "example.com");
    assert_int_equal(shown.count, 1);
    assert_int_equal(shown.conflict[0].mx_queries, 120);
    assert_int_equal(shown.conflict[0].first_seen, NOW - DAY);
    fixture_tell(
        &f,
        (struct told){.event = "cleared", .time = NOW, .first_seen = NOW - HOUR, .mx_queries = 21});
    assert_string_equal(list(ended, 0), "example.com/cname-and-mx/confirmed/121/1 ");
}

/** Every line of a life, twice over: a log whose place was lost. */
static void test_lines_read_again_change_nothing(void **state)
{
    (void)state;
    static const struct told life[] = {
        {.event = "opened", .time = NOW - 9 * HOUR, .mx_queries = 1},
        {.event = "cleared", .time = NOW - 8 * HOUR, .first_seen = NOW - 9 * HOUR, .mx_queries = 5},
        {.event = "opened", .time = NOW - 7 * HOUR, .mx_queries = 2},
        {.event = "opened", .time = NOW - 6 * HOUR, .mx_queries = 3},
        {.event = "opened", .time = NOW - 5 * HOUR, .mx_queries = 4},
        {.event = "expired", .time = NOW - 4 * HOUR, .first_seen = NOW - 5 * HOUR, .mx_queries = 6},
        {.event = "opened", .time = NOW - 3 * HOUR, .mx_queries = 7},
        {.event = "opened", .time = NOW - 2 * HOUR, .mx_queries = 8},
    };
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof(life) / sizeof(life[0]); i++) {
            fixture_tell(&f, life[i]);
            /* and the line before once more */
            if (i > 0) {
                fixture_tell(&f, life[i - 1]);
            }
        }
        struct shown shown = fixture_show(&f, "example.com");
        assert_int_equal(shown.count, 3);
        assert_int_equal(shown.conflict[0].mx_queries, 15);
        assert_int_equal(shown.conflict[0].ended, 0);
        assert_int_equal(shown.conflict[1].mx_queries, 2 + 3 + 6);
        assert_int_equal(shown.conflict[1].ended, NOW - 4 * HOUR);
        assert_int_equal(shown.conflict[2].mx_queries, 5);
    }
    assert_int_equal(open_summary().open, 1);
}

/** An older log that is read behind the newer one adds history, and ends nothing that is open. */
static void test_older_log_later(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - HOUR});
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - 2 * DAY});
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .time = NOW - DAY,
                                   .first_seen = NOW - 2 * DAY,
                                   .mx_queries = 3});
    struct shown shown = fixture_show(&f, "example.com");
    assert_int_equal(shown.count, 2);
    assert_int_equal(shown.conflict[0].ended, 0);
    assert_int_equal(shown.conflict[0].first_seen, NOW - HOUR);
    assert_int_equal(shown.conflict[1].ended, NOW - DAY);
}

static void test_retention(void **state)
{
    (void)state;
    bool more;
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .domain = "old.test",
                                   .time = NOW - 91 * DAY,
                                   .first_seen = NOW - 92 * DAY});
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .domain = "young.test",
                                   .time = NOW - 89 * DAY,
                                   .first_seen = NOW - 92 * DAY});
    assert_int_equal(writer_begin(f.writer, NOW), SQLITE_OK);
    assert_int_equal(writer_tidy(f.writer, &more), SQLITE_OK);
    assert_int_equal(writer_commit(f.writer), SQLITE_OK);
    assert_false(more);
    assert_string_equal(list(ended, 0), "young.test/cname-and-mx/confirmed/0/1 ");
    assert_int_equal(fixture_show(&f, "old.test").count, 0);
}

static void tidy(int64_t now)
{
    bool more;
    assert_int_equal(writer_begin(f.writer, now), SQLITE_OK);
    assert_int_equal(writer_tidy(f.writer, &more), SQLITE_OK);
    assert_int_equal(writer_commit(f.writer), SQLITE_OK);
}

/** A restarted resolver may have forgotten a domain that was mended since: nobody will clear it. */
static void test_silent(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .domain = "a.test", .time = NOW - 9 * DAY});
    fixture_tell(
        &f,
        (struct told){.event = "opened", .domain = "b.test", .time = NOW - 9 * DAY, .host = "r2"});
    fixture_line(&f,
                 "{\"time\":\"2026-11-20T00:00:00Z\",\"event\":\"started\",\"host\":\"resolver1\","
                 "\"version\":\"0.1.0\"}",
                 NOW);
    tidy(NOW - 3 * DAY);
    assert_string_equal(list(open_now, book_by_domain), "a.test/cname-and-mx/confirmed/0/1 "
                                                        "b.test/cname-and-mx/confirmed/0/1 ");
    tidy(NOW);
    /* r2 did not start anew */
    assert_string_equal(list(open_now, 0), "b.test/cname-and-mx/confirmed/0/1 ");
    struct shown shown = fixture_show(&f, "a.test");
    assert_string_equal(shown.ending[0], "silent");
    /* but it had kept it, and speaks again */
    fixture_tell(&f, (struct told){.event = "tally",
                                   .domain = "a.test",
                                   .time = NOW + HOUR,
                                   .first_seen = NOW - 9 * DAY,
                                   .mx_queries = 3});
    shown = fixture_show(&f, "a.test");
    assert_int_equal(shown.count, 1);
    assert_int_equal(shown.conflict[0].ended, 0);
    assert_int_equal(shown.conflict[0].mx_queries, 3);
    /* nothing at all for as long as anything is kept */
    tidy(NOW + 82 * DAY);
    assert_string_equal(list(open_now, 0), "a.test/cname-and-mx/confirmed/3/1 ");
}

/** Too many rows: what ended longest ago goes, then what was told of longest ago. */
static void test_too_many(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        char domain[16];
        snprintf(domain, sizeof(domain), "e%d.test", i);
        fixture_tell(&f, (struct told){.event = "cleared",
                                       .domain = domain,
                                       .time = NOW - i * HOUR,
                                       .first_seen = NOW - DAY});
        domain[0] = 'o';
        fixture_tell(&f, (struct told){.event = "opened", .domain = domain, .time = NOW - i * DAY});
    }
    f.writer->conflicts = WRITER_CONFLICTS_MAX + 2;
    tidy(NOW);
    assert_int_equal(f.writer->conflicts, WRITER_CONFLICTS_MAX);
    assert_string_equal(list(ended, book_by_domain), "e0.test/cname-and-mx/confirmed/0/1 "
                                                     "e1.test/cname-and-mx/confirmed/0/1 ");
    f.writer->conflicts = WRITER_CONFLICTS_MAX + 3;
    tidy(NOW);
    assert_int_equal(f.writer->conflicts, WRITER_CONFLICTS_MAX);
    assert_string_equal(list(ended, book_by_domain), "");
    assert_string_equal(list(open_now, book_by_domain), "o0.test/cname-and-mx/confirmed/0/1 "
                                                        "o1.test/cname-and-mx/confirmed/0/1 "
                                                        "o2.test/cname-and-mx/confirmed/0/1 ");
}

/* --- reading -------------------------------------------------------------------------------------
 */

static void tell_some(void)
{
    static const struct told some[] = {
        {.domain = "c.test", .time = NOW - 1 * HOUR, .mx_queries = 5, .provider = "p1"},
        {.domain = "a.test", .time = NOW - 2 * HOUR, .mx_queries = 5, .state = "suspected"},
        {.domain = "b.test",
         .time = NOW - 3 * HOUR,
         .mx_queries = 9,
         .kind = "foreign-mx",
         .provider = "p1"},
        {.domain = "x\\_y.test", .time = NOW - 4 * HOUR, .mx_queries = 0, .provider = "p2"},
        {.domain = "d.test", .time = NOW - 5 * HOUR, .mx_queries = 5},
    };
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        struct told one = some[i];
        one.event = "opened";
        if (strchr(one.domain, '\\') != NULL) {
            one.domain = "x\\\\127y.test";
        }
        fixture_tell(&f, one);
    }
}

static void test_orders(void **state)
{
    (void)state;
    tell_some();
    assert_string_equal(list(open_now, book_by_mx_queries),
                        "b.test/foreign-mx/confirmed/9/1 a.test/cname-and-mx/suspected/5/1 "
                        "c.test/cname-and-mx/confirmed/5/1 d.test/cname-and-mx/confirmed/5/1 "
                        "x\\127y.test/cname-and-mx/confirmed/0/1 ");
    assert_string_equal(list(open_now, book_by_domain),
                        "a.test/cname-and-mx/suspected/5/1 b.test/foreign-mx/confirmed/9/1 "
                        "c.test/cname-and-mx/confirmed/5/1 d.test/cname-and-mx/confirmed/5/1 "
                        "x\\127y.test/cname-and-mx/confirmed/0/1 ");
    assert_memory_equal(list(open_now, book_by_first_seen), "c.test", 6);
    assert_memory_equal(list(open_now, book_by_last_seen), "c.test", 6);
}

static void test_filters(void **state)
{
    (void)state;
    tell_some();
    assert_string_equal(list((struct book_filter){.state = "suspected"}, 0),
                        "a.test/cname-and-mx/suspected/5/1 ");
    assert_string_equal(list((struct book_filter){.kind = "foreign-mx"}, 0),
                        "b.test/foreign-mx/confirmed/9/1 ");
    assert_string_equal(list((struct book_filter){.provider = "p2"}, 0),
                        "x\\127y.test/cname-and-mx/confirmed/0/1 ");
    assert_string_equal(list((struct book_filter){.provider = "", .state = "confirmed"}, 0),
                        "d.test/cname-and-mx/confirmed/5/1 ");
    assert_string_equal(list((struct book_filter){.query = "C.T"}, 0),
                        "c.test/cname-and-mx/confirmed/5/1 ");
    assert_string_equal(list((struct book_filter){.query = "%"}, 0), "");
    assert_string_equal(list((struct book_filter){.impact = "none"}, 0), "");
    assert_string_equal(list((struct book_filter){.host = "nobody"}, 0), "");
    assert_string_equal(list((struct book_filter){.kind = "' OR 1 --"}, 0), "");
}

/** Pages of every size and order give every member once, whatever comes and goes meanwhile. */
static void test_pages(void **state)
{
    (void)state;
    tell_some();
    for (int sort = 0; sort < BOOK_SORTS; sort++) {
        for (size_t limit = 1; limit <= 6; limit++) {
            char whole[4096] = "", pages[4096] = "", cursor[BOOK_CURSOR_MAX] = "";
            struct book_page page;
            unsigned rounds = 0;
            assert_true(book_list(f.book, &open_now, sort, 100, NULL, true, fixture_list_one, whole,
                                  &page));
            assert_int_equal(page.total, 5);
            assert_string_equal(page.next, "");
            do {
                assert_true(book_list(f.book, &open_now, sort, limit, cursor, true,
                                      fixture_list_one, pages, &page));
                assert_int_equal(page.total, 5);
                strcpy(cursor, page.next);
                assert_true(++rounds < 10);
            } while (cursor[0] != '\0');
            assert_string_equal(pages, whole);
            assert_int_equal(rounds, limit >= 5 ? 1 : (5 + limit - 1) / limit);
        }
    }
}

static void test_bad_cursors(void **state)
{
    (void)state;
    static const char *const bad[] = {"x", "5", "5~", "5~kind", "~a~b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[4096] = "";
        assert_false(
            book_list(f.book, &open_now, 0, 1, bad[i], false, fixture_list_one, text, NULL));
        assert_string_equal(book_error(f.book), "this is no cursor of a list");
    }
}

static bool add_overview(void *context, enum book_group by, const struct book_share *share)
{
    char(*texts)[512] = context;
    const size_t used = strlen(texts[by]);
    snprintf(texts[by] + used, sizeof(texts[by]) - used, "%s:%d:%d ", share->value,
             (int)share->open, (int)share->mx_queries);
    return true;
}

static void test_groups(void **state)
{
    (void)state;
    tell_some();
    static const char *const wanted[BOOK_GROUPS][3] = {
        [book_group_kind] = {"cname-and-mx:4:15 ", "foreign-mx:1:9 ", ""},
        [book_group_impact] = {"implicit-mx:5:24 ", "", ""},
        [book_group_provider] = {"p1:2:14 ", ":2:10 ", "p2:1:0 "},
    };
    for (size_t limit = 0; limit <= 3; limit++) {
        char texts[BOOK_GROUPS][512] = {{0}};
        struct book_summary summary;
        assert_true(book_overview(f.book, &summary, limit, add_overview, texts));
        for (int by = 0; by < BOOK_GROUPS; by++) {
            char text[512] = "";
            for (size_t i = 0; i < limit; i++) {
                strcat(text, wanted[by][i]);
            }
            assert_string_equal(texts[by], text);
        }
    }
}

static bool fail_overview(void *context, enum book_group by, const struct book_share *share)
{
    (void)context;
    fail_msg("group %d has %s", (int)by, share->value);
    return false;
}

static void test_overview(void **state)
{
    struct book_summary summary;
    (void)state;
    assert_true(book_overview(f.book, &summary, 3, fail_overview, NULL));
    assert_memory_equal(&summary, &(struct book_summary){0}, sizeof(summary));
    tell_some();
    summary = open_summary();
    assert_int_equal(summary.open, 5);
    assert_int_equal(summary.confirmed, 4);
    assert_int_equal(summary.mx_queries, 24);
    assert_int_equal(summary.domains, 5);
    assert_int_equal(summary.ended, 0);
    assert_int_equal(summary.hosts, 1);
    assert_int_equal(summary.newest, NOW - HOUR);
}

static bool add_hour(void *context, const struct book_hour *hour)
{
    char *text = context;
    const size_t used = strlen(text);
    snprintf(text + used, 1024 - used, "%d:mx%d+%d,o%d,c%d,e%d=%d ",
             (int)((hour->start - NOW) / HOUR), (int)hour->mx_queries, (int)hour->mx_queries_summed,
             (int)hour->opened, (int)hour->cleared, (int)hour->expired, (int)hour->open);
    return true;
}

static void test_timeline(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW - 4 * HOUR, .mx_queries = 1});
    fixture_tell(&f, (struct told){.event = "tally",
                                   .time = NOW - 3 * HOUR,
                                   .first_seen = NOW - 4 * HOUR,
                                   .mx_queries = 11});
    fixture_tell(&f, (struct told){.event = "opened",
                                   .domain = "b.test",
                                   .kind = "foreign-mx",
                                   .time = NOW - 3 * HOUR});
    /* the same count again is no harm again */
    fixture_tell(&f, (struct told){.event = "tally",
                                   .time = NOW - 2 * HOUR,
                                   .first_seen = NOW - 4 * HOUR,
                                   .mx_queries = 11});
    fixture_tell(&f, (struct told){.event = "cleared",
                                   .time = NOW - HOUR,
                                   .first_seen = NOW - 4 * HOUR,
                                   .mx_queries = 14});
    for (int i = 0; i < 2; i++) {
        fixture_line(&f,
                     "{\"time\":\"2026-11-28T08:00:00Z\",\"event\":\"tally\",\"domain\":null,"
                     "\"domains\":40,\"mx_queries\":99,\"host\":\"resolver1\"}",
                     NOW);
    }
    char text[1024] = "";
    assert_true(book_timeline(f.book, NULL, NOW - 5 * HOUR, NOW + 1, add_hour, text));
    assert_string_equal(text, "-5:mx0+0,o0,c0,e0=0 -4:mx1+0,o1,c0,e0=1 -3:mx10+0,o1,c0,e0=2 "
                              "-2:mx0+99,o0,c0,e0=2 -1:mx3+0,o0,c1,e0=1 0:mx0+0,o0,c0,e0=1 ");
    text[0] = '\0';
    assert_true(
        book_timeline(f.book, "foreign-mx", NOW - 4 * HOUR, NOW - 2 * HOUR, add_hour, text));
    assert_string_equal(text, "-4:mx0+0,o0,c0,e0=0 -3:mx0+0,o1,c0,e0=1 -2:mx0+0,o0,c0,e0=1 ");
    assert_false(book_timeline(f.book, NULL, 0, NOW, add_hour, text));
}

static bool add_host(void *context, const struct book_host *host)
{
    char *text = context;
    const size_t used = strlen(text);
    snprintf(text + used, 512 - used, "%s:%s:%d ", host->host,
             host->version != NULL ? host->version : "-", (int)host->open);
    return true;
}

static void test_hosts(void **state)
{
    (void)state;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW, .host = "r2"});
    fixture_line(&f,
                 "{\"time\":\"2026-11-28T08:00:00Z\",\"event\":\"started\",\"host\":\"r1\","
                 "\"version\":\"0.1.0\"}",
                 NOW);
    char text[512] = "";
    assert_true(book_hosts(f.book, add_host, text));
    assert_string_equal(text, "r1:0.1.0:0 r2:-:1 ");
}

static void test_typed_domains(void **state)
{
    (void)state;
    char domain[MXCLASH_NAME_TEXT_MAX];
    assert_true(book_domain("WWW.Example.COM.", domain));
    assert_string_equal(domain, "www.example.com");
    assert_false(book_domain("", domain));
    assert_false(book_domain("a..b", domain));
    assert_false(book_domain("m\xc3\xbcller.example", domain));
}

/* --- the file ------------------------------------------------------------------------------------
 */

/** As after a corrupt one was set aside: who had the old file open reads the new one. */
static void test_reader_sees_a_new_file(void **state)
{
    (void)state;
    char other[128], error[BOOK_ERROR_MAX];
    struct writer *writer;
    fixture_tell(&f, (struct told){.event = "opened", .time = NOW});
    assert_string_equal(list(open_now, 0), "example.com/cname-and-mx/confirmed/0/1 ");
    snprintf(other, sizeof(other), "%s.aside", f.path);
    assert_int_equal(rename(f.path, other), 0);
    snprintf(other, sizeof(other), "%s-wal", f.path);
    unlink(other);
    snprintf(other, sizeof(other), "%s-shm", f.path);
    unlink(other);
    assert_int_equal(writer_open(f.path, 90, &writer, error), writer_good);
    assert_string_equal(list(open_now, 0), "");
    writer_close(writer);
}

static void test_not_a_book(void **state)
{
    (void)state;
    char path[128], error[BOOK_ERROR_MAX];
    struct writer *writer = NULL;
    sqlite3 *other;
    snprintf(path, sizeof(path), "%s/none.db", f.folder);
    assert_null(book_open(path, error));
    assert_non_null(strstr(error, "none.db: No such file"));

    snprintf(path, sizeof(path), "%s/other.db", f.folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_null(book_open(path, error));
    assert_non_null(strstr(error, "another program"));
    assert_int_equal(writer_open(path, 90, &writer, error), writer_foreign);
    assert_int_equal(sqlite3_exec(other,
                                  "PRAGMA application_id = 0x6d78636c;"
                                  "PRAGMA user_version = 99",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(writer_open(path, 90, &writer, error), writer_foreign);
    assert_non_null(strstr(error, "another version"));
    sqlite3_close(other);

    snprintf(path, sizeof(path), "%s/text.db", f.folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++) {
        fputs("this is no database\n", file);
    }
    fclose(file);
    assert_null(book_open(path, error));
    assert_int_equal(writer_open(path, 90, &writer, error), writer_corrupt);
    snprintf(path, sizeof(path), "%s/no/such/folder.db", f.folder);
    assert_int_equal(writer_open(path, 90, &writer, error), writer_later);
    assert_null(writer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_opened_changed_cleared),
        TEST(test_one_domain_on_many_hosts),
        TEST(test_two_kinds_are_two),
        TEST(test_tally),
        TEST(test_tally_of_what_nobody_opened),
        TEST(test_end_of_what_nobody_opened),
        TEST(test_restarted_resolver_counts_on),
        TEST(test_lines_read_again_change_nothing),
        TEST(test_older_log_later),
        TEST(test_retention),
        TEST(test_silent),
        TEST(test_too_many),
        TEST(test_orders),
        TEST(test_filters),
        TEST(test_pages),
        TEST(test_bad_cursors),
        TEST(test_groups),
        TEST(test_overview),
        TEST(test_timeline),
        TEST(test_hosts),
        TEST(test_typed_domains),
        TEST(test_reader_sees_a_new_file),
        TEST(test_not_a_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
