/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Waiting for something to happen to the log files: inotify on their folders. It only wakes: what
 * happened is looked at, and without inotify, as on a network's file system, a look now and then
 * must do.
 */
#ifndef MXCLASH_BOOK_WATCH_H
#define MXCLASH_BOOK_WATCH_H

#include <stddef.h>

struct watch;

/** \param patterns  as follower_new(); borrowed. \return NULL if there is no memory */
struct watch *watch_new(const char *const *patterns, size_t count);

void watch_free(struct watch *watch);

/** Watch the folders that are there now. */
void watch_renew(struct watch *watch);

/** Wait until a file of a pattern, or a rotated one of it, changed; or a folder came. */
void watch_wait(struct watch *watch, int timeout_ms, int wake);

#endif
