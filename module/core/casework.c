/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The life of a case: see casework.h. */
#include "core/casework.h"

#include <string.h>

#include "core/mailbox.h"
#include "core/names.h"
#include "core/sieve.h"

/**
 * Note the zone cut. A zone equal to the owner proves an apex; a zone above it, asked and answering
 * with authority, that there is no cut between, unless an apex was proved before. Behind a
 * forwarder only records tell.
 */
static void note_zone(struct docket_case *c, const struct mxclash_answer *answer,
                      const struct answer_reading *reading)
{
    size_t zone_len = 0;
    enum mxclash_apex apex = mxclash_apex_unknown;

    c->behind_forwarder = answer->forwarded;
    if (c->apex == mxclash_apex_yes)
        return;
    if (name_equal(c->owner, c->owner_len, reading->message.octets + reading->message.qname_at,
                   reading->message.qname_len) &&
        (answer->forwarded || reading->message.authoritative))
        apex = answer_apex(reading, c->owner, c->owner_len, &zone_len);
    if (apex == mxclash_apex_unknown && answer->zone != NULL && !answer->forwarded &&
        answer->zone_len <= c->owner_len) {
        zone_len = answer->zone_len;
        if (zone_len == c->owner_len)
            apex = mxclash_apex_yes;
        else if (reading->message.authoritative)
            apex = mxclash_apex_no;
    }
    if (zone_len != 0)
        c->zone_at = (uint8_t)(c->owner_len - zone_len);
    if (apex != mxclash_apex_unknown)
        c->apex = (int8_t)apex;
}

/** Note for this server what it says of CNAME and MX. Only an authority's own word counts. */
static void note_view(struct docket_case *c, const struct mxclash_answer *answer,
                      const struct answer_reading *reading, const struct sighting *sighting)
{
    uint16_t qtype = reading->message.qtype;
    bool cname = sighting != NULL && sighting->cname;
    bool mx = sighting != NULL && sighting->mx;
    unsigned flags = (cname ? view_has_cname : 0u) | (mx ? view_has_mx : 0u);

    if (!reading->message.authoritative || answer->forwarded ||
        (sighting != NULL && !sighting->is_qname))
        return;
    if (!cname && (qtype == wire_type_a || qtype == wire_type_aaaa || qtype == wire_type_cname))
        flags |= view_lacks_cname;
    if (!mx && qtype == wire_type_mx)
        flags |= view_lacks_mx;
    views_note(&c->views, answer->server, answer->server_len, flags);
}

static void note_server(struct docket_case *c, const struct mxclash_answer *answer)
{
    if (answer->server == NULL || answer->server_len > sizeof(c->authority))
        return;
    memset(&c->authority, 0, sizeof(c->authority));
    memcpy(&c->authority, answer->server, answer->server_len);
}

/** The first moment at which a record seen now is no more valid. Resolvers cap TTLs, so do we. */
static mxclash_time valid_until(uint32_t ttl_s, mxclash_time now)
{
    return now + (mxclash_time)(ttl_s < SIEVE_TTL_MAX_S ? ttl_s : SIEVE_TTL_MAX_S) * 1000 + 1;
}

