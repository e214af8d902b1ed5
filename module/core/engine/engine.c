/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Begin and end of an engine: checks the options, shares out the memory. See mxclash.h.
 */
#include "core/engine/outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/block.h"
#include "core/engine/structs.h"

#define TABLE_SIZE_MIN 262144u
#define PROBE_RATE_MAX 100000u
#define RECHECK_MAX_S  604800u
#define EXPIRE_MIN_S   60u
#define EXPIRE_MAX_S   31536000u
#define CONFIRM_MAX_S  60u
#define QUEUE_MAX      65536u
/* shares of table_size: a third of what the lists leave for the sieve, a 16th for what is known of
 * mailboxes, a 64th each for what waits to be asked and to be told, the rest for the docket. Sieve
 * and mailboxes are rounded down to a power of two. */
#define SIEVE_SHARE   3
#define HOSTED_SHARE  16
#define WAITING_SHARE 64
#define WAITING_MAX   1024u
/* a shard holds some cases at least: the smallest table with the built-in providers gives so much
 */
#define SHARD_OCTETS_MIN 4096u

/** Where a caller wants to read what is wrong; size 0: nowhere. */
struct complaint {
    char *text;
    size_t size;
};

static __attribute__((format(printf, 2, 3))) void complain(const struct complaint *complaint,
                                                           const char *format, ...)
{
    va_list values;

    if (complaint->size == 0)
        return;
    va_start(values, format);
    vsnprintf(complaint->text, complaint->size, format, values);
    va_end(values);
}

static bool in_range(const struct complaint *complaint, const char *option, uint64_t value,
                     uint64_t min, uint64_t max)
{
    if (value >= min && value <= max)
        return true;
    complain(complaint, "%s is %" PRIu64 ": it must be %" PRIu64 " to %" PRIu64, option, value, min,
             max);
    return false;
}

/** \return false if what lies behind our options is not 0: something is wanted that we have not */
static bool knows_all_options(const struct complaint *complaint,
                              const struct mxclash_options *given)
{
    const size_t at = struct_unknown(sizeof(*given), given, given->struct_size);

    if (at == given->struct_size)
        return true;
    complain(complaint,
             "an option at octet %zu is not known to this library, version %s: leave it 0, or "
             "install a newer one",
             at, MXCLASH_VERSION);
    return false;
}

/** Read a caller's options into ours. */
static bool take_options(const struct complaint *complaint, const struct mxclash_options *given,
                         struct mxclash_options *options)
{
    const size_t least = STRUCT_LEAST(mxclash_options, ignore);

    if (given->struct_size < least) {
        complain(complaint,
                 "struct_size is %" PRIu32 ": it must be at least %zu; set it to the sizeof of "
                 "struct mxclash_options",
                 given->struct_size, least);
        return false;
    }
    struct_take(options, sizeof(*options), given, given->struct_size);
    return knows_all_options(complaint, given) &&
           in_range(complaint, "table_size", options->table_size, TABLE_SIZE_MIN, SIZE_MAX / 2) &&
           in_range(complaint, "probe_rate", options->probe_rate, 1, PROBE_RATE_MAX) &&
           in_range(complaint, "recheck_interval_s", options->recheck_interval_s, 1,
                    RECHECK_MAX_S) &&
           in_range(complaint, "expire_after_s", options->expire_after_s, EXPIRE_MIN_S,
                    EXPIRE_MAX_S) &&
           in_range(complaint, "confirm_after_s", options->confirm_after_s, 0, CONFIRM_MAX_S) &&
           in_range(complaint, "queue_events", options->queue_events, 0, QUEUE_MAX) &&
           in_range(complaint, "ignore_count", options->ignore_count, 0,
                    options->ignore != NULL ? options->table_size : 0);
}

/** \return false, and names it, if a name of the list is none */
static bool ignore_is_valid(const struct complaint *complaint,
                            const struct mxclash_options *options)
{
    for (uint64_t i = 0; i < options->ignore_count; i++) {
        uint8_t name[MXCLASH_NAME_MAX];
        size_t name_len;

        if (options->ignore[i] != NULL &&
            mxclash_name_from_text(options->ignore[i], name, &name_len) == mxclash_ok)
            continue;
        complain(complaint, "ignore: entry %" PRIu64 ", \"%.100s\", is no domain name", i,
                 options->ignore[i] != NULL ? options->ignore[i] : "NULL");
        return false;
    }
    return true;
}

