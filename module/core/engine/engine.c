/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Begin and end of an engine: checks the options, shares out the memory. See mxclash.h.
 */
#include "core/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/block.h"

#define TABLE_SIZE_MIN 262144u
#define PROBE_RATE_MAX 100000u
#define RECHECK_MAX_S  604800u
#define EXPIRE_MIN_S   60u
#define EXPIRE_MAX_S   31536000u
#define CONFIRM_MAX_S  60u
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

static void forget_evicted(void *context, const struct docket_case *c)
{
    struct counters *counters = context;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (c->conflicts[kind].open) {
            count_up(&counters->evicted[kind]);
            count_down(&counters->open_now[kind][c->conflicts[kind].state]);
        }
    }
}

static bool options_are_valid(const struct mxclash_options *options)
{
    return options->table_size >= TABLE_SIZE_MIN && options->probe_rate >= 1 &&
           options->probe_rate <= PROBE_RATE_MAX && options->recheck_interval_s >= 1 &&
           options->recheck_interval_s <= RECHECK_MAX_S &&
           options->expire_after_s >= EXPIRE_MIN_S && options->expire_after_s <= EXPIRE_MAX_S &&
           options->confirm_after_s <= CONFIRM_MAX_S;
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
           providers_octets(engine->providers);
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
    docket_on_evict(&engine->docket, forget_evicted, &engine->counters);
    return mxclash_ok;
}

static enum mxclash_status load_providers(struct mxclash_engine *engine,
                                          const struct mxclash_options *options)
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
    return errno == ENOMEM ? mxclash_no_memory : mxclash_invalid;
}

enum mxclash_status mxclash_engine_new(const struct mxclash_options *options,
                                       struct mxclash_engine **result)
{
    struct mxclash_engine *engine;
    enum mxclash_status status;

    if (!options_are_valid(options))
        return mxclash_invalid;
    engine = aligned_alloc(64, (sizeof(*engine) + 63) / 64 * 64);
    if (engine == NULL)
        return mxclash_no_memory;
    memset(engine, 0, sizeof(*engine));
    domain_cap_init(&engine->domain_cap, DOMAIN_CAP_PROOFS, DOMAIN_CAP_WINDOW_MS);
    openings_init(&engine->openings);
    pthread_mutex_init(&engine->held.lock, NULL);
    status = ignore_init(&engine->ignore, options->ignore, options->ignore_count);
    if (status == mxclash_ok)
        status = load_providers(engine, options);
    if (status == mxclash_ok)
        status = init_parts(engine, options);
    if (status != mxclash_ok) {
        mxclash_engine_free(engine);
        return status == mxclash_malformed ? mxclash_invalid : status;
    }
    engine->seed = options->seed;
    engine->table_size = options->table_size;
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

void mxclash_engine_free(struct mxclash_engine *engine)
{
    if (engine == NULL)
        return;
    sieve_deinit(&engine->sieve);
    slots_deinit(&engine->hosted);
    ring_deinit(&engine->held.ring);
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
