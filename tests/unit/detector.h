/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A detector under test: an engine behind its public API, a clock that the test sets, the events
 * that came, and authorities' answers made from a few words.
 */
#ifndef MXCLASH_TESTS_DETECTOR_H
#define MXCLASH_TESTS_DETECTOR_H

#include "core/engine/stats.h"
#include "message.h"

/** 2026-01-02T03:04:05.678Z */
#define DETECTOR_START INT64_C(1767323045678)
#define SECOND         INT64_C(1000)
#define MINUTE         (60 * SECOND)
#define HOUR           (60 * MINUTE)
#define EVENTS_MAX     256

static struct {
    struct mxclash_engine *engine;
    mxclash_time now;
    struct mxclash_event events[EVENTS_MAX];
    size_t event_count;
    /** events that a test has asked for already */
    size_t event_next;
} detector;

static void detector_event(void *context, const struct mxclash_event *event)
{
    (void)context;
    assert_in_range(detector.event_count, 0, EVENTS_MAX - 1);
    memcpy(&detector.events[detector.event_count++], event, MXCLASH_EVENT_SIZE(event));
}

static inline struct mxclash_options detector_options(void)
{
    return (struct mxclash_options){
        .struct_size = sizeof(struct mxclash_options),
        .table_size = 1 << 20,
        .seed = 42,
        .probe = true,
        .probe_rate = 1000,
        .recheck_interval_s = 3600,
        .expire_after_s = 172800,
        .on_event = detector_event,
    };
}

/** Begin anew with these options. */
static inline void detector_begin(const struct mxclash_options *options)
{
    mxclash_engine_free(detector.engine);
    detector.engine = NULL;
    detector.now = DETECTOR_START;
    detector.event_count = detector.event_next = 0;
    assert_int_equal(mxclash_engine_new(options, &detector.engine, NULL, 0), mxclash_ok);
}

static inline int detector_setup(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    detector_begin(&options);
    return 0;
}

static inline int detector_teardown(void **state)
{
    (void)state;
    mxclash_engine_free(detector.engine);
    detector.engine = NULL;
    return 0;
}

#define WITH_DETECTOR(test) cmocka_unit_test_setup_teardown(test, detector_setup, detector_teardown)

/** An answer, but for the owner: with AA, from a server of the zone owner, TTL 600 unless told. */
struct reply {
    uint16_t qtype;
    /** target; NULL: no CNAME */
    const char *cname;
    /** exchanges with preferences 5, 10, 15, up to a NULL */
    const char *mx[4];
    uint32_t ttl_s;
    const char *zone;
    const char *qname;
    unsigned rcode;
    bool no_aa;
    /** RA */
    bool recurses;
    bool forwarded;
    bool no_zone;
    bool referral;
    bool stub;
    /** zone whose SOA is in the answer section, to a question for it, or the authority section;
     * serial goes with it. NULL: of the owner, and only where there is nothing else */
    const char *soa;
    uint32_t serial;
    /** last octet of its address, 0: 53 */
    uint8_t server;
};

#define TARGET "www.cdn.test"
#define MX1    "mx1.mail.test"
#define MX2    "mx2.mail.test"

/* the by-type authority's answers, and those of its healthy fellows; further fields may follow */
#define A_IS_CNAME(...)     ((struct reply){.qtype = wire_type_a, .cname = TARGET, __VA_ARGS__})
#define CNAME_IS_CNAME(...) ((struct reply){.qtype = wire_type_cname, .cname = TARGET, __VA_ARGS__})
#define MX_IS_MX(...)       ((struct reply){.qtype = wire_type_mx, .mx = {MX1, MX2}, __VA_ARGS__})
#define MX_IS_CNAME(...)    ((struct reply){.qtype = wire_type_mx, .cname = TARGET, __VA_ARGS__})
#define MX_IS_BOTH(...)                                                                            \
    ((struct reply){.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1, MX2}, __VA_ARGS__})
#define A_IS_A(...)       ((struct reply){.qtype = wire_type_a, __VA_ARGS__})
#define CNAME_ANSWER(...) ((struct reply){.qtype = wire_type_cname, __VA_ARGS__})
#define MX_ANSWER(...)    ((struct reply){.qtype = wire_type_mx, __VA_ARGS__})
#define NO_CNAME          CNAME_ANSWER
#define NO_MX             MX_ANSWER

static inline void reply_build(struct message *m, const char *owner, const struct reply *reply)
{
    uint32_t ttl_s = reply->ttl_s != 0 ? reply->ttl_s : 600;

    message_begin(
        m, (reply->no_aa ? 0 : MESSAGE_AA) | (reply->recurses ? MESSAGE_RA : 0) | reply->rcode,
        reply->qname != NULL ? reply->qname : owner, reply->qtype);
    m->compress = true;
    if (reply->cname != NULL)
        message_cname(m, owner, ttl_s, reply->cname);
    for (int i = 0; i < 4 && reply->mx[i] != NULL; i++)
        message_mx(m, owner, ttl_s, (uint16_t)(5 * i + 5), reply->mx[i]);
    if (reply->soa != NULL)
        message_soa_in(m, reply->qtype == wire_type_soa ? message_an : message_ns, reply->soa,
                       reply->serial);
    else if (reply->referral)
        message_referral(m, owner);
    else if (reply->cname == NULL && reply->mx[0] == NULL && reply->qtype == wire_type_a &&
             reply->rcode == 0)
        message_a(m, owner, ttl_s);
    else if (reply->cname == NULL && reply->mx[0] == NULL && !reply->no_aa)
        message_soa_in(m, message_ns, owner, reply->serial);
}

