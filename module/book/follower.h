/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Following log files: what was appended, since the place that the book has.
 *
 * A log may be rotated by renaming it and beginning a new one, or by copying and emptying it; the
 * old file is read to its end before the new one. It need not be there yet, and its folder may come
 * and go. A log that was rotated while nobody followed it is found again among the files beside it
 * that have its name and a number or date (LOG.1, LOG-20261128, and for LOG.json also
 * LOG-20261128.json): by its inode, or by what it holds. Those that came after it are read too.
 * Compressed ones are not.
 *
 * Only regular files are logs; nothing here waits for one. One thread at a time.
 */
#ifndef MXCLASH_BOOK_FOLLOWER_H
#define MXCLASH_BOOK_FOLLOWER_H

#include "book/batch.h"
#include "book/book.h"

/** Most files that are open at a time. */
#define FOLLOWER_FILES_MAX 1024
/** A file that has lost its name is read for so long yet: who writes it may not have noticed. */
#define FOLLOWER_LINGER_MS 60000

struct follower;

/**
 * \param patterns  paths, or patterns of glob(7) for the file's name or its folders'; borrowed
 * \param say  called with a line of text where a log cannot be read or is back
 * \return NULL if there is no memory
 */
struct follower *follower_new(const char *const *patterns, size_t count,
                              void (*say)(void *context, const char *line), void *context);

void follower_free(struct follower *follower);

/** Tell of a place that the book has, newest first; before the first follower_read(). */
void follower_know(struct follower *follower, const struct place *place);

/** Forget every place and file: all is read from its start again. */
void follower_restart(struct follower *follower);

/**
 * Read what there is, as far as the batch has room.
 *
 * \param now_ms  monotonic clock
 * \param[in,out] batch  empty before
 * \return true if there is more to read now
 */
bool follower_read(struct follower *follower, struct batch *batch, int64_t now_ms);

/**
 * Wait until a log may have grown or been rotated.
 * \param wake  a descriptor that ends the waiting when it can be read; -1: none
 */
void follower_wait(struct follower *follower, int timeout_ms, int wake);

/** How the logs stand. \param[out] counters  log_faults, logs_open and octets_behind are written */
void follower_count(const struct follower *follower, struct book_counters *counters);

#endif
