/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what the public header promises to other hosts: structs of other sizes, errors in
 * words, parsed records, clients' responses, the queue of events, when there is something to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/dns/wire.h"
#include "detector.h"

static void test_version(void **state)
{
    (void)state;
    assert_string_equal(mxclash_version(), MXCLASH_VERSION);
    assert_int_equal(mxclash_abi(), MXCLASH_ABI);
}

/* --- structs that end sooner, or later ----------------------------------------------------------
 */

/** What a newer host may have behind the end of a struct of today. */
struct newer_options {
    struct mxclash_options known;
    uint64_t more[4];
};

static enum mxclash_status try(const struct mxclash_options *options, char *error)
{
    struct mxclash_engine *engine = NULL;
    enum mxclash_status status = mxclash_engine_new(options, &engine, error, MXCLASH_ERROR_MAX);

    assert_int_equal(status == mxclash_ok, engine != NULL);
    mxclash_engine_free(engine);
    return status;
}

static void test_options_of_other_sizes(void **state)
{
    char error[MXCLASH_ERROR_MAX];
    struct newer_options newer = {.known = detector_options()};
    uint8_t *older;

    (void)state;
    newer.known.struct_size = sizeof(newer);
    assert_int_equal(try(&newer.known, error), mxclash_ok);
    newer.more[2] = 1;
    assert_int_equal(try(&newer.known, error), mxclash_invalid);
    assert_non_null(strstr(error, "newer"));
    /* each size down to the least, in a block of that size */
    for (uint32_t size = offsetof(struct mxclash_options, ignore); size < sizeof(newer.known);
         size++) {
        newer.known.struct_size = size;
        older = message_exact((const uint8_t *)&newer.known, size);
        assert_int_equal(try((const struct mxclash_options *)(const void *)older, error),
                         mxclash_ok);
        free(older);
    }
    newer.known.struct_size = offsetof(struct mxclash_options, ignore) - 1;
    assert_int_equal(try(&newer.known, error), mxclash_invalid);
    assert_non_null(strstr(error, "struct_size"));
    newer.known.struct_size = 0;
    assert_int_equal(try(&newer.known, error), mxclash_invalid);
}

static void test_defaults(void **state)
{
    struct newer_options newer;
    char error[MXCLASH_ERROR_MAX];

    (void)state;
    memset(&newer, 0x5a, sizeof(newer));
    mxclash_options_init(&newer.known, sizeof(newer.known));
    assert_int_equal(newer.known.struct_size, sizeof(newer.known));
    assert_int_equal(newer.known.probe_rate, 10);
    assert_int_equal(newer.more[0], UINT64_C(0x5a5a5a5a5a5a5a5a));
    assert_int_equal(try(&newer.known, error), mxclash_ok);
    assert_string_equal(error, "");
    mxclash_options_init(&newer.known, sizeof(newer));
    assert_int_equal(newer.more[0], 0);
    assert_int_equal(try(&newer.known, error), mxclash_ok);
}

static void test_errors_in_words(void **state)
{
    static const char *const names[] = {"good.test", "a..b"};
    static const char broken[] = "provider one\nmx ..\n";
    char error[MXCLASH_ERROR_MAX], cut[10];
    struct mxclash_options options = detector_options();
    struct mxclash_engine *engine = NULL;

    (void)state;
    options.probe_rate = 0;
    assert_int_equal(try(&options, error), mxclash_invalid);
    assert_string_equal(error, "probe_rate is 0: it must be 1 to 100000");
    assert_int_equal(mxclash_engine_new(&options, &engine, cut, sizeof(cut)), mxclash_invalid);
    assert_string_equal(cut, "probe_rat");
    options = detector_options();
    options.ignore = names;
    options.ignore_count = 2;
    assert_int_equal(try(&options, error), mxclash_invalid);
    assert_string_equal(error, "ignore: entry 1, \"a..b\", is no domain name");
    options.ignore = NULL;
    assert_int_equal(try(&options, error), mxclash_invalid);
    options = detector_options();
    options.providers = broken;
    options.providers_len = sizeof(broken) - 1;
    assert_int_equal(try(&options, error), mxclash_invalid);
    assert_memory_equal(error, "providers: line 2:", 18);
    options = detector_options();
    options.queue_events = 65536;
    assert_int_equal(try(&options, error), mxclash_invalid);
    assert_non_null(strstr(error, "a queue of 65536 events: make it larger"));
}

