/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Writing the book: what each event of a log changes in its tables.
 *
 * Every function that writes returns SQLITE_OK or what SQLite says; after anything else the caller
 * ends the transaction with writer_rollback(). Reading a line again that was read before changes
 * nothing: a file whose place was lost may be read from its start.
 */
#ifndef MXCLASH_BOOK_WRITER_H
#define MXCLASH_BOOK_WRITER_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "book/logline.h"
#include "book/place.h"

/** Most rows of conflict: above it the oldest that ended go first, then the open ones of which
 * nothing was told for longest. */
#define WRITER_CONFLICTS_MAX 1000000
/** Most rows of place. */
#define WRITER_PLACES_MAX 4096
/** An open conflict of which its host told nothing since it started anew is closed as silent after
 * so long. */
#define WRITER_SILENT_MS (INT64_C(7) * 24 * 3600 * 1000)

struct writer;

enum writer_opened {
    writer_good,
    /** try again later: locked, full, no rights, not there */
    writer_later,
    /** it is not a database, or one that is damaged: to be set aside */
    writer_corrupt,
    /** it is another program's, or of a newer version: not to be touched */
    writer_foreign,
};

/**
 * Open a book to write it; one that is not there is made.
 *
 * \param path  ":memory:" for one that nobody else sees
 * \param retention_days  how long ended conflicts are kept
 * \param[out] writer  written only on writer_good
 * \param[out] error  why not, room for BOOK_ERROR_MAX; written only otherwise
 */
enum writer_opened writer_open(const char *path, unsigned retention_days, struct writer **writer,
                               char error[BOOK_ERROR_MAX]);

/** Close; NULL is allowed. What was not committed is lost. */
void writer_close(struct writer *writer);

/** The connection, for who reads what was written in memory. */
sqlite3 *writer_database(struct writer *writer);

/** What SQLite said last, static or the writer's. */
const char *writer_error(struct writer *writer);

/**
 * Look for damage in the file as others see it: not in what this connection has in memory. Takes
 * about a second for 100 MB.
 * \return writer_good, writer_corrupt or writer_later, as writer_open()
 */
enum writer_opened writer_check(const char *path, char error[BOOK_ERROR_MAX]);

/** Say whether a result means that the file itself is damaged. */
bool writer_is_corrupt(int result);

/** Begin a transaction. \param now_ms  wall clock: bounds what is kept */
int writer_begin(struct writer *writer, int64_t now_ms);

/** Write what a line says; malformed and unknown ones change nothing. */
int writer_apply(struct writer *writer, const struct logline *line);

/** Remember how far a file was read. */
int writer_set_place(struct writer *writer, const struct place *place);

/** Let go what is too old or too much: some hundred rows a call. \param[out] more  call again */
int writer_tidy(struct writer *writer, bool *more);

int writer_commit(struct writer *writer);

/** Undo all since writer_begin(). */
void writer_rollback(struct writer *writer);

/** Read the places, newest first. */
int writer_places(struct writer *writer, void (*each)(void *context, const struct place *place),
                  void *context);

#endif
