/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Keeping the book: a thread that follows the logs and writes what they say, in batches.
 *
 * No fault of the database ends it. What cannot be written is tried again every KEEPER_RETRY_S
 * seconds, and the logs are read no further until then. A corrupt database is renamed to
 * PATH.corrupt-TIME, and a new one is made from the logs that are there.
 */
#ifndef MXCLASH_BOOK_KEEPER_H
#define MXCLASH_BOOK_KEEPER_H

#include "book/book.h"

#define KEEPER_RETRY_S 5

struct keeper;

struct keeper_options {
    const char *database;
    /** as follower_new() */
    const char *const *logs;
    size_t log_count;
    unsigned retention_days;
    /** milliseconds between two looks for damage in the file; 0: an hour */
    int64_t check_ms;
    /** called with one line of text where something fails or is back; any thread of the keeper's */
    void (*say)(void *context, const char *line);
    void *context;
};

/**
 * Begin to keep the book. It is opened, and made where there is none, before this returns, unless
 * that fails: then it is tried again later. \param options  the strings are borrowed until
 * keeper_free(), the struct for the call \return NULL if there is no memory, descriptor or thread
 */
struct keeper *keeper_new(const struct keeper_options *options);

/** End: what was read is written if it can be. NULL is allowed. */
void keeper_free(struct keeper *keeper);

/** How it stands. Any thread. */
void keeper_count(struct keeper *keeper, struct book_counters *counters);

#endif
