/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check`: the zone, its servers, and what each of them says. See check.h. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"

const uint16_t check_qtypes[CHECK_TYPES] = {
    [check_soa] = LDNS_RR_TYPE_SOA,     [check_ns] = LDNS_RR_TYPE_NS,
    [check_cname] = LDNS_RR_TYPE_CNAME, [check_mx] = LDNS_RR_TYPE_MX,
    [check_a] = LDNS_RR_TYPE_A,         [check_aaaa] = LDNS_RR_TYPE_AAAA,
    [check_txt] = LDNS_RR_TYPE_TXT,
};

const char *const check_type_names[CHECK_TYPES] = {
    [check_soa] = "SOA", [check_ns] = "NS",     [check_cname] = "CNAME", [check_mx] = "MX",
    [check_a] = "A",     [check_aaaa] = "AAAA", [check_txt] = "TXT",
};

void check_wait(struct check *check)
{
    while (check->pending != 0 && event_base_loop(check->base, EVLOOP_ONCE) == 0) {
    }
}

bool check_is_operators_word(const struct check *check)
{
    return check->only != NULL || (check->has_zone && check->zone.operators_word);
}

/* --- answers ------------------------------------------------------------------------------------
 */

void check_answer_keep(struct check_answer *answer, const struct ask_reply *reply)
{
    *answer = (struct check_answer){.status = reply->status,
                                    .tcp = reply->tcp,
                                    .rtt_ms = reply->rtt_ms,
                                    .strays = reply->strays};
    if (reply->status != ask_answered) {
        return;
    }
    answer->message = malloc(reply->message_len);
    if (answer->message == NULL ||
        ldns_wire2pkt(&answer->packet, reply->message, reply->message_len) != LDNS_STATUS_OK) {
        check_answer_free(answer);
        answer->status = ask_no_room;
        return;
    }
    memcpy(answer->message, reply->message, reply->message_len);
    answer->message_len = reply->message_len;
}

void check_answer_free(struct check_answer *answer)
{
    free(answer->message);
    ldns_pkt_free(answer->packet);
    answer->message = NULL;
    answer->packet = NULL;
}

bool check_answer_counts(const struct check_answer *answer)
{
    const ldns_pkt *packet = answer->packet;
    return packet != NULL && ldns_pkt_aa(packet) &&
           (ldns_pkt_get_rcode(packet) == LDNS_RCODE_NOERROR ||
            ldns_pkt_get_rcode(packet) == LDNS_RCODE_NXDOMAIN);
}

/** A record of a type in a section, at a name if one is given. */
static const ldns_rr *find_record(const ldns_rr_list *section, const struct ask_name *owner,
                                  ldns_rr_type type, size_t nth)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        struct ask_name name;
        if (ldns_rr_get_type(rr) != type || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
            !ask_name_of(&name, ldns_rr_owner(rr)) ||
            (owner != NULL && !ask_name_equal(&name, owner))) {
            continue;
        }
        if (nth-- == 0) {
            return rr;
        }
    }
    return NULL;
}

const ldns_rr *check_record(const struct check_answer *answer, const struct ask_name *owner,
                            ldns_rr_type type, size_t nth)
{
    return answer->packet != NULL ? find_record(ldns_pkt_answer(answer->packet), owner, type, nth)
                                  : NULL;
}

/** The SOA record of the domain's zone that an answer shows, as data or where it denies some. */
static const ldns_rr *soa_of(const struct check *check, const struct check_answer *answer)
{
    struct ask_name zone;
    if (!check_answer_counts(answer)) {
        return NULL;
    }
    const ldns_rr *rr =
        find_record(ldns_pkt_answer(answer->packet), &check->domain, LDNS_RR_TYPE_SOA, 0);
    if (rr == NULL) {
        rr = find_record(ldns_pkt_authority(answer->packet), NULL, LDNS_RR_TYPE_SOA, 0);
    }
    return rr != NULL && ask_name_of(&zone, ldns_rr_owner(rr)) &&
                   ask_name_within(&check->domain, &zone) && ldns_rr_rd_count(rr) == 7
               ? rr
               : NULL;
}

/* --- the zone -----------------------------------------------------------------------------------
 */

static void on_zone(void *context, enum ask_status status, const struct ask_zone *zone)
{
    struct check *check = context;
    check->pending--;
    check->found = status;
    check->has_zone = zone != NULL;
    if (zone != NULL) {
        check->zone = *zone;
    }
}

static void add_server(struct check *check, const char *name,
                       const struct sockaddr_storage *address)
{
    if (check->server_count == CHECK_SERVERS_MAX) {
        check->zone.cut_short = true;
        return;
    }
    struct check_server *server = &check->servers[check->server_count++];
    snprintf(server->name, sizeof(server->name), "%s", name);
    if (address == NULL) {
        server->refused = "no address was found";
        return;
    }
    server->address = *address;
    ask_address_text(address, server->address_text);
    if (!check_is_operators_word(check)) {
        server->refused = ask_address_refused(&check->policy, address);
    }
}

static int by_name(const void *a, const void *b)
{
    const struct check_server *one = a;
    const struct check_server *other = b;
    const int order = strcmp(one->name, other->name);
    return order != 0 ? order : strcmp(one->address_text, other->address_text);
}

/** Find who serves the domain. */
static void find_servers(struct check *check)
{
    if (check->only != NULL) {
        add_server(check, "", check->only);
        return;
    }
    progress_say(&check->progress, "looking for the servers of %s", check->domain_text);
    check->pending++;
    if (!ask_find_servers(check->ask, &check->domain, true, on_zone, check)) {
        check->pending--;
        check->found = ask_no_room;
    }
    check_wait(check);
    for (size_t i = 0; check->has_zone && i < check->zone.server_count; i++) {
        const struct ask_server *server = &check->zone.servers[i];
        char name[MXCLASH_NAME_TEXT_MAX];
        mxclash_name_to_text(server->name.octets, server->name.len, name);
        for (size_t k = 0; k < server->address_count; k++) {
            add_server(check, name, &server->addresses[k]);
        }
        if (server->address_count == 0) {
            add_server(check, name, NULL);
        }
    }
    /* in an order that is the same each time */
    qsort(check->servers, check->server_count, sizeof(check->servers[0]), by_name);
}

/* --- every question to every server -------------------------------------------------------------
 */

struct asked {
    struct check *check;
    struct check_answer *answer;
};

static void on_reply(void *context, const struct ask_reply *reply)
{
    struct asked *asked = context;
    asked->check->pending--;
    check_answer_keep(asked->answer, reply);
    progress_say(&asked->check->progress, "waiting for %u answers of %s", asked->check->pending,
                 asked->check->domain_text);
    free(asked);
}

static void ask_server(struct check *check, const struct check_server *server,
                       const struct ask_name *name, uint16_t qtype, struct check_answer *answer)
{
    struct asked *asked = malloc(sizeof(*asked));
    const struct ask_question question = {.name = *name,
                                          .qtype = qtype,
                                          .operators_word = check_is_operators_word(check),
                                          .server = server->address};
    answer->status = ask_no_room;
    if (asked == NULL) {
        return;
    }
    *asked = (struct asked){check, answer};
    if (ask_send(check->ask, &question, on_reply, asked)) {
        check->pending++;
    } else {
        free(asked);
    }
}

static void look_at(struct check *check, struct check_server *server)
{
    for (size_t i = 0; i < CHECK_TYPES; i++) {
        const struct check_answer *answer = &server->answers[i];
        const ldns_rr *soa = soa_of(check, answer);
        server->authoritative = server->authoritative || check_answer_counts(answer);
        if (soa != NULL && !server->has_serial) {
            server->has_serial = true;
            server->serial = ldns_rdf2native_int32(ldns_rr_rdf(soa, 2));
        }
    }
}

/**
 * The cut, where only one server was asked and nobody above it. Records show it, as a rule. Where
 * every question is answered with a CNAME there are none: then the server holds the name above too,
 * with the SOA of one zone of both, or it does not know it, and the domain is the top.
 */
static void guess_zone(struct check *check)
{
    struct check_server *server = &check->servers[0];
    struct check_answer above = {0};
    struct ask_name parent = check->domain;
    for (size_t i = 0; i < CHECK_TYPES && !check->has_zone; i++) {
        const ldns_rr *soa = soa_of(check, &server->answers[i]);
        check->has_zone = soa != NULL && ask_name_of(&check->zone.name, ldns_rr_owner(soa));
    }
    if (check->has_zone || !server->authoritative || !ask_name_chop(&parent)) {
        return;
    }
    ask_server(check, server, &parent, LDNS_RR_TYPE_SOA, &above);
    check_wait(check);
    if (above.status == ask_answered) {
        const ldns_rr *soa = soa_of(check, &above);
        if (soa == NULL && check_answer_counts(&above)) {
            soa = find_record(ldns_pkt_answer(above.packet), &parent, LDNS_RR_TYPE_SOA, 0);
        }
        check->has_zone = soa != NULL && ask_name_of(&check->zone.name, ldns_rr_owner(soa));
        if (!check->has_zone && !check_answer_counts(&above)) {
            check->has_zone = true;
            check->zone.name = check->domain;
        }
    }
    check_answer_free(&above);
}

/** The first server that shows the domain's CNAME; NULL = none does. */
static const struct check_server *shows_cname(const struct check *check, struct ask_name *target)
{
    for (size_t i = 0; i < check->server_count; i++) {
        for (size_t k = 0; k < CHECK_TYPES; k++) {
            const struct check_answer *answer = &check->servers[i].answers[k];
            const ldns_rr *rr = check_record(answer, &check->domain, LDNS_RR_TYPE_CNAME, 0);
            if (check_answer_counts(answer) && rr != NULL &&
                ask_name_of(target, ldns_rr_rdf(rr, 0))) {
                return &check->servers[i];
            }
        }
    }
    return NULL;
}

/** A CNAME that a wildcard makes stands at the wildcard's own name too (RFC 4592 2.2.1). */
static void look_for_wildcard(struct check *check)
{
    struct ask_name target;
    struct ask_name expanded;
    struct ask_name above = check->domain;
    struct check_answer answer = {0};
    const struct check_server *server = shows_cname(check, &target);
    if (server == NULL || check->domain.octets[1] == '*' || !ask_name_chop(&above) ||
        !check->has_zone || !ask_name_within(&above, &check->zone.name) ||
        above.len > sizeof(above.octets) - 2) {
        return;
    }
    struct ask_name wildcard = {.len = (uint8_t)(above.len + 2), .octets = {1, '*'}};
    memcpy(wildcard.octets + 2, above.octets, above.len);
    ask_server(check, server, &wildcard, LDNS_RR_TYPE_CNAME, &answer);
    check_wait(check);
    const ldns_rr *rr = check_record(&answer, &wildcard, LDNS_RR_TYPE_CNAME, 0);
    if (check_answer_counts(&answer) && rr != NULL && ask_name_of(&expanded, ldns_rr_rdf(rr, 0)) &&
        ask_name_equal(&expanded, &target)) {
        check->wildcard = wildcard;
    }
    check_answer_free(&answer);
}

void check_ask_all(struct check *check)
{
    find_servers(check);
    for (size_t i = 0; i < check->server_count; i++) {
        struct check_server *server = &check->servers[i];
        for (size_t k = 0; k < CHECK_TYPES && server->refused == NULL; k++) {
            ask_server(check, server, &check->domain, check_qtypes[k], &server->answers[k]);
        }
    }
    check_wait(check);
    for (size_t i = 0; i < check->server_count; i++) {
        look_at(check, &check->servers[i]);
    }
    if (check->only != NULL) {
        guess_zone(check);
        check->zone.no_referral = true;
    }
    look_for_wildcard(check);
}