/** Octets of all but the docket. */
static size_t other_octets(const struct mxclash_engine *engine)
{
    return block_octets(sizeof(*engine)) + 64 +
           block_octets(engine->sieve.slots.octets + BLOCK_ALIGNMENT) +
           block_octets(engine->hosted.octets + BLOCK_ALIGNMENT) +
           block_octets(engine->proofs.ring.capacity * sizeof(struct ring_entry)) +
           block_octets(engine->proofs.later.capacity * sizeof(struct ring_entry)) +
           block_octets(engine->lookups.ring.capacity * sizeof(struct ring_entry)) +
           block_octets(engine->held.ring.capacity * sizeof(struct ring_entry)) +
           block_octets(engine->ignore.count * sizeof(struct ignore_name)) +
           block_octets(engine->events.size) + providers_octets(engine->providers);
}

static enum mxclash_status init_parts(struct mxclash_engine *engine,
                                      const struct mxclash_options *options)
{
    size_t waiting = options->table_size / WAITING_SHARE / sizeof(struct ring_entry);
    size_t others = other_octets(engine);

    if (others >= options->table_size)
        return mxclash_invalid;
    if (waiting > WAITING_MAX)
        waiting = WAITING_MAX;
    if (!sieve_init(&engine->sieve, (options->table_size - others) / SIEVE_SHARE) ||
        !hosted_init(&engine->hosted, options->table_size / HOSTED_SHARE) ||
        !errand_queue_init(&engine->proofs, waiting, options->probe_rate, PROOF_QUERIES,
                           (mxclash_time)options->confirm_after_s * 1000) ||
        !errand_queue_init(&engine->lookups, waiting, options->probe_rate, 1, 0) ||
        !ring_init(&engine->held.ring, waiting))
        return mxclash_no_memory;
    others = other_octets(engine);
    if (!docket_init(&engine->docket,
                     options->table_size > others ? options->table_size - others : 0))
        return mxclash_no_memory;
    /* long lists that leave no room for cases would make a detector that finds nothing */
    if (engine->docket.shard_octets_max < SHARD_OCTETS_MIN)
        return mxclash_invalid;
    engine->fixed_octets = options->table_size - engine->docket.shard_octets_max * DOCKET_SHARDS;
    docket_on_evict(&engine->docket, engine_forget_evicted, &engine->counters);
    return mxclash_ok;
}

static enum mxclash_status load_providers(struct mxclash_engine *engine,
                                          const struct mxclash_options *options,
                                          const struct complaint *complaint)
{
    char error[PROVIDERS_ERROR_MAX];

    errno = 0;
    engine->providers =
        options->providers != NULL
            ? providers_parse_rules(options->providers, options->providers_len, error)
            : providers_parse_rules(providers_builtin_text, strlen(providers_builtin_text), error);
    if (engine->providers != NULL) {
        providers_use_suffixes(engine->providers, options->suffixes);
        return mxclash_ok;
    }
    /* malloc()'s word: what is wrong in a text sets none */
    if (errno == ENOMEM)
        return mxclash_no_memory;
    complain(complaint, "providers: line %s", error);
    return mxclash_invalid;
}

const char *mxclash_version(void)
{
    return MXCLASH_VERSION;
}

uint32_t mxclash_abi(void)
{
    return MXCLASH_ABI;
}

void mxclash_options_init(struct mxclash_options *options, uint32_t struct_size)
{
    const struct mxclash_options defaults = {
        .probe = 1,
        .table_size = 16u << 20,
        .probe_rate = 10,
        .recheck_interval_s = 3600,
        .expire_after_s = 172800,
        .confirm_after_s = 2,
    };

    if (struct_size < STRUCT_LEAST(mxclash_options, ignore))
        return;
    options->struct_size = struct_size;
    struct_give(options, &defaults, sizeof(defaults));
}

