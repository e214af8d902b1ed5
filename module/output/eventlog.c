/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The JSON lines file: see eventlog.h. */
#include "output/eventlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "output/error_text.h"

/** Room for a path and what is said about it. */
#define SAY_MAX (PATH_MAX + 160)

void eventlog_init(struct eventlog *log, const char *path, eventlog_say say, void *context)
{
    *log = (struct eventlog){.path = path, .say = say, .context = context, .fd = -1};
}

/** Note a failure; only the first one of a row is said. */
static void failed(struct eventlog *log, const char *reason, int64_t now_s)
{
    char text[SAY_MAX];

    log->retry_at_s = now_s + REPORT_RETRY_S;
    if (log->failed)
        return;
    log->failed = true;
    log->lost = 0;
    snprintf(text, sizeof(text),
             "mxclash: log-file %s: %s; events are dropped and counted until it is back", log->path,
             reason);
    log->say(log->context, text);
}

static void back(struct eventlog *log)
{
    char text[SAY_MAX];

    if (!log->failed)
        return;
    log->failed = false;
    snprintf(text, sizeof(text), "mxclash: log-file %s: is back, %" PRIu64 " events were dropped",
             log->path, log->lost);
    log->say(log->context, text);
}

/** Whether the file ends inside a line, as after a full disk and a restart. A file that must not
 * be read is believed to be whole. */
static bool ends_inside_line(const char *path, const struct stat *opened)
{
    struct stat seen;
    char last = '\n';
    int fd;

    if (!S_ISREG(opened->st_mode) || opened->st_size == 0)
        return false;
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd == -1)
        return false;
    if (fstat(fd, &seen) == 0 && seen.st_ino == opened->st_ino && seen.st_dev == opened->st_dev &&
        seen.st_size > 0 && pread(fd, &last, 1, seen.st_size - 1) != 1)
        last = '\n';
    close(fd);
    return last != '\n';
}

/** \return false with the reason said */
static bool open_file(struct eventlog *log, int64_t now_s)
{
    char buffer[ERROR_TEXT_MAX];
    struct stat opened;
    /* O_NONBLOCK: opening a FIFO must not wait for its reader, nor writing to a terminal for XON */
    int fd =
        open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

    if (fd == -1 || fstat(fd, &opened) == -1) {
        failed(log, error_text(errno, buffer), now_s);
        if (fd != -1)
            close(fd);
        return false;
    }
    if (!S_ISREG(opened.st_mode) && !S_ISCHR(opened.st_mode)) {
        failed(log, "is neither a regular file nor a character device", now_s);
        close(fd);
        return false;
    }
    log->fd = fd;
    log->device = opened.st_dev;
    log->inode = opened.st_ino;
    log->half_line = ends_inside_line(log->path, &opened);
    return true;
}

void eventlog_close(struct eventlog *log)
{
    if (log->fd != -1)
        close(log->fd);
    log->fd = -1;
}

void eventlog_check(struct eventlog *log, int64_t now_s)
{
    struct stat seen;

    if (log->failed && now_s < log->retry_at_s)
        return;
    if (log->fd != -1) {
        if (stat(log->path, &seen) == 0 && seen.st_dev == log->device &&
            seen.st_ino == log->inode) {
            /* emptied: the half line is gone too */
            if (seen.st_size == 0)
                log->half_line = false;
            return;
        }
        eventlog_close(log);
    }
    if (open_file(log, now_s))
        back(log);
}

/** Write parts from the first octet to the last. \return octets written; errno says why not all */
static size_t write_parts(int fd, struct iovec *parts, int count)
{
    size_t total = 0;

    while (count > 0) {
        ssize_t written = writev(fd, parts, count);

        if (written <= 0)
            return total;
        total += (size_t)written;
        for (; count > 0 && (size_t)written >= parts->iov_len; parts++, count--)
            written -= (ssize_t)parts->iov_len;
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + written;
            parts->iov_len -= (size_t)written;
        }
    }
    return total;
}

/**
 * A full disk had room for a part of a line: take it back, so that the file holds whole lines only.
 * Not if another process wrote behind it meanwhile; and a file may be one that can only grow.
 */
static bool take_back(int fd, size_t part)
{
    const off_t end = lseek(fd, 0, SEEK_CUR);
    struct stat seen;

    return end >= (off_t)part && fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode) &&
           seen.st_size == end && ftruncate(fd, end - (off_t)part) == 0;
}

bool eventlog_write(struct eventlog *log, const char *line, int64_t now_s)
{
    const size_t line_octets = strlen(line);
    const size_t before = log->half_line ? 1 : 0;
    char line_end[] = "\n";
    char buffer[ERROR_TEXT_MAX];
    /* writev() only reads, yet its struct knows no const */
    struct iovec parts[] = {
        {line_end, before},
        {(char *)line, line_octets},
        {line_end, 1},
    };
    size_t written;
    int error;

    if (log->fd == -1 || (log->failed && now_s < log->retry_at_s)) {
        log->lost++;
        return false;
    }
    /* With O_APPEND and one call the lines of several processes never mix. Only where the disk is
     * full are there two: the first falls short, the second says why. */
    written = write_parts(log->fd, parts, 3);
    if (written == before + line_octets + 1) {
        log->half_line = false;
        back(log);
        return true;
    }
    error = errno;
    /* a lone line end before the line leaves the file whole */
    if (written > 0 && !take_back(log->fd, written))
        log->half_line = written != before;
    failed(log, error_text(error, buffer), now_s);
    log->lost++;
    return false;
}
