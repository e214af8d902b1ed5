/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The detector alone, through its public API: what an answer of each class costs, how threads share
 * it, how it stands as names go by. Prints one JSON object a line.
 *
 * usage: core_bench class NUMBER COUNT OPEN    COUNT answers of one class, each of another domain,
 *                                              with OPEN conflicts open
 *        core_bench client CONFLICT COUNT OPEN COUNT client MX questions, healthy or in conflict
 *        core_bench threads COUNT ROUNDS       the mix of samples.c: one thread, two that share an
 *                                              engine, two with one each
 *        core_bench names MAX                  10,000 domains of the mix, 100,000, ... MAX
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"
#include "mxclash.h"
#include "samples.h"

#define TABLE_OCTETS (16u << 20)
/* conflicts that are open from the start have the last numbers */
#define OPEN_DOMAINS_AT 0xfff00000u
#define START_MS        INT64_C(1750000000000)
/* 50 million names a day */
#define STEP_US    1728
#define TICK_EVERY 128

typedef enum mxclash_status (*inspector)(struct mxclash_engine *, const struct mxclash_answer *,
                                         mxclash_time);

static struct sample samples[SAMPLE_CLASSES];
static atomic_ulong events;

static void count_event(void *context, const struct mxclash_event *event)
{
    (void)context, (void)event;
    atomic_fetch_add_explicit(&events, 1, memory_order_relaxed);
}

static mxclash_time time_at(uint64_t i)
{
    return START_MS + (mxclash_time)(i * STEP_US / 1000);
}

/** The defaults of the configuration file. */
static struct mxclash_engine *new_engine(void)
{
    const struct mxclash_options options = {
        .struct_size = sizeof(options),
        .table_size = TABLE_OCTETS,
        .seed = UINT64_C(0x9e3779b97f4a7c15),
        .probe = true,
        .probe_rate = 10,
        .recheck_interval_s = 3600,
        .confirm_after_s = 2,
        .expire_after_s = 172800,
        .lookup = true,
        .on_event = count_event,
    };
    struct mxclash_engine *engine = NULL;

    if (mxclash_engine_new(&options, &engine, NULL, 0) != mxclash_ok) {
        fputs("core_bench: no engine\n", stderr);
        exit(1);
    }
    return engine;
}

/** What the loop around an answer costs: the same call, of a function that does nothing. */
static enum mxclash_status inspect_nothing(struct mxclash_engine *engine,
                                           const struct mxclash_answer *answer, mxclash_time now)
{
    (void)engine, (void)answer, (void)now;
    return mxclash_ok;
}

static void open_conflicts(struct mxclash_engine *engine, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sample_set_domain(&samples[sample_both], OPEN_DOMAINS_AT + i);
        mxclash_inspect(engine, &samples[sample_both].answer, START_MS);
    }
}

static void run_class(inspector inspect, struct mxclash_engine *engine, enum sample_class class,
                      uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        sample_set_domain(&samples[class], (uint32_t)i);
        inspect(engine, &samples[class].answer, time_at(i));
    }
}

/** \return (with - without) / count, where both are differences of readings */
static double per_answer(uint64_t with_begin, uint64_t with_end, uint64_t without_end,
                         uint64_t count)
{
    return ((double)(with_end - with_begin) - (double)(without_end - with_end)) / (double)count;
}

static void print_cost(const char *name, uint64_t count, unsigned open,
                       const struct reading reading[3])
{
    printf("{\"class\": \"%s\", \"answers\": %llu, \"open\": %u, \"ns\": %.1f, "
           "\"instructions\": %.1f}\n",
           name, (unsigned long long)count, open,
           per_answer(reading[0].cpu_ns, reading[1].cpu_ns, reading[2].cpu_ns, count),
           per_answer(reading[0].instructions, reading[1].instructions, reading[2].instructions,
                      count));
}

static void bench_class(enum sample_class class, uint64_t count, unsigned open)
{
    struct mxclash_engine *engine = new_engine();
    struct reading reading[3];
    struct meter meter;

    meter_open(&meter);
    open_conflicts(engine, open);
    reading[0] = meter_read(&meter);
    run_class(mxclash_inspect, engine, class, count);
    reading[1] = meter_read(&meter);
    run_class(inspect_nothing, engine, class, count);
    reading[2] = meter_read(&meter);
    print_cost(sample_names[class], count, open, reading);
    meter_close(&meter);
    mxclash_engine_free(engine);
}

