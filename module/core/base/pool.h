/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A piece of memory from which blocks of up to POOL_BLOCK_MAX octets are taken and given back. It
 * never grows, and neither taking nor giving looks through it: both cost the same however large and
 * however broken up it is.
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
/** Most cells of a block, and most octets. */
#define POOL_CELLS_MAX 127
#define POOL_BLOCK_MAX ((size_t)POOL_CELLS_MAX * POOL_CELL)
/** Lists of free cells: by how many lie in a row, and one for all that are longer. */
#define POOL_LISTS (POOL_CELLS_MAX + 1)

struct pool {
    unsigned char *cells;
    /** a bit for each cell: the first and the last of each row of free ones have it */
    uint64_t *ends;
    size_t cell_count;
    /** the first row of each list, 1 more than the number of its first cell; 0 if there is none */
    uint32_t lists[POOL_LISTS];
    /** a bit for each list that is not empty */
    uint64_t filled[POOL_LISTS / 64];
};

/** \return octets of the cells that a block takes, 0 for none */
static inline size_t pool_octets(size_t octets)
{
    return (octets + POOL_CELL - 1) / POOL_CELL * POOL_CELL;
}

/**
 * Make a pool of a piece of memory, which also holds what the pool needs for itself: a bit a cell.
 *
 * \param memory  borrowed until the last use, aligned to POOL_CELL, all zero. It is touched where
 *     it is used only, so the system need not give all of it at once
 */
void pool_init(struct pool *pool, void *memory, size_t octets);

/**
 * Take a block, aligned to POOL_CELL; its content is whatever was there.
 *
 * \param octets  1 to POOL_BLOCK_MAX
 * \return NULL if so many cells are nowhere free in a row, or octets are too many
 */
void *pool_take(struct pool *pool, size_t octets);

/** Give a block back. \param octets  as it was taken. NULL is allowed. */
void pool_give(struct pool *pool, void *block, size_t octets);

#endif
