/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash list`: the affected domains, as a table or as JSON lines. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "book/book.h"
#include "book/book_json.h"
#include "cli/cli.h"
#include "cli/open_book.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/terminal.h"

/** Members that are asked of the book at a time. */
#define PAGE 10000
/** Members of a table where no limit is given; what is for programs has none. */
#define TABLE_LIMIT 1000
/** Octets of a cell of any column but the domain's. */
#define CELL_MAX 320

/** What was asked for. */
struct request {
    struct option_values logs;
    struct book_filter filter;
    enum book_sort sort;
    bool json;
    unsigned long limit;
};

/** A list that is being written. */
struct listing {
    const struct request *request;
    /** NULL: JSON lines are written instead */
    struct table *table;
    uint64_t shown;
    bool no_memory;
};

static void print_date(char text[CELL_MAX], int64_t time)
{
    const time_t seconds = (time_t)(time / 1000);
    struct tm utc;
    strftime(text, CELL_MAX, "%Y-%m-%d", gmtime_r(&seconds, &utc));
}

static enum paint paint_of(const struct book_affected *affected)
{
    if (affected->ended != 0) {
        return paint_good;
    }
    return strcmp(affected->state, "confirmed") == 0 ? paint_bad : paint_doubtful;
}

static void add_row(struct table *table, const struct book_affected *affected, bool all)
{
    char text[CELL_MAX];
    table_add(table, paint_none, affected->domain);
    table_add(table, paint_none, affected->kind);
    table_add(table, paint_of(affected), affected->ended != 0 ? affected->ending : affected->state);
    snprintf(text, sizeof(text), "%" PRIu64, affected->mx_queries);
    table_add(table, paint_none, text);
    print_date(text, affected->first_seen);
    table_add(table, paint_none, text);
    if (all) {
        text[0] = '\0';
        if (affected->ended != 0) {
            print_date(text, affected->ended);
        }
        table_add(table, paint_none, text);
    }
    table_add(table, paint_none, affected->impact);
    table_add(table, paint_none, affected->provider != NULL ? affected->provider : "");
    snprintf(text, sizeof(text), "%" PRIu64, affected->hosts);
    table_add(table, paint_none, text);
}

static bool print_json(const struct book_affected *affected)
{
    json_t *object = book_json_affected(affected);
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    if (text == NULL) {
        return false;
    }
    puts(text);
    free(text);
    return true;
}

static bool show_one(void *context, const struct book_affected *affected)
{
    struct listing *listing = context;
    listing->shown++;
    if (listing->table != NULL) {
        add_row(listing->table, affected, listing->request->filter.which != book_open_now);
    } else if (!print_json(affected)) {
        listing->no_memory = true;
    }
    return !listing->no_memory;
}

/** Ask the book for all that is wanted. \return false after the fault was told */
static bool walk(struct book *book, struct listing *listing, uint64_t *total)
{
    const struct request *request = listing->request;
    char cursor[BOOK_CURSOR_MAX] = "";
    struct book_page page;
    bool first = true;
    do {
        const uint64_t left = request->limit - listing->shown;
        if (!book_list(book, &request->filter, request->sort, left < PAGE ? left : PAGE, cursor,
                       first && request->limit != ULONG_MAX, show_one, listing, &page)) {
            fprintf(stderr, "mxclash list: %s\n", book_error(book));
            return false;
        }
        if (first) {
            *total = page.total;
        }
        first = false;
        memcpy(cursor, page.next, sizeof(cursor));
    } while (cursor[0] != '\0' && listing->shown < request->limit && !listing->no_memory);
    return true;
}

static enum cli_exit print_list(struct book *book, const struct request *request)
{
    static const char *const headers[] = {"DOMAIN", "KIND",     "STATE", "MX QUERIES", "SINCE",
                                          "IMPACT", "PROVIDER", "HOSTS", NULL};
    static const char *const all_headers[] = {"DOMAIN", "KIND",   "STATE",    "MX QUERIES", "SINCE",
                                              "ENDED",  "IMPACT", "PROVIDER", "HOSTS",      NULL};
    struct listing listing = {.request = request};
    uint64_t total = 0;
    if (!request->json) {
        listing.table = table_new(request->filter.which == book_open_now ? headers : all_headers);
        listing.no_memory = listing.table == NULL;
    }
    bool good = !listing.no_memory && walk(book, &listing, &total);
    if (good && listing.table != NULL && listing.shown > 0) {
        listing.no_memory = !table_print(listing.table, stdout, terminal_columns(stdout));
    }
    table_free(listing.table);
    if (listing.no_memory) {
        fputs("mxclash list: no memory\n", stderr);
        return cli_trouble;
    }
    if (good && listing.shown == 0) {
        fputs("mxclash list: no such domain in the book\n", stderr);
    } else if (good && total > listing.shown) {
        fprintf(stderr, "mxclash list: %" PRIu64 " of %" PRIu64 "; --limit shows more\n",
                listing.shown, total);
    }
    return good ? cli_good : cli_trouble;
}

/** \return false after cli_bad_use() */
static bool read_request(int argc, char **argv, struct request *request)
{
    const char *sort = NULL, *none[1];
    bool all = false, ended = false;
    const struct option options[] = {
        {.name = "--log", .values = &request->logs},
        {.name = "--state", .text = &request->filter.state},
        {.name = "--kind", .text = &request->filter.kind},
        {.name = "--provider", .text = &request->filter.provider},
        {.name = "--impact", .text = &request->filter.impact},
        {.name = "--host", .text = &request->filter.host},
        {.name = "--name", .text = &request->filter.query},
        {.name = "--sort", .text = &sort},
        {.name = "--limit", .number = &request->limit, .max = ULONG_MAX},
        {.name = "--all", .flag = &all},
        {.name = "--ended", .flag = &ended},
        {.name = "--json", .flag = &request->json},
        {.name = NULL},
    };
    *request = (struct request){.limit = 0};
    if (!cli_options(argc, argv, options, 0, none)) {
        return false;
    }
    if (sort != NULL && !book_sort_from_name(sort, &request->sort)) {
        cli_bad_use(argv[0], "--sort takes mx-queries, first-seen, last-seen or domain");
        return false;
    }
    if (all && ended) {
        cli_bad_use(argv[0], "--all and --ended are not for one list");
        return false;
    }
    if (request->limit == 0) {
        request->limit = request->json ? ULONG_MAX : TABLE_LIMIT;
    }
    request->filter.which = all ? book_all : ended ? book_ended : book_open_now;
    return true;
}

enum cli_exit cli_list(int argc, char **argv)
{
    struct request request;
    struct cli_config loaded;
    if (!read_request(argc, argv, &request) || !cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    struct book *book = cli_open_book(argv[0], &request.logs, &loaded.config);
    const enum cli_exit status = book != NULL ? print_list(book, &request) : cli_trouble;
    book_close(book);
    config_free(&loaded.config);
    return status;
}
