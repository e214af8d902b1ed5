/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The looks that mxclash_inspect() takes, held against each other: most answers are done with at a
 * short look, which only answers with compressed owners get. So whatever a detector makes of
 * compressed answers, its twin must make of the same answers written out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detector.h"

#define STEPS 60000

/** One detector of the two. */
struct twin {
    struct mxclash_engine *engine;
    unsigned events;
    struct mxclash_event last;
};

static void note_event(void *context, const struct mxclash_event *event)
{
    struct twin *twin = context;

    twin->events++;
    memset(&twin->last, 0, sizeof(twin->last));
    memcpy(&twin->last, event, MXCLASH_EVENT_SIZE(event));
}

static void begin(struct twin *twin)
{
    struct mxclash_options options = detector_options();

    options.probe_rate = 100000;
    options.recheck_interval_s = 60;
    options.expire_after_s = 31536000; /* when one is found expired depends on who looks */
    options.on_event = note_event;
    options.context = twin;
    assert_int_equal(mxclash_engine_new(&options, &twin->engine, NULL, 0), mxclash_ok);
}

/** Owners by number: most answers must be about one that has no case, as cases are looked at anew.
 */
#define OWNERS 20000
static const char *const forms[] = {"d%u.test", "www.d%u.test",        "%u.b",
                                    "D%u.Test", "deep.below.d%u.test", "www.%u.b"};
static const char *const zone_forms[] = {"d%u.test", "test",      "b",           "%u.b",
                                         ".",        "elsewhere", "www.d%u.test"};
static const char *const targets[] = {"www.cdn.test", "example.test", "t.example.test", "."};
static const uint16_t qtypes[] = {wire_type_a,    wire_type_a,  wire_type_a,    wire_type_a,
                                  wire_type_aaaa, wire_type_mx, wire_type_cname};

#define PICK(list) (list)[(size_t)random() % (sizeof(list) / sizeof((list)[0]))]

static void name_of(char text[64], const char *form, unsigned number)
{
    const char *at = strchr(form, '%');

    if (at == NULL)
        snprintf(text, 64, "%s", form);
    else
        snprintf(text, 64, "%.*s%u%s", (int)(at - form), form, number, at + 2);
}

/** What one step hands to both. */
struct step {
    char qname[64];
    char zone[64]; /* empty: unknown */
    uint16_t qtype;
    unsigned flags;
    bool forwarded;
    unsigned count;
    struct {
        uint16_t type;
        char owner[64];
        const char *target;
        uint32_t ttl_s;
    } records[4];
};

static void draw(struct step *step)
{
    unsigned number = (unsigned)random() % OWNERS;

    memset(step, 0, sizeof(*step));
    name_of(step->qname, PICK(forms), number);
    if (random() % 8 != 0)
        name_of(step->zone, PICK(zone_forms), number);
    step->qtype = PICK(qtypes);
    step->flags = random() % 8 == 0 ? 0 : MESSAGE_AA;
    if (random() % 16 == 0)
        step->flags |= random() % 2 ? MESSAGE_NXDOMAIN : MESSAGE_SERVFAIL;
    if (random() % 32 == 0)
        step->flags |= MESSAGE_TC;
    step->forwarded = random() % 8 == 0;
    step->count = (unsigned)random() % 4;
    for (unsigned i = 0; i < step->count; i++) {
        static const uint16_t types[] = {wire_type_cname, wire_type_cname, wire_type_a,
                                         wire_type_a,     wire_type_mx,    wire_type_dname};

        step->records[i].type = i == 0 && random() % 2 ? wire_type_cname : PICK(types);
        name_of(step->records[i].owner, random() % 3 == 0 ? PICK(forms) : step->qname, number);
        step->records[i].target = PICK(targets);
        step->records[i].ttl_s = (uint32_t)(random() % 8 == 0 ? 0 : random() % 3600);
    }
}

/** An alias that a DNAME behind it made, or an MX at the same owner. */
static void draw_dname(struct step *step)
{
    unsigned number = (unsigned)random() % (OWNERS / 10);

    memset(step, 0, sizeof(*step));
    name_of(step->qname, "www.d%u.test", number);
    name_of(step->zone, "test", number);
    step->flags = MESSAGE_AA;
    step->qtype = wire_type_a;
    step->count = 2;
    step->records[0].type = random() % 2 ? wire_type_mx : wire_type_cname;
    step->records[1].type = step->records[0].type == wire_type_mx ? wire_type_a : wire_type_dname;
    for (unsigned i = 0; i < 2; i++) {
        name_of(step->records[i].owner, i == 0 ? "www.d%u.test" : "d%u.test", number);
        step->records[i].target = PICK(targets);
        step->records[i].ttl_s = 3600;
    }
}

