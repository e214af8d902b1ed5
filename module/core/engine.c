/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The public API: puts sieve, docket, casework and proofs together. See mxclash.h.
 */
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/casework.h"
#include "core/ignore.h"
#include "core/names.h"
#include "core/proofs.h"
#include "core/sieve.h"
#include "mxclash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define TABLE_SIZE_MIN 262144u
#define PROBE_RATE_MAX 100000u
#define RECHECK_MAX_S  604800u
#define EXPIRE_MIN_S   60u
#define EXPIRE_MAX_S   31536000u
/* shares of table_size: a quarter for the sieve, a 64th for the waiting proofs, the rest docket */
#define SIEVE_SHARE        4
#define PROOFS_SHARE       64
#define PROOFS_WAITING_MAX 1024u
/* a shard holds some cases at least: the smallest table with the built-in providers gives so much
 */
#define SHARD_OCTETS_MIN 4096u
#define SWEEP_EVERY_MS   1000

struct mxclash_engine {
    struct sieve sieve;
    struct docket docket;
    struct proofs proofs;
    struct ignore ignore;
    struct providers *providers;
    struct counters counters;
    struct casework work;
    uint64_t seed;
    size_t table_size;
    size_t fixed_octets;
    _Atomic uint64_t next_proof_id;
    /** which shard is looked through for expired cases next, and when at the latest */
    _Atomic uint32_t sweep_at;
    _Atomic mxclash_time sweep_due;
    void (*on_event)(void *context, const struct mxclash_event *event);
    void *context;
};

static void forget_evicted(void *context, const struct docket_case *c)
{
    struct counters *counters = context;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (c->conflicts[kind].open) {
            count_down(&counters->open_now[kind][c->conflicts[kind].state]);
            count_down(&counters->open_sum);
        }
    }
}

static bool options_are_valid(const struct mxclash_options *options)
{
    return options->table_size >= TABLE_SIZE_MIN && options->probe_rate >= 1 &&
           options->probe_rate <= PROBE_RATE_MAX && options->recheck_interval_s >= 1 &&
           options->recheck_interval_s <= RECHECK_MAX_S &&
           options->expire_after_s >= EXPIRE_MIN_S && options->expire_after_s <= EXPIRE_MAX_S;
}

/** Octets of all but the docket. */
static size_t other_octets(const struct mxclash_engine *engine)
{
    return block_octets(sizeof(*engine)) + 64 + block_octets(engine->sieve.octets) +
           block_octets(engine->proofs.capacity * sizeof(struct waiting_proof)) +
           block_octets(engine->ignore.count * sizeof(struct ignore_name)) +
           providers_octets(engine->providers);
}

static enum mxclash_status init_parts(struct mxclash_engine *engine,
                                      const struct mxclash_options *options)
{
    size_t waiting = options->table_size / PROOFS_SHARE / sizeof(struct waiting_proof);
    size_t others;

    if (waiting > PROOFS_WAITING_MAX)
        waiting = PROOFS_WAITING_MAX;
    if (!sieve_init(&engine->sieve, options->table_size / SIEVE_SHARE) ||
        !proofs_init(&engine->proofs, waiting, options->probe_rate))
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

    engine->providers = options->providers != NULL
                            ? providers_parse(options->providers, options->providers_len, error)
                            : providers_builtin(error);
    return engine->providers != NULL ? mxclash_ok : mxclash_invalid;
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
    engine->context = options->context;
    engine->work = (struct casework){
        .docket = &engine->docket,
        .counters = &engine->counters,
        .providers = engine->providers,
        .probe = options->probe,
        .recheck_ms = (mxclash_time)options->recheck_interval_s * 1000,
        .expire_ms = (mxclash_time)options->expire_after_s * 1000,
    };
    *result = engine;
    return mxclash_ok;
}

void mxclash_engine_free(struct mxclash_engine *engine)
{
    if (engine == NULL)
        return;
    sieve_deinit(&engine->sieve);
    docket_deinit(&engine->docket);
    proofs_deinit(&engine->proofs);
    ignore_deinit(&engine->ignore);
    providers_free(engine->providers);
    free(engine);
}

static uint64_t hash_of(const struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len)
{
    return XXH3_64bits_withSeed(owner, owner_len, engine->seed);
}

/** With no lock held: hand out the events, queue the proof. */
static void carry_out(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                      size_t owner_len, struct case_outcome *outcome, mxclash_time now)
{
    for (size_t i = 0; i < outcome->event_count; i++)
        if (engine->on_event != NULL)
            engine->on_event(engine->context, &outcome->events[i]);
    if (outcome->prove && !proofs_push(&engine->proofs, hash, owner, owner_len, now)) {
        struct docket_shard *shard = docket_lock(&engine->docket, hash);
        struct docket_case *c = docket_find(shard, hash, owner, owner_len);

        if (c != NULL)
            c->queued = false;
        docket_unlock(shard);
        count_up(&engine->counters.proofs_dropped[mxclash_drop_queue_full]);
    }
}

