/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: what a client of the HTTP server sends, octet for octet, over a unix socket to the
 * real server. The first octet of an input says where the rest is cut in two (in 256ths of it): the
 * second part is sent once the server has taken the first.
 *
 * Whatever comes, the server must answer with at most one good HTTP message and close, must ask for
 * numbers only where the path says so, must answer a plain request rightly, and must go on serving.
 *
 * The server's thread is our own: thread_start() and event_base_dispatch() stand here in place of
 * the module's and libevent's, so that an input is over when its loop has nothing left to do.
 */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz.h"
#include "output/httpd.h"
#include "output/thread.h"

/** Runs of the loop after which the server has done all that it can: it reads 16 KiB in one. */
#define LOOPS     8
#define REPLY_MAX 65536

static struct sockaddr_un address = {.sun_family = AF_UNIX};
/** calls of the two callbacks */
static unsigned metrics_calls, domains_calls;
/** the server's */
static struct event_base *base;

/* --- the server --------------------------------------------------------------------------------
 */

static char *metrics(void *context, enum metrics_format format)
{
    (void)context;
    metrics_calls++;
    return strdup(format == metrics_openmetrics ? "open metrics\n" : "plain metrics\n");
}

static char *domains(void *context, enum metrics_format format)
{
    (void)context;
    domains_calls++;
    return strdup(format == metrics_openmetrics ? "open domains\n" : "plain domains\n");
}

static void host_log(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
    abort();
}

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *argument), void *argument)
{
    (void)name;
    *thread = pthread_self();
    run(argument);
    return true;
}

int event_base_dispatch(struct event_base *dispatched)
{
    base = dispatched;
    return 0;
}

