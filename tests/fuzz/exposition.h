/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A strict reader of metrics as text: Prometheus 0.0.4 and OpenMetrics 1.0.0, as far as we write
 * them. It ends the run at the first line that a scraper would not take.
 */
#ifndef TESTS_FUZZ_EXPOSITION_H
#define TESTS_FUZZ_EXPOSITION_H

#include "fuzz.h"

#define EXPOSITION_SERIES_MAX 256

struct exposition {
    bool openmetrics;
    /** of the present family, as HELP has it */
    const char *family;
    size_t family_len;
    bool counter;
    /** what stands before the value, of each sample */
    const char *series[EXPOSITION_SERIES_MAX];
    size_t series_len[EXPOSITION_SERIES_MAX];
    size_t count;
};

/** \return octets of the metric or label name at text (no colons: we use none) */
static inline size_t exposition_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    MUST(len > 0 && (text[0] < '0' || text[0] > '9'));
    return len;
}

/** Read `{name="value",...}`. \return what follows */
static inline const char *exposition_labels(const char *text)
{
    do {
        text++;
        text += exposition_name(text);
        MUST(text[0] == '=' && text[1] == '"');
        for (text += 2; *text != '"'; text++) {
            MUST(*text != '\0' && *text != '\n');
            if (*text == '\\') {
                text++;
                MUST(*text == '\\' || *text == '"' || *text == 'n');
            }
        }
        text++;
    } while (*text == ',');
    MUST(*text == '}');
    return text + 1;
}

/** Does the sample's name belong to the present family? */
static inline void exposition_owner(const struct exposition *page, const char *name, size_t len)
{
    bool suffixed = page->counter && page->openmetrics;

    MUST(page->family != NULL && len == page->family_len + (suffixed ? strlen("_total") : 0));
    MUST(memcmp(name, page->family, page->family_len) == 0);
    MUST(!suffixed || memcmp(name + page->family_len, "_total", strlen("_total")) == 0);
}

/** \return what follows the line */
static inline const char *exposition_sample(struct exposition *page, const char *line)
{
    size_t name_len = exposition_name(line);
    const char *at = line + name_len;
    size_t digits;

    exposition_owner(page, line, name_len);
    if (*at == '{')
        at = exposition_labels(at);
    MUST(page->count < EXPOSITION_SERIES_MAX);
    page->series[page->count] = line;
    page->series_len[page->count] = (size_t)(at - line);
    for (size_t i = 0; i < page->count; i++)
        MUST(page->series_len[i] != page->series_len[page->count] ||
             memcmp(page->series[i], line, page->series_len[i]) != 0);
    page->count++;
    MUST(*at++ == ' ');
    digits = strspn(at, "0123456789");
    MUST(digits > 0);
    at += digits;
    if (*at == '.') {
        digits = strspn(++at, "0123456789");
        MUST(digits > 0);
        at += digits;
    }
    MUST(*at == '\n');
    return at + 1;
}

/** HELP and TYPE of a family stand together, above its samples. \return what follows them */
static inline const char *exposition_head(struct exposition *page, const char *line)
{
    static const char help[] = "# HELP ", type[] = "# TYPE ";
    const char *at;

    MUST(strncmp(line, help, strlen(help)) == 0);
    page->family = line + strlen(help);
    page->family_len = exposition_name(page->family);
    at = page->family + page->family_len;
    MUST(at[0] == ' ' && at[1] != '\n');
    MUST((at = strchr(at, '\n')) != NULL);
    at++;
    MUST(strncmp(at, type, strlen(type)) == 0);
    at += strlen(type);
    MUST(strncmp(at, page->family, page->family_len) == 0 && at[page->family_len] == ' ');
    at += page->family_len + 1;
    page->counter = strncmp(at, "counter\n", strlen("counter\n")) == 0;
    MUST(page->counter || strncmp(at, "gauge\n", strlen("gauge\n")) == 0);
    return strchr(at, '\n') + 1;
}

/** Read a whole text. \return samples in it */
static inline size_t exposition_check(const char *text, bool openmetrics)
{
    static struct exposition page;
    const char *at = text;

    page.openmetrics = openmetrics;
    page.family = NULL;
    page.count = 0;
    while (*at != '\0' && strcmp(at, "# EOF\n") != 0)
        at = *at == '#' ? exposition_head(&page, at) : exposition_sample(&page, at);
    MUST((*at != '\0') == openmetrics);
    return page.count;
}

#endif