/** An answer whose struct ends before the server: nobody is known to have given it. */
static void test_answers_of_other_sizes(void **state)
{
    static struct message m;
    struct reply reply = MX_IS_BOTH();
    struct wire_name zone = wire_name_of("shop.test");
    struct mxclash_answer answer = {.message = m.octets, .zone = zone.octets};

    (void)state;
    reply_build(&m, "shop.test", &reply);
    answer.message_len = (uint32_t)m.len;
    answer.zone_len = (uint32_t)zone.len;
    answer.server = (struct mxclash_address){.family = 4, .port = 53};
    assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now), mxclash_invalid);
    answer.struct_size = offsetof(struct mxclash_answer, server) - 1;
    assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now), mxclash_invalid);
    expect_no_event();
    answer.struct_size++;
    answer.message_len += 65536;
    assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now), mxclash_invalid);
    answer.message_len -= 65536;
    assert_int_equal(mxclash_inspect(detector.engine, &answer, detector.now), mxclash_ok);
    assert_int_equal(next_event("shop.test")->authority.family, 0);
}

/** What a caller gets is written to its end and no further; what we do not know is 0. */
static void test_what_is_given_to_other_sizes(void **state)
{
    struct {
        struct mxclash_standing known;
        uint8_t more[8];
    } standing;
    struct {
        struct mxclash_event known;
        uint8_t more[8];
    } event;
    struct {
        struct mxclash_proof known;
        uint8_t more[8];
    } proof;
    struct mxclash_domain domains[2];
    struct wire_name name = wire_name_of("shop.test");
    struct mxclash_cursor cursor = {{0}};
    uint32_t size;

    (void)state;
    see("shop.test", MX_IS_BOTH());
    next_event("shop.test");
    memset(&standing, 0x5a, sizeof(standing));
    standing.known.struct_size = sizeof(standing);
    assert_true(mxclash_get_standing(detector.engine, name.octets, name.len, detector.now,
                                     &standing.known));
    assert_int_equal(standing.known.struct_size, sizeof(standing));
    assert_int_equal(standing.known.mx_count, 2);
    assert_int_equal(standing.more[0], 0);
    /* room for one MX */
    size = offsetof(struct mxclash_standing, mx) + sizeof(struct mxclash_mx) + 3;
    memset(&standing, 0x5a, sizeof(standing));
    standing.known.struct_size = size;
    assert_true(mxclash_get_standing(detector.engine, name.octets, name.len, detector.now,
                                     &standing.known));
    assert_int_equal(standing.known.mx_count, 1);
    assert_int_equal(((uint8_t *)&standing)[size], 0x5a);
    standing.known.struct_size = offsetof(struct mxclash_standing, mx) - 1;
    assert_false(mxclash_get_standing(detector.engine, name.octets, name.len, detector.now,
                                      &standing.known));
    memset(&event, 0x5a, sizeof(event));
    event.known.struct_size = sizeof(event);
    assert_true(mxclash_next_open(detector.engine, &cursor, &event.known));
    assert_int_equal(event.more[0], 0);
    memset(&event, 0x5a, sizeof(event));
    memset(&cursor, 0, sizeof(cursor));
    event.known.struct_size = offsetof(struct mxclash_event, mx);
    assert_true(mxclash_next_open(detector.engine, &cursor, &event.known));
    assert_int_equal(event.known.mx_count, 0);
    assert_int_equal(event.known.mx[0].exchange_len, 0x5a);
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    memset(&proof, 0x5a, sizeof(proof));
    proof.known.struct_size = offsetof(struct mxclash_proof, zone) - 1;
    assert_false(take_proof(&proof.known));
    proof.known.struct_size++;
    assert_true(take_proof(&proof.known));
    assert_int_equal(proof.known.zone[0], 0x5a);
    mxclash_proof_abandon(detector.engine, &proof.known, detector.now);
    /* two of half the size, beside one another */
    memset(domains, 0x5a, sizeof(domains));
    domains[0].struct_size = offsetof(struct mxclash_domain, reserved_2);
    assert_int_equal(mxclash_top_domains(detector.engine, domains, 1), 1);
    assert_int_equal(domains[0].owner_len, name.len);
    assert_int_equal(domains[0].reserved_2, 0x5a);
}

