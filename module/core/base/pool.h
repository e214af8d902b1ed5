/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A piece of memory from which blocks of any size are taken and given back. It never grows.
 * malloc() has memory for each thread, and what a thread frees that another one had taken stays
 * with that other: a table that many threads fill would take its size many times over.
 *
 * Threads: whoever holds a pool locks it.
 */
#ifndef MXCLASH_CORE_BASE_POOL_H
#define MXCLASH_CORE_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

/** Blocks are made of cells of so many octets, a cache line. */
#define POOL_CELL 64

struct pool {
    unsigned char *cells;
    /** a bit for each cell */
    uint64_t *taken;
    size_t cell_count;
    /** the cell at which the next search begins */
    size_t at;
};

/** \return octets of the cells that a block takes, 0 for none */
static inline size_t pool_octets(size_t octets)
{
    return (octets + POOL_CELL - 1) / POOL_CELL * POOL_CELL;
}

/**
 * Make a pool of a piece of memory, which also holds what the pool needs for itself: a bit a cell.
 *
 * \param memory  borrowed until the last use, aligned to POOL_CELL. It is touched where it is used
 *     only, so the system need not give all of it at once
 */
void pool_init(struct pool *pool, void *memory, size_t octets);

/**
 * Take a block, aligned to POOL_CELL; its content is whatever was there.
 *
 * \param octets  1 or more
 * \return NULL if so many cells are nowhere free in a row
 */
void *pool_take(struct pool *pool, size_t octets);

/** Give a block back. \param octets  as it was taken. NULL is allowed. */
void pool_give(struct pool *pool, void *block, size_t octets);

#endif
