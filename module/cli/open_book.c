/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Where a subcommand finds the book: see open_book.h. */
#include "cli/open_book.h"

#include <inttypes.h>
#include <stdio.h>

#include "book/memory.h"
#include "cli/terminal.h"

/** Logs that are being read. */
struct reading {
    const char *command;
    struct progress progress;
};

static void say_progress(void *context, uint64_t octets, uint64_t of)
{
    struct reading *reading = context;
    if (of > 0) {
        progress_say(&reading->progress, "reading the log: %" PRIu64 " %%", octets * 100 / of);
    } else {
        progress_say(&reading->progress, "reading the log: %" PRIu64 " MiB", octets >> 20);
    }
}

static void say_malformed(void *context, const char *path, uint64_t line, const char *fault)
{
    struct reading *reading = context;
    progress_end(&reading->progress);
    fprintf(stderr, "mxclash %s: %s:%" PRIu64 ": %s; the line is passed over\n", reading->command,
            path, line, fault);
}

static struct book *read_logs(const char *command, const struct option_values *logs)
{
    struct reading reading = {.command = command};
    const struct book_logs read = {
        .paths = logs->value,
        .count = logs->count,
        .progress = say_progress,
        .malformed = say_malformed,
        .context = &reading,
    };
    struct book_counters counters;
    char error[BOOK_ERROR_MAX];
    progress_begin(&reading.progress);
    struct book *book = book_from_logs(&read, &counters, error);
    progress_end(&reading.progress);
    if (book == NULL) {
        fprintf(stderr, "mxclash %s: %s\n", command, error);
    } else if (counters.lines_malformed > 0) {
        fprintf(stderr, "mxclash %s: %" PRIu64 " of %" PRIu64 " lines are no events\n", command,
                counters.lines_malformed, counters.lines);
    }
    return book;
}

struct book *cli_open_book(const char *command, const struct option_values *logs,
                           const struct config *config)
{
    char error[BOOK_ERROR_MAX];
    if (logs->count > 0) {
        return read_logs(command, logs);
    }
    if (config->database[0] == '\0') {
        fprintf(stderr,
                "mxclash %s: the configuration says database: \"\"; read a log with --log\n",
                command);
        return NULL;
    }
    struct book *book = book_open(config->database, error);
    if (book == NULL) {
        fprintf(stderr,
                "mxclash %s: %s\n(mxclash serve makes the book; a log is read with --log FILE)\n",
                command, error);
    }
    return book;
}
