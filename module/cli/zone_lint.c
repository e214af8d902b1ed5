/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What is wrong in a zone file: see zone_lint.h.
 *
 * The file is read twice. The first time names with a CNAME, an MX or an SPF record are kept, which
 * are few where a zone is large. The second time, which is left out if nothing asks for it, what
 * stands beside a CNAME is looked for.
 */
#include "cli/zone_lint.h"

#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/zone_names.h"
#include "mxclash.h"

struct pass {
    struct zone_lint *lint;
    struct zone_names *names;
    /** something is to be looked for in the second pass */
    bool again;
    psl_ctx_t *suffixes;
};

static const char *text_of(const struct ask_name *name, char text[MXCLASH_NAME_TEXT_MAX])
{
    mxclash_name_to_text(name->octets, name->len, text);
    return text;
}

/** "LINE", or "FILE:LINE" if it is another file. */
static const char *line_of(const struct zone_lint *lint, const struct zone_place *place,
                           const struct zone_place *from, char text[128])
{
    if (place->file == from->file) {
        snprintf(text, 128, "line %lu", place->line);
    } else {
        snprintf(text, 128, "%s:%lu", zone_file_name(lint->file, place->file), place->line);
    }
    return text;
}

/* --- the first pass -----------------------------------------------------------------------------
 */

/** Octets of a name before the origin; 0 if it is not below it. */
static size_t relative(const struct zone_lint *lint, const struct ask_name *name)
{
    return name->len > lint->origin.len && ask_name_within(name, &lint->origin)
               ? (size_t)(name->len - lint->origin.len)
               : 0;
}

/** Does a name end with the origin twice? \param[out] meant  with the origin once */
static bool is_doubled(const struct zone_lint *lint, const struct ask_name *name,
                       struct ask_name *meant)
{
    const size_t len = relative(lint, name);
    if (len == 0 || lint->origin.len == 1) {
        return false;
    }
    *meant = (struct ask_name){.len = (uint8_t)(len + 1)};
    memcpy(meant->octets, name->octets, len);
    return ask_name_within(meant, &lint->origin);
}

/** The name in a record that names another. */
static bool target_of(const ldns_rr *rr, struct ask_name *target)
{
    const ldns_rr_type type = ldns_rr_get_type(rr);
    const size_t at = type == LDNS_RR_TYPE_MX ? 1 : 0;
    return (type == LDNS_RR_TYPE_MX || type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_NS) &&
           ask_name_of(target, ldns_rr_rdf(rr, at));
}

static void look_at_names(struct pass *pass, const struct zone_place *place, const ldns_rr *rr,
                          const struct ask_name *owner)
{
    struct zone_lint *lint = pass->lint;
    char text[MXCLASH_NAME_TEXT_MAX];
    char other[MXCLASH_NAME_TEXT_MAX];
    struct ask_name meant;
    struct ask_name target;
    if (!ask_name_within(owner, &lint->origin)) {
        zone_lint_find(lint, place, "out-of-zone", false, "%s does not lie in this zone",
                       text_of(owner, text));
    } else if (is_doubled(lint, owner, &meant)) {
        zone_lint_find(lint, place, "doubled-origin", false,
                       "%s has the origin twice; if %s is meant, write a dot at its end",
                       text_of(owner, text), text_of(&meant, other));
    }
    if (!target_of(rr, &target)) {
        return;
    }
    if (is_doubled(lint, &target, &meant)) {
        zone_lint_find(lint, place, "doubled-origin", false,
                       "%s has the origin twice; if %s is meant, write a dot at its end",
                       text_of(&target, text), text_of(&meant, other));
    }
}

/** Is this text the start of an SPF record (RFC 7208 4.5)? */
static bool is_spf(const ldns_rr *rr)
{
    static const char version[] = "v=spf1";
    const ldns_rdf *first = ldns_rr_rdf(rr, 0);
    const size_t len = sizeof(version) - 1;
    if (first == NULL || ldns_rdf_size(first) < 1 + len) {
        return false;
    }
    const uint8_t *octets = ldns_rdf_data(first);
    return octets[0] >= len && strncasecmp((const char *)octets + 1, version, len) == 0 &&
           (octets[0] == len || octets[1 + len] == ' ');
}

/** A host's name is kept where a last dot may lack: the second pass tells whether it is there. */
static void keep_target(struct pass *pass, const ldns_rr *rr)
{
    struct ask_name target;
    if (target_of(rr, &target) && relative(pass->lint, &target) != 0) {
        pass->again = true;
        pass->lint->no_memory |= zone_names_add(pass->names, &target) == NULL;
    }
}