/* --- parsed records -----------------------------------------------------------------------------
 */

#define RECORDS_MAX 16

/** Records of a message that was built here, with room for their names. */
struct parsed {
    struct mxclash_record records[RECORDS_MAX];
    uint8_t room[2 * RECORDS_MAX][512];
    struct mxclash_records whole;
};

/** Take a message apart as a host does, names written out. */
static void parse(const struct message *m, struct parsed *parsed)
{
    struct wire_message message;
    struct wire_record record;
    unsigned counts[3], sections = 0, count = 0;

    assert_true(wire_open(&message, m->octets, m->len));
    counts[0] = message.answers;
    counts[1] = message.authorities;
    counts[2] = 0;
    memset(parsed, 0, sizeof(*parsed));
    record.next_at = message.answers_at;
    for (sections = 0; sections < 3; sections++)
        for (unsigned i = 0; i < counts[sections]; i++, count++) {
            struct mxclash_record *to = &parsed->records[count];
            uint8_t *owner = parsed->room[2 * count], *rdata = parsed->room[2 * count + 1];
            unsigned before;

            assert_in_range(count, 0, RECORDS_MAX - 1);
            assert_true(wire_record_at(&message, record.next_at, &record));
            to->owner_len = (uint8_t)wire_name_at(&message, record.owner_at, message.len, owner);
            before = record.type == wire_type_mx ? 2 : 0;
            memcpy(rdata, m->octets + record.rdata_at, record.rdata_len);
            to->rdata_len = record.rdata_len;
            if (record.type == wire_type_mx || record.type == wire_type_cname)
                to->rdata_len = (uint16_t)(before + wire_name_at(&message, record.rdata_at + before,
                                                                 record.next_at, rdata + before));
            to->owner = owner;
            to->rdata = rdata;
            to->ttl_s = record.ttl_s;
            to->type = record.type;
            to->rr_class = record.class;
            to->section = (uint8_t)(sections + 1);
        }
    parsed->whole = (struct mxclash_records){
        .struct_size = sizeof(parsed->whole),
        .qtype = message.qtype,
        .rcode = message.rcode,
        .authoritative = message.authoritative,
        .truncated = message.truncated,
        .qname = m->octets + message.qname_at,
        .qname_len = (uint32_t)message.qname_len,
        .records = parsed->records,
        .record_count = count,
        .server = {.family = 4, .port = 53, .octets = {192, 0, 2, 53}},
    };
}

/** As detector_hand_in(), but as records. */
static enum mxclash_status hand_in_records(const char *owner, struct reply reply,
                                           const struct mxclash_proof *proof)
{
    static struct message m;
    static struct parsed parsed;
    struct wire_name zone = wire_name_of(reply.zone != NULL ? reply.zone : owner);

    reply_build(&m, owner, &reply);
    parse(&m, &parsed);
    parsed.whole.zone = reply.no_zone ? NULL : zone.octets;
    parsed.whole.zone_len = (uint32_t)zone.len;
    parsed.whole.forwarded = reply.forwarded;
    parsed.whole.stub = reply.stub;
    return proof == NULL ? mxclash_inspect_records(detector.engine, &parsed.whole, detector.now)
                         : mxclash_proof_records(detector.engine, proof, reply.qtype, &parsed.whole,
                                                 detector.now);
}

/** A step of a story: an answer, an answer to the proof that waits, a client's question. */
struct step {
    enum { comes, proves, asks } what;
    struct reply reply;
};

