/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What grows with the table and with what is in it, through the detector's public API. Prints one
 * JSON object.
 *
 * usage: growth_bench open COUNT    COUNT conflicts are open: an answer, a client's MX question of
 *                                   one of them alone and while somebody scrapes, a scrape
 *        growth_bench table MIB     a table of MIB: the start, an answer
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

#define START_MS INT64_C(1750000000000)
/* so many conflicts a second may open without a proof, see openings.h */
#define OPENING_MS 100
/* octets of the table for each conflict that is to be open; memory that is not used is not taken */
#define OCTETS_A_CONFLICT 4096u
#define TABLE_OCTETS_MIN  (16u << 20)
#define ANSWERS           400000u
#define CLIENTS           200000u
#define SCRAPED           100
#define DOMAINS_AT        0xfff00000u

static struct sample samples[SAMPLE_CLASSES];

static struct mxclash_engine *new_engine(size_t table_octets)
{
    const struct mxclash_options options = {
        .struct_size = sizeof(options),
        .table_size = table_octets,
        .seed = UINT64_C(0x9e3779b97f4a7c15),
        .probe_rate = 10,
        .recheck_interval_s = 3600,
        .expire_after_s = 31536000,
    };
    struct mxclash_engine *engine = NULL;

    if (mxclash_engine_new(&options, &engine, NULL, 0) != mxclash_ok) {
        fputs("growth_bench: no engine\n", stderr);
        exit(1);
    }
    return engine;
}

/** \return when the last of count conflicts opened */
static mxclash_time open_conflicts(struct mxclash_engine *engine, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        sample_set_domain(&samples[sample_both], DOMAINS_AT + i);
        mxclash_inspect(engine, &samples[sample_both].answer,
                        START_MS + (mxclash_time)i * OPENING_MS);
    }
    return START_MS + (mxclash_time)count * OPENING_MS;
}

/** What an answer of the mix costs, without the loop around it. */
static void print_answers(struct mxclash_engine *engine, mxclash_time now)
{
    struct reading reading[3];
    struct meter meter;

    meter_open(&meter);
    for (int pass = 0; pass < 2; pass++) {
        reading[pass] = meter_read(&meter);
        for (uint32_t i = 0; i < ANSWERS; i++) {
            struct sample *sample = &samples[sample_of_mix(i)];

            sample_set_domain(sample, i);
            if (pass == 0)
                mxclash_inspect(engine, &sample->answer, now + i);
        }
    }
    reading[2] = meter_read(&meter);
    meter_close(&meter);
    for (int i = 0; i < 2; i++) {
        reading[i].cpu_ns = reading[i + 1].cpu_ns - reading[i].cpu_ns;
        reading[i].instructions = reading[i + 1].instructions - reading[i].instructions;
    }
    printf("\"answer_ns\": %.1f, \"answer_instructions\": %.1f",
           ((double)reading[0].cpu_ns - (double)reading[1].cpu_ns) / ANSWERS,
           ((double)reading[0].instructions - (double)reading[1].instructions) / ANSWERS);
}

/** MX questions of open conflicts, each of which locks a shard. Wall clock: it is waits for a lock
 * that are looked for. */
static void print_clients(struct mxclash_engine *engine, unsigned open, mxclash_time now,
                          const char *name)
{
    struct sample *sample = &samples[sample_mx];
    uint64_t sum = 0, most = 0;

    for (uint32_t i = 0; i < CLIENTS; i++) {
        uint64_t begin, spent;

        sample_set_domain(sample, DOMAINS_AT + (uint32_t)(i * UINT64_C(2654435761) % open));
        begin = meter_wall_ns();
        mxclash_client_mx(engine, sample->zone, sample->answer.zone_len, mxclash_reply_hides, now);
        spent = meter_wall_ns() - begin;
        sum += spent;
        most = spent > most ? spent : most;
    }
    printf(", \"%s_ns\": %.1f, \"%s_most_ns\": %llu", name, (double)sum / CLIENTS, name,
           (unsigned long long)most);
}

struct scraper {
    struct mxclash_engine *engine;
    atomic_bool over;
    unsigned scrapes;
    uint64_t cpu_ns;
};

static void *scrape(void *argument)
{
    static struct mxclash_domain domains[SCRAPED];
    struct scraper *scraper = argument;
    struct reading begin;
    struct meter meter;

    meter_open(&meter);
    begin = meter_read(&meter);
    do {
        domains[0].struct_size = sizeof(domains[0]);
        mxclash_top_domains(scraper->engine, domains, SCRAPED);
        scraper->scrapes++;
    } while (!atomic_load(&scraper->over));
    scraper->cpu_ns = meter_read(&meter).cpu_ns - begin.cpu_ns;
    meter_close(&meter);
    return NULL;
}

static void bench_open(unsigned open)
{
    size_t table = (size_t)open * OCTETS_A_CONFLICT;
    struct mxclash_engine *engine = new_engine(table > TABLE_OCTETS_MIN ? table : TABLE_OCTETS_MIN);
    mxclash_time now = open_conflicts(engine, open);
    struct scraper scraper = {.engine = engine};
    struct mxclash_domain *all = calloc(open, sizeof(*all));
    pthread_t thread;
    size_t there;

    if (all == NULL)
        exit(1);
    all[0].struct_size = sizeof(all[0]);
    there = mxclash_top_domains(engine, all, open);
    free(all);
    printf("{\"open\": %zu, ", there);
    print_answers(engine, now);
    print_clients(engine, open, now, "client");
    if (pthread_create(&thread, NULL, scrape, &scraper) != 0)
        exit(1);
    print_clients(engine, open, now, "scraped_client");
    atomic_store(&scraper.over, true);
    pthread_join(thread, NULL);
    printf(", \"scrape_ns\": %.0f}\n", (double)scraper.cpu_ns / scraper.scrapes);
    mxclash_engine_free(engine);
}

static void bench_table(size_t mebibytes)
{
    uint64_t begin = meter_wall_ns();
    struct mxclash_engine *engine = new_engine(mebibytes << 20);
    uint64_t end = meter_wall_ns();

    printf("{\"mebibytes\": %zu, \"start_ns\": %llu, ", mebibytes,
           (unsigned long long)(end - begin));
    print_answers(engine, START_MS);
    printf("}\n");
    mxclash_engine_free(engine);
}

int main(int argc, char **argv)
{
    unsigned long value = 0;
    char *end = NULL;

    errno = 0;
    if (argc == 3)
        value = strtoul(argv[2], &end, 10);
    if (argc != 3 || errno != 0 || *end != '\0' || value == 0 || value > 1000000) {
        fputs("usage: growth_bench open|table NUMBER, see growth_bench.c\n", stderr);
        return 2;
    }
    for (int class = 0; class < SAMPLE_CLASSES; class ++)
        sample_init(&samples[class], (enum sample_class) class);
    if (strcmp(argv[1], "open") == 0)
        bench_open((unsigned)value);
    else
        bench_table(value);
    return 0;
}
