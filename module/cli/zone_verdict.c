/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the detector says of the mailboxes of a zone file: see zone_lint.h.
 *
 * It is shown each name that has an MX as an authority with this zone would answer, by type, on a
 * clock of its own that makes a step of hours from name to name: what it counts by the hour is
 * about the world, not about a file.
 */
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "advice/advice.h"
#include "cli/check_told.h"
#include "cli/zone_lint.h"
#include "cli/zone_names.h"
#include "mxclash.h"
#include "runtime/options.h"

#define TABLE_OCTETS  (4u << 20)
#define PROBE_RATE    100000
#define STEP_MS       7200000
#define NEGATIVE_TTL  60
#define HEADER_OCTETS 12
/** Names between two looks at the clock. */
#define PROGRESS_NAMES 1024

/** A DNS message that is being written. */
struct message {
    size_t len;
    uint8_t octets[UINT16_MAX];
};

struct judge {
    struct zone_lint *lint;
    const struct zone_names *names;
    const struct zone_owner *owner;
    struct mxclash_engine *engine;
    struct providers *providers;
    mxclash_time now;
    struct message message;
};

/* --- answers ------------------------------------------------------------------------------------
 */

static void put16(struct message *message, unsigned number)
{
    message->octets[message->len++] = (uint8_t)(number >> 8);
    message->octets[message->len++] = (uint8_t)number;
}

static void put(struct message *message, const uint8_t *octets, size_t len)
{
    memcpy(message->octets + message->len, octets, len);
    message->len += len;
}

/** An answer of the authority to a question, with no record yet. */
static void begin(struct message *message, const struct ask_name *name, unsigned qtype)
{
    static const uint8_t header[HEADER_OCTETS] = {0, 0, 0x84, 0, 0, 1};
    message->len = 0;
    put(message, header, sizeof(header));
    put(message, name->octets, name->len);
    put16(message, qtype);
    put16(message, LDNS_RR_CLASS_IN);
}

/** Count a record in the header. \param at  6 for the answer, 8 for the authority section */
static void count(struct message *message, size_t at)
{
    message->octets[at + 1]++;
    message->octets[at] += message->octets[at + 1] == 0;
}

static void add(struct message *message, unsigned type, const struct zone_kept *list)
{
    for (const struct zone_kept *kept = list; kept != NULL; kept = kept->next) {
        if (message->len + 12 + kept->len > sizeof(message->octets)) {
            return;
        }
        put16(message, 0xc000 | HEADER_OCTETS);
        put16(message, type);
        put16(message, LDNS_RR_CLASS_IN);
        put16(message, kept->ttl_s >> 16);
        put16(message, kept->ttl_s & 0xffff);
        put16(message, kept->len);
        put(message, kept->rdata, kept->len);
        count(message, 6);
    }
}

/** Say that there is no such data (RFC 2308 2.2). */
static void add_soa(struct message *message, const struct ask_name *zone)
{
    static const uint8_t rdata[22] = {[21] = NEGATIVE_TTL};
    put(message, zone->octets, zone->len);
    put16(message, LDNS_RR_TYPE_SOA);
    put16(message, LDNS_RR_CLASS_IN);
    put16(message, 0);
    put16(message, NEGATIVE_TTL);
    put16(message, sizeof(rdata));
    put(message, rdata, sizeof(rdata));
    count(message, 8);
}

/** Write how the zone answers for the owner. */
static struct mxclash_answer answer(struct judge *judge, unsigned qtype)
{
    const struct zone_owner *owner = judge->owner;
    const struct zone_kept *list = qtype == LDNS_RR_TYPE_MX      ? owner->mx
                                   : qtype == LDNS_RR_TYPE_CNAME ? owner->cname
                                   : qtype == LDNS_RR_TYPE_TXT   ? owner->spf
                                                                 : NULL;
    const struct ask_name *zone = &judge->lint->origin;
    begin(&judge->message, &owner->name, qtype);
    add(&judge->message, qtype, list);
    if (list == NULL) {
        add_soa(&judge->message, zone);
    }
    return (struct mxclash_answer){.struct_size = sizeof(struct mxclash_answer),
                                   .message = judge->message.octets,
                                   .message_len = (uint32_t)judge->message.len,
                                   .zone = zone->octets,
                                   .zone_len = zone->len};
}

/* --- what the detector wants to know -------------------------------------------------------------
 */

static void prove(struct judge *judge)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    while (mxclash_proof_next(judge->engine, judge->now, &proof)) {
        for (unsigned i = 0; i < proof.qtype_count; i++) {
            const struct mxclash_answer given = answer(judge, proof.qtypes[i]);
            mxclash_proof_answer(judge->engine, &proof, proof.qtypes[i], &given, judge->now);
            mxclash_proof_end(judge->engine, &proof, proof.qtypes[i], judge->now);
        }
    }
}

