/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The HTTP server: evhttp on one thread of its own, all signals blocked in it.
 *
 * GET and HEAD only (405 otherwise, with Allow). /metrics, /metrics/domains, /healthz; 404 else.
 * Many and slow clients are bounded: HTTPD_CONNECTIONS_MAX at once (one more is accepted and
 * closed), fewer where the process may open few descriptors, HTTPD_TIMEOUT_S from accept() to the
 * last octet of the reply however the client dawdles, HTTPD_REPLY_OCTETS_MAX of replies that wait
 * for their readers (503 beyond), 8 KiB of headers (else 400). A body is read and thrown away; one
 * over 8 KiB gets 413 once all of it is read, for a client that still sends might not see a reply.
 * Whoever announces such a body and does not send it, as with `Expect: 100-continue`, gets nothing:
 * that connection ends at its deadline. Every reply closes its connection, but for what evhttp
 * itself replies to a broken CONNECT: that one ends at its deadline too.
 */
#ifndef MXCLASH_OUTPUT_HTTPD_H
#define MXCLASH_OUTPUT_HTTPD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "output/metrics.h"

#define HTTPD_CONNECTIONS_MAX 64
/** Of the descriptors that the process may open, connections take at most one in so many. */
#define HTTPD_DESCRIPTOR_SHARE 16
/** But so many are always taken. */
#define HTTPD_CONNECTIONS_MIN  4
#define HTTPD_TIMEOUT_S        10
#define HTTPD_REPLY_OCTETS_MAX (32u << 20)
/** Seconds between two tries of a listener that could not be opened. */
#define HTTPD_RETRY_S 5

struct httpd_options {
    /** `address@port` or absolute socket path; borrowed until httpd_stop() */
    char *const *listen;
    size_t listen_count;
    /** Called on the server's thread for every request that needs it. Must not block. */
    char *(*metrics)(void *context, enum metrics_format format);
    char *(*domains)(void *context, enum metrics_format format);
    /** one line about a listener that failed or is back, for the host's log; called on the server's
     * thread, and on the caller's in httpd_start() */
    void (*host_log)(void *context, const char *line);
    void *context;
    /** HTTP_REFUSALS counters, which the server's thread counts up; borrowed until httpd_stop();
     * NULL: nobody wants to know */
    _Atomic uint64_t *refused;
};

struct httpd;

/**
 * Start the server. A listener that cannot be opened is no error here: it is said once through
 * host_log and tried again every HTTPD_RETRY_S. A stale socket file in the way is replaced, any
 * other file is not.
 * \return NULL if there is no memory or no thread
 */
struct httpd *httpd_start(const struct httpd_options *options);

/** Stop, join, close every descriptor, remove our socket files, free. NULL is allowed. */
void httpd_stop(struct httpd *httpd);

#endif
