/* SPDX-License-Identifier: BSD-3-Clause */
/** \file All that is known of a domain: see book_show() in book.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book_parts.h"

static const char query[] =
    "SELECT c.id, h.name, c.domain, c.kind, c.state, c.evidence, c.apex, c.zone, c.cname_target,"
    " c.cname_ttl, c.mx, c.provider, c.impact, c.hides_spf, c.spf, c.authority,"
    " c.authorities_differ, c.advice, c.first_seen, c.last_seen, c.told, c.ended, c.ending,"
    " c.mx_queries_before + c.mx_queries_run AS mx_queries"
    " FROM conflict AS c JOIN host AS h ON h.id = c.host WHERE c.domain = ?1"
    " ORDER BY c.ended IS NOT NULL, c.ended DESC, mx_queries DESC, c.id DESC LIMIT 1000";

/** Cut the text at each octet between. \return parts; the rest of more than max is left out */
static size_t split(char *text, const char *between, char **parts, size_t max)
{
    size_t count = 0;
    char *rest = text;
    while (count < max && (parts[count] = strsep(&rest, between)) != NULL) {
        if (parts[count][0] != '\0') {
            count++;
        }
    }
    return count;
}

static void read_mx(char *text, struct book_conflict *conflict)
{
    char *lines[BOOK_MX_MAX];
    const size_t count = split(text, "\n", lines, BOOK_MX_MAX);
    for (size_t i = 0; i < count; i++) {
        char *exchange;
        const unsigned long preference = strtoul(lines[i], &exchange, 10);
        if (*exchange == ' ') {
            conflict->mx[conflict->mx_count++] =
                (struct book_mx){.preference = (unsigned)preference, .exchange = exchange + 1};
        }
    }
}

static void read_advice(char *text, struct book_conflict *conflict)
{
    char *words[BOOK_ADVICE_MAX];
    conflict->advice_count = split(text, " ", words, BOOK_ADVICE_MAX);
    for (size_t i = 0; i < conflict->advice_count; i++) {
        conflict->advice[i] = words[i];
    }
}

static struct book_conflict conflict_of(sqlite3_stmt *row, char *mx, char *advice)
{
    struct book_conflict conflict = {
        .id = sqlite3_column_int64(row, 0),
        .host = book_text(row, 1),
        .domain = book_text(row, 2),
        .kind = book_text(row, 3),
        .state = book_text(row, 4),
        .evidence = book_text(row, 5),
        .apex = (int)book_number(row, 6, -1),
        .zone = book_text(row, 7),
        .cname_target = book_text(row, 8),
        .cname_ttl = (uint32_t)book_number(row, 9, 0),
        .provider = book_text(row, 11),
        .impact = book_text(row, 12),
        .hides_spf = (int)book_number(row, 13, -1),
        .spf = book_text(row, 14),
        .authority = book_text(row, 15),
        .authorities_differ = (int)book_number(row, 16, -1),
        .first_seen = sqlite3_column_int64(row, 18),
        .last_seen = sqlite3_column_int64(row, 19),
        .told = sqlite3_column_int64(row, 20),
        .ended = book_number(row, 21, 0),
        .ending = book_text(row, 22),
        .mx_queries = (uint64_t)sqlite3_column_int64(row, 23),
    };
    read_mx(mx, &conflict);
    read_advice(advice, &conflict);
    return conflict;
}

/** \return false if there is no memory; *on false if the walk is to end */
static bool hand_out(sqlite3_stmt *row, book_conflict_fn each, void *context, bool *on)
{
    const char *mx_text = book_text(row, 10), *advice_text = book_text(row, 17);
    char *mx = strdup(mx_text != NULL ? mx_text : "");
    char *advice = strdup(advice_text != NULL ? advice_text : "");
    const bool good = mx != NULL && advice != NULL;
    if (good) {
        const struct book_conflict conflict = conflict_of(row, mx, advice);
        *on = each(context, &conflict);
    }
    free(mx);
    free(advice);
    return good;
}

bool book_show(struct book *book, const char *domain, book_conflict_fn each, void *context)
{
    sqlite3_stmt *rows = book_ready(book) ? book_prepare(book, query) : NULL;
    if (rows == NULL) {
        return false;
    }
    sqlite3_bind_text(rows, 1, domain, -1, SQLITE_STATIC);
    int result;
    bool on = true;
    while (on && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        if (!hand_out(rows, each, context, &on)) {
            snprintf(book->error, sizeof(book->error), "no memory");
            sqlite3_finalize(rows);
            return false;
        }
    }
    return book_end(book, rows, on ? result : SQLITE_ROW);
}
