/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Who serves a name: see ask.h.
 *
 * The resolver is asked for the NS of the name above, and of the one above that, until there are
 * some. From there on referrals lead down: each server is asked for the NS of the name itself, with
 * RD off, and either knows it or names the servers of the zone below. Servers are tried one after
 * the other, and their addresses are looked for when their turn comes.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ask/inside.h"

/** Where the addresses of a server go. */
struct lookup {
    struct find *find;
    unsigned server;
};

/** Types of addresses that are looked for. */
#define ADDRESS_TYPES 2

struct find {
    struct ask_job job;
    struct ask_budget *budget;
    struct ask_budget own_budget;
    unsigned depth;
    struct ask_name name;
    bool all;
    ask_zone_fn *done;
    void *context;

    /** the resolver was asked for the NS of this one */
    struct ask_name above;
    struct ask_zone zone;
    /** SOA is asked, for the NS question was answered with an alias */
    bool asks_soa;
    unsigned referrals;
    /** the server and the address whose turn it is */
    unsigned server;
    unsigned address;
    /** of the last server that was of no use */
    enum ask_status trouble;
    /** lookups of addresses, and how many are under way. They lie in here, so that they go with us
     * when all is dropped. */
    struct lookup lookups[ASK_SERVERS_MAX][ADDRESS_TYPES];
    unsigned pending;
    void (*then)(struct find *find);
    enum ask_status status;
};

static void ask_above(struct find *find);
static void ask_next(struct find *find);

static void free_find(struct find *find)
{
    ask_job_end(&find->job);
    free(find);
}

static void drop(struct ask_job *job)
{
    free_find((struct find *)job);
}

static void tell(struct find *find)
{
    find->job.ask->packets = find->budget->packets;
    find->done(find->context, find->status, find->zone.name.len != 0 ? &find->zone : NULL);
    free_find(find);
}

/* --- addresses ----------------------------------------------------------------------------------
 */

static void add_address(struct ask_server *server, const ldns_rr *rr)
{
    const ldns_rdf *rdf = ldns_rr_rdf(rr, 0);
    struct sockaddr_storage address = {0};
    if (rdf == NULL || server->address_count == ASK_ADDRESSES_MAX) {
        return;
    }
    if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_A && ldns_rdf_size(rdf) == 4) {
        struct sockaddr_in *four = (struct sockaddr_in *)&address;
        four->sin_family = AF_INET;
        four->sin_port = htons(ASK_PORT);
        memcpy(&four->sin_addr, ldns_rdf_data(rdf), 4);
    } else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_AAAA && ldns_rdf_size(rdf) == 16) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(ASK_PORT);
        memcpy(&six->sin6_addr, ldns_rdf_data(rdf), 16);
    } else {
        return;
    }
    for (unsigned i = 0; i < server->address_count; i++) {
        if (ask_address_equal(&server->addresses[i], &address)) {
            return;
        }
    }
    server->addresses[server->address_count++] = address;
}

static void on_addresses(void *context, const struct ask_result *result)
{
    struct lookup *lookup = context;
    struct find *find = lookup->find;
    if (result->status == ask_answered) {
        for (size_t i = 0; i < ldns_rr_list_rr_count(result->records); i++) {
            add_address(&find->zone.servers[lookup->server], ldns_rr_list_rr(result->records, i));
        }
    } else {
        find->trouble = result->status;
    }
    if (--find->pending == 0) {
        find->then(find);
    }
}

/** Look for the addresses of a server. \return false if nothing is under way */
static bool look_up_addresses(struct find *find, unsigned server)
{
    static const uint16_t types[ADDRESS_TYPES] = {LDNS_RR_TYPE_A, LDNS_RR_TYPE_AAAA};
    const unsigned before = find->pending;
    for (size_t i = 0; i < ADDRESS_TYPES; i++) {
        struct lookup *lookup = &find->lookups[server][i];
        *lookup = (struct lookup){.find = find, .server = server};
        find->pending += find->job.ask->resolve(find->job.ask, find->budget, find->depth + 1,
                                                &find->zone.servers[server].name, types[i],
                                                on_addresses, lookup);
    }
    return find->pending != before;
}

/** The zone is found, or what could be found of it. */
static void finish(struct find *find, enum ask_status status)
{
    find->status = status;
    find->then = tell;
    if (find->all && find->zone.name.len != 0) {
        for (unsigned i = 0; i < find->zone.server_count; i++) {
            if (find->zone.servers[i].address_count == 0) {
                look_up_addresses(find, i);
            }
        }
    }
    if (find->pending == 0) {
        tell(find);
    }
}

