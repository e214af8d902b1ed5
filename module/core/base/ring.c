/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The queue of owners: see ring.h. */
#include "core/base/ring.h"

#include <stdlib.h>
#include <string.h>

bool ring_init(struct ring *ring, size_t capacity)
{
    memset(ring, 0, sizeof(*ring));
    ring->entries = calloc(capacity, sizeof(*ring->entries));
    ring->capacity = capacity;
    return ring->entries != NULL;
}

void ring_deinit(struct ring *ring)
{
    free(ring->entries);
    ring->entries = NULL;
}

bool ring_push(struct ring *ring, const struct ring_entry *entry)
{
    if (ring->count == ring->capacity)
        return false;
    ring->entries[(ring->first + ring->count) % ring->capacity] = *entry;
    ring->count++;
    return true;
}

const struct ring_entry *ring_first(const struct ring *ring)
{
    return ring->count != 0 ? &ring->entries[ring->first] : NULL;
}

void ring_pop(struct ring *ring)
{
    ring->first = (ring->first + 1) % ring->capacity;
    ring->count--;
}
