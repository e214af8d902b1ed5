/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the aging set and of its times modulo a range, alone and from several threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/slots.h"

#define SOME_MS      INT64_C(1767323045678)
#define PAYLOAD_BITS 44
#define PAYLOAD_MAX  ((UINT64_C(1) << PAYLOAD_BITS) - 1)
#define BUCKET       8
#define THREADS      4
#define ROUNDS       50000

static struct slots slots;

static void begin(size_t octets)
{
    slots_deinit(&slots);
    assert_true(slots_init(&slots, octets, PAYLOAD_BITS));
}

static int teardown(void **state)
{
    (void)state;
    slots_deinit(&slots);
    return 0;
}

static void put(uint64_t hash, uint64_t payload)
{
    uint64_t old;

    slots_put(&slots, slots_find(&slots, hash, &old), hash, payload);
}

static uint64_t get(uint64_t hash)
{
    uint64_t payload;

    slots_find(&slots, hash, &payload);
    return payload;
}

/** A hash of bucket 0 with a fingerprint of its own. */
static uint64_t in_bucket_0(uint64_t number)
{
    return number << PAYLOAD_BITS;
}

static void test_size(void **state)
{
    (void)state;
    for (size_t octets = 0; octets < 5000; octets += 7) {
        begin(octets);
        /* a power of two of whole cache lines: at least one, and else more than half of what may be
         */
        assert_true(slots.octets >= 64);
        assert_int_equal(slots.octets & (slots.octets - 1), 0);
        assert_int_equal((uintptr_t)slots.words % 64, 0);
        assert_int_equal(slots.octets, (slots.mask + 1) * 64);
        if (octets >= 64)
            assert_true(slots.octets <= octets && slots.octets * 2 > octets);
    }
}

static void test_put_and_find(void **state)
{
    (void)state;
    begin(64);
    for (uint64_t i = 1; i <= BUCKET; i++)
        put(in_bucket_0(i), PAYLOAD_MAX - i);
    for (uint64_t i = 1; i <= BUCKET; i++)
        assert_int_equal(get(in_bucket_0(i)), PAYLOAD_MAX - i);
    /* another word for the same hash takes the place of the first */
    put(in_bucket_0(3), 33);
    assert_int_equal(get(in_bucket_0(3)), 33);
    assert_int_equal(get(in_bucket_0(4)), PAYLOAD_MAX - 4);
    /* to look changes nothing */
    assert_int_equal(get(in_bucket_0(100)), 0);
    for (uint64_t i = 1; i <= BUCKET; i++)
        assert_int_not_equal(get(in_bucket_0(i)), 0);
}

static void test_payload_keeps_to_its_bits(void **state)
{
    (void)state;
    begin(64);
    put(in_bucket_0(0), 1);
    put(in_bucket_0(1), PAYLOAD_MAX);
    put(in_bucket_0(0xfffff), PAYLOAD_MAX);
    assert_int_equal(get(in_bucket_0(0)), 1);
    assert_int_equal(get(in_bucket_0(1)), PAYLOAD_MAX);
    assert_int_equal(get(in_bucket_0(2)), 0);
    assert_int_equal(get(in_bucket_0(0xfffff)), PAYLOAD_MAX);
}

/** A full bucket forgets one, and which one is the hash's choice and nobody's order. */
static void test_full_bucket_forgets_one(void **state)
{
    bool victims[BUCKET] = {false};
    unsigned different = 0;

    (void)state;
    for (uint64_t choice = 0; choice < BUCKET; choice++) {
        unsigned lost = 0;

        begin(64);
        for (uint64_t i = 1; i <= BUCKET; i++)
            put(in_bucket_0(i), i);
        put(in_bucket_0(100) | choice << 29, 100);
        assert_int_equal(get(in_bucket_0(100) | choice << 29), 100);
        for (uint64_t i = 1; i <= BUCKET; i++) {
            if (get(in_bucket_0(i)) != 0)
                continue;
            lost++;
            victims[i - 1] = true;
        }
        assert_int_equal(lost, 1);
    }
    for (int i = 0; i < BUCKET; i++)
        different += victims[i];
    assert_int_equal(different, BUCKET);
}

/** Random work beside a reference that never forgets: what is found was put, and not before the
 * last word of that hash. */
static void test_against_a_reference(void **state)
{
    static uint64_t reference[512];
    unsigned found = 0;

    (void)state;
    srandom(7);
    memset(reference, 0, sizeof(reference));
    begin(16384);
    for (int i = 0; i < 100000; i++) {
        uint64_t name = (uint64_t)random() % 512;
        /* spread over buckets, victims and fingerprints, different in all */
        uint64_t hash = (name * UINT64_C(0x9e3779b97f4a7c15)) ^ name << PAYLOAD_BITS;
        uint64_t payload = get(hash);

        if (payload != 0) {
            assert_int_equal(payload, reference[name]);
            found++;
        }
        if (i % 3 == 0) {
            reference[name] = (uint64_t)random() + 1;
            put(hash, reference[name]);
        }
    }
    assert_true(found > 50000);
}

static void test_time(void **state)
{
    (void)state;
    for (mxclash_time at = -70000; at < 3 * 1024 * 1000; at += 499) {
        uint32_t time = slots_time(at, 1000, 10);

        assert_in_range(time, 1, 1023);
        if (at >= 0 && (uint64_t)at / 1000 % 1024 != 0)
            assert_int_equal(time, (uint64_t)at / 1000 % 1024);
    }
    assert_int_equal(slots_time(256000 * 5, 256000, 10), 5);
    assert_int_equal(slots_time(256000 * 6 - 1, 256000, 10), 5);
}

/** At every point of the range, the wrap included. */
static void test_valid(void **state)
{
    const uint32_t unit = 1000, ahead = 300 * 1000;

    (void)state;
    for (mxclash_time now = SOME_MS; now < SOME_MS + 2 * 1024 * 1000; now += 977) {
        assert_false(slots_valid(0, now, unit, 10, ahead));
        for (mxclash_time left = 0; left <= ahead; left += 29989)
            assert_true(slots_valid(slots_time(now + left, unit, 10), now, unit, 10, ahead));
        /* past, up to what the range leaves beside what may lie ahead */
        for (mxclash_time past = 2 * unit; past < (1024 - 303) * 1000; past += 29989)
            assert_false(slots_valid(slots_time(now - past, unit, 10), now, unit, 10, ahead));
    }
}

static _Atomic unsigned faults;

/** Each thread puts payloads that tell whose hash they are for. */
static void *hammer(void *number)
{
    unsigned seed = *(const unsigned *)number;

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t name = (uint64_t)rand_r(&seed) % 64 + 1;
        uint64_t payload;
        _Atomic uint64_t *slot = slots_find(&slots, in_bucket_0(name), &payload);

        if (payload != 0 && payload % 64 + 1 != name)
            atomic_fetch_add(&faults, 1);
        slots_put(&slots, slot, in_bucket_0(name), (uint64_t)rand_r(&seed) * 64 + name - 1);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[THREADS];
    unsigned numbers[THREADS];

    (void)state;
    begin(64);
    atomic_store(&faults, 0);
    for (unsigned i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &numbers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&faults), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_put_and_find),
        cmocka_unit_test(test_payload_keeps_to_its_bits),
        cmocka_unit_test(test_full_bucket_forgets_one),
        cmocka_unit_test(test_against_a_reference),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