/** Play a story; as messages or as records the events must be the same. */
static void play(const struct step *steps, size_t count, bool as_records)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    bool proving = false;

    detector_setup(NULL);
    for (size_t i = 0; i < count; i++) {
        detector.now += SECOND;
        if (steps[i].what == proves && !proving)
            proving = take_proof(&proof);
        if (steps[i].what != proves && proving) {
            end_proof(&proof);
            proving = false;
        }
        if (steps[i].what == asks)
            client_mx("shop.test", true);
        else if (as_records)
            assert_int_equal(hand_in_records("shop.test", steps[i].reply, proving ? &proof : NULL),
                             mxclash_ok);
        else if (proving)
            answer_proof(&proof, steps[i].reply);
        else
            see("shop.test", steps[i].reply);
    }
    if (proving)
        end_proof(&proof);
}

static void test_records_are_judged_as_messages(void **state)
{
    static const struct step stories[][8] = {
        {{comes, MX_IS_MX()},
         {comes, A_IS_CNAME()},
         {proves, MX_IS_MX()},
         {proves, CNAME_IS_CNAME()}},
        {{comes, MX_IS_BOTH()}, {asks, {0}}, {comes, MX_IS_BOTH()}},
        {{comes, MX_IS_BOTH(.no_aa = true)},
         {proves, MX_IS_MX(.no_aa = true)},
         {proves, CNAME_IS_CNAME()}},
        {{comes, MX_IS_MX()},
         {comes, MX_IS_CNAME()},
         {proves, NO_MX()},
         {proves, NO_CNAME(.soa = "test", .zone = "test")}},
        {{comes, MX_IS_CNAME(.forwarded = true)}, {comes, MX_IS_MX(.forwarded = true)}},
        {{comes, MX_IS_BOTH(.zone = "other.test")}, {comes, MX_IS_BOTH(.no_zone = true)}},
        {{comes, MX_IS_BOTH(.rcode = 3)}, {comes, MX_IS_BOTH(.rcode = 2)}},
        {{comes, A_IS_A(.referral = true)}, {comes, A_IS_CNAME()}, {asks, {0}}, {asks, {0}}},
    };
    static struct mxclash_event wanted[EVENTS_MAX];
    size_t events = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
        struct engine_stats stats;
        size_t steps = 0, count;

        while (steps < 8 &&
               (steps == 0 || stories[i][steps].reply.qtype != 0 || stories[i][steps].what == asks))
            steps++;
        play(stories[i], steps, false);
        count = detector.event_count;
        events += count;
        memcpy(wanted, detector.events, sizeof(wanted));
        stats = stats_now();
        play(stories[i], steps, true);
        assert_int_equal(detector.event_count, count);
        for (size_t j = 0; j < count; j++)
            assert_memory_equal(&detector.events[j], &wanted[j], MXCLASH_EVENT_SIZE(&wanted[j]));
        assert_int_equal(stats_now().inspected, stats.inspected);
        assert_int_equal(stats_now().table_bytes, stats.table_bytes);
    }
    assert_in_range(events, 4, EVENTS_MAX);
}

static void test_records_that_are_none(void **state)
{
    static uint8_t long_rdata[65000];
    struct wire_name name = wire_name_of("shop.test");
    struct mxclash_record one = {.owner = name.octets,
                                 .owner_len = (uint8_t)name.len,
                                 .type = wire_type_cname,
                                 .rr_class = 1,
                                 .section = 1,
                                 .rdata = name.octets,
                                 .rdata_len = (uint16_t)name.len};
    struct mxclash_record many[40];
    struct mxclash_records records = {.struct_size = sizeof(records),
                                      .qtype = wire_type_mx,
                                      .qname = name.octets,
                                      .qname_len = (uint32_t)name.len,
                                      .records = &one,
                                      .record_count = 1};

    (void)state;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now), mxclash_ok);
    one.rdata_len--;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    /* a pointer, which leads nowhere in what has no message */
    one.rdata = (const uint8_t *)"\xc0\x0c";
    one.rdata_len = 2;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    one.type = wire_type_mx;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    one.type = wire_type_a;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now), mxclash_ok);
    one.section = 4;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    one.section = 0;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    one.section = 1;
    one.owner_len = 3;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    one.owner_len = (uint8_t)name.len;
    records.rcode = 16;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_malformed);
    records.rcode = 0;
    records.struct_size = offsetof(struct mxclash_records, server) - 1;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_invalid);
    records.struct_size++;
    /* longer than the stack's room, and then than a message */
    one.rdata = long_rdata;
    one.rdata_len = sizeof(long_rdata);
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now), mxclash_ok);
    for (int i = 0; i < 40; i++)
        many[i] = one;
    records.records = many;
    records.record_count = 2;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_invalid);
    records.record_count = UINT32_MAX;
    assert_int_equal(mxclash_inspect_records(detector.engine, &records, detector.now),
                     mxclash_invalid);
}

