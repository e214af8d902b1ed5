/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Proofs: MX and CNAME asked as detached queries of Unbound's own, past its cache and not into it.
 *
 * Nobody waits for such a query: it has neither client nor super. It is made with CD and as a
 * validator's own lookup, so it is kept apart from clients' queries and passes the validator by.
 */
#include "adapter.h"

const struct mxclash_proof *proof_of(const struct module_qstate *qstate, int id)
{
    return qstate->minfo[id];
}

/** \return false if the question could not be asked */
static bool ask(struct module_qstate *qstate, int id, struct mxclash_proof *proof, uint16_t qtype)
{
    struct module_env *env = qstate->env;
    struct module_qstate *query = NULL;
    struct mesh_state *state = NULL;
    struct query_info qinfo = {.qname = proof->owner,
                               .qname_len = proof->owner_len,
                               .qtype = qtype,
                               .qclass = LDNS_RR_CLASS_IN};

    /* without RD the iterator would answer with a delegation that it has in its cache */
    if (!env->add_sub(qstate, &qinfo, BIT_RD | BIT_CD, 0, 1, &query, &state))
        return false;
    /* no new query: the same question is still on its way for a proof that was given up */
    if (query == NULL)
        return false;
    query->no_cache_lookup = 1;
    query->no_cache_store = 1;
    query->minfo[id] = regional_alloc_init(query->region, proof, sizeof(*proof));
    return query->minfo[id] != NULL;
}

void proof_start(struct module_qstate *qstate, int id)
{
    struct mxclash_engine *engine = adapter_of(qstate->env, id)->engine;
    mxclash_time now = time_of(qstate->env->now_tv);
    struct mxclash_proof proof;

    if (!mxclash_proof_next(engine, now, &proof))
        return;
    if (!ask(qstate, id, &proof, LDNS_RR_TYPE_MX) || !ask(qstate, id, &proof, LDNS_RR_TYPE_CNAME))
        mxclash_proof_abandon(engine, &proof, now);
}

void proof_finish(struct module_qstate *qstate, int id, bool thrown_away)
{
    const struct mxclash_proof *proof = proof_of(qstate, id);
    struct mxclash_engine *engine;
    mxclash_time now;

    if (proof == NULL)
        return;
    engine = adapter_of(qstate->env, id)->engine;
    now = time_of(qstate->env->now_tv);
    if (thrown_away)
        mxclash_proof_abandon(engine, proof, now);
    else
        mxclash_proof_end(engine, proof, qstate->qinfo.qtype, now);
    qstate->minfo[id] = NULL;
}
