/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and its proof: see casework.h. */
#include "core/cases/casework.h"

#include <string.h>

#include "core/cases/facts.h"
#include "core/cases/mailbox_case.h"
#include "core/cases/second_look.h"
#include "core/cases/spf_case.h"
#include "core/dns/names.h"
#include "core/mailbox/look.h"

/** The end of a copy in a cache is known to the second, and looks are not made on it. */
#define HEARSAY_SLACK_MS 2000

bool case_proof_is_due(const struct docket_case *c, mxclash_time now)
{
    return case_proof_time_has_come(c, now) &&
           !case_is_under_way(c->proof.id, c->proof.started, now);
}

/** \return the bit of a question, 0 if it is none of a proof's */
static unsigned ask_bit(uint16_t qtype)
{
    switch (qtype) {
    case wire_type_mx:
        return ask_mx;
    case wire_type_cname:
    case wire_type_a:
    case wire_type_aaaa:
    case wire_type_https:
        return ask_cname;
    case wire_type_txt:
        return ask_txt;
    case wire_type_soa:
        return ask_soa;
    default:
        return 0;
    }
}

static void ask(struct docket_case *c, struct mxclash_proof *proof, uint16_t qtype)
{
    c->proof.asked |= (uint8_t)ask_bit(qtype);
    proof->qtypes[proof->qtype_count++] = qtype;
}

void case_proof_begin(struct docket_case *c, uint64_t id, mxclash_time now,
                      struct mxclash_proof *proof)
{
    uint16_t cname_qtype = c->cname_qtype != 0 ? c->cname_qtype : wire_type_cname;

    memset(&c->proof, 0, sizeof(c->proof));
    c->proof.id = id;
    c->proof.started = now;
    c->proof.authoritative = true;
    proof->id = id;
    proof->owner_len = c->owner_len;
    memcpy(proof->owner, c->owner, c->owner_len);
    proof->zone_len = (uint8_t)(c->owner_len - c->zone_at);
    memcpy(proof->zone, c->owner + c->zone_at, proof->zone_len);
    proof->authority = c->authority;
    proof->qtype_count = 0;
    proof->in_turn = second_look_is_due(c);
    if (proof->in_turn) {
        c->proof.serial = c->serial;
        /* The other way round, and with one question between: two servers that take turns answer
         * MX and CNAME out of one copy then, if they did not the first time. */
        ask(c, proof, cname_qtype);
        ask(c, proof, wire_type_soa);
        ask(c, proof, wire_type_mx);
        ask(c, proof, wire_type_txt);
        return;
    }
    ask(c, proof, wire_type_mx);
    ask(c, proof, cname_qtype);
    if (c->spf_suspect || c->conflicts[mxclash_spf_missing].open)
        ask(c, proof, wire_type_txt);
    if (c->apex == mxclash_apex_unknown && c->cut_is_hidden)
        ask(c, proof, wire_type_soa);
}

void case_proof_end(struct docket_case *c, uint16_t qtype)
{
    c->proof.ended |= (uint8_t)ask_bit(qtype);
}

/** How long what an answer shows may stay in the cache that it came from, which need not cap a TTL
 * as we do. */
static void note_ends(struct proof_state *proof, const struct sighting *sighting, mxclash_time now)
{
    if (sighting->cname)
        proof->cname_ends = now + (mxclash_time)sighting->cname_ttl_s * 1000 + 1;
    if (proof->ends < proof->cname_ends)
        proof->ends = proof->cname_ends;
    if (sighting->mx && proof->ends < now + (mxclash_time)sighting->mx_ttl_s * 1000 + 1)
        proof->ends = now + (mxclash_time)sighting->mx_ttl_s * 1000 + 1;
}

