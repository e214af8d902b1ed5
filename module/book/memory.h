/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A book in memory, made from logs in one go: for a command that is pointed at a log.
 */
#ifndef MXCLASH_BOOK_MEMORY_H
#define MXCLASH_BOOK_MEMORY_H

#include "book/book.h"

/** How the logs are to be read. */
struct book_logs {
    const char *const *paths;
    size_t count;
    /** called now and then, may be NULL. octets: read so far, and all; 0 if that is not known */
    void (*progress)(void *context, uint64_t octets, uint64_t of);
    /** called for the first few lines that are malformed, with the line's number; may be NULL */
    void (*malformed)(void *context, const char *path, uint64_t line, const char *fault);
    void *context;
};

/**
 * Read logs, one after the other, and make a book of them. A pipe is a log too.
 *
 * \param[out] counters  lines, octets and events of the logs
 * \param[out] error  on NULL: which file cannot be read and why, room for BOOK_ERROR_MAX
 * \return closed with book_close(); NULL if a log cannot be read or there is no memory
 */
struct book *book_from_logs(const struct book_logs *logs, struct book_counters *counters,
                            char error[BOOK_ERROR_MAX]);

#endif