/** Close the oldest case of one shard if nobody has met it for too long. Called once for every
 * answer that reached the docket: so each shard is looked at soon, and no call does much. Where few
 * answers reach it, sweep_now_and_then() sees to it. */
static void sweep(struct mxclash_engine *engine, mxclash_time now)
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
    carry_out(engine, 0, NULL, 0, &outcome, now);
}

/** Once a second while a conflict is open: it has to expire even where no answer concerns one. */
static void sweep_now_and_then(struct mxclash_engine *engine, mxclash_time now)
{
    mxclash_time due = atomic_load_explicit(&engine->sweep_due, memory_order_relaxed);

    /* far ahead: the clock was set back. Two threads at once do no harm. */
    if (now < due && due - now <= SWEEP_EVERY_MS)
        return;
    atomic_store_explicit(&engine->sweep_due, now + SWEEP_EVERY_MS, memory_order_relaxed);
    sweep(engine, now);
}

static bool speaks_of_apex(const struct mxclash_answer *answer, const struct sighting *sighting)
{
    return sighting->cname && !answer->forwarded && answer->zone != NULL &&
           answer->zone_len == sighting->owner_len;
}

/** Take one sighting through sieve and docket. */
static void examine(struct mxclash_engine *engine, const struct mxclash_answer *answer,
                    const struct answer_reading *reading, const struct sighting *sighting,
                    mxclash_time now)
{
    uint64_t hash = hash_of(engine, sighting->owner, sighting->owner_len);
    struct sieve_found found =
        sieve_note(&engine->sieve, hash, sighting->cname, sighting->cname_ttl_s, sighting->mx,
                   sighting->mx_ttl_s, now);
    /* the owner lies at or below the zone, so of the same length it is the zone */
    bool suspect = (found.cname && found.mx) || (sighting->cname && sighting->mx) ||
                   speaks_of_apex(answer, sighting);
    bool fresh = false;
    struct docket_shard *shard;
    struct docket_case *c;
    struct case_outcome outcome;

    if (!suspect && !docket_may_hold(&engine->docket, hash))
        return;
    if (ignore_holds(&engine->ignore, sighting->owner, sighting->owner_len))
        return;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, sighting->owner, sighting->owner_len);
    if (c == NULL && suspect) {
        c = docket_add(&engine->docket, shard, hash, sighting->owner, sighting->owner_len);
        fresh = true;
    }
    if (c != NULL)
        case_saw(&engine->work, shard, c, answer, reading, sighting,
                 fresh && found.cname && found.mx, fresh && found.mx, now, &outcome);
    docket_unlock(shard);
    carry_out(engine, hash, sighting->owner, sighting->owner_len, &outcome, now);
    if (c != NULL)
        sweep(engine, now);
}

/** An answer with neither CNAME nor MX can still show that an open conflict has ended. */
static void examine_dull(struct mxclash_engine *engine, const struct mxclash_answer *answer,
                         const struct answer_reading *reading, mxclash_time now)
{
    const struct wire_message *message = &reading->message;
    uint8_t owner[MXCLASH_NAME_MAX];
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;

    if (!answer_counts(message) || !message->authoritative)
        return;
    name_lower(owner, message->octets + message->qname_at, message->qname_len);
    hash = hash_of(engine, owner, message->qname_len);
    if (!docket_may_hold(&engine->docket, hash) ||
        !answer_may_speak_for(answer, message, owner, message->qname_len))
        return;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, owner, message->qname_len);
    if (c != NULL && case_is_open(c))
        case_saw(&engine->work, shard, c, answer, reading, NULL, false, false, now, &outcome);
    docket_unlock(shard);
    carry_out(engine, hash, owner, message->qname_len, &outcome, now);
}

enum mxclash_status mxclash_inspect(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, mxclash_time now)
{
    struct answer_reading reading;

    striped_up(&engine->counters.inspected);
    switch (answer_read(answer, &reading)) {
    case answer_malformed:
        count_up(&engine->counters.malformed);
        return mxclash_malformed;
    case answer_telling:
        for (size_t i = 0; i < reading.count; i++)
            examine(engine, answer, &reading, &reading.sightings[i], now);
        break;
    case answer_dull:
        if (count_read(&engine->counters.open_sum) != 0)
            examine_dull(engine, answer, &reading, now);
        break;
    }
    if (count_read(&engine->counters.open_sum) != 0)
        sweep_now_and_then(engine, now);
    return mxclash_ok;
}

