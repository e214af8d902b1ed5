/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The HTTP server: what it answers, where it listens, how it starts and stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "http_client.h"
#include "output/accept.h"

#define REPLY_MAX 4096

static void assert_reply(const struct server *server, const char *request, const char *status,
                         const char *type, const char *body)
{
    char reply[REPLY_MAX], field[128];
    const char *end;

    client_ask(server, request, reply, sizeof(reply));
    if (strncmp(reply, status, strlen(status)) != 0)
        fail_msg("%s\ngot\n%s\nnot %s", request, reply, status);
    end = strstr(reply, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end + 4, body);
    snprintf(field, sizeof(field), "\r\nContent-Type: %s\r\n", type);
    assert_non_null(strstr(reply, field));
    assert_non_null(strstr(reply, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(reply, "\r\nCache-Control: no-store\r\n"));
    assert_non_null(strstr(reply, "\r\nConnection: close\r\n"));
    assert_null(strstr(reply, "Server:"));
}

#define PLAIN       "text/plain; charset=utf-8"
#define PROMETHEUS  "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define GET(path)   "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void test_routes(void **state)
{
    struct server *server = *state;
    char reply[REPLY_MAX];

    server_start(server);
    assert_reply(server, GET("/metrics"), "HTTP/1.1 200 OK\r\n", PROMETHEUS, "prom\n");
    assert_reply(server, GET("/metrics?x=y"), "HTTP/1.1 200 OK\r\n", PROMETHEUS, "prom\n");
    assert_reply(server, GET("/metrics/domains"), "HTTP/1.1 200 OK\r\n", PROMETHEUS, "dddd");
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
    assert_reply(server, GET("/"), "HTTP/1.1 404 ", PLAIN, "not found\n");
    assert_reply(server, GET("/metrics/"), "HTTP/1.1 404 ", PLAIN, "not found\n");
    assert_reply(server, GET("/../../etc/passwd"), "HTTP/1.1 404 ", PLAIN, "not found\n");
    assert_reply(server, GET("/healthz%00"), "HTTP/1.1 404 ", PLAIN, "not found\n");
    assert_reply(server, "GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", PLAIN, "ok\n");
    assert_reply(server,
                 "GET /metrics HTTP/1.1\r\nHost: h\r\n"
                 "accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n\r\n",
                 "HTTP/1.1 200 OK\r\n", OPENMETRICS, "open\n");
    /* a client that sends more than its request */
    assert_reply(server, GET("/healthz") GET("/metrics"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
    /* to a proxy evhttp says nothing of closing; it closes all the same */
    client_ask(server, "GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n", reply, sizeof(reply));
    assert_non_null(strstr(reply, "\r\n\r\nok\n"));
    assert_int_equal(server->lines_said, 0);
}

/** Whatever a client says of it, each reply says close, once, and closes at once. */
static void test_every_reply_closes(void **state)
{
    static const char *const requests[] = {
        GET("/healthz"),
        "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /healthz HTTP/1.0\r\nConnection: x\r\nConnection: keep-alive\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n",
        "CONNECT h:80 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    };
    struct server *server = *state;
    const int64_t start = now_ms();

    server_start(server);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        char reply[REPLY_MAX];
        const char *said;

        client_ask(server, requests[i], reply, sizeof(reply));
        said = strstr(reply, "\r\nConnection: close\r\n");
        assert_non_null(said);
        assert_null(strstr(said + 2, "\r\nConnection:"));
        assert_ptr_equal(strstr(reply, "\r\nConnection:"), said);
    }
    assert_true(now_ms() - start < HTTPD_TIMEOUT_S * 500);
}

static void test_head(void **state)
{
    struct server *server = *state;
    char reply[REPLY_MAX];

    server_start(server);
    assert_reply(server, "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\n", PLAIN,
                 "");
    client_ask(server, "HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n", reply, sizeof(reply));
    assert_non_null(strstr(reply, "\r\nContent-Length: 3\r\n"));
    assert_reply(server, "HEAD /nothing HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 404 ", PLAIN, "");
}

static void test_other_methods(void **state)
{
    static const char *const requests[] = {
        "POST /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
        "DELETE /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "TRACE /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "PATCH /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "BREW /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
        "get /metrics HTTP/1.1\r\nHost: h\r\n\r\n",
    };
    struct server *server = *state;
    char reply[REPLY_MAX];
    int fd;

    server_start(server);
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        assert_reply(server, requests[i], "HTTP/1.1 405 Method Not Allowed\r\n", PLAIN,
                     "GET and HEAD only\n");
        client_ask(server, requests[i], reply, sizeof(reply));
        assert_non_null(strstr(reply, "\r\nAllow: GET, HEAD\r\n"));
    }
    /* after this one evhttp keeps the connection until its deadline */
    fd = client_connect(server);
    client_say(fd, "CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_true(client_read(fd, reply, sizeof(reply), PATIENCE_MS) > 13);
    assert_int_equal(strncmp(reply, "HTTP/1.1 405 ", 13), 0);
    close(fd);
}

static void test_no_text(void **state)
{
    struct server *server = *state;

    server->domains_octets = 0;
    server_start(server);
    assert_reply(server, GET("/metrics/domains"), "HTTP/1.1 503 Service Unavailable\r\n",
                 PROMETHEUS, "");
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
}

static void test_accept_header(void **state)
{
    static const struct {
        const char *accept;
        enum metrics_format format;
    } cases[] = {
        {NULL, metrics_prometheus},
        {"", metrics_prometheus},
        {"*/*", metrics_prometheus},
        {"text/html", metrics_prometheus},
        {"application/openmetrics-text", metrics_openmetrics},
        {"APPLICATION/OpenMetrics-Text; Version=1.0.0", metrics_openmetrics},
        {" text/plain;q=0.5 ,\tapplication/openmetrics-text;version=1.0.0", metrics_openmetrics},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.6", metrics_prometheus},
        {"application/openmetrics-text;q=0.6,text/plain;q=0.6", metrics_openmetrics},
        {"application/openmetrics-text;version=1.0.0;q=0", metrics_prometheus},
        {"application/openmetrics-text;q=0.000", metrics_prometheus},
        {"application/openmetrics-text;q=0.001", metrics_openmetrics},
        {"application/openmetrics-text;q=", metrics_prometheus},
        {"application/openmetrics-text;", metrics_openmetrics},
        {"application/openmetrics-textual", metrics_prometheus},
        {"application/openmetrics-text/x", metrics_prometheus},
        {",;,;;q=1,", metrics_prometheus},
        /* Prometheus 2 and 3 */
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
         "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         metrics_openmetrics},
        {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/"
         "openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
         "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
         metrics_openmetrics},
        {"text/plain;version=0.0.4;q=1,*/*;q=0.1", metrics_prometheus},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (accept_format(cases[i].accept) != cases[i].format)
            fail_msg("Accept: %s", cases[i].accept);
}

/** Find the listening socket of ours in one address family. \return its port, 0 if there is none */
static in_port_t find_port(sa_family_t family)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in6 address;
        socklen_t len = sizeof(address);
        int listening = 0;
        socklen_t size = sizeof(listening);

        /* the port stands at one place in both families */
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening &&
            getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
            address.sin6_family == family)
            return ntohs(address.sin6_port);
    }
    return 0;
}

static void assert_tcp(sa_family_t family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(find_port(AF_INET))};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(find_port(AF_INET6))};
    const bool is_v4 = family == AF_INET;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char reply[REPLY_MAX];

    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    assert_int_equal(is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
                           : connect(fd, (struct sockaddr *)&v6, sizeof(v6)),
                     0);
    client_say(fd, GET("/healthz"));
    client_finish(fd, reply, sizeof(reply));
    assert_non_null(strstr(reply, "\r\n\r\nok\n"));
}