/* --- servers by name ----------------------------------------------------------------------------
 */

static void forget_servers(struct find *find)
{
    memset(find->zone.servers, 0, sizeof(find->zone.servers));
    find->zone.server_count = 0;
    find->zone.cut_short = false;
    find->server = find->address = 0;
    find->trouble = ask_lame;
    find->then = NULL;
}

/** Keep the servers that the NS records of owner name. */
static void take_servers(struct find *find, const ldns_rr_list *records,
                         const struct ask_name *owner)
{
    struct ask_zone *zone = &find->zone;
    const size_t count = ldns_rr_list_rr_count(records);
    unsigned random = 0;
    forget_servers(find);
    /* not all who ask should ask the same one */
    (void)!getrandom(&random, sizeof(random), 0);
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, (i + random) % count);
        struct ask_name found;
        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NS || !ask_name_of(&found, ldns_rr_owner(rr)) ||
            !ask_name_equal(&found, owner) || !ask_name_of(&found, ldns_rr_rdf(rr, 0))) {
            continue;
        }
        if (zone->server_count == ASK_SERVERS_MAX) {
            zone->cut_short = true;
            return;
        }
        zone->servers[zone->server_count++].name = found;
    }
}

/** Addresses that come with a referral are believed for servers in the zone that gave it. */
static void take_glue(struct find *find, const ldns_rr_list *records,
                      const struct ask_name *bailiwick)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        struct ask_name owner;
        if (!ask_name_of(&owner, ldns_rr_owner(rr)) || !ask_name_within(&owner, bailiwick)) {
            continue;
        }
        for (unsigned k = 0; k < find->zone.server_count; k++) {
            if (ask_name_equal(&find->zone.servers[k].name, &owner)) {
                add_address(&find->zone.servers[k], rr);
            }
        }
    }
}

/* --- down by referrals --------------------------------------------------------------------------
 */

/** \return the owner of the first record of that type in a section, at or above the name that is
 *     looked for and within the zone whose server answers; its len is 0 if there is none */
static struct ask_name owner_in(const struct find *find, const ldns_rr_list *section,
                                ldns_rr_type type)
{
    struct ask_name owner = {0};
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(rr) == type && ask_name_of(&owner, ldns_rr_owner(rr)) &&
            ask_name_within(&owner, &find->zone.name) && ask_name_within(&find->name, &owner)) {
            return owner;
        }
    }
    owner.len = 0;
    return owner;
}

static void go_below(struct find *find, const struct ask_name *cut,
                     const struct sockaddr_storage *server)
{
    find->zone.parent = find->zone.name;
    find->zone.parent_server = *server;
    find->zone.name = *cut;
    find->zone.no_referral = false;
}

/** The server that answered comes first: it is there. */
static void put_in_front(struct find *find)
{
    struct ask_zone *zone = &find->zone;
    if (find->server != 0 && find->server < zone->server_count) {
        const struct ask_server other = zone->servers[0];
        zone->servers[0] = zone->servers[find->server];
        zone->servers[find->server] = other;
    }
}

static void try_next(struct find *find, enum ask_status trouble)
{
    /* The zone is known by then, and what was asked in the end was only to be sure. */
    if (find->asks_soa) {
        put_in_front(find);
        finish(find, ask_answered);
        return;
    }
    find->trouble = trouble;
    find->address++;
    ask_next(find);
}

static void on_answer(void *context, const struct ask_reply *reply)
{
    struct find *find = context;
    find->budget->packets += reply->packets;
    if (reply->status != ask_answered) {
        try_next(find, reply->status);
        return;
    }
    const ldns_pkt *packet = reply->packet;
    const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    const struct ask_name refers = owner_in(find, ldns_pkt_authority(packet), LDNS_RR_TYPE_NS);
    const struct ask_name shown = owner_in(find, ldns_pkt_answer(packet),
                                           find->asks_soa ? LDNS_RR_TYPE_SOA : LDNS_RR_TYPE_NS);
    const struct ask_name start = owner_in(find, ldns_pkt_authority(packet), LDNS_RR_TYPE_SOA);
    const bool empty = ldns_pkt_ancount(packet) == 0;
    if (rcode == LDNS_RCODE_NOERROR && empty && start.len == 0 &&
        refers.len > find->zone.name.len) {
        if (++find->referrals > ASK_REFERRALS_MAX) {
            finish(find, ask_too_many);
            return;
        }
        const struct ask_name bailiwick = find->zone.name;
        go_below(find, &refers, &reply->server);
        take_servers(find, ldns_pkt_authority(packet), &refers);
        take_glue(find, ldns_pkt_additional(packet), &bailiwick);
        find->zone.operators_word = find->asks_soa = false;
        ask_next(find);
        return;
    }
    if (!ldns_pkt_aa(packet) || (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN)) {
        try_next(find, ask_lame);
        return;
    }
    /* The same servers may hold the zone below too, and then do not refer. */
    if (shown.len > find->zone.name.len) {
        go_below(find, &shown, &reply->server);
        find->zone.no_referral = true;
    } else if (empty && start.len > find->zone.name.len) {
        go_below(find, &start, &reply->server);
        find->zone.no_referral = true;
    } else if (!empty && !find->asks_soa && shown.len == 0) {
        find->asks_soa = true;
        ask_next(find);
        return;
    }
    put_in_front(find);
    finish(find, ask_answered);
}

