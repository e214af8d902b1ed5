/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The list of affected domains: see book_list() in book.h. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book_parts.h"
#include "mxclash.h"

/** Room for a query with every condition. */
#define QUERY_MAX 2048

const char *const book_sort_names[BOOK_SORTS] = {
    [book_by_mx_queries] = "mx-queries",
    [book_by_first_seen] = "first-seen",
    [book_by_last_seen] = "last-seen",
    [book_by_domain] = "domain",
};

static const char *const sort_columns[BOOK_SORTS] = {
    [book_by_mx_queries] = "mx_queries",
    [book_by_first_seen] = "first_seen",
    [book_by_last_seen] = "last_seen",
    [book_by_domain] = "domain",
};

bool book_sort_from_name(const char *name, enum book_sort *sort)
{
    for (int i = 0; i < BOOK_SORTS; i++) {
        if (strcmp(name, book_sort_names[i]) == 0) {
            *sort = (enum book_sort)i;
            return true;
        }
    }
    return false;
}

/* --- cursors -------------------------------------------------------------------------------------
 */

/** The last member of a page: what its order goes by, and which it is. */
struct cursor {
    int64_t value;
    char kind[BOOK_WORD_MAX + 1];
    char domain[MXCLASH_NAME_TEXT_MAX];
};

/** \return false if the text is no cursor */
static bool read_cursor(const char *text, struct cursor *cursor)
{
    char *end;
    cursor->value = strtoll(text, &end, 10);
    if (end == text || *end != '~') {
        return false;
    }
    const char *kind = end + 1;
    const char *domain = strchr(kind, '~');
    if (domain == NULL || (size_t)(domain - kind) >= sizeof(cursor->kind) ||
        strlen(domain + 1) >= sizeof(cursor->domain)) {
        return false;
    }
    memcpy(cursor->kind, kind, (size_t)(domain - kind));
    cursor->kind[domain - kind] = '\0';
    memcpy(cursor->domain, domain + 1, strlen(domain + 1) + 1);
    return true;
}

static int64_t sort_value(const struct book_affected *affected, enum book_sort sort)
{
    switch (sort) {
    case book_by_mx_queries:
        return (int64_t)affected->mx_queries;
    case book_by_first_seen:
        return affected->first_seen;
    case book_by_last_seen:
        return affected->last_seen;
    default:
        return 0;
    }
}

static void write_cursor(const struct book_affected *affected, enum book_sort sort,
                         char text[BOOK_CURSOR_MAX])
{
    snprintf(text, BOOK_CURSOR_MAX, "%" PRId64 "~%s~%s", sort_value(affected, sort), affected->kind,
             affected->domain);
}

/* --- conditions ----------------------------------------------------------------------------------
 */

/* Numbers of the parameters; those that a query lacks are not bound. */
enum {
    parameter_state = 1,
    parameter_kind,
    parameter_provider,
    parameter_impact,
    parameter_host,
    parameter_query,
    parameter_value,
    parameter_after_domain,
    parameter_after_kind,
    parameter_limit,
};

static void add(char query[QUERY_MAX], const char *text)
{
    const size_t used = strlen(query);
    snprintf(query + used, QUERY_MAX - used, "%s", text);
}

static void add_filter(char query[QUERY_MAX], const struct book_filter *filter)
{
    static const char *const which[] = {
        [book_open_now] = " WHERE ended IS NULL",
        [book_ended] = " WHERE ended IS NOT NULL",
        [book_all] = " WHERE 1",
    };
    add(query, which[filter->which]);
    if (filter->state != NULL) {
        add(query, " AND state = ?1");
    }
    if (filter->kind != NULL) {
        add(query, " AND kind = ?2");
    }
    if (filter->provider != NULL) {
        add(query, filter->provider[0] != '\0' ? " AND provider = ?3" : " AND provider IS NULL");
    }
    if (filter->impact != NULL) {
        add(query, " AND impact = ?4");
    }
    if (filter->host != NULL) {
        add(query, " AND EXISTS (SELECT 1 FROM conflict AS c WHERE c.domain = affected.domain"
                   " AND c.kind = affected.kind"
                   " AND c.host = (SELECT id FROM host WHERE name = ?5)");
        add(query, filter->which == book_open_now ? " AND c.ended IS NULL)" : ")");
    }
    if (filter->query != NULL) {
        add(query, " AND instr(domain, ?6) > 0");
    }
}

/** Take what comes behind a cursor. */
static void add_after(char query[QUERY_MAX], enum book_sort sort)
{
    if (sort == book_by_domain) {
        add(query, " AND (domain, kind) > (?8, ?9)");
        return;
    }
    const char *column = sort_columns[sort];
    const size_t used = strlen(query);
    /* the first term is the one that an index understands */
    snprintf(query + used, QUERY_MAX - used,
             " AND %s <= ?7 AND (%s < ?7 OR (domain, kind) > (?8, ?9))", column, column);
}

