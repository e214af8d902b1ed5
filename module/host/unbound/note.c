/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What hangs with a query: see note.h. */
#include "note.h"

const struct mxclash_proof *proof_of(const struct module_qstate *qstate, int id)
{
    const struct errand *errand = qstate->minfo[id];

    return errand != NULL && errand->kind == errand_proof ? &errand->proof : NULL;
}

struct repair_mark *errand_mark_repair(struct module_qstate *qstate, int id)
{
    struct errand *errand = regional_alloc_zero(qstate->region, sizeof(*errand));

    if (errand == NULL)
        return NULL;
    errand->kind = errand_repair;
    errand->repair.began = errand->outlay.since = time_of(qstate->env->now_tv);
    errand->repair.no_cache_lookup = qstate->no_cache_lookup;
    errand->repair.no_cache_store = qstate->no_cache_store;
    qstate->minfo[id] = errand;
    return &errand->repair;
}

struct repair_mark *errand_repair_mark(const struct module_qstate *qstate, int id)
{
    struct errand *errand = qstate->minfo[id];

    return errand != NULL && errand->kind == errand_repair ? &errand->repair : NULL;
}

bool is_errand(const struct module_qstate *qstate, int id)
{
    return qstate->minfo[id] != NULL && errand_repair_mark(qstate, id) == NULL;
}

struct outlay *errand_outlay(const struct module_qstate *qstate, int id)
{
    return &((struct errand *)qstate->minfo[id])->outlay;
}

void errand_charge(struct module_qstate *qstate, int id, unsigned packets, mxclash_time now)
{
    struct mxclash_engine *engine = adapter_of(qstate->env, id)->engine;
    struct errand *errand = qstate->minfo[id];
    /* the first was paid for when the errand was taken */
    unsigned unpaid = errand->outlay.packets == 0 ? packets - 1 : packets;

    errand->outlay.packets += packets;
    errand->outlay.since = now;
    if (unpaid == 0)
        return;
    if (errand->kind == errand_proof)
        mxclash_proof_sent(engine, &errand->proof, unpaid, now);
    else if (errand->kind == errand_lookup)
        mxclash_lookup_sent(engine, unpaid);
}

bool somebody_waits(const struct module_qstate *qstate)
{
    const struct mesh_state *state = qstate->mesh_info;

    return state->reply_list != NULL || state->cb_list != NULL || state->super_set.count != 0;
}
