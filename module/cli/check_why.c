/* SPDX-License-Identifier: BSD-3-Clause */
/** \file `mxclash check` in plain words: why a domain is healthy, and what else is to be seen. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check.h"

static char *say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *say(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    return len < 0 ? NULL : text;
}

static char *text_of(const struct ask_name *name, char text[MXCLASH_NAME_TEXT_MAX])
{
    mxclash_name_to_text(name->octets, name->len, text);
    return text;
}

static char *name_text(const ldns_rdf *rdf, char text[MXCLASH_NAME_TEXT_MAX])
{
    struct ask_name name;
    return ask_name_of(&name, rdf) ? text_of(&name, text) : strcpy(text, "?");
}

/** The first record of a type at the domain that any server shows; with DNAME, above it. */
static const ldns_rr *shown(const struct check *check, ldns_rr_type type)
{
    for (size_t i = 0; i < check->server_count; i++) {
        for (size_t k = 0; k < CHECK_TYPES; k++) {
            const struct check_answer *answer = &check->servers[i].answers[k];
            if (!check_answer_counts(answer)) {
                continue;
            }
            if (type != LDNS_RR_TYPE_DNAME) {
                const ldns_rr *rr = check_record(answer, &check->domain, type, 0);
                if (rr != NULL) {
                    return rr;
                }
                continue;
            }
            for (size_t n = 0; n < ldns_pkt_ancount(answer->packet); n++) {
                const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(answer->packet), n);
                struct ask_name owner;
                if (ldns_rr_get_type(rr) == type && ask_name_of(&owner, ldns_rr_owner(rr)) &&
                    owner.len < check->domain.len && ask_name_within(&check->domain, &owner)) {
                    return rr;
                }
            }
        }
    }
    return NULL;
}

static bool no_such_name(const struct check *check)
{
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_answer *answer = &check->servers[i].answers[check_mx];
        if (check_answer_counts(answer) &&
            (ldns_pkt_get_rcode(answer->packet) != LDNS_RCODE_NXDOMAIN ||
             ldns_pkt_ancount(answer->packet) != 0)) {
            return false;
        }
    }
    return true;
}

static size_t heard(const struct check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < check->server_count; i++) {
        count += check->servers[i].authoritative;
    }
    return count;
}

static char *why_nothing_is_known(const struct check *check)
{
    char zone[MXCLASH_NAME_TEXT_MAX];
    if (check->only == NULL && !check->has_zone) {
        return say("The servers of %s could not be found: %s. Name a resolver with --resolver, or "
                   "the server itself with --server.",
                   check->domain_text, ask_status_text(check->found));
    }
    if (heard(check) == 0) {
        bool any = false;
        for (size_t i = 0; i < check->server_count; i++) {
            any = any || check->servers[i].refused == NULL;
        }
        if (!any) {
            return say("None of the servers of %s has an address that is asked, see "
                       "do-not-ask in mxclash.conf(5).",
                       check->domain_text);
        }
        return say("No server answered for %s as an authority, so nothing of it is known.%s",
                   check->domain_text,
                   check->only == NULL ? " Mail to it waits until one does." : "");
    }
    if (check->unsettled) {
        return say("The servers have different copies of the zone: some show the CNAME of %s, some "
                   "its MX. Either a change is on its way, or a server does not get it. Try again "
                   "when the serials are equal.",
                   check->domain_text);
    }
    if (no_such_name(check)) {
        return say("%s does not exist, say the servers of %s.", check->domain_text,
                   check->has_zone ? text_of(&check->zone.name, zone) : "its zone");
    }
    return say("No server said with authority which MX %s has.", check->domain_text);
}

static char *why_alias(const struct check *check, const ldns_rr *cname)
{
    char target[MXCLASH_NAME_TEXT_MAX];
    char other[MXCLASH_NAME_TEXT_MAX];
    const ldns_rr *dname = shown(check, LDNS_RR_TYPE_DNAME);
    const bool apex = check->has_zone && ask_name_equal(&check->zone.name, &check->domain);
    name_text(ldns_rr_rdf(cname, 0), target);
    if (dname != NULL) {
        return say("%s lies below %s, which is a DNAME: the CNAME to %s is made from that and "
                   "stands at no name (RFC 6672). Mail goes where %s has it.",
                   check->domain_text, name_text(ldns_rr_owner(dname), other), target, target);
    }
    if (apex) {
        return say("%s is the top of its zone and a CNAME to %s, but it has no MX that the CNAME "
                   "could hide, and its servers do not answer MX with it: a parked name, or one "
                   "for the web alone. If mail is wanted there, the CNAME must go first.",
                   check->domain_text, target);
    }
    if (check->wildcard.len != 0) {
        return say("%s is an alias of %s, made by the wildcard %s, and not the top of a zone: that "
                   "is lawful, and mail goes where %s has it.",
                   check->domain_text, target, text_of(&check->wildcard, other), target);
    }
    return say(
        "%s is only an alias of %s, and not the top of a zone: that is lawful, and mail goes "
        "where %s has it.",
        check->domain_text, target, target);
}

