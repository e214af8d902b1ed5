/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Answers from upstream: the raw packet, whose servers were asked, which server it was. */
#include "upstream.h"

#include <limits.h>

#include "util/config_file.h"
#include "util/data/msgencode.h"

#include "adapter.h"
#include "ask/address.h"
#include "core/engine/inspect.h"
#include "note.h"
#include "repair.h"
#include "reply.h"

/** A question of ours, or a repair, is given up after so many timeouts. */
#define TIMEOUTS_MAX 2
/** A question of ours is given up after so many packets. A name of many labels takes some ten where
 * names are minimised, as many as Unbound makes steps. */
#define PACKETS_MAX 32
/** A repair is given up at the first timeout after so long: Unbound waits twice as long for a
 * server that did not answer, and drops replies that come after 1.9 s. */
#define REPAIR_WAIT_MAX_MS 600
/** What failed sooner is no timeout but an answer that could not be parsed: another server may do
 * better. Unbound waits 50 ms for an answer at least. */
#define TIMEOUT_MIN_MS 40
/** Packets of one timeout: where the answer may have been too long, Unbound asks once more for a
 * shorter one before it says so. */
#define TIMEOUT_PACKETS 2

/**
 * Make the CNAME of the name that is asked look like an RRset of the type that is, in an answer
 * that nobody gets and no cache keeps: the iterator then does not follow it. \return true if the
 * answer was changed
 */
static bool disguise_cname(const struct iter_qstate *iq, struct dns_msg *response)
{
    struct reply_info *rep = response->rep;

    for (size_t i = 0; i < rep->an_numrrsets; i++) {
        struct packed_rrset_key *key = &rep->rrsets[i]->rk;

        if (key->type != htons(LDNS_RR_TYPE_CNAME) ||
            query_dname_compare(key->dname, iq->qinfo_out.qname) != 0)
            continue;
        key->type = htons(iq->qinfo_out.qtype);
        /* NXDOMAIN is the target's (RFC 6604 2.1) */
        FLAGS_SET_RCODE(rep->flags, LDNS_RCODE_NOERROR);
        return true;
    }
    return false;
}

/**
 * The MX question of a proof or a repair, minimised, is first asked as A (RFC 9156). If that is
 * answered with a CNAME the iterator follows it and the MX is never asked; with another RRset it
 * goes on to MX. An empty answer would not do: it would be held against the server, as a lame one's
 * or one without signatures.
 * \return true if the answer was changed
 */
static bool make_minimised_go_on(const struct iter_qstate *iq, struct dns_msg *response)
{
    return iq->minimisation_state != DONOT_MINIMISE_STATE && disguise_cname(iq, response);
}

/** Have the iterator send nothing more for a query: count its referrals as used up. Sends would be
 * counted anew after a referral or an alias. What is an answer is still taken. */
static void iterator_send_no_more(struct iter_qstate *iq)
{
    iq->referral_count = INT_MAX / 2;
}

/** Unbound would go on with a question of ours for long, and after each referral anew. */
static void bound_errand(struct iter_qstate *iq, const struct outlay *outlay)
{
    if (outlay->timeouts >= TIMEOUTS_MAX || outlay->packets >= PACKETS_MAX)
        iterator_send_no_more(iq);
}

/**
 * A question of ours, or a query that is being repaired, gets no answer. For the latter Unbound
 * would go on for half a minute, but a client that had an answer from the cache without us should
 * not wait so long: it is given up, and repair_end() takes the cached answer.
 */
static __attribute__((noinline)) int note_no_answer(struct module_qstate *qstate,
                                                    struct iter_qstate *iq, int id)
{
    mxclash_time now = time_of(qstate->env->now_tv);
    struct repair_mark *mark = errand_repair_mark(qstate, id);
    struct outlay *outlay = errand_outlay(qstate, id);
    bool timeout = now - outlay->since >= TIMEOUT_MIN_MS;

    outlay->timeouts += timeout;
    errand_charge(qstate, id, timeout ? TIMEOUT_PACKETS : 1, now);
    if (mark == NULL) {
        bound_errand(iq, outlay);
        return 1;
    }
    if (mark->gave_up ||
        (outlay->timeouts < TIMEOUTS_MAX && now - mark->began < REPAIR_WAIT_MAX_MS))
        return 1;
    iterator_send_no_more(iq);
    qstate->no_cache_store = 1; /* nor keep the failure */
    return 1;
}

/**
 * The name of a proof's question is found to be an alias. What its target has is no matter of the
 * proof, but Unbound goes on to ask for it. Where signatures are expected it may yet hold the
 * answer against the server and ask another: there it goes one packet further.
 */
