/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Four threads through one engine, each with a clock a little off the others': run it under a
 * thread sanitiser too. What must hold afterwards is checked when all are done.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detector.h"

#define THREADS 4
#define DOMAINS 200
#define STEPS   20000

/** What each domain's authority may say; made before the threads begin, only read by them. */
static const struct reply replies[] = {
    {.qtype = wire_type_a, .cname = TARGET},
    {.qtype = wire_type_a},
    {.qtype = wire_type_mx, .mx = {MX1, MX2}},
    {.qtype = wire_type_mx, .cname = TARGET, .ttl_s = 1},
    {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}},
    {.qtype = wire_type_cname, .cname = TARGET},
    {.qtype = wire_type_cname},
    {.qtype = wire_type_mx},
};
#define REPLIES (sizeof(replies) / sizeof(replies[0]))

static struct {
    struct wire_name name;
    uint8_t *octets[REPLIES];
    size_t len[REPLIES];
} domains[DOMAINS];

static struct mxclash_engine *engine;
static _Atomic uint64_t told[MXCLASH_EVENT_TYPES];
static _Atomic uint64_t all_told, taken;
static _Atomic unsigned faults, held;

static void count_event(void *context, const struct mxclash_event *event)
{
    (void)context;
    atomic_fetch_add(&told[event->type], 1);
    atomic_fetch_add(&all_told, 1);
    if (event->owner_len == 0 || event->mx_count > MXCLASH_MX_MAX)
        atomic_fetch_add(&faults, 1);
}

static void count_held(void *context)
{
    (void)context;
    atomic_fetch_add(&held, 1);
}

static struct mxclash_answer answer_of(size_t domain, size_t reply)
{
    return (struct mxclash_answer){.struct_size = sizeof(struct mxclash_answer),
                                   .message = domains[domain].octets[reply],
                                   .message_len = domains[domain].len[reply],
                                   .zone = domains[domain].name.octets,
                                   .zone_len = domains[domain].name.len};
}

static void make_proof(mxclash_time now, unsigned *seed)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    size_t domain;

    if (!mxclash_proof_next(engine, now, &proof))
        return;
    /* the name is its number */
    domain = (size_t)(proof.owner[1] - '0') * 100 + (size_t)(proof.owner[2] - '0') * 10 +
             (size_t)(proof.owner[3] - '0');
    if (rand_r(seed) % 16 == 0) {
        mxclash_proof_abandon(engine, &proof, now);
        return;
    }
    for (int i = rand_r(seed) % 4; i > 0; i--) {
        size_t reply = (size_t)rand_r(seed) % REPLIES;
        struct mxclash_answer answer = answer_of(domain, reply);

        mxclash_proof_answer(engine, &proof, replies[reply].qtype, &answer, now);
    }
    for (size_t i = 0; i < proof.qtype_count; i++)
        mxclash_proof_end(engine, &proof, proof.qtypes[i], now);
}

/** What senders meet at a target, and the events that wait for it. */
static void look_up(mxclash_time now, unsigned *seed)
{
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply),
                                         .answered = rand_r(seed) % 4 != 0,
                                         .has_address = rand_r(seed) % 2 != 0};
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    if (mxclash_lookup_next(engine, now, &lookup))
        mxclash_lookup_end(engine, &lookup, &reply, now);
    if (rand_r(seed) % 64 == 0)
        mxclash_tick(engine);
}

static void read_all(void)
{
    struct mxclash_domain top[10] = {{.struct_size = sizeof(top[0])}};
    struct engine_stats stats;
    size_t count = mxclash_top_domains(engine, top, 10);

    for (size_t i = 1; i < count; i++)
        if (top[i].mx_queries > top[i - 1].mx_queries)
            atomic_fetch_add(&faults, 1);
    engine_get_stats(engine, &stats);
    if (stats.table_bytes > stats.table_bytes_limit)
        atomic_fetch_add(&faults, 1);
}

/** Walk over what is open, as a list and as a state file do, while it changes; take events. */
static void walk_all(mxclash_time now)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    struct mxclash_cursor list = {{0}}, file = {{0}};
    uint8_t octets[MXCLASH_EXPORT_MAX];

    while (mxclash_next_open(engine, &list, &event))
        if (event.kind >= MXCLASH_KINDS || event.owner_len == 0)
            atomic_fetch_add(&faults, 1);
    while (mxclash_export(engine, &file, octets, sizeof(octets)) != 0)
        ;
    while (mxclash_event_next(engine, &event))
        atomic_fetch_add(&taken, 1);
    mxclash_next_due(engine, now);
}

