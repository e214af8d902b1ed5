/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the user may that the server runs as: see doctor.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"

/** A user of Unbound's is in few groups besides. */
#define GROUPS_MAX 64

/** Become the server's user, with all its groups, where the server is: in its chroot, and among its
 * mounts, of which a unit of systemd may have made some read-only. \return 0, or errno */
static int become_server(const struct doctor_host *host)
{
    char root[64];
    snprintf(root, sizeof(root), "/proc/%d/root", (int)host->pid);
    /* who is not root looks from outside, if that is the same but for mounts */
    if ((chroot(root) != 0 || chdir("/") != 0) && host->root[0] != '\0') {
        return errno;
    }
    if (host->uid == geteuid()) {
        return 0;
    }
    const struct passwd *user = getpwuid(host->uid);
    gid_t groups[GROUPS_MAX] = {host->gid};
    int count = GROUPS_MAX;
    if (user == NULL || getgrouplist(user->pw_name, host->gid, groups, &count) < 0) {
        count = 1;
    }
    if (setgroups((size_t)count, groups) != 0 || setresgid(host->gid, host->gid, host->gid) != 0 ||
        setresuid(host->uid, host->uid, host->uid) != 0) {
        return errno;
    }
    return 0;
}

/** May we append to the file, or make it? \return errno, 0 if we may */
static int try_append(const char *path)
{
    struct stat status;
    char folder[PATH_MAX];
    if (stat(path, &status) == 0) {
        if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
            return EINVAL;
        }
        return access(path, W_OK) == 0 ? 0 : errno;
    }
    if (errno != ENOENT) {
        return errno;
    }
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path + 1), path);
    return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

int doctor_try(const struct doctor_host *host, const char *path, bool append)
{
    const pid_t child = fork();
    if (child == 0) {
        if (become_server(host) != 0) {
            _exit(DOCTOR_NO_ANSWER);
        }
        _exit(append ? try_append(path) : access(path, R_OK) == 0 ? 0 : errno);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return DOCTOR_NO_ANSWER;
    }
    return WEXITSTATUS(status);
}