/**
 * Hand an answer in, from 192.0.2.53, in a block of its size.
 * \param proof  NULL: to mxclash_inspect(); else to mxclash_proof_answer()
 */
static inline enum mxclash_status detector_hand_in(const struct message *m,
                                                   const struct reply *reply, const char *owner,
                                                   const struct mxclash_proof *proof,
                                                   uint16_t qtype)
{
    uint8_t *exact = message_exact(m->octets, m->len);
    struct wire_name zone = wire_name_of(reply->zone != NULL ? reply->zone : owner);
    struct mxclash_answer answer = {
        .struct_size = sizeof(answer),
        .message = exact,
        .message_len = (uint32_t)m->len,
        .zone = reply->no_zone ? NULL : zone.octets,
        .zone_len = (uint32_t)zone.len,
        .forwarded = reply->forwarded,
        .stub = reply->stub,
        .server = {.family = 4,
                   .port = 53,
                   .octets = {192, 0, 2, reply->server != 0 ? reply->server : 53}},
    };
    enum mxclash_status status;

    status = proof == NULL
                 ? mxclash_inspect(detector.engine, &answer, detector.now)
                 : mxclash_proof_answer(detector.engine, proof, qtype, &answer, detector.now);
    free(exact);
    return status;
}

/** The resolver got an answer. */
static inline void see(const char *owner, struct reply reply)
{
    static struct message m;

    reply_build(&m, owner, &reply);
    assert_int_equal(detector_hand_in(&m, &reply, owner, NULL, 0), mxclash_ok);
}

static inline bool take_proof(struct mxclash_proof *proof)
{
    return mxclash_proof_next(detector.engine, detector.now, proof);
}

static inline void answer_proof(const struct mxclash_proof *proof, struct reply reply)
{
    static struct message m;
    char owner[MXCLASH_NAME_TEXT_MAX];

    assert_int_equal(mxclash_name_to_text(proof->owner, proof->owner_len, owner), mxclash_ok);
    reply_build(&m, owner, &reply);
    assert_int_equal(detector_hand_in(&m, &reply, owner, proof, reply.qtype), mxclash_ok);
}

static inline void end_proof(const struct mxclash_proof *proof)
{
    for (size_t i = 0; i < proof->qtype_count; i++)
        mxclash_proof_end(detector.engine, proof, proof->qtypes[i], detector.now);
}

/** Take the proof that waits; both questions are answered so. */
static inline void prove(struct reply mx, struct reply cname)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_true(take_proof(&proof));
    answer_proof(&proof, mx);
    answer_proof(&proof, cname);
    end_proof(&proof);
}

/** Take the proof that waits; neither question is answered. */
static inline void fail_proof(void)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_true(take_proof(&proof));
    end_proof(&proof);
}

static inline void expect_no_proof(void)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_false(take_proof(&proof));
}

static inline bool client_mx(const char *owner, bool hidden)
{
    struct wire_name name = wire_name_of(owner);

    return mxclash_client_mx(detector.engine, name.octets, name.len,
                             hidden ? mxclash_reply_hides : mxclash_reply_other, detector.now);
}

static inline void expect_no_event(void)
{
    assert_int_equal(detector.event_count, detector.event_next);
}

/** The next event, which must be there. Its owner is checked. */
static inline const struct mxclash_event *next_event(const char *owner)
{
    struct wire_name name = wire_name_of(owner);
    const struct mxclash_event *event = &detector.events[detector.event_next];

    assert_true(detector.event_next < detector.event_count);
    detector.event_next++;
    assert_int_equal(event->owner_len, name.len);
    assert_memory_equal(event->owner, name.octets, name.len);
    assert_int_equal(event->time, detector.now);
    return event;
}

/** The one event that came since, in all that a test usually asks. */
static inline const struct mxclash_event *
expect_event(const char *owner, enum mxclash_event_type type, enum mxclash_kind kind,
             enum mxclash_state state, enum mxclash_evidence evidence)
{
    const struct mxclash_event *event = next_event(owner);

    assert_string_equal(mxclash_event_type_name(event->type), mxclash_event_type_name(type));
    assert_string_equal(mxclash_kind_name(event->kind), mxclash_kind_name(kind));
    assert_string_equal(mxclash_state_name(event->state), mxclash_state_name(state));
    assert_string_equal(mxclash_evidence_name(event->evidence), mxclash_evidence_name(evidence));
    expect_no_event();
    return event;
}

static inline struct engine_stats stats_now(void)
{
    struct engine_stats stats;

    engine_get_stats(detector.engine, &stats);
    return stats;
}

#endif