static void bind_text(sqlite3_stmt *statement, int parameter, const char *text)
{
    if (text != NULL && parameter <= sqlite3_bind_parameter_count(statement)) {
        sqlite3_bind_text(statement, parameter, text, -1, SQLITE_TRANSIENT);
    }
}

static void bind_filter(sqlite3_stmt *statement, const struct book_filter *filter)
{
    char lower[MXCLASH_NAME_TEXT_MAX];
    bind_text(statement, parameter_state, filter->state);
    bind_text(statement, parameter_kind, filter->kind);
    bind_text(statement, parameter_provider, filter->provider);
    bind_text(statement, parameter_impact, filter->impact);
    bind_text(statement, parameter_host, filter->host);
    if (filter->query != NULL) {
        snprintf(lower, sizeof(lower), "%s", filter->query);
        for (char *at = lower; *at != '\0'; at++) {
            *at = (char)tolower((unsigned char)*at);
        }
        bind_text(statement, parameter_query, lower);
    }
}

/* --- the list ------------------------------------------------------------------------------------
 */

static bool count_all(struct book *book, const struct book_filter *filter, uint64_t *total)
{
    char query[QUERY_MAX] = "SELECT count(*) FROM affected";
    add_filter(query, filter);
    sqlite3_stmt *statement = book_prepare(book, query);
    if (statement == NULL) {
        return false;
    }
    bind_filter(statement, filter);
    const int result = sqlite3_step(statement);
    *total = (uint64_t)sqlite3_column_int64(statement, 0);
    return book_end(book, statement, result);
}

static struct book_affected affected_of(sqlite3_stmt *row)
{
    return (struct book_affected){
        .domain = book_text(row, 0),
        .kind = book_text(row, 1),
        .state = book_text(row, 2),
        .impact = book_text(row, 3),
        .provider = book_text(row, 4),
        .cname_target = book_text(row, 5),
        .first_seen = sqlite3_column_int64(row, 6),
        .last_seen = sqlite3_column_int64(row, 7),
        .ended = book_number(row, 8, 0),
        .ending = book_text(row, 9),
        .mx_queries = (uint64_t)sqlite3_column_int64(row, 10),
        .hosts = (uint64_t)sqlite3_column_int64(row, 11),
    };
}

/** Hand out limit members, and look whether there is one more. */
static bool walk(struct book *book, sqlite3_stmt *rows, enum book_sort sort, size_t limit,
                 book_affected_fn each, void *context, struct book_page *page)
{
    int result;
    for (size_t count = 0; (result = sqlite3_step(rows)) == SQLITE_ROW; count++) {
        if (count == limit) {
            break;
        }
        const struct book_affected affected = affected_of(rows);
        if (!each(context, &affected)) {
            break;
        }
        if (page != NULL) {
            write_cursor(&affected, sort, page->next);
        }
    }
    if (result != SQLITE_ROW && page != NULL) {
        page->next[0] = '\0';
    }
    return book_end(book, rows, result);
}

bool book_list(struct book *book, const struct book_filter *filter, enum book_sort sort,
               size_t limit, const char *after, bool count, book_affected_fn each, void *context,
               struct book_page *page)
{
    const bool begins = after == NULL || after[0] == '\0';
    struct cursor cursor;
    if (page != NULL) {
        *page = (struct book_page){0};
    }
    if (!begins && !read_cursor(after, &cursor)) {
        snprintf(book->error, sizeof(book->error), "this is no cursor of a list");
        return false;
    }
    if (!book_ready(book) || (count && page != NULL && !count_all(book, filter, &page->total))) {
        return false;
    }
    char query[QUERY_MAX] = "SELECT domain, kind, state, impact, provider, cname_target,"
                            " first_seen, last_seen, ended, ending, mx_queries, hosts"
                            " FROM affected";
    add_filter(query, filter);
    if (!begins) {
        add_after(query, sort);
    }
    add(query, " ORDER BY ");
    if (sort != book_by_domain) {
        add(query, sort_columns[sort]);
        add(query, " DESC, ");
    }
    add(query, "domain, kind LIMIT ?10");
    sqlite3_stmt *rows = book_prepare(book, query);
    if (rows == NULL) {
        return false;
    }
    bind_filter(rows, filter);
    if (!begins) {
        sqlite3_bind_int64(rows, parameter_value, cursor.value);
        bind_text(rows, parameter_after_domain, cursor.domain);
        bind_text(rows, parameter_after_kind, cursor.kind);
    }
    sqlite3_bind_int64(rows, parameter_limit, (sqlite3_int64)limit + 1);
    return walk(book, rows, sort, limit, each, context, page);
}
