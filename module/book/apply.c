/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What one line of a log changes in the book: see writer.h.
 *
 * A conflict is told of in runs. A resolver that starts anew without its cases, or gave one up for
 * room, opens what it finds again, with another first_seen and its count from 0: that is the next
 * run of the same row. Whether a line was read before shows in its first_seen: it lies within the
 * runs of a row.
 */
#include <stdio.h>
#include <string.h>

#include "book/writer_parts.h"

/** Room for the MX records of a row: `PREFERENCE EXCHANGE` and a line end each. */
#define MX_TEXT_MAX     ((size_t)BOOK_MX_MAX * (MXCLASH_NAME_TEXT_MAX + 8))
#define ADVICE_TEXT_MAX ((size_t)BOOK_ADVICE_MAX * (BOOK_WORD_MAX + 1) + 1)

/** The row that a line is about. */
struct row {
    int64_t id;
    int64_t run;
    int64_t mx_queries_run;
    int64_t told;
    int64_t first_seen;
};

static bool is_end(const struct logline *line)
{
    return line->kind == logline_cleared || line->kind == logline_expired;
}

static const char *ending_of(const struct logline *line)
{
    return line->kind == logline_cleared ? "cleared" : "expired";
}

/* --- the texts of a row --------------------------------------------------------------------------
 */

static void write_mx(const struct book_conflict *conflict, char text[MX_TEXT_MAX])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < conflict->mx_count; i++) {
        used += (size_t)snprintf(text + used, MX_TEXT_MAX - used, "%s%u %s", i > 0 ? "\n" : "",
                                 conflict->mx[i].preference, conflict->mx[i].exchange);
    }
}

static void write_advice(const struct book_conflict *conflict, char text[ADVICE_TEXT_MAX])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < conflict->advice_count; i++) {
        used += (size_t)snprintf(text + used, ADVICE_TEXT_MAX - used, "%s%s", i > 0 ? " " : "",
                                 conflict->advice[i]);
    }
}

/* --- rows ----------------------------------------------------------------------------------------
 */

/** \param[out] row  id 0 if there is none */
static int find_open(struct writer *writer, const struct book_conflict *conflict, struct row *row)
{
    sqlite3_stmt *found = statements_bind(&writer->statements, statement_find_open, "tti",
                                          conflict->domain, conflict->kind, writer->host_id);
    const int result = sqlite3_step(found);
    memset(row, 0, sizeof(*row));
    if (result == SQLITE_ROW) {
        row->id = sqlite3_column_int64(found, 0);
        row->run = sqlite3_column_int64(found, 1);
        row->mx_queries_run = sqlite3_column_int64(found, 2);
        row->told = sqlite3_column_int64(found, 3);
        row->first_seen = sqlite3_column_int64(found, 4);
    }
    return statements_end(found, result);
}

/** Find a row that ended and holds the run of the line. \param[out] id  0 if there is none */
static int find_ended(struct writer *writer, const struct book_conflict *conflict, int64_t *id,
                      int64_t *told, bool *silent)
{
    sqlite3_stmt *found =
        statements_bind(&writer->statements, statement_find_ended, "ttii", conflict->domain,
                        conflict->kind, writer->host_id, conflict->first_seen);
    const int result = sqlite3_step(found);
    *id = 0;
    if (result == SQLITE_ROW) {
        const char *ending = (const char *)sqlite3_column_text(found, 2);
        *id = sqlite3_column_int64(found, 0);
        *told = sqlite3_column_int64(found, 1);
        *silent = ending != NULL && strcmp(ending, "silent") == 0;
    }
    return statements_end(found, result);
}

/** Count what a line tells in the hours in which it happened. */
static int count(struct writer *writer, const struct logline *line, bool opens, int64_t mx_queries)
{
    const struct book_conflict *conflict = &line->conflict;
    const struct happened begin = {.opened = 1};
    const struct happened now = {.mx_queries = mx_queries,
                                 .cleared = line->kind == logline_cleared,
                                 .expired = line->kind == logline_expired};
    int result = SQLITE_OK;
    if (opens) {
        result = writer_add_hour(writer, conflict->first_seen, conflict->kind, &begin);
    }
    if (result == SQLITE_OK && (mx_queries > 0 || is_end(line))) {
        result = writer_add_hour(writer, line->time, conflict->kind, &now);
    }
    return result;
}

/** Add a row; an ended one if the line tells of an end whose beginning nobody told. */
static int add_row(struct writer *writer, const struct logline *line)
{
    const struct book_conflict *conflict = &line->conflict;
    char mx[MX_TEXT_MAX], advice[ADVICE_TEXT_MAX];
    write_mx(conflict, mx);
    write_advice(conflict, advice);
    int result = statements_run(
        &writer->statements, statement_add_conflict, "ittttbttotttbttbtiiiiot", writer->host_id,
        conflict->domain, conflict->kind, conflict->state != NULL ? conflict->state : "suspected",
        conflict->evidence, conflict->apex, conflict->zone, conflict->cname_target,
        conflict->cname_target != NULL ? (int64_t)conflict->cname_ttl : INT64_C(-1), mx,
        conflict->provider, conflict->impact != NULL ? conflict->impact : "unknown",
        conflict->hides_spf, conflict->spf, conflict->authority, conflict->authorities_differ,
        advice, conflict->first_seen, conflict->last_seen, conflict->told,
        (int64_t)conflict->mx_queries, is_end(line) ? line->time : INT64_C(-1),
        is_end(line) ? ending_of(line) : NULL);
    if (result == SQLITE_OK) {
        writer->conflicts++;
        result = count(writer, line, true, (int64_t)conflict->mx_queries);
    }
    return result;
}

