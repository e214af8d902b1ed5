/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the pool: random blocks against a plain map of octets; the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/pool.h"

#define CELLS  300
#define BLOCKS 60

struct block {
    unsigned char *at;
    size_t octets;
    unsigned char mark;
};

/** Of a pool of CELLS cells, with their bits. */
#define POOL_SIZE ((CELLS + 1) * (size_t)POOL_CELL)

/** Could a block of so many cells be placed somewhere? As the blocks that are there lie. */
static bool fits(const struct pool *pool, const struct block *blocks, size_t cells)
{
    bool taken[CELLS] = {false};
    size_t run = 0;

    for (size_t i = 0; i < BLOCKS; i++)
        for (size_t j = 0; blocks[i].at != NULL && j < pool_octets(blocks[i].octets);
             j += POOL_CELL)
            taken[((size_t)(blocks[i].at - pool->cells) + j) / POOL_CELL] = true;
    for (size_t i = 0; i < pool->cell_count; i++) {
        run = taken[i] ? 0 : run + 1;
        if (run == cells)
            return true;
    }
    return false;
}

static void check_block(const struct pool *pool, const struct block *block)
{
    assert_int_equal((uintptr_t)block->at % POOL_CELL, 0);
    assert_true(block->at >= pool->cells);
    assert_true(block->at + block->octets <= pool->cells + pool->cell_count * POOL_CELL);
    for (size_t i = 0; i < block->octets; i++)
        assert_int_equal(block->at[i], block->mark);
}

/** All of a pool is free and in one piece: the largest blocks follow each other, then what is left.
 */
static void check_whole(struct pool *pool)
{
    size_t at = 0;

    while (at < pool->cell_count) {
        size_t left = pool->cell_count - at;
        size_t cells = left < POOL_CELLS_MAX ? left : POOL_CELLS_MAX;

        assert_ptr_equal(pool_take(pool, cells * POOL_CELL), pool->cells + at * POOL_CELL);
        at += cells;
    }
    assert_null(pool_take(pool, 1));
}

/** What is in a block stays there until it is given back: so none overlaps another. */
static void test_random_blocks(void **state)
{
    struct block blocks[BLOCKS] = {{0}};
    struct pool pool;
    unsigned refused = 0, taken = 0;
    unsigned char *memory = aligned_alloc(POOL_CELL, POOL_SIZE);

    (void)state;
    srandom(8);
    assert_non_null(memory);
    memset(memory, 0, POOL_SIZE);
    pool_init(&pool, memory, POOL_SIZE);
    assert_int_equal(pool.cell_count, CELLS);
    for (int i = 0; i < 20000; i++) {
        struct block *block = &blocks[random() % BLOCKS];

        if (block->at != NULL) {
            check_block(&pool, block);
            memset(block->at, 0, block->octets);
            pool_give(&pool, block->at, block->octets);
            block->at = NULL;
            continue;
        }
        /* by turns small ones and large ones, up to more cells than a word has bits */
        block->octets = 1 + (size_t)random() % (i / 1000 % 2 == 0 ? 900 : 70 * POOL_CELL);
        block->mark = (unsigned char)(1 + random() % 255);
        block->at = pool_take(&pool, block->octets);
        if (block->at == NULL) {
            assert_false(fits(&pool, blocks, pool_octets(block->octets) / POOL_CELL));
            refused++;
            continue;
        }
        memset(block->at, block->mark, block->octets);
        taken++;
    }
    assert_true(refused > 100 && taken > 1000);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (blocks[i].at != NULL)
            check_block(&pool, &blocks[i]);
        pool_give(&pool, blocks[i].at, blocks[i].octets);
    }
    /* all of it is one piece again */
    check_whole(&pool);
    free(memory);
}

/** A pool of any size keeps within its memory, and none of it is lost but the bits. */
static void test_sizes(void **state)
{
    (void)state;
    for (size_t octets = 0; octets < POOL_SIZE; octets += 13) {
        struct pool pool;
        size_t cells = 0;
        /* a new one each time: AddressSanitizer takes what is not in a block for freed */
        unsigned char *memory = aligned_alloc(POOL_CELL, POOL_SIZE);

        assert_non_null(memory);
        memset(memory, 0, octets);
        memset(memory + octets, 0xee, POOL_SIZE - octets);
        pool_init(&pool, memory, octets);
        while (pool_take(&pool, 1) != NULL)
            cells++;
        assert_int_equal(cells, pool.cell_count);
        assert_true(pool.cells + cells * POOL_CELL <= memory + octets || cells == 0);
        assert_true((cells + 3) * POOL_CELL > octets);
        for (size_t i = octets; i < POOL_SIZE; i++)
            assert_int_equal(memory[i], 0xee);
        assert_null(pool_take(&pool, POOL_CELL + 1));
        free(memory);
    }
}

/** Every other cell is free: no block of two finds room, each of one does; once a neighbour is
 * given back there is room for just the three, and in the end for all. Nothing is lost. */
static void test_broken_up(void **state)
{
    unsigned char *memory = aligned_alloc(POOL_CELL, POOL_SIZE);
    unsigned char *blocks[CELLS];
    struct pool pool;

    (void)state;
    assert_non_null(memory);
    memset(memory, 0, POOL_SIZE);
    pool_init(&pool, memory, POOL_SIZE);
    for (size_t i = 0; i < CELLS; i++)
        assert_non_null(blocks[i] = pool_take(&pool, POOL_CELL));
    for (size_t i = 0; i < CELLS; i += 2)
        pool_give(&pool, blocks[i], POOL_CELL);
    for (int round = 0; round < 1000; round++) {
        unsigned char *row;
        size_t i = 1 + (size_t)random() % (CELLS / 2 - 1) * 2;

        assert_null(pool_take(&pool, POOL_CELL + 1));
        pool_give(&pool, blocks[i], POOL_CELL);
        assert_null(pool_take(&pool, 3 * POOL_CELL + 1));
        assert_ptr_equal(row = pool_take(&pool, 3 * POOL_CELL), blocks[i] - POOL_CELL);
        pool_give(&pool, row, 3 * POOL_CELL);
        assert_ptr_equal(pool_take(&pool, 2 * POOL_CELL), row);
        pool_give(&pool, row, POOL_CELL);
    }
    for (size_t i = 1; i < CELLS; i += 2)
        pool_give(&pool, blocks[i], POOL_CELL);
    check_whole(&pool);
    free(memory);
}

/** What is larger than a block may be is refused, however much is free. */
static void test_too_large(void **state)
{
    unsigned char *memory = aligned_alloc(POOL_CELL, POOL_SIZE);
    struct pool pool;

    (void)state;
    assert_non_null(memory);
    memset(memory, 0, POOL_SIZE);
    pool_init(&pool, memory, POOL_SIZE);
    assert_null(pool_take(&pool, POOL_BLOCK_MAX + 1));
    assert_non_null(pool_take(&pool, POOL_BLOCK_MAX));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_blocks), cmocka_unit_test(test_broken_up),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_sizes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
