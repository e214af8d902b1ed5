/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The HTTP server: see http.h.
 *
 * One thread of ours accepts, looks after deadlines and tries listeners again that failed; it hands
 * each connection to libmicrohttpd's threads. libmicrohttpd could listen by itself, but then each
 * listener would have threads and bounds of its own, and after a failed start nobody could tell
 * whether it had closed the socket.
 *
 * libmicrohttpd ends a connection that is silent. One that drips an octet now and then is ours to
 * end: deadlines() shuts its socket, and the thread that has it sees the end.
 */
#include "web/http.h"

#include <errno.h>
#include <grp.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "output/clock.h"
#include "output/error_text.h"
#include "output/listen.h"
#include "output/thread.h"
#include "web/http_parts.h"

/** Most listeners. */
#define LISTENERS_MAX 64
/** Milliseconds without accept() after it failed, and between two looks at the deadlines. */
#define LOOK_MS 1000

static void say(const struct http *http, const char *where, const char *what)
{
    char line[512];

    snprintf(line, sizeof(line), "page-listen%s%s: %s", where == NULL ? "" : " ",
             where == NULL ? "" : where, what);
    http->options.say(http->options.say_context, line);
}

/* --- connections --- */

static bool begin_client(struct http *http, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct client *client = malloc(sizeof(*client));

    if (client == NULL || fd == NULL || address == NULL) {
        free(client);
        return false;
    }
    *client = (struct client){.fd = fd->connect_fd,
                              .since = clock_steady_ms(),
                              .local = address->client_addr->sa_family == AF_UNIX};
    pthread_mutex_lock(&http->clients_lock);
    client->next = http->clients;
    if (client->next != NULL)
        client->next->before = client;
    http->clients = client;
    pthread_mutex_unlock(&http->clients_lock);
    *context = client;
    return true;
}

/** Called at the begin of a connection, and at its end before the socket is closed. */
static void on_connection(void *argument, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http *http = argument;
    struct client *client = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        atomic_fetch_add(&http->connections, 1);
        /* without memory on_request() ends it; until then it is bounded by being silent */
        if (!begin_client(http, connection, context))
            *context = NULL;
        return;
    }
    atomic_fetch_sub(&http->connections, 1);
    if (client == NULL)
        return;
    pthread_mutex_lock(&http->clients_lock);
    if (client->next != NULL)
        client->next->before = client->before;
    if (client->before != NULL)
        client->before->next = client->next;
    else
        http->clients = client->next;
    pthread_mutex_unlock(&http->clients_lock);
    free(client);
}

static void on_replied(void *argument, struct MHD_Connection *connection, void **mark,
                       enum MHD_RequestTerminationCode why)
{
    struct http *http = argument;
    struct client *client = http_client_of(connection);

    (void)mark;
    (void)why;
    if (client == NULL)
        return;
    pthread_mutex_lock(&http->clients_lock);
    client->since = clock_steady_ms();
    pthread_mutex_unlock(&http->clients_lock);
}

/** End what is late. */
static void deadlines(struct http *http)
{
    const int64_t now = clock_steady_ms();

    pthread_mutex_lock(&http->clients_lock);
    for (struct client *client = http->clients; client != NULL; client = client->next)
        if (now - client->since > HTTP_DEADLINE_S * 1000) {
            shutdown(client->fd, SHUT_RDWR);
            client->since = INT64_MAX / 2;
            atomic_fetch_add(&http->deadlines, 1);
        }
    pthread_mutex_unlock(&http->clients_lock);
}

/* --- listeners --- */

static bool open_listener(struct http *http, struct listener *listener)
{
    char reason[LISTEN_REASON_MAX], buffer[ERROR_TEXT_MAX], what[LISTEN_REASON_MAX + 64];

    listener->open = listen_open(listener->where, &listener->socket, reason);
    if (listener->open && listener->where[0] == '/' && http->group != (gid_t)-1 &&
        chown(listener->where, (uid_t)-1, http->group) == -1) {
        snprintf(reason, sizeof(reason), "the group of page-group cannot be given to it: %s",
                 error_text(errno, buffer));
        listen_remove_file(listener->where, &listener->socket);
        close(listener->socket.fd);
        listener->open = false;
    }
    if (listener->open && listener->failed)
        say(http, listener->where, "is back");
    else if (!listener->open && !listener->failed) {
        snprintf(what, sizeof(what), "%s; tried again every %d s", reason, HTTP_RETRY_S);
        say(http, listener->where, what);
    }
    listener->failed = !listener->open;
    return listener->open;
}

/** Open what is not open. */
static void open_listeners(struct http *http)
{
    const int64_t now = clock_steady_ms();
    bool all = true;

    if (now < http->retry_at)
        return;
    for (size_t i = 0; i < http->options.listen_count; i++)
        if (!http->listeners[i].open)
            all = open_listener(http, &http->listeners[i]) && all;
    http->retry_at = all ? 0 : now + HTTP_RETRY_S * 1000;
}