/** Let the server do what there is to do. */
static void serve(void)
{
    for (int i = 0; i < LOOPS; i++)
        MUST(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

/** Start a server that lives as long as we do, and whose socket needs no name any more. */
static void start_server(void)
{
    static char path[sizeof(address.sun_path)];
    static char *listen[] = {path};
    static const struct httpd_options options = {.listen = listen,
                                                 .listen_count = 1,
                                                 .metrics = metrics,
                                                 .domains = domains,
                                                 .host_log = host_log};
    char folder[] = P_tmpdir "/mxclash-fuzz-XXXXXX";
    int file;

    MUST(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/http", folder);
    MUST(httpd_start(&options) != NULL);
    MUST((file = open(path, O_PATH | O_CLOEXEC)) >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", file);
    unlink(path);
    rmdir(folder);
}

/* --- a client ----------------------------------------------------------------------------------
 */

static int connect_client(void)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(client >= 0);
    MUST(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    return client;
}

/** Send, and let the server take it; it may have closed. */
static void send_octets(int client, const uint8_t *octets, size_t size)
{
    MUST(size == 0 || send(client, octets, size, MSG_NOSIGNAL) == (ssize_t)size || errno == EPIPE);
    serve();
}

struct received {
    char text[REPLY_MAX];
    size_t octets;
    bool closed;
};

/** Read what is there. */
static void receive(int client, struct received *received)
{
    ssize_t got;

    do {
        size_t room = REPLY_MAX - 1 - received->octets;

        MUST(room > 0);
        got = recv(client, received->text + received->octets, room, MSG_DONTWAIT);
        received->octets += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    received->text[received->octets] = '\0';
    received->closed = got == 0 || errno == ECONNRESET;
    MUST(received->closed || errno == EAGAIN);
}

/** \return the reply, behind what the server says so that a client goes on */
static const char *final_reply(const struct received *received)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    bool goes_on = strncmp(received->text, interim, strlen(interim)) == 0;

    return received->text + (goes_on ? strlen(interim) : 0);
}

/** Send an input, get what comes. A server that replied has closed; else it does as we do. */
static void exchange(const uint8_t *data, size_t size, size_t cut, struct received *received)
{
    int client = connect_client();

    received->octets = 0;
    serve();
    send_octets(client, data, cut);
    send_octets(client, data + cut, size - cut);
    receive(client, received);
    /* but after replies of evhttp itself to a broken CONNECT, up to the deadline */
    MUST(*final_reply(received) == '\0' || received->closed ||
         (memmem(data, size, "CONNECT", 7) != NULL && strstr(received->text, "nosniff") == NULL));
    shutdown(client, SHUT_WR);
    serve();
    receive(client, received);
    MUST(received->closed);
    close(client);
}

/* --- what may come back ------------------------------------------------------------------------
 */

struct reply {
    int status;
    /** value of each header that matters, up to the line's end; NULL if it is not there */
    const char *type, *length, *options, *cache, *connection, *allow;
    const char *body;
    size_t body_len;
};

static void take_header(struct reply *reply, const char *line)
{
    static const struct {
        const char *name;
        size_t member;
    } known[] = {
        {"Content-Type: ", offsetof(struct reply, type)},
        {"Content-Length: ", offsetof(struct reply, length)},
        {"X-Content-Type-Options: ", offsetof(struct reply, options)},
        {"Cache-Control: ", offsetof(struct reply, cache)},
        {"Connection: ", offsetof(struct reply, connection)},
        {"Allow: ", offsetof(struct reply, allow)},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char **member = (const char **)(void *)((char *)reply + known[i].member);

        if (strncmp(line, known[i].name, strlen(known[i].name)) != 0)
            continue;
        MUST(*member == NULL);
        *member = line + strlen(known[i].name);
    }
}

/**
 * Read one message: a status line, headers of printable ASCII, a body up to the end. evhttp repeats
 * the version that the client gave, whatever it is.
 */
static void parse_reply(const char *text, size_t octets, struct reply *reply)
{
    const char *at = text;

    memset(reply, 0, sizeof(*reply));
    MUST(strlen(text) == octets);
    MUST(strncmp(at, "HTTP/", 5) == 0 && (at = strchr(at, ' ')) != NULL);
    reply->status = atoi(at + 1);
    MUST(reply->status >= 100 && reply->status <= 599 && at[4] == ' ');
    for (at = text; strncmp(at, "\r\n", 2) != 0; at += 2) {
        const char *line = at;

        while (*at >= ' ' && *at <= '~')
            at++;
        take_header(reply, line);
        MUST(strncmp(at, "\r\n", 2) == 0);
    }
    reply->body = at + 2;
    reply->body_len = octets - (size_t)(reply->body - text);
}

static bool value_is(const char *value, const char *wanted)
{
    return value != NULL && strncmp(value, wanted, strlen(wanted)) == 0 &&
           value[strlen(wanted)] == '\r';
}

/** A reply that we made; those of evhttp itself, for what it does not take, have no such header. */
static void check_ours(const struct reply *reply)
{
    static const char *const bodies[] = {"open metrics\n", "plain metrics\n", "open domains\n",
                                         "plain domains\n", "ok\n"};
    const char *wanted = NULL;

    MUST(value_is(reply->options, "nosniff") && value_is(reply->cache, "no-store"));
    MUST(reply->type != NULL && reply->length != NULL);
    MUST(reply->connection == NULL || value_is(reply->connection, "close"));
    if (reply->status == 404)
        wanted = "not found\n";
    if (reply->status == 405)
        wanted = "GET and HEAD only\n";
    MUST((reply->status == 405) == (reply->allow != NULL));
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]) && reply->status == 200; i++)
        if (strcmp(reply->body, bodies[i]) == 0)
            wanted = bodies[i];
    if (reply->body_len == 0) /* of a HEAD */
        return;
    MUST(wanted != NULL && strcmp(reply->body, wanted) == 0);
    MUST(strtoul(reply->length, NULL, 10) == strlen(wanted));
    if (reply->status == 200 && strcmp(wanted, "ok\n") != 0)
        MUST((wanted[0] == 'o') ==
             (strncmp(reply->type, "application/openmetrics-text; version=1.0.0", 43) == 0));
}

static void check_reply(const struct reply *reply)
{
    static const int known[] = {200, 400, 404, 405, 413, 417};
    bool expected = false;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        expected = expected || reply->status == known[i];
    MUST(expected);
    if (reply->status == 200 || reply->status == 404 || reply->status == 405)
        check_ours(reply);
}

/* --- what a plain request must get -------------------------------------------------------------
 */

struct request {
    bool head;
    /** up to the query */
    char path[32];
    /** an Accept header names OpenMetrics, or there is none */
    bool names_openmetrics, accept;
};

/** Take one header of a plain request. \return octets with the line's end, 0 if it is none */
static size_t take_line(struct request *request, const char *line)
{
    size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    size_t len = strcspn(line, "\r\n");

    if (name == 0 || line[name] != ':' || line[name + 1] != ' ' || len > 200 ||
        strncmp(line + len, "\r\n", 2) != 0)
        return 0;
    for (size_t i = name; i < len; i++)
        if (line[i] < ' ' || line[i] > '~')
            return 0;
    /* these two change what else is read of the connection */
    if (strncasecmp(line, "Expect:", 7) == 0 || strncasecmp(line, "Connection:", 11) == 0)
        return 0;
    if (strncasecmp(line, "Accept:", 7) == 0) {
        if (request->accept)
            return 0;
        request->accept = true;
        for (size_t i = 0; i < len; i++)
            request->names_openmetrics =
                request->names_openmetrics ||
                strncasecmp(line + i, "application/openmetrics-text", 28) == 0;
    }
    return len + 2;
}

/** \return true if text is one request as every client sends them, and nothing behind it */
static bool read_plain(const char *text, struct request *request)
{
    size_t octets, lines = 0;

    memset(request, 0, sizeof(*request));
    request->head = strncmp(text, "HEAD ", 5) == 0;
    if (!request->head && strncmp(text, "GET ", 4) != 0)
        return false;
    text = strchr(text, ' ') + 1;
    octets = strspn(text, "abcdefghijklmnopqrstuvwxyz/");
    if (text[0] != '/' || text[1] == '/' || octets >= sizeof(request->path))
        return false;
    memcpy(request->path, text, octets);
    text += octets;
    if (*text == '?')
        text += 1 + strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789=&");
    if (strncmp(text, " HTTP/1.0\r\n", 11) != 0 && strncmp(text, " HTTP/1.1\r\n", 11) != 0)
        return false;
    for (text += 11; strncmp(text, "\r\n", 2) != 0; text += octets)
        if ((octets = take_line(request, text)) == 0 || ++lines > 20)
            return false;
    return text[2] == '\0';
}

static void check_plain(const struct request *request, const struct reply *reply)
{
    static const struct {
        const char *path, *plain, *open;
    } pages[] = {
        {"/metrics", "plain metrics\n", "open metrics\n"},
        {"/metrics/domains", "plain domains\n", "open domains\n"},
        {"/healthz", "ok\n", "ok\n"},
    };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(request->path, pages[i].path) != 0)
            continue;
        MUST(reply->status == 200);
        MUST(request->head == (reply->body_len == 0));
        MUST(request->head || strcmp(reply->body, pages[i].plain) == 0 ||
             (request->names_openmetrics && strcmp(reply->body, pages[i].open) == 0));
        return;
    }
    MUST(reply->status == 404);
}

