/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Lines to the system's log daemon, without ever waiting long for it.
 *
 * libc's syslog() waits as long as the daemon does not read: then its caller could not be stopped,
 * and with it the host. Nor does it tell what it lost. So we have a socket of our own: datagrams,
 * or a stream where the daemon wants one. In a chroot it is looked for inside.
 * One thread at a time.
 */
#ifndef MXCLASH_OUTPUT_SYSTEMLOG_H
#define MXCLASH_OUTPUT_SYSTEMLOG_H

#include <stdbool.h>
#include <stdint.h>

/** Longest that the first line waits which the daemon does not take; those behind it do not. */
#define SYSTEMLOG_WAIT_MS 200

/** Every field is systemlog.c's own. */
struct systemlog {
    const char *path;
    const char *program;
    /** called with one line when the daemon takes nothing and one when it does again */
    void (*say)(void *context, const char *line);
    void *context;
    /** -1 while it is not open */
    int fd;
    /** fd is a stream, where lines need an end */
    bool stream;
    bool failed;
    /** lines given up since failed */
    uint64_t lost;
};

/**
 * Prepare; nothing is opened yet. Both texts are borrowed until systemlog_close().
 * \param path  of the daemon's socket; NULL: where libc has it
 * \param program  whose lines they are, as the daemon is told
 */
void systemlog_init(struct systemlog *log, const char *path, const char *program,
                    void (*say)(void *context, const char *line), void *context);

/**
 * Write one JSON object behind `@cee: `, as LOG_DAEMON and LOG_NOTICE.
 * \return false if there is no daemon or it did not take the line in time; it is lost then
 */
bool systemlog_write(struct systemlog *log, const char *json);

/** Close the socket, if it is open. */
void systemlog_close(struct systemlog *log);

#endif