/** \return false if accept() should be left alone for a while */
static bool accept_one(struct http *http, const struct listener *listener)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(address);
    const int fd = accept4(listener->socket.fd, (struct sockaddr *)&address, &len,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    char what[ERROR_TEXT_MAX + 64], buffer[ERROR_TEXT_MAX];

    if (fd == -1) {
        if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
            return true;
        if (!http->accept_failed) {
            snprintf(what, sizeof(what), "cannot accept: %s; tried again",
                     error_text(errno, buffer));
            say(http, listener->where, what);
        }
        http->accept_failed = true;
        return false;
    }
    if (http->accept_failed)
        say(http, listener->where, "accepts again");
    http->accept_failed = false;
    /* closes it where it is one too many */
    if (MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address, len) != MHD_YES)
        atomic_fetch_add(&http->refused, 1);
    return true;
}

static void *run(void *argument)
{
    struct http *http = argument;
    const size_t count = http->options.listen_count;
    struct pollfd polled[LISTENERS_MAX + 1];
    bool willing = true;

    for (;;) {
        deadlines(http);
        open_listeners(http);
        for (size_t i = 0; i < count; i++)
            polled[i] = (struct pollfd){
                .fd = http->listeners[i].open && willing ? http->listeners[i].socket.fd : -1,
                .events = POLLIN};
        polled[count] = (struct pollfd){.fd = http->stop_fd, .events = POLLIN};
        /* also while nobody is here: a connection that was handed over is told of later */
        poll(polled, count + 1, LOOK_MS);
        if (polled[count].revents != 0)
            return NULL;
        willing = true;
        for (size_t i = 0; i < count; i++)
            if (polled[i].revents != 0)
                willing = accept_one(http, &http->listeners[i]) && willing;
    }
}

/* --- start and stop --- */

static struct MHD_Daemon *start_daemon(struct http *http)
{
    struct MHD_Daemon *daemon;
    sigset_t all, before;

    /* its threads inherit the mask */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* no log of the library's own: whoever connects could fill it */
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC, 0, NULL, NULL,
        http_on_request, http, MHD_OPTION_THREAD_POOL_SIZE, HTTP_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        HTTP_CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_OCTETS,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, http_on_target, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED, on_replied,
        http, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static bool find_group(const char *name, gid_t *group)
{
    struct group entry, *found = NULL;
    char room[16384];

    *group = (gid_t)-1;
    if (name == NULL || name[0] == '\0')
        return true;
    if (getgrnam_r(name, &entry, room, sizeof(room), &found) != 0 || found == NULL)
        return false;
    *group = found->gr_gid;
    return true;
}

static void free_http(struct http *http)
{
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    for (size_t i = 0; i < http->options.listen_count; i++)
        if (http->listeners[i].open) {
            listen_remove_file(http->listeners[i].where, &http->listeners[i].socket);
            close(http->listeners[i].socket.fd);
        }
    if (http->stop_fd != -1)
        close(http->stop_fd);
    pthread_mutex_destroy(&http->clients_lock);
    free(http);
}

bool http_start(const struct http_options *options, struct http **started, char *error, size_t size)
{
    const size_t count = options->listen_count;
    struct http *http = NULL;

    if (count > LISTENERS_MAX) {
        snprintf(error, size, "page-listen: at most %d are taken", LISTENERS_MAX);
        return false;
    }
    http = calloc(1, sizeof(*http) + count * sizeof(http->listeners[0]));
    if (http == NULL) {
        snprintf(error, size, "page-listen: no memory");
        return false;
    }
    http->options = *options;
    pthread_mutex_init(&http->clients_lock, NULL);
    http->stop_fd = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < count; i++)
        http->listeners[i].where = options->listen[i];
    if (!find_group(options->group, &http->group)) {
        snprintf(error, size, "page-group: no group is called %s", options->group);
        free_http(http);
        return false;
    }
    if (http->stop_fd != -1)
        http->daemon = start_daemon(http);
    /* here, so that who waits for the start can ask at once */
    open_listeners(http);
    *started = http;
    if (http->daemon == NULL || !thread_start(&http->thread, "mxclash-web", run, http)) {
        *started = NULL;
        snprintf(error, size, "page-listen: no memory, thread or descriptor");
        free_http(http);
        return false;
    }
    return true;
}

void http_read_counts(struct http *http, struct http_counts *counts)
{
    for (size_t i = 0; i < 6; i++)
        counts->replies[i] = atomic_load(&http->replies[i]);
    counts->deadlines = atomic_load(&http->deadlines);
    counts->refused = atomic_load(&http->refused);
    counts->connections = atomic_load(&http->connections);
}

void http_stop(struct http *http)
{
    const uint64_t one = 1;

    if (http == NULL)
        return;
    /* an eventfd takes it at once, unless a signal comes; none does where all are blocked */
    while (write(http->stop_fd, &one, sizeof(one)) == -1 && errno == EINTR)
        continue;
    pthread_join(http->thread, NULL);
    free_http(http);
}