static char *why_healthy(const struct check *check)
{
    char exchange[MXCLASH_NAME_TEXT_MAX];
    const ldns_rr *cname = shown(check, LDNS_RR_TYPE_CNAME);
    const ldns_rr *mx = shown(check, LDNS_RR_TYPE_MX);
    const bool null_mx =
        mx != NULL && ldns_rr_rd_count(mx) == 2 && ldns_rdf_size(ldns_rr_rdf(mx, 1)) == 1;
    if (null_mx) {
        return say("%s says with a null MX (RFC 7505) that it takes no mail%s", check->domain_text,
                   cname != NULL ? ", so its CNAME hides none." : ".");
    }
    if (cname != NULL) {
        return why_alias(check, cname);
    }
    if (mx != NULL) {
        return say("%s has an MX (%s), and no CNAME beside it.", check->domain_text,
                   name_text(ldns_rr_rdf(mx, 1), exchange));
    }
    if (shown(check, LDNS_RR_TYPE_A) != NULL || shown(check, LDNS_RR_TYPE_AAAA) != NULL) {
        return say("%s has neither MX nor CNAME: mail goes to its address (RFC 5321 5.1).",
                   check->domain_text);
    }
    return say("%s has neither MX nor address: nobody can send it mail, and nothing hides any.",
               check->domain_text);
}

char *check_why(struct check *check)
{
    if (check->result == check_healthy && no_such_name(check)) {
        check->result = check_unknown;
    }
    switch (check->result) {
    case check_healthy:
        return why_healthy(check);
    case check_unknown:
        return why_nothing_is_known(check);
    default:
        return strdup("");
    }
}

/* --- remarks ------------------------------------------------------------------------------------
 */

struct remarks {
    struct check_remark *list;
    size_t count;
};

static void remark(struct remarks *remarks, const char *tag, char *text)
{
    if (text == NULL || remarks->count == CHECK_REMARKS_MAX) {
        free(text);
        return;
    }
    remarks->list[remarks->count++] = (struct check_remark){tag, text};
}

static void remark_server(struct remarks *remarks, const struct check_server *server)
{
    char who[MXCLASH_NAME_TEXT_MAX + ASK_ADDRESS_TEXT_MAX + 2];
    bool answered = false;
    enum ask_status status = ask_timeout;
    unsigned strays = 0;
    snprintf(who, sizeof(who), "%s%s%s", server->name,
             server->name[0] != '\0' && server->address_text[0] != '\0' ? " " : "",
             server->address_text);
    if (server->refused != NULL) {
        remark(remarks, "not-asked", say("%s was not asked: %s.", who, server->refused));
        return;
    }
    for (size_t i = 0; i < CHECK_TYPES; i++) {
        answered = answered || server->answers[i].status == ask_answered;
        status = server->answers[i].status;
        strays += server->answers[i].strays;
    }
    if (!answered) {
        remark(remarks, "dead-server", say("%s: %s.", who, ask_status_text(status)));
    } else if (!server->authoritative) {
        remark(remarks, "lame-server",
               say("%s answers, but not as an authority of the zone: lame (RFC 1912 2.8).", who));
    }
    if (strays != 0) {
        remark(remarks, "stray-answers",
               say("%s: %u messages came that answer another question, or none; they were passed "
                   "over.",
                   who, strays));
    }
}

static void remark_serials(struct remarks *remarks, const struct check *check)
{
    const struct check_server *first = NULL;
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        if (!server->has_serial) {
            continue;
        }
        if (first != NULL && server->serial != first->serial) {
            remark(remarks, "serials-differ",
                   say("The servers have different copies of the zone: serial %u at %s, %u at %s.",
                       first->serial, first->address_text, server->serial, server->address_text));
            return;
        }
        first = first == NULL ? server : first;
    }
}

/** How many records of a type a server shows, and a sum of them that does not mind their order. */
static uint32_t digest(const struct check *check, const struct check_server *server, size_t type)
{
    const struct check_answer *answer = &server->answers[type];
    uint32_t sum = 0;
    const ldns_rr *rr;
    for (size_t n = 0; (rr = check_record(answer, &check->domain, check_qtypes[type], n)) != NULL;
         n++) {
        uint32_t hash = 2166136261u;
        for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
            const ldns_rdf *rdf = ldns_rr_rdf(rr, k);
            for (size_t at = 0; at < ldns_rdf_size(rdf); at++) {
                hash = (hash ^ ldns_rdf_data(rdf)[at]) * 16777619u;
            }
        }
        sum += hash | 1;
    }
    return sum;
}

