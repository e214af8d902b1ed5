/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * One proof: see proof.h.
 *
 * The questions go to one server, and on to the next where it does not speak with authority. So all
 * of them see one copy of the zone, and the next proof, which is the second look, sees another.
 */
#include "prove/proof.h"

#include "output/clock.h"

/** A question is asked of so many addresses at most. */
#define ADDRESSES_TRIED_MAX 4
/** A question is given up after so many addresses that do not answer. */
#define SILENT_MAX 2

static void ask_next_address(struct proof_question *question);

/** Packets beyond one for each question are charged: those the detector has counted itself. */
static void charge(struct proof *proof, unsigned packets)
{
    const unsigned paid = proof->proof.qtype_count;
    const unsigned before = proof->packets > paid ? proof->packets : paid;
    proof->packets += packets;
    if (proof->packets > before) {
        mxclash_proof_sent(proof->asking->engine, &proof->proof, proof->packets - before,
                           clock_now());
    }
}

static void leave(struct proof *proof)
{
    struct asking *asking = proof->asking;
    proof->busy = false;
    asking->over(asking->context);
}

static void end_question(struct proof_question *question)
{
    struct proof *proof = question->proof;
    mxclash_proof_end(proof->asking->engine, &proof->proof, question->qtype, clock_now());
    proof->open--;
    if (proof->open == 0) {
        leave(proof);
    } else if (proof->proof.in_turn) {
        ask_next_address(question + 1);
    }
}

/** There is nobody to ask. */
static void end_all(struct proof *proof)
{
    for (unsigned i = 0; i < proof->proof.qtype_count; i++) {
        mxclash_proof_end(proof->asking->engine, &proof->proof, proof->proof.qtypes[i],
                          clock_now());
    }
    leave(proof);
}

static bool is_authoritys(const ldns_pkt *packet)
{
    const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    return ldns_pkt_aa(packet) && (rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN);
}

static void on_reply(void *context, const struct ask_reply *reply)
{
    struct proof_question *question = context;
    struct proof *proof = question->proof;
    charge(proof, reply->packets);
    if (reply->status != ask_answered) {
        question->silent++;
        ask_next_address(question);
        return;
    }
    const struct mxclash_answer answer = {
        .struct_size = sizeof(answer),
        .message = reply->message,
        .message_len = (uint32_t)reply->message_len,
        .zone = proof->authority.zone.octets,
        .zone_len = proof->authority.zone.len,
        .stub = proof->authority.no_referral,
        .server = ask_address_public(&reply->server),
    };
    mxclash_proof_answer(proof->asking->engine, &proof->proof, question->qtype, &answer,
                         clock_now());
    if (is_authoritys(reply->packet)) {
        end_question(question);
    } else {
        ask_next_address(question);
    }
}

/** Ask the address whose turn it is, or give the question up. */
static void ask_next_address(struct proof_question *question)
{
    struct proof *proof = question->proof;
    const struct authority *authority = &proof->authority;
    if (question->tried < authority->address_count && question->tried < ADDRESSES_TRIED_MAX &&
        question->silent < SILENT_MAX) {
        const unsigned at = (authority->turn + question->tried) % authority->address_count;
        const struct ask_question asked = {
            .name = proof->owner,
            .qtype = question->qtype,
            .server = authority->addresses[at],
        };
        question->tried++;
        if (ask_send(proof->asking->ask, &asked, on_reply, question)) {
            return;
        }
    }
    end_question(question);
}

static void ask_questions(struct proof *proof, const struct authority *authority)
{
    /* the place is free, and perhaps another proof's, once the last question is over */
    const unsigned at_once = proof->proof.in_turn ? 1 : proof->proof.qtype_count;
    proof->authority = *authority;
    proof->open = proof->proof.qtype_count;
    for (unsigned i = 0; i < at_once; i++) {
        ask_next_address(&proof->questions[i]);
    }
}

static void on_zone(void *context, enum ask_status status, const struct ask_zone *zone)
{
    struct proof *proof = context;
    const struct authority *found = NULL;
    charge(proof, ask_packets(proof->asking->ask));
    if (status == ask_answered && zone != NULL) {
        found = authorities_put(proof->asking->authorities, &proof->owner, zone, clock_steady_ms());
    }
    if (found != NULL) {
        ask_questions(proof, found);
    } else {
        end_all(proof);
    }
}

void proof_begin(struct proof *proof, struct asking *asking, const struct mxclash_proof *wanted)
{
    *proof = (struct proof){.busy = true, .asking = asking, .proof = *wanted};
    for (unsigned i = 0; i < wanted->qtype_count; i++) {
        proof->questions[i] = (struct proof_question){.proof = proof, .qtype = wanted->qtypes[i]};
    }
    const bool named = ask_name_set(&proof->owner, wanted->owner, wanted->owner_len);
    const struct authority *known =
        named ? authorities_get(asking->authorities, &proof->owner, clock_steady_ms()) : NULL;
    if (known != NULL) {
        ask_questions(proof, known);
    } else if (!named || !ask_find_servers(asking->ask, &proof->owner, false, on_zone, proof)) {
        mxclash_proof_abandon(asking->engine, wanted, clock_now());
        leave(proof);
    }
}
