/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A name and type as a client gets it: see ask.h. A resolver is asked, and the next if that one
 * fails; if none answers, the servers themselves are asked, from the roots down.
 */
#include <stdlib.h>

#include "ask/inside.h"

struct resolve {
    struct ask_job job;
    struct ask_budget *budget;
    struct ask_budget own_budget;
    unsigned depth;
    /** the name whose turn it is: that which was asked for, or where its aliases lead */
    struct ask_name name;
    uint16_t qtype;
    unsigned aliases;
    ask_result_fn *done;
    void *context;

    /** the resolver whose turn it is */
    size_t resolver;
    /** some resolver answered, be it SERVFAIL */
    bool was_heard;
    enum ask_status trouble;
    /** only where the servers themselves are asked: their zone, and what one of them said */
    struct ask_name zone;
    ldns_rr_list *found;
    bool no_such_name;
    bool endless;
    /** an alias leads to a name that others serve */
    bool leads_on;
};

static void iterate(struct resolve *resolve);

static void free_resolve(struct resolve *resolve)
{
    ask_job_end(&resolve->job);
    ldns_rr_list_deep_free(resolve->found);
    free(resolve);
}

static void drop(struct ask_job *job)
{
    free_resolve((struct resolve *)job);
}

static void finish(struct resolve *resolve, const struct ask_result *result)
{
    resolve->job.ask->packets = resolve->budget->packets;
    resolve->done(resolve->context, result);
    free_resolve(resolve);
}

static void fail(struct resolve *resolve, enum ask_status status)
{
    const struct ask_result result = {
        .status = status, .owner = resolve->name, .aliases = resolve->aliases};
    finish(resolve, &result);
}

/* --- what an answer says ------------------------------------------------------------------------
 */

/** The records of a type and owner. \return for ldns_rr_list_free(), the records are the section's
 */
static ldns_rr_list *records_at(const ldns_rr_list *section, const struct ask_name *owner,
                                uint16_t qtype)
{
    ldns_rr_list *found = ldns_rr_list_new();
    for (size_t i = 0; found != NULL && i < ldns_rr_list_rr_count(section); i++) {
        ldns_rr *rr = ldns_rr_list_rr(section, i);
        struct ask_name name;
        if (ldns_rr_get_type(rr) == qtype && ask_name_of(&name, ldns_rr_owner(rr)) &&
            ask_name_equal(&name, owner)) {
            ldns_rr_list_push_rr(found, rr);
        }
    }
    return found;
}

/**
 * Go along the aliases of an answer.
 * \param within  those that lead out of this zone are followed once, and not from there on; NULL =
 *     all are believed
 * \param[out] found  the records at the end, for ldns_rr_list_free(); NULL = no memory
 * \return false if it is a circle, or too long
 */
static bool follow(struct resolve *resolve, const ldns_rr_list *section,
                   const struct ask_name *within, ldns_rr_list **found)
{
    for (;;) {
        *found = records_at(section, &resolve->name, resolve->qtype);
        if (*found == NULL || ldns_rr_list_rr_count(*found) != 0 ||
            (within != NULL && !ask_name_within(&resolve->name, within))) {
            return true;
        }
        ldns_rr_list *aliases = records_at(section, &resolve->name, LDNS_RR_TYPE_CNAME);
        const bool leads_on =
            aliases != NULL && ldns_rr_list_rr_count(aliases) != 0 &&
            ask_name_of(&resolve->name, ldns_rr_rdf(ldns_rr_list_rr(aliases, 0), 0));
        ldns_rr_list_free(aliases);
        if (!leads_on) {
            return true;
        }
        ldns_rr_list_free(*found);
        *found = NULL;
        if (++resolve->aliases > ASK_ALIASES_MAX) {
            return false;
        }
    }
}

static bool is_good(const ldns_pkt *packet)
{
    return ldns_pkt_get_rcode(packet) == LDNS_RCODE_NOERROR ||
           ldns_pkt_get_rcode(packet) == LDNS_RCODE_NXDOMAIN;
}

/** End with what an answer said. */
static void conclude(struct resolve *resolve, const ldns_rr_list *found, bool no_such_name,
                     bool endless)
{
    ldns_rr_list *none = found == NULL ? ldns_rr_list_new() : NULL;
    const struct ask_result result = {
        .status = found == NULL && none == NULL ? ask_no_room : ask_answered,
        .no_such_name = no_such_name,
        .endless = endless,
        .owner = resolve->name,
        .aliases = resolve->aliases,
        .records = found != NULL ? found : none,
    };
    finish(resolve, &result);
    ldns_rr_list_free(none);
}

/* --- by a resolver ------------------------------------------------------------------------------
 */

static void ask_resolver(struct resolve *resolve);