/** Keep what a sighting shows. */
static void note_facts(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, const struct mxclash_answer *answer,
                       const struct answer_reading *reading, const struct sighting *sighting,
                       mxclash_time now)
{
    if (sighting->cname) {
        uint8_t target[MXCLASH_NAME_MAX];
        size_t target_len = answer_target(reading, sighting, target);

        if (target_len != c->cname_target_len || c->cname_target == NULL ||
            memcmp(target, c->cname_target, target_len) != 0) {
            c->impact = mxclash_impact_unknown;
            c->lookup.outdated = true;
        }
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
    if (c->cname_until > now && c->mx_until > now)
        c->both_were_valid = true;
}

/** Is what began then still under way? Threads' clocks differ a little: one that is behind must not
 * take it for something old. */
static bool is_under_way(uint64_t id, mxclash_time started, mxclash_time now)
{
    return id != 0 && now - started < CASE_PROOF_MAX_MS && started - now < CASE_PROOF_MAX_MS;
}

bool case_proof_is_due(const struct docket_case *c, mxclash_time now)
{
    return now >= c->next_proof && !is_under_way(c->proof.id, c->proof.started, now);
}

/**
 * Is there something that only a proof can tell? Of a case that is here for its MX set alone there
 * is not: each answer with the set says all.
 */
static bool case_wants_proof(const struct docket_case *c)
{
    return c->cname_target != NULL || c->both_were_valid || c->spf_suspect ||
           c->conflicts[mxclash_cname_and_mx].open || c->conflicts[mxclash_cname_at_apex].open ||
           c->conflicts[mxclash_spf_missing].open;
}

/** Ask for a proof if one is due and none is on its way. */
static void want_proof(const struct casework *work, struct docket_case *c, mxclash_time now,
                       struct case_outcome *outcome)
{
    if (!work->probe || c->queued || !case_proof_is_due(c, now))
        return;
    c->queued = true;
    outcome->prove = true;
}

static bool mail_is_wanted(const struct docket_case *c)
{
    return c->mx_was_seen || (c->mx_asked >= CASE_WANTED_QUESTIONS &&
                              c->mx_last_asked - c->mx_first_asked >= CASE_WANTED_SPAN_MS);
}

/** The kind cname-at-apex: by what is known of the apex and of who asks for its MX. */
static void judge_apex(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    bool known = c->mx_gets_cname_proved || (c->mx_gets_cname && !work->probe);
    enum mxclash_state state = known && mail_is_wanted(c) ? mxclash_confirmed : mxclash_suspected;

    if (c->apex != mxclash_apex_yes || !c->mx_gets_cname || c->mx_asked == 0 ||
        c->conflicts[mxclash_cname_and_mx].open)
        return;
    conflict_open(work, shard, c, mxclash_cname_at_apex, state,
                  c->mx_gets_cname_proved ? mxclash_probe : mxclash_separate_answers, now, outcome);
}

/** What an answer shows, without being a proof, to be no more there. */
struct absence {
    bool cname;
    bool mx;
    /** the MX question is not answered with the CNAME */
    bool cname_for_mx;
};

/**
 * The CNAME is gone if the authority answers a question that a CNAME would have answered without
 * it; the MX is gone if it answers the MX question without it. Other types may stand beside the
 * CNAME at an authority that answers by type, so they show nothing.
 */
static struct absence absence_in(const struct answer_reading *reading,
                                 const struct sighting *sighting)
{
    uint16_t qtype = reading->message.qtype;
    bool no_cname = sighting == NULL || !sighting->cname;
    bool no_mx = sighting == NULL || !sighting->mx;
    struct absence gone = {0};

    if (!reading->message.authoritative || (sighting != NULL && !sighting->is_qname))
        return gone;
    gone.cname =
        no_cname && (qtype == wire_type_a || qtype == wire_type_aaaa || qtype == wire_type_cname);
    gone.mx = no_mx && qtype == wire_type_mx;
    gone.cname_for_mx = gone.cname || (no_cname && qtype == wire_type_mx);
    return gone;
}

/** What is gone is valid no more, and both are not valid together until both are seen anew. */
static void note_absence(struct docket_case *c, struct absence gone)
{
    if (gone.cname)
        c->cname_until = 0;
    if (gone.mx)
        c->mx_until = 0;
    if (gone.cname || gone.mx)
        c->both_were_valid = false;
    if (gone.cname_for_mx)
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
}

/** The MX of an open conflict is gone: its owner moved the mailbox to another name and kept the
 * CNAME. So that MX is no sign any more that mail is wanted here. */
static void forget_mail(struct docket_case *c)
{
    if (c->conflicts[mxclash_cname_and_mx].open)
        c->mx_was_seen = false;
}

static void end_what_ended(const struct casework *work, struct docket_shard *shard,
                           struct docket_case *c, struct absence gone, mxclash_time now,
                           struct case_outcome *outcome)
{
    if (gone.mx)
        forget_mail(c);
    if (gone.cname || gone.mx)
        conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    if (gone.cname_for_mx)
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
}

/** The authority was asked for MX and showed the whole set. */
static bool shows_mx_set(const struct answer_reading *reading, const struct sighting *sighting)
{
    return reading->message.authoritative && sighting->is_qname && sighting->mx &&
           reading->message.qtype == wire_type_mx;
}

/** The authority's SPF record beside the MX that the case knows: a proof has to tell what is wrong,
 * but is not needed to end a conflict. */
static void weigh_spf(const struct casework *work, struct docket_shard *shard,
                      struct docket_case *c, const struct answer_reading *reading,
                      const struct sighting *sighting, mxclash_time now,
                      struct case_outcome *outcome)
{
    struct spf_summary spf;

    /* before its MX has been seen it is not known whom the record should name */
    if (!sighting->txt || !reading->message.authoritative || c->mx_set == NULL)
        return;
    mailbox_read_spf(work->providers, reading, sighting, &spf);
    c->spf_suspect = mailbox_spf_lacks(&spf, mailbox_spf_provider(work, c));
    if (!c->spf_suspect)
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}

/** A proof may have found something new, and the impact may be another: one event tells of both. */
static void tell_or_look_up(const struct casework *work, struct docket_case *c,
                            enum mxclash_kind kind, mxclash_time now, struct case_outcome *outcome)
{
    if (!c->conflicts[kind].open)
        return;
    if (work->lookup)
        outcome->lookup = true; /* case_lookup_end() tells */
    else
        conflict_tell_changed(work, c, kind, now, outcome);
}

void case_saw(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
              const struct mxclash_answer *answer, const struct answer_reading *reading,
              const struct sighting *sighting, const struct case_hint *hint, mxclash_time now,
              struct case_outcome *outcome)
{
    const struct wire_message *message = &reading->message;
    bool sure = message->authoritative && sighting != NULL && sighting->is_qname;
    struct absence gone = absence_in(reading, sighting);

    c->met = now;
    docket_touch(work->docket, shard, c, c->is_open);
    note_zone(c, answer, reading);
    note_view(c, answer, reading, sighting);
    c->spf_suspect = c->spf_suspect || hint->spf;
    if (sighting != NULL) {
        note_server(c, answer);
        note_facts(work, shard, c, answer, reading, sighting, now);
        c->both_were_valid = c->both_were_valid || hint->both_valid;
        c->mx_was_seen = c->mx_was_seen || hint->mx_valid;
        if (shows_mx_set(reading, sighting))
            mailbox_judge_mx(work, shard, c, now, outcome);
        weigh_spf(work, shard, c, reading, sighting, now, outcome);
    }
    note_absence(c, gone);
    /* A server may answer ANY from a cache that outlived a move; asked for one type it may not. */
    if (sure && sighting->cname && sighting->mx && message->qtype != wire_type_any) {
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
        conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_confirmed, mxclash_same_answer,
                      now, outcome);
        /* the answer was as good as a proof, where one was due, but for SPF */
        if (c->spf_suspect) {
            want_proof(work, c, now, outcome);
        } else if (now >= c->next_proof) {
            c->last_proof = now;
            c->next_proof = now + work->recheck_ms;
            tell_or_look_up(work, c, mxclash_cname_and_mx, now, outcome);
        }
        return;
    }
    if (sure && sighting->cname && !reading->null_mx && message->qtype == wire_type_mx)
        c->mx_gets_cname = true;
    if (hint->both_perhaps || case_wants_proof(c))
        want_proof(work, c, now, outcome);
    if (!outcome->prove && !c->queued && c->proof.id == 0)
        end_what_ended(work, shard, c, gone, now, outcome);
    if (!work->probe && c->both_were_valid && sighting != NULL)
        conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                      mxclash_separate_answers, now, outcome);
}