/** Lists and the parts that they leave room for. */
static enum mxclash_status init_all(struct mxclash_engine *engine,
                                    const struct mxclash_options *options,
                                    const struct complaint *complaint)
{
    enum mxclash_status status =
        ignore_init(&engine->ignore, options->ignore, (size_t)options->ignore_count);

    if (status == mxclash_ok)
        status = load_providers(engine, options, complaint);
    if (status != mxclash_ok)
        return status;
    /* before its memory is taken: what is as large as the table leaves no room anyway */
    if (event_queue_octets(options->queue_events) >= options->table_size)
        status = mxclash_invalid;
    else if (!event_queue_init(&engine->events, options->queue_events))
        status = mxclash_no_memory;
    else
        status = init_parts(engine, options);
    if (status == mxclash_invalid)
        complain(complaint,
                 "table_size %" PRIu64 " leaves no room for cases beside %" PRIu64
                 " ignored names, the table of providers and a queue of %" PRIu32
                 " events: make it larger",
                 options->table_size, options->ignore_count, options->queue_events);
    return status;
}

static enum mxclash_status make_engine(const struct mxclash_options *options,
                                       const struct complaint *complaint,
                                       struct mxclash_engine **result)
{
    struct mxclash_engine *engine = aligned_alloc(64, (sizeof(*engine) + 63) / 64 * 64);
    enum mxclash_status status;

    if (engine == NULL)
        return mxclash_no_memory;
    memset(engine, 0, sizeof(*engine));
    domain_cap_init(&engine->domain_cap, DOMAIN_CAP_PROOFS, DOMAIN_CAP_WINDOW_MS);
    openings_init(&engine->openings);
    pthread_mutex_init(&engine->held.lock, NULL);
    status = init_all(engine, options, complaint);
    if (status != mxclash_ok) {
        mxclash_engine_free(engine);
        return status;
    }
    engine->seed = options->seed;
    engine->table_size = (size_t)options->table_size;
    engine->on_event = options->on_event;
    engine->on_held = options->on_held;
    engine->context = options->context;
    engine->work = (struct casework){
        .docket = &engine->docket,
        .counters = &engine->counters,
        .openings = &engine->openings,
        .seed = engine->seed,
        .suffixes = options->suffixes,
        .providers = engine->providers,
        .probe = options->probe,
        .lookup = options->probe && options->lookup,
        .repair = options->repair,
        .recheck_ms = (mxclash_time)options->recheck_interval_s * 1000,
        .expire_ms = (mxclash_time)options->expire_after_s * 1000,
        .confirm_ms = (mxclash_time)options->confirm_after_s * 1000,
    };
    *result = engine;
    return mxclash_ok;
}

enum mxclash_status mxclash_engine_new(const struct mxclash_options *given,
                                       struct mxclash_engine **engine, char *error,
                                       size_t error_size)
{
    const struct complaint complaint = {error, error_size};
    struct mxclash_options options;
    enum mxclash_status status;

    complain(&complaint, "%s", "");
    if (!take_options(&complaint, given, &options) || !ignore_is_valid(&complaint, &options))
        return mxclash_invalid;
    status = make_engine(&options, &complaint, engine);
    if (status == mxclash_no_memory)
        complain(&complaint, "no memory for table_size %" PRIu64 ": make it smaller",
                 options.table_size);
    return status;
}

void mxclash_engine_free(struct mxclash_engine *engine)
{
    if (engine == NULL)
        return;
    sieve_deinit(&engine->sieve);
    slots_deinit(&engine->hosted);
    ring_deinit(&engine->held.ring);
    event_queue_deinit(&engine->events);
    pthread_mutex_destroy(&engine->held.lock);
    domain_cap_deinit(&engine->domain_cap);
    openings_deinit(&engine->openings);
    docket_deinit(&engine->docket);
    errand_queue_deinit(&engine->proofs);
    errand_queue_deinit(&engine->lookups);
    ignore_deinit(&engine->ignore);
    providers_free(engine->providers);
    free(engine);
}
