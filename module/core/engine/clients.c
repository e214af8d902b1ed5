/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What clients ask and get: mxclash_client_mx() and mxclash_get_standing(). See mxclash.h.
 */
#include <string.h>

#include "core/dns/answer.h"
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

/**
 * What a message shows of the name that was asked for its MX, up to a DNAME above it: a CNAME that
 * a DNAME made (RFC 6672 3.1) stands at no name. \return false if it is malformed
 */
static bool read_response(const struct wire_message *message, const uint8_t *qname,
                          enum mxclash_reply *reply)
{
    struct wire_record record = {.next_at = message->answers_at};

    *reply = mxclash_reply_other;
    for (unsigned i = 0; i < message->answers && i < ANSWER_WALK_MAX; i++) {
        uint8_t owner[MXCLASH_NAME_MAX];
        size_t owner_len;
        bool is_qname;

        if (!wire_record_at(message, record.next_at, &record))
            return false;
        if (record.class != wire_class_in ||
            (record.type != wire_type_mx && record.type != wire_type_cname &&
             record.type != wire_type_dname))
            continue;
        owner_len = wire_name_at(message, record.owner_at, message->len, owner);
        if (owner_len == 0)
            return false;
        is_qname = name_equal(owner, owner_len, qname, message->qname_len);
        if (record.type == wire_type_dname && !is_qname &&
            name_at_or_below(qname, message->qname_len, owner, owner_len)) {
            if (*reply == mxclash_reply_hides)
                *reply = mxclash_reply_other;
            return true;
        }
        if (is_qname && record.type == wire_type_mx)
            *reply = mxclash_reply_shows;
        else if (is_qname && record.type == wire_type_cname && *reply == mxclash_reply_other)
            *reply = mxclash_reply_hides;
    }
    return true;
}

enum mxclash_status mxclash_client_response(struct mxclash_engine *engine, const uint8_t *octets,
                                            size_t len, mxclash_time now, uint32_t *reply)
{
    enum mxclash_reply found = mxclash_reply_not_mx;
    struct wire_message message;
    const uint8_t *qname;

    if (len > UINT16_MAX || !wire_open(&message, octets, len)) {
        count_up(&engine->counters.malformed);
        return mxclash_malformed;
    }
    qname = octets + message.qname_at;
    if (message.response && message.query_opcode && !message.truncated && message.qname_len != 0 &&
        message.qclass == wire_class_in && message.qtype == wire_type_mx) {
        if (!read_response(&message, qname, &found)) {
            count_up(&engine->counters.malformed);
            return mxclash_malformed;
        }
        mxclash_client_mx(engine, qname, message.qname_len, found, now);
    }
    if (reply != NULL)
        *reply = found;
    return mxclash_ok;
}
