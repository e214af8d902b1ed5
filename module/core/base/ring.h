/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A bounded queue of owners, first in, first out. No lock: its user has one. */
#ifndef MXCLASH_CORE_BASE_RING_H
#define MXCLASH_CORE_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

struct ring_entry {
    uint64_t hash;
    mxclash_time since;
    uint8_t owner_len;
    uint8_t owner[MXCLASH_NAME_MAX];
};

struct ring {
    struct ring_entry *entries; /* capacity members */
    size_t capacity;
    size_t first;
    size_t count;
};

bool ring_init(struct ring *ring, size_t capacity);
void ring_deinit(struct ring *ring);

/** \return false if it is full */
bool ring_push(struct ring *ring, const struct ring_entry *entry);

/** \return the first, NULL if there is none; good until the next push or pop */
const struct ring_entry *ring_first(const struct ring *ring);

/** Drop the first; there must be one. */
void ring_pop(struct ring *ring);

#endif
