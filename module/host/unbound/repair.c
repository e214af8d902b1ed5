/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Repair: a client's MX question about a name with a confirmed cname-and-mx gets the MX.
 *
 * The question is sent past the cached CNAME. An authority that answers by type then answers it,
 * and the answer is cached like any other: it costs one upstream query a TTL. Of an answer that has
 * both, Unbound leaves no more than the CNAME: then the MX set that the raw answer had takes its
 * place before the iterator looks at it, and is validated, cached and given like any other. If the
 * authority fails, the query is done again as it would be without us.
 */
#include "repair.h"

#include "iterator/iter_utils.h"
#include "util/config_file.h"
#include "util/data/msgparse.h"
#include "util/data/msgreply.h"

#include "reply.h"

/** Longest MX answer that can be built: header, question, 16 records of the longest names. */
#define ANSWER_OCTETS_MAX (12 + 259 + MXCLASH_MX_MAX * (2 + 10 + 2 + MXCLASH_NAME_MAX))
/** How long an answer is kept that was given because the authority failed. Unbound keeps a failure
 * as long (NORR_TTL in its iterator). */
#define FAILURE_TTL_S 5

/** Without RD a client asks what the cache has, not what could be found out. */
static bool may_be_repaired(const struct module_qstate *qstate)
{
    return qstate->qinfo.qtype == LDNS_RR_TYPE_MX && qstate->qinfo.qclass == LDNS_RR_CLASS_IN &&
           (qstate->query_flags & BIT_RD) != 0 && !qstate->is_valrec;
}

/** Is there a confirmed cname-and-mx at owner? */
static bool is_confirmed(const struct module_env *env, const struct adapter *adapter,
                         const uint8_t *owner, size_t owner_len, struct mxclash_standing *standing)
{
    standing->struct_size = sizeof(*standing);
    return mxclash_get_standing(adapter->engine, owner, owner_len, time_of(env->now_tv),
                                standing) &&
           standing->kind == mxclash_cname_and_mx && standing->state == mxclash_confirmed;
}

/** The same of the name that a query asks. */
static bool asks_confirmed(const struct module_qstate *qstate, const struct adapter *adapter,
                           struct mxclash_standing *standing)
{
    return is_confirmed(qstate->env, adapter, qstate->qinfo.qname, qstate->qinfo.qname_len,
                        standing);
}

/** Does Unbound answer with what has expired when a client has waited so long as the operator says?
 * It then looks into its cache for an answer to the very question. */
static bool client_waits_so_long_only(const struct module_env *env)
{
    return env->cfg->serve_expired && env->cfg->serve_expired_client_timeout > 0;
}

/** Send a query past the cache. */
static void go_past_cache(struct module_qstate *qstate, struct repair_mark *mark)
{
    mark->past_cache = true;
    /* no_cache_lookup would also keep the answer from the client that has waited so long: for it
     * the query is sent on as a prefetch is */
    if (!client_waits_so_long_only(qstate->env))
        qstate->no_cache_lookup = 1;
    else if (qstate->blacklist == NULL)
        sock_list_insert(&qstate->blacklist, NULL, 0, qstate->region);
}

void repair_use_cache(struct module_qstate *qstate, struct repair_mark *mark)
{
    if (!mark->past_cache)
        return;
    mark->past_cache = false;
    qstate->no_cache_lookup = mark->no_cache_lookup;
    if (client_waits_so_long_only(qstate->env))
        qstate->blacklist = NULL;
}

void repair_begin(struct module_qstate *qstate, int id)
{
    const struct adapter *adapter = adapter_of(qstate->env, id);
    struct mxclash_standing standing;
    struct repair_mark *mark;

    /* first as without us, which is quick: then there is an answer for who has waited so long */
    if (client_waits_so_long_only(qstate->env) && somebody_waits(qstate))
        return;
    if (!may_be_repaired(qstate) || qstate->minfo[id] != NULL ||
        !asks_confirmed(qstate, adapter, &standing))
        return;
    mark = errand_mark_repair(qstate, id);
    if (mark != NULL)
        go_past_cache(qstate, mark);
}

