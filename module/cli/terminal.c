/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Width, colours and progress: see terminal.h. */
#include "cli/terminal.h"
#include "output/clock.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN  40
#define PROGRESS_MS  100
#define LINE_COLUMNS 79

size_t terminal_columns(FILE *stream)
{
    struct winsize size;
    const char *said = getenv("COLUMNS");
    if (said != NULL && said[0] != '\0') {
        const unsigned long columns = strtoul(said, NULL, 10);
        if (columns > 0) {
            return columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
        }
    }
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 0;
    }
    return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

static bool has_colours(FILE *stream)
{
    const char *refused = getenv("NO_COLOR");
    const char *kind = getenv("TERM");
    return isatty(fileno(stream)) && (refused == NULL || refused[0] == '\0') && kind != NULL &&
           strcmp(kind, "dumb") != 0;
}

const char *paint_begin(FILE *stream, enum paint paint)
{
    static const char *const codes[] = {
        [paint_none] = "",        [paint_bold] = "\033[1m",      [paint_good] = "\033[32m",
        [paint_bad] = "\033[31m", [paint_doubtful] = "\033[33m", [paint_faint] = "\033[2m",
    };
    return has_colours(stream) ? codes[paint] : "";
}

const char *paint_end(FILE *stream)
{
    return has_colours(stream) ? "\033[0m" : "";
}

void print_wrapped(FILE *stream, const char *text, size_t columns, size_t indent, size_t used)
{
    size_t blanks = used == 0 ? indent : 0;
    size_t taken = used == 0 ? indent : used;
    do {
        const size_t room = columns == 0 ? SIZE_MAX : columns > taken ? columns - taken : 1;
        size_t len = strcspn(text, "\n");
        if (len > room) {
            size_t cut = room;
            while (cut > 0 && text[cut] != ' ') {
                cut--;
            }
            /* a word that is longer than the line stands out of it */
            len = cut > 0 ? cut : strcspn(text, " \n");
        }
        fprintf(stream, "%*s%.*s\n", (int)blanks, "", (int)len, text);
        blanks = taken = indent;
        text += len;
        text += *text == ' ' || *text == '\n';
    } while (*text != '\0');
}

void progress_begin(struct progress *progress)
{
    *progress = (struct progress){.on = isatty(STDERR_FILENO) != 0, .last_ms = clock_steady_ms()};
}

void progress_say(struct progress *progress, const char *format, ...)
{
    char line[LINE_COLUMNS + 1];
    const long now = clock_steady_ms();
    va_list arguments;
    if (!progress->on || now - progress->last_ms < PROGRESS_MS) {
        return;
    }
    progress->last_ms = now;
    progress->shown = true;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

void progress_end(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
    }
}
