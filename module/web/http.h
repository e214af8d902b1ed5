/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * An HTTP server for pages that people look at: libmicrohttpd with HTTP_THREADS threads a listener,
 * all signals blocked in them.
 *
 * GET and HEAD only (else 405 with Allow). Many and slow clients are bounded: HTTP_CONNECTIONS_MAX
 * connections in all, HTTP_CONNECTIONS_OF_ONE of one address, HTTP_DEADLINE_S from the begin of a
 * connection, or from the end of its last reply, to the end of its next one however the client
 * dawdles, HTTP_REQUEST_OCTETS of memory for what it sends (else 413, 414 or 431; a body is never
 * read), HTTP_REPLY_OCTETS of replies that wait for their readers (else 503).
 *
 * A reply goes to nobody's page but our own: Host must be an address, localhost or a name that the
 * operator gave (else 421), see docs/page.md; no CORS; a request that another site's page makes for
 * anything but a whole page is refused (403).
 */
#ifndef MXCLASH_WEB_HTTP_H
#define MXCLASH_WEB_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_THREADS            4
#define HTTP_CONNECTIONS_MAX    256
#define HTTP_CONNECTIONS_OF_ONE 64
/** seconds that a connection may be idle */
#define HTTP_IDLE_S         5
#define HTTP_DEADLINE_S     15
#define HTTP_REQUEST_OCTETS 16384
#define HTTP_REPLY_OCTETS   (64u << 20)
/** Seconds between two tries of a listener that could not be opened. */
#define HTTP_RETRY_S 5

/** Most parameters of a request. */
#define HTTP_PARAMETERS_MAX 16

struct http_parameter {
    const char *name;
    /** decoded */
    const char *value;
};

/** A GET or HEAD. Texts are UTF-8 or not, as the client sent them, without NUL. */
struct http_request {
    /** decoded, begins with / */
    const char *path;
    struct http_parameter parameters[HTTP_PARAMETERS_MAX];
    size_t parameter_count;
};

/** What the handler fills in. */
struct http_reply {
    /** 200 unless it is changed */
    unsigned status;
    /** static strings: Content-Type, JSON unless it is changed, and Content-Security-Policy */
    const char *type;
    const char *policy;
    /** malloc()ed, taken over by the server; NULL: static_body, which stays until the server stops
     */
    char *body;
    const char *static_body;
    size_t octets;
};

/** \return false if there is no memory: 503 */
typedef bool (*http_handler)(void *context, const struct http_request *request,
                             struct http_reply *reply);

/** Fill in a fault as JSON: a word for programs, and a text for people. \return as a handler does
 */
bool http_fault(struct http_reply *reply, unsigned status, const char *code, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

struct http_options {
    /** see struct web_options; borrowed until http_stop() */
    char *const *listen;
    size_t listen_count;
    char *const *hosts;
    size_t host_count;
    const char *group;
    void (*say)(void *context, const char *line);
    void *say_context;
    /** called on several threads at a time */
    http_handler handler;
    void *handler_context;
};

/** Numbers since the server began. */
struct http_counts {
    /** replies by the first digit of their status, 2 to 5 */
    uint64_t replies[6];
    /** connections ended at their deadline */
    uint64_t deadlines;
    /** connections closed at once, as one too many */
    uint64_t refused;
    /** connections now */
    uint64_t connections;
};

struct http;

/**
 * Start the server.
 * \param[out] started  there before the first request is; written only on true
 * \return false with the reason in error: no memory, no thread, no such group
 */
bool http_start(const struct http_options *options, struct http **started, char *error,
                size_t size);

void http_read_counts(struct http *http, struct http_counts *counts);

/** Stop, join, close every descriptor, remove our socket files, free. NULL is allowed. */
void http_stop(struct http *http);

#endif