static bool have_ipv6(void)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool have = fd != -1 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd != -1)
        close(fd);
    return have;
}

static void test_addresses(void **state)
{
    struct server *server = *state;

    server->listen[0] = (char[]){"127.0.0.1@0"};
    server->listen[1] = server->path;
    server->listen[2] = (char[]){"::1@0"};
    server->options.listen_count = have_ipv6() ? 3 : 2;
    server_start(server);
    assert_int_equal(server->lines_said, 0);
    assert_tcp(AF_INET);
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
    if (server->options.listen_count == 3)
        assert_tcp(AF_INET6);
}

static void test_bad_addresses(void **state)
{
    static const char *const bad[] = {
        "127.0.0.1",       "127.0.0.1@",   "@9853",
        "127.0.0.1@65536", "127.0.0.1@-1", "localhost@1",
        "127.0.0.1@1x",    "[::1]@1",      "",
        "127.0.0.1:9853",  "relative",     "127.0.0.1@ 12345",
        "1@2@3",
    };
    struct server *server = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char where[32];

        strcpy(where, bad[i]);
        server->listen[0] = where;
        server->lines_said = 0;
        server_start(server);
        assert_int_equal(server->lines_said, 1);
        assert_non_null(strstr(server->last_said,
                               ": is neither address@port nor an absolute path; tried again"));
        server_stop(server);
    }
}

static bool said_two(void *context)
{
    char line[512];

    return server_said(context, line) == 2;
}

static void test_port_taken(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    struct server *server = *state;
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char where[32], line[512];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(other, 1), 0);
    assert_int_equal(getsockname(other, (struct sockaddr *)&address, &len), 0);
    snprintf(where, sizeof(where), "127.0.0.1@%u", ntohs(address.sin_port));
    server->listen[0] = where;
    server->listen[1] = server->path;
    server->options.listen_count = 2;
    server_start(server);
    assert_int_equal(server_said(server, line), 1);
    assert_non_null(strstr(line, where));
    assert_non_null(strstr(line, ": Address already in use; tried again every 5 s"));
    /* the other listener works */
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
    close(other);
    assert_true(wait_until(said_two, server, PATIENCE_MS));
    server_said(server, line);
    assert_non_null(strstr(line, ": is back"));
    assert_tcp(AF_INET);
}

