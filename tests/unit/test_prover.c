/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * libmxclash-prover: a thread that proves in somebody else's process, and a detector that all
 * threads of a process share. Run it under a thread sanitiser too. The resolver that is asked here
 * refuses everything, so proofs fail; proofs that come to something are tests/system's.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mxclash-prover.h"

#define THREADS   4
#define OWNERS    200
#define ENOUGH_MS 60000
#define CNAME     5
#define MX        15

/** Refuses all that it is asked. */
static struct {
    int socket;
    char name[32];
    pthread_t thread;
    atomic_uint asked;
    atomic_bool over;
} resolver;

static const char *resolvers[1];

static mxclash_time now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (mxclash_time)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void *refuse(void *none)
{
    uint8_t octets[512];
    struct sockaddr_in peer;
    (void)none;
    while (!atomic_load(&resolver.over)) {
        struct pollfd readable = {.fd = resolver.socket, .events = POLLIN};
        socklen_t peer_len = sizeof(peer);
        if (poll(&readable, 1, 50) != 1) {
            continue;
        }
        const ssize_t len = recvfrom(resolver.socket, octets, sizeof(octets), 0,
                                     (struct sockaddr *)&peer, &peer_len);
        if (len < 12) {
            continue;
        }
        atomic_fetch_add(&resolver.asked, 1);
        octets[2] |= 0x80;
        octets[3] = 5;
        sendto(resolver.socket, octets, (size_t)len, 0, (struct sockaddr *)&peer, peer_len);
    }
    return NULL;
}

static int group_setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    (void)state;
    resolver.socket = socket(AF_INET, SOCK_DGRAM, 0);
    if (resolver.socket < 0 || bind(resolver.socket, (struct sockaddr *)&address, len) != 0 ||
        getsockname(resolver.socket, (struct sockaddr *)&address, &len) != 0) {
        return -1;
    }
    snprintf(resolver.name, sizeof(resolver.name), "127.0.0.1@%u", ntohs(address.sin_port));
    resolvers[0] = resolver.name;
    return pthread_create(&resolver.thread, NULL, refuse, NULL);
}

static int group_teardown(void **state)
{
    (void)state;
    atomic_store(&resolver.over, true);
    pthread_join(resolver.thread, NULL);
    return close(resolver.socket);
}

static struct mxclash_options options(void)
{
    struct mxclash_options options;
    mxclash_options_init(&options, sizeof(options));
    options.lookup = 1;
    options.probe_rate = 10000;
    options.confirm_after_s = 0;
    options.queue_events = 16;
    return options;
}

static struct mxclash_prover_options prover_options(void)
{
    struct mxclash_prover_options options;
    mxclash_prover_options_init(&options, sizeof(options));
    assert_int_equal(options.rate, 10);
    options.rate = 10000;
    options.resolvers = resolvers;
    options.resolver_count = 1;
    return options;
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/** The sum over the labels of a counter. */
static uint64_t counted(struct mxclash_engine *engine, const char *name)
{
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};
    uint64_t sum = 0;
    for (uint32_t i = 0; mxclash_get_stat(engine, i, &stat); i++) {
        sum += strcmp(stat.name, name) == 0 ? stat.value : 0;
    }
    return sum;
}

static void wait_counted(struct mxclash_engine *engine, const char *name, uint64_t least)
{
    for (mxclash_time end = now() + ENOUGH_MS; counted(engine, name) < least; sleep_ms(5)) {
        assert_true(now() < end);
    }
}