/** Write an MX answer into the worker's scratch buffer. \return false if it does not fit */
static bool write_answer(const struct module_qstate *qstate,
                         const struct mxclash_standing *standing, uint16_t flags)
{
    sldns_buffer *packet = qstate->env->scratch_buffer;

    sldns_buffer_clear(packet);
    if (sldns_buffer_capacity(packet) < ANSWER_OCTETS_MAX)
        return false;
    sldns_buffer_write_u16(packet, 0);
    sldns_buffer_write_u16(packet, flags);
    sldns_buffer_write_u16(packet, 1);
    sldns_buffer_write_u16(packet, standing->mx_count);
    sldns_buffer_write_u16(packet, 0);
    sldns_buffer_write_u16(packet, 0);
    sldns_buffer_write(packet, qstate->qinfo.qname, qstate->qinfo.qname_len);
    sldns_buffer_write_u16(packet, LDNS_RR_TYPE_MX);
    sldns_buffer_write_u16(packet, LDNS_RR_CLASS_IN);
    for (unsigned i = 0; i < standing->mx_count; i++) {
        const struct mxclash_mx *mx = &standing->mx[i];

        sldns_buffer_write_u16(packet, 0xc00c); /* the name in the question */
        sldns_buffer_write_u16(packet, LDNS_RR_TYPE_MX);
        sldns_buffer_write_u16(packet, LDNS_RR_CLASS_IN);
        sldns_buffer_write_u32(packet, standing->mx_ttl_s);
        sldns_buffer_write_u16(packet, (uint16_t)(2 + mx->exchange_len));
        sldns_buffer_write_u16(packet, mx->preference);
        sldns_buffer_write(packet, mx->exchange, mx->exchange_len);
    }
    sldns_buffer_flip(packet);
    return true;
}

void repair_answer(struct module_qstate *qstate, int id, const struct iter_qstate *iq,
                   struct dns_msg *response)
{
    const struct adapter *adapter = adapter_of(qstate->env, id);
    struct module_env *env = qstate->env;
    struct repair_mark *mark = errand_repair_mark(qstate, id);
    struct mxclash_standing standing;
    struct msg_parse parsed;
    struct dns_msg *answer;

    if (!may_be_repaired(qstate) || response->qinfo.qtype != LDNS_RR_TYPE_MX ||
        query_dname_compare(response->qinfo.qname, qstate->qinfo.qname) != 0 ||
        !reply_shows_alias(&qstate->qinfo, response->rep) || (mark != NULL && mark->gave_up) ||
        !asks_confirmed(qstate, adapter, &standing))
        return;
    /* in a signed zone it would be bogus, for we keep no signatures */
    if (standing.mx_ttl_s == 0 || standing.mx_count == 0 || iq->dnssec_expected)
        return;
    if (mark == NULL && errand_mark_repair(qstate, id) == NULL)
        return;
    /* not the code: NXDOMAIN would be the target's (RFC 6604 2.1) */
    if (!write_answer(qstate, &standing, response->rep->flags & (uint16_t)~LDNS_RCODE_MASK))
        return;
    memset(&parsed, 0, sizeof(parsed));
    if (parse_packet(env->scratch_buffer, &parsed, env->scratch) != LDNS_RCODE_NOERROR)
        return;
    answer = dns_alloc_msg(env->scratch_buffer, &parsed, qstate->region);
    if (answer != NULL)
        response->rep = answer->rep;
}

/**
 * Do the query again from the next module on.
 *
 * The iterator forgets the look-ups of nameservers that it waits for, they must forget it too: one
 * that ended later would be counted off from the new run, which would then wait without end.
 */
static void restart(struct module_qstate *qstate, int id, struct repair_mark *mark)
{
    (*qstate->env->detach_subs)(qstate);
    qstate->return_rcode = LDNS_RCODE_NOERROR;
    qstate->return_msg = NULL;
    qstate->no_cache_store = mark->no_cache_store;
    mark->store_off = false;
    qstate->ext_state[id] = module_restart_next;
}

static bool is_failure(const struct reply_info *rep)
{
    int rcode = (int)FLAGS_GET_RCODE(rep->flags);

    return (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN) ||
           rep->security == sec_status_bogus;
}

/** If the failure came into the cache, take it out again. */
static void forget_failure(const struct module_qstate *qstate)
{
    const struct query_info *qinfo = &qstate->qinfo;
    uint16_t flags = qstate->query_flags;
    struct msgreply_entry *entry = msg_cache_lookup(qstate->env, qinfo->qname, qinfo->qname_len,
                                                    qinfo->qtype, qinfo->qclass, flags, 0, 0);
    bool failure;

    if (entry == NULL)
        return;
    failure = is_failure(entry->entry.data);
    lock_rw_unlock(&entry->entry.lock);
    if (failure)
        msg_cache_remove(qstate->env, qinfo->qname, qinfo->qname_len, qinfo->qtype, qinfo->qclass,
                         flags);
}