void case_proof_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                      struct mxclash_proof *proof)
{
    memset(&c->proof, 0, sizeof(c->proof));
    c->proof.id = id;
    c->proof.started = now;
    c->proof.authoritative = true;
    c->proof.asked = ask_mx | ask_cname;
    proof->id = id;
    proof->owner_len = c->owner_len;
    memcpy(proof->owner, c->owner, c->owner_len);
    proof->qtype_count = 0;
    proof->qtypes[proof->qtype_count++] = wire_type_mx;
    proof->qtypes[proof->qtype_count++] = wire_type_cname;
    if (c->spf_suspect || c->conflicts[mxclash_spf_missing].open) {
        c->proof.asked |= ask_txt;
        proof->qtypes[proof->qtype_count++] = wire_type_txt;
    }
    if (c->apex == mxclash_apex_unknown && c->behind_forwarder) {
        c->proof.asked |= ask_soa;
        proof->qtypes[proof->qtype_count++] = wire_type_soa;
    }
}

static unsigned ask_bit(uint16_t qtype)
{
    switch (qtype) {
    case wire_type_mx:
        return ask_mx;
    case wire_type_cname:
        return ask_cname;
    case wire_type_txt:
        return ask_txt;
    case wire_type_soa:
        return ask_soa;
    default:
        return 0;
    }
}

