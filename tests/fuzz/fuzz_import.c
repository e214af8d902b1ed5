/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: octets that may be a case that mxclash_export() wrote, as they are and with head and
 * checksum made right. What is taken must be told as include/mxclash.h says, and written and read
 * again be the same; the engine then goes on with it.
 */
#include "fuzz.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/dns/names.h"
#include "core/engine/stats.h"

/** 2026-01-02T03:04:05.678Z */
#define NOW INT64_C(1767323045678)
/** Before and behind the facts: letters, version, length; checksum. */
#define HEAD_OCTETS     6
#define CHECKSUM_OCTETS 4

static unsigned events;

static void on_event(void *context, const struct mxclash_event *event)
{
    (void)context, (void)event;
    events++;
}

/** A small one: the built-in one would take most of the time. */
static const char providers[] = "provider p\nmx p.test\n";

static struct mxclash_engine *new_engine(void)
{
    struct mxclash_options options;
    struct mxclash_engine *engine;

    mxclash_options_init(&options, sizeof(options));
    options.table_size = 1 << 18;
    options.seed = 42;
    options.on_event = on_event;
    options.providers = providers;
    options.providers_len = sizeof(providers) - 1;
    MUST(mxclash_engine_new(&options, &engine, NULL, 0) == mxclash_ok);
    return engine;
}

static void check_name(const uint8_t *name, size_t name_len)
{
    uint8_t lower[MXCLASH_NAME_MAX];

    MUST(name_valid(name, name_len));
    name_lower(lower, name, name_len);
    MUST(memcmp(lower, name, name_len) == 0);
}

static void check_open(const struct mxclash_event *open)
{
    MUST(open->type == mxclash_opened && open->kind < MXCLASH_KINDS);
    MUST(open->state < MXCLASH_STATES && open->evidence < MXCLASH_EVIDENCES);
    MUST(open->apex >= mxclash_apex_unknown && open->apex <= mxclash_apex_yes);
    MUST(open->hides_spf >= mxclash_unknown && open->hides_spf <= mxclash_yes);
    MUST(open->impact < MXCLASH_IMPACTS && open->spf < MXCLASH_SPFS);
    MUST(open->first_seen >= 0 && open->first_seen <= open->last_seen && open->last_seen <= NOW);
    MUST(memchr(open->provider, '\0', sizeof(open->provider)) != NULL);
    check_name(open->owner, open->owner_len);
    if (open->zone_len != 0) {
        check_name(open->zone, open->zone_len);
        MUST(name_at_or_below(open->owner, open->owner_len, open->zone, open->zone_len));
    }
    if (open->cname_target_len != 0)
        check_name(open->cname_target, open->cname_target_len);
    MUST(open->mx_count <= MXCLASH_MX_MAX);
    for (int i = 0; i < open->mx_count; i++)
        check_name(open->mx[i].exchange, open->mx[i].exchange_len);
}

/** \return octets of the one case of an engine */
static size_t export_one(struct mxclash_engine *engine, uint8_t *octets)
{
    struct mxclash_cursor cursor = {{0}};
    uint8_t more[MXCLASH_EXPORT_MAX];
    size_t len = mxclash_export(engine, &cursor, octets, MXCLASH_EXPORT_MAX);

    MUST(len != 0 && mxclash_export(engine, &cursor, more, sizeof(more)) == 0);
    return len;
}

/** What was taken in is a case as any other. */
static void check_taken(struct mxclash_engine *engine)
{
    static uint8_t first[MXCLASH_EXPORT_MAX], second[MXCLASH_EXPORT_MAX];
    struct mxclash_engine *other = new_engine();
    struct mxclash_event open = {.struct_size = sizeof(open)};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    struct mxclash_cursor cursor = {{0}};
    struct engine_stats stats;
    size_t len = export_one(engine, first);
    unsigned count = 0;

    MUST(mxclash_import(other, first, len, NOW) == mxclash_ok);
    MUST(export_one(other, second) == len && memcmp(first, second, len) == 0);
    mxclash_engine_free(other);
    for (; mxclash_next_open(engine, &cursor, &open); count++)
        check_open(&open);
    engine_get_stats(engine, &stats);
    MUST(count >= 1 && count <= MXCLASH_KINDS && stats.table_entries == 1);
    MUST(events == 0);
    mxclash_client_mx(engine, open.owner, open.owner_len, mxclash_reply_hides, NOW);
    if (mxclash_recheck(engine, open.owner, open.owner_len, NOW) ||
        mxclash_next_due(engine, NOW) == 0)
        MUST(mxclash_proof_next(engine, NOW, &proof));
    MUST(mxclash_forget(engine, open.owner, open.owner_len));
    engine_get_stats(engine, &stats);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        MUST(stats.open_now[kind][0] + stats.open_now[kind][1] == 0);
    MUST(stats.table_entries == 0);
}

static void feed(const uint8_t *octets, size_t len)
{
    struct mxclash_engine *engine = new_engine();
    enum mxclash_status status = mxclash_import(engine, octets, len, NOW);
    struct engine_stats stats;

    engine_get_stats(engine, &stats);
    MUST(stats.import_refused == (status != mxclash_ok));
    MUST(stats.table_entries == (status == mxclash_ok));
    if (status == mxclash_ok)
        check_taken(engine);
    mxclash_engine_free(engine);
    events = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t octets[MXCLASH_EXPORT_MAX];
    uint32_t sum;

    feed(data, size);
    if (size < HEAD_OCTETS + CHECKSUM_OCTETS || size > sizeof(octets))
        return 0;
    memcpy(octets, data, size);
    memcpy(octets, "MX\0\1", 4);
    octets[4] = (uint8_t)(size >> 8);
    octets[5] = (uint8_t)size;
    sum = XXH32(octets, size - CHECKSUM_OCTETS, 0);
    for (size_t i = 0; i < CHECKSUM_OCTETS; i++)
        octets[size - CHECKSUM_OCTETS + i] = (uint8_t)(sum >> (24 - 8 * i));
    feed(octets, size);
    return 0;
}
