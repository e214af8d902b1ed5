/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The files that a rotation left beside a log.
 */
#ifndef MXCLASH_BOOK_SIBLINGS_H
#define MXCLASH_BOOK_SIBLINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/** Most files that are looked at beside one log: the newest. */
#define SIBLINGS_MAX 64

/** One such file, open. */
struct sibling {
    int file;
    struct stat seen;
    char *path;
};

/** Say whether a file's name is a log's with a number or date, and not that of a compressed one.
 */
bool sibling_name(const char *name, const char *log);

/**
 * Open the files beside a log.
 * \param[out] siblings  room for SIBLINGS_MAX; sorted, longest not written first
 * \return members; each is the caller's, see sibling_close()
 */
size_t siblings_open(const char *log, struct sibling siblings[SIBLINGS_MAX]);

/** Whether it was written last when that other file was, or later. */
bool sibling_is_as_late(const struct sibling *sibling, const struct stat *other);

/** Close it, if its file is not -1. */
void sibling_close(struct sibling *sibling);

#endif
