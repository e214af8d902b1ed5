/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Unit tests of keeping a book: its thread, its counters, a file that is damaged under it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "book/keeper.h"

#define PATIENCE_S 60

static char folder[64], database[128], log_path[128];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char said[8192];

static void note(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&mutex);
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
    pthread_mutex_unlock(&mutex);
}

static bool was_said(const char *text)
{
    pthread_mutex_lock(&mutex);
    const bool found = strstr(said, text) != NULL;
    pthread_mutex_unlock(&mutex);
    return found;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/mxclash-keep-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(database, sizeof(database), "%s/book.db", folder);
    snprintf(log_path, sizeof(log_path), "%s/log.json", folder);
    said[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static struct keeper *keep(int64_t check_ms)
{
    static const char *const logs[] = {log_path};
    const struct keeper_options options = {.database = database,
                                           .logs = logs,
                                           .log_count = 1,
                                           .retention_days = 90,
                                           .check_ms = check_ms,
                                           .say = note};
    struct keeper *keeper = keeper_new(&options);
    assert_non_null(keeper);
    return keeper;
}

static void append(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void append(const char *format, ...)
{
    FILE *file = fopen(log_path, "ae");
    va_list arguments;
    assert_non_null(file);
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

static void append_opened(const char *domain)
{
    append("{\"time\":\"2026-11-28T10:00:00Z\",\"event\":\"opened\",\"domain\":\"%s\","
           "\"kind\":\"cname-and-mx\",\"state\":\"confirmed\"}\n",
           domain);
}

/** Wait until so many lines are in the book. */
static struct book_counters wait_lines(struct keeper *keeper, uint64_t lines)
{
    struct book_counters counters;
    const time_t end = time(NULL) + PATIENCE_S;
    do {
        keeper_count(keeper, &counters);
        usleep(10000);
    } while (counters.lines < lines && time(NULL) < end);
    assert_int_equal(counters.lines, lines);
    return counters;
}

static bool pass_over(void *context, enum book_group by, const struct book_share *share)
{
    (void)context;
    (void)by;
    (void)share;
    return true;
}

/** \return conflicts that are open in the book; 0 too while it is being made */
static uint64_t open_now(void)
{
    char error[BOOK_ERROR_MAX];
    struct book_summary summary = {0};
    struct book *book = book_open(database, error);
    if (book != NULL && !book_overview(book, &summary, 0, pass_over, NULL)) {
        summary.open = 0;
    }
    book_close(book);
    return summary.open;
}

static void test_counts(void **state)
{
    (void)state;
    append_opened("a.test");
    append("no event\n{\"event\":\"reloaded\",\"time\":\"2026-11-28T10:00:00Z\"}\n");
    append_opened("b.test");
    append("half a line");
    struct keeper *keeper = keep(0);
    const struct book_counters counters = wait_lines(keeper, 4);
    assert_int_equal(counters.events, 2);
    assert_int_equal(counters.events_unknown, 1);
    assert_int_equal(counters.lines_malformed, 1);
    assert_int_equal(counters.octets_behind, strlen("half a line"));
    assert_int_equal(counters.logs_open, 1);
    assert_int_equal(counters.database_faults, 0);
    assert_false(counters.database_failing);
    assert_true(counters.committed > 0);
    assert_true(was_said("log.json:2: no JSON object; the line is passed over\n"));
    assert_int_equal(open_now(), 2);
    keeper_free(keeper);
}

/** Who asks as soon as the keeper is there finds a book, if an empty one. */
static void test_a_book_from_the_first_moment(void **state)
{
    (void)state;
    char error[BOOK_ERROR_MAX] = "";
    struct book_summary summary = {0};
    struct keeper *keeper = keep(0);
    struct book *book = book_open(database, error);
    assert_string_equal(error, "");
    assert_non_null(book);
    assert_true(book_overview(book, &summary, 0, pass_over, NULL));
    book_close(book);
    keeper_free(keeper);
}

/** What was logged before the end is in the book, though nobody looked yet. */
static void test_end_takes_in_what_there_is(void **state)
{
    (void)state;
    append_opened("a.test");
    struct keeper *keeper = keep(0);
    wait_lines(keeper, 1);
    append_opened("b.test");
    keeper_free(keeper);
    assert_int_equal(open_now(), 2);
}

/** Somebody writes over the file: the keeper has its pages in memory, those who read it do not. */
static void test_damaged_under_it(void **state)
{
    (void)state;
    struct book_counters counters;
    append_opened("a.test");
    struct keeper *keeper = keep(200);
    wait_lines(keeper, 1);
    const time_t end = time(NULL) + PATIENCE_S;
    const int file = open(database, O_WRONLY | O_CLOEXEC);
    assert_true(file != -1);
    assert_int_equal(pwrite(file, "no database at all", 18, 0), 18);
    close(file);
    while (!was_said("it is set aside as") && time(NULL) < end) {
        append_opened("b.test");
        usleep(50000);
    }
    assert_true(was_said("and a new one is made from the logs"));
    append_opened("c.test");
    do {
        keeper_count(keeper, &counters);
        usleep(50000);
    } while ((counters.set_aside == 0 || access(database, F_OK) != 0 ||
              counters.octets_behind > 0 || open_now() < 3) &&
             time(NULL) < end);
    assert_int_equal(open_now(), 3);
    assert_int_equal(counters.set_aside, 1);
    keeper_free(keeper);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_a_book_from_the_first_moment),
        TEST(test_counts),
        TEST(test_end_takes_in_what_there_is),
        TEST(test_damaged_under_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