static void check_calls(const char *text, bool replied, const struct reply *reply)
{
    /* once, for a page that is named so */
    MUST(metrics_calls + domains_calls <= 1);
    MUST(metrics_calls + domains_calls == 0 || strstr(text, "/metrics") != NULL);
    MUST(domains_calls == 0 || strstr(text, "/metrics/domains") != NULL);
    if (replied && reply->status == 200 && reply->body_len > 0)
        MUST(metrics_calls + domains_calls == (strcmp(reply->body, "ok\n") != 0));
}

static void check_exchange(const char *sent, bool whole, const struct received *received)
{
    const char *text = final_reply(received);
    bool replied = *text != '\0';
    struct reply reply = {.status = 0};
    struct request request;

    if (replied) {
        parse_reply(text, received->octets - (size_t)(text - received->text), &reply);
        check_reply(&reply);
        if (reply.status >= 400 && strstr(sent, "CONNECT") != NULL)
            return; /* more may have been asked and replied behind it */
    }
    check_calls(sent, replied, &reply);
    if (whole && read_plain(sent, &request)) {
        MUST(replied);
        check_plain(&request, &reply);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct received received;
    char *sent;

    if (base == NULL)
        start_server();
    if (size == 0)
        return 0;
    /* up to a NUL, which no plain request has */
    sent = string_of(data + 1, size - 1);
    metrics_calls = domains_calls = 0;
    exchange(data + 1, size - 1, data[0] * (size - 1) / 256, &received);
    check_exchange(sent, strlen(sent) == size - 1, &received);
    free(sent);
    return 0;
}