static void *hammer(void *number)
{
    unsigned seed = *(const unsigned *)number;

    for (int step = 0; step < STEPS; step++) {
        /* half an hour in all; threads are off by up to 100 ms */
        mxclash_time now = DETECTOR_START + step * (30 * MINUTE / STEPS) + rand_r(&seed) % 100;
        size_t domain = (size_t)rand_r(&seed) % DOMAINS;
        struct mxclash_answer answer = answer_of(domain, (size_t)rand_r(&seed) % REPLIES);

        if (mxclash_inspect(engine, &answer, now) != mxclash_ok)
            atomic_fetch_add(&faults, 1);
        make_proof(now, &seed);
        look_up(now, &seed);
        if (step % 4 == 0)
            mxclash_client_mx(engine, domains[domain].name.octets, domains[domain].name.len,
                              (enum mxclash_reply)(step % 3), now);
        if (step % 256 == 0)
            read_all();
        if (step % 1024 == 0)
            walk_all(now);
    }
    return NULL;
}

static int make_domains(void **state)
{
    static struct message m;

    (void)state;
    for (size_t i = 0; i < DOMAINS; i++) {
        char text[32];

        snprintf(text, sizeof(text), "%03zu.test", i);
        domains[i].name = wire_name_of(text);
        for (size_t j = 0; j < REPLIES; j++) {
            reply_build(&m, text, &replies[j]);
            domains[i].octets[j] = message_exact(m.octets, m.len);
            domains[i].len[j] = m.len;
        }
    }
    return 0;
}

static int free_domains(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOMAINS; i++)
        for (size_t j = 0; j < REPLIES; j++)
            free(domains[i].octets[j]);
    return 0;
}

static struct engine_stats run(size_t table_size)
{
    struct mxclash_options options = detector_options();
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    struct engine_stats stats;

    options.table_size = table_size;
    options.recheck_interval_s = 5;
    options.expire_after_s = 60;
    options.on_event = count_event;
    options.queue_events = table_size >= 1 << 20 ? 64 : 0;
    taken = all_told = 0;
    options.lookup = true;
    options.on_held = count_held;
    held = 0;
    memset(told, 0, sizeof(told));
    faults = 0;
    assert_int_equal(mxclash_engine_new(&options, &engine, NULL, 0), mxclash_ok);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &seeds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    walk_all(DETECTOR_START);
    engine_get_stats(engine, &stats);
    mxclash_engine_free(engine);
    assert_int_equal(atomic_load(&faults), 0);
    if (options.queue_events != 0)
        assert_int_equal(atomic_load(&taken) + stats.events_lost, atomic_load(&all_told));
    assert_int_equal(stats.malformed, 0);
    assert_true(stats.inspected >= THREADS * STEPS);
    return stats;
}

static uint64_t sum(const uint64_t *values, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++)
        total += values[i];
    return total;
}

static void test_with_room(void **state)
{
    struct engine_stats stats = run(4 << 20);
    uint64_t opened = sum(stats.opened, MXCLASH_KINDS);
    uint64_t cleared = sum(stats.cleared, MXCLASH_KINDS);
    uint64_t expired = sum(stats.expired, MXCLASH_KINDS);

    (void)state;
    assert_int_equal(stats.table_evictions, 0);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        assert_int_equal(stats.opened[kind] - stats.cleared[kind] - stats.expired[kind],
                         sum(stats.open_now[kind], MXCLASH_STATES));
    assert_true(stats.table_entries <= DOMAINS);
    /* it was a test: every thing happened, and often */
    assert_true(opened > 1000 && cleared > 1000);
    for (int result = 0; result < MXCLASH_PROOF_RESULTS; result++)
        assert_true(stats.proofs[result] > 10);
    assert_true(stats.proofs_dropped[mxclash_drop_host] > 10);
    assert_true(atomic_load(&held) > 100);
    /* none is told that did not happen */
    assert_in_range(atomic_load(&told[mxclash_opened]), 1, opened);
    assert_in_range(atomic_load(&told[mxclash_cleared]), 1, cleared);
    assert_true(atomic_load(&told[mxclash_expired]) <= expired);
}

static void test_without_room(void **state)
{
    struct engine_stats stats = run(256 << 10);

    (void)state;
    assert_true(stats.table_evictions > 1000);
    assert_true(stats.table_bytes <= stats.table_bytes_limit);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        uint64_t open = sum(stats.open_now[kind], MXCLASH_STATES);

        assert_true(open <= stats.table_entries);
        assert_true(open <= stats.opened[kind] - stats.cleared[kind] - stats.expired[kind]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_with_room),
        cmocka_unit_test(test_without_room),
    };

    return cmocka_run_group_tests(tests, make_domains, free_domains);
}
