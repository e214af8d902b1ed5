/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What http.c, which has the connections, and http_request.c share. */
#ifndef MXCLASH_WEB_HTTP_PARTS_H
#define MXCLASH_WEB_HTTP_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "output/listen.h"
#include "web/http.h"

struct listener {
    const char *where;
    struct listen_socket socket;
    bool open;
    bool failed;
};

/** A connection, from accept() to close(). */
struct client {
    struct client *next, *before;
    int fd;
    /** milliseconds of the monotonic clock: its begin, or the end of its last reply */
    int64_t since;
    /** it came over a unix socket */
    bool local;
};

struct http {
    struct http_options options;
    gid_t group;
    struct MHD_Daemon *daemon;
    int stop_fd;
    pthread_t thread;
    /** guards the list and every field of its members */
    pthread_mutex_t clients_lock;
    struct client *clients;
    /** octets of replies that wait for their readers */
    _Atomic size_t waiting;
    _Atomic uint64_t replies[6];
    _Atomic uint64_t deadlines;
    _Atomic uint64_t refused;
    _Atomic uint64_t connections;
    bool accept_failed;
    /** when the next try of the listeners that are not open is due */
    int64_t retry_at;
    struct listener listeners[];
};

/** \return NULL where there was no memory for one */
struct client *http_client_of(struct MHD_Connection *connection);

/* libmicrohttpd's callbacks, with a struct http as argument */

/** \return the mark of the request, for http_on_request() */
void *http_on_target(void *argument, const char *target, struct MHD_Connection *connection);

enum MHD_Result http_on_request(void *argument, struct MHD_Connection *connection, const char *path,
                                const char *method, const char *version, const char *body,
                                size_t *body_octets, void **mark);

#endif