static void first_record(void *context, const struct zone_place *place, const ldns_rr *rr)
{
    struct pass *pass = context;
    struct zone_lint *lint = pass->lint;
    struct ask_name name;
    lint->records++;
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || !ask_name_of(&name, ldns_rr_owner(rr))) {
        return;
    }
    look_at_names(pass, place, rr, &name);
    const ldns_rr_type type = ldns_rr_get_type(rr);
    const bool spf = type == LDNS_RR_TYPE_TXT && is_spf(rr);
    if (type != LDNS_RR_TYPE_CNAME && type != LDNS_RR_TYPE_MX && !spf) {
        return;
    }
    keep_target(pass, rr);
    struct zone_owner *owner = zone_names_add(pass->names, &name);
    if (owner == NULL) {
        lint->no_memory = true;
        return;
    }
    struct zone_kept **list = type == LDNS_RR_TYPE_CNAME ? &owner->cname
                              : type == LDNS_RR_TYPE_MX  ? &owner->mx
                                                         : &owner->spf;
    pass->again = pass->again || type == LDNS_RR_TYPE_CNAME;
    lint->no_memory |= !zone_names_keep(list, place, rr);
}

static void first_fault(void *context, const struct zone_place *place, const char *text)
{
    struct pass *pass = context;
    const bool note = strstr(text, "is not read") != NULL && text[0] == '$';
    zone_lint_find(pass->lint, place, note ? "not-read" : "syntax", note, "%s", text);
}

/* --- the second pass ----------------------------------------------------------------------------
 */

/** May stand beside a CNAME (RFC 2181 10.1, RFC 4034 3 and 4, RFC 4035 2.5). */
static bool may_stand_beside(ldns_rr_type type)
{
    return type == LDNS_RR_TYPE_CNAME || type == LDNS_RR_TYPE_RRSIG || type == LDNS_RR_TYPE_NSEC ||
           type == LDNS_RR_TYPE_SIG || type == LDNS_RR_TYPE_KEY || type == LDNS_RR_TYPE_NXT;
}

static void second_record(void *context, const struct zone_place *place, const ldns_rr *rr)
{
    struct pass *pass = context;
    struct ask_name name;
    if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || !ask_name_of(&name, ldns_rr_owner(rr))) {
        return;
    }
    struct zone_owner *owner = zone_names_find(pass->names, &name);
    if (owner == NULL) {
        return;
    }
    const ldns_rr_type type = ldns_rr_get_type(rr);
    owner->is_there = true;
    if (!may_stand_beside(type) && type != LDNS_RR_TYPE_MX && owner->other_type == 0) {
        owner->other_type = (uint16_t)type;
        owner->other = *place;
    }
}

static void second_fault(void *context, const struct zone_place *place, const char *text)
{
    (void)context;
    (void)place;
    (void)text;
}

/* --- what is wrong ------------------------------------------------------------------------------
 */

/** An MX that says that no mail is wanted (RFC 7505) hides nothing, but is data all the same. */
static bool is_null_mx(const struct zone_kept *mx)
{
    return mx != NULL && mx->next == NULL && mx->len == 3 && mx->rdata[2] == 0;
}

/** The CNAME stands beside data that is no mail host. */
static void look_at_other_data(struct zone_lint *lint, const struct zone_owner *owner,
                               const char *name)
{
    char where[128];
    const bool null_mx = is_null_mx(owner->mx);
    const struct zone_place *other = null_mx ? &owner->mx->place : &owner->other;
    if (!null_mx && owner->other_type == 0) {
        return;
    }
    char *type = ldns_rr_type2str(null_mx ? LDNS_RR_TYPE_MX : (ldns_rr_type)owner->other_type);
    zone_lint_find(lint, &owner->cname->place, "cname-and-other-data", false,
                   "%s has a CNAME here and %s in %s (RFC 1034 3.6.2)", name,
                   type != NULL ? type : "other data",
                   line_of(lint, other, &owner->cname->place, where));
    free(type);
}

static void look_at_cname(struct zone_lint *lint, const struct zone_owner *owner)
{
    char name[MXCLASH_NAME_TEXT_MAX];
    char where[128];
    const struct zone_place *place = &owner->cname->place;
    text_of(&owner->name, name);
    if (owner->cname->next != NULL) {
        zone_lint_find(lint, &owner->cname->next->place, "several-cnames", false,
                       "%s has a CNAME already, in %s (RFC 2181 10.1)", name,
                       line_of(lint, place, &owner->cname->next->place, where));
    }
    if (ask_name_equal(&owner->name, &lint->origin)) {
        zone_lint_find(lint, place, "cname-at-apex", false,
                       "a CNAME at %s, the top of the zone, where SOA and NS must stand "
                       "(RFC 1034 3.6.2)",
                       name);
    } else if (owner->mx == NULL || is_null_mx(owner->mx)) {
        look_at_other_data(lint, owner, name);
    }
    if (owner->mx != NULL && !is_null_mx(owner->mx)) {
        zone_lint_find(lint, &owner->mx->place, "cname-and-mx", false,
                       "%s has an MX here and a CNAME in %s, which hides it (RFC 1912 2.4)", name,
                       line_of(lint, place, &owner->mx->place, where));
    }
}

static bool exchange_of(const struct zone_kept *mx, struct ask_name *exchange)
{
    return mx->len > 2 && ask_name_set(exchange, mx->rdata + 2, mx->len - 2u);
}