/** A resolver's records of an owner: a CNAME and an MX, out of its cache. */
static void see_both(struct mxclash_engine *engine, unsigned number)
{
    char text[64];
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t len;
    uint8_t mx[] = {0, 5, 1, 'm', 4, 't', 'e', 's', 't', 0};
    /* a domain for each: one has a share of proofs */
    snprintf(text, sizeof(text), "owner%u.example", number);
    assert_int_equal(mxclash_name_from_text(text, owner, &len), mxclash_ok);
    struct mxclash_record list[2] = {
        {.type = CNAME, .rdata = mx + 2, .rdata_len = sizeof(mx) - 2},
        {.type = MX, .rdata = mx, .rdata_len = sizeof(mx)},
    };
    for (int i = 0; i < 2; i++) {
        list[i].owner = owner;
        list[i].owner_len = (uint8_t)len;
        list[i].ttl_s = 600;
        list[i].rr_class = list[i].section = 1;
    }
    const struct mxclash_records records = {
        .struct_size = sizeof(records),
        .qtype = MX,
        .qname = owner,
        .qname_len = (uint32_t)len,
        .records = list,
        .record_count = 2,
        .forwarded = 1,
    };
    assert_int_equal(mxclash_inspect_records(engine, &records, now()), mxclash_ok);
}

/** Entries of a folder of /proc/self. */
static unsigned entries(const char *path)
{
    DIR *folder = opendir(path);
    unsigned count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static void test_a_bad_option_is_refused_in_words(void **state)
{
    static const char *const bad[] = {"192.0.2.300"};
    const struct {
        struct mxclash_prover_options options;
        const char *words;
    } tries[] = {
        {{.struct_size = sizeof(struct mxclash_prover_options)}, "rate is 0"},
        {{.struct_size = sizeof(struct mxclash_prover_options), .rate = 100001}, "rate is 100001"},
        {{.struct_size = sizeof(struct mxclash_prover_options),
          .rate = 1,
          .resolvers = bad,
          .resolver_count = 1},
         "resolver 192.0.2.300"},
        {{.struct_size = sizeof(struct mxclash_prover_options), .rate = 1, .resolver_count = 9},
         "more than 8"},
        {{.struct_size = sizeof(struct mxclash_prover_options),
          .rate = 1,
          .do_not_ask = bad,
          .do_not_ask_count = 1},
         "do_not_ask 192.0.2.300"},
        {{.struct_size = sizeof(struct mxclash_prover_options),
          .rate = 1,
          .may_ask = bad,
          .may_ask_count = 1},
         "may_ask 192.0.2.300"},
        {{.struct_size = 8, .rate = 1}, "struct_size is 8"},
    };
    struct mxclash_options engine_options = options();
    struct mxclash_prover *prover = NULL;
    struct mxclash_shared *shared = NULL;
    char error[MXCLASH_ERROR_MAX];
    struct mxclash_engine *engine;
    (void)state;
    assert_int_equal(mxclash_prover_abi(), MXCLASH_PROVER_ABI);
    assert_int_equal(mxclash_engine_new(&engine_options, &engine, NULL, 0), mxclash_ok);
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        assert_int_equal(
            mxclash_prover_new(engine, &tries[i].options, &prover, error, sizeof(error)),
            mxclash_invalid);
        assert_non_null(strstr(error, tries[i].words));
        assert_int_equal(mxclash_shared_get("bad", &engine_options, &tries[i].options, &shared,
                                            error, sizeof(error)),
                         mxclash_invalid);
        assert_non_null(strstr(error, tries[i].words));
        assert_int_equal(mxclash_prover_new(engine, &tries[i].options, &prover, NULL, 0),
                         mxclash_invalid);
    }
    engine_options.probe_rate = 0;
    assert_int_equal(
        mxclash_shared_get("bad", &engine_options, NULL, &shared, error, sizeof(error)),
        mxclash_invalid);
    assert_non_null(strstr(error, "probe_rate"));
    assert_null(prover);
    assert_null(shared);
    mxclash_engine_free(engine);
}

/** What a newer host has behind the end of a struct of today must be 0. */
static void test_options_of_a_newer_host(void **state)
{
    struct {
        struct mxclash_prover_options known;
        uint64_t more[2];
    } newer = {.known = prover_options()};
    struct mxclash_options engine_options = options();
    struct mxclash_engine *engine;
    struct mxclash_prover *prover;
    (void)state;
    assert_int_equal(mxclash_engine_new(&engine_options, &engine, NULL, 0), mxclash_ok);
    newer.known.struct_size = sizeof(newer);
    assert_int_equal(mxclash_prover_new(engine, &newer.known, &prover, NULL, 0), mxclash_ok);
    mxclash_prover_free(prover);
    newer.more[1] = 1;
    assert_int_equal(mxclash_prover_new(engine, &newer.known, &prover, NULL, 0), mxclash_invalid);
    mxclash_engine_free(engine);
}

