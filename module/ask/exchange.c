/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * One question to one server, from the first packet to the callback: see ask.h.
 *
 * Each try has a socket and an id of its own. An answer to an earlier try that comes late is lost
 * by that; whoever guesses has one port and one id to guess, and the kernel drops what comes from
 * elsewhere.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "ask/inside.h"

#define UDP_PACKETS 1
#define TCP_PACKETS 2

struct ask_exchange {
    TAILQ_ENTRY(ask_exchange) link;
    struct ask *ask;
    struct ask_question question;
    ask_reply_fn *done;
    void *context;

    /** in ask->running, else in ask->waiting */
    bool is_running;
    /** what the next tick of the timer does */
    void (*next)(struct ask_exchange *exchange);
    struct event *timer;
    /** UDP; -1 = none */
    int socket;
    struct event *readable;
    struct bufferevent *stream;

    uint16_t id;
    bool no_edns;
    bool is_tcp;
    unsigned tries;
    unsigned strays_of_try;
    int64_t sent_ms;
    struct ask_reply reply;
};

static void start(struct ask_exchange *exchange);
static void try_udp(struct ask_exchange *exchange);

static void after(struct ask_exchange *exchange, unsigned ms,
                  void (*next)(struct ask_exchange *exchange))
{
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    exchange->next = next;
    event_add(exchange->timer, &wait);
}

static void on_timer(evutil_socket_t socket, short what, void *context)
{
    struct ask_exchange *exchange = context;
    (void)socket;
    (void)what;
    exchange->next(exchange);
}

static void close_sockets(struct ask_exchange *exchange)
{
    if (exchange->readable != NULL) {
        event_free(exchange->readable);
        exchange->readable = NULL;
    }
    if (exchange->socket >= 0) {
        close(exchange->socket);
        exchange->socket = -1;
    }
    if (exchange->stream != NULL) {
        bufferevent_free(exchange->stream);
        exchange->stream = NULL;
    }
}

/** Take an exchange out of its list. \return true if another one may begin */
static bool leave(struct ask_exchange *exchange)
{
    struct ask *ask = exchange->ask;
    if (!exchange->is_running) {
        TAILQ_REMOVE(&ask->waiting, exchange, link);
        ask->waiting_count--;
        return false;
    }
    TAILQ_REMOVE(&ask->running, exchange, link);
    ask->running_count--;
    return true;
}

static void join_running(struct ask_exchange *exchange)
{
    exchange->is_running = true;
    TAILQ_INSERT_TAIL(&exchange->ask->running, exchange, link);
    exchange->ask->running_count++;
}

void ask_exchange_drop(struct ask_exchange *exchange)
{
    leave(exchange);
    close_sockets(exchange);
    event_free(exchange->timer);
    free(exchange);
}

static void finish(struct ask_exchange *exchange, enum ask_status status, const ldns_pkt *packet,
                   const uint8_t *message, size_t len)
{
    struct ask *ask = exchange->ask;
    struct ask_reply *reply = &exchange->reply;
    reply->status = status;
    reply->server = exchange->question.server;
    reply->packet = packet;
    reply->message = message;
    reply->message_len = len;
    reply->tcp = exchange->is_tcp;
    reply->rtt_ms = (unsigned)(ask_now_ms() - exchange->sent_ms);
    close_sockets(exchange);
    event_del(exchange->timer);
    if (leave(exchange)) {
        struct ask_exchange *next = TAILQ_FIRST(&ask->waiting);
        if (next != NULL) {
            leave(next);
            join_running(next);
            after(next, 0, start);
        }
    }
    exchange->done(exchange->context, reply);
    event_free(exchange->timer);
    free(exchange);
}

static void fail(struct ask_exchange *exchange, enum ask_status status)
{
    finish(exchange, status, NULL, NULL, 0);
}

/** The reasons for which nothing was sent. */
static void fail_too_many(struct ask_exchange *exchange)
{
    fail(exchange, ask_too_many);
}

/**
 * May packets be sent?
 * \param again  called when it is to be asked again
 * \return false if not now: the rest is seen to
 */
static bool may_send(struct ask_exchange *exchange, unsigned packets,
                     void (*again)(struct ask_exchange *exchange))
{
    const struct ask *ask = exchange->ask;
    const int wait_ms = ask->may_send == NULL
                            ? 0
                            : ask->may_send(ask->context, &exchange->question.server, packets);
    if (wait_ms < 0) {
        fail(exchange, ask_denied);
    } else if (wait_ms > 0) {
        after(exchange, (unsigned)wait_ms, again);
    } else {
        exchange->reply.packets += packets;
    }
    return wait_ms == 0;
}

