/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Errands: questions that the detector wants asked, as detached queries of Unbound's own.
 *
 * Nobody waits for such a query: it has neither client nor super. It is made as a validator's own
 * lookup, with RD and without CD. No other query is, so nobody else finds it and shares its end,
 * which is earlier than Unbound's: clients' queries are no validator's, and the look-ups of the
 * iterator, of the validator and of clients' subnets that are have CD.
 * It begins at the iterator, as the iterator's own look-ups do, and ends here: no other module
 * takes it for a client's, answers it from a cache of its own, asks more for it or keeps its
 * answer. A proof's question goes past the cache, a lookup's uses it as a client's would; neither
 * leaves an answer in it. Two lookups of one target share a query: hence a list at each. A client's
 * query that is being repaired has its mark in the same place.
 */
#include "errand.h"

#include "note.h"
#include "versions.h"

/** Longer than any chain of aliases that Unbound follows. */
#define CHAIN_MAX 32

/** \return false if the question could not be asked */
static bool ask(struct module_qstate *qstate, int id, const struct errand *errand, uint8_t *name,
                size_t name_len, uint16_t qtype)
{
    struct module_env *env = qstate->env;
    struct module_qstate *query = NULL;
    struct mesh_state *state = NULL;
    struct errand *kept;
    struct query_info qinfo = {
        .qname = name, .qname_len = name_len, .qtype = qtype, .qclass = LDNS_RR_CLASS_IN};
    /* The query at hand does not wait for the new one: in its name, one that asks the same, or that
     * waits for it, would be refused as a circle. */
    struct module_qstate nobody = {.env = env};

    /* without RD the iterator would answer with a delegation that it has in its cache */
    if (!host_add_sub(&nobody, &qinfo, BIT_RD, 1, &query, &state))
        return false;
    if (query == NULL) {
        /* It is on its way already, or it is the query at hand, which is done and still there. A
         * proof that was given up left it, or another lookup asks the same: the latter is good for
         * this one too, a proof wants its own. */
        struct errand *other = state->s.minfo[id];
        bool of_lookup = other != NULL ? other->kind == errand_lookup : &state->s == qstate;

        if (errand->kind == errand_proof || !of_lookup)
            return false;
        query = &state->s;
    } else {
        query->curmod = adapter_of(env, id)->iterator;
        query->no_cache_lookup = errand->kind == errand_proof;
        /* else a client that asks the same later would get an older TTL than without us */
        query->no_cache_store = 1;
    }
    kept = regional_alloc_init(query->region, errand, sizeof(*errand));
    if (kept == NULL)
        return false;
    kept->next = query->minfo[id];
    if (kept->next != NULL)
        kept->outlay = kept->next->outlay;
    else
        kept->outlay.since = time_of(env->now_tv);
    query->minfo[id] = kept;
    return true;
}

/** Ask the questions of a proof from that of number i on, or, where they are asked in turn, that
 * one. \return how many questions have been asked by then; the proof is given up if that fails */
static unsigned ask_proof(struct module_qstate *qstate, int id, const struct errand *errand,
                          unsigned i, mxclash_time now)
{
    struct mxclash_proof proof = errand->proof;

    do {
        if (!ask(qstate, id, errand, proof.owner, proof.owner_len, proof.qtypes[i])) {
            mxclash_proof_abandon(adapter_of(qstate->env, id)->engine, &proof, now);
            return i;
        }
        i++;
    } while (!proof.in_turn && i < proof.qtype_count);
    return i;
}

/**
 * A second look is made to be sure. Where a question for the same domain came to nothing this very
 * moment, its servers may be silent, and it would find that silence only.
 */
static bool is_no_time_for(struct mxclash_proof *proof, const struct module_qstate *qstate)
{
    return proof->in_turn && qstate->return_rcode != LDNS_RCODE_NOERROR &&
           query_dname_compare(proof->owner, qstate->qinfo.qname) == 0;
}

/** \return true if something was asked */
static bool start_proof(struct module_qstate *qstate, int id, mxclash_time now)
{
    struct mxclash_engine *engine = adapter_of(qstate->env, id)->engine;
    struct errand errand = {.kind = errand_proof, .proof.struct_size = sizeof(errand.proof)};

    if (!mxclash_proof_next(engine, now, &errand.proof))
        return false;
    if (is_no_time_for(&errand.proof, qstate)) {
        mxclash_proof_abandon(engine, &errand.proof, now);
        /* it goes back into the queue, for the timer or another query to take */
        mxclash_recheck(engine, errand.proof.owner, errand.proof.owner_len, now);
        return false;
    }
    return ask_proof(qstate, id, &errand, 0, now) != 0;
}

