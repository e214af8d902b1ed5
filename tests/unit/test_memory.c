/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The bound on memory holds against what malloc() really gave: a million random names of every
 * length, with targets and MX sets of every size, through engines of several sizes.
 */
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine/stats.h"
#include "core/providers/providers.h"
#include "message.h"

#define NAMES     (REAL_MALLOC ? 1000000 : 100000)
#define TEMPLATES 256
#define START     INT64_C(1767323045678)

/* sanitisers bring a malloc() of their own, with other overheads */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REAL_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REAL_MALLOC 0
#endif
#endif
#ifndef REAL_MALLOC
#define REAL_MALLOC 1
#endif

/** Answers whose owner's first label is to be overwritten; the owner is the zone. */
static struct {
    uint8_t *octets;
    size_t len;
    size_t zone_len;
} templates[TEMPLATES];

static struct mxclash_options options = {
    .struct_size = sizeof(struct mxclash_options),
    .seed = 7,
    .probe = true,
    .probe_rate = 1000,
    .recheck_interval_s = 3600,
    .expire_after_s = 172800,
};

static int make_templates(void **state)
{
    static struct message m;

    (void)state;
    srandom(6);
    for (int i = 0; i < TEMPLATES; i++) {
        char owner[160] = "", target[160] = "";
        int exchanges = i % 20 == 0 ? (int)(random() % 25) : (int)(random() % 4);

        memset(owner, 'x', (size_t)(4 + random() % 60));
        memset(target, 'y', (size_t)(1 + random() % 60));
        strcat(strcat(owner, random() % 2 == 0 ? "." : ".very.deep.below.the.top."), "test");
        strcat(target, ".test");
        message_begin(&m, MESSAGE_AA, owner, i % 2 == 0 ? wire_type_mx : wire_type_a);
        m.compress = true;
        message_cname(&m, owner, 600, target);
        for (int j = 0; j < exchanges; j++) {
            char exchange[32];

            snprintf(exchange, sizeof(exchange), "mx%d.qiye.aliyun.com", j);
            message_mx(&m, owner, 600, (uint16_t)j, exchange);
        }
        templates[i].octets = message_exact(m.octets, m.len);
        templates[i].len = m.len;
        templates[i].zone_len = strlen(owner) + 2;
    }
    return 0;
}

static int free_templates(void **state)
{
    (void)state;
    for (int i = 0; i < TEMPLATES; i++)
        free(templates[i].octets);
    return 0;
}

static void flood(struct mxclash_engine *engine, int names)
{
    for (int i = 0; i < names; i++) {
        int number = (int)(random() % TEMPLATES);
        struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                        .message = templates[number].octets,
                                        .message_len = templates[number].len,
                                        .zone = templates[number].octets + WIRE_HEADER_OCTETS,
                                        .zone_len = templates[number].zone_len};
        long name = random();
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        memcpy(templates[number].octets + WIRE_HEADER_OCTETS + 1, &name, 4);
        mxclash_inspect(engine, &answer, START + i);
        if (i % 8 == 0)
            mxclash_client_mx(engine, answer.zone, answer.zone_len, mxclash_reply_hides, START + i);
        while (i % 64 == 0 && mxclash_proof_next(engine, START + i, &proof))
            mxclash_proof_abandon(engine, &proof, START + i);
    }
}

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

struct job {
    size_t table_size;
    int names;
    struct mxclash_engine *engine;
};

/** A thread of its own: what malloc() keeps by for a thread goes back when it ends. */
static void *work(void *context)
{
    struct job *job = context;

    options.table_size = job->table_size;
    if (mxclash_engine_new(&options, &job->engine, NULL, 0) == mxclash_ok)
        flood(job->engine, job->names);
    return NULL;
}

static void check_bound(size_t table_size, int names)
{
    struct job job = {.table_size = table_size, .names = names};
    size_t before = in_use(), taken;
    struct engine_stats stats;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, work, &job), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(job.engine);
    taken = in_use() - before;
    engine_get_stats(job.engine, &stats);
    mxclash_engine_free(job.engine);
    printf("table %zu: counted %zu, really taken %zu, %zu cases\n", table_size,
           (size_t)stats.table_bytes, REAL_MALLOC ? taken : 0, (size_t)stats.table_entries);
    assert_int_equal(stats.table_bytes_limit, table_size);
    assert_true(stats.table_bytes <= table_size);
    assert_true(stats.table_evictions > 0 && stats.table_entries > 0);
    /* it is used, too */
    assert_true(stats.table_bytes > table_size / 10 * 8);
    if (REAL_MALLOC) {
        assert_true(taken <= table_size);
        assert_true(taken > stats.table_bytes / 10 * 9);
    }
}

static void test_smallest(void **state)
{
    (void)state;
    check_bound(262144, NAMES / 20);
}

static void test_odd(void **state)
{
    (void)state;
    check_bound(1234567, NAMES / 20);
}

static void test_million_names(void **state)
{
    (void)state;
    check_bound(16 << 20, NAMES);
}

#define TURNS 8

/** Threads that are all alive, each with memory of malloc()'s for itself, flood one after another.
 */
struct turn {
    struct mxclash_engine *engine;
    sem_t *mine, *next;
};

static void *take_turn(void *context)
{
    struct turn *turn = context;

    sem_wait(turn->mine);
    flood(turn->engine, NAMES / 20);
    sem_post(turn->next);
    /* until all are done */
    sem_wait(turn->mine);
    return NULL;
}

static size_t from_system(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.arena + info.hblkhd;
}

/** What one thread took and another gave up does not add up: the table is one piece. */
static void test_many_threads(void **state)
{
    struct turn turns[TURNS];
    sem_t turn_of[TURNS + 1];
    pthread_t threads[TURNS];
    struct mxclash_engine *engine;
    size_t before = from_system();

    (void)state;
    options.table_size = 4 << 20;
    assert_int_equal(mxclash_engine_new(&options, &engine, NULL, 0), mxclash_ok);
    for (int i = 0; i <= TURNS; i++)
        sem_init(&turn_of[i], 0, 0);
    for (int i = 0; i < TURNS; i++) {
        turns[i] = (struct turn){engine, &turn_of[i], &turn_of[i + 1]};
        assert_int_equal(pthread_create(&threads[i], NULL, take_turn, &turns[i]), 0);
    }
    sem_post(&turn_of[0]);
    sem_wait(&turn_of[TURNS]);
    /* what each thread needs beside */
    if (REAL_MALLOC)
        assert_in_range(from_system() - before, 0, options.table_size + TURNS * 135168);
    for (int i = 0; i < TURNS; i++)
        sem_post(&turn_of[i]);
    for (int i = 0; i < TURNS; i++)
        pthread_join(threads[i], NULL);
    mxclash_engine_free(engine);
}

static void *make_providers(void *context)
{
    char error[PROVIDERS_ERROR_MAX];

    *(struct providers **)context = providers_builtin(error);
    return NULL;
}

/** The table of providers says truly what it takes. */
static void test_providers(void **state)
{
    size_t before = in_use(), taken;
    struct providers *providers = NULL;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, make_providers, &providers), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_non_null(providers);
    taken = in_use() - before;
    if (REAL_MALLOC)
        assert_in_range(taken, providers_octets(providers) * 9 / 10,
                        providers_octets(providers) * 11 / 10);
    providers_free(providers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_providers),    cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_odd),          cmocka_unit_test(test_million_names),
        cmocka_unit_test(test_many_threads),
    };

    return cmocka_run_group_tests(tests, make_templates, free_templates);
}
