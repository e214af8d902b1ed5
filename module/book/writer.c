/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Opening, keeping small and closing a book that is written: see writer.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/schema.h"
#include "book/writer_parts.h"

/** How long a write waits for another program's lock. */
#define BUSY_MS 2000
/** Rows that one call of writer_tidy() lets go of each sort. */
#define TIDY_ROWS 500
#define DAY_MS    (INT64_C(24) * 3600 * 1000)

/* WAL: readers never wait. With NORMAL a crash of the machine may lose the last batches, place and
 * rows together: they are then read again. The WAL stays when the book is closed, so that a reader
 * without the right to write into the folder can open it. */
static const char pragmas[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = NORMAL;"
                              "PRAGMA journal_size_limit = 16777216;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA cache_size = -16384;"
                              "PRAGMA trusted_schema = OFF;";

bool writer_is_corrupt(int result)
{
    const int primary = result & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

static enum writer_opened failed(sqlite3 *database, int result, char error[BOOK_ERROR_MAX])
{
    snprintf(error, BOOK_ERROR_MAX, "%s",
             database != NULL ? sqlite3_errmsg(database) : sqlite3_errstr(result));
    return writer_is_corrupt(result) ? writer_corrupt : writer_later;
}

static int keep_first_text(void *context, int columns, char **values, char **names)
{
    (void)names;
    if (columns > 0 && values[0] != NULL) {
        snprintf(context, BOOK_ERROR_MAX, "%s", values[0]);
    }
    return 0;
}

/** Look for damage everywhere: a part that is seldom read would else be found by a reader only. */
static enum writer_opened check(sqlite3 *database, char error[BOOK_ERROR_MAX])
{
    char verdict[BOOK_ERROR_MAX] = "";
    const int result =
        sqlite3_exec(database, "PRAGMA quick_check(1)", keep_first_text, verdict, NULL);
    if (result != SQLITE_OK) {
        return failed(database, result, error);
    }
    if (strcmp(verdict, "ok") != 0) {
        snprintf(error, BOOK_ERROR_MAX, "%.*s", BOOK_ERROR_MAX - 1, verdict);
        return writer_corrupt;
    }
    return writer_good;
}

enum writer_opened writer_check(const char *path, char error[BOOK_ERROR_MAX])
{
    sqlite3 *database = NULL;
    const int result =
        sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_busy_timeout(database, BUSY_MS);
    const enum writer_opened opened =
        result == SQLITE_OK ? check(database, error) : failed(database, result, error);
    sqlite3_close(database);
    return opened;
}

/** Make sure that the database is a book of this version. */
static enum writer_opened prepare(sqlite3 *database, char error[BOOK_ERROR_MAX])
{
    int result;
    switch (schema_look(database)) {
    case schema_empty:
        result = schema_make(database);
        return result == SQLITE_OK ? writer_good : failed(database, result, error);
    case schema_good:
        return check(database, error);
    case schema_foreign:
        snprintf(error, BOOK_ERROR_MAX, "is the database of another program");
        return writer_foreign;
    case schema_newer:
        snprintf(error, BOOK_ERROR_MAX, "is the book of another version of mxclash");
        return writer_foreign;
    case schema_failed:
        break;
    }
    return failed(database, sqlite3_errcode(database), error);
}

static int count_conflicts(struct writer *writer)
{
    sqlite3_stmt *counted = statements_bind(&writer->statements, statement_count, "");
    const int result = sqlite3_step(counted);
    writer->conflicts = sqlite3_column_int64(counted, 0);
    return statements_end(counted, result);
}

/** Configure a connection. \return writer_good with the statements prepared */
static enum writer_opened begin(struct writer *writer, char error[BOOK_ERROR_MAX])
{
    int keep_wal = 1;
    sqlite3_extended_result_codes(writer->database, 1);
    sqlite3_busy_timeout(writer->database, BUSY_MS);
    sqlite3_file_control(writer->database, NULL, SQLITE_FCNTL_PERSIST_WAL, &keep_wal);
    /* first, lest another program's database be changed */
    const enum writer_opened opened = prepare(writer->database, error);
    if (opened != writer_good) {
        return opened;
    }
    int result = sqlite3_exec(writer->database, pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK) {
        result = statements_prepare(&writer->statements, writer->database);
    }
    if (result == SQLITE_OK) {
        result = count_conflicts(writer);
    }
    return result == SQLITE_OK ? writer_good : failed(writer->database, result, error);
}

enum writer_opened writer_open(const char *path, unsigned retention_days, struct writer **writer,
                               char error[BOOK_ERROR_MAX])
{
    struct writer *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        snprintf(error, BOOK_ERROR_MAX, "no memory");
        return writer_later;
    }
    made->retention_ms = retention_days * DAY_MS;
    const int result =
        sqlite3_open_v2(path, &made->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    const enum writer_opened opened =
        result == SQLITE_OK ? begin(made, error) : failed(made->database, result, error);
    if (opened != writer_good) {
        writer_close(made);
        return opened;
    }
    *writer = made;
    return writer_good;
}

void writer_close(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    statements_finalize(&writer->statements);
    sqlite3_close(writer->database);
    free(writer);
}

sqlite3 *writer_database(struct writer *writer)
{
    return writer->database;
}

const char *writer_error(struct writer *writer)
{
    return sqlite3_errmsg(writer->database);
}

/* --- a transaction -------------------------------------------------------------------------------
 */

int writer_begin(struct writer *writer, int64_t now_ms)
{
    writer->now_ms = now_ms;
    writer->conflicts_before = writer->conflicts;
    writer->statements.unbound = false;
    return statements_run(&writer->statements, statement_begin, "");
}

int writer_commit(struct writer *writer)
{
    if (writer->statements.unbound) {
        return SQLITE_NOMEM;
    }
    return statements_run(&writer->statements, statement_commit, "");
}

void writer_rollback(struct writer *writer)
{
    /* SQLite may have done so by itself, as where the disk is full */
    if (sqlite3_get_autocommit(writer->database) == 0) {
        sqlite3_exec(writer->database, "ROLLBACK", NULL, NULL, NULL);
    }
    writer->conflicts = writer->conflicts_before;
    /* it may have been added in this transaction */
    writer->host_id = 0;
}

/* --- places --------------------------------------------------------------------------------------
 */

int writer_set_place(struct writer *writer, const struct place *place)
{
    return statements_run(&writer->statements, statement_set_place, "iitiiiii",
                          (int64_t)place->device, (int64_t)place->inode, place->path,
                          (int64_t)place->offset, (int64_t)place->line,
                          (int64_t)place->print_octets, (int64_t)place->print, place->read);
}

int writer_places(struct writer *writer, void (*each)(void *context, const struct place *place),
                  void *context)
{
    sqlite3_stmt *rows = statements_bind(&writer->statements, statement_places, "");
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *path = (const char *)sqlite3_column_text(rows, 2);
        struct place place = {
            .device = (uint64_t)sqlite3_column_int64(rows, 0),
            .inode = (uint64_t)sqlite3_column_int64(rows, 1),
            .offset = (uint64_t)sqlite3_column_int64(rows, 3),
            .line = (uint64_t)sqlite3_column_int64(rows, 4),
            .print_octets = (uint32_t)sqlite3_column_int64(rows, 5),
            .print = (uint64_t)sqlite3_column_int64(rows, 6),
            .read = sqlite3_column_int64(rows, 7),
        };
        snprintf(place.path, sizeof(place.path), "%s", path != NULL ? path : "");
        each(context, &place);
    }
    return statements_end(rows, result);
}

/* --- what is too old or too much -----------------------------------------------------------------
 */

/** What becomes of the rows that a query names. */
enum tidy { tidy_delete, tidy_silence };

/** One row that is let go. */
struct leaving {
    int64_t id;
    char domain[MXCLASH_NAME_TEXT_MAX];
    char kind[BOOK_WORD_MAX + 1];
};

static int let_go(struct writer *writer, const struct leaving *row, enum tidy how)
{
    const struct happened silent = {.expired = 1};
    int result;
    if (how == tidy_delete) {
        result = statements_run(&writer->statements, statement_delete_conflict, "i", row->id);
        writer->conflicts--;
    } else {
        result = statements_run(&writer->statements, statement_end_conflict, "iit", row->id,
                                writer->now_ms, "silent");
        if (result == SQLITE_OK) {
            result = writer_add_hour(writer, writer->now_ms, row->kind, &silent);
        }
    }
    return result == SQLITE_OK ? writer_sum(writer, row->domain, row->kind) : result;
}

/** Let go of the rows of a query that is bound. \param[in,out] more  set if there are more */
static int let_all_go(struct writer *writer, sqlite3_stmt *query, enum tidy how, bool *more)
{
    /* first all are read: a table is not changed while it is walked */
    struct leaving *rows = calloc(TIDY_ROWS, sizeof(*rows));
    int result = rows == NULL ? SQLITE_NOMEM : SQLITE_ROW;
    size_t count = 0;
    while (result == SQLITE_ROW && count < TIDY_ROWS &&
           (result = sqlite3_step(query)) == SQLITE_ROW) {
        const char *domain = (const char *)sqlite3_column_text(query, 1);
        const char *kind = (const char *)sqlite3_column_text(query, 2);
        rows[count].id = sqlite3_column_int64(query, 0);
        snprintf(rows[count].domain, sizeof(rows[count].domain), "%s", domain ? domain : "");
        snprintf(rows[count].kind, sizeof(rows[count].kind), "%s", kind ? kind : "");
        count++;
    }
    result = statements_end(query, result);
    for (size_t i = 0; i < count && result == SQLITE_OK; i++) {
        result = let_go(writer, &rows[i], how);
    }
    *more = *more || count == TIDY_ROWS;
    free(rows);
    return result;
}

/** Keep at most WRITER_CONFLICTS_MAX rows. */
static int let_excess_go(struct writer *writer, enum statement which, bool *more)
{
    const int64_t excess = writer->conflicts - WRITER_CONFLICTS_MAX;
    if (excess <= 0) {
        return SQLITE_OK;
    }
    return let_all_go(writer,
                      statements_bind(&writer->statements, which, "i",
                                      excess < TIDY_ROWS ? excess : (int64_t)TIDY_ROWS),
                      tidy_delete, more);
}

int writer_tidy(struct writer *writer, bool *more)
{
    struct statements *statements = &writer->statements;
    const int64_t oldest = writer->now_ms - writer->retention_ms;
    *more = false;
    int result = let_all_go(
        writer, statements_bind(statements, statement_old_ended, "ii", oldest, (int64_t)TIDY_ROWS),
        tidy_delete, more);
    if (result == SQLITE_OK) {
        result = let_all_go(writer,
                            statements_bind(statements, statement_silent, "iii", oldest,
                                            writer->now_ms - WRITER_SILENT_MS, (int64_t)TIDY_ROWS),
                            tidy_silence, more);
    }
    if (result == SQLITE_OK) {
        result = let_excess_go(writer, statement_too_many_ended, more);
    }
    if (result == SQLITE_OK) {
        result = let_excess_go(writer, statement_too_many_open, more);
    }
    if (result == SQLITE_OK) {
        result =
            statements_run(statements, statement_old_hours, "i", oldest - oldest % BOOK_HOUR_MS);
    }
    if (result == SQLITE_OK) {
        result = statements_run(statements, statement_trim_places, "i", (int64_t)WRITER_PLACES_MAX);
    }
    return result;
}