static enum mxclash_status hand_in(struct twin *twin, const struct step *step, bool compress,
                                   mxclash_time now)
{
    static struct message m;
    struct wire_name zone = wire_name_of(step->zone[0] != 0 ? step->zone : ".");
    struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                    .zone = step->zone[0] != 0 ? zone.octets : NULL,
                                    .zone_len = zone.len,
                                    .forwarded = step->forwarded};
    enum mxclash_status status;
    uint8_t *exact;

    message_begin(&m, step->flags, step->qname, step->qtype);
    m.compress = compress;
    for (unsigned i = 0; i < step->count; i++) {
        const char *owner = step->records[i].owner;
        uint32_t ttl_s = step->records[i].ttl_s;

        if (step->records[i].type == wire_type_cname)
            message_cname(&m, owner, ttl_s, step->records[i].target);
        else if (step->records[i].type == wire_type_dname)
            message_dname(&m, owner, ttl_s, step->records[i].target);
        else if (step->records[i].type == wire_type_mx)
            message_mx(&m, owner, ttl_s, 10, step->records[i].target);
        else
            message_a(&m, owner, ttl_s);
    }
    exact = message_exact(m.octets, m.len);
    answer.message = exact;
    answer.message_len = m.len;
    status = mxclash_inspect(twin->engine, &answer, now);
    free(exact);
    return status;
}

/** Both want the same proofs; they find both now and then. */
static unsigned prove_all(struct twin *a, struct twin *b, mxclash_time now)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)}, other = proof;
    unsigned proofs = 0;

    while (mxclash_proof_next(a->engine, now, &proof)) {
        bool both = random() % 2;
        char owner[MXCLASH_NAME_TEXT_MAX];

        proofs++;
        assert_true(mxclash_proof_next(b->engine, now, &other));
        assert_int_equal(proof.owner_len, other.owner_len);
        assert_memory_equal(proof.owner, other.owner, proof.owner_len);
        mxclash_name_to_text(proof.owner, proof.owner_len, owner);
        for (unsigned i = 0; i < 2; i++) {
            struct reply reply = proof.qtypes[i] == wire_type_mx
                                     ? (both ? MX_IS_MX() : MX_IS_CNAME())
                                     : CNAME_IS_CNAME();
            static struct message m;
            struct wire_name zone = wire_name_of(".");
            struct mxclash_answer answer = {
                .struct_size = sizeof(answer), .zone = zone.octets, .zone_len = zone.len};

            reply_build(&m, owner, &reply);
            answer.message = m.octets;
            answer.message_len = m.len;
            mxclash_proof_answer(a->engine, &proof, proof.qtypes[i], &answer, now);
            mxclash_proof_answer(b->engine, &other, proof.qtypes[i], &answer, now);
        }
        for (unsigned i = 0; i < proof.qtype_count; i++) {
            mxclash_proof_end(a->engine, &proof, proof.qtypes[i], now);
            mxclash_proof_end(b->engine, &other, other.qtypes[i], now);
        }
    }
    assert_false(mxclash_proof_next(b->engine, now, &other));
    return proofs;
}

static void test_looks_agree(void **state)
{
    struct twin compressed = {0}, written_out = {0};
    mxclash_time now = DETECTOR_START;
    unsigned proofs = 0;

    (void)state;
    begin(&compressed);
    begin(&written_out);
    srandom(20261122);
    for (unsigned i = 0; i < STEPS; i++) {
        struct engine_stats a, b;
        struct step step;

        if (random() % 8 == 0)
            draw_dname(&step);
        else
            draw(&step);
        now += random() % 200;
        assert_int_equal(hand_in(&compressed, &step, true, now),
                         hand_in(&written_out, &step, false, now));
        proofs += prove_all(&compressed, &written_out, now);
        engine_get_stats(compressed.engine, &a);
        engine_get_stats(written_out.engine, &b);
        assert_memory_equal(&a, &b, sizeof(a));
        assert_int_equal(compressed.events, written_out.events);
        assert_memory_equal(&compressed.last, &written_out.last, sizeof(compressed.last));
    }
    /* or nothing was compared */
    assert_in_range(proofs, 100, STEPS);
    assert_in_range(compressed.events, 100, STEPS);
    mxclash_engine_free(compressed.engine);
    mxclash_engine_free(written_out.engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