/** An answer to the MX or CNAME question of a proof. */
static void note_proof(struct docket_case *c, uint16_t qtype, const struct answer_reading *reading,
                       const struct sighting *sighting)
{
    const struct wire_message *message = &reading->message;
    struct proof_state *proof = &c->proof;

    proof->authoritative = proof->authoritative && message->authoritative;
    if (sighting == NULL)
        return;
    proof->in_one_answer = proof->in_one_answer || (sighting->cname && sighting->mx);
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
    /* a lame server (RFC 1912 2.8) has its say out of a cache, and the resolver asks the next */
    if (!message->authoritative && !answer->forwarded)
        return;
    /* a SOA is no sighting, but it is an answer */
    if (sighting == NULL && qtype != wire_type_soa &&
        !answer_is_negative(reading, answer->forwarded))
        return;
    /* an SPF record out of a cache may be older than its cure: as good as no answer */
    if (qtype == wire_type_txt && !message->authoritative)
        return;
    case_note_zone(c, answer, reading);
    second_look_note_serial(c, reading);
    c->proof.answered |= (uint8_t)ask_bit(qtype);
    if (qtype == wire_type_soa)
        return;
    if (sighting != NULL && (sighting->cname || sighting->mx)) {
        case_note_server(c, answer);
        case_note_facts(work, shard, c, answer, reading, sighting, now);
        note_ends(&c->proof, sighting, now);
    }
    if (qtype == wire_type_txt) {
        if (sighting != NULL && sighting->txt)
            case_spf_note(work, shard, c, reading, sighting);
        return;
    }
    case_note_view(c, answer, reading, sighting);
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

/** A cache's word, without AA, may be older than a move: it counts when both are found again after
 * all that the cache then had has run out, and the CNAME is not the copy of then. */
static bool hearsay_counts(const struct docket_case *c)
{
    return c->hearsay_until != 0 && c->proof.started > c->hearsay_until &&
           c->proof.cname_ends > c->hearsay_cname_until + HEARSAY_SLACK_MS;
}

static void note_hearsay(struct docket_case *c, mxclash_time now)
{
    mxclash_time until = c->proof.ends;

    c->hearsay_until = until;
    c->hearsay_cname_until = c->proof.cname_ends;
    /* sooner it would prove nothing, but may find that nothing is there any more */
    if (until > now + (mxclash_time)WIRE_TTL_MAX_S * 1000)
        until = now + (mxclash_time)WIRE_TTL_MAX_S * 1000;
    if (c->next_proof <= until)
        case_put_off_proof(c, until + 1000, now);
}

/** Both were found. */
static void decide_both(const struct casework *work, struct docket_shard *shard,
                        struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    bool sure = c->proof.authoritative || hearsay_counts(c);

    c->mx_gets_cname = c->mx_gets_cname_proved = false;
    conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    if (!sure && c->hearsay_until == 0)
        note_hearsay(c, now);
    conflict_open(work, shard, c, mxclash_cname_and_mx,
                  sure ? mxclash_confirmed : mxclash_suspected,
                  sure ? mxclash_probe : mxclash_separate_answers, now, outcome);
    case_tell_or_look_up(work, c, mxclash_cname_and_mx, now, outcome);
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

    case_forget_mail(c);
    conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
    clear_mailbox(work, shard, c, now, outcome);
    c->mx_gets_cname = c->mx_gets_cname_proved = alias;
    if (alias && c->apex == mxclash_apex_yes) {
        case_judge_apex(work, shard, c, now, outcome);
        case_tell_or_look_up(work, c, mxclash_cname_at_apex, now, outcome);
    } else {
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    }
    if (!case_is_open(c) && c->quiet_proofs < CASE_QUIET_DOUBLINGS)
        c->quiet_proofs++;
}

/** The mailbox kinds, by what the proof found of MX and SPF. */
static void decide_mailbox(const struct casework *work, struct docket_shard *shard,
                           struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    const struct proof_state *proof = &c->proof;

    if ((proof->answered & ask_mx) && proof->saw_mx && proof->authoritative)
        case_judge_mx(work, shard, c, now, outcome);
    if ((proof->answered & ask_txt) && (proof->answered & ask_mx) && proof->authoritative) {
        /* whom the record should name is the MX's to say, and without one there is no mailbox */
        if (proof->saw_mx)
            case_spf_judge(work, shard, c, now, outcome);
        c->spf_suspect = false;
    }
    if (!outcome->walk)
        case_spf_drop(work, shard, c);
    if (proof->answered & ask_txt)
        c->hides_spf = proof->spf.records != 0 ? mxclash_yes : mxclash_no;
}

/**
 * There are servers, of load balancers mostly, that have the CNAME for an address only, or flatten
 * it for addresses only, and deny the type CNAME itself: resolvers' caches do not care, and hide
 * the MX with it. So where there is an MX and a CNAME was met, but the type CNAME shows none, the
 * type that showed it is asked.
 */
static bool should_ask_shown_type(const struct docket_case *c, mxclash_time now)
{
    return c->cname_qtype == 0 && c->proof.authoritative && c->proof.saw_mx &&
           !c->proof.saw_cname &&
           (c->was_hidden || (case_shown_by(c) != 0 && c->cname_until > now));
}

/** Ask at once, with another type for the CNAME. */
static void ask_shown_type(struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    uint16_t shown_by = case_shown_by(c);

    c->cname_qtype = shown_by != 0 ? shown_by : wire_type_a;
    case_put_off_proof(c, now, now);
    c->queued = outcome->prove = true;
}

/** The proof did not see both: what it did not see is gone. */
static void forget_unseen(const struct casework *work, struct docket_shard *shard,
                          struct docket_case *c)
{
    c->both_were_valid = c->may_have_both = false;
    c->hearsay_until = 0;
    c->cname_qtype = 0;
    if (!c->proof.saw_mx) {
        c->mx_until = 0;
        docket_set_mx(work->docket, shard, c, NULL, 0);
    }
    if (!c->proof.saw_cname) {
        c->cname_until = 0;
        docket_set_target(work->docket, shard, c, NULL, 0);
    }
}

/** The proof got no answer: again soon, then ever more seldom. */
static void decide_failed(const struct casework *work, struct docket_shard *shard,
                          struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    mxclash_time retry = CASE_RETRY_MS << c->failures;

    case_put_off_proof(c, now + (retry < work->recheck_ms ? retry : work->recheck_ms), now);
    c->failures += c->failures < CASE_RETRY_DOUBLINGS;
    if (c->both_were_valid)
        conflict_open(work, shard, c, mxclash_cname_and_mx, mxclash_suspected,
                      mxclash_separate_answers, now, outcome);
}

/** Tell what the proof found. */
static void settle(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                   enum mxclash_proof_result result, mxclash_time now, struct case_outcome *outcome)
{
    if (result == mxclash_proof_failed) {
        decide_failed(work, shard, c, now, outcome);
        return;
    }
    second_look_settled(c);
    case_put_off_proof(c, now + work->recheck_ms, now);
    if (result == mxclash_proof_both) {
        c->quiet_proofs = 0;
        decide_both(work, shard, c, now, outcome);
        return;
    }
    if (result == mxclash_proof_cname_only) {
        decide_cname_only(work, shard, c, now, outcome);
        if (c->quiet_proofs != 0 && (c->mx_asked == 0 || c->apex != mxclash_apex_yes))
            case_put_off_proof(c, now + (work->recheck_ms << (c->quiet_proofs - 1)), now);
    } else {
        if (!c->proof.saw_mx)
            clear_mailbox(work, shard, c, now, outcome);
        c->mx_gets_cname = c->mx_gets_cname_proved = false;
        conflict_clear(work, shard, c, mxclash_cname_and_mx, now, outcome);
        conflict_clear(work, shard, c, mxclash_cname_at_apex, now, outcome);
    }
    forget_unseen(work, shard, c);
}

enum mxclash_proof_result case_proof_decide(const struct casework *work, struct docket_shard *shard,
                                            struct docket_case *c, mxclash_time now,
                                            struct case_outcome *outcome)
{
    enum mxclash_proof_result result = proof_result(&c->proof);

    c->last_proof = now;
    if (result != mxclash_proof_failed)
        c->failures = 0;
    decide_mailbox(work, shard, c, now, outcome);
    if (should_ask_shown_type(c, now))
        ask_shown_type(c, now, outcome);
    else if (second_look_is_needed(work, c, result))
        second_look_want(work, c, result, now, outcome);
    else
        settle(work, shard, c, result, now, outcome);
    c->was_hidden = false;
    memset(&c->proof, 0, sizeof(c->proof));
    if (!case_is_open(c) && !second_look_is_due(c))
        views_clear(&c->views);
    return result;
}

void case_proof_abandon(struct docket_case *c, mxclash_time now)
{
    memset(&c->proof, 0, sizeof(c->proof));
    case_put_off_proof(c, now + CASE_RETRY_MS, now);
}