static void bench_client(bool in_conflict, uint64_t count, unsigned open)
{
    struct mxclash_engine *engine = new_engine();
    struct sample *sample = &samples[sample_mx];
    struct reading reading[3];
    struct meter meter;

    meter_open(&meter);
    open_conflicts(engine, open);
    for (int pass = 0; pass < 2; pass++) {
        reading[pass] = meter_read(&meter);
        for (uint64_t i = 0; i < count; i++) {
            uint32_t number = in_conflict ? (uint32_t)(OPEN_DOMAINS_AT + i % open) : (uint32_t)i;

            sample_set_domain(sample, number);
            if (pass == 0)
                mxclash_client_mx(engine, sample->zone, sample->answer.zone_len,
                                  in_conflict ? mxclash_reply_hides : mxclash_reply_shows,
                                  time_at(i));
        }
    }
    reading[2] = meter_read(&meter);
    print_cost(in_conflict ? "client MX of a conflict" : "client MX", count, open, reading);
    meter_close(&meter);
    mxclash_engine_free(engine);
}

/* --- as a host does it: the mix, proofs and lookups answered at once ----------------------------
 */

/** Answer the questions of a proof as the domain's authority would. */
static void answer_proof(struct mxclash_engine *engine, struct sample own[SAMPLE_CLASSES],
                         const struct mxclash_proof *proof, mxclash_time now)
{
    uint32_t domain = sample_domain_of(proof->owner, proof->owner_len);
    bool broken = sample_of_mix(domain) == sample_both;

    for (unsigned i = 0; i < proof->qtype_count; i++) {
        uint16_t qtype = proof->qtypes[i];
        struct sample *sample = &own[sample_mx];
        uint16_t its_qtype = 15;

        if (broken && qtype == 5) {
            sample = &own[sample_cname_apex];
            its_qtype = 1;
        }
        sample_set_domain(sample, domain);
        sample_set_qtype(sample, qtype);
        if (qtype == 15 || sample != &own[sample_mx])
            mxclash_proof_answer(engine, proof, qtype, &sample->answer, now);
        sample_set_qtype(sample, its_qtype);
        mxclash_proof_end(engine, proof, qtype, now);
    }
}

static void run_errands(struct mxclash_engine *engine, struct sample own[SAMPLE_CLASSES],
                        mxclash_time now)
{
    const struct mxclash_lookup_reply reply = {
        .struct_size = sizeof(reply), .answered = true, .has_address = true};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    if (mxclash_proof_next(engine, now, &proof))
        answer_proof(engine, own, &proof, now);
    if (mxclash_lookup_next(engine, now, &lookup))
        mxclash_lookup_end(engine, &lookup, &reply, now);
}

/**
 * The clock of threads that run at once: how many answers of all have been looked at, as the first
 * thread has it. Workers of a resolver have one clock; clocks that went apart by 11 s, which is
 * 0.3 ms here, would have nearly every answer look for expired cases.
 */
static struct {
    _Alignas(128) atomic_ullong answers;
    char padding[120];
} common;
/* answers of a thread from one look at the clock to the next */
#define CLOCK_EVERY 512

/** count answers, each of another domain, first the first. \param engine  NULL: the loop alone */
static void run_mix(struct mxclash_engine *engine, struct sample own[SAMPLE_CLASSES],
                    uint64_t first, uint64_t count, unsigned threads)
{
    uint64_t begun = first;

    for (uint64_t i = 0; i < count; i++) {
        struct sample *sample = &own[sample_of_mix(first + i)];
        mxclash_time now;

        if (threads != 1 && i % CLOCK_EVERY == 0) {
            if (first == 0)
                atomic_store_explicit(&common.answers, i * threads, memory_order_relaxed);
            begun = atomic_load_explicit(&common.answers, memory_order_relaxed);
        }
        now = time_at(threads == 1 ? first + i : begun + i % CLOCK_EVERY * threads);
        sample_set_domain(sample, (uint32_t)(first + i));
        if (engine == NULL)
            continue;
        mxclash_inspect(engine, &sample->answer, now);
        if (mxclash_errands_wait(engine))
            run_errands(engine, own, now);
        if (i % TICK_EVERY == 0)
            mxclash_tick(engine);
    }
}

static void init_samples(struct sample own[SAMPLE_CLASSES])
{
    for (int class = 0; class < SAMPLE_CLASSES; class ++)
        sample_init(&own[class], (enum sample_class) class);
}

/** A counter by its name. */
static unsigned long long stat_of(const struct mxclash_engine *engine, const char *name)
{
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};

    for (uint32_t i = 0; mxclash_get_stat(engine, i, &stat); i++)
        if (strcmp(stat.name, name) == 0)
            return stat.value;
    return 0;
}

