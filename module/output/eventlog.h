/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The JSON lines file: appended, one write a line, rotation noticed without a signal.
 *
 * The file may be a regular file or a character device (as /dev/stdout on a terminal, /dev/null).
 * Anything else, above all a FIFO, is refused: its reader could hold us up or vanish.
 * One thread at a time; no function blocks on a reader.
 */
#ifndef MXCLASH_OUTPUT_EVENTLOG_H
#define MXCLASH_OUTPUT_EVENTLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Seconds between two tries of a file that failed. */
#define REPORT_RETRY_S 5

/** Called with one line when the file fails and one when it is back. */
typedef void (*eventlog_say)(void *context, const char *line);

/** Every field is eventlog.c's own. */
struct eventlog {
    const char *path;
    eventlog_say say;
    void *context;
    /** -1 while the file is not open */
    int fd;
    /** what fd is, to notice that path has become another file */
    dev_t device;
    ino_t inode;
    /** the file ends inside a line: a line end must come first */
    bool half_line;
    /** the last try failed, and that was said */
    bool failed;
    /** monotonic seconds; no try before it while failed */
    int64_t retry_at_s;
    /** lines given up since failed */
    uint64_t lost;
};

/**
 * Prepare; nothing is opened yet.
 * \param path  absolute, not empty; borrowed until eventlog_close()
 */
void eventlog_init(struct eventlog *log, const char *path, eventlog_say say, void *context);

/**
 * Make sure that the file at path is the one that is open: opens it, reopens it after a rotation.
 * Costs one stat(); to be called before each batch of lines. Does nothing until
 * REPORT_RETRY_S have passed since a failure.
 *
 * \param now_s  monotonic clock, seconds
 */
void eventlog_check(struct eventlog *log, int64_t now_s);

/**
 * Append one line.
 *
 * \param line  without a line end
 * \param now_s  as in eventlog_check()
 * \return false if it could not be written whole; it is lost then
 */
bool eventlog_write(struct eventlog *log, const char *line, int64_t now_s);

/** Close the file, if it is open. */
void eventlog_close(struct eventlog *log);

#endif
