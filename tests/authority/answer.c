/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Makes the answers of the test authority.
 */
#include "answer.h"

#include <stdlib.h>

/* Longest chain of CNAMEs that is followed inside a zone. */
#define CHAIN_MAX             8
#define UDP_OCTETS_PLAIN      512
#define UDP_OCTETS_EDNS       1232
#define EDNS_BADVERS_EXTENDED 1

static bool same_name(const ldns_rdf *a, const ldns_rdf *b)
{
    return ldns_dname_compare(a, b) == 0;
}

static bool at_or_below(const ldns_rdf *name, const ldns_rdf *ancestor)
{
    return same_name(name, ancestor) || ldns_dname_is_subdomain(name, ancestor);
}

/* The ancestor with so many labels; of a name with as many, the name itself. */
static ldns_rdf *ancestor(const ldns_rdf *name, uint8_t labels)
{
    return ldns_dname_clone_from(name, (uint16_t)(ldns_dname_label_count(name) - labels));
}

/* The zone nearest above qname. A DS lives on the parent's side of a cut (RFC 4035 3.1.4.1), so
 * for a DS the zone itself is passed over if its parent is here as well. */
static const struct zone *find_zone(const struct scenario *scenario, const ldns_rdf *qname,
                                    ldns_rr_type qtype)
{
    const struct zone *itself = NULL;
    uint8_t labels = ldns_dname_label_count(qname);

    for (int n = labels; n >= 0; n--) {
        ldns_rdf *apex = ancestor(qname, (uint8_t)n);
        const struct zone *zone = scenario_zone(scenario, apex);

        ldns_rdf_deep_free(apex);
        if (zone && (qtype != LDNS_RR_TYPE_DS || n != labels))
            return zone;
        if (zone)
            itself = zone;
    }
    return itself;
}

/* Does a record of that type (0: of any type) stand at owner? */
static bool has_rrset(const struct zone *zone, const ldns_rdf *owner, ldns_rr_type type)
{
    const struct rule *only = zone_rule(zone, rule_only, owner, 0);

    for (size_t i = zone_first(zone, owner); i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);

        if (!same_name(ldns_rr_owner(record), owner))
            break;
        if ((type == 0 || type == LDNS_RR_TYPE_ANY || ldns_rr_get_type(record) == type) &&
            (!only || ldns_rr_get_type(record) == only->type))
            return true;
    }
    return false;
}

/* Is there data at or below name? Below only makes an empty non-terminal (RFC 4592 2.2.2). */
static bool name_exists(const struct zone *zone, const ldns_rdf *name)
{
    size_t first = zone_first(zone, name);

    return first < ldns_rr_list_rr_count(zone->records) &&
           at_or_below(ldns_rr_owner(ldns_rr_list_rr(zone->records, first)), name);
}

/* Does record belong to what a question for type gets? Signatures go with what they sign, but only
 * to who asks for them (RFC 4035 3.1.1). */
static bool belongs_to(const ldns_rr *record, ldns_rr_type type, bool dnssec_ok)
{
    if (type == LDNS_RR_TYPE_ANY || ldns_rr_get_type(record) == type)
        return true;
    return dnssec_ok && ldns_rr_get_type(record) == LDNS_RR_TYPE_RRSIG &&
           ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(record)) == type;
}

