/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Lines to the system's log daemon: see systemlog.h. */
#include "output/systemlog.h"

#include <errno.h>
#include <inttypes.h>
#include <paths.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/** Priority, time, name and process id, COOKIE. */
#define HEAD_MAX 128
/** Says that JSON follows. */
#define COOKIE "@cee: "

void systemlog_init(struct systemlog *log, const char *path,
                    void (*say)(void *context, const char *line), void *context)
{
    *log = (struct systemlog){
        .path = path != NULL ? path : _PATH_LOG, .say = say, .context = context, .fd = -1};
}

static bool open_socket(struct systemlog *log)
{
    const struct timeval wait = {.tv_usec = SYSTEMLOG_WAIT_MS * 1000L};
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(log->path) >= sizeof(address.sun_path))
        return false;
    memcpy(address.sun_path, log->path, strlen(log->path) + 1);
    log->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (log->fd == -1)
        return false;
    if (setsockopt(log->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
        connect(log->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return true;
    systemlog_close(log);
    return false;
}

void systemlog_close(struct systemlog *log)
{
    if (log->fd != -1)
        close(log->fd);
    log->fd = -1;
}

/** What stands before the text of a line (RFC 3164 4.1); strftime() would follow the locale. */
static size_t write_head(char head[HEAD_MAX])
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t now = time(NULL);
    struct tm local;
    int octets;

    localtime_r(&now, &local);
    octets =
        snprintf(head, HEAD_MAX, "<%d>%s %2d %02d:%02d:%02d %.48s[%ld]: " COOKIE,
                 LOG_DAEMON | LOG_NOTICE, months[local.tm_mon % 12], local.tm_mday, local.tm_hour,
                 local.tm_min, local.tm_sec, program_invocation_short_name, (long)getpid());
    return octets < HEAD_MAX ? (size_t)octets : HEAD_MAX - 1;
}

/** \return 0 or errno */
static int send_line(struct systemlog *log, const char *json)
{
    char head[HEAD_MAX];
    struct iovec parts[] = {
        {head, write_head(head)},
        /* sendmsg() only reads, yet its struct knows no const */
        {(char *)json, strlen(json)},
    };
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    /* who has waited in vain once does not wait again: the queue behind us is long */
    const int flags = MSG_NOSIGNAL | (log->failed ? MSG_DONTWAIT : 0);

    return sendmsg(log->fd, &message, flags) == -1 ? errno : 0;
}

static void note_failure(struct systemlog *log, int error)
{
    char line[256], buffer[128];

    log->lost++;
    if (log->failed)
        return;
    log->failed = true;
    log->lost = 1;
    snprintf(line, sizeof(line),
             "mxclash: log-syslog: %s; events are dropped and counted until it takes them",
             error == EAGAIN ? "the log daemon takes nothing"
                             : strerror_r(error, buffer, sizeof(buffer)));
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
    int error;

    if (!was_open && !open_socket(log)) {
        syslog(LOG_DAEMON | LOG_NOTICE, COOKIE "%s", json);
        return true;
    }
    error = send_line(log, json);
    /* the daemon was started anew, and listens on another socket */
    if (error != 0 && error != EAGAIN) {
        systemlog_close(log);
        if (was_open && open_socket(log))
            error = send_line(log, json);
    }
    if (error != 0) {
        note_failure(log, error);
        return false;
    }
    note_success(log);
    return true;
}
