/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The HTTP server: see httpd.h.
 *
 * Everything here happens on the server's thread, but for httpd_start() before that thread begins
 * and httpd_stop() after it ended: no lock is needed. The process's libevent may know no threads,
 * so the thread is stopped through a descriptor and never through a call into its event base.
 */
#include "output/httpd.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "output/accept.h"
#include "output/error_text.h"
#include "output/listen.h"
#include "output/thread.h"

/** Octets of a request's headers, and of a body that we read only to throw it away. */
#define REQUEST_OCTETS_MAX 8192
/** evhttp goes on reading while it writes a reply, or waits for the end of a line: never more than
 * this, beyond what it may hold of a request and one read of libevent's. */
#define INPUT_OCTETS_MAX ((size_t)4 * REQUEST_OCTETS_MAX)
/** Freed just before evhttp makes a connection and taken again behind it: where libevent 2.1 finds
 * no memory for one it crashes (evhttp_connection_base_bufferevent_new, evhttp_request_new). */
#define RESERVE_OCTETS 16384
/** Seconds without accept() after it failed, as when the process has no descriptor left. */
#define ACCEPT_PAUSE_S 1

#define TEXT_PLAIN "text/plain; charset=utf-8"

struct listener {
    struct httpd *httpd;
    const char *where;
    struct listen_socket socket;
    /** NULL while it is not open */
    struct evhttp_bound_socket *bound;
    bool failed;
};

/** A connection, from accept() to close(). */
struct client {
    struct client *next;
    struct httpd *httpd;
    /** first runs at once to adopt the connection, then at the deadline to end it */
    struct event *timer;
    /** ours until the connection is adopted, then NULL */
    struct bufferevent *unadopted;
    /** evhttp's; NULL until adopted */
    struct evhttp_connection *connection;
    /** over connections_max(): to be closed at once */
    bool refused;
    size_t reply_octets;
};

struct httpd {
    struct httpd *next; /* guarded by servers_lock */
    struct httpd_options options;
    struct event_base *base;
    struct evhttp *http;
    int stop_fd;
    struct event *stop;
    /** runs while a listener is not open */
    struct event *retry;
    /** ends the pause after a failed accept() */
    struct event *resume;
    bool accept_failed;
    struct client *clients;
    size_t client_count;
    /** RESERVE_OCTETS, while connections are accepted */
    void *reserve;
    /** sum over clients */
    size_t reply_octets;
    pthread_t thread;
    struct listener listeners[];
};

/**
 * Every server of the process: libevent's callback for a failed accept() gets evhttp's argument,
 * not ours. A thread-local variable would do, but a module's is allocated when it is first touched,
 * and the process ended if there is no memory for it.
 */
static pthread_mutex_t servers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct httpd *servers;

static void say(const struct httpd *httpd, const char *where, const char *what)
{
    /* a listen_open() reason, a path of sun_path's size, and the words around them */
    char line[512];

    snprintf(line, sizeof(line), "mxclash: http-listen %s: %s", where, what);
    httpd->options.host_log(httpd->options.context, line);
}

static void set_accepting(struct httpd *httpd, bool accepting)
{
    for (size_t i = 0; i < httpd->options.listen_count; i++) {
        struct evconnlistener *listener;

        if (httpd->listeners[i].bound == NULL)
            continue;
        listener = evhttp_bound_socket_get_listener(httpd->listeners[i].bound);
        if (accepting)
            evconnlistener_enable(listener);
        else
            evconnlistener_disable(listener);
    }
}

static void count_refused(struct httpd *httpd, enum http_refusal why)
{
    if (httpd->options.refused != NULL)
        atomic_fetch_add_explicit(&httpd->options.refused[why], 1, memory_order_relaxed);
}

static void pause_accepting(struct httpd *httpd)
{
    const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};

    set_accepting(httpd, false);
    evtimer_add(httpd->resume, &pause);
}