/* --- what clients are sent ----------------------------------------------------------------------
 */

static uint32_t response(const struct message *m)
{
    uint8_t *exact = message_exact(m->octets, m->len);
    uint32_t reply = 99;

    assert_int_equal(mxclash_client_response(detector.engine, exact, m->len, detector.now, &reply),
                     mxclash_ok);
    free(exact);
    return reply;
}

static uint32_t response_of(struct reply reply)
{
    static struct message m;

    reply_build(&m, "shop.test", &reply);
    return response(&m);
}

static void test_client_response(void **state)
{
    static struct message m;
    uint32_t reply;

    (void)state;
    see("shop.test", MX_IS_BOTH());
    next_event("shop.test");
    assert_int_equal(response_of(MX_IS_CNAME()), mxclash_reply_hides);
    assert_int_equal(response_of(MX_IS_CNAME(.rcode = 3)), mxclash_reply_hides);
    assert_int_equal(response_of(MX_IS_MX()), mxclash_reply_shows);
    assert_int_equal(response_of(MX_IS_BOTH()), mxclash_reply_shows);
    assert_int_equal(response_of(NO_MX()), mxclash_reply_other);
    assert_int_equal(response_of(NO_MX(.rcode = 2)), mxclash_reply_other);
    assert_int_equal(stats_now().affected_mx[mxclash_hidden], 2);
    /* no MX question, one that was cut, a question */
    assert_int_equal(response_of(A_IS_CNAME()), mxclash_reply_not_mx);
    reply_build(&m, "shop.test", &MX_IS_CNAME());
    m.octets[2] |= 2;
    assert_int_equal(response(&m), mxclash_reply_not_mx);
    m.octets[2] = 1;
    assert_int_equal(response(&m), mxclash_reply_not_mx);
    assert_int_equal(stats_now().affected_mx[mxclash_hidden], 2);
    assert_int_equal(mxclash_client_response(detector.engine, m.octets, 11, detector.now, &reply),
                     mxclash_malformed);
    assert_int_equal(
        mxclash_client_response(detector.engine, m.octets, m.len - 2, detector.now, NULL),
        mxclash_ok);
    m.octets[2] = 0x80;
    for (size_t len = 0; len < m.len; len++) {
        uint8_t *exact = message_exact(m.octets, len);

        assert_int_equal(mxclash_client_response(detector.engine, exact, len, detector.now, NULL),
                         mxclash_malformed);
        free(exact);
    }
}

/** A CNAME that a DNAME made stands at no name, wherever in the answer the DNAME is. */
static void test_client_response_of_a_dname(void **state)
{
    static struct message m;

    (void)state;
    for (int first = 0; first <= 1; first++) {
        message_begin(&m, MESSAGE_AA, "www.shop.test", wire_type_mx);
        if (!first)
            message_cname(&m, "www.shop.test", 60, "www.cdn.test");
        message_dname(&m, "shop.test", 60, "cdn.test");
        if (first)
            message_cname(&m, "www.shop.test", 60, "www.cdn.test");
        assert_int_equal(response(&m), mxclash_reply_other);
    }
    message_begin(&m, MESSAGE_AA, "shop.test", wire_type_mx);
    message_dname(&m, "shop.test", 60, "cdn.test");
    message_cname(&m, "shop.test", 60, "www.cdn.test");
    assert_int_equal(response(&m), mxclash_reply_hides);
}