/** Nothing is done before there is something to prove, and nothing is left behind. */
static void test_a_thread_proves(void **state)
{
    struct mxclash_options engine_options = options();
    const struct mxclash_prover_options whom = prover_options();
    const unsigned threads = entries("/proc/self/task"), descriptors = entries("/proc/self/fd");
    const unsigned asked = atomic_load(&resolver.asked);
    struct mxclash_engine *engine;
    struct mxclash_prover *prover;
    (void)state;
    assert_int_equal(mxclash_engine_new(&engine_options, &engine, NULL, 0), mxclash_ok);
    assert_int_equal(mxclash_prover_new(engine, &whom, &prover, NULL, 0), mxclash_ok);
    assert_int_equal(entries("/proc/self/task"), threads + 1);
    /* as the header says */
    assert_in_range(entries("/proc/self/fd"), descriptors, descriptors + 4);
    mxclash_prover_go(prover);
    assert_int_equal(atomic_load(&resolver.asked), asked);
    see_both(engine, 0);
    mxclash_prover_go(prover);
    wait_counted(engine, "mxclash_probes_total", 1);
    assert_true(atomic_load(&resolver.asked) > asked);
    mxclash_prover_free(prover);
    mxclash_prover_free(NULL);
    mxclash_prover_go(NULL);
    mxclash_engine_free(engine);
    /* a joined thread leaves the list of the process a moment later */
    for (mxclash_time end = now() + ENOUGH_MS; entries("/proc/self/task") > threads; sleep_ms(1)) {
        assert_true(now() < end);
    }
    assert_int_equal(entries("/proc/self/fd"), descriptors);
}

/** It ends at once, whatever is under way. */
static void test_it_ends_in_the_midst(void **state)
{
    struct mxclash_options engine_options = options();
    struct mxclash_prover_options whom = prover_options();
    struct mxclash_engine *engine;
    struct mxclash_prover *prover;
    (void)state;
    /* so slow that nothing comes to its end */
    whom.rate = 1;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(mxclash_engine_new(&engine_options, &engine, NULL, 0), mxclash_ok);
        assert_int_equal(mxclash_prover_new(engine, &whom, &prover, NULL, 0), mxclash_ok);
        for (unsigned owner = 0; owner < 40; owner++) {
            see_both(engine, owner);
        }
        mxclash_prover_go(prover);
        sleep_ms(i % 4);
        const mxclash_time began = now();
        mxclash_prover_free(prover);
        assert_true(now() - began < ENOUGH_MS);
        mxclash_engine_free(engine);
    }
}

struct hammer {
    unsigned first;
    struct mxclash_shared *shared;
    uint64_t grown;
};

/** What a thread of a host does: get the detector, see, wake, take events and counters. */
static void *hammer(void *context)
{
    struct hammer *own = context;
    const struct mxclash_options engine_options = options();
    const struct mxclash_prover_options whom = prover_options();
    struct mxclash_event event = {.struct_size = sizeof(event)};
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};
    if (mxclash_shared_get("one", &engine_options, &whom, &own->shared, NULL, 0) != mxclash_ok) {
        return NULL;
    }
    struct mxclash_engine *engine = mxclash_shared_engine(own->shared);
    for (unsigned i = 0; i < OWNERS / THREADS; i++) {
        see_both(engine, own->first + i);
        mxclash_shared_go(own->shared);
        while (mxclash_event_next(engine, &event)) {
        }
        for (uint32_t at = 0; mxclash_shared_growth(own->shared, at, &stat); at++) {
            own->grown += strcmp(stat.name, "mxclash_probes_total") == 0 ? stat.value : 0;
        }
    }
    return NULL;
}