static void on_resolver(void *context, const struct ask_reply *reply)
{
    struct resolve *resolve = context;
    resolve->budget->packets += reply->packets;
    if (reply->status == ask_answered && is_good(reply->packet)) {
        ldns_rr_list *found = NULL;
        const bool ends = follow(resolve, ldns_pkt_answer(reply->packet), NULL, &found);
        conclude(resolve, found, ldns_pkt_get_rcode(reply->packet) == LDNS_RCODE_NXDOMAIN, !ends);
        ldns_rr_list_free(found);
        return;
    }
    resolve->was_heard = resolve->was_heard || reply->status == ask_answered;
    resolve->trouble = reply->status == ask_answered ? ask_lame : reply->status;
    resolve->resolver++;
    ask_resolver(resolve);
}

static void ask_resolver(struct resolve *resolve)
{
    struct ask *ask = resolve->job.ask;
    if (resolve->resolver >= ask->resolver_count) {
        if (!resolve->was_heard && resolve->trouble != ask_denied) {
            ask_resolvers_are_silent(ask);
            if (ask_uses_roots(ask)) {
                iterate(resolve);
                return;
            }
        }
        fail(resolve, resolve->trouble);
        return;
    }
    enum ask_status status = ask_no_room;
    const struct ask_question question = {
        .name = resolve->name,
        .qtype = resolve->qtype,
        .recursion = true,
        .operators_word = true,
        .server = ask->resolvers[resolve->resolver],
    };
    if (!ask_send_within(ask, resolve->budget, &question, on_resolver, resolve, &status)) {
        fail(resolve, status);
    }
}

/* --- by ourselves -------------------------------------------------------------------------------
 */

/** An answer of a server; what it says is kept until all is over with that server. */
static bool take_answer(void *context, const struct ask_reply *reply)
{
    struct resolve *resolve = context;
    const unsigned before = resolve->aliases;
    ldns_rr_list *found = NULL;
    if (!is_good(reply->packet) || !ldns_pkt_aa(reply->packet)) {
        return false;
    }
    resolve->endless = !follow(resolve, ldns_pkt_answer(reply->packet), &resolve->zone, &found);
    /* What stands at an alias's target is for the target's own servers to say. */
    resolve->leads_on =
        !resolve->endless && ldns_rr_list_rr_count(found) == 0 && resolve->aliases != before;
    resolve->no_such_name = ldns_pkt_get_rcode(reply->packet) == LDNS_RCODE_NXDOMAIN;
    resolve->found = ldns_rr_list_clone(found);
    ldns_rr_list_free(found);
    return true;
}

static void on_answered(void *context, enum ask_status status)
{
    struct resolve *resolve = context;
    if (status != ask_answered) {
        fail(resolve, status);
    } else if (resolve->leads_on) {
        ldns_rr_list_deep_free(resolve->found);
        resolve->found = NULL;
        iterate(resolve);
    } else {
        conclude(resolve, resolve->found, resolve->no_such_name, resolve->endless);
    }
}

static void on_zone(void *context, enum ask_status status, const struct ask_zone *zone)
{
    struct resolve *resolve = context;
    if (status != ask_answered) {
        fail(resolve, status);
        return;
    }
    resolve->zone = zone->name;
    if (!ask_authority_within(resolve->job.ask, resolve->budget, zone, &resolve->name,
                              resolve->qtype, take_answer, on_answered, resolve)) {
        fail(resolve, ask_no_room);
    }
}

static void iterate(struct resolve *resolve)
{
    if (!ask_find_within(resolve->job.ask, resolve->budget, resolve->depth, &resolve->name, false,
                         on_zone, resolve)) {
        fail(resolve, ask_no_room);
    }
}

/* --- both ---------------------------------------------------------------------------------------
 */

static void begin(struct ask_job *job)
{
    struct resolve *resolve = (struct resolve *)job;
    if (resolve->depth > ASK_DEPTH_MAX || resolve->budget->questions == 0) {
        fail(resolve, ask_too_many);
    } else if (ask_uses_roots(resolve->job.ask)) {
        iterate(resolve);
    } else {
        ask_resolver(resolve);
    }
}

bool ask_resolve_within(struct ask *ask, struct ask_budget *budget, unsigned depth,
                        const struct ask_name *name, uint16_t qtype, ask_result_fn *done,
                        void *context)
{
    struct resolve *resolve = calloc(1, sizeof(*resolve));
    if (resolve == NULL) {
        return false;
    }
    resolve->job.begin = begin;
    resolve->job.drop = drop;
    resolve->own_budget.questions = ask->questions;
    resolve->budget = budget != NULL ? budget : &resolve->own_budget;
    resolve->depth = depth;
    resolve->name = *name;
    resolve->qtype = qtype;
    resolve->done = done;
    resolve->context = context;
    resolve->trouble = ask_lame;
    if (!ask_job_start(ask, &resolve->job)) {
        free(resolve);
        return false;
    }
    return true;
}

bool ask_resolve(struct ask *ask, const struct ask_name *name, uint16_t qtype, ask_result_fn *done,
                 void *context)
{
    return ask_resolve_within(ask, NULL, 0, name, qtype, done, context);
}
