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
    assert_ptr_equal(pool_take(&pool, CELLS * (size_t)POOL_CELL), pool.cells);
    assert_null(pool_take(&pool, 1));
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
        memset(memory, 0xee, POOL_SIZE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_blocks),
                                       cmocka_unit_test(test_sizes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