/* --- the queue of events ------------------------------------------------------------------------
 */

static void begin_with_queue(uint32_t events)
{
    struct mxclash_options options = detector_options();

    options.queue_events = events;
    options.table_size = 8 << 20;
    detector_begin(&options);
}

static void test_events_are_taken(void **state)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    size_t taken = 0;

    (void)state;
    assert_false(mxclash_event_next(detector.engine, &event));
    begin_with_queue(8);
    assert_false(mxclash_event_next(detector.engine, &event));
    /* over the end of the ring many times, and the same as the callback got */
    for (int i = 0; i < 200; i++) {
        char owner[48];

        snprintf(owner, sizeof(owner), "n%d%s.test", i, i % 3 ? "" : "-of-a-longer-name");
        detector.now += SECOND;
        see(owner, MX_IS_BOTH());
        if (i % 5 != 4)
            continue;
        for (int j = 0; j < 5; j++, taken++) {
            const struct mxclash_event *told = &detector.events[taken];

            assert_true(mxclash_event_next(detector.engine, &event));
            assert_memory_equal(&event, told, MXCLASH_EVENT_SIZE(told));
        }
        assert_false(mxclash_event_next(detector.engine, &event));
    }
    assert_int_equal(stats_now().events_lost, 0);
}

static void test_events_are_lost(void **state)
{
    struct mxclash_event event = {.struct_size = sizeof(event)};
    char text[MXCLASH_NAME_TEXT_MAX];

    (void)state;
    begin_with_queue(3);
    for (int i = 0; i < 5; i++) {
        char owner[48];

        snprintf(owner, sizeof(owner), "n%d.test", i);
        see(owner, MX_IS_BOTH());
    }
    assert_int_equal(stats_now().events_lost, 2);
    for (int i = 0; i < 3; i++) {
        char owner[48];

        snprintf(owner, sizeof(owner), "n%d.test", i);
        assert_true(mxclash_event_next(detector.engine, &event));
        assert_int_equal(mxclash_name_to_text(event.owner, event.owner_len, text), mxclash_ok);
        assert_string_equal(text, owner);
    }
    assert_false(mxclash_event_next(detector.engine, &event));
}

/* --- when there is something to do --------------------------------------------------------------
 */

static int64_t due(void)
{
    return mxclash_next_due(detector.engine, detector.now);
}

/** Who sleeps as it says, and then does what it says, misses nothing and never spins. */
static void test_next_due(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    unsigned taken = 0, looks = 0;

    (void)state;
    options.probe_rate = 4;
    detector_begin(&options);
    assert_int_equal(due(), INT64_MAX);
    for (int i = 0; i < 20; i++) {
        char owner[48];

        snprintf(owner, sizeof(owner), "n%d.test", i);
        see(owner, A_IS_CNAME(.zone = "test"));
        see(owner, MX_IS_MX(.zone = "test"));
    }
    assert_int_equal(due(), 0);
    while (due() != INT64_MAX) {
        int64_t wait = due();

        assert_in_range(wait, 0, 4000);
        detector.now += wait;
        assert_int_equal(due(), 0);
        assert_true(take_proof(&proof));
        taken++;
        while (take_proof(&proof))
            taken++;
        assert_in_range(++looks, 1, 20);
    }
    assert_int_equal(taken, 20);
    /* two a second after the first burst */
    assert_in_range(detector.now - DETECTOR_START, 8 * SECOND, 10 * SECOND);
}

static void test_next_due_of_a_second_look(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.confirm_after_s = 5;
    detector_begin(&options);
    see("shop.test", MX_IS_MX());
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(due(), 4000);
    detector.now += due();
    expect_no_proof();
    assert_int_equal(due(), SECOND);
    detector.now += due();
    assert_int_equal(due(), 0);
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->state, mxclash_confirmed);
    assert_int_equal(due(), INT64_MAX);
}

