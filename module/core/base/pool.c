/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Blocks of cells: see pool.h.
 *
 * Free cells in a row are one row, never two side by side. A row stands in the list of its length;
 * its first cell holds the links of that list, its first and last how long it is. So a block that
 * is given back finds the rows before and behind it by one bit each, and a block is taken from the
 * shortest row that has room, which a few words of bits tell.
 */
#include "core/base/pool.h"

#include <stdbool.h>
#include <string.h>

/* In a block that was given back AddressSanitizer sees a use after free, as in malloc()'s: but for
 * what stands there for the pool itself */
#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POOLS_OWN __attribute__((no_sanitize("address")))
#else
#define ASAN_POISON_MEMORY_REGION(address, octets)   ((void)(address), (void)(octets))
#define ASAN_UNPOISON_MEMORY_REGION(address, octets) ((void)(address), (void)(octets))
#define POOLS_OWN
#endif

#define WORD_BITS 64
/** Cells are numbered by 32 bits, and none of them is 0 in a list. */
#define CELLS_MAX (UINT32_MAX - 1)

/** What stands in a free cell at an end of its row. */
struct row_end {
    uint32_t cells; /* of the row */
    /* in the first cell only: 1 more than the numbers of other rows' first cells, 0 for none */
    uint32_t next;
    uint32_t previous;
};

static struct row_end *row_end(const struct pool *pool, size_t cell)
{
    return (struct row_end *)(void *)(pool->cells + cell * POOL_CELL);
}

static uint64_t bit_of(size_t number)
{
    return UINT64_C(1) << number % WORD_BITS;
}

static bool is_end(const struct pool *pool, size_t cell)
{
    return (pool->ends[cell / WORD_BITS] & bit_of(cell)) != 0;
}

static size_t list_of(size_t cells)
{
    return cells <= POOL_CELLS_MAX ? cells - 1 : POOL_LISTS - 1;
}

/** A row of free cells comes into its list. */
static POOLS_OWN void put_row(struct pool *pool, size_t first, size_t cells)
{
    size_t list = list_of(cells);
    size_t last = first + cells - 1;
    struct row_end *row = row_end(pool, first);

    row->previous = 0;
    row->next = pool->lists[list];
    if (row->next != 0)
        row_end(pool, row->next - 1)->previous = (uint32_t)first + 1;
    row->cells = row_end(pool, last)->cells = (uint32_t)cells;
    pool->lists[list] = (uint32_t)first + 1;
    pool->filled[list / WORD_BITS] |= bit_of(list);
    pool->ends[first / WORD_BITS] |= bit_of(first);
    pool->ends[last / WORD_BITS] |= bit_of(last);
}

/** A row leaves its list. \return how many cells it has */
static POOLS_OWN size_t take_row(struct pool *pool, size_t first)
{
    const struct row_end *row = row_end(pool, first);
    size_t last = first + row->cells - 1;
    size_t list = list_of(row->cells);

    if (row->next != 0)
        row_end(pool, row->next - 1)->previous = row->previous;
    if (row->previous != 0)
        row_end(pool, row->previous - 1)->next = row->next;
    else
        pool->lists[list] = row->next;
    if (pool->lists[list] == 0)
        pool->filled[list / WORD_BITS] &= ~bit_of(list);
    pool->ends[first / WORD_BITS] &= ~bit_of(first);
    pool->ends[last / WORD_BITS] &= ~bit_of(last);
    return row->cells;
}

/** \return how many cells the row has that ends in a cell */
static POOLS_OWN size_t cells_of_end(const struct pool *pool, size_t cell)
{
    return row_end(pool, cell)->cells;
}

void pool_init(struct pool *pool, void *memory, size_t octets)
{
    size_t cells = octets / POOL_CELL;
    size_t bits_octets;

    if (cells > CELLS_MAX)
        cells = CELLS_MAX;
    /* in whole cells, so that the others are aligned; some bits too many */
    bits_octets = pool_octets((cells + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t));
    cells = cells == 0 ? 0 : cells - bits_octets / POOL_CELL;
    memset(pool, 0, sizeof(*pool));
    pool->ends = memory;
    pool->cells = (unsigned char *)memory + bits_octets;
    pool->cell_count = cells;
    ASAN_POISON_MEMORY_REGION(pool->cells, cells * POOL_CELL);
    if (cells != 0)
        put_row(pool, 0, cells);
}

/** \return the list of the shortest rows of so many cells or more, POOL_LISTS if there is none */
static size_t find_list(const struct pool *pool, size_t cells)
{
    size_t list = list_of(cells);
    uint64_t filled = pool->filled[list / WORD_BITS] & ~(bit_of(list) - 1);

    for (size_t word = list / WORD_BITS;;) {
        if (filled != 0)
            return word * WORD_BITS + (size_t)__builtin_ctzll(filled);
        if (++word == POOL_LISTS / WORD_BITS)
            return POOL_LISTS;
        filled = pool->filled[word];
    }
}

void *pool_take(struct pool *pool, size_t octets)
{
    size_t cells = pool_octets(octets) / POOL_CELL;
    size_t list, first, had;
    unsigned char *block;

    if (octets > POOL_BLOCK_MAX)
        return NULL;
    list = find_list(pool, cells);
    if (list == POOL_LISTS)
        return NULL;
    first = pool->lists[list] - 1;
    had = take_row(pool, first);
    if (had > cells)
        put_row(pool, first + cells, had - cells);
    block = pool->cells + first * POOL_CELL;
    ASAN_UNPOISON_MEMORY_REGION(block, octets);
    return block;
}

void pool_give(struct pool *pool, void *block, size_t octets)
{
    size_t first, cells;

    if (block == NULL)
        return;
    ASAN_POISON_MEMORY_REGION(block, pool_octets(octets));
    first = (size_t)((unsigned char *)block - pool->cells) / POOL_CELL;
    cells = pool_octets(octets) / POOL_CELL;
    if (first + cells < pool->cell_count && is_end(pool, first + cells))
        cells += take_row(pool, first + cells);
    if (first != 0 && is_end(pool, first - 1)) {
        size_t before = cells_of_end(pool, first - 1);

        first -= before;
        cells += take_row(pool, first);
    }
    put_row(pool, first, cells);
}
