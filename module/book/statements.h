/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The statements that the writer has prepared, and small words to use them.
 */
#ifndef MXCLASH_BOOK_STATEMENTS_H
#define MXCLASH_BOOK_STATEMENTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

enum statement {
    statement_begin,
    statement_commit,
    statement_find_host,
    statement_add_host,
    statement_touch_host,
    statement_host_started,
    statement_host_stopped,
    statement_host_summed,
    statement_find_open,
    statement_find_ended,
    statement_add_conflict,
    statement_change_conflict,
    statement_tally_conflict,
    statement_end_conflict,
    statement_reopen_conflict,
    statement_open_rows,
    statement_ended_sum,
    statement_ended_last,
    statement_set_affected,
    statement_drop_affected,
    statement_add_hour,
    statement_set_place,
    statement_places,
    statement_trim_places,
    statement_old_ended,
    statement_old_hours,
    statement_silent,
    statement_too_many_ended,
    statement_too_many_open,
    statement_delete_conflict,
    statement_count,
    STATEMENTS,
};

struct statements {
    sqlite3 *database;
    sqlite3_stmt *prepared[STATEMENTS];
    /** there was no memory for a value: what was written since is not to be committed */
    bool unbound;
};

/** Prepare all. \return SQLITE_OK, else nothing is prepared */
int statements_prepare(struct statements *statements, sqlite3 *database);

void statements_finalize(struct statements *statements);

/**
 * Bind values to a statement that is ready to be stepped.
 * \param types  one octet a value: 'i' int64_t, 't' const char * (NULL: NULL; must live until the
 *     statement is reset), 'b' int (-1: NULL), 'o' int64_t (-1: NULL)
 */
sqlite3_stmt *statements_bind(struct statements *statements, enum statement which,
                              const char *types, ...);

/** Bind, run and reset a statement that gives no row. \return SQLITE_OK or what failed */
int statements_run(struct statements *statements, enum statement which, const char *types, ...);

/** Reset a statement whose row was read. \return SQLITE_OK if result is a row or the end of them */
int statements_end(sqlite3_stmt *statement, int result);

#endif