void case_proof_end(struct docket_case *c, uint16_t qtype)
{
    c->proof.ended |= (uint8_t)ask_bit(qtype);
}

/** An answer to the MX or CNAME question of a proof. */
static void note_proof(struct docket_case *c, uint16_t qtype, const struct answer_reading *reading,
                       const struct sighting *sighting)
{
    const struct wire_message *message = &reading->message;
    struct proof_state *proof = &c->proof;

    proof->authoritative = proof->authoritative && message->authoritative;
    proof->some_authority = proof->some_authority || message->authoritative;
    if (sighting == NULL)
        return;
    proof->saw_mx = proof->saw_mx || sighting->mx;
    proof->saw_cname = proof->saw_cname || sighting->cname;
    if (qtype == wire_type_mx && sighting->cname && !sighting->mx && !reading->null_mx)
        proof->mx_showed_cname = true;
}

void case_proof_answer(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, uint16_t qtype, const struct mxclash_answer *answer,
                       const struct answer_reading *reading, mxclash_time now)
{
    const struct wire_message *message = &reading->message;
    const struct sighting *sighting = answer_of_qname(reading);

    if (message->qtype != qtype || message->qclass != wire_class_in ||
        !name_equal(c->owner, c->owner_len, message->octets + message->qname_at,
                    message->qname_len))
        return;
    /* a SOA is no sighting, but it is an answer */
    if (sighting == NULL && qtype != wire_type_soa &&
        !answer_is_negative(reading, answer->forwarded))
        return;
    note_zone(c, answer, reading);
    c->proof.answered |= (uint8_t)ask_bit(qtype);
    if (qtype == wire_type_soa)
        return;
    if (sighting != NULL && (sighting->cname || sighting->mx)) {
        note_server(c, answer);
        note_facts(work, shard, c, answer, reading, sighting, now);
    }
    if (qtype == wire_type_txt) {
        if (sighting != NULL && sighting->txt)
            mailbox_read_spf(work->providers, reading, sighting, &c->proof.spf);
        return;
    }
    note_view(c, answer, reading, sighting);
    note_proof(c, qtype, reading, sighting);
}

bool case_proof_is_enough(const struct docket_case *c)
{
    const struct proof_state *proof = &c->proof;

    unsigned done = proof->answered | proof->ended;

    if ((done & proof->asked) == proof->asked)
        return true;
    /* one answer with both says it all, if nothing else was asked */
    return proof->asked == (ask_mx | ask_cname) && proof->saw_mx && proof->saw_cname;
}

static enum mxclash_proof_result proof_result(const struct proof_state *proof)
{
    if (proof->saw_mx && proof->saw_cname)
        return mxclash_proof_both;
    if ((~proof->answered & (ask_mx | ask_cname)) != 0)
        return mxclash_proof_failed;
    if (proof->saw_cname)
        return mxclash_proof_cname_only;
    return proof->saw_mx ? mxclash_proof_mx_only : mxclash_proof_neither;
}

/** Both were found. A cache's word, without AA, may be older than a move: it only makes a suspect
 * until both are found again after all that it then had has run out. */
static void decide_both(const struct casework *work, struct docket_shard *shard,
                        struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    mxclash_time until = c->cname_until > c->mx_until ? c->cname_until : c->mx_until;
    bool sure =
        c->proof.authoritative || (c->hearsay_until != 0 && c->proof.started > c->hearsay_until);

    c->mx_gets_cname = c->mx_gets_cname_proved = false;
    conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    if (!sure && c->hearsay_until == 0) {
        c->hearsay_until = until;
        if (c->next_proof <= until)
            c->next_proof = until + 1000;
    }
    /* the authority's word beside a lame server's (RFC 1912 2.8): not even a suspicion, but proved
     * again when what the lame server has cached must have run out */
    if (!sure && c->proof.some_authority && !c->conflicts[mxclash_cname_and_mx].open)
        return;
    conflict_open(work, shard, c, mxclash_cname_and_mx,
                  sure ? mxclash_confirmed : mxclash_suspected,
                  sure ? mxclash_probe : mxclash_separate_answers, now, outcome);
    tell_or_look_up(work, c, mxclash_cname_and_mx, now, outcome);
}

