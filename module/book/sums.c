/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Sums over the book: see book_overview(), book_timeline(), book_hosts() in book.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book_parts.h"
#include "mxclash.h"

/** Run a query that has one row. \return NULL with the error kept */
static sqlite3_stmt *one_row(struct book *book, const char *query)
{
    sqlite3_stmt *row = book_prepare(book, query);
    if (row == NULL) {
        return NULL;
    }
    const int result = sqlite3_step(row);
    if (result != SQLITE_ROW) {
        book_end(book, row, result == SQLITE_DONE ? SQLITE_ERROR : result);
        return NULL;
    }
    return row;
}

/** The part of a summary that is not about what is open. */
static bool sum_rest(struct book *book, struct book_summary *summary)
{
    sqlite3_stmt *row =
        one_row(book, "SELECT (SELECT count(*) FROM affected WHERE ended IS NOT NULL),"
                      " count(*), max(newest) FROM host");
    if (row == NULL) {
        return false;
    }
    summary->ended = (uint64_t)book_number(row, 0, 0);
    summary->hosts = (uint64_t)book_number(row, 1, 0);
    summary->newest = book_number(row, 2, 0);
    sqlite3_finalize(row);
    return true;
}

/* --- what is open --------------------------------------------------------------------------------
 */

/** The values of one group that were met so far. */
struct values {
    size_t count;
    /** of the value that was met last: the next row's is often the same */
    size_t last;
    struct {
        char value[BOOK_WORD_MAX + 1];
        uint64_t open;
        uint64_t mx_queries;
    } of[BOOK_OVERVIEW_VALUES];
};

/** \return BOOK_OVERVIEW_VALUES if there is no room for another */
static size_t find_value(const struct values *values, const char *value)
{
    if (values->count > 0 && strcmp(values->of[values->last].value, value) == 0) {
        return values->last;
    }
    size_t i = 0;
    while (i < values->count && strcmp(values->of[i].value, value) != 0) {
        i++;
    }
    return i;
}

static void add_value(struct values *values, const char *value, uint64_t mx_queries)
{
    const size_t i = find_value(values, value == NULL ? "" : value);
    if (i == BOOK_OVERVIEW_VALUES) {
        return;
    }
    if (i == values->count) {
        values->count++;
        snprintf(values->of[i].value, sizeof(values->of[i].value), "%s",
                 value == NULL ? "" : value);
    }
    values->last = i;
    values->of[i].open++;
    values->of[i].mx_queries += mx_queries;
}

/** Most MX queries first, then most conflicts. \return false if the caller wants no more */
static bool tell_values(struct values *values, enum book_group by, size_t limit,
                        book_overview_fn each, void *context)
{
    for (size_t told = 0; told < limit && told < values->count; told++) {
        size_t best = told;
        for (size_t i = told + 1; i < values->count; i++) {
            const int64_t more =
                values->of[i].mx_queries != values->of[best].mx_queries
                    ? (values->of[i].mx_queries > values->of[best].mx_queries ? 1 : -1)
                : values->of[i].open != values->of[best].open
                    ? (values->of[i].open > values->of[best].open ? 1 : -1)
                    : -strcmp(values->of[i].value, values->of[best].value);
            best = more > 0 ? i : best;
        }
        const struct book_share share = {.value = values->of[best].value,
                                         .open = values->of[best].open,
                                         .mx_queries = values->of[best].mx_queries};
        if (!each(context, by, &share)) {
            return false;
        }
        values->of[best] = values->of[told];
    }
    return true;
}

/** Walk what is open, domain by domain. */
static bool walk_open(struct book *book, struct book_summary *summary, struct values *groups)
{
    sqlite3_stmt *rows =
        book_prepare(book, "SELECT domain, kind, impact, provider, state = 'confirmed', mx_queries"
                           " FROM affected WHERE ended IS NULL ORDER BY domain");
    if (rows == NULL) {
        return false;
    }
    char before[MXCLASH_NAME_TEXT_MAX] = "";
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *domain = book_text(rows, 0);
        const uint64_t mx_queries = (uint64_t)sqlite3_column_int64(rows, 5);
        summary->open++;
        summary->confirmed += (uint64_t)sqlite3_column_int64(rows, 4);
        summary->mx_queries += mx_queries;
        if (summary->domains == 0 || strcmp(before, domain) != 0) {
            summary->domains++;
            snprintf(before, sizeof(before), "%s", domain);
        }
        for (size_t i = 0; i < BOOK_GROUPS; i++) {
            add_value(&groups[i], book_text(rows, 1 + (int)i), mx_queries);
        }
    }
    return book_end(book, rows, result);
}

bool book_overview(struct book *book, struct book_summary *summary, size_t limit,
                   book_overview_fn each, void *context)
{
    *summary = (struct book_summary){0};
    if (!book_ready(book)) {
        return false;
    }
    struct values *groups = calloc(BOOK_GROUPS, sizeof(*groups));
    if (groups == NULL) {
        snprintf(book->error, sizeof(book->error), "no memory");
        return false;
    }
    const bool good = walk_open(book, summary, groups) && sum_rest(book, summary);
    for (size_t i = 0; good && i < BOOK_GROUPS; i++) {
        if (!tell_values(&groups[i], (enum book_group)i, limit, each, context)) {
            break;
        }
    }
    free(groups);
    return good;
}

