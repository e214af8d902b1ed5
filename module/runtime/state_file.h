/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The state file: the open cases, written down from time to time and at the end, read at the start,
 * so that a reload or a restart tells nothing anew and loses no count.
 *
 * It begins with a line that says what it is. Then come the cases as mxclash_export() gives them,
 * before each its length (4 octets, the most significant first); a length of 0 and the number of
 * cases (4 octets) end it.
 */
#ifndef MXCLASH_RUNTIME_STATE_FILE_H
#define MXCLASH_RUNTIME_STATE_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"

/** Between two writes, and between two tries of one that failed. */
#define STATE_FILE_INTERVAL_MS (300 * 1000)
#define STATE_FILE_RETRY_MS    (30 * 1000)

struct state_file {
    /** absolute; borrowed */
    const char *path;
    /** called with one line when a write fails and one when it works again */
    void (*say)(void *context, const char *line);
    void *context;
    /** the last write failed, and that was said. The writing thread's own */
    bool failed;
    /** any thread */
    _Atomic uint64_t written, failures;
};

/** Prepare; nothing is opened. */
void state_file_init(struct state_file *file, const char *path,
                     void (*say)(void *context, const char *line), void *context);

/**
 * Read the cases into an engine that has none. One that is ignored, or that another version wrote,
 * or for which the table has no room, is left out, and their number said once. A file that is not
 * whole gives what can be read of it and is set aside as `PATH.bad`, which is said once. No file is
 * no fault.
 */
void state_file_read(struct state_file *file, struct mxclash_engine *engine, mxclash_time now);

/**
 * Write all open cases, into a file beside it that then takes its place: whoever is interrupted
 * leaves the one of before. One thread at a time. Blocking: the disk, and as mxclash_export().
 * \return false if it failed, which is said once and counted
 */
bool state_file_write(struct state_file *file, struct mxclash_engine *engine);

#endif
