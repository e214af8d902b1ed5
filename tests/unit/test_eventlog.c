/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The JSON lines file, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>

#include "output/eventlog.h"
#include "report_fixture.h"

static void init_log(struct eventlog *log, struct fixture *fixture)
{
    eventlog_init(log, fixture->path, take_line, &fixture->log);
}

static void test_rotation(void **state)
{
    struct fixture *fixture = *state;
    char rotated[128], text[64];
    struct eventlog log;
    int fd;

    snprintf(rotated, sizeof(rotated), "%s.1", fixture->path);
    init_log(&log, fixture);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "one", 0));
    /* rename: the next batch makes a new file */
    assert_int_equal(rename(fixture->path, rotated), 0);
    assert_true(eventlog_write(&log, "two", 0));
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "three", 0));
    assert_int_equal(read_file(rotated, text, sizeof(text)), 8);
    assert_string_equal(text, "one\ntwo\n");
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "three\n");
    /* rename, and the rotating program makes the new file */
    assert_int_equal(rename(fixture->path, rotated), 0);
    fd = open(fixture->path, O_WRONLY | O_CREAT, 0600);
    assert_int_not_equal(fd, -1);
    close(fd);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "another", 0));
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "another\n");
    /* truncation: appending goes on at the new end */
    assert_int_equal(truncate(fixture->path, 0), 0);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "four", 0));
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "four\n");
    /* removal */
    assert_int_equal(unlink(fixture->path), 0);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "five", 0));
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "five\n");
    eventlog_close(&log);
    assert_int_equal(fixture->log.count, 0);
}

/** Write a line, and of the next one only what a full disk takes, again and again. */
static void fill_disk(struct fixture *fixture, struct eventlog *log, int64_t *now)
{
    init_log(log, fixture);
    eventlog_check(log, *now);
    assert_true(eventlog_write(log, "0123456", *now));
    limit_file(12);
    /* four octets fit */
    assert_false(eventlog_write(log, "abcdefg", *now));
    assert_said(&fixture->log, 1, ": File too large; events are dropped and counted until");
    /* no try before its time, and nothing is said again */
    limit_file(RLIM_INFINITY);
    *now += REPORT_RETRY_S - 1;
    eventlog_check(log, *now);
    assert_false(eventlog_write(log, "lost", *now));
    *now += 1;
    limit_file(13);
    eventlog_check(log, *now);
    assert_false(eventlog_write(log, "lost too", *now));
    assert_int_equal(fixture->log.count, 1);
    limit_file(RLIM_INFINITY);
    *now += REPORT_RETRY_S;
    eventlog_check(log, *now);
    assert_true(eventlog_write(log, "hijklmn", *now));
    assert_said(&fixture->log, 2, ": is back, 3 events were dropped");
}

/** What found room of a line is taken back. */
static void test_full_disk(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;
    char text[64];
    int64_t now = 100;

    signal(SIGXFSZ, SIG_IGN);
    fill_disk(fixture, &log, &now);
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "0123456\nhijklmn\n");
    eventlog_close(&log);
    signal(SIGXFSZ, SIG_DFL);
}

/** A file that can only grow keeps the half line, and the next one begins behind it. */
static void test_half_line(void **state)
{
    struct fixture *fixture = *state;
    const int fd = memfd_create("events", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    struct eventlog log;
    char text[64];
    int64_t now = 100;

    assert_int_not_equal(fd, -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    snprintf(fixture->path, sizeof(fixture->path), "/proc/self/fd/%d", fd);
    signal(SIGXFSZ, SIG_IGN);
    fill_disk(fixture, &log, &now);
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "0123456\nabcd\nhijklmn\n");
    eventlog_close(&log);
    close(fd);
    signal(SIGXFSZ, SIG_DFL);
}

/** A half line that is emptied away needs no line end. */
static void test_half_line_emptied(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;
    char text[64];
    int fd = open(fixture->path, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "{\"half", 6), 6);
    close(fd);
    init_log(&log, fixture);
    eventlog_check(&log, 0);
    assert_int_equal(truncate(fixture->path, 0), 0);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "whole", 0));
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "whole\n");
    eventlog_close(&log);
}

/** A half line of an earlier run does not spoil ours. */
static void test_half_line_found(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;
    char text[64];
    int fd = open(fixture->path, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "{\"half", 6), 6);
    close(fd);
    for (int run = 0; run < 2; run++) {
        init_log(&log, fixture);
        eventlog_check(&log, 0);
        assert_true(eventlog_write(&log, "whole", 0));
        eventlog_close(&log);
    }
    read_file(fixture->path, text, sizeof(text));
    assert_string_equal(text, "{\"half\nwhole\nwhole\n");
}

static void test_full_device(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;

    eventlog_init(&log, "/dev/full", take_line, &fixture->log);
    for (int64_t now = 0; now < 4 * REPORT_RETRY_S; now++) {
        eventlog_check(&log, now);
        assert_false(eventlog_write(&log, "x", now));
    }
    assert_said(&fixture->log, 1,
                "mxclash: log-file /dev/full: No space left on device; events are dropped and "
                "counted until it is back");
    assert_int_equal(log.lost, 4 * REPORT_RETRY_S);
    eventlog_close(&log);
}

/** A FIFO is refused, with a reader and without one, and nothing waits for it. */
static void test_fifo(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;
    int reader;

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    init_log(&log, fixture);
    eventlog_check(&log, 0);
    assert_false(eventlog_write(&log, "x", 0));
    assert_said(&fixture->log, 1, ": No such device or address; events are dropped");
    reader = open(fixture->path, O_RDONLY | O_NONBLOCK);
    assert_int_not_equal(reader, -1);
    init_log(&log, fixture);
    eventlog_check(&log, 0);
    assert_false(eventlog_write(&log, "x", 0));
    assert_said(&fixture->log, 2, ": is neither a regular file nor a character device; events");
    close(reader);
    eventlog_close(&log);
}

static void test_character_device(void **state)
{
    struct fixture *fixture = *state;
    struct eventlog log;

    eventlog_init(&log, "/dev/null", take_line, &fixture->log);
    eventlog_check(&log, 0);
    assert_true(eventlog_write(&log, "x", 0));
    eventlog_check(&log, 1);
    assert_true(eventlog_write(&log, "x", 1));
    eventlog_close(&log);
    assert_int_equal(fixture->log.count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rotation),
        TEST(test_full_disk),
        TEST(test_half_line),
        TEST(test_half_line_emptied),
        TEST(test_half_line_found),
        TEST(test_full_device),
        TEST(test_fifo),
        TEST(test_character_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
