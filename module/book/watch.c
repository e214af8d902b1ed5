/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Waiting for the log files: see watch.h. */
#include "book/watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "book/siblings.h"
#include "output/clock.h"

/** Most folders that are watched; in more, a look now and then must do. */
#define FOLDERS_MAX 256
#define EVENTS                                                                                     \
    (IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |                 \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct watch {
    const char *const *patterns;
    size_t count;
    /** -1: none to be had */
    int inotify;
    int folders[FOLDERS_MAX];
    size_t folder_count;
};

struct watch *watch_new(const char *const *patterns, size_t count)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (watch != NULL) {
        watch->patterns = patterns;
        watch->count = count;
        watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    }
    return watch;
}

void watch_free(struct watch *watch)
{
    if (watch != NULL && watch->inotify != -1) {
        close(watch->inotify);
    }
    free(watch);
}

/** The part of a pattern that names the file. */
static const char *file_part(const char *pattern)
{
    const char *slash = strrchr(pattern, '/');
    return slash == NULL ? pattern : slash + 1;
}

static bool has(const int *folders, size_t count, int folder)
{
    for (size_t i = 0; i < count; i++) {
        if (folders[i] == folder) {
            return true;
        }
    }
    return false;
}

static void add(struct watch *watch, const char *folder)
{
    if (watch->folder_count == FOLDERS_MAX) {
        return;
    }
    const int added = inotify_add_watch(watch->inotify, folder, EVENTS);
    if (added != -1 && !has(watch->folders, watch->folder_count, added)) {
        watch->folders[watch->folder_count++] = added;
    }
}

static void add_folders(struct watch *watch, const char *pattern)
{
    char folder[PATH_MAX];
    glob_t found;
    snprintf(folder, sizeof(folder), "%.*s", (int)(file_part(pattern) - pattern), pattern);
    if (folder[0] == '\0') {
        add(watch, ".");
        return;
    }
    if (glob(folder, GLOB_NOSORT, NULL, &found) != 0) {
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        add(watch, found.gl_pathv[i]);
    }
    globfree(&found);
}

void watch_renew(struct watch *watch)
{
    int before[FOLDERS_MAX];
    const size_t before_count = watch->folder_count;
    if (watch->inotify == -1) {
        return;
    }
    memcpy(before, watch->folders, before_count * sizeof(before[0]));
    watch->folder_count = 0;
    for (size_t i = 0; i < watch->count; i++) {
        add_folders(watch, watch->patterns[i]);
    }
    /* of a folder that was renamed the watch would stay */
    for (size_t i = 0; i < before_count; i++) {
        if (!has(watch->folders, watch->folder_count, before[i])) {
            inotify_rm_watch(watch->inotify, before[i]);
        }
    }
}

/** Whether an event is about a log, or about a folder itself. */
static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
    if (event->len == 0 || (event->mask & IN_Q_OVERFLOW) != 0) {
        return (event->mask & IN_IGNORED) == 0;
    }
    for (size_t i = 0; i < watch->count; i++) {
        const char *name = file_part(watch->patterns[i]);
        if (fnmatch(name, event->name, 0) == 0 || sibling_name(event->name, name)) {
            return true;
        }
    }
    return false;
}

/** Read what happened. \return true if it concerns a log */
static bool drain(struct watch *watch)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool concerned = false;
    ssize_t got;
    while ((got = read(watch->inotify, events, sizeof(events))) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(events + at);
            concerned = concerned || concerns(watch, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return concerned;
}

void watch_wait(struct watch *watch, int timeout_ms, int wake)
{
    const int64_t end = clock_steady_ms() + timeout_ms;
    /* poll() passes over a descriptor that is -1 */
    struct pollfd polled[] = {{.fd = watch->inotify, .events = POLLIN},
                              {.fd = wake, .events = POLLIN}};
    for (;;) {
        const int64_t left = end - clock_steady_ms();
        if (left <= 0 || (poll(polled, 2, (int)left) == -1 && errno != EINTR)) {
            return;
        }
        if ((polled[1].revents & POLLIN) != 0 || drain(watch)) {
            return;
        }
        polled[0].revents = polled[1].revents = 0;
    }
}
