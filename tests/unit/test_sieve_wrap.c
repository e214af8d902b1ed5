/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Test of the sieve over more than the 97 days after which its expiries come round again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/recall/sieve.h"

#define SOME_MS INT64_C(1767323045678)
#define HOUR    INT64_C(3600000)
#define DAY     (24 * HOUR)

/** A domain moved from one record to the other, and is asked for its new one ever after. */
static void test_what_ran_out_stays_so(void **state)
{
    struct sieve sieve;
    const uint64_t to_mx = 1, to_cname = UINT64_C(1) << 40;

    (void)state;
    assert_true(sieve_init(&sieve, 4096));
    sieve_note(&sieve, to_mx, true, 3600, false, 0, SOME_MS);
    sieve_note(&sieve, to_cname, false, 0, true, 3600, SOME_MS);
    for (mxclash_time now = SOME_MS + 2 * HOUR; now < SOME_MS + 300 * DAY; now += 7 * HOUR) {
        assert_false(sieve_note(&sieve, to_mx, false, 0, true, 3600, now).cname);
        assert_false(sieve_note(&sieve, to_cname, true, 3600, false, 0, now).mx);
    }
    sieve_deinit(&sieve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_ran_out_stays_so)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