static bool keep_reserve(struct httpd *httpd)
{
    if (httpd->reserve == NULL)
        httpd->reserve = malloc(RESERVE_OCTETS);
    return httpd->reserve != NULL;
}

static void free_client(struct client *client)
{
    struct httpd *httpd = client->httpd;
    struct client **link = &httpd->clients;

    while (*link != client)
        link = &(*link)->next;
    *link = client->next;
    httpd->client_count--;
    httpd->reply_octets -= client->reply_octets;
    if (client->unadopted != NULL)
        bufferevent_decref(client->unadopted);
    event_free(client->timer);
    free(client);
}

static void on_close(struct evhttp_connection *connection, void *argument)
{
    (void)connection;
    free_client(argument);
}

/** evhttp 2.1 tells nobody of a new connection; but it sets the connection as the argument of the
 * bufferevent's callbacks, and clears it when it gives the connection up. */
static void adopt(struct client *client)
{
    const struct timeval deadline = {.tv_sec = HTTPD_TIMEOUT_S};
    struct httpd *httpd = client->httpd;
    void *connection;

    bufferevent_getcb(client->unadopted, NULL, NULL, NULL, &connection);
    bufferevent_decref(client->unadopted);
    client->unadopted = NULL;
    /* until this one is closed nobody else is accepted, see on_accept(); it is, in either case */
    if (client->refused)
        set_accepting(httpd, true);
    if (connection == NULL) {
        free_client(client);
        return;
    }
    client->connection = connection;
    evhttp_connection_set_closecb(client->connection, on_close, client);
    if (client->refused)
        evhttp_connection_free(client->connection);
    else
        evtimer_add(client->timer, &deadline);
}

static void on_client_timer(evutil_socket_t fd, short what, void *argument)
{
    struct client *client = argument;
    struct httpd *httpd = client->httpd;

    (void)fd;
    (void)what;
    if (client->unadopted != NULL) {
        adopt(client);
        if (!keep_reserve(httpd))
            pause_accepting(httpd);
        return;
    }
    count_refused(httpd, http_refusal_deadline);
    evhttp_connection_free(client->connection); /* which calls on_close() */
}

/** Connections are descriptors that the host may need for its own questions. */
static size_t connections_max(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
        limit.rlim_cur / HTTPD_DESCRIPTOR_SHARE > HTTPD_CONNECTIONS_MAX)
        return HTTPD_CONNECTIONS_MAX;
    if (limit.rlim_cur / HTTPD_DESCRIPTOR_SHARE < HTTPD_CONNECTIONS_MIN)
        return HTTPD_CONNECTIONS_MIN;
    return limit.rlim_cur / HTTPD_DESCRIPTOR_SHARE;
}

/** Whoever sends so much is no longer read. The deadline ends the connection. */
static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *change, void *argument)
{
    (void)change;
    if (evbuffer_get_length(input) > INPUT_OCTETS_MAX)
        bufferevent_disable(argument, EV_READ);
}

/** evhttp accepted a connection and wants a bufferevent for it. \return NULL for evhttp's own */
static struct bufferevent *on_accept(struct event_base *base, void *argument)
{
    struct httpd *httpd = argument;
    struct client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    client->httpd = httpd;
    client->timer = evtimer_new(base, on_client_timer, client);
    client->unadopted = bufferevent_socket_new(base, -1, 0);
    /* not a watermark: libevent 2.1 crashes where it finds no memory for it */
    if (client->timer == NULL || client->unadopted == NULL ||
        evbuffer_add_cb(bufferevent_get_input(client->unadopted), on_input, client->unadopted) ==
            NULL) {
        if (client->timer != NULL)
            event_free(client->timer);
        if (client->unadopted != NULL)
            bufferevent_free(client->unadopted);
        free(client);
        return NULL;
    }
    bufferevent_incref(client->unadopted);
    client->next = httpd->clients;
    httpd->clients = client;
    httpd->client_count++;
    if (httpd->client_count > connections_max()) {
        /* one too many at a time: the next waits until this one is closed */
        client->refused = true;
        count_refused(httpd, http_refusal_connections);
        set_accepting(httpd, false);
    }
    event_active(client->timer, EV_TIMEOUT, 0);
    if (httpd->accept_failed) {
        httpd->accept_failed = false;
        httpd->options.host_log(httpd->options.context, "mxclash: http-listen: accepts again");
    }
    free(httpd->reserve);
    httpd->reserve = NULL;
    return client->unadopted;
}

