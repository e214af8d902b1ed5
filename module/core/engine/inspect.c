/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Answers from upstream: mxclash_inspect() and the looks that it takes. See mxclash.h and
 * inspect.h. */
#include <string.h>

#include "core/dns/names.h"
#include "core/engine/inspect.h"
#include "core/engine/structs.h"
#include "core/mailbox/look.h"

static bool speaks_of_apex(const struct mxclash_answer *answer, const struct sighting *sighting)
{
    return sighting->cname && !answer->forwarded && answer->zone != NULL &&
           answer->zone_len == sighting->owner_len;
}

/** What the sieves hold of a sighting's owner, this sighting included. */
struct suspicion {
    bool suspect;
    struct case_hint hint;
};

/** An authority's MX set beside its provider's; what it says of SPF too. */
static __attribute__((noinline)) void suspect_mailbox(struct mxclash_engine *engine, uint64_t hash,
                                                      const struct answer_reading *reading,
                                                      const struct sighting *sighting,
                                                      mxclash_time now, struct suspicion *suspicion)
{
    struct mailbox_view view;
    struct hosted_found found;

    if (!sighting->is_qname || !reading->message.authoritative ||
        reading->message.qtype != wire_type_mx)
        return;
    mailbox_view(engine->providers, reading, sighting, &view);
    found = hosted_note_mx(&engine->hosted, hash, view.number, sighting->mx_ttl_s, now);
    suspicion->hint.spf = found.spf && mailbox_spf_bits_lack(found.spf_bits, view.number);
    suspicion->suspect = suspicion->suspect || suspicion->hint.spf || view.verdict.foreign != 0 ||
                         view.verdict.incomplete;
}

/** An SPF record beside the provider that the MX is known to name. */
static __attribute__((noinline)) void suspect_spf(struct mxclash_engine *engine, uint64_t hash,
                                                  const struct answer_reading *reading,
                                                  const struct sighting *sighting, mxclash_time now,
                                                  struct suspicion *suspicion)
{
    struct spf_summary spf;
    struct spf_text text;
    struct hosted_found found;

    if (!reading->message.authoritative)
        return;
    mailbox_read_spf(engine->providers, reading, sighting, &text, &spf);
    if (spf.records == 0)
        return;
    found =
        hosted_note_spf(&engine->hosted, hash, mailbox_spf_bits(&spf), sighting->txt_ttl_s, now);
    suspicion->hint.spf = mailbox_spf_lacks(&spf, found.provider);
    suspicion->suspect = suspicion->suspect || suspicion->hint.spf;
}

static void suspect_cname(struct mxclash_engine *engine, uint64_t hash,
                          const struct mxclash_answer *answer, const struct sighting *sighting,
                          mxclash_time now, struct suspicion *suspicion)
{
    struct sieve_found found =
        sieve_note(&engine->sieve, hash, sighting->cname, sighting->cname_ttl_s, sighting->mx,
                   sighting->mx_ttl_s, now);

    suspicion->hint.both_perhaps = found.cname && found.mx;
    /* the owner lies at or below the zone, so of the same length it is the zone */
    suspicion->suspect = suspicion->hint.both_perhaps || (sighting->cname && sighting->mx) ||
                         speaks_of_apex(answer, sighting);
}

/** Take a sighting to its case, which a suspicion begins. Apart from examine() for its large stack
 * frame, which few sightings need. */
static __attribute__((noinline)) void examine_case(struct mxclash_engine *engine, uint64_t hash,
                                                   const struct mxclash_answer *answer,
                                                   const struct answer_reading *reading,
                                                   const struct sighting *sighting,
                                                   struct suspicion *suspicion, mxclash_time now)
{
    bool fresh = false;
    struct docket_shard *shard;
    struct docket_case *c;
    struct case_outcome outcome;

    if (ignore_holds(&engine->ignore, sighting->owner, sighting->owner_len))
        return;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, sighting->owner, sighting->owner_len);
    if (c == NULL && suspicion->suspect) {
        c = docket_add(&engine->docket, shard, hash, sighting->owner, sighting->owner_len);
        fresh = true;
    }
    if (!fresh)
        suspicion->hint.both_perhaps = false;
    if (c != NULL)
        case_saw(&engine->work, shard, c, answer, reading, sighting, &suspicion->hint, now,
                 &outcome);
    docket_unlock(shard);
    engine_carry_out(engine, hash, sighting->owner, sighting->owner_len, &outcome, now);
    if (c != NULL)
        engine_sweep(engine, now);
}

/** Take one sighting through the sieves. */
static void examine(struct mxclash_engine *engine, const struct mxclash_answer *answer,
                    const struct answer_reading *reading, const struct sighting *sighting,
                    mxclash_time now)
{
    uint64_t hash = engine_hash(engine, sighting->owner, sighting->owner_len);
    struct suspicion suspicion = {0};

    if (sighting->cname || sighting->mx)
        suspect_cname(engine, hash, answer, sighting, now, &suspicion);
    if (sighting->mx)
        suspect_mailbox(engine, hash, reading, sighting, now, &suspicion);
    if (sighting->txt)
        suspect_spf(engine, hash, reading, sighting, now, &suspicion);
    if (suspicion.suspect || docket_may_hold(&engine->docket, hash))
        examine_case(engine, hash, answer, reading, sighting, &suspicion, now);
}

