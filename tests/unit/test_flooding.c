/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Very many names. The seed is a secret, so names that meet in one bucket under one seed part under
 * another; and the list of those that were asked most is right however many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine/engine.h"
#include "detector.h"

/** Names that the attacker has found to meet, and how many he tries for them. */
#define MEETING 64
#define TRIED   2000000u

/** Where a name goes in every table that names choose their place in. */
#define PLACES 16384u

static uint32_t place_of(uint64_t hash)
{
    return (uint32_t)(hash >> 60 << 10 | (hash & 1023));
}

static size_t name_of(unsigned number, uint8_t *name)
{
    char label[16];
    int len = snprintf(label, sizeof(label), "n%u", number);

    name[0] = (uint8_t)len;
    memcpy(name + 1, label, (size_t)len);
    memcpy(name + 1 + len, "\4test", 6);
    return (size_t)len + 7;
}

static uint64_t hash_under(uint64_t seed, unsigned number)
{
    static struct mxclash_engine engine;
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len = name_of(number, name);

    engine.seed = seed;
    return engine_hash(&engine, name, len);
}

/** \return most of the names that are at one place under a seed */
static unsigned most_at_one_place(uint64_t seed, const unsigned *numbers, size_t count)
{
    static uint8_t at[PLACES];
    unsigned most = 0;

    memset(at, 0, sizeof(at));
    for (size_t i = 0; i < count; i++) {
        uint8_t now = ++at[place_of(hash_under(seed, numbers[i]))];

        most = now > most ? now : most;
    }
    return most;
}

static void test_names_that_meet_under_one_seed_part_under_another(void **state)
{
    unsigned numbers[MEETING];
    size_t found = 0;

    (void)state;
    for (unsigned i = 0; i < TRIED && found < MEETING; i++)
        if (place_of(hash_under(42, i)) == 7)
            numbers[found++] = i;
    assert_int_equal(found, MEETING);
    assert_int_equal(most_at_one_place(42, numbers, MEETING), MEETING);
    /* 64 names over 16,384 places: three at one are a chance of 1 in 6,000 a seed, five of 1 in
     * 10^10. Bits of the seed that counted for nothing would show as 64. */
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(most_at_one_place(42 ^ UINT64_C(1) << bit, numbers, MEETING), 1, 4);
}

/** Domains in conflict, and of how many of them a list is made. */
#define DOMAINS    500
#define LISTED_MAX 64

/** Questions for the MX of a domain: many domains have as many. */
static unsigned questions_of(unsigned number)
{
    return number * 7919 % 41;
}

static int most_asked_first(const void *a, const void *b)
{
    unsigned one = *(const unsigned *)a, other = *(const unsigned *)b;

    return (questions_of(one) < questions_of(other)) - (questions_of(one) > questions_of(other));
}

static void test_the_most_asked_of_many(void **state)
{
    struct mxclash_options options = detector_options();
    static struct mxclash_domain top[DOMAINS] = {{.struct_size = sizeof(top[0])}};
    unsigned numbers[DOMAINS];

    (void)state;
    options.on_event = NULL;
    options.table_size = 16 << 20;
    detector_begin(&options);
    for (unsigned i = 0; i < DOMAINS; i++) {
        char owner[16];

        numbers[i] = i;
        snprintf(owner, sizeof(owner), "n%u.test", i);
        detector.now += SECOND;
        see(owner, MX_IS_BOTH());
        for (unsigned j = 0; j < questions_of(i); j++)
            client_mx(owner, true);
    }
    qsort(numbers, DOMAINS, sizeof(numbers[0]), most_asked_first);
    for (size_t max = 1; max <= DOMAINS; max += max < LISTED_MAX ? 1 : 100) {
        size_t count = mxclash_top_domains(detector.engine, top, max);

        assert_int_equal(count, max < DOMAINS ? max : DOMAINS);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(top[i].mx_queries, questions_of(numbers[i]));
        /* ties by name: no domain is there twice */
        for (size_t i = 1; i < count; i++)
            assert_true(top[i].mx_queries < top[i - 1].mx_queries ||
                        top[i].owner_len > top[i - 1].owner_len ||
                        memcmp(top[i].owner, top[i - 1].owner, top[i].owner_len) > 0);
    }
}

/** A client asks the MX of very many names below a domain, all lawful aliases by a wildcard: the
 * domain's own conflict is proved nevertheless, and they are not even kept. */
static void test_names_below_do_not_hide_the_domain(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    char name[32];
    unsigned taken = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "r%d.victim.test", i);
        client_mx(name, true);
        while (take_proof(&proof))
            taken++;
    }
    assert_int_equal(taken, DOMAIN_CAP_PROOFS);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_zone_limit], 1000 - DOMAIN_CAP_PROOFS);
    /* but for some that the filter cannot tell from those */
    assert_in_range(stats_now().table_entries, DOMAIN_CAP_PROOFS, 2 * DOMAIN_CAP_PROOFS);
    client_mx("victim.test", true);
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_event("victim.test", mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_that_meet_under_one_seed_part_under_another),
        WITH_DETECTOR(test_the_most_asked_of_many),
        WITH_DETECTOR(test_names_below_do_not_hide_the_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