static void test_next_due_of_a_held_event(void **state)
{
    struct mxclash_options options = detector_options();
    struct mxclash_lookup lookup = {.struct_size = sizeof(lookup)};

    (void)state;
    options.lookup = true;
    detector_begin(&options);
    see("shop.test", MX_IS_BOTH());
    expect_no_event();
    assert_int_equal(due(), 0);
    assert_true(mxclash_lookup_next(detector.engine, detector.now, &lookup));
    assert_int_equal(due(), 200);
    detector.now += 150;
    assert_int_equal(due(), 50);
    detector.now += 50;
    assert_int_equal(due(), 0);
    assert_true(mxclash_tick(detector.engine));
    assert_int_equal(due(), 200);
    /* the clock is set back */
    detector.now -= HOUR;
    assert_int_equal(due(), 200);
    detector.now += 200;
    assert_int_equal(due(), 0);
    assert_false(mxclash_tick(detector.engine));
    assert_int_equal(detector.event_count, 1);
    assert_int_equal(due(), INT64_MAX);
}

/* --- a host that asks by itself -----------------------------------------------------------------
 */

static void test_hints_and_decided(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    struct wire_name zone = wire_name_of("test");

    (void)state;
    see("shop.test", MX_IS_MX(.zone = "test"));
    see("shop.test", A_IS_CNAME(.zone = "test"));
    assert_true(take_proof(&proof));
    assert_int_equal(proof.zone_len, zone.len);
    assert_memory_equal(proof.zone, zone.octets, zone.len);
    assert_int_equal(proof.authority.family, 4);
    assert_memory_equal(proof.authority.octets, ((uint8_t[16]){192, 0, 2, 53}), 16);
    assert_false(mxclash_proof_decided(detector.engine, &proof));
    /* one answer says it all */
    answer_proof(&proof, MX_IS_BOTH(.zone = "test"));
    assert_true(mxclash_proof_decided(detector.engine, &proof));
    assert_int_equal(next_event("shop.test")->type, mxclash_opened);
    end_proof(&proof);
    expect_no_event();
}

static void test_stats_by_name(void **state)
{
    struct mxclash_stat stat = {.struct_size = sizeof(stat)};
    uint64_t open = 0, limit = 0;
    uint32_t count = 0;

    (void)state;
    see("shop.test", MX_IS_BOTH());
    for (; mxclash_get_stat(detector.engine, count, &stat); count++) {
        assert_memory_equal(stat.name, "mxclash_", 8);
        assert_int_equal(stat.is_counter, strcmp(stat.name + strlen(stat.name) - 6, "_total") == 0);
        assert_int_equal(stat.label == NULL, stat.label_value == NULL);
        if (stat.label != NULL)
            assert_string_not_equal(stat.label_value, "?");
        if (strcmp(stat.name, "mxclash_conflicts") == 0 &&
            strcmp(stat.label_value, "cname-and-mx") == 0 &&
            strcmp(stat.label_2_value, "confirmed") == 0)
            open += stat.value;
        if (strcmp(stat.name, "mxclash_table_bytes_limit") == 0)
            limit = stat.value;
    }
    assert_in_range(count, 50, 100);
    assert_int_equal(open, 1);
    assert_int_equal(limit, 1 << 20);
    assert_false(mxclash_get_stat(detector.engine, UINT32_MAX, &stat));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_options_of_other_sizes),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_errors_in_words),
        WITH_DETECTOR(test_answers_of_other_sizes),
        WITH_DETECTOR(test_what_is_given_to_other_sizes),
        WITH_DETECTOR(test_records_are_judged_as_messages),
        WITH_DETECTOR(test_records_that_are_none),
        WITH_DETECTOR(test_client_response),
        WITH_DETECTOR(test_client_response_of_a_dname),
        WITH_DETECTOR(test_events_are_taken),
        WITH_DETECTOR(test_events_are_lost),
        WITH_DETECTOR(test_next_due),
        WITH_DETECTOR(test_next_due_of_a_second_look),
        WITH_DETECTOR(test_next_due_of_a_held_event),
        WITH_DETECTOR(test_hints_and_decided),
        WITH_DETECTOR(test_stats_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
