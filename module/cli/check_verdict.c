/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash check`: what the detector makes of the answers. See check.h.
 *
 * There is no second set of rules here: an engine of its own is shown what each server said, as a
 * resolver would show it, told that somebody wants to send mail to the domain, and what it then
 * wants asked is asked. One more is shown what all servers say, as a resolver meets now this one,
 * now that one.
 */
#include <event2/event.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "ask/finding.h"
#include "cli/check.h"
#include "output/clock.h"

/** What the smallest useful detector needs, with a table of providers as large as one may be. */
#define TABLE_OCTETS (4u << 20)
/** More than one domain can use. */
#define PROBE_RATE 100000
/** How often we look whether a detector wants something asked. */
#define TICK_MS 20
/** No errand of a detector is waited for longer than this, beside its second look. */
#define PATIENCE_MS 25000

struct judge;

/** One engine, and whom it hears. */
struct detector {
    struct judge *judge;
    struct mxclash_engine *engine;
    /** NULL: all */
    struct check_server *server;
    struct check_verdict *verdict;
    bool holds;
    bool lacks;
};

LIST_HEAD(questions, proof_question);
LIST_HEAD(lookups, lookup);

struct judge {
    struct check *check;
    /** under way */
    struct questions questions;
    struct lookups lookups;
    size_t count;
    struct detector detectors[CHECK_SERVERS_MAX + 1];
    psl_ctx_t *suffixes;
};

void check_verdict_free(struct check_verdict *verdict)
{
    for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
        free(verdict->conflicts[kind]);
        verdict->conflicts[kind] = NULL;
    }
}

/* --- what a detector says -----------------------------------------------------------------------
 */

static void on_event(void *context, const struct mxclash_event *event)
{
    struct detector *detector = context;
    struct mxclash_event **kept = &detector->verdict->conflicts[event->kind];
    if (event->type == mxclash_opened || event->type == mxclash_changed) {
        if (*kept == NULL) {
            *kept = calloc(1, sizeof(**kept));
        }
        if (*kept != NULL) {
            memcpy(*kept, event, MXCLASH_EVENT_SIZE(event));
        }
        detector->lacks = detector->lacks || *kept == NULL;
    } else if (event->type == mxclash_cleared || event->type == mxclash_expired) {
        free(*kept);
        *kept = NULL;
    }
}

static void on_held(void *context)
{
    struct detector *detector = context;
    detector->holds = true;
}

static bool hears(const struct detector *detector, const struct check_server *server)
{
    return server->authoritative && (detector->server == NULL || detector->server == server);
}

/** An answer as the engine takes it. */
static struct mxclash_answer answer_of(const struct check *check, const struct check_server *server,
                                       const struct check_answer *answer)
{
    return (struct mxclash_answer){
        .struct_size = sizeof(struct mxclash_answer),
        .message = answer->message,
        .message_len = (uint32_t)answer->message_len,
        .zone = check->has_zone ? check->zone.name.octets : NULL,
        .zone_len = check->has_zone ? check->zone.name.len : 0,
        .server = ask_address_public(&server->address),
    };
}

/* --- proofs -------------------------------------------------------------------------------------
 */

/** One question of a proof, under way to every server that the detector hears. */
struct proof_question {
    LIST_ENTRY(proof_question) link;
    struct detector *detector;
    struct mxclash_proof proof;
    unsigned number;
    size_t waiting;
    size_t count;
    struct proof_part {
        struct proof_question *of;
        const struct check_server *server;
        struct check_answer answer;
    } parts[CHECK_SERVERS_MAX];
};

static void ask_proof(struct detector *detector, const struct mxclash_proof *proof,
                      unsigned number);

static bool shows(const struct check *check, const struct check_answer *answer, uint16_t qtype)
{
    const ldns_rr_type type =
        qtype == LDNS_RR_TYPE_A || qtype == LDNS_RR_TYPE_AAAA ? LDNS_RR_TYPE_CNAME : qtype;
    return check_answer_counts(answer) && check_record(answer, &check->domain, type, 0) != NULL;
}

/**
 * Hand in what the servers say. A proof is decided by the first answers to its questions, so of
 * several servers the one comes first that has the record: the question is whether a resolver can
 * meet it. Serials are all told.
 */
static void hand_in(struct proof_question *question)
{
    const struct check *check = question->detector->judge->check;
    const uint16_t qtype = question->proof.qtypes[question->number];
    for (int wanted = 1; wanted >= 0; wanted--) {
        for (size_t i = 0; i < question->count; i++) {
            const struct proof_part *part = &question->parts[i];
            if (part->answer.message == NULL ||
                shows(check, &part->answer, qtype) != (wanted != 0)) {
                continue;
            }
            const struct mxclash_answer answer = answer_of(check, part->server, &part->answer);
            mxclash_proof_answer(question->detector->engine, &question->proof, qtype, &answer,
                                 clock_now());
        }
    }
}

static void free_question(struct proof_question *question)
{
    LIST_REMOVE(question, link);
    for (size_t i = 0; i < question->count; i++) {
        check_answer_free(&question->parts[i].answer);
    }
    free(question);
}

static void end_question(struct proof_question *question)
{
    struct detector *detector = question->detector;
    const struct mxclash_proof proof = question->proof;
    const unsigned number = question->number;
    hand_in(question);
    mxclash_proof_end(detector->engine, &proof, proof.qtypes[number], clock_now());
    free_question(question);
    detector->judge->check->pending--;
    if (proof.in_turn && number + 1 < proof.qtype_count) {
        ask_proof(detector, &proof, number + 1);
    }
}

static void on_part(void *context, const struct ask_reply *reply)
{
    struct proof_part *part = context;
    check_answer_keep(&part->answer, reply);
    if (--part->of->waiting == 0) {
        end_question(part->of);
    }
}

/** Ask one question of a proof. */
static void ask_proof(struct detector *detector, const struct mxclash_proof *proof, unsigned number)
{
    struct check *check = detector->judge->check;
    struct proof_question *question = calloc(1, sizeof(*question));
    if (question == NULL) {
        detector->lacks = true;
        mxclash_proof_abandon(detector->engine, proof, clock_now());
        return;
    }
    question->detector = detector;
    question->proof = *proof;
    question->number = number;
    LIST_INSERT_HEAD(&detector->judge->questions, question, link);
    check->pending++;
    for (size_t i = 0; i < check->server_count; i++) {
        struct check_server *server = &check->servers[i];
        struct proof_part *part = &question->parts[question->count];
        struct ask_question asked = {.qtype = proof->qtypes[number],
                                     .operators_word = check_is_operators_word(check),
                                     .server = server->address};
        if (!hears(detector, server) ||
            !ask_name_set(&asked.name, proof->owner, proof->owner_len)) {
            continue;
        }
        part->of = question;
        part->server = server;
        if (ask_send(check->ask, &asked, on_part, part)) {
            question->count++;
            question->waiting++;
        }
    }
    if (question->waiting == 0) {
        end_question(question);
    }
}

static void start_proofs(struct detector *detector)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    while (mxclash_proof_next(detector->engine, clock_now(), &proof)) {
        const unsigned first = proof.in_turn ? 1 : proof.qtype_count;
        for (unsigned i = 0; i < first; i++) {
            ask_proof(detector, &proof, i);
        }
    }
}

/* --- lookups ------------------------------------------------------------------------------------
 */

struct lookup {
    LIST_ENTRY(lookup) link;
    struct detector *detector;
    struct mxclash_lookup lookup;
};

/** Keep what senders find behind the CNAME; every detector that has it looks it up. */
static void keep_target(struct check *check, const struct mxclash_lookup *lookup,
                        const struct ask_result *result)
{
    struct ask_name target;
    if (lookup->qtype == LDNS_RR_TYPE_TXT ||
        !ask_name_set(&target, lookup->target, lookup->target_len)) {
        return;
    }
    if (check->target_records == NULL) {
        check->target = target;
        check->target_records = ldns_rr_list_new();
    }
    if (check->target_records == NULL || !ask_name_equal(&check->target, &target)) {
        return;
    }
    for (size_t i = 0; i < ldns_rr_list_rr_count(result->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(result->records, i);
        if (!ldns_rr_list_contains_rr(check->target_records, rr)) {
            ldns_rr_list_push_rr(check->target_records, ldns_rr_clone(rr));
        }
    }
}

static void on_result(void *context, const struct ask_result *result)
{
    struct lookup *lookup = context;
    struct detector *detector = lookup->detector;
    struct ask_finding finding;
    if (result->status == ask_answered) {
        keep_target(detector->judge->check, &lookup->lookup, result);
    }
    ask_finding_take(&finding, lookup->lookup.qtype, result);
    mxclash_lookup_end(detector->engine, &lookup->lookup, &finding.reply, clock_now());
    ask_finding_free(&finding);
    LIST_REMOVE(lookup, link);
    free(lookup);
    detector->judge->check->pending--;
}

static void start_lookups(struct detector *detector)
{
    static const struct mxclash_lookup_reply nothing = {.struct_size = sizeof(nothing)};
    struct check *check = detector->judge->check;
    struct mxclash_lookup wanted = {.struct_size = sizeof(wanted)};
    while (mxclash_lookup_next(detector->engine, clock_now(), &wanted)) {
        struct lookup *lookup = malloc(sizeof(*lookup));
        struct ask_name name;
        if (lookup != NULL && ask_name_set(&name, wanted.target, wanted.target_len)) {
            *lookup = (struct lookup){.detector = detector, .lookup = wanted};
            if (ask_resolve(check->ask, &name, wanted.qtype, on_result, lookup)) {
                LIST_INSERT_HEAD(&detector->judge->lookups, lookup, link);
                check->pending++;
                continue;
            }
        }
        free(lookup);
        mxclash_lookup_end(detector->engine, &wanted, &nothing, clock_now());
    }
}

/* --- all together -------------------------------------------------------------------------------
 */

/** What a sender who asks this server for the MX gets. */
static enum mxclash_reply reply_to_mx(const struct check *check, const struct check_server *server)
{
    const struct check_answer *answer = &server->answers[check_mx];
    if (!check_answer_counts(answer)) {
        return mxclash_reply_other;
    }
    if (check_record(answer, &check->domain, LDNS_RR_TYPE_MX, 0) != NULL) {
        return mxclash_reply_shows;
    }
    return check_record(answer, &check->domain, LDNS_RR_TYPE_CNAME, 0) != NULL
               ? mxclash_reply_hides
               : mxclash_reply_other;
}

/** Show a detector what was answered. */
static void show_all(struct detector *detector)
{
    const struct check *check = detector->judge->check;
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        for (size_t k = 0; hears(detector, server) && k < CHECK_TYPES; k++) {
            if (server->answers[k].message != NULL) {
                const struct mxclash_answer answer = answer_of(check, server, &server->answers[k]);
                mxclash_inspect(detector->engine, &answer, clock_now());
            }
        }
    }
}

/** Tell a detector that somebody asks for the domain's mail. Who checks a domain is that somebody.
 */
static void want_mail(struct detector *detector)
{
    const struct check *check = detector->judge->check;
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        if (hears(detector, server)) {
            mxclash_client_mx(detector->engine, check->domain.octets, check->domain.len,
                              reply_to_mx(check, server), clock_now());
        }
    }
}

static bool add_detector(struct judge *judge, struct check_server *server,
                         struct check_verdict *verdict)
{
    const struct config *config = judge->check->config;
    struct detector *detector = &judge->detectors[judge->count];
    struct mxclash_options options;
    mxclash_options_init(&options, sizeof(options));
    options.table_size = TABLE_OCTETS;
    options.probe_rate = PROBE_RATE;
    options.recheck_interval_s = config->recheck_interval_s;
    options.expire_after_s = config->expire_after_s;
    options.confirm_after_s = config->confirm_after_s;
    options.providers = config->provider_text;
    options.providers_len = config->provider_text_len;
    options.suffixes = judge->suffixes;
    options.on_event = on_event;
    options.lookup = 1;
    options.on_held = on_held;
    options.context = detector;
    *detector = (struct detector){.judge = judge, .server = server, .verdict = verdict};
    if (getrandom(&options.seed, sizeof(options.seed), 0) != (ssize_t)sizeof(options.seed) ||
        mxclash_engine_new(&options, &detector->engine, NULL, 0) != mxclash_ok) {
        return false;
    }
    judge->count++;
    show_all(detector);
    return true;
}

/** Begin what the detectors want asked. \return false if nothing is wanted any more */
static bool go_on(struct judge *judge)
{
    bool more = judge->check->pending != 0;
    for (size_t i = 0; i < judge->count; i++) {
        struct detector *detector = &judge->detectors[i];
        start_proofs(detector);
        start_lookups(detector);
        more = more || judge->check->pending != 0 || mxclash_errands_wait(detector->engine);
    }
    return more;
}

static void on_tick(evutil_socket_t socket, short what, void *context)
{
    (void)socket;
    (void)what;
    (void)context;
}

/** Run errands until there are none, or our patience ends. \return false if there is no memory */
static bool run(struct judge *judge)
{
    struct check *check = judge->check;
    const struct timeval interval = {.tv_usec = (suseconds_t)TICK_MS * 1000};
    const mxclash_time end =
        clock_now() + PATIENCE_MS + (mxclash_time)check->config->confirm_after_s * 1000;
    struct event *tick = event_new(check->base, -1, EV_PERSIST, on_tick, NULL);
    if (tick == NULL || event_add(tick, &interval) != 0) {
        return false;
    }
    while (go_on(judge) && clock_now() < end) {
        progress_say(&check->progress, "asking %s again, to be sure", check->domain_text);
        event_base_loop(check->base, EVLOOP_ONCE);
    }
    event_free(tick);
    /* an event that still waits for what senders meet is told without it */
    for (size_t i = 0; i < judge->count; i++) {
        while (mxclash_tick(judge->detectors[i].engine)) {
        }
    }
    return true;
}

/** Does any server show the record, in any of its answers? */
static bool anybody_shows(const struct check *check, ldns_rr_type type)
{
    for (size_t i = 0; i < check->server_count; i++) {
        for (size_t k = 0; k < CHECK_TYPES; k++) {
            const struct check_answer *answer = &check->servers[i].answers[k];
            if (check_answer_counts(answer) &&
                check_record(answer, &check->domain, type, 0) != NULL) {
                return true;
            }
        }
    }
    return false;
}

static bool serials_differ(const struct check *check)
{
    const struct check_server *first = NULL;
    for (size_t i = 0; i < check->server_count; i++) {
        const struct check_server *server = &check->servers[i];
        if (server->has_serial && first != NULL && server->serial != first->serial) {
            return true;
        }
        first = first == NULL && server->has_serial ? server : first;
    }
    return false;
}

const struct mxclash_event *check_event(const struct check *check, enum mxclash_kind kind)
{
    const struct mxclash_event *event = check->all.conflicts[kind];
    /* an apex that is only a CNAME at one server is the lesser half of the same */
    if (kind == mxclash_cname_at_apex && check_event(check, mxclash_cname_and_mx) != NULL) {
        return NULL;
    }
    for (size_t i = 0; event == NULL && i < check->server_count; i++) {
        event = check->servers[i].verdict.conflicts[kind];
    }
    return event;
}

const struct mxclash_event *check_gravest(const struct check *check)
{
    const struct mxclash_event *event = NULL;
    for (int kind = 0; event == NULL && kind < MXCLASH_KINDS; kind++) {
        event = check_event(check, (enum mxclash_kind)kind);
    }
    return event;
}

/** Did any server say with authority what MX there is? */
static bool mx_is_known(const struct check *check)
{
    bool known = false;
    for (size_t i = 0; i < check->server_count; i++) {
        known = known || check_answer_counts(&check->servers[i].answers[check_mx]);
    }
    return known;
}

/** Let go of what is still under way, which would call back into the detectors. */
static void end_all(struct judge *judge)
{
    struct proof_question *question;
    struct lookup *lookup;
    ask_free(judge->check->ask);
    judge->check->ask = NULL;
    while ((question = LIST_FIRST(&judge->questions)) != NULL) {
        free_question(question);
    }
    for (lookup = LIST_FIRST(&judge->lookups); lookup != NULL;) {
        struct lookup *next = LIST_NEXT(lookup, link);
        free(lookup);
        lookup = next;
    }
    LIST_INIT(&judge->lookups);
}

bool check_judge(struct check *check)
{
    struct judge *judge = calloc(1, sizeof(*judge));
    bool good = true;
    size_t heard = 0;
    if (judge == NULL) {
        return false;
    }
    judge->check = check;
    LIST_INIT(&judge->questions);
    LIST_INIT(&judge->lookups);
    judge->suffixes = psl_latest(NULL);
    for (size_t i = 0; good && i < check->server_count; i++) {
        struct check_server *server = &check->servers[i];
        if (server->authoritative) {
            heard++;
            good = add_detector(judge, server, &server->verdict);
        }
    }
    if (good && heard > 1) {
        good = add_detector(judge, NULL, &check->all);
    }
    /* First what the answers alone give reason to ask: so an event tells what was proved. */
    good = good && run(judge);
    for (size_t i = 0; good && i < judge->count; i++) {
        want_mail(&judge->detectors[i]);
    }
    good = good && run(judge);
    for (size_t i = 0; i < judge->count; i++) {
        good = good && !judge->detectors[i].lacks;
    }
    check->unsettled = check_gravest(check) == NULL && serials_differ(check) &&
                       anybody_shows(check, LDNS_RR_TYPE_CNAME) &&
                       anybody_shows(check, LDNS_RR_TYPE_MX);
    if (check_gravest(check) != NULL) {
        check->result = check_conflict;
    } else {
        check->result = check->unsettled || !mx_is_known(check) ? check_unknown : check_healthy;
    }
    end_all(judge);
    for (size_t i = 0; i < judge->count; i++) {
        mxclash_engine_free(judge->detectors[i].engine);
    }
    psl_free(judge->suffixes);
    free(judge);
    return good;
}