/** What an SPF record includes is known if it lies in this zone; of the rest nothing is said. */
static void look_up(struct judge *judge)
{
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};
    while (mxclash_lookup_next(judge->engine, judge->now, &lookup)) {
        struct mxclash_txt txt[MXCLASH_TXT_MAX];
        struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply), .txt = txt};
        struct ask_name name;
        const struct zone_owner *owner =
            lookup.qtype == LDNS_RR_TYPE_TXT &&
                    ask_name_set(&name, lookup.target, lookup.target_len)
                ? zone_names_find(judge->names, &name)
                : NULL;
        for (const struct zone_kept *spf = owner != NULL ? owner->spf : NULL;
             spf != NULL && reply.txt_count < MXCLASH_TXT_MAX; spf = spf->next) {
            txt[reply.txt_count++] = (struct mxclash_txt){spf->rdata, spf->len};
            reply.answered = true;
        }
        mxclash_lookup_end(judge->engine, &lookup, &reply, judge->now);
    }
}

/* --- what it says -------------------------------------------------------------------------------
 */

static void on_event(void *context, const struct mxclash_event *event)
{
    struct judge *judge = context;
    struct zone_lint *lint = judge->lint;
    const struct zone_owner *owner = judge->owner;
    struct advice advice = {0};
    /* CNAMEs, and several SPF records, are told of with all their lines elsewhere */
    if (event->type != mxclash_opened || event->kind == mxclash_cname_and_mx ||
        event->kind == mxclash_cname_at_apex || event->spf == mxclash_spf_several_records) {
        return;
    }
    const struct zone_kept *kept =
        event->kind == mxclash_spf_missing && owner->spf != NULL ? owner->spf : owner->mx;
    if (lint->count < ZONE_FINDINGS_MAX && !told_advice(judge->providers, event, &advice)) {
        lint->no_memory = true;
        return;
    }
    zone_lint_find(lint, &kept->place, mxclash_kind_name(event->kind),
                   event->state == mxclash_suspected, "%s",
                   advice.fault != NULL ? advice.fault : "");
    advice_free(&advice);
}

static void judge_owner(struct judge *judge)
{
    static const unsigned qtypes[] = {LDNS_RR_TYPE_MX, LDNS_RR_TYPE_TXT};
    for (size_t i = 0; i < sizeof(qtypes) / sizeof(qtypes[0]); i++) {
        const struct mxclash_answer given = answer(judge, qtypes[i]);
        mxclash_inspect(judge->engine, &given, judge->now);
    }
    do {
        prove(judge);
        look_up(judge);
    } while (mxclash_errands_wait(judge->engine));
    while (mxclash_tick(judge->engine)) {
    }
    judge->now += STEP_MS;
}

/** \return false if there is no memory */
static bool start(struct judge *judge, const psl_ctx_t *suffixes)
{
    const struct config *config = judge->lint->config;
    struct mxclash_options options;
    mxclash_options_init(&options, sizeof(options));
    options.table_size = TABLE_OCTETS;
    options.probe_rate = PROBE_RATE;
    options.recheck_interval_s = config->recheck_interval_s;
    options.expire_after_s = config->expire_after_s;
    options.confirm_after_s = 0;
    options.providers = config->provider_text;
    options.providers_len = config->provider_text_len;
    options.suffixes = suffixes;
    options.on_event = on_event;
    options.lookup = 1;
    options.context = judge;
    judge->providers = config_to_providers(config);
    return getrandom(&options.seed, sizeof(options.seed), 0) == (ssize_t)sizeof(options.seed) &&
           judge->providers != NULL &&
           mxclash_engine_new(&options, &judge->engine, NULL, 0) == mxclash_ok;
}

/** Show it every name that has an MX. */
static void judge_all(struct judge *judge)
{
    unsigned long done = 0;
    for (judge->owner = zone_names_first(judge->names); judge->owner != NULL;
         judge->owner = judge->owner->next) {
        if (judge->owner->mx != NULL) {
            judge_owner(judge);
        }
        if (++done % PROGRESS_NAMES == 0) {
            progress_say(&judge->lint->progress, "judging: %lu names", done);
        }
    }
}

void zone_lint_judge(struct zone_lint *lint, const struct zone_names *names)
{
    struct judge *judge = calloc(1, sizeof(*judge));
    if (judge == NULL) {
        lint->no_memory = true;
        return;
    }
    psl_ctx_t *suffixes = psl_latest(NULL);
    judge->lint = lint;
    judge->names = names;
    judge->now = (mxclash_time)time(NULL) * 1000;
    if (start(judge, suffixes)) {
        judge_all(judge);
    } else {
        lint->no_memory = true;
    }
    mxclash_engine_free(judge->engine);
    providers_free(judge->providers);
    free(judge);
    psl_free(suffixes);
}