/** An answer with neither CNAME nor MX can still show that an open conflict has ended. */
static __attribute__((noinline)) void examine_dull(struct mxclash_engine *engine,
                                                   const struct mxclash_answer *answer,
                                                   const struct answer_reading *reading,
                                                   mxclash_time now)
{
    static const struct case_hint no_hint;
    const struct wire_message *message = &reading->message;
    uint8_t owner[MXCLASH_NAME_MAX];
    struct case_outcome outcome;
    struct docket_shard *shard;
    struct docket_case *c;
    uint64_t hash;

    if (!answer_counts(message) || !message->authoritative)
        return;
    name_lower(owner, message->octets + message->qname_at, message->qname_len);
    hash = engine_hash(engine, owner, message->qname_len);
    if (!docket_may_hold(&engine->docket, hash) ||
        !answer_may_speak_for(answer, message, owner, message->qname_len))
        return;
    case_outcome_init(&outcome);
    shard = docket_lock(&engine->docket, hash);
    c = docket_find(shard, hash, owner, message->qname_len);
    if (c != NULL && case_is_open(c))
        case_saw(&engine->work, shard, c, answer, reading, NULL, &no_hint, now, &outcome);
    docket_unlock(shard);
    engine_carry_out(engine, hash, owner, message->qname_len, &outcome, now);
}

/** Look at an answer record by record. */
static __attribute__((noinline)) enum mxclash_status
look_closely(struct mxclash_engine *engine, const struct mxclash_answer *given, mxclash_time now)
{
    struct mxclash_answer room;
    const struct mxclash_answer *answer = struct_answer(given, &room);
    struct answer_reading reading;
    enum answer_worth worth;

    if (answer == NULL)
        return mxclash_invalid;
    worth = answer_read(answer, &reading);
    if (worth == answer_malformed)
        count_up(&engine->counters.malformed);
    else if (worth == answer_telling)
        for (size_t i = 0; i < reading.count; i++)
            examine(engine, answer, &reading, &reading.sightings[i], now);
    else
        examine_dull(engine, answer, &reading, now);
    return worth == answer_malformed ? mxclash_malformed : mxclash_ok;
}

/** \return true if a CNAME of the name in the question makes no suspect, see inspect_parsed_alias()
 */
static inline bool is_harmless(struct mxclash_engine *engine, const uint8_t *message,
                               size_t qname_len, const struct glance_alias *alias, size_t zone_len,
                               mxclash_time now)
{
    uint8_t owner[MXCLASH_NAME_MAX];
    uint64_t hash;

    /* a zone of that name makes it a suspect */
    if (zone_len >= qname_len)
        return false;
    name_lower(owner, message + WIRE_HEADER_OCTETS, qname_len);
    hash = engine_hash(engine, owner, qname_len);
    return !sieve_note_cname(&engine->sieve, hash, alias->ttl_s, now) &&
           !docket_may_hold(&engine->docket, hash);
}

bool inspect_parsed_alias(struct mxclash_engine *engine, const uint8_t *message, size_t message_len,
                          size_t zone_len, mxclash_time now)
{
    size_t qname_len = glance_qname_len(message, message_len);
    struct glance_alias alias;

    return qname_len != 0 &&
           glance_is_alias(message, message_len, WIRE_HEADER_OCTETS + qname_len + 4, &alias) &&
           is_harmless(engine, message, qname_len, &alias, zone_len, now);
}

/** The same of a message that nobody has parsed, from whatever server. */
static inline __attribute__((always_inline)) bool
alias_is_harmless(struct mxclash_engine *engine, const struct mxclash_answer *answer,
                  size_t qname_len, mxclash_time now)
{
    const struct wire_message message = {.octets = answer->message, .len = answer->message_len};
    struct glance_alias alias;

    return glance_is_alias(message.octets, message.len, WIRE_HEADER_OCTETS + qname_len + 4,
                           &alias) &&
           wire_name_len(&message, alias.target_at, alias.target_end) != 0 &&
           /* a forwarder's is looked at closely for simplicity */
           (answer->zone == NULL || name_at_or_below(message.octets + WIRE_HEADER_OCTETS, qname_len,
                                                     answer->zone, answer->zone_len)) &&
           is_harmless(engine, message.octets, qname_len, &alias,
                       answer->zone != NULL ? answer->zone_len : 0, now);
}

enum mxclash_status inspect_closely(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, mxclash_time now)
{
    inspect_sweep(engine, now);
    return look_closely(engine, answer, now);
}

enum mxclash_status inspect_further(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, size_t qname_len,
                                    mxclash_time now)
{
    if (qname_len != 0 && alias_is_harmless(engine, answer, qname_len, now))
        return mxclash_ok;
    return inspect_closely(engine, answer, now);
}

enum mxclash_status mxclash_inspect(struct mxclash_engine *engine,
                                    const struct mxclash_answer *answer, mxclash_time now)
{
    size_t qname_len;

    if (inspect_at_a_glance(engine, answer->message, answer->message_len, now, &qname_len))
        return mxclash_ok;
    return inspect_further(engine, answer, qname_len, now);
}