/** Write anew what a whole event says; an end says no more what was wrong. */
static int change_row(struct writer *writer, const struct book_conflict *conflict, int64_t id)
{
    char mx[MX_TEXT_MAX], advice[ADVICE_TEXT_MAX];
    write_mx(conflict, mx);
    write_advice(conflict, advice);
    return statements_run(
        &writer->statements, statement_change_conflict, "ittbttotttbttbt", id, conflict->state,
        conflict->evidence, conflict->apex, conflict->zone, conflict->cname_target,
        conflict->cname_target != NULL ? (int64_t)conflict->cname_ttl : INT64_C(-1), mx,
        conflict->provider, conflict->impact, conflict->hides_spf, conflict->spf,
        conflict->authority, conflict->authorities_differ, advice);
}

/** Write into an open row what a line says. */
static int update_row(struct writer *writer, const struct logline *line, const struct row *row)
{
    const struct book_conflict *conflict = &line->conflict;
    const int64_t before = conflict->first_seen == row->run ? row->mx_queries_run : 0;
    const int64_t told = (int64_t)conflict->mx_queries;
    int result = statements_run(&writer->statements, statement_tally_conflict, "iiiiit", row->id,
                                conflict->first_seen, conflict->last_seen, line->time, told,
                                conflict->state);
    if (result == SQLITE_OK && (line->kind == logline_opened || line->kind == logline_changed)) {
        result = change_row(writer, conflict, row->id);
    }
    if (result == SQLITE_OK && is_end(line)) {
        result = statements_run(&writer->statements, statement_end_conflict, "iit", row->id,
                                line->time, ending_of(line));
    }
    if (result == SQLITE_OK) {
        result = count(writer, line, false, told > before ? told - before : 0);
    }
    return result;
}

/** No row is open. \param[out] changed  whether affected must be summed anew */
static int apply_to_ended(struct writer *writer, const struct logline *line, bool *changed)
{
    const struct happened begin = {.opened = 1};
    struct row row;
    int64_t id, told = 0;
    bool silent = false;
    int result = find_ended(writer, &line->conflict, &id, &told, &silent);
    if (result != SQLITE_OK) {
        return result;
    }
    if (id == 0) {
        *changed = true;
        return add_row(writer, line);
    }
    /* Read before; but where a host only had become silent, it speaks again. */
    if (!silent || line->time <= told) {
        return SQLITE_OK;
    }
    *changed = true;
    result = statements_run(&writer->statements, statement_reopen_conflict, "i", id);
    if (result == SQLITE_OK) {
        result = writer_add_hour(writer, line->time, line->conflict.kind, &begin);
    }
    if (result == SQLITE_OK) {
        result = find_open(writer, &line->conflict, &row);
    }
    return result == SQLITE_OK ? update_row(writer, line, &row) : result;
}

static int apply_conflict(struct writer *writer, const struct logline *line)
{
    const struct book_conflict *conflict = &line->conflict;
    struct row row;
    bool changed = false;
    int result = find_open(writer, conflict, &row);
    if (result != SQLITE_OK) {
        return result;
    }
    const bool old = line->time <= row.told && conflict->first_seen < row.run;
    if (row.id == 0 || (old && is_end(line) && conflict->first_seen < row.first_seen)) {
        result = apply_to_ended(writer, line, &changed);
    } else if (!old) {
        result = update_row(writer, line, &row);
        changed = true;
    }
    if (result == SQLITE_OK && changed) {
        result = writer_sum(writer, conflict->domain, conflict->kind);
    }
    return result;
}

/* --- hosts ---------------------------------------------------------------------------------------
 */

/** Make the host of a line the writer's, and note that it spoke. */
static int use_host(struct writer *writer, const struct logline *line)
{
    struct statements *statements = &writer->statements;
    if (writer->host_id == 0 || strcmp(writer->host, line->host) != 0) {
        sqlite3_stmt *found = statements_bind(statements, statement_find_host, "t", line->host);
        int result = sqlite3_step(found);
        writer->host_id = result == SQLITE_ROW ? sqlite3_column_int64(found, 0) : 0;
        result = statements_end(found, result);
        if (result == SQLITE_OK && writer->host_id == 0) {
            result = statements_run(statements, statement_add_host, "t", line->host);
            writer->host_id = sqlite3_last_insert_rowid(writer->database);
        }
        if (result != SQLITE_OK) {
            writer->host_id = 0;
            return result;
        }
        snprintf(writer->host, sizeof(writer->host), "%s", line->host);
    }
    return statements_run(statements, statement_touch_host, "ii", writer->host_id, line->time);
}

static int apply_summed(struct writer *writer, const struct logline *line)
{
    const struct happened happened = {.mx_queries_summed = (int64_t)line->conflict.mx_queries};
    int result = statements_run(&writer->statements, statement_host_summed, "ii", writer->host_id,
                                line->time);
    /* not newer than the last one: read before */
    if (result != SQLITE_OK || sqlite3_changes(writer->database) == 0) {
        return result;
    }
    return writer_add_hour(writer, line->time, "", &happened);
}

int writer_apply(struct writer *writer, const struct logline *line)
{
    if (line->kind == logline_malformed || line->kind == logline_unknown) {
        return SQLITE_OK;
    }
    const int result = use_host(writer, line);
    if (result != SQLITE_OK) {
        return result;
    }
    switch (line->kind) {
    case logline_started:
        return statements_run(&writer->statements, statement_host_started, "iit", writer->host_id,
                              line->time, line->version);
    case logline_stopped:
        return statements_run(&writer->statements, statement_host_stopped, "ii", writer->host_id,
                              line->time);
    case logline_tally_summed:
        return apply_summed(writer, line);
    default:
        return apply_conflict(writer, line);
    }
}
