/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the host is to ask: proofs, lookups, and the events that wait for them. See
 * mxclash.h. */
#include <string.h>

#include "core/cases/spf_case.h"
#include "core/engine/outcome.h"
#include "core/engine/structs.h"

/** Between two ticks of a host that asks when they are due. */
#define HELD_TICK_MS 200

static uint64_t next_id(struct mxclash_engine *engine)
{
    return atomic_fetch_add_explicit(&engine->next_errand_id, 1, memory_order_relaxed) + 1;
}

bool mxclash_proof_next(struct mxclash_engine *engine, mxclash_time now,
                        struct mxclash_proof *proof)
{
    struct mxclash_proof begun;
    struct ring_entry waiting;
    enum errand_taken taken;

    if (proof->struct_size < STRUCT_LEAST(mxclash_proof, zone))
        return false;
    while ((taken = errand_queue_pop(&engine->proofs, now, &waiting)) != errand_none) {
        struct docket_shard *shard = docket_lock(&engine->docket, waiting.hash);
        struct docket_case *c = docket_find(shard, waiting.hash, waiting.owner, waiting.owner_len);

        if (c != NULL)
            c->queued = false;
        /* the case may have been given up since, and begun anew and proved */
        if (c != NULL && taken == errand_one && case_proof_is_due(c, now)) {
            case_proof_begin(c, next_id(engine), now, &begun);
            docket_unlock(shard);
            if (begun.qtype_count > PROOF_QUERIES)
                errand_queue_pay(&engine->proofs, begun.qtype_count - PROOF_QUERIES);
            struct_give(proof, &begun, sizeof(begun));
            return true;
        }
        docket_unlock(shard);
        if (taken == errand_stale)
            count_up(&engine->counters.proofs_dropped[mxclash_drop_stale]);
        else
            errand_queue_give_back(&engine->proofs);
    }
    return false;
}

/** Lock the shard of a proof's case. \return NULL, nothing locked, if the proof is no more */
static struct docket_case *lock_proof(struct mxclash_engine *engine,
                                      const struct mxclash_proof *proof, uint64_t *hash,
                                      struct docket_shard **shard)
{
    struct docket_case *c;

    *hash = engine_hash(engine, proof->owner, proof->owner_len);
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
                                         const struct mxclash_answer *given, mxclash_time now)
{
    struct mxclash_answer room;
    const struct mxclash_answer *answer = struct_answer(given, &room);
    struct answer_reading reading;
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;

    if (answer == NULL)
        return mxclash_invalid;
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
    engine_carry_out(engine, hash, proof->owner, proof->owner_len, &outcome, now);
    return mxclash_ok;
}

bool mxclash_proof_decided(struct mxclash_engine *engine, const struct mxclash_proof *proof)
{
    struct docket_shard *shard;
    uint64_t hash;

    if (lock_proof(engine, proof, &hash, &shard) == NULL)
        return true;
    docket_unlock(shard);
    return false;
}

void mxclash_proof_sent(struct mxclash_engine *engine, const struct mxclash_proof *proof,
                        unsigned packets, mxclash_time now)
{
    errand_queue_pay(&engine->proofs, packets);
    domain_cap_charge(&engine->domain_cap, engine_domain(engine, proof->owner, proof->owner_len),
                      packets, PROOF_QUERIES, now);
}

void mxclash_lookup_sent(struct mxclash_engine *engine, unsigned packets)
{
    errand_queue_pay(&engine->lookups, packets);
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
    case_proof_end(c, qtype);
    if (case_proof_is_enough(c))
        decide(engine, shard, c, now, &outcome);
    docket_unlock(shard);
    engine_carry_out(engine, hash, proof->owner, proof->owner_len, &outcome, now);
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
    case_proof_abandon(c, now);
    docket_unlock(shard);
}

bool mxclash_lookup_next(struct mxclash_engine *engine, mxclash_time now,
                         struct mxclash_lookup *lookup)
{
    struct mxclash_lookup begun;
    struct ring_entry waiting;
    enum errand_taken taken;

