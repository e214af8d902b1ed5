/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Senders and listeners: see receiver.h. */
#include "host/dnstap/receiver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/bucket.h"
#include "core/base/counters.h"
#include "output/clock.h"
#include "output/error_text.h"

/** How often deadlines are looked at. */
#define LOOK_MS 500
/** Without accepting, after it failed, as when the process has no descriptor left. */
#define PAUSE_MS 1000
/** Lines of the log about senders: whoever connects again and again does not fill it. */
#define LINES_A_SECOND 1
#define LINES_AT_ONCE  20

struct sender {
    TAILQ_ENTRY(sender) link;
    struct receiver *receiver;
    int socket;
    struct event *readable;
    struct frames frames;
    size_t frame_count;
    size_t number;
    /** steady; 0 = it may take its time */
    int64_t deadline_ms;
    /** it does not read what we reply */
    bool is_deaf;
    char peer[80];
};

TAILQ_HEAD(senders, sender);

struct listener {
    TAILQ_ENTRY(listener) link;
    struct receiver *receiver;
    struct evconnlistener *accepting;
    /** as in the configuration; NULL = it was adopted */
    char *where;
    struct listen_socket socket;
};

TAILQ_HEAD(listeners, listener);

struct receiver {
    struct receiver_options options;
    struct senders senders;
    struct listeners listeners;
    struct event *look;
    struct event *resume;
    bool accept_failed;
    size_t numbers;
    struct bucket lines;
    size_t lines_left_out;
    _Atomic uint64_t connected;
    _Atomic uint64_t ended[RECEIVER_ENDS];
    uint8_t piece[RECEIVER_PIECE_OCTETS];
};

const char *receiver_end_name(enum receiver_end end)
{
    static const char *const names[] = {
        [receiver_end_stopped] = "stopped",   [receiver_end_closed] = "closed",
        [receiver_end_deadline] = "deadline", [receiver_end_refused] = "refused",
        [receiver_end_too_many] = "too-many",
    };
    return (unsigned)end < RECEIVER_ENDS ? names[end] : "?";
}

/** A line about a sender, unless there were many. */
static void tell(struct receiver *receiver, const char *line)
{
    char more[96];
    bucket_refill(&receiver->lines, clock_steady_ms());
    if (!bucket_take(&receiver->lines, BUCKET_TOKEN)) {
        receiver->lines_left_out++;
        return;
    }
    if (receiver->lines_left_out != 0) {
        snprintf(more, sizeof(more), "mxclash: %zu lines about senders were left out",
                 receiver->lines_left_out);
        receiver->options.log(receiver->options.context, more);
        receiver->lines_left_out = 0;
    }
    receiver->options.log(receiver->options.context, line);
}

/* --- senders ------------------------------------------------------------------------------------
 */

/** Who is at the other end. */
static void name_peer(struct sender *sender)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    struct ucred who;
    socklen_t who_len = sizeof(who);
    char text[INET6_ADDRSTRLEN] = "";
    if (getpeername(sender->socket, (struct sockaddr *)&address, &len) != 0) {
        address.ss_family = AF_UNSPEC;
    }
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)&address;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
        snprintf(sender->peer, sizeof(sender->peer), "%s@%u", text, ntohs(four->sin_port));
    } else if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
        snprintf(sender->peer, sizeof(sender->peer), "%s@%u", text, ntohs(six->sin6_port));
    } else if (getsockopt(sender->socket, SOL_SOCKET, SO_PEERCRED, &who, &who_len) == 0) {
        snprintf(sender->peer, sizeof(sender->peer), "process %ld", (long)who.pid);
    } else {
        snprintf(sender->peer, sizeof(sender->peer), "unknown");
    }
}

static void close_sender(struct sender *sender, enum receiver_end end, const char *why)
{
    struct receiver *receiver = sender->receiver;
    char line[256];
    snprintf(line, sizeof(line), "mxclash: dnstap sender %zu (%s) %s, %zu frames", sender->number,
             sender->peer, why, sender->frame_count);
    tell(receiver, line);
    count_up(&receiver->ended[end]);
    count_down(&receiver->connected);
    TAILQ_REMOVE(&receiver->senders, sender, link);
    event_free(sender->readable);
    close(sender->socket);
    frames_free(&sender->frames);
    free(sender);
}

/** The stream is over by what it said. */
static void end_stream(struct sender *sender)
{
    const enum frames_state state = sender->frames.state;
    close_sender(sender, state == frames_stopped ? receiver_end_stopped : receiver_end_refused,
                 frames_state_text(state));
}

static void on_frame(void *context, const uint8_t *frame, size_t len)
{
    struct sender *sender = context;
    const struct receiver_options *options = &sender->receiver->options;
    sender->frame_count++;
    options->frame(options->context, frame, len);
}

