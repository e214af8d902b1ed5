/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The HTTP server under many, slow and hostile clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>

#include "http_client.h"
#include "output/listen.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
/** More than any socket takes while nobody reads. */
#define LONG_REPLY (16u << 20)

static void assert_healthy(const struct server *server)
{
    char reply[1024];

    client_ask(server, GET("/healthz"), reply, sizeof(reply));
    assert_non_null(strstr(reply, "\r\n\r\nok\n"));
}

static bool is_healthy(void *context)
{
    char reply[1024];

    client_ask(context, GET("/healthz"), reply, sizeof(reply));
    return strstr(reply, "\r\n\r\nok\n") != NULL;
}

static void test_headers_too_long(void **state)
{
    static char request[20000];
    struct server *server = *state;
    char reply[1024];

    server_start(server);
    /* a first line, one header, and many of them */
    strcpy(request, "GET /");
    memset(request + 5, 'x', 12000);
    strcpy(request + 12005, " HTTP/1.1\r\n\r\n");
    client_ask(server, request, reply, sizeof(reply));
    assert_non_null(strstr(reply, " 400 "));
    strcpy(request, "GET /healthz HTTP/1.1\r\nX: ");
    memset(request + strlen(request), 'x', 12000);
    client_ask(server, request, reply, sizeof(reply));
    assert_non_null(strstr(reply, " 400 "));
    strcpy(request, "GET /healthz HTTP/1.1\r\n");
    while (strlen(request) < 16000)
        strcat(request, "A: b\r\n");
    strcat(request, "\r\n");
    client_ask(server, request, reply, sizeof(reply));
    assert_non_null(strstr(reply, " 400 "));
    /* a scraper's headers are fine */
    strcpy(request, "GET /healthz HTTP/1.1\r\n");
    while (strlen(request) < 4000)
        strcat(request, "A: b\r\n");
    strcat(request, "\r\n");
    client_ask(server, request, reply, sizeof(reply));
    assert_non_null(strstr(reply, " 200 "));
}

static void test_body_too_long(void **state)
{
    static char body[1 << 20];
    struct server *server = *state;
    char reply[1024];
    int fd;

    server_start(server);
    fd = client_connect(server);
    memset(body, 'b', sizeof(body));
    client_say(fd, "POST /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                   "Content-Length: 1048576\r\n\r\n");
    client_send(fd, body, sizeof(body));
    client_finish(fd, reply, sizeof(reply));
    assert_int_equal(strncmp(reply, "HTTP/1.1 413 ", 13), 0);
}

static void test_many_connections(void **state)
{
    struct server *server = *state;
    int clients[HTTPD_CONNECTIONS_MAX];
    const unsigned before = open_descriptors();
    int64_t began;
    char octet;

    server_start(server);
    for (int i = 0; i < HTTPD_CONNECTIONS_MAX; i++)
        clients[i] = client_connect(server);
    /* those above the bound are closed at once, before they say anything */
    began = now_ms();
    for (int i = 0; i < 300; i++) {
        int fd = client_connect(server);

        assert_in_range(client_read(fd, &octet, 1, PATIENCE_MS) + 1, 0, 1);
        close(fd);
    }
    assert_in_range(now_ms() - began, 0, (HTTPD_TIMEOUT_S - 2) * 1000);
    assert_int_equal(server->refused[http_refusal_connections], 300);
    assert_int_equal(server->refused[http_refusal_deadline], 0);
    /* the others are untouched, and when one goes there is room for one */
    assert_int_equal(client_read(clients[0], &octet, 1, 0), -2);
    close(clients[HTTPD_CONNECTIONS_MAX - 1]);
    assert_true(wait_until(is_healthy, server, PATIENCE_MS));
    client_say(clients[0], GET("/healthz"));
    assert_int_equal(client_read(clients[0], &octet, 1, PATIENCE_MS), 1);
    for (int i = 0; i < HTTPD_CONNECTIONS_MAX - 1; i++)
        close(clients[i]);
    server_stop(server);
    assert_int_equal(open_descriptors(), before);
}

/** Where the process may open few descriptors, connections take no more than their share. */
static void test_few_descriptors(void **state)
{
    enum { share = HTTPD_CONNECTIONS_MIN + 2 };
    struct server *server = *state;
    struct rlimit limit, few;
    int clients[share + 1];
    char octet;

    server_start(server);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = share * HTTPD_DESCRIPTOR_SHARE;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i <= share; i++)
        clients[i] = client_connect(server);
    assert_in_range(client_read(clients[share], &octet, 1, PATIENCE_MS) + 1, 0, 1);
    for (int i = 0; i < share; i++)
        assert_int_equal(client_read(clients[i], &octet, 1, 0), -2);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i <= share; i++)
        close(clients[i]);
    assert_healthy(server);
}

