/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Steps of a case and what they lead to: see outcome.h. */
#include "core/engine/outcome.h"

#include <string.h>

#include "core/cases/spf_case.h"

uint64_t engine_domain(const struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len)
{
    return domain_cap_key(engine->work.suffixes, owner, owner_len, engine->seed);
}

void engine_forget_evicted(void *context, const struct docket_case *c)
{
    struct counters *counters = context;

    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (c->conflicts[kind].open) {
            count_up(&counters->evicted[kind]);
            count_down(&counters->open_now[kind][c->conflicts[kind].state]);
        }
    }
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

void engine_hand_out_events(struct mxclash_engine *engine, const struct case_outcome *outcome)
{
    for (size_t i = 0; i < outcome->event_count; i++) {
        if (engine->on_event != NULL)
            engine->on_event(engine->context, &outcome->events[i]);
        if (engine->events.max != 0 && !event_queue_push(&engine->events, &outcome->events[i]))
            count_up(&engine->counters.events_lost);
    }
}

/** Queue the proof that an outcome asks for. */
static void queue_proof(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                        size_t owner_len, bool later, mxclash_time now)
{
    bool (*push)(struct errand_queue *, uint64_t, const uint8_t *, size_t, mxclash_time) =
        later ? errand_queue_push_later : errand_queue_push;

    if (!domain_cap_take(&engine->domain_cap, engine_domain(engine, owner, owner_len), now))
        drop_proof(engine, hash, owner, owner_len, mxclash_drop_zone_limit);
    else if (!push(&engine->proofs, hash, owner, owner_len, now))
        drop_proof(engine, hash, owner, owner_len, mxclash_drop_queue_full);
}

void engine_give_up_lookup(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                           size_t owner_len, mxclash_time now)
{
    struct docket_shard *shard = docket_lock(&engine->docket, hash);
    struct docket_case *c = docket_find(shard, hash, owner, owner_len);
    struct case_outcome outcome;

    case_outcome_init(&outcome);
    if (c != NULL) {
        case_spf_drop(&engine->work, shard, c);
        case_lookup_give_up(&engine->work, c, now, &outcome);
    }
    docket_unlock(shard);
    engine_hand_out(engine, &outcome);
}

void engine_let_go(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                   size_t owner_len)
{
    struct docket_shard *shard = docket_lock(&engine->docket, hash);
    struct docket_case *c = docket_find(shard, hash, owner, owner_len);
    struct case_outcome outcome;

    case_outcome_init(&outcome);
    if (c != NULL)
        case_let_go(&engine->work, c, &outcome);
    docket_unlock(shard);
    engine_hand_out(engine, &outcome);
}

void engine_carry_out(struct mxclash_engine *engine, uint64_t hash, const uint8_t *owner,
                      size_t owner_len, struct case_outcome *outcome, mxclash_time now)
{
    engine_hand_out(engine, outcome);
    if (outcome->prove || outcome->prove_later)
        queue_proof(engine, hash, owner, owner_len, outcome->prove_later, now);
    if (outcome->walk && !errand_queue_push(&engine->lookups, hash, owner, owner_len, now))
        engine_give_up_lookup(engine, hash, owner, owner_len, now);
    if (!outcome->lookup)
        return;
    if (!errand_queue_push(&engine->lookups, hash, owner, owner_len, now)) {
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