/* Copy the RRset at owner into a section; shown_as stands for owner where a wildcard was met. */
static void push_rrset(ldns_pkt *reply, ldns_pkt_section section, const struct zone *zone,
                       const ldns_rdf *owner, ldns_rr_type type, const ldns_rdf *shown_as)
{
    const struct rule *only = zone_rule(zone, rule_only, owner, 0);

    for (size_t i = zone_first(zone, owner); i < ldns_rr_list_rr_count(zone->records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(zone->records, i);
        ldns_rr *copy;

        if (!same_name(ldns_rr_owner(record), owner))
            break;
        if (!belongs_to(record, type, ldns_pkt_edns_do(reply)) ||
            (only && section == LDNS_SECTION_ANSWER && !belongs_to(record, only->type, true)))
            continue;
        copy = ldns_rr_clone(record);
        ldns_rdf_deep_free(ldns_rr_owner(copy));
        ldns_rr_set_owner(copy, ldns_rdf_clone(shown_as));
        ldns_pkt_push_rr(reply, section, copy);
    }
}

/* The highest owner of an RRset of that type below the apex and at or above name, or NULL. The
 * caller frees it. */
static ldns_rdf *highest_owner(const struct zone *zone, const ldns_rdf *name, ldns_rr_type type)
{
    uint8_t apex_labels = ldns_dname_label_count(zone->apex);

    for (unsigned n = apex_labels + 1u; n <= ldns_dname_label_count(name); n++) {
        ldns_rdf *candidate = ancestor(name, (uint8_t)n);

        if (has_rrset(zone, candidate, type))
            return candidate;
        ldns_rdf_deep_free(candidate);
    }
    return NULL;
}

/* The wildcard that covers a name that does not exist: below the closest encloser (RFC 4592
 * 3.3.1). The caller frees it. */
static ldns_rdf *wildcard_for(const struct zone *zone, const ldns_rdf *name)
{
    ldns_rdf *star;
    ldns_rdf *encloser;

    for (unsigned n = ldns_dname_label_count(name) - 1u;; n--) {
        encloser = ancestor(name, (uint8_t)n);
        if (same_name(encloser, zone->apex) || name_exists(zone, encloser))
            break;
        ldns_rdf_deep_free(encloser);
    }
    star = ldns_dname_new_frm_str("*");
    ldns_dname_cat(star, encloser);
    ldns_rdf_deep_free(encloser);
    if (name_exists(zone, star))
        return star;
    ldns_rdf_deep_free(star);
    return NULL;
}

/* Refer to the servers of the NS records at owner; cut is what they are shown at. */
static void push_referral(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *owner,
                          const ldns_rdf *cut)
{
    push_rrset(reply, LDNS_SECTION_AUTHORITY, zone, owner, LDNS_RR_TYPE_NS, cut);
    for (size_t i = 0; i < ldns_rr_list_rr_count(ldns_pkt_authority(reply)); i++) {
        const ldns_rdf *server = ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_authority(reply), i), 0);

        push_rrset(reply, LDNS_SECTION_ADDITIONAL, zone, server, LDNS_RR_TYPE_A, server);
        push_rrset(reply, LDNS_SECTION_ADDITIONAL, zone, server, LDNS_RR_TYPE_AAAA, server);
    }
}

/* NS records at a wildcard delegate every name in its place. RFC 4592 4.2 leaves open what they
 * mean; here they are a registry with any number of domains. \return whether name is one of them */
static bool push_wildcard_referral(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *name)
{
    ldns_rdf *star = name_exists(zone, name) ? NULL : wildcard_for(zone, name);
    bool found = star && has_rrset(zone, star, LDNS_RR_TYPE_NS);

    if (found) {
        ldns_rdf *cut = ancestor(name, ldns_dname_label_count(star));

        push_referral(reply, zone, star, cut);
        ldns_rdf_deep_free(cut);
    }
    ldns_rdf_deep_free(star);
    return found;
}

/* Push the DNAME at owner and the CNAME made of it (RFC 6672 3.1). The caller frees the CNAME's
 * target; NULL if it would be too long. */
static ldns_rdf *push_dname(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *owner,
                            const ldns_rdf *name)
{
    const ldns_rr *dname;
    ldns_rr *cname;
    ldns_rdf *target = NULL;
    unsigned kept = (unsigned)ldns_dname_label_count(name) - ldns_dname_label_count(owner);

    push_rrset(reply, LDNS_SECTION_ANSWER, zone, owner, LDNS_RR_TYPE_DNAME, owner);
    dname = ldns_rr_list_rr(ldns_pkt_answer(reply), ldns_pkt_ancount(reply) - 1u);
    for (unsigned i = 0; i < kept; i++) {
        ldns_rdf *label = ldns_dname_label(name, (uint8_t)i);

        if (!target)
            target = label;
        else {
            ldns_dname_cat(target, label);
            ldns_rdf_deep_free(label);
        }
    }
    ldns_dname_cat(target, ldns_rr_rdf(dname, 0));
    if (ldns_rdf_size(target) > LDNS_MAX_DOMAINLEN) {
        ldns_rdf_deep_free(target);
        return NULL;
    }
    cname = ldns_rr_new_frm_type(LDNS_RR_TYPE_CNAME);
    ldns_rr_set_owner(cname, ldns_rdf_clone(name));
    ldns_rr_set_ttl(cname, ldns_rr_ttl(dname));
    ldns_rr_set_rdf(cname, ldns_rdf_clone(target), 0);
    ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, cname);
    return target;
}

/* The target of the last CNAME in the answer, where there is one. The caller frees it. */
static ldns_rdf *last_target(const ldns_pkt *reply)
{
    size_t i = ldns_pkt_ancount(reply) - 1u;

    while (ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_answer(reply), i)) != LDNS_RR_TYPE_CNAME)
        i--; /* its signature */
    return ldns_rdf_clone(ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(reply), i), 0));
}