static void bench_names(uint64_t max)
{
    struct mxclash_engine *engine = new_engine();
    struct reading reading[3];
    struct meter meter;
    uint64_t from = 0;

    meter_open(&meter);
    for (uint64_t to = 10000; to <= max; to *= 10) {
        uint64_t count = to - from;

        reading[0] = meter_read(&meter);
        run_mix(engine, samples, from, count, 1);
        reading[1] = meter_read(&meter);
        run_mix(NULL, samples, from, count, 1);
        reading[2] = meter_read(&meter);
        printf("{\"names\": %llu, \"resident_octets\": %llu, \"table_octets\": %llu, "
               "\"table_octets_limit\": %llu, \"entries\": %llu, \"evictions\": %llu, "
               "\"events\": %lu, \"ns\": %.1f, \"instructions\": %.1f}\n",
               (unsigned long long)to, (unsigned long long)meter_resident_octets(),
               stat_of(engine, "mxclash_table_bytes"), stat_of(engine, "mxclash_table_bytes_limit"),
               stat_of(engine, "mxclash_table_entries"),
               stat_of(engine, "mxclash_table_evictions_total"), atomic_load(&events),
               per_answer(reading[0].cpu_ns, reading[1].cpu_ns, reading[2].cpu_ns, count),
               per_answer(reading[0].instructions, reading[1].instructions, reading[2].instructions,
                          count));
        fflush(stdout);
        from = to;
    }
    meter_close(&meter);
    mxclash_engine_free(engine);
}

/* --- threads -------------------------------------------------------------------------------------
 */

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    struct mxclash_engine *engine;
    uint64_t first;
    uint64_t count;
    unsigned threads;
    struct reading spent;
    /* a cache line of its own */
    _Alignas(64) struct sample own[SAMPLE_CLASSES];
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct reading begin, end;
    struct meter meter;

    init_samples(worker->own);
    meter_open(&meter);
    pthread_barrier_wait(worker->start);
    begin = meter_read(&meter);
    run_mix(worker->engine, worker->own, worker->first, worker->count, worker->threads);
    end = meter_read(&meter);
    meter_close(&meter);
    worker->spent = (struct reading){.wall_ns = end.wall_ns - begin.wall_ns,
                                     .cpu_ns = end.cpu_ns - begin.cpu_ns,
                                     .instructions = end.instructions - begin.instructions};
    return NULL;
}

/** count answers by so many threads. \return what they spent: the longest wall time, the sum of the
 * rest */
static struct reading run_threads(unsigned threads, unsigned engines, uint64_t count)
{
    static struct worker workers[2];
    struct mxclash_engine *engine[2] = {new_engine(), new_engine()};
    struct reading spent = {0};
    pthread_barrier_t start;

    atomic_store(&common.answers, 0);
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].start = &start;
        workers[i].engine = engine[engines == 2 ? i : 0];
        workers[i].threads = threads;
        workers[i].count = count / threads;
        workers[i].first = i * workers[i].count;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            fputs("core_bench: no thread\n", stderr);
            exit(1);
        }
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].spent.wall_ns > spent.wall_ns)
            spent.wall_ns = workers[i].spent.wall_ns;
        spent.cpu_ns += workers[i].spent.cpu_ns;
        spent.instructions += workers[i].spent.instructions;
    }
    pthread_barrier_destroy(&start);
    mxclash_engine_free(engine[0]);
    mxclash_engine_free(engine[1]);
    return spent;
}

static void bench_threads(uint64_t count, unsigned rounds)
{
    static const struct {
        unsigned threads, engines;
    } runs[] = {{1, 1}, {2, 1}, {2, 2}};

    for (unsigned i = 0; i < rounds * 3; i++) {
        unsigned threads = runs[i % 3].threads, engines = runs[i % 3].engines;
        struct reading spent = run_threads(threads, engines, count);
        printf("{\"threads\": %u, \"engines\": %u, \"answers\": %llu, \"wall_ns\": %llu, "
               "\"ns\": %.2f, \"instructions\": %.1f}\n",
               threads, engines, (unsigned long long)count, (unsigned long long)spent.wall_ns,
               (double)spent.cpu_ns / (double)count, (double)spent.instructions / (double)count);
        fflush(stdout);
    }
}

/** Read a number of the command line, or end. */
static uint64_t number(const char *text, uint64_t max)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value > max) {
        fprintf(stderr, "core_bench: %s is no number up to %llu\n", text, (unsigned long long)max);
        exit(2);
    }
    return value;
}

int main(int argc, char **argv)
{
    const uint64_t most = UINT64_C(1000000000);

    init_samples(samples);
    if (argc == 5 && strcmp(argv[1], "class") == 0)
        bench_class((enum sample_class)number(argv[2], SAMPLE_CLASSES - 1), number(argv[3], most),
                    (unsigned)number(argv[4], 10000));
    else if (argc == 5 && strcmp(argv[1], "client") == 0 && number(argv[4], 10000) != 0)
        bench_client(number(argv[2], 1) != 0, number(argv[3], most),
                     (unsigned)number(argv[4], 10000));
    else if (argc == 4 && strcmp(argv[1], "threads") == 0)
        bench_threads(number(argv[2], most), (unsigned)number(argv[3], 1000));
    else if (argc == 3 && strcmp(argv[1], "names") == 0)
        bench_names(number(argv[2], most));
    else {
        fputs("usage: core_bench class|client|threads|names ..., see core_bench.c\n", stderr);
        return 2;
    }
    return 0;
}
