/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * One line of an event log, read and checked.
 *
 * Logs come from other machines and other versions: what is not known here is passed over, and a
 * line that is no event says so and does no harm.
 */
#ifndef MXCLASH_BOOK_LOGLINE_H
#define MXCLASH_BOOK_LOGLINE_H

#include <stddef.h>
#include <stdint.h>

#include "book/book.h"
#include "mxclash.h"

/** Octets of the longest line, without its end: over twice what the longest event takes. */
#define LOGLINE_MAX 65536

enum logline_kind {
    /** no JSON object, or it lacks what an event must have */
    logline_malformed,
    /** an event of a name that is not known here */
    logline_unknown,
    logline_opened,
    logline_changed,
    logline_cleared,
    logline_expired,
    /** what one conflict met so far */
    logline_tally,
    /** what all those met that had no tally of their own */
    logline_tally_summed,
    logline_started,
    logline_stopped,
};

/** A line that was read. Its strings live until logline_free(). */
struct logline {
    enum logline_kind kind;
    /** logline_malformed: why, static */
    const char *fault;
    int64_t time;
    /** "" if there is none */
    const char *host;
    /** of started and stopped; NULL if not told */
    const char *version;
    /** of all others. id, ended and ending are 0. A tally has no more than domain, kind, state
     * (NULL if not told), provider, first_seen, last_seen and mx_queries; a summed one only
     * mx_queries. */
    struct book_conflict conflict;
    /** jansson's */
    struct json_t *root;
    char names[BOOK_MX_MAX + 3][MXCLASH_NAME_TEXT_MAX];
};

/**
 * Read a line.
 * \param text  len octets, without the line end
 * \param[out] line  always written; freed with logline_free()
 */
void logline_read(const char *text, size_t len, struct logline *line);

void logline_free(struct logline *line);

/**
 * Read a time of RFC 3339, with or without a fraction, in any time zone.
 * \param[out] time  milliseconds since the epoch; written only on true
 */
bool logline_time(const char *text, int64_t *time);

#endif