/** A name that is in no record, and ends like one of the Internet before the origin. */
static void look_for_dot(const struct pass *pass, const struct zone_place *place,
                         const struct ask_name *target)
{
    struct zone_lint *lint = pass->lint;
    struct ask_name meant;
    struct ask_name doubled;
    char text[MXCLASH_NAME_TEXT_MAX];
    char whole[MXCLASH_NAME_TEXT_MAX];
    const struct zone_owner *there = zone_names_find(pass->names, target);
    const size_t len = relative(lint, target);
    if (len == 0 || lint->origin.len == 1 || pass->suffixes == NULL ||
        is_doubled(lint, target, &doubled) || (there != NULL && there->is_there)) {
        return;
    }
    meant = (struct ask_name){.len = (uint8_t)(len + 1)};
    memcpy(meant.octets, target->octets, len);
    text_of(&meant, text);
    const char *holder = psl_registrable_domain(pass->suffixes, text);
    const char *last = strrchr(text, '.');
    if (holder == NULL || last == NULL ||
        !psl_is_public_suffix2(pass->suffixes, last + 1, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE)) {
        return;
    }
    zone_lint_find(lint, place, "missing-dot", false,
                   "%s is in no record of the zone; if %s is meant, write a dot at its end",
                   text_of(target, whole), text);
}

static void look_at_mx(const struct pass *pass, const struct zone_owner *owner)
{
    struct zone_lint *lint = pass->lint;
    char name[MXCLASH_NAME_TEXT_MAX];
    char where[128];
    for (const struct zone_kept *mx = owner->mx; mx != NULL; mx = mx->next) {
        struct ask_name exchange;
        if (!exchange_of(mx, &exchange)) {
            continue;
        }
        const struct zone_owner *host = zone_names_find(pass->names, &exchange);
        if (host != NULL && host->cname != NULL) {
            zone_lint_find(lint, &mx->place, "mx-is-alias", false,
                           "the MX names %s, which is a CNAME in %s (RFC 2181 10.3)",
                           text_of(&exchange, name),
                           line_of(lint, &host->cname->place, &mx->place, where));
        }
        look_for_dot(pass, &mx->place, &exchange);
    }
}

static void look_at_spf(struct zone_lint *lint, const struct zone_owner *owner)
{
    char name[MXCLASH_NAME_TEXT_MAX];
    char where[128];
    if (owner->spf != NULL && owner->spf->next != NULL) {
        const struct zone_place *second = &owner->spf->next->place;
        zone_lint_find(
            lint, second, "several-spf", false,
            "%s has an SPF record already, in %s: of two nobody reads any (RFC 7208 4.5)",
            text_of(&owner->name, name), line_of(lint, &owner->spf->place, second, where));
    }
}

static void look_at_owner(const struct pass *pass, const struct zone_owner *owner)
{
    struct ask_name target;
    if (owner->cname != NULL) {
        look_at_cname(pass->lint, owner);
        if (ask_name_set(&target, owner->cname->rdata, owner->cname->len)) {
            look_for_dot(pass, &owner->cname->place, &target);
        }
    }
    look_at_mx(pass, owner);
    look_at_spf(pass->lint, owner);
}

static int by_place(const void *a, const void *b)
{
    const struct zone_finding *one = a;
    const struct zone_finding *other = b;
    if (one->place.file != other->place.file) {
        return one->place.file < other->place.file ? -1 : 1;
    }
    if (one->place.line != other->place.line) {
        return one->place.line < other->place.line ? -1 : 1;
    }
    return strcmp(one->tag, other->tag);
}

/** Both passes, and what they show. \return false if the file cannot be read */
static bool run(struct pass *pass)
{
    struct zone_lint *lint = pass->lint;
    struct zone_reader reader = {.context = pass,
                                 .record = first_record,
                                 .fault = first_fault,
                                 .progress = &lint->progress,
                                 .doing = "reading"};
    if (!zone_file_read(lint->file, &reader)) {
        return false;
    }
    if (pass->again) {
        reader.record = second_record;
        reader.fault = second_fault;
        reader.doing = "looking at what stands beside CNAMEs";
        if (!zone_file_read(lint->file, &reader)) {
            return false;
        }
    }
    for (const struct zone_owner *owner = zone_names_first(pass->names); owner != NULL;
         owner = owner->next) {
        look_at_owner(pass, owner);
    }
    zone_lint_judge(lint, pass->names);
    if (lint->count != 0) {
        qsort(lint->findings, lint->count, sizeof(lint->findings[0]), by_place);
    }
    return true;
}

bool zone_lint_run(struct zone_lint *lint)
{
    struct pass pass = {.lint = lint, .names = zone_names_new(), .suffixes = psl_latest(NULL)};
    bool good = true;
    if (pass.names == NULL) {
        lint->no_memory = true;
    } else {
        progress_begin(&lint->progress);
        good = run(&pass);
        progress_end(&lint->progress);
    }
    zone_names_free(pass.names);
    psl_free(pass.suffixes);
    return good;
}

void zone_lint_free(struct zone_lint *lint)
{
    for (size_t i = 0; i < lint->count; i++) {
        free(lint->findings[i].text);
    }
    free(lint->findings);
    zone_file_free(lint->file);
}