/** No wake-up is lost, all are one detector, and each step of a counter comes to one of them. */
static void test_threads_share_one(void **state)
{
    struct hammer hammers[THREADS] = {{0}};
    pthread_t threads[THREADS];
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};
    const unsigned descriptors = entries("/proc/self/fd");
    uint64_t grown = 0;
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        hammers[i].first = i * (OWNERS / THREADS);
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_non_null(hammers[i].shared);
        assert_ptr_equal(hammers[i].shared, hammers[0].shared);
    }
    struct mxclash_engine *engine = mxclash_shared_engine(hammers[0].shared);
    /* nobody calls go any more */
    wait_counted(engine, "mxclash_probes_total", OWNERS);
    for (unsigned i = 0; i < THREADS; i++) {
        grown += hammers[i].grown;
    }
    for (uint32_t at = 0; mxclash_shared_growth(hammers[0].shared, at, &stat); at++) {
        grown += strcmp(stat.name, "mxclash_probes_total") == 0 ? stat.value : 0;
    }
    assert_int_equal(grown, counted(engine, "mxclash_probes_total"));
    for (uint32_t at = 0; mxclash_shared_growth(hammers[0].shared, at, &stat); at++) {
        assert_true(stat.is_counter == 0 || stat.value == 0 ||
                    strcmp(stat.name, "mxclash_probes_total") != 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        mxclash_shared_release(hammers[i].shared);
    }
    mxclash_shared_release(NULL);
    assert_int_equal(entries("/proc/self/fd"), descriptors);
}

/** Loads and releases as they come, of two names, the last holder in each thread by turns. */
static void *come_and_go(void *context)
{
    struct mxclash_options engine_options = options();
    const struct mxclash_prover_options whom = prover_options();
    atomic_uint *done = context;
    engine_options.table_size = 1 << 20;
    for (unsigned i = 0; i < 30; i++) {
        struct mxclash_shared *shared = NULL;
        if (mxclash_shared_get(i % 2 == 0 ? "even" : "odd", &engine_options, &whom, &shared, NULL,
                               0) != mxclash_ok) {
            return NULL;
        }
        see_both(mxclash_shared_engine(shared), i);
        mxclash_shared_go(shared);
        mxclash_shared_release(shared);
        atomic_fetch_add(done, 1);
    }
    return NULL;
}

static void test_they_come_and_go(void **state)
{
    const unsigned descriptors = entries("/proc/self/fd");
    pthread_t threads[THREADS];
    atomic_uint done = 0;
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &done), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(done, THREADS * 30);
    assert_int_equal(entries("/proc/self/fd"), descriptors);
}

/** By name, and without probe nobody proves; a seed of 0 is made a random one. */
static void test_one_for_each_name(void **state)
{
    struct mxclash_options engine_options = options();
    const unsigned threads = entries("/proc/self/task");
    struct mxclash_shared *first, *second, *again;
    (void)state;
    engine_options.probe = 0;
    assert_int_equal(mxclash_shared_get("a", &engine_options, NULL, &first, NULL, 0), mxclash_ok);
    assert_int_equal(mxclash_shared_get("b", &engine_options, NULL, &second, NULL, 0), mxclash_ok);
    assert_int_equal(mxclash_shared_get("a", &engine_options, NULL, &again, NULL, 0), mxclash_ok);
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(mxclash_shared_engine(first), mxclash_shared_engine(second));
    assert_int_equal(entries("/proc/self/task"), threads);
    mxclash_shared_go(first);
    mxclash_shared_release(first);
    see_both(mxclash_shared_engine(again), 1);
    mxclash_shared_release(second);
    mxclash_shared_release(again);
    /* it is gone: the next one knows nothing */
    assert_int_equal(mxclash_shared_get("a", &engine_options, NULL, &first, NULL, 0), mxclash_ok);
    assert_int_equal(counted(mxclash_shared_engine(first), "mxclash_answers_inspected_total"), 0);
    mxclash_shared_release(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_option_is_refused_in_words),
        cmocka_unit_test(test_options_of_a_newer_host),
        cmocka_unit_test(test_a_thread_proves),
        cmocka_unit_test(test_it_ends_in_the_midst),
        cmocka_unit_test(test_threads_share_one),
        cmocka_unit_test(test_they_come_and_go),
        cmocka_unit_test(test_one_for_each_name),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
