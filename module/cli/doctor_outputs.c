/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whether files and the log daemon take what the module writes: see doctor.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/doctor.h"

static void check_room(struct doctor_findings *findings, const char *check, const char *path,
                       const char *opened)
{
    struct statvfs room;
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(opened, '/') - opened + 1), opened);
    if (statvfs(folder, &room) == 0 && room.f_bavail == 0 && room.f_blocks != 0) {
        doctor_say(findings, doctor_bad, check, "make room", "the disk of %s is full", path);
    }
}

static void say_why_not(struct doctor_findings *findings, const struct doctor_host *host,
                        const char *check, const char *path, int why)
{
    char cure[128];
    snprintf(cure, sizeof(cure),
             why == ENOENT  ? "make its folder, writable by %s's user"
             : why == EROFS ? "let %s's unit write there, with ReadWritePaths= of its folder"
                            : "give the file, or its folder, to %s's user",
             doctor_name(host));
    doctor_say(findings, doctor_bad, check, cure, "user %u cannot write to %s: %s",
               (unsigned)host->uid, path, strerror(why));
}

/** A file that the server writes. \param tried  what it opens for that */
static void check_file(struct doctor_findings *findings, const struct doctor_host *host,
                       const char *check, const char *path, const char *tried)
{
    char opened[PATH_MAX];
    doctor_inside(host, path, opened);
    if (host->pid == 0) {
        doctor_say(findings, doctor_ok, check, NULL, "%s", path);
        return;
    }
    const int why = doctor_try(host, tried, true);
    if (why == DOCTOR_NO_ANSWER) {
        doctor_say(findings, doctor_warn, check, "say it as root",
                   "whether user %u can write to %s cannot be told", (unsigned)host->uid, path);
    } else if (why == EINVAL) {
        doctor_say(findings, doctor_bad, check, "give it a name of its own",
                   "%s is no regular file", path);
    } else if (why != 0) {
        say_why_not(findings, host, check, path, why);
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "user %u can write to %s", (unsigned)host->uid,
                   path);
    }
    check_room(findings, check, path, opened);
}

static void check_syslog(struct doctor_findings *findings, const struct doctor_host *host)
{
    struct sockaddr_un daemon = {.sun_family = AF_UNIX};
    char path[PATH_MAX];
    doctor_inside(host, "/dev/log", path);
    snprintf(daemon.sun_path, sizeof(daemon.sun_path), "%.*s", (int)sizeof(daemon.sun_path) - 1,
             path);
    const int tried = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connect(tried, (const struct sockaddr *)&daemon, sizeof(daemon)) == 0) {
        doctor_say(findings, doctor_ok, "log-syslog", NULL, "a log daemon listens at /dev/log");
    } else {
        doctor_say(findings, doctor_bad, "log-syslog",
                   host->root[0] != '\0' ? "have the log daemon listen inside the chroot, too"
                                         : "start the log daemon",
                   "nobody listens at /dev/log: %s", strerror(errno));
    }
    if (tried >= 0) {
        close(tried);
    }
}

void doctor_outputs(struct doctor_findings *findings, const struct doctor_host *host,
                    const struct config *config)
{
    if (config->log_file[0] != '\0') {
        check_file(findings, host, "log-file", config->log_file, config->log_file);
    } else if (!config->log_syslog) {
        doctor_say(findings, doctor_warn, "log-file", "set log-file",
                   "none: all that is kept of a conflict is a line in %s's own log",
                   doctor_name(host));
    }
    if (config->log_syslog) {
        check_syslog(findings, host);
    }
    if (config->state_file[0] != '\0') {
        char beside[PATH_MAX];
        snprintf(beside, sizeof(beside), "%s.new", config->state_file);
        check_file(findings, host, "state-file", config->state_file, beside);
    }
    doctor_http(findings, host, config);
}
