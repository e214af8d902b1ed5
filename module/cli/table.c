/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tables of text: see table.h. */
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Blanks between two columns. */
#define GAP 2
/** No column is made narrower than this. */
#define NARROW 12

struct cell {
    enum paint paint;
    char *text;
};

struct table {
    size_t width;
    const char *headers[TABLE_COLUMNS_MAX];
    size_t count;
    size_t room;
    struct cell *cells;
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

void table_add(struct table *table, enum paint paint, const char *text)
{
    if (table->count == table->room) {
        const size_t room = table->room != 0 ? table->room * 2 : 64;
        struct cell *more = realloc(table->cells, room * sizeof(*more));
        if (more == NULL) {
            table->lacks = true;
            return;
        }
        table->cells = more;
        table->room = room;
    }
    char *copy = strdup(text);
    table->lacks = table->lacks || copy == NULL;
    table->cells[table->count++] = (struct cell){paint, copy};
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

static void print_row(const struct cell *cells, const size_t *widths, size_t count, FILE *stream)
{
    const char *rest[TABLE_COLUMNS_MAX];
    bool more = true;
    for (size_t i = 0; i < count; i++) {
        rest[i] = cells[i].text != NULL ? cells[i].text : "";
    }
    while (more) {
        size_t owed = 0;
        more = false;
        for (size_t i = 0; i < count; i++) {
            const char *line = rest[i];
            const size_t len = line_of(line, widths[i], &rest[i]);
            if (len > 0) {
                fprintf(stream, "%*s%s%.*s%s", (int)owed, "", paint_begin(stream, cells[i].paint),
                        (int)len, line, paint_end(stream));
                owed = 0;
            }
            owed += widths[i] - len + GAP;
            more = more || *rest[i] != '\0';
        }
        fputc('\n', stream);
    }
}

bool table_print(const struct table *table, FILE *stream, size_t columns)
{
    const size_t width = table->width;
    size_t widths[TABLE_COLUMNS_MAX];
    struct cell head[TABLE_COLUMNS_MAX] = {0};
    struct cell rule[TABLE_COLUMNS_MAX] = {0};
    char *dashes;
    size_t widest = 0;
    for (size_t i = 0; i < width; i++) {
        widths[i] = strlen(table->headers[i]);
        for (size_t at = i; at < table->count; at += width) {
            const size_t needs = width_of(table->cells[at].text);
            widths[i] = needs > widths[i] ? needs : widths[i];
        }
    }
    if (columns != 0) {
        fit(widths, width, columns);
    }
    for (size_t i = 0; i < width; i++) {
        widest = widths[i] > widest ? widths[i] : widest;
    }
    dashes = malloc(widest * width + width);
    for (size_t i = 0; i < width; i++) {
        head[i] = (struct cell){paint_bold, (char *)(uintptr_t)table->headers[i]};
        rule[i] = (struct cell){paint_faint, NULL};
        if (dashes != NULL) {
            rule[i].text = dashes + i * (widest + 1);
            memset(rule[i].text, '-', widths[i]);
            rule[i].text[widths[i]] = '\0';
        }
    }
    print_row(head, widths, width, stream);
    print_row(rule, widths, width, stream);
    for (size_t at = 0; at + width <= table->count; at += width) {
        print_row(&table->cells[at], widths, width, stream);
    }
    free(dashes);
    return !table->lacks;
}

void table_free(struct table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i].text);
    }
    free(table->cells);
    free(table);
}
