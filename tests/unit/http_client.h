/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the tests of the HTTP server share: a server with a log, and a client that can be rude.
 */
#ifndef MXCLASH_TESTS_HTTP_CLIENT_H
#define MXCLASH_TESTS_HTTP_CLIENT_H

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output/httpd.h"
#include "outputs.h"

/** Longest that any test waits for something that must happen. */
#define PATIENCE_MS 60000

struct server {
    struct httpd *httpd;
    struct httpd_options options;
    char folder[64];
    /** where a unix socket may be */
    char path[96];
    char *listen[4];
    pthread_mutex_t lock;
    unsigned lines_said;
    char last_said[512];
    /** octets of each reply of /metrics/domains; 0 = the callback has no memory */
    size_t domains_octets;
    _Atomic uint64_t refused[HTTP_REFUSALS];
};

static inline void server_log(void *context, const char *line)
{
    struct server *server = context;

    pthread_mutex_lock(&server->lock);
    server->lines_said++;
    snprintf(server->last_said, sizeof(server->last_said), "%s", line);
    pthread_mutex_unlock(&server->lock);
}

/** \return lines said so far; line gets the last one */
static inline unsigned server_said(struct server *server, char line[512])
{
    unsigned lines;

    pthread_mutex_lock(&server->lock);
    lines = server->lines_said;
    memcpy(line, server->last_said, 512);
    pthread_mutex_unlock(&server->lock);
    return lines;
}

static inline char *server_metrics(void *context, enum metrics_format format)
{
    (void)context;
    return strdup(format == metrics_openmetrics ? "open\n" : "prom\n");
}

static inline char *server_domains(void *context, enum metrics_format format)
{
    const struct server *server = context;
    char *text;

    (void)format;
    if (server->domains_octets == 0)
        return NULL;
    text = malloc(server->domains_octets + 1);
    assert_non_null(text);
    memset(text, 'd', server->domains_octets);
    text[server->domains_octets] = '\0';
    return text;
}

static inline int server_set_up(void **state)
{
    struct server *server = calloc(1, sizeof(*server));

    assert_non_null(server);
    strcpy(server->folder, P_tmpdir "/mxclash-httpd-XXXXXX");
    assert_non_null(mkdtemp(server->folder));
    snprintf(server->path, sizeof(server->path), "%s/socket", server->folder);
    pthread_mutex_init(&server->lock, NULL);
    server->listen[0] = server->path;
    server->domains_octets = 4;
    server->options = (struct httpd_options){.listen = server->listen,
                                             .listen_count = 1,
                                             .metrics = server_metrics,
                                             .domains = server_domains,
                                             .host_log = server_log,
                                             .context = server,
                                             .refused = server->refused};
    *state = server;
    return 0;
}

static inline int server_tear_down(void **state)
{
    struct server *server = *state;

    httpd_stop(server->httpd);
    assert_int_equal(rmdir(server->folder), 0);
    free(server);
    return 0;
}

static inline void server_start(struct server *server)
{
    server->httpd = httpd_start(&server->options);
    assert_non_null(server->httpd);
}

static inline void server_stop(struct server *server)
{
    httpd_stop(server->httpd);
    server->httpd = NULL;
}

/** \return a socket connected to the server's unix socket, or -1 */
static inline int client_try(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_not_equal(fd, -1);
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline int client_connect(const struct server *server)
{
    int fd = client_try(server->path);

    assert_int_not_equal(fd, -1);
    return fd;
}

/** Send what the peer takes; it may close while we do. */
static inline void client_send(int fd, const char *octets, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, octets, len, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        octets += sent;
        len -= (size_t)sent;
    }
}

static inline void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

/** Wait for octets or the end. \return what read() says; -2 after limit_ms */
static inline ssize_t client_read(int fd, char *octets, size_t room, int64_t limit_ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    if (poll(&readable, 1, (int)limit_ms) != 1)
        return -2;
    return recv(fd, octets, room, 0);
}

/** Read to the end and close. \return octets; text holds the first of them and a NUL */
static inline size_t client_finish(int fd, char *text, size_t room)
{
    static char rest[65536];
    size_t kept = 0, total = 0;

    for (;;) {
        ssize_t got = kept + 1 < room ? client_read(fd, text + kept, room - 1 - kept, PATIENCE_MS)
                                      : client_read(fd, rest, sizeof(rest), PATIENCE_MS);

        assert_int_not_equal(got, -2);
        if (got <= 0)
            break;
        total += (size_t)got;
        if (kept + 1 < room)
            kept += (size_t)got;
    }
    text[kept] = '\0';
    close(fd);
    return total;
}

/** One exchange over the unix socket; \return octets of the reply, which text gets */
static inline size_t client_ask(const struct server *server, const char *request, char *text,
                                size_t room)
{
    int fd = client_connect(server);

    client_say(fd, request);
    return client_finish(fd, text, room);
}

/** \return open descriptors of this process, not counting the one that counts */
static inline unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3;
}

#endif
