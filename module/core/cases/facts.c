/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Facts and what follows from them: see facts.h. */
#include "core/cases/facts.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/dns/names.h"

/**
 * What whose servers were asked tells: a zone of the owner's name is a delegation, and so an apex.
 * A zone above it, answering with authority where else it would refer, has no cut between: there
 * was one and is none any more, unless a record showed it, for then the zones share their servers.
 */
static enum mxclash_apex apex_by_zone(const struct docket_case *c,
                                      const struct mxclash_answer *answer, bool authoritative,
                                      bool asked)
{
    if (answer->zone_len == c->owner_len)
        return answer->stub || !asked ? mxclash_apex_unknown : mxclash_apex_yes;
    if (!authoritative || (c->apex == mxclash_apex_yes && (c->apex_by_record || !asked)))
        return mxclash_apex_unknown;
    return mxclash_apex_no;
}

/** Note the zone cut. Behind a forwarder, and where the operator gave the zone its name, only
 * records tell. */
void case_note_zone(struct docket_case *c, const struct mxclash_answer *answer,
                    const struct answer_reading *reading)
{
    const struct wire_message *message = &reading->message;
    enum mxclash_apex apex = mxclash_apex_unknown;
    size_t zone_len = 0;
    bool asked =
        name_equal(c->owner, c->owner_len, message->octets + message->qname_at, message->qname_len);
    bool by_record;

    c->cut_is_hidden = answer->forwarded || (answer->stub && answer->zone_len == c->owner_len);
    if (asked && (answer->forwarded || message->authoritative))
        apex = answer_apex(reading, c->owner, c->owner_len, &zone_len);
    by_record = apex != mxclash_apex_unknown;
    if (!by_record && answer->zone != NULL && !answer->forwarded &&
        answer->zone_len <= c->owner_len) {
        apex = apex_by_zone(c, answer, message->authoritative, asked);
        zone_len =
            apex == mxclash_apex_unknown && answer->zone_len == c->owner_len ? 0 : answer->zone_len;
    }
    if (c->apex == mxclash_apex_yes && apex == mxclash_apex_unknown)
        return;
    if (zone_len != 0)
        c->zone_at = (uint8_t)(c->owner_len - zone_len);
    if (apex == mxclash_apex_unknown)
        return;
    /* a record outweighs whose servers were asked */
    c->apex_by_record = by_record || (c->apex_by_record && apex == (enum mxclash_apex)c->apex);
    c->apex = (int8_t)apex;
}

enum { cname_for_a = 1, cname_for_aaaa = 2, cname_for_https = 4 };

/** The types that clients ask all the time for which the CNAME is known to be given once a type has
 * been answered with it: one that stands even before the MX tells no types apart. */
static uint8_t cname_types_by(uint16_t qtype)
{
    switch (qtype) {
    case wire_type_a:
        return cname_for_a;
    case wire_type_aaaa:
        return cname_for_aaaa;
    case wire_type_https:
        return cname_for_https;
    case wire_type_mx:
        return cname_for_a | cname_for_aaaa | cname_for_https;
    default:
        return 0;
    }
}

uint16_t case_shown_by(const struct docket_case *c)
{
    if (c->cname_target == NULL)
        return 0;
    if (c->cname_types & cname_for_a)
        return wire_type_a;
    if (c->cname_types & cname_for_aaaa)
        return wire_type_aaaa;
    return c->cname_types & cname_for_https ? wire_type_https : 0;
}

bool case_would_show_cname(const struct docket_case *c, uint16_t qtype)
{
    /* a server that denies it for its own type, though another shows it, says so all the time */
    return (qtype == wire_type_cname && c->cname_qtype == 0) ||
           (qtype != wire_type_mx && (c->cname_types & cname_types_by(qtype)) != 0);
}

/** Note for this server what it says of CNAME and MX. Only an authority's own word counts. */
void case_note_view(struct docket_case *c, const struct mxclash_answer *answer,
                    const struct answer_reading *reading, const struct sighting *sighting)
{
    uint16_t qtype = reading->message.qtype;
    bool cname = sighting != NULL && sighting->cname;
    bool mx = sighting != NULL && sighting->mx;
    unsigned flags = (cname ? view_has_cname : 0u) | (mx ? view_has_mx : 0u);

    if (!reading->message.authoritative || answer->forwarded ||
        (sighting != NULL && !sighting->is_qname))
        return;
    if (!cname && case_would_show_cname(c, qtype))
        flags |= view_lacks_cname;
    if (!mx && qtype == wire_type_mx)
        flags |= view_lacks_mx;
    views_note(&c->views, &answer->server, flags);
}