/* --- the timeline --------------------------------------------------------------------------------
 */

/** \param what  of an hour's columns, an SQL expression
 * \return a prepared query whose parameter 1 is the kind, 2 and 3 are bounds */
static sqlite3_stmt *hours_query(struct book *book, const char *query, const char *kind,
                                 int64_t from, int64_t to)
{
    sqlite3_stmt *rows = book_prepare(book, query);
    if (rows != NULL) {
        if (kind != NULL) {
            sqlite3_bind_text(rows, 1, kind, -1, SQLITE_STATIC);
        }
        sqlite3_bind_int64(rows, 2, from);
        sqlite3_bind_int64(rows, 3, to);
    }
    return rows;
}

/** Conflicts that were open at the end of the hour `to`: those of now, less what came since. */
static bool open_at(struct book *book, const char *kind, int64_t to, int64_t *open)
{
    sqlite3_stmt *row = hours_query(
        book,
        "SELECT (SELECT count(*) FROM conflict WHERE ended IS NULL AND (?1 IS NULL OR kind = ?1))"
        " - coalesce(sum(opened - cleared - expired), 0) FROM hour"
        " WHERE start > ?3 AND start >= ?2 AND (?1 IS NULL OR kind = ?1)",
        kind, 0, to);
    if (row == NULL) {
        return false;
    }
    const int result = sqlite3_step(row);
    *open = book_number(row, 0, 0);
    return book_end(book, row, result);
}

/** Read the hours in which something happened. */
static bool read_hours(struct book *book, const char *kind, struct book_hour *hours, size_t count)
{
    const int64_t from = hours[0].start;
    sqlite3_stmt *rows = hours_query(
        book,
        "SELECT start, sum(mx_queries), sum(mx_queries_summed), sum(opened), sum(cleared),"
        " sum(expired) FROM hour WHERE start BETWEEN ?2 AND ?3 AND (?1 IS NULL OR kind = ?1)"
        " GROUP BY start",
        kind, from, hours[count - 1].start);
    if (rows == NULL) {
        return false;
    }
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct book_hour *hour = &hours[(sqlite3_column_int64(rows, 0) - from) / BOOK_HOUR_MS];
        hour->mx_queries = (uint64_t)sqlite3_column_int64(rows, 1);
        hour->mx_queries_summed = (uint64_t)sqlite3_column_int64(rows, 2);
        hour->opened = (uint64_t)sqlite3_column_int64(rows, 3);
        hour->cleared = (uint64_t)sqlite3_column_int64(rows, 4);
        hour->expired = (uint64_t)sqlite3_column_int64(rows, 5);
    }
    return book_end(book, rows, result);
}

/** Tell of each hour what was open at its end, from the last one back. */
static void count_open(struct book_hour *hours, size_t count, int64_t open)
{
    for (size_t i = count; i-- > 0;) {
        hours[i].open = open > 0 ? (uint64_t)open : 0;
        open -= (int64_t)hours[i].opened - (int64_t)hours[i].cleared - (int64_t)hours[i].expired;
    }
}

bool book_timeline(struct book *book, const char *kind, int64_t from, int64_t to, book_hour_fn each,
                   void *context)
{
    const int64_t first = from - from % BOOK_HOUR_MS, last = to - to % BOOK_HOUR_MS;
    int64_t open;
    if (from < 0 || to < from || (last - first) / BOOK_HOUR_MS >= BOOK_HOURS_MAX) {
        snprintf(book->error, sizeof(book->error), "a timeline has 1 to %d hours", BOOK_HOURS_MAX);
        return false;
    }
    const size_t count = (size_t)((last - first) / BOOK_HOUR_MS) + 1;
    struct book_hour *hours = calloc(count, sizeof(*hours));
    if (hours == NULL) {
        snprintf(book->error, sizeof(book->error), "no memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        hours[i].start = first + (int64_t)i * BOOK_HOUR_MS;
    }
    const bool good = book_ready(book) && read_hours(book, kind, hours, count) &&
                      open_at(book, kind, last, &open);
    if (good) {
        count_open(hours, count, open);
        for (size_t i = 0; i < count && each(context, &hours[i]); i++) {
        }
    }
    free(hours);
    return good;
}

/* --- hosts ---------------------------------------------------------------------------------------
 */

bool book_hosts(struct book *book, book_host_fn each, void *context)
{
    sqlite3_stmt *rows = book_ready(book)
                             ? book_prepare(book, "SELECT name, version, started, stopped, newest,"
                                                  " (SELECT count(*) FROM conflict AS c"
                                                  " WHERE c.host = h.id AND c.ended IS NULL)"
                                                  " FROM host AS h ORDER BY name")
                             : NULL;
    if (rows == NULL) {
        return false;
    }
    int result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
        const struct book_host host = {
            .host = book_text(rows, 0),
            .version = book_text(rows, 1),
            .started = book_number(rows, 2, 0),
            .stopped = book_number(rows, 3, 0),
            .newest = book_number(rows, 4, 0),
            .open = (uint64_t)sqlite3_column_int64(rows, 5),
        };
        if (!each(context, &host)) {
            break;
        }
    }
    return book_end(book, rows, result);
}
