/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What a terminal is told and how: its width, colours, progress of long work. */
#ifndef MXCLASH_CLI_TERMINAL_H
#define MXCLASH_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum paint { paint_none = 0, paint_bold, paint_good, paint_bad, paint_doubtful, paint_faint };

/** Columns of the terminal behind a stream, at least 40; 0 if it is none, and so has no end. The
 * variable COLUMNS is stronger. */
size_t terminal_columns(FILE *stream);

/** The octets that begin to paint, or "" if the stream is no terminal, NO_COLOR is set (to anything
 * but "") or TERM is dumb. */
const char *paint_begin(FILE *stream, enum paint paint);

/** The octets that end it. */
const char *paint_end(FILE *stream);

/**
 * Write a text so that its lines fit into that many columns (0 = there is no end), each behind so
 * many blanks.
 * \param used  columns of the first line that are taken, and need no blanks; 0 = none
 */
void print_wrapped(FILE *stream, const char *text, size_t columns, size_t indent, size_t used);

/**
 * Say on a terminal's stderr how far work has come, in one line that is written over; elsewhere
 * say nothing.
 */
struct progress {
    bool shown;
    bool on;
    long last_ms;
};

void progress_begin(struct progress *progress);

/** At most some times a second. */
void progress_say(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Take the line away. */
void progress_end(struct progress *progress);

#endif