/** Our replies are short and two: they fit into any socket whose other end reads. */
static void on_reply(void *context, const uint8_t *octets, size_t len)
{
    struct sender *sender = context;
    if (send(sender->socket, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len) {
        sender->is_deaf = true;
    }
}

static void set_deadline(struct sender *sender, bool torn_before)
{
    if (sender->frames.state != frames_data) {
        return;
    }
    if (!frames_is_torn(&sender->frames)) {
        sender->deadline_ms = 0;
    } else if (!torn_before || sender->deadline_ms == 0) {
        sender->deadline_ms = clock_steady_ms() + RECEIVER_FRAME_MS;
    }
}

static void on_readable(evutil_socket_t socket, short what, void *context)
{
    struct sender *sender = context;
    struct receiver *receiver = sender->receiver;
    const struct frames_sink sink = {.data = on_frame, .reply = on_reply, .context = sender};
    (void)what;
    const ssize_t len = recv(socket, receiver->piece, sizeof(receiver->piece), MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (len <= 0) {
        close_sender(sender, receiver_end_closed, frames_state_text(sender->frames.state));
        return;
    }
    const bool torn_before = frames_is_torn(&sender->frames);
    const size_t before = sender->frame_count;
    const bool goes_on = frames_feed(&sender->frames, receiver->piece, (size_t)len, &sink);
    if (sender->frame_count != before) {
        receiver->options.taken(receiver->options.context);
    }
    if (!goes_on) {
        end_stream(sender);
    } else if (sender->is_deaf) {
        close_sender(sender, receiver_end_refused, "does not read");
    } else {
        /* a frame that ends and one that begins look like one that goes on */
        set_deadline(sender, torn_before && sender->frame_count == before);
    }
}

static void on_look(evutil_socket_t socket, short what, void *context)
{
    struct receiver *receiver = context;
    const int64_t now_ms = clock_steady_ms();
    struct sender *next;
    (void)socket;
    (void)what;
    for (struct sender *sender = TAILQ_FIRST(&receiver->senders); sender != NULL; sender = next) {
        next = TAILQ_NEXT(sender, link);
        if (sender->deadline_ms != 0 && sender->deadline_ms <= now_ms) {
            close_sender(sender, receiver_end_deadline,
                         sender->frames.state == frames_data ? "does not end a frame"
                                                             : "does not begin");
        }
    }
}

/** \return false if there is no memory; the socket is then the caller's still */
static bool add_sender(struct receiver *receiver, int socket)
{
    struct sender *sender = calloc(1, sizeof(*sender));
    char line[160];
    if (sender == NULL) {
        return false;
    }
    sender->receiver = receiver;
    sender->socket = socket;
    sender->readable =
        event_new(receiver->options.base, socket, EV_READ | EV_PERSIST, on_readable, sender);
    if (sender->readable == NULL || event_add(sender->readable, NULL) != 0) {
        if (sender->readable != NULL) {
            event_free(sender->readable);
        }
        free(sender);
        return false;
    }
    sender->number = ++receiver->numbers;
    sender->deadline_ms = clock_steady_ms() + RECEIVER_BEGIN_MS;
    name_peer(sender);
    TAILQ_INSERT_TAIL(&receiver->senders, sender, link);
    count_up(&receiver->connected);
    snprintf(line, sizeof(line), "mxclash: dnstap sender %zu (%s) is connected", sender->number,
             sender->peer);
    tell(receiver, line);
    return true;
}

/* --- listeners ----------------------------------------------------------------------------------
 */

static void set_accepting(struct receiver *receiver, bool accepting)
{
    for (struct listener *listener = TAILQ_FIRST(&receiver->listeners); listener != NULL;
         listener = TAILQ_NEXT(listener, link)) {
        if (accepting) {
            evconnlistener_enable(listener->accepting);
        } else {
            evconnlistener_disable(listener->accepting);
        }
    }
}

static void on_resume(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    set_accepting(context, true);
}

static void on_accept(struct evconnlistener *accepting, evutil_socket_t socket,
                      struct sockaddr *address, int address_len, void *context)
{
    struct receiver *receiver = ((struct listener *)context)->receiver;
    (void)accepting;
    (void)address;
    (void)address_len;
    receiver->accept_failed = false;
    if (count_read(&receiver->connected) >= RECEIVER_SENDERS_MAX || !add_sender(receiver, socket)) {
        count_up(&receiver->ended[receiver_end_too_many]);
        tell(receiver, "mxclash: a dnstap sender was turned away: there are too many");
        close(socket);
    }
}

static void on_accept_error(struct evconnlistener *accepting, void *context)
{
    const int error = EVUTIL_SOCKET_ERROR();
    struct receiver *receiver = ((struct listener *)context)->receiver;
    const struct timeval pause = {.tv_sec = PAUSE_MS / 1000};
    char buffer[ERROR_TEXT_MAX];
    char line[160];
    (void)accepting;
    set_accepting(receiver, false);
    evtimer_add(receiver->resume, &pause);
    if (!receiver->accept_failed) {
        receiver->accept_failed = true;
        snprintf(line, sizeof(line), "mxclash: dnstap-listen: cannot accept: %s; tried again",
                 error_text(error, buffer));
        receiver->options.log(receiver->options.context, line);
    }
}

static void close_listener(struct listener *listener)
{
    TAILQ_REMOVE(&listener->receiver->listeners, listener, link);
    if (listener->where != NULL) {
        listen_remove_file(listener->where, &listener->socket);
    }
    if (listener->accepting != NULL) {
        evconnlistener_free(listener->accepting);
    } else {
        close(listener->socket.fd);
    }
    free(listener->where);
    free(listener);
}

/** \return false if there is no memory; the socket is closed then */
static bool add_listener(struct receiver *receiver, const char *where,
                         const struct listen_socket *socket)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        close(socket->fd);
        return false;
    }
    TAILQ_INSERT_TAIL(&receiver->listeners, listener, link);
    listener->receiver = receiver;
    listener->socket = *socket;
    listener->where = where != NULL ? strdup(where) : NULL;
    listener->accepting =
        evconnlistener_new(receiver->options.base, on_accept, listener,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, socket->fd);
    if (listener->accepting == NULL || (where != NULL && listener->where == NULL)) {
        close_listener(listener);
        return false;
    }
    evconnlistener_set_error_cb(listener->accepting, on_accept_error);
    return true;
}