static struct httpd *server_of(const void *http)
{
    struct httpd *httpd;

    pthread_mutex_lock(&servers_lock);
    httpd = servers;
    while (httpd != NULL && httpd->http != http)
        httpd = httpd->next;
    pthread_mutex_unlock(&servers_lock);
    return httpd;
}

/** Out of descriptors: the waiting connection would wake us again and again, so look away. */
static void on_accept_error(struct evconnlistener *listener, void *http)
{
    const int error = errno;
    struct httpd *httpd = server_of(http);
    char line[256], buffer[ERROR_TEXT_MAX];

    (void)listener;
    pause_accepting(httpd);
    if (httpd->accept_failed)
        return;
    httpd->accept_failed = true;
    snprintf(line, sizeof(line), "mxclash: http-listen: cannot accept: %s; tried again",
             error_text(error, buffer));
    httpd->options.host_log(httpd->options.context, line);
}

static void on_resume(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    if (keep_reserve(argument))
        set_accepting(argument, true);
    else
        pause_accepting(argument);
}

static void on_stop(evutil_socket_t fd, short what, void *argument)
{
    struct httpd *httpd = argument;

    (void)fd;
    (void)what;
    event_base_loopbreak(httpd->base);
}

/** \return false with the reason filled in */
static bool bind_listener(struct listener *listener, char reason[LISTEN_REASON_MAX])
{
    struct evconnlistener *accepting;

    if (!listen_open(listener->where, &listener->socket, reason))
        return false;
    accepting =
        evconnlistener_new(listener->httpd->base, NULL, NULL,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listener->socket.fd);
    if (accepting != NULL)
        listener->bound = evhttp_bind_listener(listener->httpd->http, accepting);
    /* evhttp does not look whether its listener could be enabled */
    if (listener->bound != NULL && evconnlistener_enable(accepting) != 0) {
        evhttp_del_accept_socket(listener->httpd->http, listener->bound);
        listener->bound = NULL;
    } else if (listener->bound == NULL) {
        if (accepting != NULL)
            evconnlistener_free(accepting);
        else
            close(listener->socket.fd);
    }
    if (listener->bound == NULL) {
        snprintf(reason, LISTEN_REASON_MAX, "no memory");
        listen_remove_file(listener->where, &listener->socket);
        return false;
    }
    evconnlistener_set_error_cb(accepting, on_accept_error);
    return true;
}

static void open_listener(struct listener *listener)
{
    char reason[LISTEN_REASON_MAX], what[LISTEN_REASON_MAX + 64];

    if (bind_listener(listener, reason)) {
        if (listener->failed)
            say(listener->httpd, listener->where, "is back");
        listener->failed = false;
        return;
    }
    if (listener->failed)
        return;
    listener->failed = true;
    snprintf(what, sizeof(what), "%s; tried again every %d s", reason, HTTPD_RETRY_S);
    say(listener->httpd, listener->where, what);
}

/** Open what is not open; come back while something is not. */
static void on_retry(evutil_socket_t fd, short what, void *argument)
{
    const struct timeval later = {.tv_sec = HTTPD_RETRY_S};
    struct httpd *httpd = argument;
    bool all = true;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < httpd->options.listen_count; i++) {
        if (httpd->listeners[i].bound == NULL)
            open_listener(&httpd->listeners[i]);
        all = all && httpd->listeners[i].bound != NULL;
    }
    if (!all)
        evtimer_add(httpd->retry, &later);
}

static void free_text(const void *text, size_t octets, void *unused)
{
    (void)octets;
    (void)unused;
    free((void *)text);
}

