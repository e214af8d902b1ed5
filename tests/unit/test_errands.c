/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of proofs at the public API: their pace, their shares, their lives and deaths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "core/engine/errand_queue.h"
#include "core/limits/domain_cap.h"
#include "detector.h"
#include "lookups.h"

static void suspects(int from, int count)
{
    char owner[32];

    for (int i = from; i < from + count; i++) {
        snprintf(owner, sizeof(owner), "s%d.test", i);
        see(owner, A_IS_CNAME());
    }
}

/** A flood of suspects is proved at the rate that was set, whatever comes. */
static void test_proofs_keep_the_rate(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    int taken = 0;

    (void)state;
    options.table_size = 8 << 20;
    options.probe_rate = 10;
    detector_begin(&options);
    for (int second = 0; second < 120; second++, detector.now += SECOND) {
        suspects(second * 50, 50);
        for (int i = 0; i < 20; i++)
            taken += take_proof(&proof);
    }
    assert_in_range(taken, 5 * 119, 5 * 121);
    /* what was not proved is counted */
    assert_true(stats_now().proofs_dropped[mxclash_drop_queue_full] +
                    stats_now().proofs_dropped[mxclash_drop_stale] >
                4000);
}

static void test_stale_proof_is_wanted_again(void **state)
{
    (void)state;
    see("shop.test", A_IS_CNAME());
    see("shop.test", A_IS_CNAME());
    detector.now += PROOF_WAIT_MAX_MS + 1;
    expect_no_proof();
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_stale], 1);
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
}

/** A domain with a million broken names, each a zone of its own, gets its share and no more. */
static void test_one_domain_gets_its_share(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    char owner[32];
    int taken = 0;

    (void)state;
    options.table_size = 8 << 20;
    detector_begin(&options);
    for (int i = 0; i < 200; i++) {
        snprintf(owner, sizeof(owner), "n%d.evil.test", i);
        see(owner, A_IS_CNAME());
    }
    suspects(0, 100);
    while (take_proof(&proof))
        taken++;
    assert_int_equal(taken, DOMAIN_CAP_PROOFS + 100);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_zone_limit], 200 - DOMAIN_CAP_PROOFS);
    /* the others come later, if they are met again */
    detector.now += DOMAIN_CAP_WINDOW_MS;
    see(owner, A_IS_CNAME());
    assert_true(take_proof(&proof));
}

/** What a proof sends beyond its questions is paid for by those that come after it. */
static void test_packets_are_paid(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    int taken = 0;

    (void)state;
    options.probe_rate = 10;
    detector_begin(&options);
    suspects(0, 100);
    while (take_proof(&proof))
        taken++;
    assert_int_equal(taken, 5);
    mxclash_proof_sent(detector.engine, &proof, 30, detector.now);
    detector.now += 3 * SECOND;
    expect_no_proof();
    detector.now += SECOND / 5;
    assert_true(take_proof(&proof));
    expect_no_proof();
}

/** So with lookups, which have a budget of their own. */
static void test_packets_of_lookups_are_paid(void **state)
{
    struct mxclash_options options = lookups_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};
    char owner[32];
    int taken = 0;

    (void)state;
    options.probe_rate = 10;
    detector_begin(&options);
    for (int i = 0; i < 20; i++) {
        snprintf(owner, sizeof(owner), "c%d.test", i);
        see(owner, MX_IS_BOTH());
    }
    while (take_lookup(&lookup))
        taken++;
    assert_int_equal(taken, 10);
    mxclash_lookup_sent(detector.engine, 30);
    detector.now += 3 * SECOND;
    expect_no_lookup();
    suspects(0, 1);
    assert_true(take_proof(&proof));
    detector.now += SECOND / 10;
    assert_true(take_lookup(&lookup));
    expect_no_lookup();
}

/** A domain whose proofs take many packets gets fewer of them; another's are not its concern. */
static void test_share_in_packets(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    char owner[32];
    int taken = 0;

    (void)state;
    options.table_size = 8 << 20;
    options.probe_rate = 100000;
    detector_begin(&options);
    for (int i = 0; i < 40; i++) {
        snprintf(owner, sizeof(owner), "n%d.evil.test", i);
        see(owner, A_IS_CNAME());
        if (!take_proof(&proof))
            continue;
        taken++;
        /* two proofs more than its own */
        for (int packet = 0; packet < 2 * PROOF_QUERIES; packet++)
            mxclash_proof_sent(detector.engine, &proof, 1, detector.now);
        suspects(i, 1);
        assert_true(take_proof(&proof));
        mxclash_proof_sent(detector.engine, &proof, 1000, detector.now);
    }
    assert_int_equal(taken, DOMAIN_CAP_PROOFS / 3 + 1);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_zone_limit], 40 - taken);
    detector.now += DOMAIN_CAP_WINDOW_MS;
    see(owner, A_IS_CNAME());
    assert_true(take_proof(&proof));
}