bool mxclash_proof_next(struct mxclash_engine *engine, mxclash_time now,
                        struct mxclash_proof *proof)
{
    struct waiting_proof waiting;
    enum proofs_taken taken;

    while ((taken = proofs_pop(&engine->proofs, now, &waiting)) != proofs_none) {
        struct docket_shard *shard = docket_lock(&engine->docket, waiting.hash);
        struct docket_case *c = docket_find(shard, waiting.hash, waiting.owner, waiting.owner_len);

        if (c != NULL)
            c->queued = false;
        /* the case may have been given up since, and begun anew and proved */
        if (c != NULL && taken == proofs_one && case_proof_is_due(c, now)) {
            proof->id = atomic_fetch_add(&engine->next_proof_id, 1) + 1;
            memcpy(proof->owner, waiting.owner, waiting.owner_len);
            proof->owner_len = waiting.owner_len;
            memset(&c->proof, 0, sizeof(c->proof));
            c->proof.id = proof->id;
            c->proof.started = now;
            c->proof.authoritative = true;
            docket_unlock(shard);
            return true;
        }
        docket_unlock(shard);
        if (taken == proofs_stale)
            count_up(&engine->counters.proofs_dropped[mxclash_drop_stale]);
        else
            proofs_give_back(&engine->proofs);
    }
    return false;
}

/** Lock the shard of a proof's case. \return NULL, nothing locked, if the proof is no more */
static struct docket_case *lock_proof(struct mxclash_engine *engine,
                                      const struct mxclash_proof *proof, uint64_t *hash,
                                      struct docket_shard **shard)
{
    struct docket_case *c;

    *hash = hash_of(engine, proof->owner, proof->owner_len);
    *shard = docket_lock(&engine->docket, *hash);
    c = docket_find(*shard, *hash, proof->owner, proof->owner_len);
    if (c == NULL || c->proof.id != proof->id) {
        docket_unlock(*shard);
        return NULL;
    }
    return c;
}

static void decide(struct mxclash_engine *engine, struct docket_shard *shard, struct docket_case *c,
                   mxclash_time now, struct case_outcome *outcome)
{
    enum mxclash_proof_result result = case_proof_decide(&engine->work, shard, c, now, outcome);

    count_up(&engine->counters.proofs[result]);
}

enum mxclash_status mxclash_proof_answer(struct mxclash_engine *engine,
                                         const struct mxclash_proof *proof, uint16_t qtype,
                                         const struct mxclash_answer *answer, mxclash_time now)
{
    struct answer_reading reading;
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;

    striped_up(&engine->counters.inspected);
    if (answer_read(answer, &reading) == answer_malformed) {
        count_up(&engine->counters.malformed);
        return mxclash_malformed;
    }
    if (!answer_counts(&reading.message) ||
        !answer_may_speak_for(answer, &reading.message, proof->owner, proof->owner_len))
        return mxclash_ok;
    c = lock_proof(engine, proof, &hash, &shard);
    if (c == NULL)
        return mxclash_ok;
    case_proof_answer(&engine->work, shard, c, qtype, answer, &reading, now);
    case_outcome_init(&outcome);
    /* no need to wait for the ends: a resolver may go on for long, after the CNAME's target */
    if (case_proof_is_enough(c))
        decide(engine, shard, c, now, &outcome);
    docket_unlock(shard);
    carry_out(engine, hash, proof->owner, proof->owner_len, &outcome, now);
    return mxclash_ok;
}

void mxclash_proof_end(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                       uint16_t qtype, mxclash_time now)
{
    struct case_outcome outcome;
    struct docket_shard *shard;
    uint64_t hash;
    struct docket_case *c = lock_proof(engine, proof, &hash, &shard);

    if (c == NULL)
        return;
    case_outcome_init(&outcome);
    *(qtype == wire_type_mx ? &c->proof.mx_ended : &c->proof.cname_ended) = true;
    if (c->proof.mx_ended && c->proof.cname_ended)
        decide(engine, shard, c, now, &outcome);
    docket_unlock(shard);
    carry_out(engine, hash, proof->owner, proof->owner_len, &outcome, now);
}

void mxclash_proof_abandon(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                           mxclash_time now)
{
    struct docket_shard *shard;
    uint64_t hash;
    struct docket_case *c = lock_proof(engine, proof, &hash, &shard);

    if (c == NULL)
        return;
    count_up(&engine->counters.proofs_dropped[mxclash_drop_host]);
    memset(&c->proof, 0, sizeof(c->proof));
    c->next_proof = now + CASE_RETRY_MS;
    docket_unlock(shard);
}