/** \return true if something was asked */
static bool start_lookup(struct module_qstate *qstate, int id, mxclash_time now)
{
    static const struct mxclash_lookup_reply nothing = {.struct_size = sizeof(nothing)};
    struct mxclash_engine *engine = adapter_of(qstate->env, id)->engine;
    struct errand errand = {.kind = errand_lookup, .lookup.struct_size = sizeof(errand.lookup)};
    struct mxclash_lookup *lookup = &errand.lookup;

    if (!mxclash_lookup_next(engine, now, lookup))
        return false;
    if (ask(qstate, id, &errand, lookup->target, lookup->target_len, lookup->qtype))
        return true;
    mxclash_lookup_end(engine, lookup, &nothing, now);
    return false;
}

/**
 * Half of the worker's room for queries is taken. Errands to dead servers live long, and Unbound
 * looks up fewer nameservers once its room is full: it is the clients' before it is ours.
 */
static bool is_busy(const struct mesh_area *mesh)
{
    return mesh->all.count > mesh->max_reply_states / 2;
}

void errands_start(struct module_qstate *qstate, int id)
{
    struct adapter *adapter = adapter_of(qstate->env, id);
    mxclash_time now = time_of(qstate->env->now_tv);
    bool asked = false;

    if (!is_busy(qstate->env->mesh)) {
        /* what has just ended may give reason to ask the same anew, and as long as its query is
         * still there Unbound would not make another: the timer, or the next query, sees to that */
        asked = !qstate->is_valrec && start_proof(qstate, id, now);
        asked = start_lookup(qstate, id, now) || asked;
    }
    /* what was asked runs when Unbound next runs its queries, which is at once as a rule, but not
     * where an expired answer is served out of a timer of Unbound's */
    if (asked || mxclash_errands_wait(adapter->engine))
        timer_arm(&adapter->timers);
}

/** Copy an MX set of Unbound's, without null MX, sorted. \return members; *null_mx as found */
static uint32_t copy_mx_set(const struct ub_packed_rrset_key *rrset, struct mxclash_mx *mx,
                            uint8_t *null_mx)
{
    const struct packed_rrset_data *data = rrset->entry.data;
    size_t count = 0;

    for (size_t i = 0; i < data->count; i++) {
        /* length of the RDATA, preference, exchange */
        const uint8_t *rdata = data->rr_data[i];
        size_t exchange_len = data->rr_len[i] > 4 ? data->rr_len[i] - 4 : 0;
        struct mxclash_mx one = {0};

        if (exchange_len == 0 || exchange_len > MXCLASH_NAME_MAX)
            continue;
        if (exchange_len == 1) {
            *null_mx = 1;
            continue;
        }
        one.preference = (uint16_t)(rdata[2] << 8 | rdata[3]);
        one.exchange_len = (uint8_t)exchange_len;
        memcpy(one.exchange, rdata + 4, exchange_len);
        count = mxclash_mx_insert(mx, count, &one);
    }
    *null_mx = *null_mx && count == 0;
    return (uint32_t)count;
}

/** Did the iterator come back to a name that it had left by an alias? */
static bool chain_came_back(const struct module_qstate *qstate, int iterator)
{
    const struct iter_qstate *iq = qstate->minfo[iterator];

    if (iq == NULL || iq->qchase.qname == NULL)
        return false;
    for (const struct iter_prep_list *link = iq->an_prepend_list; link != NULL; link = link->next)
        if (query_dname_compare(link->rrset->rk.dname, iq->qchase.qname) == 0)
            return true;
    return false;
}

/**
 * Unbound gives up a chain of aliases that does not end with SERVFAIL, as it does where servers
 * fail. The iterator knows the chain that it has followed. Where it found that SERVFAIL in its
 * cache, left by a client, the aliases are there too: followed there, such a chain goes on and on,
 * while one that was cut by a failure breaks off.
 */