/** Ask the address whose turn it is. */
static void ask_next(struct find *find)
{
    const struct ask_zone *zone = &find->zone;
    while (find->server < zone->server_count) {
        const struct ask_server *server = &zone->servers[find->server];
        if (find->address < server->address_count) {
            enum ask_status status = ask_no_room;
            const struct ask_question question = {
                .name = find->name,
                .qtype = find->asks_soa ? LDNS_RR_TYPE_SOA : LDNS_RR_TYPE_NS,
                .operators_word = find->zone.operators_word,
                .server = server->addresses[find->address],
            };
            if (!ask_send_within(find->job.ask, find->budget, &question, on_answer, find,
                                 &status)) {
                finish(find, status);
            }
            return;
        }
        if (server->address_count == 0 && find->then != ask_next) {
            find->then = ask_next;
            if (look_up_addresses(find, find->server)) {
                return;
            }
        }
        /* then: its addresses were looked for, and there are none */
        find->then = NULL;
        find->server++;
        find->address = 0;
    }
    finish(find, find->trouble);
}

/* --- where to begin -----------------------------------------------------------------------------
 */

static void begin_at_roots(struct find *find)
{
    struct ask_zone *zone = &find->zone;
    forget_servers(find);
    zone->name = (struct ask_name){.len = 1};
    zone->no_referral = true;
    zone->server_count = 1;
    zone->servers[0].name = zone->name;
    for (size_t i = 0; i < find->job.ask->root_count; i++) {
        zone->servers[0].addresses[zone->servers[0].address_count++] = find->job.ask->roots[i];
    }
    find->zone.operators_word = true;
    ask_next(find);
}

static void on_above(void *context, const struct ask_result *result)
{
    struct find *find = context;
    if (result->status == ask_answered && result->aliases == 0 &&
        ldns_rr_list_rr_count(result->records) != 0) {
        find->zone.name = find->above;
        find->zone.no_referral = true;
        take_servers(find, result->records, &find->above);
        ask_next(find);
        return;
    }
    if (result->status != ask_answered && ask_uses_roots(find->job.ask)) {
        begin_at_roots(find);
        return;
    }
    if (!ask_name_chop(&find->above)) {
        finish(find, result->status != ask_answered ? result->status : ask_lame);
        return;
    }
    ask_above(find);
}

/** Ask for the servers of the zone above. */
static void ask_above(struct find *find)
{
    if (!find->job.ask->resolve(find->job.ask, find->budget, find->depth, &find->above,
                                LDNS_RR_TYPE_NS, on_above, find)) {
        finish(find, ask_no_room);
    }
}

static void begin(struct ask_job *job)
{
    struct find *find = (struct find *)job;
    if (ask_uses_roots(job->ask)) {
        begin_at_roots(find);
        return;
    }
    ask_name_chop(&find->above);
    ask_above(find);
}

bool ask_find_within(struct ask *ask, struct ask_budget *budget, unsigned depth,
                     const struct ask_name *name, bool all, ask_zone_fn *done, void *context)
{
    struct find *find = calloc(1, sizeof(*find));
    if (find == NULL) {
        return false;
    }
    find->job.begin = begin;
    find->job.drop = drop;
    find->own_budget.questions = ask->questions;
    find->budget = budget != NULL ? budget : &find->own_budget;
    find->depth = depth;
    find->name = find->above = *name;
    find->all = all;
    find->done = done;
    find->context = context;
    if (!ask_job_start(ask, &find->job)) {
        free(find);
        return false;
    }
    return true;
}

bool ask_find_servers(struct ask *ask, const struct ask_name *name, bool all, ask_zone_fn *done,
                      void *context)
{
    return ask_find_within(ask, NULL, 0, name, all, done, context);
}
