/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Lines that were read of logs and are not in the book yet, with the places behind them.
 */
#ifndef MXCLASH_BOOK_BATCH_H
#define MXCLASH_BOOK_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "book/place.h"

/** Bounds of a batch: a transaction is over in well under a second. */
#define BATCH_OCTETS (1u << 20)
#define BATCH_LINES  4096
#define BATCH_PLACES 64

struct batch_line {
    /** where it begins in text */
    size_t at;
    size_t len;
    /** longer than LOGLINE_MAX, so it is not in text */
    bool too_long;
    /** its number in its file, from 1 */
    uint64_t number;
    /** index in places: of which file */
    size_t place;
};

struct batch {
    char *text;
    size_t used;
    struct batch_line *lines;
    size_t line_count;
    /** how far each file is read once these lines are in the book */
    struct place *places;
    size_t place_count;
    /** octets that were read for it */
    uint64_t octets;
};

/** \return false if there is no memory */
bool batch_init(struct batch *batch);

void batch_free(struct batch *batch);

static inline void batch_clear(struct batch *batch)
{
    batch->used = batch->line_count = batch->place_count = 0;
    batch->octets = 0;
}

static inline bool batch_is_empty(const struct batch *batch)
{
    return batch->place_count == 0;
}

/** Whether another line, of whatever length, has room. */
bool batch_has_room(const struct batch *batch);

/** Add a line of the place that was added last; only if batch_has_room().
 * \param text  NULL: too long */
void batch_add(struct batch *batch, const char *text, size_t len, uint64_t number);

#endif
