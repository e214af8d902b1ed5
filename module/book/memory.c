/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A book in memory: see memory.h. */
#include "book/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/book_parts.h"
#include "book/lines.h"
#include "book/logline.h"
#include "book/writer.h"
#include "output/error_text.h"

/** Malformed lines that are told of. */
#define MALFORMED_TOLD 3
/** What ended longer ago is not let go: it stands in the log that was asked for. */
#define RETENTION_DAYS 36500

/** Logs that are being read. */
struct reading {
    const struct book_logs *logs;
    struct writer *writer;
    struct book_counters *counters;
    const char *path;
    uint64_t line;
    uint64_t of;
    int result;
    struct logline event;
};

static void malformed(struct reading *reading, const char *fault)
{
    const struct book_logs *logs = reading->logs;
    if (reading->counters->lines_malformed++ < MALFORMED_TOLD && logs->malformed != NULL) {
        logs->malformed(logs->context, reading->path, reading->line, fault);
    }
}

static bool take_line(void *context, const char *text, size_t len)
{
    struct reading *reading = context;
    struct logline *event = &reading->event;
    reading->line++;
    reading->counters->lines++;
    if (text == NULL) {
        malformed(reading, "longer than a line may be");
        return true;
    }
    logline_read(text, len, event);
    if (event->kind == logline_malformed) {
        malformed(reading, event->fault);
    } else if (event->kind == logline_unknown) {
        reading->counters->events_unknown++;
    } else {
        reading->counters->events++;
        reading->result = writer_apply(reading->writer, event);
    }
    logline_free(event);
    return reading->result == SQLITE_OK;
}

/** A last line without its end may be one that is just being written: it counts if it is whole. */
static void take_rest(struct reading *reading, const char *text, size_t len)
{
    logline_read(text, len, &reading->event);
    const bool whole = reading->event.kind != logline_malformed;
    logline_free(&reading->event);
    if (whole) {
        take_line(reading, text, len);
    }
}

/** \return 0 or an errno */
static int read_file(struct reading *reading, int file, char buffer[LINES_BUFFER])
{
    size_t used = 0;
    bool skipping = false;
    for (;;) {
        const ssize_t got = read(file, buffer + used, LINES_BUFFER - used);
        if (got < 0) {
            return errno;
        }
        if (got == 0 || reading->result != SQLITE_OK) {
            break;
        }
        used += (size_t)got;
        reading->counters->octets += (uint64_t)got;
        const size_t done = lines_cut(buffer, used, &skipping, take_line, reading);
        memmove(buffer, buffer + done, used - done);
        used -= done;
        if (reading->logs->progress != NULL) {
            reading->logs->progress(reading->logs->context, reading->counters->octets, reading->of);
        }
    }
    if (used > 0 && !skipping && reading->result == SQLITE_OK) {
        take_rest(reading, buffer, used);
    }
    return 0;
}

/** \return false with the error told */
static bool read_logs(struct reading *reading, char buffer[LINES_BUFFER],
                      char error[BOOK_ERROR_MAX])
{
    char reason[ERROR_TEXT_MAX];
    for (size_t i = 0; i < reading->logs->count; i++) {
        reading->path = reading->logs->paths[i];
        reading->line = 0;
        const int file = open(reading->path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
        const int failed = file == -1 ? errno : read_file(reading, file, buffer);
        if (file != -1) {
            close(file);
        }
        if (failed != 0) {
            snprintf(error, BOOK_ERROR_MAX, "%.256s: %s", reading->path,
                     error_text(failed, reason));
            return false;
        }
        if (reading->result != SQLITE_OK) {
            snprintf(error, BOOK_ERROR_MAX, "%s", writer_error(reading->writer));
            return false;
        }
    }
    return true;
}

/** Octets of all logs; 0 if one of them is no regular file. */
static uint64_t octets_of(const struct book_logs *logs)
{
    uint64_t octets = 0;
    for (size_t i = 0; i < logs->count; i++) {
        struct stat seen;
        if (stat(logs->paths[i], &seen) != 0 || !S_ISREG(seen.st_mode)) {
            return 0;
        }
        octets += (uint64_t)seen.st_size;
    }
    return octets;
}

struct book *book_from_logs(const struct book_logs *logs, struct book_counters *counters,
                            char error[BOOK_ERROR_MAX])
{
    struct book *book = calloc(1, sizeof(*book));
    struct reading *reading = calloc(1, sizeof(*reading));
    char *buffer = malloc(LINES_BUFFER);
    bool good = false;
    *counters = (struct book_counters){0};
    if (book == NULL || reading == NULL || buffer == NULL) {
        snprintf(error, BOOK_ERROR_MAX, "no memory");
    } else if (writer_open(":memory:", RETENTION_DAYS, &book->writer, error) == writer_good) {
        reading->logs = logs;
        reading->writer = book->writer;
        reading->counters = counters;
        reading->of = octets_of(logs);
        reading->result = writer_begin(book->writer, (int64_t)time(NULL) * 1000);
        good = read_logs(reading, buffer, error);
        if (good && writer_commit(book->writer) != SQLITE_OK) {
            snprintf(error, BOOK_ERROR_MAX, "%s", writer_error(book->writer));
            good = false;
        }
        book->database = writer_database(book->writer);
    }
    free(reading);
    free(buffer);
    if (!good) {
        book_close(book);
        return NULL;
    }
    return book;
}