/* Push what node has for qtype, shown under the asked name. The caller frees the name to go on
 * with; NULL if this was the end. */
static ldns_rdf *push_node(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *node,
                           const ldns_rdf *name, ldns_rr_type qtype)
{
    enum answer_mode mode = zone_mode(zone, node);
    bool cname = qtype != LDNS_RR_TYPE_CNAME && qtype != LDNS_RR_TYPE_ANY &&
                 has_rrset(zone, node, LDNS_RR_TYPE_CNAME);
    bool data = has_rrset(zone, node, qtype);

    if (cname && data && (mode == mode_healthy || mode == mode_cname_only))
        data = false;
    if (cname && data && mode == mode_by_type)
        cname = false;
    if (cname && mode != mode_both_data_first)
        push_rrset(reply, LDNS_SECTION_ANSWER, zone, node, LDNS_RR_TYPE_CNAME, name);
    if (data)
        push_rrset(reply, LDNS_SECTION_ANSWER, zone, node, qtype, name);
    if (cname && mode == mode_both_data_first)
        push_rrset(reply, LDNS_SECTION_ANSWER, zone, node, LDNS_RR_TYPE_CNAME, name);
    if (!cname && !data)
        push_rrset(reply, LDNS_SECTION_AUTHORITY, zone, zone->apex, LDNS_RR_TYPE_SOA, zone->apex);
    if (!cname || data)
        return NULL;
    return last_target(reply);
}

/* One step of the chain: all that zone has to say about name. The caller frees the name to go on
 * with; NULL if this was the end. */
static ldns_rdf *push_name(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *name,
                           ldns_rr_type qtype)
{
    ldns_rdf *next = NULL;
    ldns_rdf *found = highest_owner(zone, name, LDNS_RR_TYPE_NS);

    if (found && !(qtype == LDNS_RR_TYPE_DS && same_name(found, name))) {
        if (ldns_pkt_ancount(reply) == 0)
            ldns_pkt_set_aa(reply, false);
        push_referral(reply, zone, found, found);
        goto done;
    }
    ldns_rdf_deep_free(found);
    found = NULL;
    if (qtype != LDNS_RR_TYPE_DS && push_wildcard_referral(reply, zone, name)) {
        ldns_pkt_set_aa(reply, false);
        goto done;
    }
    found = has_rrset(zone, zone->apex, LDNS_RR_TYPE_DNAME)
                ? ldns_rdf_clone(zone->apex)
                : highest_owner(zone, name, LDNS_RR_TYPE_DNAME);
    if (found && !same_name(found, name)) {
        next = push_dname(reply, zone, found, name);
        if (!next)
            ldns_pkt_set_rcode(reply, LDNS_RCODE_YXDOMAIN);
        goto done;
    }
    ldns_rdf_deep_free(found);
    found = name_exists(zone, name) ? ldns_rdf_clone(name) : wildcard_for(zone, name);
    if (found)
        next = push_node(reply, zone, found, name, qtype);
    else {
        ldns_pkt_set_rcode(reply, LDNS_RCODE_NXDOMAIN);
        push_rrset(reply, LDNS_SECTION_AUTHORITY, zone, zone->apex, LDNS_RR_TYPE_SOA, zone->apex);
    }
done:
    ldns_rdf_deep_free(found);
    return next;
}

static void push_answer(ldns_pkt *reply, const struct zone *zone, const ldns_rdf *qname,
                        ldns_rr_type qtype)
{
    ldns_rdf *name = ldns_rdf_clone(qname);

    for (int i = 0; name && i < CHAIN_MAX; i++) {
        ldns_rdf *next = push_name(reply, zone, name, qtype);

        ldns_rdf_deep_free(name);
        name = next;
        if (name && !at_or_below(name, zone->apex))
            break;
    }
    ldns_rdf_deep_free(name);
}

/* Leave nothing but the header, the question and the OPT. */
static void strip_sections(ldns_pkt *reply)
{
    static const ldns_pkt_section sections[] = {LDNS_SECTION_ANSWER, LDNS_SECTION_AUTHORITY,
                                                LDNS_SECTION_ADDITIONAL};

    ldns_rr_list_deep_free(ldns_pkt_answer(reply));
    ldns_rr_list_deep_free(ldns_pkt_authority(reply));
    ldns_rr_list_deep_free(ldns_pkt_additional(reply));
    ldns_pkt_set_answer(reply, ldns_rr_list_new());
    ldns_pkt_set_authority(reply, ldns_rr_list_new());
    ldns_pkt_set_additional(reply, ldns_rr_list_new());
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        ldns_pkt_set_section_count(reply, sections[i], 0);
}

