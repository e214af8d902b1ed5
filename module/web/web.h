/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The page and the API of `mxclash serve`: an HTTP server on a thread of its own, which reads the
 * book (book/book.h) and never writes it.
 */
#ifndef MXCLASH_WEB_WEB_H
#define MXCLASH_WEB_WEB_H

#include <stddef.h>

#include "book/book.h"

struct web;

struct web_options {
    /** `address@port` or absolute paths of unix sockets, as config_listen() has them */
    char *const *listen;
    size_t listen_count;
    /** path of the book, which need not be there yet */
    const char *database;
    /** called with one line of text where something fails or is back, on the web's own thread */
    void (*say)(void *context, const char *line);
    /** how the process that keeps the book stands, for /metrics; any thread may call it */
    void (*counters)(void *context, struct book_counters *counters);
    void *context;
};

/**
 * Start to serve. A place that cannot be listened at is said, and tried again.
 *
 * \param options  the strings are borrowed until web_free(), the struct for the call
 * \param[out] error  why not; written only on NULL
 * \return NULL if there is no memory or no thread
 */
struct web *web_new(const struct web_options *options, char *error, size_t size);

/** Stop, and wait for the thread; NULL is allowed. */
void web_free(struct web *web);

#endif
