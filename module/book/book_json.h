/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the book tells as JSON, with the names of the event log: for --json of the command and for
 * the API.
 */
#ifndef MXCLASH_BOOK_BOOK_JSON_H
#define MXCLASH_BOOK_BOOK_JSON_H

#include <jansson.h>

#include "book/book.h"

/** Room for a time of book_time_text(). */
#define BOOK_TIME_TEXT_MAX 32

/** Write RFC 3339 in UTC with milliseconds. \return text */
const char *book_time_text(int64_t time, char text[BOOK_TIME_TEXT_MAX]);

/**
 * A line of a list: domain, kind, state, impact, provider, cname_target, first_seen, last_seen,
 * ended, ending, mx_queries, hosts.
 * \return the caller's; NULL if there is no memory
 */
json_t *book_json_affected(const struct book_affected *affected);

/** A conflict: the fields of the log but time, event and held_back, then told, ended and ending. */
json_t *book_json_conflict(const struct book_conflict *conflict);

#endif
