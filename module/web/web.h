/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The page, the API and the metrics of `mxclash serve`, on threads of its own. It reads the book
 * (book/book.h) and never writes it. What it serves is described in docs/api.md and docs/page.md.
 */
#ifndef MXCLASH_WEB_WEB_H
#define MXCLASH_WEB_WEB_H

#include <stddef.h>

#include "book/book.h"

struct providers;
struct web;

struct web_options {
    /** `address@port` or absolute paths of unix sockets, as config_listen() has them */
    char *const *listen;
    size_t listen_count;
    /** names by which the page may be asked for, beside addresses and localhost, see docs/page.md
     */
    char *const *hosts;
    size_t host_count;
    /** the group that unix sockets are given; NULL or "": the process's own */
    const char *group;
    /** path of the book, which need not be there yet */
    const char *database;
    /** what advice names as a provider's own records; NULL: it names none */
    const struct providers *providers;
    /** called with one line of text where something fails or is back, on threads of the web's own,
     * and on the caller's in web_new() */
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
 * \return NULL if there is no memory or no thread, or the group is not known
 */
struct web *web_new(const struct web_options *options, char *error, size_t size);

/** Stop, wait for the threads, close every descriptor, remove our socket files; NULL is allowed. */
void web_free(struct web *web);

#endif
