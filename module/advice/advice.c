/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What to tell people of a conflict: see advice.h. The sentences are in texts.h. */
#include "advice/advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice/texts.h"

/** Room for `KIND/MORE`; a longer key is found nowhere. */
#define KEY_MAX 128

const char *const advice_language_tags[ADVICE_LANGUAGES] = {"en", "zh-CN"};

static const struct texts *const languages[ADVICE_LANGUAGES] = {&texts_english, &texts_chinese};

/** Ways that are about the CNAME: the owner does one of them. */
static const char *const cname_ways[] = {
    "remove-cname",  "replace-cname-with-address", "move-cname", "separate-mail-domain",
    "flatten-cname",
};
/** Ways that are about the MX and the SPF record: all are done, in the order of the help pages. */
static const char *const record_ways[] = {
    "remove-foreign-mx",
    "complete-mx",
    "add-final-dot",
    "fix-spf",
};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static bool is(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

static bool about_cname(const struct advice_case *of)
{
    return is(of->kind, "cname-and-mx") || is(of->kind, "cname-at-apex");
}

/** \return NULL if the key is not there */
static const char *find(const struct text *texts, const char *key)
{
    for (; texts->key != NULL && texts->key[0] != '\0'; texts++) {
        if (strcmp(texts->key, key) == 0) {
            return texts->text;
        }
    }
    return NULL;
}

/** The text for all keys that a list does not have: its last one. */
static const char *find_other(const struct text *texts)
{
    while (texts->key[0] != '\0') {
        texts++;
    }
    return texts->text;
}

/** Find `key/more`, else key. \return NULL if neither is there */
static const char *find_more(const struct text *texts, const char *key, const char *more)
{
    char both[KEY_MAX];
    const char *found = NULL;
    if (more != NULL && snprintf(both, sizeof(both), "%s/%s", key, more) < (int)sizeof(both)) {
        found = find(texts, both);
    }
    return found != NULL ? found : find(texts, key);
}

static bool advised(const struct advice_case *of, const char *word)
{
    for (size_t i = 0; i < of->advice_count; i++) {
        if (strcmp(of->advice[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* --- what stands in the braces of a template -----------------------------------------------------
 */

/**
 * The host of the domain's records as DNS consoles write it.
 * \return octets of the domain that are the host; 0: the domain is the top of its zone
 */
static size_t host_octets(const struct advice_case *of)
{
    const size_t domain = strlen(of->domain);
    const size_t zone = of->zone == NULL ? 0 : strlen(of->zone);
    if (of->apex == 1 || is(of->zone, of->domain)) {
        return 0;
    }
    if (zone > 0 && zone + 1 < domain && of->domain[domain - zone - 1] == '.' &&
        strcmp(of->domain + domain - zone, of->zone) == 0) {
        return domain - zone - 1;
    }
    /* a name below a zone that is not known is written out */
    return of->apex == 0 ? domain : 0;
}

static void print_row(FILE *out, const struct advice_case *of, const struct texts *texts,
                      uint32_t wanted)
{
    const char *between = "";
    for (size_t i = 0; i < of->mx_count; i++) {
        if (i < 32 && (wanted >> i & 1) != 0) {
            fprintf(out, "%s%u %s", between, of->mx[i].preference, of->mx[i].exchange);
            between = texts->comma;
        }
    }
    if (between[0] == '\0') {
        fputs(texts->no_mx, out);
    }
}

static void print_host(FILE *out, const struct advice_case *of)
{
    const size_t octets = host_octets(of);
    fprintf(out, "%.*s", octets > 0 ? (int)octets : 1, octets > 0 ? of->domain : "@");
}

static void print_known(FILE *out, const char *text, const char *otherwise)
{
    fputs(text != NULL && text[0] != '\0' ? text : otherwise, out);
}

/** Write what stands for a name of a template. */
static void print_value(FILE *out, const struct advice_case *of, const struct texts *texts,
                        const char *name, size_t octets)
{
    const size_t host = host_octets(of);
#define NAMED(text) (octets == sizeof(text) - 1 && memcmp(name, text, octets) == 0)
    if (NAMED("domain")) {
        fputs(of->domain, out);
    } else if (NAMED("zone")) {
        print_known(out, of->zone, of->domain);
    } else if (NAMED("host")) {
        print_host(out, of);
    } else if (NAMED("www")) {
        fprintf(out, "www%s%.*s", host > 0 ? "." : "", (int)host, of->domain);
    } else if (NAMED("target")) {
        print_known(out, of->cname_target, texts->some_target);
    } else if (NAMED("mx")) {
        print_row(out, of, texts, UINT32_MAX);
    } else if (NAMED("foreign")) {
        print_row(out, of, texts, of->foreign);
    } else if (NAMED("provider")) {
        print_known(out, of->provider, texts->some_provider);
    } else if (NAMED("include")) {
        if (of->spf_include != NULL) {
            fprintf(out, "include:%s", of->spf_include);
        } else {
            fputs(texts->some_include, out);
        }
    } else if (NAMED("kind")) {
        fputs(of->kind, out);
    }
#undef NAMED
}

static void print_template(FILE *out, const struct advice_case *of, const struct texts *texts,
                           const char *template)
{
    for (;;) {
        const size_t plain = strcspn(template, "{");
        fwrite(template, 1, plain, out);
        template += plain;
        if (*template == '\0') {
            return;
        }
        const size_t name = strcspn(template, "}");
        print_value(out, of, texts, template + 1, name - 1);
        template += name + 1;
    }
}

/* --- texts ---------------------------------------------------------------------------------------
 */

/** A text that is being written. */
struct writing {
    FILE *out;
    char *text;
    size_t octets;
};

static bool begin(struct writing *writing)
{
    *writing = (struct writing){0};
    writing->out = open_memstream(&writing->text, &writing->octets);
    return writing->out != NULL;
}

/** \return the text, freed by the caller; NULL if there was no memory */
static char *end(struct writing *writing)
{
    const bool whole = ferror(writing->out) == 0;
    /* glibc says 0 and has no text if it finds no memory for it in the end */
    if (fclose(writing->out) != 0 || !whole) {
        free(writing->text);
        return NULL;
    }
    return writing->text;
}

static const char *fault_of(const struct advice_case *of, const struct texts *texts)
{
    const char *more = NULL;
    if (is(of->kind, "cname-at-apex") && of->mx_count > 0) {
        more = "mx";
    } else if (is(of->kind, "foreign-mx") && of->foreign != 0) {
        more = "sure";
    } else if (is(of->kind, "incomplete-mx") && advised(of, "add-final-dot")) {
        more = "add-final-dot";
    } else if (is(of->kind, "spf-missing")) {
        more = of->spf;
    }
    const char *found = find_more(texts->faults, of->kind, more);
    return found != NULL ? found : find_other(texts->faults);
}

static const char *impact_of(const struct advice_case *of, const struct texts *texts)
{
    const char *found = NULL;
    if (of->impact != NULL && about_cname(of)) {
        found = find(texts->impacts, of->impact);
    }
    if (found == NULL) {
        found = find_more(texts->impacts, of->kind,
                          advised(of, "add-final-dot") ? "add-final-dot" : NULL);
    }
    return found != NULL ? found : find_other(texts->impacts);
}

static char *write_fault(const struct advice_case *of, const struct texts *texts)
{
    struct writing writing;
    if (!begin(&writing)) {
        return NULL;
    }
    if (is(of->state, "suspected")) {
        fputs(texts->suspected, writing.out);
    }
    print_template(writing.out, of, texts, fault_of(of, texts));
    return end(&writing);
}

static char *write_impact(const struct advice_case *of, const struct texts *texts)
{
    struct writing writing;
    if (!begin(&writing)) {
        return NULL;
    }
    print_template(writing.out, of, texts, impact_of(of, texts));
    if (of->hides_spf == 1) {
        print_template(writing.out, of, texts, texts->hides_spf);
    }
    if (of->authorities_differ == 1) {
        print_template(writing.out, of, texts, texts->authorities_differ);
    }
    return end(&writing);
}

static char *write_template(const struct advice_case *of, const struct texts *texts,
                            const char *template)
{
    struct writing writing;
    if (!begin(&writing)) {
        return NULL;
    }
    print_template(writing.out, of, texts, template);
    return end(&writing);
}

/** The records for mail as they should be: the documented set, else the domain's own MX without
 * those that are foreign. */
static char *write_records(const struct advice_case *of)
{
    struct writing writing;
    if (!begin(&writing)) {
        return NULL;
    }
    const bool documented = of->expected_count > 0;
    const struct advice_mx *mx = documented ? of->expected : of->mx;
    const size_t count = documented ? of->expected_count : of->mx_count;
    for (size_t i = 0; i < count; i++) {
        if (documented || i >= 32 || (of->foreign >> i & 1) == 0) {
            print_host(writing.out, of);
            fprintf(writing.out, " MX %u %s\n", mx[i].preference, mx[i].exchange);
        }
    }
    if (of->spf_include != NULL) {
        print_host(writing.out, of);
        fprintf(writing.out, " TXT v=spf1 include:%s -all\n", of->spf_include);
    }
    return end(&writing);
}

/* --- steps ---------------------------------------------------------------------------------------
 */

/** \return false if there is no memory; records, if any, are the advice's from here on */
static bool add_step(struct advice *advice, const struct advice_case *of, const struct texts *texts,
                     const char *template, const char *word, bool alternative)
{
    char *text = write_template(of, texts, template);
    if (text == NULL) {
        return false;
    }
    advice->steps[advice->step_count++] =
        (struct advice_step){.alternative = alternative, .word = word, .text = text};
    return true;
}

static bool add_record_ways(struct advice *advice, const struct advice_case *of,
                            const struct texts *texts)
{
    for (size_t i = 0; i < LEN(record_ways); i++) {
        const char *word = record_ways[i];
        const char *more = NULL;
        if (!advised(of, word)) {
            continue;
        }
        if (is(word, "remove-foreign-mx") && of->foreign != 0) {
            more = "sure";
        } else if (is(word, "fix-spf")) {
            more = of->spf;
        }
        if (!add_step(advice, of, texts, find_more(texts->ways, word, more), word, false)) {
            return false;
        }
    }
    return true;
}

static bool add_cname_ways(struct advice *advice, const struct advice_case *of,
                           const struct texts *texts)
{
    size_t count = 0;
    for (size_t i = 0; i < LEN(cname_ways); i++) {
        count += advised(of, cname_ways[i]) ? 1 : 0;
    }
    if (count > 1 && !add_step(advice, of, texts, texts->choose, NULL, false)) {
        return false;
    }
    for (size_t i = 0; i < LEN(cname_ways); i++) {
        if (advised(of, cname_ways[i]) &&
            !add_step(advice, of, texts, find(texts->ways, cname_ways[i]), cname_ways[i],
                      count > 1)) {
            return false;
        }
    }
    return true;
}

static bool add_records(struct advice *advice, const struct advice_case *of,
                        const struct texts *texts)
{
    char *records = write_records(of);
    if (records == NULL) {
        return false;
    }
    if (records[0] == '\0') {
        free(records);
        return true;
    }
    if (!add_step(advice, of, texts, texts->records, NULL, false)) {
        free(records);
        return false;
    }
    advice->steps[advice->step_count - 1].records = records;
    return true;
}

bool advice_make(const struct advice_case *of, enum advice_language language, struct advice *advice)
{
    const struct texts *texts = languages[language];
    memset(advice, 0, sizeof(*advice));
    advice->fault = write_fault(of, texts);
    advice->impact = write_impact(of, texts);
    if (advice->fault != NULL && advice->impact != NULL &&
        add_step(advice, of, texts, texts->prepare, NULL, false) &&
        add_record_ways(advice, of, texts) && add_cname_ways(advice, of, texts) &&
        add_records(advice, of, texts) && add_step(advice, of, texts, texts->wait, NULL, false)) {
        return true;
    }
    advice_free(advice);
    return false;
}

void advice_free(struct advice *advice)
{
    free(advice->fault);
    free(advice->impact);
    for (size_t i = 0; i < advice->step_count; i++) {
        free(advice->steps[i].text);
        free(advice->steps[i].records);
    }
    memset(advice, 0, sizeof(*advice));
}

/* --- the letter ----------------------------------------------------------------------------------
 */

static void print_records(FILE *out, const char *records)
{
    while (*records != '\0') {
        const size_t line = strcspn(records, "\n");
        fprintf(out, "       %.*s\n", (int)line, records);
        records += line + 1;
    }
}

static void print_steps(FILE *out, const struct advice *advice)
{
    unsigned number = 0;
    char letter = 'a';
    for (size_t i = 0; i < advice->step_count; i++) {
        const struct advice_step *step = &advice->steps[i];
        if (step->alternative) {
            fprintf(out, "   %c) %s\n", letter++, step->text);
        } else {
            fprintf(out, "%u. %s\n", ++number, step->text);
            letter = 'a';
        }
        if (step->records != NULL) {
            print_records(out, step->records);
        }
    }
}

char *advice_letter(const struct advice_case *of, enum advice_language language)
{
    const struct texts *texts = languages[language];
    struct advice advice;
    struct writing writing;
    if (!advice_make(of, language, &advice)) {
        return NULL;
    }
    if (!begin(&writing)) {
        advice_free(&advice);
        return NULL;
    }
    print_template(writing.out, of, texts, texts->greeting);
    fprintf(writing.out, "%s\n%s\n\n", advice.fault, advice.impact);
    fputs(texts->before_steps, writing.out);
    print_steps(writing.out, &advice);
    advice_free(&advice);
    return end(&writing);
}
