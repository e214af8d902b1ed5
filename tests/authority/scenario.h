/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The scenario of the test authority: zones, and how each is answered.
 *
 * One thing a line; `#` behind a blank or at the start of a line begins a comment.
 *
 *     zone NAME                 what follows belongs to this zone
 *     answer MODE [OWNER]       how a name that has a CNAME is answered; healthy if not said
 *     VERB TYPE [OWNER]         a fault: for one type or `*`, at one owner or in the whole zone
 *     OWNER [TTL] TYPE RDATA    a record in master-file syntax (RFC 1035 5.1), TTL 300 if not said
 *
 * NS at `*` delegates every name that stands in its place, as the registry of a top-level domain.
 *
 * Owners are relative to the zone, `@` is its apex. An owner that is spelled like a keyword must be
 * written with its last dot. Modes and verbs are those of the two enums below. A zone without SOA
 * or NS gets them: the server is then ns.ZONE at the address given to scenario_load(). A zone may
 * be signed: RRSIG records go with what they sign to who sets DO. Nothing is denied with NSEC.
 */
#ifndef TESTS_AUTHORITY_SCENARIO_H
#define TESTS_AUTHORITY_SCENARIO_H

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>

/** What a question gets at a name that has a CNAME. A question for CNAME always gets the CNAME. */
enum answer_mode {
    /** `healthy`: the CNAME, as RFC 1034 has it; other data at that name is refused at load */
    mode_healthy = 0,
    /** `by-type`: the RRset that was asked for if there is one, else the CNAME */
    mode_by_type,
    /** `both`: the CNAME, and behind it the RRset that was asked for */
    mode_both,
    /** `both-data-first`: the RRset that was asked for, and behind it the CNAME */
    mode_both_data_first,
    /** `cname-only`: the CNAME to every type, whatever else is there */
    mode_cname_only,
};

/** What goes wrong on purpose. */
enum rule_verb {
    /** `drop`: no answer */
    rule_drop = 0,
    /** `refuse`, `servfail`, `nxdomain`: that response code and nothing else */
    rule_refuse,
    rule_servfail,
    rule_nxdomain,
    /** `truncate`: only TC over UDP, the whole answer over TCP */
    rule_truncate,
    /** `no-aa`: the answer is not authoritative */
    rule_no_aa,
    /** `only`: the owner is answered as though it had records of TYPE alone */
    rule_only,
    /** `answer MODE OWNER`, kept as a rule */
    rule_answer,
};

struct rule {
    enum rule_verb verb;
    /** for rule_answer only */
    enum answer_mode mode;
    /** 0 is every type; 0 in rule_answer */
    ldns_rr_type type;
    /** NULL is every owner of the zone */
    ldns_rdf *owner;
};

struct zone {
    ldns_rdf *apex;
    enum answer_mode mode;
    /** in canonical order of their owners (RFC 4034 6.1), those of one owner as in the file */
    ldns_rr_list *records;
    struct rule *rules;
    size_t rule_count;
};

struct scenario {
    /** in canonical order of their apexes */
    struct zone *zones;
    size_t zone_count;
};

#define SCENARIO_ERROR_MAX 512

/**
 * Read a scenario file.
 *
 * \param ns_address  presentation form of the address that made-up name servers get
 * \param[out] scenario  to be freed only on true
 * \param[out] error  on false, `FILE:LINE: what is wrong`
 */
bool scenario_load(const char *path, const char *ns_address, struct scenario *scenario,
                   char error[SCENARIO_ERROR_MAX]);

/** Free what scenario_load() filled in. */
void scenario_free(struct scenario *scenario);

/** \return the zone with that apex, or NULL */
const struct zone *scenario_zone(const struct scenario *scenario, const ldns_rdf *apex);

/** \return number of the first record whose owner is name or behind it; the records of name, and
 * then those below it, stand there in a row */
size_t zone_first(const struct zone *zone, const ldns_rdf *name);

/** \return how owner is answered in zone */
enum answer_mode zone_mode(const struct zone *zone, const ldns_rdf *owner);

/** \return the first rule with that verb for owner and type, or NULL; type 0 asks for any type */
const struct rule *zone_rule(const struct zone *zone, enum rule_verb verb, const ldns_rdf *owner,
                             ldns_rr_type type);

#endif
