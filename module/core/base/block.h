/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What an allocation really takes, so that a bound on memory is one; and large ones. */
#ifndef MXCLASH_CORE_BASE_BLOCK_H
#define MXCLASH_CORE_BASE_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/** Most that a large block takes beside its octets: a head, room to align it, a part of a page. */
#define BLOCK_EXCESS_MAX (112 + 4095)

/**
 * Octets that malloc() takes from the system for a block of so many, 0 for none. As glibc does on
 * 64 bits: 8 octets before the block, multiples of 16, at least 32; large blocks are whole pages,
 * with room to align them. Other allocators waste about as much.
 */
static inline size_t block_octets(size_t octets)
{
    if (octets == 0)
        return 0;
    if (octets >= 131072)
        return (octets + BLOCK_EXCESS_MAX) / 4096 * 4096;
    return octets <= 24 ? 32 : (octets + 8 + 15) / 16 * 16;
}

/** A cache line. */
#define BLOCK_ALIGNMENT 64

/**
 * Allocate zeroed memory that begins with a cache line. By calloc(), which does not clear what it
 * has fresh from the system: a large table is there at once, and the system clears each page when
 * it is first used.
 *
 * \param[out] base  what to free(), NULL if there is no memory
 */
static inline void *block_zeroed(size_t octets, void **base)
{
    *base = octets <= SIZE_MAX - BLOCK_ALIGNMENT ? calloc(1, octets + BLOCK_ALIGNMENT - 1) : NULL;
    return *base == NULL ? NULL
                         : (void *)(((uintptr_t)*base + BLOCK_ALIGNMENT - 1) &
                                    ~(uintptr_t)(BLOCK_ALIGNMENT - 1));
}

#endif