static bool proof_has_its_answer(const struct module_qstate *qstate, const struct iter_qstate *iq,
                                 const struct dns_msg *response)
{
    if (query_dname_compare(iq->qchase.qname, qstate->qinfo.qname) != 0)
        return true;
    return iq->minimisation_state == DONOT_MINIMISE_STATE && !iq->dnssec_expected &&
           reply_hides_mx(&qstate->qinfo, response->rep);
}

/** Does an answer come from no authority, though one was asked? */
static bool is_lame(const struct mxclash_answer *answer)
{
    return !answer->forwarded && !LDNS_AA_WIRE(answer->message);
}

/** Does an answer send us to servers further down? */
static bool is_referral(const struct iter_qstate *iq, const struct reply_info *rep)
{
    for (size_t i = 0; i < rep->ns_numrrsets; i++) {
        const struct packed_rrset_key *key = &rep->rrsets[rep->an_numrrsets + i]->rk;

        if (key->type == htons(LDNS_RR_TYPE_NS) &&
            dname_strict_subdomain_c(key->dname, iq->dp->name))
            return true;
    }
    return false;
}

/**
 * An answer without AA to a question of ours counts for nothing, so that others must be asked:
 * those to which it refers, whatever it says besides, or the next server. Unbound does that itself
 * where it sees that a server is lame; an alias, and what comes without RA, it takes.
 */
static void pass_over_lame(const struct module_qstate *qstate, const struct iter_qstate *iq,
                           struct dns_msg *response)
{
    struct reply_info *rep = response->rep;

    if (is_referral(iq, rep))
        disguise_cname(iq, response);
    else if ((rep->flags & BIT_RA) == 0 ||
             (qstate->qinfo.qtype != LDNS_RR_TYPE_CNAME && reply_hides_mx(&qstate->qinfo, rep)))
        FLAGS_SET_RCODE(rep->flags, LDNS_RCODE_REFUSED);
}

/**
 * Did Unbound settle on an answer after a server had changed the case of the name (0x20)? It then
 * asks on, up to three times an address, compares the answers but for failures, and takes one of
 * them. What stands in the buffer is the last packet, or there is none.
 */
static bool is_settled(const struct iter_qstate *iq, const struct dns_msg *response)
{
    return response == iq->caps_response;
}

/** Packets that an answer took: if it came over TCP, UDP was asked first, unless it never is. */
static unsigned packets_of_answer(const struct module_qstate *qstate, const struct iter_qstate *iq,
                                  const struct dns_msg *response)
{
    const struct config_file *cfg = qstate->env->cfg;

    if (is_settled(iq, response))
        return 1 + (unsigned)iq->caps_server;
    return qstate->reply->c->type == comm_tcp && !cfg->tcp_upstream && !cfg->ssl_upstream &&
                   !iq->dp->tcp_upstream && !iq->dp->ssl_upstream
               ? 2
               : 1;
}

/** An answer to a question of ours, or to a client's that is being repaired. */
static void note_answer(struct module_qstate *qstate, struct dns_msg *response, int id,
                        const struct adapter *adapter, const struct mxclash_answer *answer,
                        mxclash_time now)
{
    struct iter_qstate *iq = qstate->minfo[qstate->curmod];
    const struct mxclash_proof *proof = proof_of(qstate, id);
    struct repair_mark *mark = errand_repair_mark(qstate, id);

    errand_charge(qstate, id, packets_of_answer(qstate, iq, response), now);
    if (mark == NULL)
        bound_errand(iq, errand_outlay(qstate, id));
    if (proof != NULL) {
        mxclash_proof_answer(adapter->engine, proof, qstate->qinfo.qtype, answer, now);
        repair_forget_hidden(qstate->env, adapter, qstate->qinfo.qname, qstate->qinfo.qname_len);
        if (is_lame(answer)) {
            /* what Unbound settled on it has from several servers */
            if (!is_settled(iq, response))
                pass_over_lame(qstate, iq, response);
            return;
        }
        make_minimised_go_on(iq, response);
        if (proof_has_its_answer(qstate, iq, response))
            iterator_send_no_more(iq);
        return;
    }
    mxclash_inspect(adapter->engine, answer, now);
    if (mark != NULL && !mark->gave_up && make_minimised_go_on(iq, response) &&
        !qstate->no_cache_store) {
        /* a changed answer must not come into the cache, see upstream_question() */
        mark->store_off = true;
        qstate->no_cache_store = 1;
    }
    if (adapter->repair)
        repair_answer(qstate, id, iq, response);
    /* the target is another name, often in somebody else's zone: what is cached of it will do */
    if (mark != NULL && reply_hides_mx(&qstate->qinfo, response->rep))
        repair_use_cache(qstate, mark);
}

