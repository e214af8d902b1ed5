/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Blocks of cells, found by their bits: see pool.h. */
#include "core/base/pool.h"

#include <stdbool.h>
#include <string.h>

/* In a block that was given back AddressSanitizer sees a use after free, as in malloc()'s */
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, octets)   ((void)(address), (void)(octets))
#define ASAN_UNPOISON_MEMORY_REGION(address, octets) ((void)(address), (void)(octets))
#endif

#define WORD_BITS 64
#define NOWHERE   SIZE_MAX

void pool_init(struct pool *pool, void *memory, size_t octets)
{
    size_t cells = octets / POOL_CELL;
    /* in whole cells, so that the others are aligned; some bits too many */
    size_t bits_octets = pool_octets((cells + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t));

    cells = cells == 0 ? 0 : (octets - bits_octets) / POOL_CELL;
    pool->taken = memory;
    pool->cells = (unsigned char *)memory + bits_octets;
    pool->cell_count = cells;
    pool->at = 0;
    memset(pool->taken, 0, bits_octets);
    ASAN_POISON_MEMORY_REGION(pool->cells, cells * POOL_CELL);
}

/** \return the first cell from `from` and below `to` that is taken, or that is free; else `to` */
static size_t next_cell(const struct pool *pool, size_t from, size_t to, bool taken)
{
    while (from < to) {
        uint64_t word = pool->taken[from / WORD_BITS];

        word = (taken ? word : ~word) >> from % WORD_BITS;
        if (word != 0) {
            from += (size_t)__builtin_ctzll(word);
            return from < to ? from : to;
        }
        from += WORD_BITS - from % WORD_BITS;
    }
    return to;
}

/** \return where so many cells in a row are free, from `from` on and ending at `to`, or NOWHERE */
static size_t find_run(const struct pool *pool, size_t from, size_t to, size_t cells)
{
    for (;;) {
        size_t start = next_cell(pool, from, to, false);

        if (start + cells > to)
            return NOWHERE;
        from = next_cell(pool, start, start + cells, true);
        if (from == start + cells)
            return start;
    }
}

/** Word for word: a block is rarely in more than two. */
static void mark(struct pool *pool, size_t from, size_t cells, bool taken)
{
    while (cells > 0) {
        size_t first = from % WORD_BITS;
        size_t here = cells < WORD_BITS - first ? cells : WORD_BITS - first;
        uint64_t bits = (~UINT64_C(0) >> (WORD_BITS - here)) << first;

        if (taken)
            pool->taken[from / WORD_BITS] |= bits;
        else
            pool->taken[from / WORD_BITS] &= ~bits;
        from += here;
        cells -= here;
    }
}

void *pool_take(struct pool *pool, size_t octets)
{
    size_t cells = pool_octets(octets) / POOL_CELL;
    size_t start = find_run(pool, pool->at, pool->cell_count, cells);
    unsigned char *block;

    if (start == NOWHERE)
        start = find_run(pool, 0, pool->cell_count, cells);
    if (start == NOWHERE)
        return NULL;
    mark(pool, start, cells, true);
    pool->at = start + cells;
    block = pool->cells + start * POOL_CELL;
    ASAN_UNPOISON_MEMORY_REGION(block, octets);
    return block;
}

void pool_give(struct pool *pool, void *block, size_t octets)
{
    size_t start;

    if (block == NULL)
        return;
    start = (size_t)((unsigned char *)block - pool->cells) / POOL_CELL;
    mark(pool, start, pool_octets(octets) / POOL_CELL, false);
    ASAN_POISON_MEMORY_REGION(block, pool_octets(octets));
    /* whoever gives up one block to make room for another finds it there */
    pool->at = start;
}