/** Whether a reply of so many octets may wait for its reader; counts it if so. */
static bool take_room(struct httpd *httpd, struct evhttp_request *request, size_t octets)
{
    struct client *client;

    /* one reply is always served, or a long list of domains never would be */
    if (httpd->reply_octets != 0 && httpd->reply_octets + octets > HTTPD_REPLY_OCTETS_MAX)
        return false;
    for (client = httpd->clients; client != NULL; client = client->next)
        if (client->connection == evhttp_request_get_connection(request)) {
            client->reply_octets += octets;
            httpd->reply_octets += octets;
        }
    return true;
}

/**
 * Answer a request and close its connection: a scraper comes once in many seconds, and a
 * connection that ends needs no other deadline than the one it began with.
 *
 * \param text  malloc()ed, taken over; NULL if there was no memory
 */
static void reply(struct httpd *httpd, struct evhttp_request *request, int code, const char *reason,
                  const char *type, char *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    size_t octets = text == NULL ? 0 : strlen(text);
    char length[24];

    if (text == NULL || body == NULL || !take_room(httpd, request, octets)) {
        count_refused(httpd, http_refusal_replies);
        code = HTTP_SERVUNAVAIL;
        reason = "Service Unavailable";
        octets = 0;
    }
    snprintf(length, sizeof(length), "%zu", octets);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", length);
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "Connection", "close");
    /* else evhttp says keep-alive too, to a client of HTTP/1.0 that asked for it */
    while (evhttp_remove_header(evhttp_request_get_input_headers(request), "Connection") == 0)
        continue;
    /* evhttp would send a body with HEAD too */
    if (octets == 0 || evhttp_request_get_command(request) == EVHTTP_REQ_HEAD ||
        evbuffer_add_reference(body, text, octets, free_text, NULL) != 0)
        free(text);
    /* evhttp never closes after a CONNECT, whatever the headers say */
    if (request->type == EVHTTP_REQ_CONNECT)
        request->type = EVHTTP_REQ_POST;
    evhttp_send_reply(request, code, reason, body);
    if (body != NULL)
        evbuffer_free(body);
}

static void reply_numbers(struct httpd *httpd, struct evhttp_request *request,
                          char *(*text)(void *context, enum metrics_format format))
{
    const char *accept = evhttp_find_header(evhttp_request_get_input_headers(request), "Accept");
    const enum metrics_format format = accept_format(accept);

    reply(httpd, request, HTTP_OK, "OK",
          format == metrics_openmetrics
              ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
              : "text/plain; version=0.0.4; charset=utf-8",
          text(httpd->options.context, format));
}

static void on_request(struct evhttp_request *request, void *argument)
{
    struct httpd *httpd = argument;
    const enum evhttp_cmd_type method = evhttp_request_get_command(request);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);

    if (path == NULL)
        path = "";
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        reply(httpd, request, HTTP_BADMETHOD, "Method Not Allowed", TEXT_PLAIN,
              strdup("GET and HEAD only\n"));
    } else if (strcmp(path, "/metrics") == 0) {
        reply_numbers(httpd, request, httpd->options.metrics);
    } else if (strcmp(path, "/metrics/domains") == 0) {
        reply_numbers(httpd, request, httpd->options.domains);
    } else if (strcmp(path, "/healthz") == 0) {
        reply(httpd, request, HTTP_OK, "OK", TEXT_PLAIN, strdup("ok\n"));
    } else {
        reply(httpd, request, HTTP_NOTFOUND, "Not Found", TEXT_PLAIN, strdup("not found\n"));
    }
}

static void *serve(void *argument)
{
    struct httpd *httpd = argument;

    event_base_dispatch(httpd->base);
    return NULL;
}