/** \return what the last packet stands in, NULL if there was none */
static sldns_buffer *last_packet(const struct module_qstate *qstate)
{
    return qstate->reply != NULL && qstate->reply->c != NULL ? qstate->reply->c->buffer : NULL;
}

/** \return where the packet in the buffer came from; unknown for one that was written anew */
static struct mxclash_address server_of(const struct module_qstate *qstate,
                                        const struct mxclash_answer *answer)
{
    static const struct mxclash_address unknown;
    sldns_buffer *packet = last_packet(qstate);

    if (packet == NULL || answer->message != sldns_buffer_begin(packet))
        return unknown;
    return ask_address_public(&qstate->reply->remote_addr);
}

/**
 * Is the packet in the buffer what a response was made of? Of a settled one, the last packet will
 * do: Unbound has compared it, unless it is a failure, or no answer to this question at all but
 * what an earlier one left.
 */
static bool is_in_the_buffer(const struct module_qstate *qstate, const struct iter_qstate *iq,
                             const struct dns_msg *response)
{
    const struct query_info *qinfo = &response->qinfo;
    sldns_buffer *packet = last_packet(qstate);

    if (packet == NULL)
        return false;
    return !is_settled(iq, response) ||
           (sldns_buffer_limit(packet) >= LDNS_HEADER_SIZE + qinfo->qname_len + 4 &&
            LDNS_QR_WIRE(sldns_buffer_begin(packet)) &&
            LDNS_RCODE_WIRE(sldns_buffer_begin(packet)) == FLAGS_GET_RCODE(response->rep->flags) &&
            LDNS_QDCOUNT(sldns_buffer_begin(packet)) == 1 &&
            query_dname_compare(qinfo->qname, sldns_buffer_at(packet, LDNS_HEADER_SIZE)) == 0 &&
            sldns_buffer_read_u16_at(packet, LDNS_HEADER_SIZE + qinfo->qname_len) == qinfo->qtype);
}

/**
 * Write a settled answer as a message into the worker's scratch buffer. Whose it was is not known.
 * \return false if it cannot be told: Unbound takes an MX beside a CNAME out of an answer, so a
 * CNAME for an MX does not say that there is none
 */
static bool rebuild(const struct module_qstate *qstate, struct dns_msg *response)
{
    struct module_env *env = qstate->env;

    return (response->qinfo.qtype != LDNS_RR_TYPE_MX ||
            !reply_hides_mx(&response->qinfo, response->rep)) &&
           reply_info_encode(&response->qinfo, response->rep, 0, response->rep->flags,
                             env->scratch_buffer, 0, env->scratch, UINT16_MAX, 0, 0) != 0;
}

/** An answer that is ours, or in which there is something to see. */
static __attribute__((noinline)) void look_closely(struct module_qstate *qstate,
                                                   struct dns_msg *response, int id,
                                                   const struct adapter *adapter,
                                                   sldns_buffer *packet)
{
    const struct iter_qstate *iq = qstate->minfo[qstate->curmod];
    mxclash_time now = time_of(qstate->env->now_tv);
    struct mxclash_answer answer = {
        .struct_size = sizeof(answer),
        .message = sldns_buffer_begin(packet),
        .message_len = (uint32_t)sldns_buffer_limit(packet),
        .zone = iq->dp->name,
        .zone_len = (uint32_t)iq->dp->namelen,
        .forwarded = (iq->chase_flags & BIT_RD) != 0,
    };

    /* it matters only to the zone's own name */
    if (iq->dp->namelen == iq->qinfo_out.qname_len)
        answer.stub = stubs_hold(&adapter->stubs, iq->dp);
    answer.server = server_of(qstate, &answer);
    if (qstate->minfo[id] != NULL) {
        note_answer(qstate, response, id, adapter, &answer, now);
        return;
    }
    inspect_closely(adapter->engine, &answer, now);
    if (adapter->repair)
        repair_answer(qstate, id, iq, response);
}

/** An answer in whose packet there may be something to see, or that Unbound settled on. \return
 * what look_further() does */
static __attribute__((noinline)) int look_at_the_packet(struct module_qstate *qstate,
                                                        struct dns_msg *response, int id,
                                                        const struct adapter *adapter)
{
    const struct iter_qstate *iq = qstate->minfo[qstate->curmod];

    if (is_in_the_buffer(qstate, iq, response))
        look_closely(qstate, response, id, adapter, last_packet(qstate));
    else if (is_settled(iq, response) && rebuild(qstate, response))
        look_closely(qstate, response, id, adapter, qstate->env->scratch_buffer);
    return 1;
}

