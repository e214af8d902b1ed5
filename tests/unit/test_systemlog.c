/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The log daemon: one that reads, one that does not, one that is started anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "output/systemlog.h"
#include "report_fixture.h"

/** More than the queue of any datagram socket takes. */
#define MANY 5000

static int daemon_start(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd != -1);
    strcpy(address.sun_path, path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/** \return octets of the next line, 0 if none waits */
static size_t daemon_read(int fd, char line[LINE_MAX_OCTETS])
{
    ssize_t got = recv(fd, line, LINE_MAX_OCTETS - 1, 0);

    line[got > 0 ? got : 0] = '\0';
    return got > 0 ? (size_t)got : 0;
}

static void test_a_line(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;
    char line[LINE_MAX_OCTETS];
    int fd = daemon_start(fixture->path);

    systemlog_init(&log, fixture->path, take_line, &fixture->log);
    assert_true(systemlog_write(&log, "{\"a\":\"%n\"}"));
    assert_true(systemlog_write(&log, "{}"));
    /* daemon, notice: 3 * 8 + 5; then as RFC 3164 has it */
    assert_true(daemon_read(fd, line) > 0);
    assert_int_equal(strncmp(line, "<29>", 4), 0);
    assert_int_equal(line[4 + 3], ' ');
    assert_int_equal(line[4 + 6], ' ');
    assert_int_equal(line[4 + 15], ' ');
    assert_int_equal(strncmp(line + 4 + 16, "test_systemlog[", 15), 0);
    assert_non_null(strstr(line, "]: @cee: {\"a\":\"%n\"}"));
    assert_int_equal(line[strlen(line) - 1], '}');
    assert_true(daemon_read(fd, line) > 0);
    assert_int_equal(daemon_read(fd, line), 0);
    assert_int_equal(lines_said(&fixture->log, line), 0);
    systemlog_close(&log);
    close(fd);
    unlink(fixture->path);
}

static void test_a_daemon_that_does_not_read(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;
    char line[LINE_MAX_OCTETS], expected[LINE_MAX_OCTETS];
    int fd = daemon_start(fixture->path);
    const int64_t began = now_ms();
    unsigned taken = 0;

    systemlog_init(&log, fixture->path, take_line, &fixture->log);
    for (unsigned i = 0; i < MANY; i++)
        taken += systemlog_write(&log, "{}");
    assert_in_range(taken, 1, MANY / 2);
    /* one waits, the others do not */
    assert_in_range(now_ms() - began, SYSTEMLOG_WAIT_MS - 20, 10 * SYSTEMLOG_WAIT_MS);
    assert_int_equal(lines_said(&fixture->log, line), 1);
    assert_non_null(strstr(line, "log-syslog: the log daemon takes nothing"));
    /* it reads again: nothing of what it took is lost, and it is told what was */
    for (unsigned i = 0; i < taken; i++)
        assert_true(daemon_read(fd, line) > 0);
    assert_int_equal(daemon_read(fd, line), 0);
    assert_true(systemlog_write(&log, "{\"b\":1}"));
    assert_true(daemon_read(fd, line) > 0);
    assert_non_null(strstr(line, "@cee: {\"b\":1}"));
    assert_int_equal(lines_said(&fixture->log, line), 2);
    snprintf(expected, sizeof(expected), "is back, %u events were dropped", MANY - taken);
    assert_non_null(strstr(line, expected));
    systemlog_close(&log);
    close(fd);
    unlink(fixture->path);
}

static void test_a_daemon_that_is_started_anew(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;
    char line[LINE_MAX_OCTETS];
    int fd = daemon_start(fixture->path);

    systemlog_init(&log, fixture->path, take_line, &fixture->log);
    assert_true(systemlog_write(&log, "{}"));
    close(fd);
    fd = daemon_start(fixture->path);
    assert_true(systemlog_write(&log, "{\"new\":1}"));
    assert_true(daemon_read(fd, line) > 0);
    assert_non_null(strstr(line, "{\"new\":1}"));
    /* gone for good: the line is lost, that is said; then libc's way is tried */
    close(fd);
    assert_false(systemlog_write(&log, "{}"));
    assert_int_equal(lines_said(&fixture->log, line), 1);
    assert_true(systemlog_write(&log, "{}"));
    unlink(fixture->path);
    systemlog_close(&log);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_line),
        TEST(test_a_daemon_that_does_not_read),
        TEST(test_a_daemon_that_is_started_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
