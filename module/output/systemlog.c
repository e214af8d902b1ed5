/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Lines to the system's log daemon: see systemlog.h. */
#include "output/systemlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "output/error_text.h"

/** Where libc would look for the daemon; not every libc says so. */
#ifndef _PATH_LOG
#define _PATH_LOG "/dev/log"
#endif
/** Priority, time, name and process id, COOKIE. */
#define HEAD_MAX 128
/** Says that JSON follows. */
#define COOKIE "@cee: "

void systemlog_init(struct systemlog *log, const char *path, const char *program,
                    void (*say)(void *context, const char *line), void *context)
{
    *log = (struct systemlog){.path = path != NULL ? path : _PATH_LOG,
                              .program = program,
                              .say = say,
                              .context = context,
                              .fd = -1};
}

/** Connect without waiting, and have sendmsg() wait SYSTEMLOG_WAIT_MS. \return 0 or errno */
static int open_type(struct systemlog *log, const struct sockaddr_un *address, int type)
{
    const struct timeval wait = {.tv_usec = SYSTEMLOG_WAIT_MS * 1000L};
    int error;

    log->stream = type == SOCK_STREAM;
    log->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (log->fd != -1 && setsockopt(log->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
        connect(log->fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
        fcntl(log->fd, F_SETFL, 0) == 0)
        return 0;
    error = errno;
    systemlog_close(log);
    return error;
}

/** \return 0 or errno */
static int open_socket(struct systemlog *log)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error;

    if (strlen(log->path) >= sizeof(address.sun_path))
        return ENAMETOOLONG;
    memcpy(address.sun_path, log->path, strlen(log->path) + 1);
    error = open_type(log, &address, SOCK_DGRAM);
    return error == EPROTOTYPE ? open_type(log, &address, SOCK_STREAM) : error;
}

void systemlog_close(struct systemlog *log)
{
    if (log->fd != -1)
        close(log->fd);
    log->fd = -1;
}

/** What stands before the text of a line (RFC 3164 4.1); strftime() would follow the locale. */
static size_t write_head(const struct systemlog *log, char head[HEAD_MAX])
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    struct tm local;
    int octets;

    localtime_r(&now, &local);
    octets = snprintf(head, HEAD_MAX, "<%d>%s %2d %02d:%02d:%02d %.48s[%ld]: " COOKIE,
                      LOG_DAEMON | LOG_NOTICE, months[local.tm_mon % 12], local.tm_mday,
                      local.tm_hour, local.tm_min, local.tm_sec, log->program, (long)getpid());
    return octets < HEAD_MAX ? (size_t)octets : HEAD_MAX - 1;
}

/** \return 0 or errno; EAGAIN if the daemon did not take it in time */
static int send_line(struct systemlog *log, const char *json)
{
    char head[HEAD_MAX], end[] = "";
    struct iovec parts[] = {
        {head, write_head(log, head)},
        /* sendmsg() only reads, yet its struct knows no const */
        {(char *)json, strlen(json)},
        /* in a stream a NUL ends the line */
        {end, log->stream ? 1 : 0},
    };
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    /* who has waited in vain once does not wait again: the queue behind us is long */
    const int flags = MSG_NOSIGNAL | (log->failed ? MSG_DONTWAIT : 0);
    const ssize_t sent = sendmsg(log->fd, &message, flags);

    if (sent == -1)
        return errno;
    if ((size_t)sent == parts[0].iov_len + parts[1].iov_len + parts[2].iov_len)
        return 0;
    /* a part of a line, in a stream: none may come behind it */
    systemlog_close(log);
    return EAGAIN;
}

static void note_failure(struct systemlog *log, int error)
{
    char line[256], buffer[ERROR_TEXT_MAX];

    log->lost++;
    if (log->failed)
        return;
    log->failed = true;
    log->lost = 1;
    snprintf(line, sizeof(line),
             "mxclash: log-syslog: %s; events are dropped and counted until it takes them",
             error == EAGAIN ? "the log daemon takes nothing" : error_text(error, buffer));
    log->say(log->context, line);
}

static void note_success(struct systemlog *log)
{
    char line[128];

    if (!log->failed)
        return;
    log->failed = false;
    snprintf(line, sizeof(line), "mxclash: log-syslog: is back, %" PRIu64 " events were dropped",
             log->lost);
    log->say(log->context, line);
}

bool systemlog_write(struct systemlog *log, const char *json)
{
    const bool was_open = log->fd != -1;
    int error = was_open ? 0 : open_socket(log);

    if (error == 0)
        error = send_line(log, json);
    /* the daemon was started anew, and listens on another socket */
    if (was_open && error != 0 && error != EAGAIN) {
        systemlog_close(log);
        error = open_socket(log);
        if (error == 0)
            error = send_line(log, json);
    }
    if (error != 0) {
        note_failure(log, error);
        return false;
    }
    note_success(log);
    return true;
}