/** Free all there is, after the thread ended or before it began. */
static void free_httpd(struct httpd *httpd)
{
    struct httpd **link = &servers;

    pthread_mutex_lock(&servers_lock);
    while (*link != httpd)
        link = &(*link)->next;
    *link = httpd->next;
    pthread_mutex_unlock(&servers_lock);
    /* first the names, then the sockets: nobody finds a name that leads nowhere */
    for (size_t i = 0; i < httpd->options.listen_count; i++)
        if (httpd->listeners[i].bound != NULL)
            listen_remove_file(httpd->listeners[i].where, &httpd->listeners[i].socket);
    if (httpd->http != NULL)
        evhttp_free(httpd->http);
    for (struct client *client = httpd->clients, *next; client != NULL; client = next) {
        next = client->next;
        free_client(client);
    }
    if (httpd->stop != NULL)
        event_free(httpd->stop);
    if (httpd->retry != NULL)
        event_free(httpd->retry);
    if (httpd->resume != NULL)
        event_free(httpd->resume);
    if (httpd->base != NULL)
        event_base_free(httpd->base);
    if (httpd->stop_fd != -1)
        close(httpd->stop_fd);
    free(httpd->reserve);
    free(httpd);
}

static bool make_events(struct httpd *httpd)
{
    httpd->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    httpd->base = event_base_new();
    if (httpd->stop_fd == -1 || httpd->base == NULL)
        return false;
    httpd->stop = event_new(httpd->base, httpd->stop_fd, EV_READ | EV_PERSIST, on_stop, httpd);
    httpd->retry = evtimer_new(httpd->base, on_retry, httpd);
    httpd->resume = evtimer_new(httpd->base, on_resume, httpd);
    httpd->http = evhttp_new(httpd->base);
    return keep_reserve(httpd) && httpd->stop != NULL && httpd->retry != NULL &&
           httpd->resume != NULL && httpd->http != NULL && event_add(httpd->stop, NULL) == 0;
}

static void set_up_http(struct httpd *httpd)
{
    /* evhttp answers a method that is not allowed with 501, so all are, even unknown ones */
    evhttp_set_allowed_methods(httpd->http, UINT16_MAX);
    evhttp_set_gencb(httpd->http, on_request, httpd);
    evhttp_set_bevcb(httpd->http, on_accept, httpd);
    evhttp_set_max_headers_size(httpd->http, REQUEST_OCTETS_MAX);
    evhttp_set_max_body_size(httpd->http, REQUEST_OCTETS_MAX);
    /* a longer body is still read to its end before the 413, or the client might not see it */
    evhttp_set_flags(httpd->http, EVHTTP_SERVER_LINGERING_CLOSE);
    /* each octet restarts this one; it is for connections that on_accept() had no memory for, and
     * later than our own, which counts whom it ends */
    evhttp_set_timeout(httpd->http, HTTPD_TIMEOUT_S + 1);
}

struct httpd *httpd_start(const struct httpd_options *options)
{
    struct httpd *httpd =
        calloc(1, sizeof(*httpd) + options->listen_count * sizeof(httpd->listeners[0]));

    if (httpd == NULL)
        return NULL;
    httpd->options = *options;
    pthread_mutex_lock(&servers_lock);
    httpd->next = servers;
    servers = httpd;
    pthread_mutex_unlock(&servers_lock);
    for (size_t i = 0; i < options->listen_count; i++) {
        httpd->listeners[i].httpd = httpd;
        httpd->listeners[i].where = options->listen[i];
    }
    if (make_events(httpd)) {
        set_up_http(httpd);
        on_retry(-1, 0, httpd);
        if (thread_start(&httpd->thread, "mxclash-http", serve, httpd))
            return httpd;
    }
    free_httpd(httpd);
    return NULL;
}

void httpd_stop(struct httpd *httpd)
{
    const uint64_t one = 1;

    if (httpd == NULL)
        return;
    /* cannot fail: the counter of the eventfd is 0 before */
    while (write(httpd->stop_fd, &one, sizeof(one)) == -1 && errno == EINTR)
        continue;
    pthread_join(httpd->thread, NULL);
    free_httpd(httpd);
}
