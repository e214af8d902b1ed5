/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Replies to clients: tells the detector of MX questions and what they got. */
#include "adapter.h"

/**
 * Does the reply show a CNAME at the name that was asked, and no MX of it? A CNAME that a DNAME
 * made (RFC 6672 3.1) stands at no name, so it hides nothing.
 */
static bool hides_mx(const struct query_info *qinfo, const struct reply_info *rep)
{
    bool cname = false;

    if (rep == NULL)
        return false;
    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        const struct packed_rrset_key *key = &rep->rrsets[i]->rk;

        if (key->type == htons(LDNS_RR_TYPE_DNAME) &&
            dname_strict_subdomain_c(qinfo->qname, key->dname))
            return false;
        if (query_dname_compare(key->dname, qinfo->qname) != 0)
            continue;
        if (key->type == htons(LDNS_RR_TYPE_MX))
            return false;
        cname = cname || key->type == htons(LDNS_RR_TYPE_CNAME);
    }
    return cname;
}

static void tell_mx(struct adapter *adapter, const struct query_info *qinfo,
                    const struct reply_info *rep, const struct timeval *now)
{
    if (qinfo->qtype == LDNS_RR_TYPE_MX && qinfo->qclass == LDNS_RR_CLASS_IN)
        mxclash_client_mx(adapter->engine, qinfo->qname, qinfo->qname_len, hides_mx(qinfo, rep),
                          time_of(now));
}

int client_reply_fresh(struct query_info *qinfo, struct module_qstate *qstate,
                       struct reply_info *rep, int rcode, struct edns_data *edns,
                       struct edns_option **opt_list_out, struct comm_reply *repinfo,
                       struct regional *region, struct timeval *start_time, int id, void *arg)
{
    (void)rcode, (void)edns, (void)opt_list_out, (void)repinfo, (void)region, (void)start_time;
    tell_mx(arg, qinfo, rep, qstate->env->now_tv);
    /* the query has left operate(): a proof that its reply gave reason for would have to wait for
     * the next query */
    errands_start(qstate, id);
    return 1;
}

int client_reply_cached(struct query_info *qinfo, struct module_qstate *qstate,
                        struct reply_info *rep, int rcode, struct edns_data *edns,
                        struct edns_option **opt_list_out, struct comm_reply *repinfo,
                        struct regional *region, struct timeval *start_time, int id, void *arg)
{
    struct adapter *adapter = arg;

    (void)qstate, (void)rcode, (void)edns, (void)opt_list_out, (void)repinfo, (void)region,
        (void)id;
    runtime_count_cached(adapter->runtime);
    /* start_time is the worker's clock here */
    tell_mx(adapter, qinfo, rep, start_time);
    return 1;
}