void case_note_server(struct docket_case *c, const struct mxclash_answer *answer)
{
    if (answer->server.family != 0)
        c->authority = answer->server;
}

/** The first moment at which a record seen now is no more valid. Resolvers cap TTLs, so do we. */
static mxclash_time valid_until(uint32_t ttl_s, mxclash_time now)
{
    return now + (mxclash_time)(ttl_s < WIRE_TTL_MAX_S ? ttl_s : WIRE_TTL_MAX_S) * 1000 + 1;
}

/** Keep what a sighting shows. */
void case_note_facts(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     const struct mxclash_answer *answer, const struct answer_reading *reading,
                     const struct sighting *sighting, mxclash_time now)
{
    if (sighting->cname) {
        uint8_t target[MXCLASH_NAME_MAX];
        size_t target_len = answer_target(reading, sighting, target);

        if (target_len != c->cname_target_len || c->cname_target == NULL ||
            memcmp(target, c->cname_target, target_len) != 0) {
            c->impact = mxclash_impact_unknown;
            c->lookup.outdated = true;
            c->cname_types = 0;
        }
        if (sighting->is_qname)
            c->cname_types |= cname_types_by(reading->message.qtype);
        docket_set_target(work->docket, shard, c, target, target_len);
        c->cname_ttl_s = sighting->cname_ttl_s;
        c->cname_until = valid_until(sighting->cname_ttl_s, now);
    }
    if (sighting->mx) {
        struct mxclash_mx mx[MXCLASH_MX_MAX];
        size_t count = answer_mx_set(reading, sighting, mx);

        docket_set_mx(work->docket, shard, c, mx, count);
        c->mx_until = valid_until(sighting->mx_ttl_s, now);
        c->mx_was_seen = true;
        c->mx_is_authoritys = reading->message.authoritative && !answer->forwarded;
    }
    if (c->cname_until > now && c->mx_until > now && c->cname_target != NULL && c->mx_set != NULL)
        c->both_were_valid = true;
}

/** Is what began then still under way? */
bool case_is_under_way(uint64_t id, mxclash_time started, mxclash_time now)
{
    return id != 0 && clock_within(started, CASE_PROOF_MAX_MS, now);
}

/** What was put off until a time is due then, or if the clock was set back since: who knows when
 * that time comes now. */
bool case_proof_time_has_come(const struct docket_case *c, mxclash_time now)
{
    return now >= c->next_proof || c->put_off_at - now > BUCKET_SKEW_MAX_MS;
}

void case_put_off_proof(struct docket_case *c, mxclash_time until, mxclash_time now)
{
    c->next_proof = until;
    c->put_off_at = now;
}

static bool mail_is_wanted(const struct casework *work, const struct docket_case *c)
{
    return c->mx_was_seen || (c->mx_asked >= CASE_WANTED_QUESTIONS &&
                              c->mx_last_asked - c->mx_first_asked >= CASE_WANTED_SPAN_MS &&
                              registrable_at(work->suffixes, c->owner, c->owner_len) == 0);
}

/** The kind cname-at-apex: by what is known of the apex and of who asks for its MX. */
void case_judge_apex(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     mxclash_time now, struct case_outcome *outcome)
{
    bool known;

    if (c->conflicts[mxclash_cname_and_mx].open || c->apex != mxclash_apex_yes ||
        !c->mx_gets_cname || c->mx_asked == 0)
        return;
    known = c->mx_gets_cname_proved || !work->probe;
    conflict_open(work, shard, c, mxclash_cname_at_apex,
                  known && mail_is_wanted(work, c) ? mxclash_confirmed : mxclash_suspected,
                  c->mx_gets_cname_proved ? mxclash_probe : mxclash_separate_answers, now, outcome);
}

/** The MX of an open conflict is gone: its owner moved the mailbox to another name and kept the
 * CNAME. So that MX is no sign any more that mail is wanted here. */
void case_forget_mail(struct docket_case *c)
{
    if (c->conflicts[mxclash_cname_and_mx].open)
        c->mx_was_seen = false;
}

/** A proof may have found something new, and the impact may be another: one event tells of both. */
void case_tell_or_look_up(const struct casework *work, struct docket_case *c,
                          enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome)
{
    if (!c->conflicts[kind].open)
        return;
    if (work->lookup)
        outcome->lookup = true; /* case_lookup_end() tells */
    else
        conflict_tell_changed(work, c, kind, now, outcome);
}
