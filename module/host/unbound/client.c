/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Replies to clients: tells the detector of MX questions and what they got,
 * and has them annotated. */
#include "client.h"

#include "util/config_file.h"
#include "util/netevent.h"

#include "adapter.h"
#include "annotate.h"
#include "core/engine/engine.h"
#include "errand.h"
#include "reply.h"

static bool asks_mx(const struct query_info *qinfo)
{
    return qinfo->qtype == LDNS_RR_TYPE_MX && qinfo->qclass == LDNS_RR_CLASS_IN;
}

/** A client's MX question is being answered: tell the detector, annotate if that is wanted. */
static void handle_reply(struct adapter *adapter, const struct query_info *qinfo,
                         const struct reply_info *rep, const struct edns_data *edns,
                         struct edns_option **options, const struct comm_reply *repinfo,
                         struct regional *region, mxclash_time now)
{
    struct mxclash_standing standing;

    if (!mxclash_client_mx(adapter->engine, qinfo->qname, qinfo->qname_len, reply_kind(qinfo, rep),
                           now) ||
        !adapter->annotate)
        return;
    standing.struct_size = sizeof(standing);
    if (mxclash_get_standing(adapter->engine, qinfo->qname, qinfo->qname_len, now, &standing) &&
        annotate(qinfo, rep, edns, repinfo, standing.kind, region, options))
        striped_up(&adapter->counters->annotated);
}

int client_reply_fresh(struct query_info *qinfo, struct module_qstate *qstate,
                       struct reply_info *rep, int rcode, struct edns_data *edns,
                       struct edns_option **opt_list_out, struct comm_reply *repinfo,
                       struct regional *region, struct timeval *start_time, int id, void *arg)
{
    (void)rcode, (void)start_time;
    if (asks_mx(qinfo))
        handle_reply(arg, qinfo, rep, edns, opt_list_out, repinfo, region,
                     time_of(qstate->env->now_tv));
    /* the query has left operate(): a proof that its reply gave reason for would have to wait for
     * the next query */
    if (engine_errands_wait(((struct adapter *)arg)->engine))
        errands_start(qstate, id);
    return 1;
}

bool client_replies_are_known(const struct module_env *env, int id, const struct adapter *adapter)
{
    /* a module in front of us may change what we leave, expired answers are given out before a
     * query is done */
    return id == 0 && !adapter->annotate && !adapter->repair && !env->cfg->serve_expired;
}

/** Does a client get SERVFAIL because the answer is bogus? As mesh_send_reply() has it. */
static bool is_bogus_for(const struct mesh_reply *reply, const struct module_env *env,
                         const struct reply_info *rep)
{
    return env->need_to_validate && (!(reply->qflags & BIT_CD) || env->cfg->ignore_cd) &&
           rep != NULL &&
           (rep->security <= sec_status_bogus || rep->security == sec_status_secure_sentinel_fail);
}

/** Does a client wait for too long to get a reply? As mesh_query_done() has it. */
static bool is_late(const struct mesh_reply *reply, const struct module_env *env)
{
    mxclash_time waited = time_of(env->now_tv) - time_of(&reply->start_time);

    return env->cfg->discard_timeout != 0 && waited > env->cfg->discard_timeout &&
           reply->query_reply.c->type == comm_udp;
}

void client_replies_next(const struct module_qstate *qstate, const struct adapter *adapter)
{
    const struct reply_info *rep = qstate->return_msg != NULL ? qstate->return_msg->rep : NULL;
    const struct query_info *qinfo = &qstate->qinfo;
    enum mxclash_reply kind;

    /* failures are client_reply_failed()'s */
    if (!asks_mx(qinfo) || qstate->is_drop || qstate->return_rcode == LDNS_RCODE_SERVFAIL ||
        (rep == NULL && qstate->return_rcode == LDNS_RCODE_NOERROR))
        return;
    kind = reply_kind(qinfo, rep);
    for (const struct mesh_reply *reply = qstate->mesh_info->reply_list; reply != NULL;
         reply = reply->next)
        if (!is_bogus_for(reply, qstate->env, rep) && !is_late(reply, qstate->env))
            mxclash_client_mx(adapter->engine, qinfo->qname, qinfo->qname_len, kind,
                              time_of(qstate->env->now_tv));
}

int client_reply_cached(struct query_info *qinfo, struct module_qstate *qstate,
                        struct reply_info *rep, int rcode, struct edns_data *edns,
                        struct edns_option **opt_list_out, struct comm_reply *repinfo,
                        struct regional *region, struct timeval *start_time, int id, void *arg)
{
    struct adapter *adapter = arg;

    (void)qstate, (void)rcode, (void)id;
    /* start_time is the worker's clock here */
    striped_up(&adapter->counters->cached);
    if (asks_mx(qinfo))
        handle_reply(adapter, qinfo, rep, edns, opt_list_out, repinfo, region, time_of(start_time));
    /* there is no query here to ask from */
    if (engine_errands_wait(adapter->engine))
        timer_arm(&adapter->timers);
    return 1;
}

/** Does the cache hold a CNAME of the name that was asked? */
static bool alias_is_cached(struct module_qstate *qstate, const struct query_info *qinfo)
{
    struct ub_packed_rrset_key *cname =
        rrset_cache_lookup(qstate->env->rrset_cache, qinfo->qname, qinfo->qname_len,
                           LDNS_RR_TYPE_CNAME, LDNS_RR_CLASS_IN, 0, *qstate->env->now, 0);

    if (cname == NULL)
        return false;
    lock_rw_unlock(&cname->entry.lock);
    return true;
}

int client_reply_failed(struct query_info *qinfo, struct module_qstate *qstate,
                        struct reply_info *rep, int rcode, struct edns_data *edns,
                        struct edns_option **opt_list_out, struct comm_reply *repinfo,
                        struct regional *region, struct timeval *start_time, int id, void *arg)
{
    struct adapter *adapter = arg;
    enum mxclash_reply kind = mxclash_reply_other;

    (void)rcode, (void)edns, (void)opt_list_out, (void)repinfo, (void)region, (void)start_time;
    /* without a query Unbound has no memory, or has told the client before */
    if (qstate == NULL || !asks_mx(qinfo))
        return 1;
    /* a CNAME whose target cannot be resolved hides the MX, and Unbound does not show it. What did
     * not validate is another fault. */
    if ((rep == NULL || rep->security != sec_status_bogus) && alias_is_cached(qstate, qinfo))
        kind = mxclash_reply_hides;
    mxclash_client_mx(adapter->engine, qinfo->qname, qinfo->qname_len, kind,
                      time_of(qstate->env->now_tv));
    errands_start(qstate, id);
    return 1;
}
