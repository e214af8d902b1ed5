/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the striped counters: threads have stripes of their own, however small their
 * stacks are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/counters.h"

/** \return how many stripes so many threads have, whose stacks lie so far apart */
static unsigned stripes_of(uintptr_t first, uintptr_t apart, unsigned threads)
{
    bool taken[COUNTER_STRIPES] = {false};
    unsigned count = 0;

    for (unsigned i = 0; i < threads; i++) {
        unsigned stripe = counter_stripe(first - i * apart);

        assert_in_range(stripe, 0, COUNTER_STRIPES - 1);
        count += !taken[stripe];
        taken[stripe] = true;
    }
    return count;
}

/** From 16 KiB to 16 MiB, with a page that guards them within or beside. */
static void test_stacks_of_any_size(void **state)
{
    static const uintptr_t firsts[] = {0x7f1234567000, 0x7fffe3a01700, 0x7f00aabbc6c0};

    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++)
        for (uintptr_t apart = 16384; apart <= 16u << 20; apart *= 2)
            for (uintptr_t guard = 0; guard <= 4096; guard += 4096) {
                assert_int_equal(stripes_of(firsts[i], apart + guard, 2), 2);
                assert_int_equal(stripes_of(firsts[i], apart + guard, 4), 4);
                assert_true(stripes_of(firsts[i], apart + guard, 8) >= 6);
                assert_true(stripes_of(firsts[i], apart + guard, 16) >= 8);
            }
}

static void test_sum(void **state)
{
    static struct striped_counter counter;

    (void)state;
    for (int i = 0; i < 1000; i++)
        striped_up(&counter);
    assert_int_equal(striped_read(&counter), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stacks_of_any_size),
                                       cmocka_unit_test(test_sum)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