/** No MX, no mailbox: nothing of it can be wrong. */
static void clear_mailbox(const struct casework *work, struct docket_shard *shard,
                          struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    conflict_clear(work, shard, c, mxclash_foreign_mx, now, outcome);
    conflict_clear(work, shard, c, mxclash_incomplete_mx, now, outcome);
    conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}

static void decide_cname_only(const struct casework *work, struct docket_shard *shard,
                              struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    bool alias = c->proof.mx_showed_cname && c->proof.authoritative;

    forget_mail(c);
    conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    clear_mailbox(work, shard, c, now, outcome);
    c->mx_gets_cname = c->mx_gets_cname_proved = alias;
    if (alias) {
        judge_apex(work, shard, c, now, outcome);
        tell_or_look_up(work, c, mxclash_cname_at_apex, now, outcome);
    } else {
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    }
    if (!case_is_open(c) && c->quiet_proofs < CASE_QUIET_DOUBLINGS)
        c->quiet_proofs++;
}

enum mxclash_proof_result case_proof_decide(const struct casework *work, struct docket_shard *shard,
                                            struct docket_case *c, mxclash_time now,
                                            struct case_outcome *outcome)
{
    enum mxclash_proof_result result = proof_result(&c->proof);
    mxclash_time retry = CASE_RETRY_MS;

    c->last_proof = now;
    if ((c->proof.answered & ask_mx) && c->proof.saw_mx && c->proof.authoritative)
        mailbox_judge_mx(work, shard, c, now, outcome);
    if ((c->proof.answered & ask_txt) && (c->proof.answered & ask_mx) && c->proof.authoritative) {
        /* whom the record should name is the MX's to say, and without one there is no mailbox */
        if (c->proof.saw_mx)
            mailbox_judge_spf(work, shard, c, &c->proof.spf, now, outcome);
        c->spf_suspect = false;
    }
    if (result != mxclash_proof_failed) {
        c->failures = 0;
        c->next_proof = now + work->recheck_ms;
    }
    switch (result) {
    case mxclash_proof_both:
        c->quiet_proofs = 0;
        decide_both(work, shard, c, now, outcome);
        break;
    case mxclash_proof_cname_only:
        decide_cname_only(work, shard, c, now, outcome);
        if (c->quiet_proofs != 0 && (c->mx_asked == 0 || c->apex != mxclash_apex_yes))
            c->next_proof = now + (work->recheck_ms << (c->quiet_proofs - 1));
        break;
    case mxclash_proof_mx_only:
    case mxclash_proof_neither:
        if (!c->proof.saw_mx)
            clear_mailbox(work, shard, c, now, outcome);
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
        break;
    default:
        retry <<= c->failures;
        c->next_proof = now + (retry < work->recheck_ms ? retry : work->recheck_ms);
        c->failures += c->failures < CASE_RETRY_DOUBLINGS;
        if (c->both_were_valid)
            conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                          mxclash_separate_answers, now, outcome);
        break;
    }
    if (result != mxclash_proof_failed && result != mxclash_proof_both) {
        c->both_were_valid = false;
        c->hearsay_until = 0;
        /* what the proof did not see is gone */
        if (!c->proof.saw_mx) {
            c->mx_until = 0;
            docket_set_mx(work->docket, shard, c, NULL, 0);
        }
        if (!c->proof.saw_cname) {
            c->cname_until = 0;
            docket_set_target(work->docket, shard, c, NULL, 0);
        }
    }
    memset(&c->proof, 0, sizeof(c->proof));
    if (!case_is_open(c))
        views_clear(&c->views);
    return result;
}