/** A burst beyond the bound, all of it waiting before the server first looks. */
static void test_burst(void **state)
{
    struct server *server = *state;
    int clients[HTTPD_CONNECTIONS_MAX * 2];
    unsigned served = 0;
    char reply[1024];

    server_start(server);
    for (int i = 0; i < HTTPD_CONNECTIONS_MAX * 2; i++) {
        clients[i] = client_connect(server);
        client_say(clients[i], GET("/healthz"));
    }
    for (int i = 0; i < HTTPD_CONNECTIONS_MAX * 2; i++) {
        client_finish(clients[i], reply, sizeof(reply));
        served += strstr(reply, "\r\n\r\nok\n") != NULL;
    }
    assert_in_range(served, HTTPD_CONNECTIONS_MAX, HTTPD_CONNECTIONS_MAX * 2);
    assert_healthy(server);
}

/** \return true if the peer has closed; what it sent is thrown away */
static bool is_cut(int fd)
{
    static char octets[4096];

    return client_read(fd, octets, sizeof(octets), 0) >= -1 &&
           recv(fd, octets, sizeof(octets), MSG_DONTWAIT | MSG_PEEK) <= 0 && errno != EAGAIN;
}

/** Send without waiting. \return false once the peer has closed */
static bool can_send(int fd, const char *octets, size_t len)
{
    return send(fd, octets, len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0 || errno == EAGAIN;
}

enum rudeness { silent, one_octet_a_time, never_reads, streams, slow_body, RUDE };

static void begin_rude(int fd, enum rudeness rudeness)
{
    if (rudeness == never_reads || rudeness == streams)
        client_say(fd, GET("/metrics/domains"));
    else if (rudeness == one_octet_a_time)
        client_say(fd, "GET /healthz HTTP/1.1\r\nX: ");
    else if (rudeness == slow_body)
        client_say(fd, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8000\r\n\r\n");
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/**
 * Slow clients are cut at the deadline, however they keep their connection busy. \return whether
 * this one still stands; the one that never reads shows its end only to who sends.
 */
static bool stands(int fd, enum rudeness rudeness)
{
    static const char stream[65536];

    switch (rudeness) {
    case silent:
        return !is_cut(fd);
    case one_octet_a_time:
    case slow_body:
        return can_send(fd, "x", 1) && !is_cut(fd);
    case never_reads:
        return can_send(fd, "x", 1);
    default:
        /* as much as the server takes, within reason for this test */
        for (int i = 0; i < 100; i++)
            if (send(fd, stream, sizeof(stream), MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
                return errno == EAGAIN;
        return true;
    }
}

static void test_slow_clients(void **state)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    struct server *server = *state;
    int64_t ended[RUDE] = {0};
    int clients[RUDE];
    const int64_t began = now_ms();
    unsigned left = RUDE;
    long resident;

    server->domains_octets = LONG_REPLY / 2;
    server_start(server);
    for (int i = 0; i < RUDE; i++) {
        clients[i] = client_connect(server);
        begin_rude(clients[i], (enum rudeness)i);
    }
    assert_healthy(server);
    resident = resident_kib();
    while (left > 0) {
        assert_true(now_ms() - began < PATIENCE_MS);
        for (int i = 0; i < RUDE; i++)
            if (ended[i] == 0 && !stands(clients[i], (enum rudeness)i)) {
                ended[i] = now_ms() - began;
                left--;
            }
        nanosleep(&pause, NULL);
    }
    for (int i = 0; i < RUDE; i++) {
        assert_in_range(ended[i], HTTPD_TIMEOUT_S * 1000 - 1000, HTTPD_TIMEOUT_S * 1000 + 30000);
        close(clients[i]);
    }
    assert_int_equal(server->refused[http_refusal_deadline], RUDE);
    /* what they sent in the meantime was not kept */
    assert_in_range(resident_kib(), 0, resident + 32 * 1024);
    assert_healthy(server);
}

/** Replies that nobody reads are bounded together. */
static void test_waiting_replies(void **state)
{
    struct server *server = *state;
    char reply[1024];
    int slow[2];

    server->domains_octets = HTTPD_REPLY_OCTETS_MAX / 2 - 1024;
    server_start(server);
    for (int i = 0; i < 2; i++) {
        slow[i] = client_connect(server);
        client_say(slow[i], GET("/metrics/domains"));
        assert_true(client_read(slow[i], reply, 1, PATIENCE_MS) == 1);
    }
    client_ask(server, GET("/metrics/domains"), reply, sizeof(reply));
    assert_non_null(strstr(reply, " 503 "));
    assert_int_equal(server->refused[http_refusal_replies], 1);
    /* small ones still find room, and a reader who takes all gives his back */
    assert_healthy(server);
    assert_true(client_finish(slow[0], reply, sizeof(reply)) > server->domains_octets);
    assert_true(client_ask(server, GET("/metrics/domains"), reply, sizeof(reply)) >
                server->domains_octets);
    assert_non_null(strstr(reply, " 200 "));
    close(slow[1]);
}

/** A reply beyond the bound is served while it is the only one. */
static void test_longest_reply(void **state)
{
    struct server *server = *state;
    char reply[1024];

    server->domains_octets = HTTPD_REPLY_OCTETS_MAX + 1;
    server_start(server);
    assert_true(client_ask(server, GET("/metrics/domains"), reply, sizeof(reply)) >
                server->domains_octets);
}

/** Clients that go away inside a reply: the write fails, and SIGPIPE reaches nobody. */
static void test_vanishing_clients(void **state)
{
    struct server *server = *state;
    char octet;

    signal(SIGPIPE, SIG_DFL);
    server->domains_octets = LONG_REPLY;
    server_start(server);
    for (int i = 0; i < 50; i++) {
        int fd = client_connect(server);

        client_say(fd, GET("/metrics/domains"));
        assert_int_equal(client_read(fd, &octet, 1, PATIENCE_MS), 1);
        close(fd);
    }
    assert_healthy(server);
}

/** No descriptor is left: accept() fails, which must cost nothing and pass by itself. */
static bool said_two(void *context)
{
    char line[512];

    return server_said(context, line) >= 2;
}

static bool said_one(void *context)
{
    char line[512];

    return server_said(context, line) >= 1;
}

static int64_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * INT64_C(1000) + used.tv_nsec / 1000000;
}

static void test_no_descriptors(void **state)
{
    const struct timespec while_starved = {.tv_sec = 3};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct server *server = *state;
    struct rlimit limit, starved;
    char reply[1024];
    int client, lowest;
    int64_t used;

    server_start(server);
    strcpy(address.sun_path, server->path);
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    lowest = dup(client);
    close(lowest);
    starved = limit;
    starved.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &starved), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
    client_say(client, GET("/healthz"));
    assert_true(wait_until(said_one, server, PATIENCE_MS));
    used = cpu_ms();
    nanosleep(&while_starved, NULL);
    used = cpu_ms() - used;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_in_range(used, 0, 300);
    assert_int_equal(server_said(server, reply), 1);
    assert_non_null(strstr(reply, "cannot accept: Too many open files"));
    client_finish(client, reply, sizeof(reply));
    assert_non_null(strstr(reply, "\r\n\r\nok\n"));
    assert_true(wait_until(said_two, server, PATIENCE_MS));
    server_said(server, reply);
    assert_non_null(strstr(reply, "accepts again"));
}

/** Requests put together at random from what a parser may stumble on. */
static void test_garbage(void **state)
{
    static const char *const pieces[] = {
        "GET ",
        "HEAD ",
        "POST ",
        "CONNECT ",
        "/metrics",
        "/",
        " HTTP/1.1",
        " HTTP/1.0",
        " HTTP/9.9",
        " HTTP/-1.1",
        "\r\n",
        "\n",
        "\r\n\r\n",
        ": ",
        "Host: h",
        "%00",
        "Content-Length",
        "-1",
        "chunked",
        "99999999999",
        "0x10",
        "\xff\xfe",
        "Connection: ",
        "keep-alive",
        "close",
        "Expect: ",
        " ",
        "?a=b",
        "100-continue",
        "Transfer-Encoding",
        "http://h/x",
        "\t",
        "0\r\n\r\n",
        "*",
    };
    struct server *server = *state;
    uint32_t random = 1;
    char reply[256];

    server_start(server);
    for (int i = 0; i < 3000; i++) {
        int fd = client_connect(server);
        unsigned length;

        random = random * 1664525 + 1013904223;
        length = (random >> 16) % 40;
        for (unsigned j = 0; j < length; j++) {
            random = random * 1664525 + 1013904223;
            client_say(fd, pieces[(random >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
        }
        /* sometimes wait for an answer, sometimes hang up on it */
        if (i % 3 == 0)
            shutdown(fd, SHUT_WR);
        if (i % 3 != 2)
            client_read(fd, reply, sizeof(reply), 5);
        close(fd);
    }
    assert_true(wait_until(is_healthy, server, PATIENCE_MS));
}

/** More than are served at a time, less than a kernel lets wait (128 before Linux 5.4). */
#define WAITING 120

/** Clients that come while the server's thread waits for a core: none has to come again. */
static void assert_all_may_wait(const char *where)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    struct listen_socket listener;
    char reason[LISTEN_REASON_MAX];
    int clients[WAITING];

    assert_true(listen_open(where, &listener, reason));
    assert_int_equal(getsockname(listener.fd, (struct sockaddr *)&address, &len), 0);
    for (int i = 0; i < WAITING; i++) {
        struct pollfd connected = {.events = POLLOUT};
        int error;
        socklen_t error_len = sizeof(error);

        clients[i] = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_not_equal(clients[i], -1);
        if (connect(clients[i], (struct sockaddr *)&address, len) == 0)
            continue;
        assert_int_equal(errno, EINPROGRESS);
        connected.fd = clients[i];
        assert_int_equal(poll(&connected, 1, PATIENCE_MS), 1);
        assert_int_equal(getsockopt(clients[i], SOL_SOCKET, SO_ERROR, &error, &error_len), 0);
        assert_int_equal(error, 0);
    }
    for (int i = 0; i < WAITING; i++)
        close(clients[i]);
    listen_remove_file(where, &listener);
    close(listener.fd);
}

static void test_many_may_wait(void **state)
{
    const struct server *server = *state;

    assert_all_may_wait("127.0.0.1@0");
    assert_all_may_wait(server->path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, server_set_up, server_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_headers_too_long), TEST(test_body_too_long),
        TEST(test_many_connections), TEST(test_burst),
        TEST(test_slow_clients),     TEST(test_waiting_replies),
        TEST(test_longest_reply),    TEST(test_vanishing_clients),
        TEST(test_no_descriptors),   TEST(test_few_descriptors),
        TEST(test_garbage),          TEST(test_many_may_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
