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

static int daemon_start(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

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
    int fd = daemon_start(fixture->path, SOCK_DGRAM);
    size_t octets;

    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
    assert_true(systemlog_write(&log, "{\"a\":\"%n\"}"));
    assert_true(systemlog_write(&log, "{}"));
    /* daemon, notice: 3 * 8 + 5; then as RFC 3164 has it */
    octets = daemon_read(fd, line);
    assert_int_equal(octets, strlen(line));
    assert_int_equal(strncmp(line, "<29>", 4), 0);
    assert_int_equal(line[4 + 3], ' ');
    assert_int_equal(line[4 + 6], ' ');
    assert_int_equal(line[4 + 15], ' ');
    assert_int_equal(strncmp(line + 4 + 16, "unbound[", 8), 0);
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
    int fd = daemon_start(fixture->path, SOCK_DGRAM);
    const int64_t began = now_ms();
    unsigned taken = 0;

    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
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
    int fd = daemon_start(fixture->path, SOCK_DGRAM);

    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
    assert_true(systemlog_write(&log, "{}"));
    close(fd);
    fd = daemon_start(fixture->path, SOCK_DGRAM);
    assert_true(systemlog_write(&log, "{\"new\":1}"));
    assert_true(daemon_read(fd, line) > 0);
    assert_non_null(strstr(line, "{\"new\":1}"));
    /* gone for good, first with its socket left behind: lost, and told once */
    close(fd);
    assert_false(systemlog_write(&log, "{}"));
    assert_said(&fixture->log, 1, "log-syslog: Connection refused; events are dropped and counted");
    assert_false(systemlog_write(&log, "{}"));
    unlink(fixture->path);
    assert_false(systemlog_write(&log, "{}"));
    assert_said(&fixture->log, 1, "");
    fd = daemon_start(fixture->path, SOCK_DGRAM);
    assert_true(systemlog_write(&log, "{\"late\":1}"));
    assert_true(daemon_read(fd, line) > 0);
    assert_said(&fixture->log, 2, "log-syslog: is back, 3 events were dropped");
    systemlog_close(&log);
    close(fd);
}

static void test_no_daemon(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;

    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
    assert_false(systemlog_write(&log, "{}"));
    assert_said(&fixture->log, 1, "log-syslog: No such file or directory; events are dropped");
    assert_false(systemlog_write(&log, "{}"));
    assert_said(&fixture->log, 1, "");
    assert_int_equal(log.fd, -1);
    systemlog_close(&log);
}

/** Some daemons take a stream. */
static void test_a_stream(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;
    char line[LINE_MAX_OCTETS];
    int fd = daemon_start(fixture->path, SOCK_STREAM), taken;
    size_t octets;

    assert_int_equal(listen(fd, 1), 0);
    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
    assert_true(systemlog_write(&log, "{\"a\":1}"));
    assert_true(systemlog_write(&log, "{\"b\":2}"));
    taken = accept(fd, NULL, NULL);
    assert_true(taken != -1);
    octets = daemon_read(taken, line);
    /* each line has its NUL, and nothing is behind the last */
    assert_non_null(strstr(line, "]: @cee: {\"a\":1}"));
    assert_in_range(octets, 2 * strlen(line) + 2, 2 * strlen(line) + 2);
    assert_int_equal(line[octets - 1], '\0');
    assert_non_null(strstr(line + strlen(line) + 1, "]: @cee: {\"b\":2}"));
    close(taken);
    close(fd);
    unlink(fixture->path);
    assert_false(systemlog_write(&log, "{}"));
    assert_said(&fixture->log, 1, "log-syslog: No such file or directory");
    systemlog_close(&log);
}

/** All that one connection brought. */
struct stream {
    char text[1 << 20];
    size_t octets;
};

static void drain(int taken, struct stream *stream)
{
    ssize_t got;

    while ((got = recv(taken, stream->text + stream->octets, sizeof(stream->text) - stream->octets,
                       MSG_DONTWAIT)) > 0)
        stream->octets += (size_t)got;
}

/** \return whole lines; each must be one of ours alone. A part may stand at the end. */
static unsigned count_whole(struct stream *stream)
{
    size_t at = 0;
    unsigned whole = 0;

    while (memchr(stream->text + at, '\0', stream->octets - at) != NULL) {
        assert_int_equal(strncmp(stream->text + at, "<29>", 4), 0);
        assert_null(strstr(stream->text + at + 4, "<29>"));
        at += strlen(stream->text + at) + 1;
        whole++;
    }
    stream->octets = 0;
    return whole;
}

/** Nobody waits for long, and no line is taken for the end of another. */
static void test_a_stream_that_nobody_reads(void **state)
{
    struct fixture *fixture = *state;
    struct systemlog log;
    /* long enough that the socket takes a part of one */
    static char json[100000];
    static struct stream stream;
    int fd = daemon_start(fixture->path, SOCK_STREAM), taken;
    const int64_t began = now_ms();
    unsigned written = 0, whole = 0;

    assert_int_equal(listen(fd, 1), 0);
    memset(json, 'j', sizeof(json) - 1);
    systemlog_init(&log, fixture->path, "unbound", take_line, &fixture->log);
    for (unsigned i = 0; i < 500; i++)
        written += systemlog_write(&log, json);
    assert_in_range(written, 1, 20);
    /* a wait for each connection that there is room for */
    assert_in_range(now_ms() - began, SYSTEMLOG_WAIT_MS - 20, 20 * SYSTEMLOG_WAIT_MS);
    /* it reads a little, and is written to once more */
    taken = accept(fd, NULL, NULL);
    assert_true(taken != -1);
    drain(taken, &stream);
    written += systemlog_write(&log, "{}");
    for (; taken != -1; taken = accept(fd, NULL, NULL)) {
        drain(taken, &stream);
        whole += count_whole(&stream);
        close(taken);
    }
    assert_int_equal(whole, written);
    systemlog_close(&log);
    close(fd);
    unlink(fixture->path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_line),
        TEST(test_a_daemon_that_does_not_read),
        TEST(test_a_daemon_that_is_started_anew),
        TEST(test_no_daemon),
        TEST(test_a_stream),
        TEST(test_a_stream_that_nobody_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
