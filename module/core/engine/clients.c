/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What clients ask and get: mxclash_client_mx() and mxclash_get_standing(). See mxclash.h.
 */
#include <string.h>

#include "core/dns/names.h"
#include "core/engine/outcome.h"
#include "core/engine/structs.h"

bool mxclash_client_mx(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                       uint32_t reply, mxclash_time now)
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
    bool suspect = reply == mxclash_reply_hides && engine->work.probe &&
                   errand_queue_have_room(&engine->proofs);

    if (!name_valid(owner, owner_len))
        return false;
    name_lower(lower, owner, owner_len);
    hash = engine_hash(engine, lower, owner_len);
    if (!docket_may_hold(&engine->docket, hash)) {
        if (!suspect)
            return false;
        if (!domain_cap_has(&engine->domain_cap, engine_domain(engine, lower, owner_len), now)) {
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

static inline __attribute__((always_inline)) bool get_standing(struct mxclash_engine *engine,
                                                               const uint8_t *owner,
                                                               size_t owner_len, mxclash_time now,
                                                               struct mxclash_standing *standing)
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

/** For a caller whose struct is not ours. */
static __attribute__((noinline)) bool give_standing(struct mxclash_engine *engine,
                                                    const uint8_t *owner, size_t owner_len,
                                                    mxclash_time now,
                                                    struct mxclash_standing *standing)
{
    const size_t at = offsetof(struct mxclash_standing, mx);
    struct mxclash_standing ours;

    if (standing->struct_size < at || !get_standing(engine, owner, owner_len, now, &ours))
        return false;
    ours.mx_count = struct_fits(standing->struct_size, at, sizeof(ours.mx[0]), ours.mx_count);
    memset(ours.mx + ours.mx_count, 0, (MXCLASH_MX_MAX - ours.mx_count) * sizeof(ours.mx[0]));
    struct_give(standing, &ours, sizeof(ours));
    return true;
}

bool mxclash_get_standing(struct mxclash_engine *engine, const uint8_t *owner, size_t owner_len,
                          mxclash_time now, struct mxclash_standing *standing)
{
    return standing->struct_size == sizeof(*standing)
               ? get_standing(engine, owner, owner_len, now, standing)
               : give_standing(engine, owner, owner_len, now, standing);
}
