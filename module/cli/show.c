/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash show DOMAIN`: all that is known of a domain, and how to mend it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "book/book_advice.h"
#include "book/book_json.h"
#include "cli/cli.h"
#include "cli/open_book.h"
#include "cli/options.h"
#include "cli/print_advice.h"
#include "cli/terminal.h"
#include "runtime/options.h"

/** Kinds that are shown of one domain. */
#define KINDS_MAX 16
/** Hosts that are named of one kind, and conflicts that ended. */
#define HOSTS_SHOWN 10
#define ENDED_SHOWN 10

/** What the hosts say together of one kind that is open. */
struct open_kind {
    char kind[BOOK_WORD_MAX + 1];
    /** the conflict that was told of last: it says what is wrong now */
    int64_t id;
    int64_t told;
    int64_t first_seen;
    int64_t last_seen;
    uint64_t mx_queries;
    size_t hosts;
};

struct showing {
    struct book *book;
    const struct providers *providers;
    enum advice_language language;
    bool letter;
    const char *domain;
    size_t columns;
    struct open_kind kinds[KINDS_MAX];
    size_t kind_count;
    uint64_t ended;
    /** the kind whose hosts are being named */
    const struct open_kind *naming;
    size_t named;
    json_t *list;
    bool no_memory;
};

/* --- for people ----------------------------------------------------------------------------------
 */

static const char *time_text(int64_t time, char text[32])
{
    const time_t seconds = (time_t)(time / 1000);
    struct tm utc;
    strftime(text, 32, "%Y-%m-%d %H:%M UTC", gmtime_r(&seconds, &utc));
    return text;
}

static void print_label(const char *label)
{
    printf("  %s%-11s%s", paint_begin(stdout, paint_faint), label, paint_end(stdout));
}

static bool name_host(void *context, const struct book_conflict *conflict)
{
    struct showing *showing = context;
    if (conflict->ended == 0 && strcmp(conflict->kind, showing->naming->kind) == 0 &&
        showing->named++ < HOSTS_SHOWN) {
        printf("%s", showing->named > 1 ? ", " : "");
        /* a host's name is the only text that need not be ASCII */
        for (const char *at = conflict->host; *at != '\0'; at++) {
            putchar(*at >= ' ' && *at <= '~' ? *at : '?');
        }
        printf("%s (%" PRIu64 ")", conflict->host[0] == '\0' ? "an unnamed host" : "",
               conflict->mx_queries);
    }
    return true;
}

/** Name the hosts that see it. \return false if the book cannot be read */
static bool print_hosts(struct showing *showing, const struct open_kind *kind)
{
    showing->naming = kind;
    showing->named = 0;
    print_label("Seen by");
    if (!book_show(showing->book, showing->domain, name_host, showing)) {
        return false;
    }
    if (kind->hosts > HOSTS_SHOWN) {
        printf(" and %zu more", kind->hosts - HOSTS_SHOWN);
    }
    putchar('\n');
    return true;
}

static void print_records(const struct book_conflict *conflict)
{
    const char *label = "Records";
    if (conflict->cname_target != NULL) {
        print_label(label);
        printf("CNAME %s (TTL %" PRIu32 ")\n", conflict->cname_target, conflict->cname_ttl);
        label = "";
    }
    for (size_t i = 0; i < conflict->mx_count; i++) {
        print_label(label);
        printf("MX %u %s\n", conflict->mx[i].preference, conflict->mx[i].exchange);
        label = "";
    }
}

static void print_source(const struct book_conflict *conflict)
{
    if (conflict->evidence == NULL && conflict->authority == NULL) {
        return;
    }
    print_label("Known by");
    printf("%s%s%s%s%s\n", conflict->evidence != NULL ? conflict->evidence : "",
           conflict->authority != NULL ? ", authority " : "",
           conflict->authority != NULL ? conflict->authority : "",
           conflict->zone != NULL ? ", zone " : "", conflict->zone != NULL ? conflict->zone : "");
}

static void print_texts(const struct advice *advice, size_t columns)
{
    putchar('\n');
    print_wrapped(stdout, advice->fault, columns, 2, 0);
    print_wrapped(stdout, advice->impact, columns, 2, 0);
    putchar('\n');
}

/** Show one kind that is open. \return false if the book cannot be read or there is no memory */
static bool print_open(struct showing *showing, const struct open_kind *kind,
                       const struct book_conflict *conflict)
{
    char since[32], last[32];
    struct book_advice told;
    struct advice advice;
    book_advice_make(&told, conflict, showing->providers);
    const bool confirmed = strcmp(conflict->state, "confirmed") == 0;
    if (!advice_make(&told.of, showing->language, &advice)) {
        showing->no_memory = true;
        return false;
    }
    printf("%s%s%s: %s%s, %s%s\n", paint_begin(stdout, paint_bold), conflict->domain,
           paint_end(stdout), paint_begin(stdout, confirmed ? paint_bad : paint_doubtful),
           conflict->kind, conflict->state, paint_end(stdout));
    print_texts(&advice, showing->columns);
    print_label("Since");
    printf("%s, last met %s\n", time_text(kind->first_seen, since),
           time_text(kind->last_seen, last));
    print_label("MX queries");
    printf("%" PRIu64 " met it\n", kind->mx_queries);
    const bool good = print_hosts(showing, kind);
    print_records(conflict);
    print_source(conflict);
    if (told.of.provider != NULL) {
        print_label("Provider");
        puts(told.of.provider);
    }
    printf("\n%s%s%s\n", paint_begin(stdout, paint_bold), "How to mend it", paint_end(stdout));
    cli_print_steps(&advice, showing->columns);
    putchar('\n');
    advice_free(&advice);
    return good;
}

static bool print_letter(struct showing *showing, const struct book_conflict *conflict)
{
    struct book_advice told;
    book_advice_make(&told, conflict, showing->providers);
    char *letter = advice_letter(&told.of, showing->language);
    if (letter == NULL) {
        showing->no_memory = true;
        return false;
    }
    printf("%s\n", letter);
    free(letter);
    return true;
}

/** Of a kind that is open the conflict that was told of last is shown. */
static bool show_open(void *context, const struct book_conflict *conflict)
{
    struct showing *showing = context;
    for (size_t i = 0; i < showing->kind_count; i++) {
        if (showing->kinds[i].id == conflict->id) {
            return showing->letter ? print_letter(showing, conflict)
                                   : print_open(showing, &showing->kinds[i], conflict);
        }
    }
    return conflict->ended == 0;
}

static bool show_ended(void *context, const struct book_conflict *conflict)
{
    struct showing *showing = context;
    char since[32], ended[32];
    if (conflict->ended == 0) {
        return true;
    }
    if (showing->named++ == 0) {
        printf("%sBefore%s\n", paint_begin(stdout, paint_bold), paint_end(stdout));
    }
    if (showing->named > ENDED_SHOWN) {
        return false;
    }
    printf("  %s to %s: %s, %s; %" PRIu64 " MX queries\n", time_text(conflict->first_seen, since),
           time_text(conflict->ended, ended), conflict->kind, conflict->ending,
           conflict->mx_queries);
    return true;
}

/* --- for programs --------------------------------------------------------------------------------
 */

static json_t *steps_json(const struct advice *advice)
{
    json_t *steps = json_array();
    for (size_t i = 0; i < advice->step_count; i++) {
        const struct advice_step *step = &advice->steps[i];
        json_array_append_new(steps, json_pack("{s:s?, s:b, s:s, s:s?}", "word", step->word,
                                               "alternative", step->alternative, "text", step->text,
                                               "records", step->records));
    }
    return steps;
}

static bool add_json(void *context, const struct book_conflict *conflict)
{
    struct showing *showing = context;
    struct book_advice told;
    struct advice advice;
    json_t *object = book_json_conflict(conflict);
    book_advice_make(&told, conflict, showing->providers);
    if (object == NULL || !advice_make(&told.of, showing->language, &advice)) {
        json_decref(object);
        showing->no_memory = true;
        return false;
    }
    json_object_set_new(object, "fault", json_string(advice.fault));
    json_object_set_new(object, "senders", json_string(advice.impact));
    json_object_set_new(object, "steps", steps_json(&advice));
    advice_free(&advice);
    showing->no_memory = json_array_append_new(showing->list, object) != 0;
    return !showing->no_memory;
}

static bool print_json(struct showing *showing)
{
    showing->list = json_array();
    const bool read = showing->list != NULL &&
                      book_show(showing->book, showing->domain, add_json, showing) &&
                      !showing->no_memory;
    json_t *object = read ? json_pack("{s:s, s:b, s:O}", "domain", showing->domain, "in_conflict",
                                      showing->kind_count > 0, "conflicts", showing->list)
                          : NULL;
    char *text = object != NULL ? json_dumps(object, JSON_INDENT(2) | JSON_ENSURE_ASCII) : NULL;
    if (text != NULL) {
        puts(text);
    }
    const bool good = text != NULL;
    free(text);
    json_decref(object);
    json_decref(showing->list);
    showing->no_memory = showing->no_memory || (read && !good);
    return good;
}

/* --- the whole -----------------------------------------------------------------------------------
 */

static bool sum(void *context, const struct book_conflict *conflict)
{
    struct showing *showing = context;
    size_t i = 0;
    if (conflict->ended != 0) {
        showing->ended++;
        return true;
    }
    while (i < showing->kind_count && strcmp(showing->kinds[i].kind, conflict->kind) != 0) {
        i++;
    }
    struct open_kind *kind = &showing->kinds[i];
    if (i == KINDS_MAX) {
        return true;
    }
    if (i == showing->kind_count) {
        showing->kind_count++;
        snprintf(kind->kind, sizeof(kind->kind), "%s", conflict->kind);
        kind->first_seen = conflict->first_seen;
    }
    if (kind->hosts == 0 || conflict->told > kind->told) {
        kind->id = conflict->id;
        kind->told = conflict->told;
    }
    kind->hosts++;
    kind->mx_queries += conflict->mx_queries;
    kind->first_seen =
        conflict->first_seen < kind->first_seen ? conflict->first_seen : kind->first_seen;
    kind->last_seen = conflict->last_seen > kind->last_seen ? conflict->last_seen : kind->last_seen;
    return true;
}

static bool print_text(struct showing *showing)
{
    if (showing->kind_count == 0) {
        printf("%s: %s\n", showing->domain,
               showing->ended > 0 ? "in no conflict now" : "nothing is known of it");
    }
    if (!book_show(showing->book, showing->domain, show_open, showing) || showing->no_memory) {
        return false;
    }
    showing->named = 0;
    return showing->letter ||
           (book_show(showing->book, showing->domain, show_ended, showing) && !showing->no_memory);
}

static enum cli_exit show(struct showing *showing, bool json)
{
    if (!book_show(showing->book, showing->domain, sum, showing) ||
        !(json ? print_json(showing) : print_text(showing))) {
        fprintf(stderr, "mxclash show: %s\n",
                showing->no_memory ? "no memory" : book_error(showing->book));
        return cli_trouble;
    }
    return showing->kind_count > 0 ? cli_bad : cli_good;
}

static bool language_of(const char *text, enum advice_language *language)
{
    if (strcmp(text, "en") == 0) {
        *language = advice_english;
    } else if (strcmp(text, "zh") == 0 || strcmp(text, "zh-CN") == 0) {
        *language = advice_chinese;
    } else {
        cli_bad_use("show", "--language takes en or zh");
        return false;
    }
    return true;
}

enum cli_exit cli_show(int argc, char **argv)
{
    struct option_values logs = {.count = 0};
    struct showing showing = {.language = advice_english};
    char domain[MXCLASH_NAME_TEXT_MAX];
    const char *operands[2], *language = NULL;
    bool json = false;
    const struct option options[] = {
        {.name = "--log", .values = &logs},
        {.name = "--language", .text = &language},
        {.name = "--letter", .flag = &showing.letter},
        {.name = "--json", .flag = &json},
        {.name = NULL},
    };
    struct cli_config loaded;
    if (!cli_options(argc, argv, options, 1, operands) ||
        (language != NULL && !language_of(language, &showing.language))) {
        return cli_trouble;
    }
    if (operands[0] == NULL || !book_domain(operands[0], domain)) {
        return cli_bad_use(argv[0], operands[0] == NULL ? "which DOMAIN?"
                                                        : "that is no domain name in ASCII");
    }
    if (!cli_load_config(NULL, &loaded)) {
        return cli_trouble;
    }
    const struct config *config = &loaded.config;
    struct providers *providers = config_to_providers(config);
    enum cli_exit status = cli_trouble;
    showing.book = cli_open_book(argv[0], &logs, config);
    if (showing.book != NULL) {
        showing.providers = providers;
        showing.domain = domain;
        showing.columns = terminal_columns(stdout);
        status = show(&showing, json);
    }
    book_close(showing.book);
    providers_free(providers);
    config_free(&loaded.config);
    return status;
}
