/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Repair: a client's MX question about a name with a confirmed cname-and-mx gets the MX.
 *
 * The question is sent past the cached CNAME. An authority that answers by type then answers it,
 * and the answer is cached like any other: it costs one upstream query a TTL. An authority that
 * puts both into one answer gives no more than Unbound leaves of it, the CNAME: then the MX set
 * that the raw answer had is put back, unless DNSSEC could tell whether it is true. If the
 * authority fails, the query is done again as it would be without us.
 */
#include "adapter.h"

#include "iterator/iter_utils.h"
#include "util/data/msgencode.h"
#include "util/data/msgparse.h"

/** Longest MX answer that can be built: header, question, 16 records of the longest names. */
#define ANSWER_OCTETS_MAX (12 + 259 + MXCLASH_MX_MAX * (2 + 10 + 2 + MXCLASH_NAME_MAX))

static bool is_mx_question(const struct module_qstate *qstate)
{
    return qstate->qinfo.qtype == LDNS_RR_TYPE_MX && qstate->qinfo.qclass == LDNS_RR_CLASS_IN;
}

/** Is there a confirmed cname-and-mx at the name? */
static bool is_confirmed(const struct module_qstate *qstate, const struct adapter *adapter,
                         struct mxclash_standing *standing)
{
    return mxclash_get_standing(adapter->engine, qstate->qinfo.qname, qstate->qinfo.qname_len,
                                time_of(qstate->env->now_tv), standing) &&
           standing->kind == mxclash_cname_and_mx && standing->state == mxclash_confirmed;
}

void repair_begin(struct module_qstate *qstate, int id)
{
    const struct adapter *adapter = adapter_of(qstate->env, id);
    struct mxclash_standing standing;

    if (!adapter->repair || !is_mx_question(qstate) || qstate->minfo[id] != NULL ||
        qstate->is_valrec || !is_confirmed(qstate, adapter, &standing))
        return;
    if (errand_mark_repair(qstate, id) != NULL)
        qstate->no_cache_lookup = 1;
}

/** Do the query again from the next module on. */
static void restart(struct module_qstate *qstate, int id)
{
    qstate->return_rcode = LDNS_RCODE_NOERROR;
    qstate->return_msg = NULL;
    qstate->no_cache_store = 0;
    qstate->ext_state[id] = module_restart_next;
}

static bool has_failed(const struct module_qstate *qstate)
{
    int rcode;

    if (qstate->return_rcode != LDNS_RCODE_NOERROR || qstate->return_msg == NULL ||
        qstate->return_msg->rep == NULL)
        return true;
    rcode = (int)FLAGS_GET_RCODE(qstate->return_msg->rep->flags);
    if (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN)
        return true;
    return qstate->env->need_to_validate && qstate->return_msg->rep->security == sec_status_bogus;
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

/** Give a message that we made the security of the one it takes the place of. */
static void set_security(struct reply_info *rep, enum sec_status security)
{
    rep->security = security;
    for (size_t i = 0; i < rep->rrset_count; i++)
        ((struct packed_rrset_data *)rep->rrsets[i]->entry.data)->security = security;
}

/** Answer with the MX set that the authority's own answer had, and keep it while its TTL lasts.
 * \return false if it has none that is valid, or nobody could say whether it is true */
static bool put_back(struct module_qstate *qstate, const struct mxclash_standing *standing)
{
    struct module_env *env = qstate->env;
    const struct reply_info *hidden = qstate->return_msg->rep;
    enum sec_status security = hidden->security;
    struct msg_parse parsed;
    struct dns_msg *answer;

    /* in a signed zone nobody could validate it; insecure and, with no trust anchor above,
     * indeterminate are what Unbound itself gives without AD */
    if (standing->mx_ttl_s == 0 || standing->mx_count == 0 ||
        (env->need_to_validate && security != sec_status_insecure &&
         security != sec_status_indeterminate))
        return false;
    if (!write_answer(qstate, standing, (uint16_t)(hidden->flags & ~(unsigned)BIT_AA)))
        return false;
    memset(&parsed, 0, sizeof(parsed));
    if (parse_packet(env->scratch_buffer, &parsed, env->scratch) != LDNS_RCODE_NOERROR)
        return false;
    answer = dns_alloc_msg(env->scratch_buffer, &parsed, qstate->region);
    if (answer == NULL)
        return false;
    set_security(answer->rep, security);
    qstate->return_msg = answer;
    iter_dns_store(env, &answer->qinfo, answer->rep, 0, 0, 0, NULL, qstate->query_flags,
                   qstate->qstarttime);
    return true;
}

bool repair_end(struct module_qstate *qstate, int id)
{
    const struct adapter *adapter = adapter_of(qstate->env, id);
    struct mxclash_standing standing;
    struct repair_mark *mark;

    if (!adapter->repair || !is_mx_question(qstate) || qstate->is_valrec)
        return false;
    mark = errand_repair_mark(qstate, id);
    if (has_failed(qstate)) {
        if (mark == NULL || mark->gave_up)
            return false;
        mark->gave_up = true;
        qstate->no_cache_lookup = 0;
        restart(qstate, id);
        return true;
    }
    if (!reply_hides_mx(&qstate->qinfo, qstate->return_msg->rep) ||
        (mark != NULL && mark->gave_up) || !is_confirmed(qstate, adapter, &standing))
        return false;
    if (put_back(qstate, &standing) || mark != NULL)
        return false;
    /* confirmed while this query was on its way: it may have been answered from the cache */
    if (errand_mark_repair(qstate, id) == NULL)
        return false;
    qstate->no_cache_lookup = 1;
    restart(qstate, id);
    return true;
}

void repair_forget_hidden(struct module_env *env, const struct adapter *adapter, uint8_t *owner,
                          size_t owner_len)
{
    struct mxclash_standing standing;

    if (!adapter->repair ||
        !mxclash_get_standing(adapter->engine, owner, owner_len, time_of(env->now_tv), &standing) ||
        standing.kind != mxclash_cname_and_mx || standing.state != mxclash_confirmed)
        return;
    /* messages are kept apart by CD */
    msg_cache_remove(env, owner, owner_len, LDNS_RR_TYPE_MX, LDNS_RR_CLASS_IN, BIT_RD);
    msg_cache_remove(env, owner, owner_len, LDNS_RR_TYPE_MX, LDNS_RR_CLASS_IN, BIT_RD | BIT_CD);
}