/** Where no zone is known, domains do not share one share. */
static void test_share_without_a_zone(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    char owner[32];
    int taken = 0;

    (void)state;
    options.table_size = 16 << 20;
    detector_begin(&options);
    for (int i = 0; i < 100; i++) {
        snprintf(owner, sizeof(owner), "h%d.test", i);
        client_mx(owner, true);
        snprintf(owner, sizeof(owner), "f%d.test", i);
        see(owner, MX_IS_BOTH(.forwarded = true, .no_aa = true));
    }
    while (take_proof(&proof))
        taken++;
    assert_int_equal(taken, 200);
}

/** Proofs of cases that were given up meanwhile cost no tokens. */
static void test_proofs_of_lost_cases_are_free(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    int taken = 0;

    (void)state;
    options.table_size = 262144;
    options.probe_rate = 10;
    detector_begin(&options);
    suspects(0, 1000);
    assert_true(stats_now().table_evictions > 0);
    /* all that wait are of cases that are gone */
    expect_no_proof();
    suspects(1000, 5);
    while (take_proof(&proof))
        taken++;
    assert_int_equal(taken, 5);
}

static void test_abandoned_proof(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    mxclash_proof_abandon(detector.engine, &proof, detector.now);
    /* both of its questions may say so: it is one proof */
    mxclash_proof_abandon(detector.engine, &proof, detector.now);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_host], 1);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    end_proof(&proof);
    expect_no_event();
    for (int result = 0; result < MXCLASH_PROOF_RESULTS; result++)
        assert_int_equal(stats_now().proofs[result], 0);
    detector.now += CASE_RETRY_MS - 1;
    see("shop.test", A_IS_CNAME());
    expect_no_proof();
    detector.now += 1;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
}

/** A proof that is over, or was given up, is nobody's any more. */
static void test_dead_proofs(void **state)
{
    struct mxclash_proof first = {.struct_size = sizeof(first)}, second = first;

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&first));
    expect_no_proof();
    /* the host never ends it: after a while another takes its place */
    detector.now += CASE_PROOF_MAX_MS - 1;
    see("shop.test", A_IS_CNAME());
    expect_no_proof();
    detector.now += 1;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&second));
    assert_true(first.id != second.id);
    answer_proof(&first, MX_IS_MX());
    answer_proof(&first, CNAME_IS_CNAME());
    end_proof(&first);
    mxclash_proof_abandon(detector.engine, &first, detector.now);
    expect_no_event();
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_host], 0);
    answer_proof(&second, MX_IS_MX());
    answer_proof(&second, CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    /* decided by its answers: what comes later is nothing */
    answer_proof(&second, NO_MX());
    answer_proof(&second, NO_CNAME());
    end_proof(&second);
    mxclash_proof_abandon(detector.engine, &second, detector.now);
    expect_no_event();
    assert_int_equal(stats_now().proofs[mxclash_proof_both], 1);
    assert_int_equal(stats_now().proofs[mxclash_proof_failed], 0);
    /* of an owner that nobody knows */
    memcpy(second.owner, "\4none", 6);
    second.owner_len = 6;
    end_proof(&second);
    mxclash_proof_abandon(detector.engine, &second, detector.now);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_host], 0);
}

/** A case lost and begun anew stands in the queue twice; it is proved once. */
static void test_one_proof_in_an_interval(void **state)
{
    struct mxclash_options options = detector_options();
    uint64_t begun;

    (void)state;
    options.table_size = 262144;
    options.on_event = NULL;
    detector_begin(&options);
    see("shop.test", A_IS_CNAME());
    /* conflicts that need no proof drive out the suspect */
    for (int i = 0; i < 300; i++) {
        char owner[32];

        snprintf(owner, sizeof(owner), "c%d.test", i);
        see(owner, MX_IS_BOTH());
    }
    begun = stats_now().table_evictions + stats_now().table_entries;
    see("shop.test", A_IS_CNAME());
    assert_int_equal(stats_now().table_evictions + stats_now().table_entries, begun + 1);
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(stats_now().proofs[mxclash_proof_both], 1);
    expect_no_proof();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_proofs_keep_the_rate),
        WITH_DETECTOR(test_stale_proof_is_wanted_again),
        WITH_DETECTOR(test_one_domain_gets_its_share),
        WITH_DETECTOR(test_packets_are_paid),
        WITH_DETECTOR(test_packets_of_lookups_are_paid),
        WITH_DETECTOR(test_share_in_packets),
        WITH_DETECTOR(test_share_without_a_zone),
        WITH_DETECTOR(test_proofs_of_lost_cases_are_free),
        WITH_DETECTOR(test_abandoned_proof),
        WITH_DETECTOR(test_dead_proofs),
        WITH_DETECTOR(test_one_proof_in_an_interval),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