/** The response is what stands in the buffer, and that is an alias in which there is nothing more
 * to see. What Unbound settled on is not looked at here, it is rare. */
static inline bool is_plain_alias(const struct module_qstate *qstate,
                                  const struct dns_msg *response, const struct adapter *adapter)
{
    const struct iter_qstate *iq = qstate->minfo[qstate->curmod];
    sldns_buffer *packet = last_packet(qstate);

    if (packet == NULL || is_settled(iq, response))
        return false;
    /* the second will do, see is_dull() */
    return inspect_parsed_alias(adapter->engine, sldns_buffer_begin(packet),
                                sldns_buffer_limit(packet), iq->dp->namelen,
                                (mxclash_time)qstate->env->now_tv->tv_sec * 1000);
}

/** An answer that is ours, or in which there may be something to see. \return what
 * upstream_answer() does, which calls it last so that it needs no stack */
static __attribute__((noinline)) int look_further(struct module_qstate *qstate,
                                                  struct dns_msg *response, int id,
                                                  const struct adapter *adapter)
{
    if (qstate->minfo[id] != NULL || !is_plain_alias(qstate, response, adapter))
        return look_at_the_packet(qstate, response, id, adapter);
    if (adapter->repair)
        repair_answer(qstate, id, qstate->minfo[qstate->curmod], response);
    return 1;
}

/** What Unbound keeps of a response's flags that says what it is: all but AA, RD, RA and the like.
 */
#define FLAGS_MASK (BIT_QR | 0x7800 | BIT_TC | 0xf)

/**
 * inspect_at_a_glance(), of what Unbound has parsed: it has seen that the message is whole and
 * answers our question (scrub_message()). It has dropped records that do not belong there, but of
 * the name that was asked it keeps one that tells, if there was any.
 */
static inline bool is_dull(struct mxclash_engine *engine, const struct module_qstate *qstate,
                           const struct iter_qstate *iq, const struct dns_msg *response)
{
    const struct query_info *asked = &iq->qinfo_out;
    struct ub_packed_rrset_key *const *rrset, *const *end;
    const struct reply_info *rep;
    unsigned flags;

    /* first, and what is needed later is read later: so all of it has a register, none is saved */
    striped_up(&engine->counters.inspected);
    rep = response->rep;
    flags = rep->flags & FLAGS_MASK;
    if ((flags != BIT_QR && flags != (BIT_QR | LDNS_RCODE_NXDOMAIN)) ||
        asked->qclass != LDNS_RR_CLASS_IN)
        return false;
    end = rep->rrsets + rep->an_numrrsets;
    for (rrset = rep->rrsets; rrset != end; rrset++)
        if (glance_type_tells(ntohs((*rrset)->rk.type)))
            return false;
    /* it can still show that a conflict has ended */
    if (docket_may_be_open(&engine->docket, asked->qname, asked->qname_len))
        return false;
    /* the second will do, and takes no division */
    inspect_sweep(engine, (mxclash_time)qstate->env->now_tv->tv_sec * 1000);
    return true;
}

int upstream_answer(struct module_qstate *qstate, struct dns_msg *response, int id, void *arg)
{
    const struct adapter *adapter = arg;
    /* we are called by the iterator only, so the query's current module is the iterator */
    struct iter_qstate *iq = qstate->minfo[qstate->curmod];

    /* no response: a timeout, or octets that Unbound could not parse and will not use */
    if (response == NULL)
        return iq != NULL && qstate->minfo[id] != NULL ? note_no_answer(qstate, iq, id) : 1;
    /* an answer out of an auth-zone has no packet, what stands in the buffer is an older one */
    if (iq == NULL || iq->dp == NULL || iq->auth_zone_response)
        return 1;
    if (qstate->minfo[id] != NULL || !is_dull(adapter->engine, qstate, iq, response))
        return look_further(qstate, response, id, adapter);
    return 1;
}

int upstream_question(struct query_info *qinfo, uint16_t flags, struct module_qstate *qstate,
                      struct sockaddr_storage *addr, socklen_t addrlen, uint8_t *zone,
                      size_t zonelen, struct regional *region, int id, void *arg)
{
    struct repair_mark *mark = errand_repair_mark(qstate, id);

    (void)qinfo, (void)flags, (void)addr, (void)addrlen, (void)zone, (void)zonelen;
    (void)region, (void)arg;
    /* here, not when the answer is there: a module may have said of it already that it is not for
     * everybody's cache */
    if (mark != NULL && mark->store_off) {
        mark->store_off = false;
        qstate->no_cache_store = 0;
    }
    return 1;
}