bool case_lookup_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                       struct mxclash_lookup *lookup)
{
    if (c->cname_target == NULL || !case_is_open(c) ||
        is_under_way(c->lookup.id, c->lookup.started, now))
        return false;
    if (c->lookup.id != 0 || c->lookup.qtype == 0 || c->lookup.outdated) {
        memset(&c->lookup, 0, sizeof(c->lookup));
        c->lookup.qtype = wire_type_mx;
    }
    c->lookup.id = id;
    c->lookup.started = now;
    lookup->id = id;
    lookup->qtype = c->lookup.qtype;
    lookup->owner_len = c->owner_len;
    memcpy(lookup->owner, c->owner, c->owner_len);
    lookup->target_len = c->cname_target_len;
    memcpy(lookup->target, c->cname_target, c->cname_target_len);
    return true;
}

void case_lookup_end(const struct casework *work, struct docket_case *c,
                     const struct mxclash_lookup_reply *reply, mxclash_time now,
                     struct case_outcome *outcome)
{
    static const struct mxclash_lookup_reply nothing;
    enum mxclash_impact impact;

    c->lookup.id = 0;
    impact_note(&c->lookup, c->lookup.outdated ? &nothing : reply,
                c->mx_set != NULL ? c->mx_set->mx : NULL, c->mx_set != NULL ? c->mx_set->count : 0);
    if (!impact_is_known(&c->lookup)) {
        outcome->lookup = true;
        return;
    }
    impact = impact_judge(&c->lookup);
    memset(&c->lookup, 0, sizeof(c->lookup));
    /* what could not be looked up now is as it was */
    if (impact != mxclash_impact_unknown)
        c->impact = impact;
    case_lookup_give_up(work, c, now, outcome);
}

void case_lookup_give_up(const struct casework *work, struct docket_case *c, mxclash_time now,
                         struct case_outcome *outcome)
{
    case_let_go(work, c, outcome);
    conflict_tell_changed(work, c, mxclash_cname_and_mx, now, outcome);
    conflict_tell_changed(work, c, mxclash_cname_at_apex, now, outcome);
}

bool case_client_mx(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                    enum mxclash_reply reply, mxclash_time now, struct case_outcome *outcome)
{
    c->met = c->mx_last_asked = now;
    if (c->mx_asked++ == 0) {
        c->mx_first_asked = now;
        /* mail matters here after all: what was put off for want of interest is so no more */
        if (c->apex == mxclash_apex_yes && c->next_proof > c->last_proof + work->recheck_ms)
            c->next_proof = c->last_proof + work->recheck_ms;
        c->quiet_proofs = c->apex == mxclash_apex_yes ? 0 : c->quiet_proofs;
    } else if (now - c->mx_first_asked > CASE_WANTED_WINDOW_MS) {
        /* stray questions, one a day, would add up as well */
        c->mx_asked = 1;
        c->mx_first_asked = now;
    }
    if (reply == mxclash_reply_hides || case_wants_proof(c))
        want_proof(work, c, now, outcome);
    judge_apex(work, shard, c, now, outcome);
    docket_touch(work->docket, shard, c, c->is_open);
    if (!case_is_open(c))
        return false;
    for (int kind = 0; kind < MXCLASH_KINDS; kind++)
        if (c->conflicts[kind].open)
            c->conflicts[kind].last_seen = now;
    c->mx_queries++;
    if (reply == mxclash_reply_hides)
        count_up(&work->counters->affected_mx[mxclash_hidden]);
    else if (reply == mxclash_reply_shows && work->repair &&
             c->conflicts[mxclash_cname_and_mx].open)
        count_up(&work->counters->affected_mx[mxclash_repaired]);
    return true;
}

bool case_standing(const struct docket_case *c, mxclash_time now, struct mxclash_standing *standing)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        if (!c->conflicts[kind].open)
            continue;
        standing->kind = (enum mxclash_kind)kind;
        standing->state = c->conflicts[kind].state;
        standing->mx_ttl_s = 0;
        standing->mx_count = 0;
        if (c->mx_set != NULL && c->mx_is_authoritys && c->mx_until > now) {
            standing->mx_ttl_s = (uint32_t)((c->mx_until - now) / 1000);
            standing->mx_count = c->mx_set->count;
            memcpy(standing->mx, c->mx_set->mx, c->mx_set->count * sizeof(struct mxclash_mx));
        }
        return true;
    }
    return false;
}