static void test_socket_file(void **state)
{
    struct server *server = *state;
    struct stat seen;

    umask(077);
    server_start(server);
    umask(022);
    assert_int_equal(lstat(server->path, &seen), 0);
    assert_true(S_ISSOCK(seen.st_mode));
    assert_int_equal(seen.st_mode & 07777, 0660);
    server_stop(server);
    assert_int_equal(lstat(server->path, &seen), -1);
}

static void test_stale_socket_file(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct server *server = *state;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, server->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    server_start(server);
    assert_int_equal(server->lines_said, 0);
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
}

static void test_socket_in_use(void **state)
{
    struct server *server = *state;
    struct httpd *second;

    server_start(server);
    second = httpd_start(&server->options);
    assert_non_null(second);
    assert_non_null(strstr(server->last_said, ": Address already in use; tried again"));
    httpd_stop(second);
    /* it did not take the first one's file away */
    assert_reply(server, GET("/healthz"), "HTTP/1.1 200 OK\r\n", PLAIN, "ok\n");
}

/** A listener too busy to take another connection is a listener all the same. */
static void test_busy_socket(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct server *server = *state;
    int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int waiting[4], refused = 0;

    strcpy(address.sun_path, server->path);
    assert_int_equal(bind(busy, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(busy, 0), 0);
    for (int i = 0; i < 4; i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        refused += connect(waiting[i], (struct sockaddr *)&address, sizeof(address)) == -1 &&
                   errno == EAGAIN;
    }
    assert_int_not_equal(refused, 0);
    server_start(server);
    assert_non_null(strstr(server->last_said, ": Address already in use; tried again"));
    server_stop(server);
    for (int i = 0; i < 4; i++)
        close(waiting[i]);
    close(busy);
    assert_int_equal(unlink(server->path), 0);
}

static void test_file_in_the_way(void **state)
{
    struct server *server = *state;
    FILE *file = fopen(server->path, "w");
    struct stat seen;

    fclose(file);
    server_start(server);
    assert_non_null(strstr(server->last_said, ": a file that is no socket is in the way; tried"));
    server_stop(server);
    assert_int_equal(lstat(server->path, &seen), 0);
    assert_true(S_ISREG(seen.st_mode));
    /* a link is a file too: what it leads to is not ours to judge */
    unlink(server->path);
    assert_int_equal(symlink("elsewhere", server->path), 0);
    server->lines_said = 0;
    server_start(server);
    assert_int_equal(server->lines_said, 1);
    server_stop(server);
    assert_int_equal(unlink(server->path), 0);
}

/** A file that took the place of ours while we ran stays. */
static void test_foreign_file_stays(void **state)
{
    struct server *server = *state;
    struct stat seen;

    server_start(server);
    assert_int_equal(unlink(server->path), 0);
    fclose(fopen(server->path, "w"));
    server_stop(server);
    assert_int_equal(lstat(server->path, &seen), 0);
    assert_int_equal(unlink(server->path), 0);
}

static void test_long_path(void **state)
{
    struct server *server = *state;
    char path[300];

    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    server->listen[0] = path;
    server_start(server);
    assert_non_null(strstr(server->last_said, ": File name too long; tried again"));
}

/** Start and stop, with clients in every state at the moment of the stop. */
static void test_many_starts(void **state)
{
    struct server *server = *state;
    const unsigned before = open_descriptors();

    server->domains_octets = 4 << 20;
    server->listen[1] = (char[]){"127.0.0.1@0"};
    server->options.listen_count = 2;
    for (int round = 0; round < 200; round++) {
        int clients[4] = {-1, -1, -1, -1};
        char octet;

        server_start(server);
        for (int i = 0; i < round % 5; i++)
            clients[i] = client_connect(server);
        if (clients[1] != -1)
            client_say(clients[1], "GET /hea");
        if (clients[2] != -1) {
            /* a reply that we read only the beginning of */
            client_say(clients[2], GET("/metrics/domains"));
            assert_int_equal(client_read(clients[2], &octet, 1, PATIENCE_MS), 1);
        }
        if (clients[3] != -1)
            client_say(clients[3], GET("/healthz"));
        server_stop(server);
        for (int i = 0; i < round % 5; i++)
            close(clients[i]);
    }
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(server->lines_said, 0);
    httpd_stop(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, server_set_up, server_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_routes),
        TEST(test_every_reply_closes),
        TEST(test_head),
        TEST(test_other_methods),
        TEST(test_no_text),
        cmocka_unit_test(test_accept_header),
        TEST(test_addresses),
        TEST(test_bad_addresses),
        TEST(test_port_taken),
        TEST(test_socket_file),
        TEST(test_stale_socket_file),
        TEST(test_socket_in_use),
        TEST(test_busy_socket),
        TEST(test_file_in_the_way),
        TEST(test_foreign_file_stays),
        TEST(test_long_path),
        TEST(test_many_starts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
