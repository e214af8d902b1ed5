/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tables of text: see table.h. */
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Blanks between two columns. */
#define GAP 2
/** No column is made narrower than this. */
#define NARROW 6

struct table {
    size_t width;
    const char *headers[TABLE_COLUMNS_MAX];
    size_t count;
    size_t room;
    /** of each cell; a text is NULL if there was no memory */
    enum paint *paints;
    char **texts;
    bool lacks;
};

struct table *table_new(const char *const *headers)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table != NULL) {
        while (table->width < TABLE_COLUMNS_MAX && headers[table->width] != NULL) {
            table->headers[table->width] = headers[table->width];
            table->width++;
        }
    }
    return table;
}

/** \return false if there is no memory */
static bool make_room(struct table *table)
{
    const size_t room = table->room != 0 ? table->room * 2 : 64;
    enum paint *paints = realloc(table->paints, room * sizeof(*paints));
    if (paints == NULL) {
        return false;
    }
    table->paints = paints;
    char **texts = realloc(table->texts, room * sizeof(*texts));
    if (texts == NULL) {
        return false;
    }
    table->texts = texts;
    table->room = room;
    return true;
}

void table_add(struct table *table, enum paint paint, const char *text)
{
    if (table->count == table->room && !make_room(table)) {
        table->lacks = true;
        return;
    }
    char *copy = strdup(text);
    table->lacks = table->lacks || copy == NULL;
    table->paints[table->count] = paint;
    table->texts[table->count++] = copy;
}

/** Octets of the longest line. */
static size_t width_of(const char *text)
{
    size_t widest = 0;
    while (text != NULL && *text != '\0') {
        const size_t len = strcspn(text, "\n");
        widest = len > widest ? len : widest;
        text += len + (text[len] == '\n');
    }
    return widest;
}

/** Make the widest column narrower, again and again, until all fit. */
static void fit(size_t *widths, size_t count, size_t columns)
{
    for (;;) {
        size_t sum = (count - 1) * GAP;
        size_t widest = 0;
        for (size_t i = 0; i < count; i++) {
            sum += widths[i];
            widest = widths[i] > widths[widest] ? i : widest;
        }
        if (sum <= columns || widths[widest] <= NARROW) {
            return;
        }
        widths[widest]--;
    }
}

/** The first line of a cell's rest. \param[out] next  what is left \return octets of it */
static size_t line_of(const char *text, size_t width, const char **next)
{
    size_t len = strcspn(text, "\n");
    size_t skip = text[len] == '\n';
    if (len > width) {
        size_t cut = width;
        while (cut > 0 && text[cut] != ' ') {
            cut--;
        }
        len = cut > 0 ? cut : width;
        skip = cut > 0;
    }
    *next = text + len + skip;
    return len;
}

/** \param paints  NULL: paint for all */
static void print_row(const char *const *texts, const enum paint *paints, enum paint paint,
                      const size_t *widths, size_t count, FILE *stream)
{
    const char *rest[TABLE_COLUMNS_MAX];
    bool more = true;
    for (size_t i = 0; i < count; i++) {
        rest[i] = texts[i] != NULL ? texts[i] : "";
    }
    while (more) {
        size_t owed = 0;
        more = false;
        for (size_t i = 0; i < count; i++) {
            const char *line = rest[i];
            const size_t len = line_of(line, widths[i], &rest[i]);
            if (len > 0) {
                fprintf(stream, "%*s%s%.*s%s", (int)owed, "",
                        paint_begin(stream, paints != NULL ? paints[i] : paint), (int)len, line,
                        paint_end(stream));
                owed = 0;
            }
            owed += widths[i] - len + GAP;
            more = more || *rest[i] != '\0';
        }
        fputc('\n', stream);
    }
}

/** Dashes below the headers. */
static void print_rule(const size_t *widths, size_t count, FILE *stream)
{
    fputs(paint_begin(stream, paint_faint), stream);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "%*s", i > 0 ? GAP : 0, "");
        for (size_t at = 0; at < widths[i]; at++) {
            fputc('-', stream);
        }
    }
    fprintf(stream, "%s\n", paint_end(stream));
}

bool table_print(const struct table *table, FILE *stream, size_t columns)
{
    const size_t width = table->width;
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < width; i++) {
        widths[i] = strlen(table->headers[i]);
        for (size_t at = i; at < table->count; at += width) {
            const size_t needs = width_of(table->texts[at]);
            widths[i] = needs > widths[i] ? needs : widths[i];
        }
    }
    if (columns != 0) {
        fit(widths, width, columns);
    }
    print_row(table->headers, NULL, paint_bold, widths, width, stream);
    print_rule(widths, width, stream);
    for (size_t at = 0; at + width <= table->count; at += width) {
        print_row((const char *const *)table->texts + at, table->paints + at, paint_none, widths,
                  width, stream);
    }
    return !table->lacks;
}

void table_free(struct table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        free(table->texts[i]);
    }
    free(table->texts);
    free(table->paints);
    free(table);
}
