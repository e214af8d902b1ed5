/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sums of the book: what is affected over all hosts, and what happened in an hour.
 */
#include "book/writer_parts.h"

#include <string.h>

#define TEXT(statement, column) (const char *)sqlite3_column_text(statement, column)

int writer_add_hour(struct writer *writer, int64_t time, const char *kind,
                    const struct happened *happened)
{
    const int64_t known = time > writer->now_ms ? writer->now_ms : time;
    if (known < writer->now_ms - writer->retention_ms) {
        return SQLITE_OK;
    }
    return statements_run(&writer->statements, statement_add_hour, "itiiiii",
                          known - known % BOOK_HOUR_MS, kind, happened->mx_queries,
                          happened->mx_queries_summed, happened->opened, happened->cleared,
                          happened->expired);
}

/** Write the sum of the open rows; the first of them was told of last. */
static int sum_open(struct writer *writer, const char *domain, const char *kind, sqlite3_stmt *rows)
{
    int64_t first_seen = INT64_MAX, last_seen = 0, mx_queries = 0, hosts = 0;
    sqlite3_stmt *sum =
        statements_bind(&writer->statements, statement_set_affected, "tt", domain, kind);
    const char *confirmed = NULL;
    int result = SQLITE_ROW;
    for (; result == SQLITE_ROW; result = sqlite3_step(rows)) {
        if (hosts++ == 0) {
            for (int i = 0; i < 4; i++) {
                sqlite3_bind_value(sum, 3 + i, sqlite3_column_value(rows, i));
            }
        }
        if (sqlite3_column_type(rows, 0) == SQLITE_TEXT &&
            strcmp(TEXT(rows, 0), "confirmed") == 0) {
            confirmed = "confirmed";
        }
        const int64_t first = sqlite3_column_int64(rows, 4), last = sqlite3_column_int64(rows, 5);
        first_seen = first < first_seen ? first : first_seen;
        last_seen = last > last_seen ? last : last_seen;
        mx_queries += sqlite3_column_int64(rows, 6);
    }
    if (confirmed != NULL) {
        sqlite3_bind_text(sum, 3, confirmed, -1, SQLITE_STATIC);
    }
    sqlite3_bind_int64(sum, 7, first_seen);
    sqlite3_bind_int64(sum, 8, last_seen);
    sqlite3_bind_int64(sum, 9, mx_queries);
    sqlite3_bind_int64(sum, 10, hosts);
    sqlite3_bind_null(sum, 11);
    sqlite3_bind_null(sum, 12);
    return result == SQLITE_DONE ? statements_end(sum, sqlite3_step(sum)) : result;
}

/** Write the sum of rows that all ended; or take the sum out if there are none. */
static int sum_ended(struct writer *writer, const char *domain, const char *kind)
{
    struct statements *statements = &writer->statements;
    sqlite3_stmt *last = statements_bind(statements, statement_ended_last, "tt", domain, kind);
    sqlite3_stmt *rows = statements_bind(statements, statement_ended_sum, "tt", domain, kind);
    int result = sqlite3_step(last);
    if (result == SQLITE_DONE) {
        sqlite3_reset(last);
        return statements_run(statements, statement_drop_affected, "tt", domain, kind);
    }
    if (result == SQLITE_ROW) {
        result = sqlite3_step(rows);
    }
    if (result == SQLITE_ROW) {
        result = statements_run(statements, statement_set_affected, "ttttttiiiiit", domain, kind,
                                TEXT(last, 0), TEXT(last, 1), TEXT(last, 2), TEXT(last, 3),
                                sqlite3_column_int64(rows, 0), sqlite3_column_int64(rows, 1),
                                sqlite3_column_int64(rows, 2), sqlite3_column_int64(rows, 3),
                                sqlite3_column_int64(last, 4), TEXT(last, 5));
    }
    sqlite3_reset(rows);
    sqlite3_reset(last);
    return result;
}

int writer_sum(struct writer *writer, const char *domain, const char *kind)
{
    sqlite3_stmt *rows =
        statements_bind(&writer->statements, statement_open_rows, "tt", domain, kind);
    int result = sqlite3_step(rows);
    if (result == SQLITE_ROW) {
        result = sum_open(writer, domain, kind, rows);
        sqlite3_reset(rows);
        return result;
    }
    result = statements_end(rows, result);
    return result == SQLITE_OK ? sum_ended(writer, domain, kind) : result;
}