    if (lookup->struct_size < STRUCT_LEAST(mxclash_lookup, reserved))
        return false;
    while ((taken = errand_queue_pop(&engine->lookups, now, &waiting)) != errand_none) {
        struct docket_shard *shard = docket_lock(&engine->docket, waiting.hash);
        struct docket_case *c = docket_find(shard, waiting.hash, waiting.owner, waiting.owner_len);
        bool is_begun = c != NULL && taken == errand_one &&
                        (case_spf_lookup(&engine->work, shard, c, next_id(engine), now, &begun) ||
                         case_lookup_begin(c, next_id(engine), now, &begun));

        docket_unlock(shard);
        if (is_begun) {
            struct_give(lookup, &begun, sizeof(begun));
            return true;
        }
        if (taken == errand_one)
            errand_queue_give_back(&engine->lookups);
        else
            engine_give_up_lookup(engine, waiting.hash, waiting.owner, waiting.owner_len, now);
    }
    return false;
}

void mxclash_lookup_end(struct mxclash_engine *engine, const struct mxclash_lookup *lookup,
                        const struct mxclash_lookup_reply *given, mxclash_time now)
{
    static const struct mxclash_lookup_reply nothing;
    const struct mxclash_lookup_reply *reply =
        given->struct_size >= sizeof(*given) ? given : &nothing;
    uint64_t hash = engine_hash(engine, lookup->owner, lookup->owner_len);
    struct docket_shard *shard = docket_lock(&engine->docket, hash);
    struct docket_case *c = docket_find(shard, hash, lookup->owner, lookup->owner_len);
    struct case_outcome outcome;

    case_outcome_init(&outcome);
    if (c != NULL && c->spf_walk != NULL && c->spf_walk->id == lookup->id)
        case_spf_lookup_end(&engine->work, shard, c, reply, now, &outcome);
    else if (c != NULL && c->lookup.id == lookup->id)
        case_lookup_end(&engine->work, c, reply, now, &outcome);
    docket_unlock(shard);
    engine_carry_out(engine, hash, lookup->owner, lookup->owner_len, &outcome, now);
}

/** Take the first event that waits since before the last tick. \return false if there is none */
static bool take_held(struct held *held, struct ring_entry *entry)
{
    const struct ring_entry *first;
    bool taken = false;

    pthread_mutex_lock(&held->lock);
    first = ring_first(&held->ring);
    if (first != NULL && first->since < held->ticks) {
        *entry = *first;
        ring_pop(&held->ring);
        taken = true;
    }
    pthread_mutex_unlock(&held->lock);
    return taken;
}

bool mxclash_tick(struct mxclash_engine *engine)
{
    struct held *held = &engine->held;
    struct ring_entry entry;
    bool more;

    while (take_held(held, &entry))
        engine_let_go(engine, entry.hash, entry.owner, entry.owner_len);
    pthread_mutex_lock(&held->lock);
    held->ticks++;
    held->due = 0;
    more = held->ring.count != 0;
    pthread_mutex_unlock(&held->lock);
    return more;
}

/** How long until the next tick, which a host that asks makes when it is over. */
static int64_t held_wait(struct held *held, mxclash_time now)
{
    int64_t wait = INT64_MAX;

    pthread_mutex_lock(&held->lock);
    if (held->ring.count != 0) {
        /* further ahead than that it is from before the clock was set back */
        if (held->due == 0 || held->due - now > HELD_TICK_MS)
            held->due = now + HELD_TICK_MS;
        wait = held->due > now ? held->due - now : 0;
    }
    pthread_mutex_unlock(&held->lock);
    return wait;
}

int64_t mxclash_next_due(struct mxclash_engine *engine, mxclash_time now)
{
    int64_t proofs = errand_queue_wait(&engine->proofs, now);
    int64_t lookups = errand_queue_wait(&engine->lookups, now);
    int64_t held = held_wait(&engine->held, now);
    int64_t errands = proofs < lookups ? proofs : lookups;

    return errands < held ? errands : held;
}

bool mxclash_errands_wait(const struct mxclash_engine *engine)
{
    return engine_errands_wait(engine);
}