/* What is refused before any zone is looked at. \return NOERROR if nothing is */
static ldns_pkt_rcode check_query(const ldns_pkt *query)
{
    const ldns_rr *question;

    if (ldns_pkt_get_opcode(query) != LDNS_PACKET_QUERY)
        return LDNS_RCODE_NOTIMPL;
    if (ldns_pkt_qdcount(query) != 1)
        return LDNS_RCODE_FORMERR;
    question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    if (ldns_rr_get_class(question) != LDNS_RR_CLASS_IN ||
        ldns_rr_get_type(question) == LDNS_RR_TYPE_AXFR ||
        ldns_rr_get_type(question) == LDNS_RR_TYPE_IXFR)
        return LDNS_RCODE_REFUSED;
    return LDNS_RCODE_NOERROR;
}

/* Fill in the reply as the scenario has it. \return false if nothing is to be sent */
static bool fill_reply(const struct scenario *scenario, const ldns_pkt *query, bool udp,
                       ldns_pkt *reply)
{
    static const struct {
        enum rule_verb verb;
        ldns_pkt_rcode rcode;
    } failures[] = {{rule_refuse, LDNS_RCODE_REFUSED},
                    {rule_servfail, LDNS_RCODE_SERVFAIL},
                    {rule_nxdomain, LDNS_RCODE_NXDOMAIN}};
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    const ldns_rdf *qname = ldns_rr_owner(question);
    ldns_rr_type qtype = ldns_rr_get_type(question);
    const struct zone *zone = find_zone(scenario, qname, qtype);

    if (!zone) {
        ldns_pkt_set_rcode(reply, LDNS_RCODE_REFUSED);
        return true;
    }
    if (zone_rule(zone, rule_drop, qname, qtype))
        return false;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (zone_rule(zone, failures[i].verb, qname, qtype)) {
            ldns_pkt_set_rcode(reply, failures[i].rcode);
            return true;
        }
    ldns_pkt_set_aa(reply, true);
    push_answer(reply, zone, qname, qtype);
    if (zone_rule(zone, rule_no_aa, qname, qtype))
        ldns_pkt_set_aa(reply, false);
    if (udp && zone_rule(zone, rule_truncate, qname, qtype)) {
        strip_sections(reply);
        ldns_pkt_set_tc(reply, true);
    }
    return true;
}

static void copy_edns(const ldns_pkt *query, ldns_pkt *reply)
{
    if (!ldns_pkt_edns(query))
        return;
    ldns_pkt_set_edns_udp_size(reply, UDP_OCTETS_EDNS);
    ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(query));
    if (ldns_pkt_edns_version(query) != 0)
        ldns_pkt_set_edns_extended_rcode(reply, EDNS_BADVERS_EXTENDED);
}

static size_t udp_limit(const ldns_pkt *query)
{
    size_t offered = ldns_pkt_edns(query) ? ldns_pkt_edns_udp_size(query) : 0;

    if (offered < UDP_OCTETS_PLAIN)
        return UDP_OCTETS_PLAIN;
    return offered < UDP_OCTETS_EDNS ? offered : UDP_OCTETS_EDNS;
}

bool answer_query(const struct scenario *scenario, const ldns_pkt *query, bool udp, uint8_t **reply,
                  size_t *reply_len)
{
    ldns_pkt *packet = ldns_pkt_new();
    bool send = true;

    ldns_pkt_set_id(packet, ldns_pkt_id(query));
    ldns_pkt_set_qr(packet, true);
    ldns_pkt_set_opcode(packet, ldns_pkt_get_opcode(query));
    ldns_pkt_set_rd(packet, ldns_pkt_rd(query));
    ldns_pkt_set_cd(packet, ldns_pkt_cd(query));
    if (ldns_pkt_qdcount(query) == 1)
        ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION,
                         ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
    copy_edns(query, packet);
    ldns_pkt_set_rcode(packet, (uint8_t)check_query(query));
    if (ldns_pkt_get_rcode(packet) == LDNS_RCODE_NOERROR &&
        ldns_pkt_edns_extended_rcode(packet) == 0)
        send = fill_reply(scenario, query, udp, packet);
    if (send)
        send = ldns_pkt2wire(reply, packet, reply_len) == LDNS_STATUS_OK;
    if (send && udp && *reply_len > udp_limit(query)) {
        LDNS_FREE(*reply);
        strip_sections(packet);
        ldns_pkt_set_tc(packet, true);
        send = ldns_pkt2wire(reply, packet, reply_len) == LDNS_STATUS_OK;
    }
    ldns_pkt_free(packet);
    return send;
}
