/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The files that a rotation left beside a log: see siblings.h. */
#include "book/siblings.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_with(const char *text, size_t len, const char *end)
{
    const size_t end_len = strlen(end);
    return len >= end_len && memcmp(text + len - end_len, end, end_len) == 0;
}

static bool is_compressed(const char *name)
{
    static const char *const ends[] = {".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends_with(name, strlen(name), ends[i])) {
            return true;
        }
    }
    return false;
}

/** `.1`, `-20261128`, `.2026-11-28` ... */
static bool is_number(const char *text, size_t len)
{
    return len >= 2 && (text[0] == '.' || text[0] == '-') && text[1] >= '0' && text[1] <= '9';
}

bool sibling_name(const char *name, const char *log)
{
    const size_t name_len = strlen(name), log_len = strlen(log);
    if (is_compressed(name)) {
        return false;
    }
    if (name_len > log_len && memcmp(name, log, log_len) == 0 &&
        is_number(name + log_len, name_len - log_len)) {
        return true;
    }
    /* the number may stand before the last dot */
    const char *end = strrchr(log, '.');
    const size_t stem = end == NULL ? 0 : (size_t)(end - log);
    return stem > 0 && name_len > log_len && memcmp(name, log, stem) == 0 &&
           ends_with(name, name_len, end) && is_number(name + stem, name_len - log_len);
}

void sibling_close(struct sibling *sibling)
{
    if (sibling->file != -1) {
        close(sibling->file);
    }
    free(sibling->path);
    sibling->file = -1;
    sibling->path = NULL;
}

static int compare_written(const struct stat *a, const struct stat *b)
{
    const struct timespec *one = &a->st_mtim;
    const struct timespec *two = &b->st_mtim;
    if (one->tv_sec != two->tv_sec) {
        return one->tv_sec < two->tv_sec ? -1 : 1;
    }
    return (one->tv_nsec > two->tv_nsec) - (one->tv_nsec < two->tv_nsec);
}

static int compare(const void *a, const void *b)
{
    return compare_written(&((const struct sibling *)a)->seen, &((const struct sibling *)b)->seen);
}

bool sibling_is_as_late(const struct sibling *sibling, const struct stat *other)
{
    return compare_written(&sibling->seen, other) >= 0;
}

/** \return false if it is none that can be read */
static bool open_one(const char *folder, const char *name, struct sibling *sibling)
{
    *sibling = (struct sibling){.file = -1};
    if (asprintf(&sibling->path, "%s%s", folder, name) == -1) {
        sibling->path = NULL;
        return false;
    }
    sibling->file = open(sibling->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (sibling->file == -1 || fstat(sibling->file, &sibling->seen) != 0 ||
        !S_ISREG(sibling->seen.st_mode)) {
        sibling_close(sibling);
        return false;
    }
    return true;
}

/** Take one in; where there is no room the oldest goes. */
static size_t insert(struct sibling siblings[SIBLINGS_MAX], size_t count,
                     const struct sibling *sibling)
{
    if (count < SIBLINGS_MAX) {
        siblings[count] = *sibling;
        return count + 1;
    }
    size_t oldest = 0;
    for (size_t i = 1; i < count; i++) {
        if (compare(&siblings[i], &siblings[oldest]) < 0) {
            oldest = i;
        }
    }
    struct sibling goes = *sibling;
    if (compare(&siblings[oldest], sibling) < 0) {
        goes = siblings[oldest];
        siblings[oldest] = *sibling;
    }
    sibling_close(&goes);
    return count;
}

size_t siblings_open(const char *log, struct sibling siblings[SIBLINGS_MAX])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(log, '/');
    const char *name = slash == NULL ? log : slash + 1;
    size_t count = 0;
    snprintf(folder, sizeof(folder), "%.*s", (int)(name - log), log);
    DIR *entries = opendir(folder[0] != '\0' ? folder : ".");
    if (entries == NULL) {
        return 0;
    }
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL) {
        struct sibling one;
        if (sibling_name(entry->d_name, name) && open_one(folder, entry->d_name, &one)) {
            count = insert(siblings, count, &one);
        }
    }
    closedir(entries);
    qsort(siblings, count, sizeof(*siblings), compare);
    return count;
}