static void remark_differences(struct remarks *remarks, const struct check *check)
{
    static const size_t types[] = {check_ns, check_cname, check_mx, check_a, check_aaaa, check_txt};
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        const size_t type = types[t];
        const struct check_server *first = NULL;
        for (size_t i = 0; i < check->server_count; i++) {
            const struct check_server *server = &check->servers[i];
            if (!check_answer_counts(&server->answers[type])) {
                continue;
            }
            if (first != NULL && digest(check, server, type) != digest(check, first, type)) {
                remark(remarks, "records-differ",
                       say("%s at %s is not what it is at %s.", check_type_names[type],
                           server->address_text, first->address_text));
                break;
            }
            first = first == NULL ? server : first;
        }
    }
}

/** Does the zone name the same servers as the one above it? */
static void remark_delegation(struct remarks *remarks, const struct check *check)
{
    const struct check_answer *answer = NULL;
    if (!check->has_zone || check->zone.parent.len == 0 || check->zone.no_referral ||
        !ask_name_equal(&check->zone.name, &check->domain)) {
        return;
    }
    for (size_t i = 0; answer == NULL && i < check->server_count; i++) {
        const struct check_answer *one = &check->servers[i].answers[check_ns];
        if (check_answer_counts(one) &&
            check_record(one, &check->domain, LDNS_RR_TYPE_NS, 0) != NULL) {
            answer = one;
        }
    }
    if (answer == NULL) {
        return;
    }
    char name[MXCLASH_NAME_TEXT_MAX];
    char zone[MXCLASH_NAME_TEXT_MAX];
    const ldns_rr *rr;
    text_of(&check->zone.parent, zone);
    for (size_t i = 0; i < check->zone.server_count; i++) {
        bool named = false;
        for (size_t n = 0; (rr = check_record(answer, &check->domain, LDNS_RR_TYPE_NS, n)) != NULL;
             n++) {
            struct ask_name own;
            named = named || (ask_name_of(&own, ldns_rr_rdf(rr, 0)) &&
                              ask_name_equal(&own, &check->zone.servers[i].name));
        }
        if (!named) {
            remark(remarks, "delegation-differs",
                   say("%s delegates to %s, which the zone itself does not name.", zone,
                       text_of(&check->zone.servers[i].name, name)));
        }
    }
    for (size_t n = 0; (rr = check_record(answer, &check->domain, LDNS_RR_TYPE_NS, n)) != NULL;
         n++) {
        struct ask_name own;
        bool named = !ask_name_of(&own, ldns_rr_rdf(rr, 0));
        for (size_t i = 0; i < check->zone.server_count; i++) {
            named = named || ask_name_equal(&own, &check->zone.servers[i].name);
        }
        if (!named && !check->zone.cut_short) {
            remark(remarks, "delegation-differs",
                   say("The zone names %s, to which %s does not delegate.", text_of(&own, name),
                       zone));
        }
    }
}

static void remark_hosts(struct remarks *remarks, const struct check *check)
{
    char name[MXCLASH_NAME_TEXT_MAX];
    for (size_t i = 0; i < check->host_count; i++) {
        const struct check_host *host = &check->hosts[i];
        if (host->is_alias) {
            remark(remarks, "mx-is-alias",
                   say("The MX names %s, which is a CNAME; it must name the host itself (RFC 2181 "
                       "10.3).",
                       text_of(&host->name, name)));
        }
        if (host->answers == CHECK_HOST_QUESTIONS && host->addresses == 0) {
            remark(remarks, "mx-has-no-address",
                   say("The MX names %s, which has no address.", text_of(&host->name, name)));
        }
    }
}

size_t check_remarks(const struct check *check, struct check_remark list[CHECK_REMARKS_MAX])
{
    struct remarks remarks = {.list = list};
    for (size_t i = 0; i < check->server_count; i++) {
        remark_server(&remarks, &check->servers[i]);
    }
    remark_serials(&remarks, check);
    remark_differences(&remarks, check);
    remark_delegation(&remarks, check);
    remark_hosts(&remarks, check);
    if (check->zone.cut_short) {
        remark(&remarks, "cut-short",
               say("The zone has more servers than are asked: these are the first %u.",
                   CHECK_SERVERS_MAX));
    }
    return remarks.count;
}
