/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A case and its proof: see casework.h. */
#include "core/casework.h"

#include <string.h>

#include "core/case_parts.h"
#include "core/mailbox.h"
#include "core/names.h"

bool case_proof_is_due(const struct docket_case *c, mxclash_time now)
{
    return case_proof_time_has_come(c, now) &&
           !case_is_under_way(c->proof.id, c->proof.started, now);
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
    /* an SPF record out of a cache may be older than its cure: as good as no answer */
    if (qtype == wire_type_txt && !message->authoritative)
        return;
    case_note_zone(c, answer, reading);
    c->proof.answered |= (uint8_t)ask_bit(qtype);
    if (qtype == wire_type_soa)
        return;
    if (sighting != NULL && (sighting->cname || sighting->mx)) {
        case_note_server(c, answer);
        case_note_facts(work, shard, c, answer, reading, sighting, now);
    }
    if (qtype == wire_type_txt) {
        if (sighting != NULL && sighting->txt)
            mailbox_read_spf(work->providers, reading, sighting, &c->proof.spf);
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
            case_put_off_proof(c, until + 1000, now);
    }
    /* the authority's word beside a lame server's (RFC 1912 2.8): not even a suspicion, but proved
     * again when what the lame server has cached must have run out */
    if (!sure && c->proof.some_authority && !c->conflicts[mxclash_cname_and_mx].open)
        return;
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
    if (alias) {
        case_judge_apex(work, shard, c, now, outcome);
        case_tell_or_look_up(work, c, mxclash_cname_at_apex, now, outcome);
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
        case_put_off_proof(c, now + work->recheck_ms, now);
    }
    switch (result) {
    case mxclash_proof_both:
        c->quiet_proofs = 0;
        decide_both(work, shard, c, now, outcome);
        break;
    case mxclash_proof_cname_only:
        decide_cname_only(work, shard, c, now, outcome);
        if (c->quiet_proofs != 0 && (c->mx_asked == 0 || c->apex != mxclash_apex_yes))
            case_put_off_proof(c, now + (work->recheck_ms << (c->quiet_proofs - 1)), now);
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
        case_put_off_proof(c, now + (retry < work->recheck_ms ? retry : work->recheck_ms), now);
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

void case_proof_abandon(struct docket_case *c, mxclash_time now)
{
    memset(&c->proof, 0, sizeof(c->proof));
    case_put_off_proof(c, now + CASE_RETRY_MS, now);
}
