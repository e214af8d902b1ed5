/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Cases out of the table and into it: the walk over what is open, export and import, and
 * what the operator wants of one owner. See mxclash.h. */
#include <string.h>

#include "core/cases/facts.h"
#include "core/cases/record.h"
#include "core/dns/names.h"
#include "core/engine/outcome.h"
#include "core/engine/structs.h"

/** A walk from the host's cursor on, and what a visit came to. */
struct walk {
    const struct mxclash_engine *engine;
    struct docket_cursor at;
    /** the case whose kinds are being told, and the next of them */
    uint64_t hash;
    uint64_t kind;
    bool found;
    struct mxclash_event *conflict;
    uint8_t *octets;
    size_t len;
};

static struct walk walk_from(const struct mxclash_engine *engine,
                             const struct mxclash_cursor *cursor)
{
    return (struct walk){
        .engine = engine,
        .at = {.from = cursor->place[0],
               .shard = (uint32_t)(cursor->place[1] >> 32),
               .bucket = (uint32_t)cursor->place[1],
               .hash = cursor->place[2]},
        .hash = cursor->place[2],
        .kind = cursor->place[3],
    };
}

static void walk_keep(const struct walk *walk, struct mxclash_cursor *cursor)
{
    cursor->place[0] = walk->at.from;
    cursor->place[1] = (uint64_t)walk->at.shard << 32 | walk->at.bucket;
    cursor->place[2] = walk->at.hash;
    cursor->place[3] = walk->kind;
}

static void tell_conflict(void *context, struct docket_case *c)
{
    struct walk *walk = context;

    /* another case than the one that was being told is told from its first kind on */
    if (c->hash != walk->hash)
        walk->kind = 0;
    for (; walk->kind < MXCLASH_KINDS; walk->kind++) {
        const struct conflict *conflict = &c->conflicts[walk->kind];

        if (!conflict->open)
            continue;
        conflict_describe(&walk->engine->work, c, (enum mxclash_kind)walk->kind, mxclash_opened,
                          conflict->first_seen, walk->conflict);
        walk->kind++;
        walk->found = true;
        return;
    }
}

bool mxclash_next_open(struct mxclash_engine *engine, struct mxclash_cursor *cursor,
                       struct mxclash_event *conflict)
{
    struct walk walk = walk_from(engine, cursor);
    struct mxclash_event ours;

    if (conflict->struct_size < STRUCT_LEAST(mxclash_event, mx))
        return false;
    walk.conflict = &ours;
    while (!walk.found && docket_next_open(&engine->docket, &walk.at, tell_conflict, &walk)) {
        if (walk.found)
            continue;
        docket_pass(&walk.at);
        walk.kind = 0;
    }
    walk_keep(&walk, cursor);
    if (walk.found)
        struct_give_event(conflict, &ours);
    return walk.found;
}

static void write_case(void *context, struct docket_case *c)
{
    struct walk *walk = context;

    walk->len = record_write(c, walk->octets);
}

size_t mxclash_export(struct mxclash_engine *engine, struct mxclash_cursor *cursor, uint8_t *octets,
                      size_t room)
{
    struct walk walk = walk_from(engine, cursor);

    if (room < MXCLASH_EXPORT_MAX)
        return 0;
    walk.octets = octets;
    if (docket_next_open(&engine->docket, &walk.at, write_case, &walk))
        docket_pass(&walk.at);
    walk_keep(&walk, cursor);
    return walk.len;
}

/** \return mxclash_invalid if there is such a case already */
static enum mxclash_status take_in(struct mxclash_engine *engine, const struct case_record *record,
                                   mxclash_time now)
{
    const size_t owner_len = record->facts.owner_len;
    uint64_t hash = engine_hash(engine, record->owner, owner_len);
    struct docket_shard *shard = docket_lock(&engine->docket, hash);
    enum mxclash_status status = mxclash_invalid;
    struct docket_case *c;

    if (docket_find(shard, hash, record->owner, owner_len) == NULL) {
        status = mxclash_no_memory;
        c = docket_add(&engine->docket, shard, hash, record->owner, owner_len);
        if (c != NULL && record_apply(&engine->work, shard, c, record, now))
            status = mxclash_ok;
        else if (c != NULL)
            docket_remove(&engine->docket, shard, c);
    }
    docket_unlock(shard);
    return status;
}

enum mxclash_status mxclash_import(struct mxclash_engine *engine, const uint8_t *octets, size_t len,
                                   mxclash_time now)
{
    enum mxclash_status status = mxclash_malformed;
    struct case_record record;

    switch (record_read(octets, len, now, &record)) {
    case record_good:
        status = mxclash_invalid;
        if (!ignore_holds(&engine->ignore, record.owner, record.facts.owner_len))
            status = take_in(engine, &record, now);
        break;
    case record_unknown:
        status = mxclash_invalid;
        break;
    case record_malformed:
        break;
    }
    if (status != mxclash_ok)
        count_up(&engine->counters.import_refused);
    return status;
}

/** Lock the case of an owner. \return NULL, nothing locked, if there is none */
static struct docket_case *lock_case(struct mxclash_engine *engine, const uint8_t *owner,
                                     size_t owner_len, uint8_t lower[MXCLASH_NAME_MAX],
                                     uint64_t *hash, struct docket_shard **shard)
{
    struct docket_case *c;

    if (!name_valid(owner, owner_len))
        return NULL;
    name_lower(lower, owner, owner_len);
    *hash = engine_hash(engine, lower, owner_len);
    *shard = docket_lock(&engine->docket, *hash);
    c = docket_find(*shard, *hash, lower, owner_len);
    if (c == NULL)
        docket_unlock(*shard);
    return c;
}

bool mxclash_forget(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    struct docket_shard *shard;
    uint64_t hash;
    struct docket_case *c = lock_case(engine, owner, owner_len, lower, &hash, &shard);

    if (c == NULL)
        return false;
    engine_forget_evicted(&engine->counters, c);
    docket_remove(&engine->docket, shard, c);
    docket_unlock(shard);
    return true;
}

bool mxclash_recheck(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                     mxclash_time now)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    struct docket_shard *shard;
    struct case_outcome outcome;
    uint64_t hash;
    struct docket_case *c = lock_case(engine, owner, owner_len, lower, &hash, &shard);

    if (c == NULL)
        return false;
    case_outcome_init(&outcome);
    if (engine->work.probe && !c->queued &&
        !case_is_under_way(c->proof.id, c->proof.started, now)) {
        case_put_off_proof(c, now, now);
        c->queued = outcome.prove = true;
    }
    docket_unlock(shard);
    engine_carry_out(engine, hash, lower, owner_len, &outcome, now);
    return outcome.prove;
}