/** Write the question, with a new id. \return octets; 0 after fail() */
static size_t build(struct ask_exchange *exchange, uint8_t query[512])
{
    const struct ask_question *question = &exchange->question;
    size_t len = 0;
    if (getrandom(&exchange->id, sizeof(exchange->id), 0) == (ssize_t)sizeof(exchange->id)) {
        len = ask_query_build(&question->name, question->qtype, exchange->id, question->recursion,
                              !exchange->no_edns, query);
    }
    if (len == 0) {
        fail(exchange, ask_no_room);
    }
    return len;
}

/* --- TCP ----------------------------------------------------------------------------------------
 */

static void fail_timeout(struct ask_exchange *exchange)
{
    fail(exchange, ask_timeout);
}

static void on_stream_read(struct bufferevent *stream, void *context)
{
    struct ask_exchange *exchange = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    uint8_t head[2];
    if (evbuffer_copyout(input, head, sizeof(head)) < (ssize_t)sizeof(head)) {
        return;
    }
    const size_t len = (size_t)head[0] << 8 | head[1];
    if (evbuffer_get_length(input) < sizeof(head) + len) {
        return;
    }
    uint8_t *message = exchange->ask->datagram;
    ldns_pkt *packet = NULL;
    evbuffer_drain(input, sizeof(head));
    evbuffer_remove(input, message, len);
    /* One question was asked, so one answer can be for us; a stream has no strays. */
    if (ask_match(&exchange->question, exchange->id, message, len, &packet) != ask_match_yes) {
        exchange->reply.strays++;
        fail(exchange, ask_malformed);
        return;
    }
    finish(exchange, ask_answered, packet, message, len);
    ldns_pkt_free(packet);
}

static void on_stream_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
        fail(context, ask_unreachable);
    }
}

static void try_tcp(struct ask_exchange *exchange)
{
    const struct sockaddr_storage *server = &exchange->question.server;
    uint8_t query[2 + 512];
    exchange->is_tcp = true;
    if (!may_send(exchange, TCP_PACKETS, try_tcp)) {
        return;
    }
    const size_t len = build(exchange, query + 2);
    if (len == 0) {
        return;
    }
    query[0] = (uint8_t)(len >> 8);
    query[1] = (uint8_t)len;
    /* nothing is called before we are back in the loop */
    exchange->stream = bufferevent_socket_new(exchange->ask->base, -1,
                                              BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (exchange->stream == NULL) {
        fail(exchange, ask_no_room);
        return;
    }
    bufferevent_setcb(exchange->stream, on_stream_read, NULL, on_stream_event, exchange);
    bufferevent_setwatermark(exchange->stream, EV_READ, 2, 2 + UINT16_MAX);
    bufferevent_enable(exchange->stream, EV_READ | EV_WRITE);
    exchange->sent_ms = ask_now_ms();
    after(exchange, exchange->ask->tcp_timeout_ms, fail_timeout);
    if (bufferevent_write(exchange->stream, query, 2 + len) != 0 ||
        bufferevent_socket_connect(exchange->stream, (const struct sockaddr *)server,
                                   (int)ask_address_len(server)) != 0) {
        fail(exchange, ask_unreachable);
    }
}

/* --- UDP ----------------------------------------------------------------------------------------
 */

static void next_try(struct ask_exchange *exchange)
{
    close_sockets(exchange);
    if (exchange->tries < exchange->ask->tries) {
        try_udp(exchange);
    } else {
        fail(exchange, exchange->reply.status == ask_malformed ? ask_malformed : ask_timeout);
    }
}

/** A server that does not know EDNS says so with these, and is asked without (RFC 6891 7). */
static bool wants_no_edns(const struct ask_exchange *exchange, const ldns_pkt *packet)
{
    const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    return !exchange->no_edns && (rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL);
}

/** A message that answers the question. */
static void take(struct ask_exchange *exchange, ldns_pkt *packet, size_t len)
{
    if (wants_no_edns(exchange, packet)) {
        exchange->no_edns = true;
        exchange->tries--;
        close_sockets(exchange);
        try_udp(exchange);
    } else if (ldns_pkt_tc(packet)) {
        close_sockets(exchange);
        try_tcp(exchange);
    } else {
        finish(exchange, ask_answered, packet, exchange->ask->datagram, len);
    }
}

static void on_readable(evutil_socket_t socket, short what, void *context)
{
    struct ask_exchange *exchange = context;
    uint8_t *message = exchange->ask->datagram;
    (void)what;
    for (;;) {
        const ssize_t len = recv(socket, message, sizeof(exchange->ask->datagram), MSG_DONTWAIT);
        if (len < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
                return;
            }
            fail(exchange, ask_unreachable);
            return;
        }
        ldns_pkt *packet = NULL;
        const enum ask_match match =
            ask_match(&exchange->question, exchange->id, message, (size_t)len, &packet);
        if (match == ask_match_yes) {
            take(exchange, packet, (size_t)len);
            ldns_pkt_free(packet);
            return;
        }
        exchange->reply.strays++;
        /* it may be somebody else's, so it ends nothing */
        if (match == ask_match_malformed) {
            exchange->reply.status = ask_malformed;
        }
        if (++exchange->strays_of_try >= ASK_STRAYS_MAX) {
            event_del(exchange->timer);
            next_try(exchange);
            return;
        }
    }
}

