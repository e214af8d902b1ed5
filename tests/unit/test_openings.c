/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of how many conflicts may be opened: of one domain, of all, and what comes of those
 * that were refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limits/openings.h"
#include "detector.h"

static struct openings openings;

static int setup(void **state)
{
    (void)state;
    openings_init(&openings);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    openings_deinit(&openings);
    return 0;
}

/** \return how many of so many domains, each met once, are opened */
static unsigned open_domains(uint64_t first, unsigned count, bool proved, mxclash_time now)
{
    unsigned opened = 0;

    for (unsigned i = 0; i < count; i++)
        opened += openings_take(&openings, first + i, proved, now) == MXCLASH_DELAYS;
    return opened;
}

static void test_domain(void **state)
{
    (void)state;
    for (int i = 0; i < OPENINGS_DOMAIN; i++)
        assert_int_equal(openings_take(&openings, 7, i % 2, DETECTOR_START), MXCLASH_DELAYS);
    assert_int_equal(openings_take(&openings, 7, true, DETECTOR_START), mxclash_delay_domain_limit);
    assert_int_equal(openings_take(&openings, 8, true, DETECTOR_START), MXCLASH_DELAYS);
    assert_int_equal(openings_take(&openings, 7, true, DETECTOR_START + OPENINGS_WINDOW_MS),
                     MXCLASH_DELAYS);
}

static void test_rate(void **state)
{
    (void)state;
    assert_int_equal(open_domains(0, 5000, false, DETECTOR_START), OPENINGS_BURST);
    assert_int_equal(openings_take(&openings, 5000, false, DETECTOR_START),
                     mxclash_delay_rate_limit);
    /* what a proof shows was paid for already */
    assert_int_equal(open_domains(10000, 500, true, DETECTOR_START), 500);
    assert_int_equal(open_domains(20000, 500, false, DETECTOR_START + 3 * SECOND),
                     3 * OPENINGS_RATE);
    assert_int_equal(open_domains(30000, 5000, false, DETECTOR_START + HOUR), OPENINGS_BURST);
}

/** What the rate refuses does not count as opened of its domain. */
static void test_refused_by_the_rate(void **state)
{
    (void)state;
    assert_int_equal(open_domains(100, 5000, false, DETECTOR_START), OPENINGS_BURST);
    for (int i = 0; i < 5 * OPENINGS_DOMAIN; i++)
        assert_int_equal(openings_take(&openings, 7, false, DETECTOR_START),
                         mxclash_delay_rate_limit);
    for (int i = 0; i < OPENINGS_DOMAIN; i++)
        assert_int_equal(openings_take(&openings, 7, true, DETECTOR_START), MXCLASH_DELAYS);
    assert_int_equal(openings_take(&openings, 7, true, DETECTOR_START), mxclash_delay_domain_limit);
}

static uint64_t delayed(enum mxclash_delay reason)
{
    struct engine_stats stats;

    engine_get_stats(detector.engine, &stats);
    return stats.delayed[reason];
}

/** A wildcard of both: each question shows another owner. What was refused is opened when it is met
 * again and there is room. */
static void test_wildcard_of_both(void **state)
{
    char owner[64];
    struct engine_stats stats;

    (void)state;
    for (int i = 0; i < 150; i++) {
        snprintf(owner, sizeof(owner), "n%d.attacker.test", i);
        see(owner, MX_IS_BOTH(.zone = "attacker.test"));
    }
    engine_get_stats(detector.engine, &stats);
    assert_int_equal(stats.opened[mxclash_cname_and_mx], OPENINGS_DOMAIN);
    assert_int_equal(detector.event_count, OPENINGS_DOMAIN);
    assert_int_equal(delayed(mxclash_delay_domain_limit), 50);
    assert_int_equal(delayed(mxclash_delay_rate_limit), 0);
    /* nobody else is held up, nor the domain's own name */
    see("honest.test", MX_IS_BOTH());
    see("attacker.test", MX_IS_BOTH());
    assert_int_equal(detector.event_count, OPENINGS_DOMAIN + 2);
    detector.now += HOUR;
    see("n149.attacker.test", MX_IS_BOTH(.zone = "attacker.test"));
    assert_int_equal(detector.event_count, OPENINGS_DOMAIN + 3);
    assert_int_equal(detector.events[OPENINGS_DOMAIN + 2].type, mxclash_opened);
}

/** What was refused is no conflict yet: it does not stand, and clearing it tells nothing. */
static void test_refused_does_not_stand(void **state)
{
    struct mxclash_standing standing = {.struct_size = sizeof(standing)};
    struct wire_name name = wire_name_of("late.attacker.test");
    char owner[64];

    (void)state;
    for (int i = 0; i < OPENINGS_DOMAIN; i++) {
        snprintf(owner, sizeof(owner), "n%d.attacker.test", i);
        see(owner, MX_IS_BOTH(.zone = "attacker.test"));
    }
    see("late.attacker.test", MX_IS_BOTH(.zone = "attacker.test"));
    assert_false(
        mxclash_get_standing(detector.engine, name.octets, name.len, detector.now, &standing));
    see("late.attacker.test", A_IS_A(.zone = "attacker.test"));
    assert_int_equal(detector.event_count, OPENINGS_DOMAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_by_the_rate, setup, teardown),
        WITH_DETECTOR(test_wildcard_of_both),
        WITH_DETECTOR(test_refused_does_not_stand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
