/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * How far a log file was read, and how a file is known again.
 */
#ifndef MXCLASH_BOOK_PLACE_H
#define MXCLASH_BOOK_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/** Octets before the place that its fingerprint is made of, at most. */
#define PLACE_PRINT_MAX 1024

struct place {
    uint64_t device;
    uint64_t inode;
    /** the file's name when it was read last */
    char path[PATH_MAX];
    /** octets that were read: whole lines */
    uint64_t offset;
    /** lines that were read */
    uint64_t line;
    /** hash of so many octets before offset; 0 octets at the start of a file */
    uint32_t print_octets;
    uint64_t print;
    /** seconds since the epoch */
    int64_t read;
};

/** Take the fingerprint of place->offset. \return false if the file cannot be read so far */
bool place_take_print(struct place *place, int file);

/** Say whether the file has before place->offset what was read there. */
bool place_fits(const struct place *place, int file);

#endif