/** Open a socket that hears the server and nobody else. \return false after fail() */
static bool open_udp(struct ask_exchange *exchange)
{
    const struct sockaddr_storage *server = &exchange->question.server;
    exchange->socket =
        socket(server->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (exchange->socket < 0) {
        /* a machine without IPv6 reaches nobody there */
        fail(exchange, errno == EAFNOSUPPORT ? ask_unreachable : ask_no_room);
        return false;
    }
    if (connect(exchange->socket, (const struct sockaddr *)server, ask_address_len(server)) != 0) {
        fail(exchange, ask_unreachable);
        return false;
    }
    exchange->readable = event_new(exchange->ask->base, exchange->socket, EV_READ | EV_PERSIST,
                                   on_readable, exchange);
    if (exchange->readable == NULL || event_add(exchange->readable, NULL) != 0) {
        fail(exchange, ask_no_room);
        return false;
    }
    return true;
}

static void try_udp(struct ask_exchange *exchange)
{
    uint8_t query[512];
    if (!may_send(exchange, UDP_PACKETS, try_udp)) {
        return;
    }
    const size_t len = build(exchange, query);
    if (len == 0 || !open_udp(exchange)) {
        return;
    }
    exchange->sent_ms = ask_now_ms();
    exchange->strays_of_try = 0;
    /* A packet that the machine has no room for is as one that was lost on the way. */
    if (send(exchange->socket, query, len, 0) < 0 && errno != EAGAIN && errno != ENOBUFS) {
        fail(exchange, ask_unreachable);
        return;
    }
    after(exchange, exchange->ask->timeout_ms << exchange->tries, next_try);
    exchange->tries++;
}

/** The first try. */
static void start(struct ask_exchange *exchange)
{
    const struct ask_question *question = &exchange->question;
    if (ask_address_len(&question->server) == 0 ||
        (!question->operators_word &&
         ask_address_refused(exchange->ask->policy, &question->server) != NULL)) {
        fail(exchange, ask_forbidden);
        return;
    }
    try_udp(exchange);
}

bool ask_send(struct ask *ask, const struct ask_question *question, ask_reply_fn *done,
              void *context)
{
    struct ask_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL) {
        return false;
    }
    exchange->timer = evtimer_new(ask->base, on_timer, exchange);
    if (exchange->timer == NULL) {
        free(exchange);
        return false;
    }
    exchange->ask = ask;
    exchange->question = *question;
    exchange->done = done;
    exchange->context = context;
    exchange->socket = -1;
    exchange->sent_ms = ask_now_ms();
    exchange->reply.status = ask_timeout;
    if (ask->running_count < ASK_OUTSTANDING_MAX) {
        join_running(exchange);
        after(exchange, 0, start);
        return true;
    }
    TAILQ_INSERT_TAIL(&ask->waiting, exchange, link);
    if (ask->waiting_count++ >= ASK_WAITING_MAX) {
        after(exchange, 0, fail_too_many);
    }
    return true;
}

bool ask_send_within(struct ask *ask, struct ask_budget *budget,
                     const struct ask_question *question, ask_reply_fn *done, void *context,
                     enum ask_status *status)
{
    if (budget->questions == 0) {
        *status = ask_too_many;
        return false;
    }
    budget->questions--;
    *status = ask_no_room;
    return ask_send(ask, question, done, context);
}