static bool chain_is_endless(const struct module_qstate *qstate)
{
    uint8_t name[MXCLASH_NAME_MAX];
    size_t name_len = qstate->qinfo.qname_len;

    memcpy(name, qstate->qinfo.qname, name_len);
    for (int i = 0; i < CHAIN_MAX; i++) {
        struct ub_packed_rrset_key *cname =
            rrset_cache_lookup(qstate->env->rrset_cache, name, name_len, LDNS_RR_TYPE_CNAME,
                               LDNS_RR_CLASS_IN, 0, *qstate->env->now, 0);
        uint8_t *target = NULL;

        if (cname == NULL)
            return false;
        get_cname_target(cname, &target, &name_len);
        if (target != NULL)
            memcpy(name, target, name_len);
        lock_rw_unlock(&cname->entry.lock);
        if (target == NULL)
            return false;
    }
    return true;
}

/** List the TXT records of an RRset of Unbound's. \param txt  room for MXCLASH_TXT_MAX */
static void list_txt(const struct ub_packed_rrset_key *rrset, struct mxclash_txt *txt,
                     struct mxclash_lookup_reply *reply)
{
    const struct packed_rrset_data *data = rrset->entry.data;

    for (size_t i = 0; i < data->count; i++) {
        if (reply->txt_count == MXCLASH_TXT_MAX) {
            reply->txt_cut = true;
            return;
        }
        /* the length of the RDATA stands before it */
        txt[reply->txt_count].rdata = data->rr_data[i] + 2;
        txt[reply->txt_count++].len = (uint16_t)(data->rr_len[i] - 2);
    }
}

/** What a lookup's query came to. \param mx, txt  room for MXCLASH_MX_MAX and MXCLASH_TXT_MAX, for
 * the reply to refer to */
static struct mxclash_lookup_reply reply_of(const struct module_qstate *qstate, int iterator,
                                            struct mxclash_mx *mx, struct mxclash_txt *txt)
{
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply), .mx = mx, .txt = txt};
    const struct reply_info *rep = qstate->return_msg != NULL ? qstate->return_msg->rep : NULL;
    int rcode = qstate->return_rcode;

    if (rep != NULL && rcode == LDNS_RCODE_NOERROR)
        rcode = (int)FLAGS_GET_RCODE(rep->flags);
    if (rep == NULL || (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN)) {
        /* a loop leads nowhere, and that is an answer (RFC 1034 5.2.2) */
        reply.answered = chain_came_back(qstate, iterator) || chain_is_endless(qstate);
        return reply;
    }
    reply.answered = true;
    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        const struct ub_packed_rrset_key *rrset = rep->rrsets[i];

        if (rrset->rk.type == htons(LDNS_RR_TYPE_MX))
            reply.mx_count = copy_mx_set(rrset, mx, &reply.null_mx);
        else if (rrset->rk.type == htons(LDNS_RR_TYPE_TXT))
            list_txt(rrset, txt, &reply);
        else if (rrset->rk.type == htons(LDNS_RR_TYPE_A) ||
                 rrset->rk.type == htons(LDNS_RR_TYPE_AAAA))
            reply.has_address = true;
    }
    return reply;
}

static void finish_lookup(struct module_qstate *qstate, const struct adapter *adapter,
                          const struct mxclash_lookup *lookup, bool thrown_away, mxclash_time now)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    struct mxclash_txt txt[MXCLASH_TXT_MAX];
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply)};

    if (!thrown_away)
        reply = reply_of(qstate, adapter->iterator, mx, txt);
    mxclash_lookup_end(adapter->engine, lookup, &reply, now);
}

static void finish_proof(struct module_qstate *qstate, int id, const struct adapter *adapter,
                         const struct errand *errand, bool thrown_away, mxclash_time now)
{
    const struct mxclash_proof *proof = &errand->proof;
    unsigned next = 1;

    if (thrown_away) {
        mxclash_proof_abandon(adapter->engine, proof, now);
        return;
    }
    mxclash_proof_end(adapter->engine, proof, qstate->qinfo.qtype, now);
    while (next < proof->qtype_count && proof->qtypes[next - 1] != qstate->qinfo.qtype)
        next++;
    if (proof->in_turn && next < proof->qtype_count)
        ask_proof(qstate, id, errand, next, now);
}

void errands_finish(struct module_qstate *qstate, int id, bool thrown_away)
{
    struct errand *errand = qstate->minfo[id];
    const struct adapter *adapter = adapter_of(qstate->env, id);
    mxclash_time now = time_of(qstate->env->now_tv);

    for (; errand != NULL; errand = errand->next) {
        if (errand->kind == errand_lookup)
            finish_lookup(qstate, adapter, &errand->lookup, thrown_away, now);
        else if (errand->kind == errand_proof)
            finish_proof(qstate, id, adapter, errand, thrown_away, now);
    }
    qstate->minfo[id] = NULL;
}
