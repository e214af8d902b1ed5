/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: an event log as it comes from wherever, cut into lines, read, and written into a
 * book in memory; then the book is read.
 *
 * The first octet of an input says how many octets a read gives, the rest is the log. Each line is
 * written twice, which must be as once; what lists say must be the sum of what the hosts say.
 */
#include "book/book_json.h"
#include "book/book_parts.h"
#include "book/lines.h"
#include "book/logline.h"
#include "book/writer.h"
#include "fuzz.h"

#define NOW      INT64_C(1795860000000)
#define TIME_MAX INT64_C(253402300799999)

/** One log on its way into the book. */
struct feeding {
    struct writer *writer;
    struct book *book;
    struct logline *line;
};

/* --- what a line says ----------------------------------------------------------------------------
 */

static bool is_printable(const char *text)
{
    return text == NULL || fuzz_log_line(text);
}

static bool is_word(const char *text)
{
    return text == NULL || (text[0] != '\0' && strlen(text) <= BOOK_WORD_MAX && is_printable(text));
}

static void check_name(const char *text)
{
    char again[MXCLASH_NAME_TEXT_MAX];

    if (text == NULL)
        return;
    MUST(is_printable(text) && book_domain(text, again) && strcmp(text, again) == 0);
}

static void check_conflict(const struct book_conflict *conflict)
{
    check_name(conflict->domain);
    check_name(conflict->zone);
    check_name(conflict->cname_target);
    MUST(is_word(conflict->kind) && is_word(conflict->state) && is_word(conflict->evidence));
    MUST(is_word(conflict->impact) && is_word(conflict->spf));
    MUST(is_printable(conflict->provider) && is_printable(conflict->authority));
    MUST(conflict->first_seen >= 0 && conflict->first_seen <= TIME_MAX);
    MUST(conflict->last_seen >= 0 && conflict->last_seen <= TIME_MAX);
    MUST(conflict->mx_queries <= INT64_MAX / 4);
    MUST(conflict->mx_count <= BOOK_MX_MAX && conflict->advice_count <= BOOK_ADVICE_MAX);
    for (size_t i = 0; i < conflict->mx_count; i++) {
        MUST(conflict->mx[i].preference <= UINT16_MAX && conflict->mx[i].exchange != NULL);
        check_name(conflict->mx[i].exchange);
    }
    for (size_t i = 0; i < conflict->advice_count; i++)
        MUST(conflict->advice[i] != NULL && is_word(conflict->advice[i]));
}

static void check_line(const struct logline *line)
{
    if (line->kind == logline_malformed) {
        MUST(line->fault != NULL);
        return;
    }
    if (line->kind == logline_unknown)
        return;
    MUST(line->time >= 0 && line->time <= TIME_MAX);
    MUST(line->host != NULL && strlen(line->host) <= BOOK_HOST_MAX);
    for (const char *at = line->host; *at != '\0'; at++)
        MUST((unsigned char)*at >= ' ' && *at != 0x7f);
    check_conflict(&line->conflict);
    if (line->kind < logline_tally)
        MUST(line->conflict.domain != NULL && line->conflict.kind != NULL &&
             line->conflict.state != NULL && line->conflict.impact != NULL);
}

/* --- what the book says --------------------------------------------------------------------------
 */

/** The sums of all lists, and of what the hosts say. */
struct sums {
    struct book *book;
    uint64_t members;
    uint64_t mx_queries;
    uint64_t hosts;
    const struct book_affected *affected;
    uint64_t told_mx_queries;
    uint64_t told_hosts;
};

static bool add_conflict(void *context, const struct book_conflict *conflict)
{
    struct sums *sums = context;
    json_t *object = book_json_conflict(conflict);

    MUST(object != NULL);
    json_decref(object);
    check_conflict(conflict);
    MUST((conflict->ended == 0) == (conflict->ending == NULL));
    if (strcmp(conflict->kind, sums->affected->kind) == 0 && conflict->ended == 0) {
        sums->told_mx_queries += conflict->mx_queries;
        sums->told_hosts++;
    }
    return true;
}

static bool add_affected(void *context, const struct book_affected *affected)
{
    struct sums *sums = context;

    check_name(affected->domain);
    sums->members++;
    sums->mx_queries += affected->mx_queries;
    sums->hosts += affected->hosts;
    sums->affected = affected;
    sums->told_mx_queries = sums->told_hosts = 0;
    MUST(book_show(sums->book, affected->domain, add_conflict, sums));
    if (affected->ended == 0) {
        MUST(affected->ending == NULL);
        MUST(sums->told_mx_queries == affected->mx_queries);
        MUST(sums->told_hosts == affected->hosts && affected->hosts > 0);
    } else
        MUST(sums->told_hosts == 0 && affected->ending != NULL);
    return true;
}

static struct sums sum_all(struct book *book)
{
    const struct book_filter all = {.which = book_all};
    struct sums sums = {.book = book};

    MUST(book_list(book, &all, book_by_domain, BOOK_LIST_MAX, NULL, false, add_affected, &sums,
                   NULL));
    return sums;
}

static bool take_line(void *context, const char *text, size_t len)
{
    struct feeding *feeding = context;
    struct sums once, twice;

    if (text == NULL)
        return true;
    MUST(len <= LOGLINE_MAX && memchr(text, '\n', len) == NULL);
    logline_read(text, len, feeding->line);
    check_line(feeding->line);
    MUST(writer_apply(feeding->writer, feeding->line) == SQLITE_OK);
    once = sum_all(feeding->book);
    MUST(writer_apply(feeding->writer, feeding->line) == SQLITE_OK);
    twice = sum_all(feeding->book);
    MUST(once.members == twice.members && once.mx_queries == twice.mx_queries &&
         once.hosts == twice.hosts);
    logline_free(feeding->line);
    return true;
}

/** Give the log in pieces, as reads do. */
static void feed(struct feeding *feeding, const uint8_t *data, size_t size, size_t piece)
{
    char *buffer = malloc(size + 1);
    size_t used = 0, given = 0;
    bool skipping = false;

    MUST(buffer != NULL);
    while (given < size) {
        const size_t octets = size - given < piece ? size - given : piece;

        memcpy(buffer + used, data + given, octets);
        given += octets;
        used += octets;
        const size_t done = lines_cut(buffer, used, &skipping, take_line, feeding);
        MUST(done <= used);
        memmove(buffer, buffer + done, used - done);
        used -= done;
    }
    MUST(memchr(buffer, '\n', used) == NULL);
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct writer *writer;
    static struct logline line;
    char error[BOOK_ERROR_MAX];
    bool more;

    if (size < 2)
        return 0;
    /* to make the tables takes longer than all else */
    if (writer == NULL)
        MUST(writer_open(":memory:", 90, &writer, error) == writer_good);
    struct book book = {.database = writer_database(writer), .writer = writer};
    struct feeding feeding = {.writer = writer, .book = &book, .line = &line};
    MUST(writer_begin(writer, NOW) == SQLITE_OK);
    feed(&feeding, data + 1, size - 1, (size_t)data[0] * 16 + 1);
    MUST(writer_tidy(writer, &more) == SQLITE_OK);
    sum_all(&book);
    writer_rollback(writer);
    return 0;
}