static bool is_among(const char *one, char *const *where, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(one, where[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_listened_at(const struct receiver *receiver, const char *where)
{
    for (const struct listener *listener = TAILQ_FIRST(&receiver->listeners); listener != NULL;
         listener = TAILQ_NEXT(listener, link)) {
        if (listener->where != NULL && strcmp(listener->where, where) == 0) {
            return true;
        }
    }
    return false;
}

bool receiver_listen(struct receiver *receiver, char *const *where, size_t count, char *reason,
                     size_t reason_size)
{
    bool good = true;
    struct listener *next;
    for (struct listener *listener = TAILQ_FIRST(&receiver->listeners); listener != NULL;
         listener = next) {
        next = TAILQ_NEXT(listener, link);
        if (listener->where != NULL && !is_among(listener->where, where, count)) {
            close_listener(listener);
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct listen_socket socket;
        char why[LISTEN_REASON_MAX] = "no memory";
        if (is_listened_at(receiver, where[i]) ||
            (listen_open(where[i], &socket, why) && add_listener(receiver, where[i], &socket))) {
            continue;
        }
        snprintf(reason, reason_size, "dnstap-listen %s: %s", where[i], why);
        good = false;
    }
    return good;
}

bool receiver_adopt(struct receiver *receiver, int socket)
{
    const struct listen_socket adopted = {.fd = socket};
    return add_listener(receiver, NULL, &adopted);
}

/* --- all of it ----------------------------------------------------------------------------------
 */

struct receiver *receiver_new(const struct receiver_options *options)
{
    const struct timeval every = {.tv_usec = LOOK_MS * 1000L};
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    if (receiver == NULL) {
        return NULL;
    }
    receiver->options = *options;
    TAILQ_INIT(&receiver->senders);
    TAILQ_INIT(&receiver->listeners);
    bucket_init(&receiver->lines, LINES_A_SECOND, LINES_AT_ONCE);
    receiver->look = event_new(options->base, -1, EV_PERSIST, on_look, receiver);
    receiver->resume = evtimer_new(options->base, on_resume, receiver);
    if (receiver->look == NULL || receiver->resume == NULL ||
        event_add(receiver->look, &every) != 0) {
        receiver_free(receiver);
        return NULL;
    }
    return receiver;
}

void receiver_free(struct receiver *receiver)
{
    if (receiver == NULL) {
        return;
    }
    struct sender *next_sender;
    for (struct sender *sender = TAILQ_FIRST(&receiver->senders); sender != NULL;
         sender = next_sender) {
        next_sender = TAILQ_NEXT(sender, link);
        close_sender(sender, receiver_end_closed, "is closed: we end");
    }
    struct listener *next;
    for (struct listener *listener = TAILQ_FIRST(&receiver->listeners); listener != NULL;
         listener = next) {
        next = TAILQ_NEXT(listener, link);
        close_listener(listener);
    }
    if (receiver->look != NULL) {
        event_free(receiver->look);
    }
    if (receiver->resume != NULL) {
        event_free(receiver->resume);
    }
    free(receiver);
}

unsigned receiver_senders(const struct receiver *receiver)
{
    return (unsigned)count_read(&receiver->connected);
}

uint64_t receiver_ended(const struct receiver *receiver, enum receiver_end end)
{
    return count_read(&receiver->ended[end]);
}
