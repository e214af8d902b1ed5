/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The public API: puts sieve, docket, casework and proofs together. See mxclash.h.
 */
#include "core/engine/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/block.h"
#include "core/dns/names.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

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
    return block_octets(sizeof(*engine)) + 64 + block_octets(engine->sieve.slots.octets) +
           block_octets(engine->hosted.octets) +
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
        !proofs_init(&engine->proofs, waiting, options->probe_rate, PROOF_QUERIES,
                     (mxclash_time)options->confirm_after_s * 1000) ||
        !proofs_init(&engine->lookups, waiting, options->probe_rate, 1, 0) ||
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
    zonecap_init(&engine->zonecap, ZONECAP_PROOFS, ZONECAP_WINDOW_MS);
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
    zonecap_deinit(&engine->zonecap);
    openings_deinit(&engine->openings);
    docket_deinit(&engine->docket);
    proofs_deinit(&engine->proofs);
    proofs_deinit(&engine->lookups);
    ignore_deinit(&engine->ignore);
    providers_free(engine->providers);
    free(engine);
}

uint64_t engine_hash(const struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len)
{
    return XXH3_64bits_withSeed(owner, owner_len, engine->seed);
}

uint64_t engine_domain(const struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len)
{
    return zonecap_key(engine->work.suffixes, owner, owner_len, engine->seed);
}

/** The proof that an outcome asked for is not to be: it may be asked for again. */
static void drop_proof(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                       size_t owner_len, enum mxclash_proof_drop reason)
{
    struct docket_shard *shard = docket_lock(&engine->docket, hash);
    struct docket_case *c = docket_find(shard, hash, owner, owner_len);

    if (c != NULL)
        c->queued = false;
    docket_unlock(shard);
    count_up(&engine->counters.proofs_dropped[reason]);
}

/** Let an opened event wait. \return false if there is no room */
static bool hold(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                 size_t owner_len)
{
    struct ring_entry entry = {.hash = hash, .owner_len = (uint8_t)owner_len};
    bool fits;

    memcpy(entry.owner, owner, owner_len);
    pthread_mutex_lock(&engine->held.lock);
    entry.since = engine->held.ticks;
    fits = ring_push(&engine->held.ring, &entry);
    pthread_mutex_unlock(&engine->held.lock);
    return fits;
}

void engine_hand_out(struct mxclash_engine *engine, const struct case_outcome *outcome)
{
    for (size_t i = 0; i < outcome->event_count; i++)
        if (engine->on_event != NULL)
            engine->on_event(engine->context, &outcome->events[i]);
}

/** Queue the proof that an outcome asks for. */
static void queue_proof(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                        size_t owner_len, bool later, mxclash_time now)
{
    bool (*push)(struct proofs *, uint64_t, const uint8_t *, size_t, mxclash_time) =
        later ? proofs_push_later : proofs_push;

    if (!zonecap_take(&engine->zonecap, engine_domain(engine, owner, owner_len), now))
        drop_proof(engine, hash, owner, owner_len, mxclash_drop_zone_limit);
    else if (!push(&engine->proofs, hash, owner, owner_len, now))
        drop_proof(engine, hash, owner, owner_len, mxclash_drop_queue_full);
}

void engine_carry_out(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                      size_t owner_len, struct case_outcome *outcome, mxclash_time now)
{
    engine_hand_out(engine, outcome);
    if (outcome->prove || outcome->prove_later)
        queue_proof(engine, hash, owner, owner_len, outcome->prove_later, now);
    if (outcome->walk && !proofs_push(&engine->lookups, hash, owner, owner_len, now))
        engine_give_up_lookup(engine, hash, owner, owner_len, now);
    if (!outcome->lookup)
        return;
    if (!proofs_push(&engine->lookups, hash, owner, owner_len, now)) {
        engine_give_up_lookup(engine, hash, owner, owner_len, now);
        return;
    }
    /* a held event has a lookup on its way; with no room to wait for it, it is told at once */
    if (!outcome->held)
        return;
    if (!hold(engine, hash, owner, owner_len))
        engine_let_go(engine, hash, owner, owner_len);
    else if (engine->on_held != NULL)
        engine->on_held(engine->context);
}

void engine_sweep(struct mxclash_engine *engine, mxclash_time now)
{
    uint64_t turn = atomic_fetch_add_explicit(&engine->sweep_at, 1, memory_order_relaxed);
    struct docket_shard *shard = docket_lock(&engine->docket, turn << 60);
    struct case_outcome outcome;

    case_outcome_init(&outcome);
    for (int open = 0; open <= 1; open++) {
        struct docket_case *c = docket_oldest(shard, open);

        if (c == NULL || now - c->met <= engine->work.expire_ms)
            continue;
        case_expire(&engine->work, c, now, &outcome);
        docket_remove(&engine->docket, shard, c);
    }
    docket_unlock(shard);
    engine_hand_out(engine, &outcome);
}

bool mxclash_client_mx(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                       enum mxclash_reply reply, mxclash_time now)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;
    bool in_conflict = false;
    /* A resolver that minimises names asks A before MX, gets the CNAME and never asks MX: then only
     * a proof can see what is hidden. Most such names are lawful aliases: where no proof would be
     * made they are not even kept. */
    bool suspect =
        reply == mxclash_reply_hides && engine->work.probe && proofs_have_room(&engine->proofs);

    if (!name_valid(owner, owner_len))
        return false;
    name_lower(lower, owner, owner_len);
    hash = engine_hash(engine, lower, owner_len);
    if (!docket_may_hold(&engine->docket, hash)) {
        if (!suspect)
            return false;
        if (!zonecap_has(&engine->zonecap, engine_domain(engine, lower, owner_len), now)) {
            count_up(&engine->counters.proofs_dropped[mxclash_drop_zone_limit]);
            return false;
        }
    }
    if (suspect && ignore_holds(&engine->ignore, lower, owner_len))
        return false;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, lower, owner_len);
    if (c == NULL && suspect)
        c = docket_add(&engine->docket, shard, hash, lower, owner_len);
    if (c != NULL)
        in_conflict = case_client_mx(&engine->work, shard, c, reply, now, &outcome);
    docket_unlock(shard);
    engine_carry_out(engine, hash, lower, owner_len, &outcome, now);
    if (c != NULL)
        engine_sweep(engine, now);
    return in_conflict;
}

bool mxclash_get_standing(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                          mxclash_time now, struct mxclash_standing *standing)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;
    bool in_conflict;

    if (!docket_may_be_open(&engine->docket, owner, owner_len) || !name_valid(owner, owner_len))
        return false;
    name_lower(lower, owner, owner_len);
    hash = engine_hash(engine, lower, owner_len);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, lower, owner_len);
    in_conflict = c != NULL && case_standing(c, now, standing);
    docket_unlock(shard);
    return in_conflict;
}