/** The authority failed: do the query as it would be done without us. */
static void do_as_without_us(struct module_qstate *qstate, int id, struct repair_mark *mark)
{
    bool bogus = qstate->return_msg != NULL && qstate->return_msg->rep != NULL &&
                 qstate->return_msg->rep->security == sec_status_bogus;

    mark->gave_up = true;
    mark->keep_s = bogus ? qstate->env->cfg->bogus_ttl : FAILURE_TTL_S;
    forget_failure(qstate);
    repair_use_cache(qstate, mark);
    /* what the validator noted of the bogus answer: it would keep the query from the cache */
    qstate->blacklist = NULL;
    qstate->reply_origin = NULL;
    qstate->errinf = NULL;
    restart(qstate, id, mark);
}

/** Have an answer that hides the MX forgotten soon, so that the authority is asked again. */
static void keep_briefly(const struct module_qstate *qstate, time_t keep_s)
{
    const struct query_info *qinfo = &qstate->qinfo;
    time_t now = *qstate->env->now;
    struct msgreply_entry *entry;
    struct reply_info *rep;

    /* the answer at hand: a module in front of us may store it yet */
    if (qstate->return_msg != NULL && qstate->return_msg->rep != NULL) {
        rep = qstate->return_msg->rep;
        if (rep->ttl > keep_s)
            rep->ttl = rep->prefetch_ttl = rep->serve_expired_ttl = keep_s;
    }
    /* and what is stored. Nothing is put there: what the host keeps from its cache, as an answer
     * for one subnet of clients, is no answer for all. */
    entry = msg_cache_lookup(qstate->env, qinfo->qname, qinfo->qname_len, qinfo->qtype,
                             qinfo->qclass, qstate->query_flags, now, 1);
    if (entry == NULL)
        return;
    rep = entry->entry.data;
    if (rep->ttl > now + keep_s && rrset_array_lock(rep->ref, rep->rrset_count, now)) {
        if (reply_hides_mx(qinfo, rep))
            rep->ttl = rep->prefetch_ttl = rep->serve_expired_ttl = now + keep_s;
        rrset_array_unlock(rep->ref, rep->rrset_count);
    }
    lock_rw_unlock(&entry->entry.lock);
}

bool repair_end(struct module_qstate *qstate, int id)
{
    const struct adapter *adapter = adapter_of(qstate->env, id);
    struct mxclash_standing standing;
    struct repair_mark *mark;

    if (!may_be_repaired(qstate))
        return false;
    mark = errand_repair_mark(qstate, id);
    if (qstate->return_rcode != LDNS_RCODE_NOERROR || qstate->return_msg == NULL ||
        qstate->return_msg->rep == NULL || is_failure(qstate->return_msg->rep)) {
        if (mark == NULL || mark->gave_up)
            return false;
        /* if nobody waits, as with a prefetch, what was to be refreshed is better than less */
        if (!somebody_waits(qstate)) {
            keep_briefly(qstate, FAILURE_TTL_S);
            return false;
        }
        do_as_without_us(qstate, id, mark);
        return true;
    }
    if (!reply_hides_mx(&qstate->qinfo, qstate->return_msg->rep))
        return false;
    if (mark != NULL) {
        if (mark->gave_up)
            keep_briefly(qstate, mark->keep_s);
        return false;
    }
    /* confirmed while this query was on its way: it may have been answered from the cache */
    if (!asks_confirmed(qstate, adapter, &standing))
        return false;
    mark = errand_mark_repair(qstate, id);
    if (mark == NULL)
        return false;
    go_past_cache(qstate, mark);
    restart(qstate, id, mark);
    return true;
}

void repair_forget_hidden(struct module_env *env, const struct adapter *adapter, uint8_t *owner,
                          size_t owner_len)
{
    struct mxclash_standing standing;

    /* whatever the flags: messages are kept apart by CD for AAAA only */
    if (adapter->repair && is_confirmed(env, adapter, owner, owner_len, &standing))
        msg_cache_remove(env, owner, owner_len, LDNS_RR_TYPE_MX, LDNS_RR_CLASS_IN, BIT_RD);
}