bool mxclash_client_mx(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                       bool hidden, mxclash_time now)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;
    bool in_conflict = false;
    /* A resolver that minimises names asks A before MX, gets the CNAME and never asks MX: then only
     * a proof can see what is hidden. Most such names are lawful aliases, hence no room is made. */
    bool suspect = hidden && engine->work.probe && proofs_have_room(&engine->proofs);

    if (owner_len > MXCLASH_NAME_MAX)
        return false;
    name_lower(lower, owner, owner_len);
    hash = hash_of(engine, lower, owner_len);
    if (!suspect && !docket_may_hold(&engine->docket, hash))
        return false;
    if (suspect && ignore_holds(&engine->ignore, lower, owner_len))
        return false;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, lower, owner_len);
    if (c == NULL && suspect)
        c = docket_add(&engine->docket, shard, hash, lower, owner_len);
    if (c != NULL)
        in_conflict = case_client_mx(&engine->work, shard, c, hidden, now, &outcome);
    docket_unlock(shard);
    carry_out(engine, hash, lower, owner_len, &outcome, now);
    if (c != NULL)
        sweep(engine, now);
    return in_conflict;
}

void mxclash_get_stats(const struct mxclash_engine *engine, struct mxclash_stats *stats)
{
    const struct counters *counters = &engine->counters;

    memset(stats, 0, sizeof(*stats));
    stats->inspected = striped_read(&counters->inspected);
    stats->malformed = count_read(&counters->malformed);
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        stats->opened[kind] = count_read(&counters->opened[kind]);
        stats->cleared[kind] = count_read(&counters->cleared[kind]);
        stats->expired[kind] = count_read(&counters->expired[kind]);
        for (int state = 0; state < MXCLASH_STATES; state++)
            stats->open_now[kind][state] = count_read(&counters->open_now[kind][state]);
    }
    for (int i = 0; i < MXCLASH_PROOF_RESULTS; i++)
        stats->proofs[i] = count_read(&counters->proofs[i]);
    for (int i = 0; i < MXCLASH_PROOF_DROPS; i++)
        stats->proofs_dropped[i] = count_read(&counters->proofs_dropped[i]);
    for (int i = 0; i < MXCLASH_OUTCOMES; i++)
        stats->affected_mx[i] = count_read(&counters->affected_mx[i]);
    stats->table_evictions = count_read(&engine->docket.evictions);
    stats->table_bytes_limit = engine->table_size;
    docket_size(&engine->docket, &stats->table_entries, &stats->table_bytes);
    stats->table_bytes += engine->fixed_octets;
}

/** The most met so far, sorted; new ones are put in their place. */
struct top_list {
    const struct casework *work;
    struct mxclash_domain *domains;
    size_t count;
    size_t max;
};

static int compare_domains(const struct mxclash_domain *a, const struct mxclash_domain *b)
{
    if (a->mx_queries != b->mx_queries)
        return a->mx_queries > b->mx_queries ? -1 : 1;
    if (a->owner_len != b->owner_len)
        return a->owner_len < b->owner_len ? -1 : 1;
    return memcmp(a->owner, b->owner, a->owner_len);
}

static void top_visit(void *context, const struct docket_case *c)
{
    struct top_list *top = context;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        const struct conflict *conflict = &c->conflicts[kind];
        struct mxclash_domain domain;
        size_t place;

        if (!conflict->open)
            continue;
        /* most domains of a long docket end here */
        if (top->count == top->max && c->mx_queries < top->domains[top->max - 1].mx_queries)
            return;
        memset(&domain, 0, sizeof(domain));
        memcpy(domain.owner, c->owner, c->owner_len);
        domain.owner_len = c->owner_len;
        domain.kind = (enum mxclash_kind)kind;
        domain.provider = case_provider(top->work, c);
        domain.state = conflict->state;
        domain.mx_queries = c->mx_queries;
        domain.first_seen = conflict->first_seen;
        domain.last_seen = conflict->last_seen;
        place = top->count;
        if (place == top->max && compare_domains(&domain, &top->domains[place - 1]) >= 0)
            continue;
        if (place == top->max)
            place--;
        else
            top->count++;
        for (; place > 0 && compare_domains(&domain, &top->domains[place - 1]) < 0; place--)
            top->domains[place] = top->domains[place - 1];
        top->domains[place] = domain;
    }
}

size_t mxclash_top_domains(struct mxclash_engine *engine, struct mxclash_domain *domains,
                           size_t max)
{
    struct top_list top = {.work = &engine->work, .domains = domains, .max = max};

    if (max != 0)
        docket_visit_open(&engine->docket, top_visit, &top);
    return top.count;
}
