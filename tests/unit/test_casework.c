/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of how a conflict begins: suspicion, proof, what each shows, what is no conflict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "core/engine/engine.h"
#include "detector.h"

#define OPENED(owner, state, evidence)                                                             \
    expect_event(owner, mxclash_opened, mxclash_cname_and_mx, state, evidence)

static void assert_name(const uint8_t *name, size_t len, const char *text)
{
    struct wire_name wanted = wire_name_of(text);

    assert_int_equal(len, wanted.len);
    assert_memory_equal(name, wanted.octets, len);
}

static void test_by_type_a_then_mx(void **state)
{
    const struct mxclash_event *event;
    struct engine_stats stats;

    (void)state;
    see("shop.test", A_IS_CNAME(.ttl_s = 300));
    see("shop.test", MX_IS_MX());
    expect_no_event();
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    event = OPENED("shop.test", mxclash_confirmed, mxclash_probe);
    assert_int_equal(event->apex, mxclash_apex_yes);
    assert_name(event->zone, event->zone_len, "shop.test");
    assert_name(event->cname_target, event->cname_target_len, TARGET);
    assert_int_equal(event->cname_ttl, 600);
    assert_int_equal(event->mx_count, 2);
    assert_int_equal(event->mx[0].preference, 5);
    assert_name(event->mx[0].exchange, event->mx[0].exchange_len, MX1);
    assert_int_equal(event->mx[1].preference, 10);
    assert_name(event->mx[1].exchange, event->mx[1].exchange_len, MX2);
    assert_int_equal(event->first_seen, detector.now);
    assert_int_equal(event->last_seen, detector.now);
    assert_int_equal(event->mx_queries, 0);
    assert_int_equal(event->held_back, 0);
    assert_int_equal(event->advice, mxclash_remove_cname | mxclash_replace_cname_with_address |
                                        mxclash_move_cname | mxclash_separate_mail_domain |
                                        mxclash_flatten_cname);
    assert_string_equal(event->provider, "");
    assert_int_equal(event->authority.family, 4);
    assert_int_equal(event->authority.port, 53);
    assert_memory_equal(event->authority.octets, ((uint8_t[16]){192, 0, 2, 53}), 16);
    stats = stats_now();
    assert_int_equal(stats.opened[mxclash_cname_and_mx], 1);
    assert_int_equal(stats.open_now[mxclash_cname_and_mx][mxclash_confirmed], 1);
    assert_int_equal(stats.proofs[mxclash_proof_both], 1);
    expect_no_proof();
}

static void test_by_type_mx_then_a(void **state)
{
    (void)state;
    see("shop.test", MX_IS_MX());
    expect_no_proof();
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    OPENED("shop.test", mxclash_confirmed, mxclash_probe);
}

static void test_address_alone_at_an_apex(void **state)
{
    (void)state;
    see("Shop.TEST", A_IS_CNAME());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    OPENED("shop.test", mxclash_confirmed, mxclash_probe);
}

static void test_below_the_apex(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("sub.shop.test", A_IS_CNAME(.zone = "shop.test"));
    expect_no_proof();
    see("sub.shop.test", MX_IS_MX(.zone = "shop.test"));
    prove(MX_IS_MX(.zone = "shop.test"), CNAME_IS_CNAME(.zone = "shop.test"));
    event = OPENED("sub.shop.test", mxclash_confirmed, mxclash_probe);
    assert_int_equal(event->apex, mxclash_apex_no);
    assert_name(event->zone, event->zone_len, "shop.test");
}

/** Once the zone has been asked it is known, until the zone above it answers for the owner with
 * authority: then it is no zone any more. */
static void test_apex_that_is_known(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("shop.test", A_IS_CNAME());
    see("shop.test", A_IS_CNAME(.zone = "test", .no_aa = true));
    see("shop.test", A_IS_CNAME(.zone = "test", .forwarded = true));
    see("shop.test", A_IS_CNAME(.no_zone = true));
    prove(MX_IS_MX(.no_zone = true), CNAME_IS_CNAME(.no_zone = true));
    event = OPENED("shop.test", mxclash_confirmed, mxclash_probe);
    assert_int_equal(event->apex, mxclash_apex_yes);
    assert_name(event->zone, event->zone_len, "shop.test");
    see("shop.test", A_IS_CNAME(.zone = "test"));
    see("shop.test", A_IS_A());
    event = next_event("shop.test");
    assert_int_equal(event->apex, mxclash_apex_yes);
    detector_setup(state);
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_MX(.zone = "test"), CNAME_IS_CNAME(.no_zone = true));
    event = OPENED("shop.test", mxclash_confirmed, mxclash_probe);
    assert_int_equal(event->apex, mxclash_apex_no);
    assert_name(event->zone, event->zone_len, "test");
    see("sub.shop.test", MX_IS_BOTH(.zone = "shop.test"));
    assert_int_equal(next_event("sub.shop.test")->type, mxclash_opened);
    see("sub.shop.test", A_IS_A(.no_zone = true));
    event = next_event("sub.shop.test");
    assert_int_equal(event->apex, mxclash_apex_no);
    assert_name(event->zone, event->zone_len, "shop.test");
}

/** The name that the operator gave a stub zone is no cut, but a record in its answers shows one. A
 * zone above it that answers is one, stub or not. */
static void test_name_of_a_stub(void **state)
{
    const struct {
        struct reply mx;
        enum mxclash_apex apex;
        const char *zone;
    } cases[] = {
        {MX_IS_MX(.stub = true), mxclash_apex_unknown, NULL},
        {MX_IS_MX(.stub = true, .soa = "shop.test"), mxclash_apex_yes, "shop.test"},
        {MX_IS_MX(.stub = true, .zone = "test"), mxclash_apex_no, "test"},
    };
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mxclash_event *event;

        detector_setup(state);
        see("shop.test", A_IS_CNAME(.stub = true));
        assert_true(take_proof(&proof));
        /* SOA is asked, as behind a forwarder */
        assert_int_equal(proof.qtype_count, 3);
        assert_int_equal(proof.qtypes[2], wire_type_soa);
        answer_proof(&proof, CNAME_IS_CNAME(.stub = true));
        answer_proof(&proof, cases[i].mx);
        end_proof(&proof);
        event = OPENED("shop.test", mxclash_confirmed, mxclash_probe);
        assert_int_equal(event->apex, cases[i].apex);
        if (cases[i].zone != NULL)
            assert_name(event->zone, event->zone_len, cases[i].zone);
        else
            assert_int_equal(event->zone_len, 0);
    }
    /* an alias that is answered so to every type is no cname-at-apex, however often mail is asked
     */
    detector_setup(state);
    see("shop.test", A_IS_CNAME(.stub = true));
    prove(MX_IS_CNAME(.stub = true), CNAME_IS_CNAME(.stub = true));
    for (int i = 0; i < 20; i++, detector.now += 2 * MINUTE)
        client_mx("shop.test", true);
    expect_no_event();
}

/** The zone above answers with authority where it referred before: there is no cut any more, and an
 * alias is lawful. */
static void test_cut_that_was_removed(void **state)
{
    (void)state;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    client_mx("shop.test", true);
    expect_event("shop.test", mxclash_opened, mxclash_cname_at_apex, mxclash_suspected,
                 mxclash_probe);
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME(.zone = "test"));
    prove(MX_IS_CNAME(.zone = "test"), CNAME_IS_CNAME(.zone = "test"));
    expect_event("shop.test", mxclash_cleared, mxclash_cname_at_apex, mxclash_suspected,
                 mxclash_probe);
    for (int i = 0; i < 20; i++, detector.now += 2 * MINUTE)
        client_mx("shop.test", true);
    expect_no_event();
    /* a record outweighs whose servers were asked: both zones are held by the same */
    detector_setup(state);
    see("shop.test", MX_IS_CNAME(.soa = "shop.test"));
    client_mx("shop.test", true);
    assert_int_equal(next_event("shop.test")->apex, mxclash_apex_yes);
    see("shop.test", A_IS_CNAME(.zone = "test"));
    prove(MX_IS_CNAME(.zone = "test"), CNAME_IS_CNAME(.zone = "test"));
    expect_no_event();
    detector.now += HOUR;
    client_mx("shop.test", true);
    /* until one shows that it is below */
    prove(NO_MX(.zone = "test", .soa = "test"), CNAME_IS_CNAME(.zone = "test"));
    assert_int_equal(next_event("shop.test")->apex, mxclash_apex_no);
}

/** Below an apex a resolver may never ask MX: the client that got the CNAME makes the suspect. */
static void test_hidden_from_a_client(void **state)
{
    (void)state;
    see("sub.shop.test", A_IS_CNAME(.zone = "shop.test"));
    assert_false(client_mx("sub.shop.test", false));
    expect_no_proof();
    assert_false(client_mx("SUB.shop.test", true));
    prove(MX_IS_MX(.zone = "shop.test"), CNAME_IS_CNAME(.zone = "shop.test"));
    OPENED("sub.shop.test", mxclash_confirmed, mxclash_probe);
    assert_true(client_mx("sub.shop.test", true));
}

static void test_each_sighting_while_valid_only(void **state)
{
    (void)state;
    see("sub.shop.test", MX_IS_MX(.zone = "shop.test", .ttl_s = 60));
    detector.now += 60 * SECOND + 16 * SECOND;
    see("sub.shop.test", A_IS_CNAME(.zone = "shop.test"));
    expect_no_proof();
    detector.now += 599 * SECOND;
    see("sub.shop.test", MX_IS_MX(.zone = "shop.test"));
    prove(MX_IS_MX(.zone = "shop.test"), CNAME_IS_CNAME(.zone = "shop.test"));
    OPENED("sub.shop.test", mxclash_confirmed, mxclash_probe);
}

static void test_same_answer(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("tiny.test", MX_IS_BOTH());
    event = OPENED("tiny.test", mxclash_confirmed, mxclash_same_answer);
    assert_int_equal(event->mx_count, 2);
    assert_name(event->cname_target, event->cname_target_len, TARGET);
    assert_int_equal(event->authority.family, 4);
    /* as good as a proof: none is made until the next is due */
    expect_no_proof();
    detector.now += HOUR - 1;
    see("tiny.test", A_IS_CNAME());
    expect_no_proof();
    detector.now += 1;
    see("tiny.test", A_IS_CNAME());
    prove(MX_IS_BOTH(), CNAME_IS_CNAME());
    expect_no_event();
}

/** Where a proof is due such an answer stands for it: it tells of what has changed. */
static void test_same_answer_that_changes(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("tiny.test", MX_IS_BOTH());
    OPENED("tiny.test", mxclash_confirmed, mxclash_same_answer);
    detector.now += MINUTE;
    see("tiny.test", MX_ANSWER(.cname = "new.test", .mx = {MX1}));
    expect_no_event();
    detector.now += HOUR;
    see("tiny.test", MX_ANSWER(.cname = "new.test", .mx = {MX1}));
    event = expect_event("tiny.test", mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed,
                         mxclash_same_answer);
    assert_int_equal(event->mx_count, 1);
    assert_name(event->cname_target, event->cname_target_len, "new.test");
}

/** In all these one answer has both, but does not settle it. */
static void test_same_answer_that_only_suspects(void **state)
{
    static const struct reply replies[] = {
        /* ANY may come from a cache that outlived a move */
        {.qtype = wire_type_any, .cname = TARGET, .mx = {MX1}},
        /* no authority */
        {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}, .no_aa = true},
        {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}, .no_aa = true, .forwarded = true},
        {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}, .recurses = true, .forwarded = true},
        /* not what was asked for: the end of a chain */
        {.qtype = wire_type_mx, .cname = TARGET, .mx = {MX1}, .qname = "x.tiny.test"},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        detector_setup(state);
        see("tiny.test", replies[i]);
        expect_no_event();
        prove(MX_IS_CNAME(), CNAME_IS_CNAME());
        expect_no_event();
        assert_int_equal(stats_now().proofs[mxclash_proof_cname_only], 1);
    }
}

/** A cache's word makes a suspect; it is believed when repeated after all that it then had. */
static void test_hearsay(void **state)
{
    const struct reply mx = MX_IS_MX(.no_aa = true, .forwarded = true, .ttl_s = 7200);
    const struct reply cname = CNAME_IS_CNAME(.no_aa = true, .forwarded = true, .ttl_s = 60);
    const struct mxclash_event *event;

    (void)state;
    see("shop.test", mx);
    see("shop.test", cname);
    prove(mx, cname);
    event = OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
    assert_int_equal(event->apex, mxclash_apex_unknown);
    assert_int_equal(event->zone_len, 0);
    detector.now += HOUR;
    see("shop.test", cname);
    expect_no_proof();
    detector.now += HOUR;
    see("shop.test", cname);
    expect_no_proof();
    detector.now += 2 * SECOND;
    see("shop.test", cname);
    prove(mx, cname);
    expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_probe);
}

/** There are caches that set AA. A forwarder that recurses may be one; an authority that recurses
 * too is asked for its own zone, and one that is forwarded to and does not recurse has no cache. */
static void test_hearsay_with_aa(void **state)
{
    static const struct {
        bool forwarded, recurses;
        enum mxclash_state state;
    } cases[] = {{true, true, mxclash_suspected},
                 {true, false, mxclash_confirmed},
                 {false, true, mxclash_confirmed}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool forwarded = cases[i].forwarded, recurses = cases[i].recurses;

        detector_setup(state);
        see("shop.test", MX_IS_MX(.forwarded = forwarded, .recurses = recurses));
        see("shop.test", A_IS_CNAME(.forwarded = forwarded, .recurses = recurses));
        prove(MX_IS_MX(.forwarded = forwarded, .recurses = recurses),
              CNAME_IS_CNAME(.forwarded = forwarded, .recurses = recurses));
        OPENED("shop.test", cases[i].state,
               cases[i].state == mxclash_confirmed ? mxclash_probe : mxclash_separate_answers);
    }
}

/** Proved again before that, as when mail is asked there for the first time: still only a suspect.
 */
static void test_hearsay_repeated_too_soon(void **state)
{
    const struct reply mx = MX_IS_MX(.no_aa = true, .forwarded = true, .ttl_s = 7200);
    const struct reply cname = CNAME_IS_CNAME(.no_aa = true, .forwarded = true);

    (void)state;
    see("shop.test", mx);
    see("shop.test", A_IS_CNAME());
    prove(mx, cname);
    OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
    detector.now += HOUR;
    assert_true(client_mx("shop.test", true));
    prove(mx, cname);
    expect_no_event();
    detector.now += 2 * HOUR;
    see("shop.test", cname);
    prove(mx, cname);
    expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_probe);
}

/** However long a cache says that it will keep it, a suspect is looked at again within a day. */
static void test_hearsay_with_an_endless_ttl(void **state)
{
    const struct reply mx = MX_IS_MX(.no_aa = true, .forwarded = true, .ttl_s = INT32_MAX);
    const struct reply cname = CNAME_IS_CNAME(.no_aa = true, .forwarded = true, .ttl_s = INT32_MAX);

    (void)state;
    see("shop.test", mx);
    see("shop.test", cname);
    prove(mx, cname);
    OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
    detector.now += 24 * HOUR + MINUTE;
    see("shop.test", cname);
    prove(MX_IS_MX(.no_aa = true, .forwarded = true), NO_CNAME(.no_aa = true, .forwarded = true));
    expect_event("shop.test", mxclash_cleared, mxclash_cname_and_mx, mxclash_suspected,
                 mxclash_separate_answers);
}

static void test_failed_proof(void **state)
{
    (void)state;
    see("shop.test", A_IS_CNAME());
    see("shop.test", MX_IS_MX());
    fail_proof();
    OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
    /* again after 30 s, then ever later, up to the recheck interval */
    for (mxclash_time wait = CASE_RETRY_MS; wait < HOUR; wait *= 2) {
        detector.now += wait - 1;
        see("shop.test", MX_IS_MX());
        expect_no_proof();
        detector.now += 1;
        see("shop.test", MX_IS_MX());
        fail_proof();
    }
    for (int i = 0; i < 30; i++) {
        detector.now += HOUR - 1;
        see("shop.test", MX_IS_MX());
        expect_no_proof();
        detector.now += 1;
        see("shop.test", MX_IS_MX());
        fail_proof();
    }
    expect_no_event();
    detector.now += HOUR;
    see("shop.test", MX_IS_MX());
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_probe);
}

static void test_failed_proof_shows_nothing(void **state)
{
    (void)state;
    /* no MX was seen */
    see("shop.test", A_IS_CNAME());
    fail_proof();
    /* or no more valid */
    see("sub.shop.test", MX_IS_MX(.zone = "shop.test", .ttl_s = 30));
    detector.now += HOUR;
    see("sub.shop.test", A_IS_CNAME(.zone = "shop.test"));
    assert_false(client_mx("sub.shop.test", true));
    fail_proof();
    expect_no_event();
    assert_int_equal(stats_now().proofs[mxclash_proof_failed], 2);
}

/** A move: the authority has since shown the MX to be gone, so a failed proof leaves nothing. */
static void test_failed_proof_after_a_move(void **state)
{
    (void)state;
    see("shop.test", MX_IS_MX());
    see("shop.test", A_IS_CNAME());
    see("shop.test", MX_IS_CNAME());
    fail_proof();
    expect_no_event();
    /* the other way round */
    see("food.test", A_IS_CNAME());
    see("food.test", MX_IS_MX());
    see("food.test", CNAME_ANSWER(.mx = {"mx.test"}));
    fail_proof();
    expect_no_event();
}

static void test_what_a_proof_shows(void **state)
{
    static const struct {
        struct reply mx, cname;
        enum mxclash_proof_result result;
    } proofs[] = {
        {{.qtype = 15, .cname = TARGET}, {.qtype = 5, .cname = TARGET}, mxclash_proof_cname_only},
        {{.qtype = 15}, {.qtype = 5, .cname = TARGET}, mxclash_proof_cname_only},
        {{.qtype = 15, .mx = {MX1}}, {.qtype = 5}, mxclash_proof_mx_only},
        {{.qtype = 15}, {.qtype = 5}, mxclash_proof_neither},
        {{.qtype = 15, .rcode = 3}, {.qtype = 5, .rcode = 3}, mxclash_proof_neither},
        /* null MX: no mail is wanted (RFC 7505) */
        {{.qtype = 15, .mx = {"."}}, {.qtype = 5, .cname = TARGET}, mxclash_proof_cname_only},
        {{.qtype = 15, .rcode = 2}, {.qtype = 5, .cname = TARGET}, mxclash_proof_failed},
        {{.qtype = 15, .mx = {MX1}}, {.qtype = 5, .rcode = 5}, mxclash_proof_failed},
        /* lame, and a referral: neither says that there is none */
        {{.qtype = 15, .mx = {MX1}}, {.qtype = 5, .no_aa = true}, mxclash_proof_failed},
        {{.qtype = 15, .mx = {MX1}},
         {.qtype = 5, .no_aa = true, .referral = true},
         mxclash_proof_failed},
    };

    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
        detector_setup(state);
        see("shop.test", A_IS_CNAME());
        prove(proofs[i].mx, proofs[i].cname);
        for (int result = 0; result < MXCLASH_PROOF_RESULTS; result++)
            assert_int_equal(stats_now().proofs[result], result == (int)proofs[i].result);
        expect_no_event();
        /* the A question's CNAME and the proof's MX were both valid: a suspect at least, once the
         * type A is not answered either */
        if (proofs[i].result == mxclash_proof_failed && proofs[i].mx.mx[0] != NULL) {
            fail_proof();
            OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
        }
    }
}

/** Answers that do not belong to the question are passed over, whatever they hold. */
static void test_answers_of_others_in_a_proof(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    answer_proof(&proof, MX_IS_MX(.qname = "other.test", .zone = "test"));
    answer_proof(&proof, MX_IS_MX(.zone = "other.test"));
    answer_proof(&proof, MX_IS_MX(.rcode = MESSAGE_SERVFAIL));
    /* the question of a minimising resolver */
    answer_proof(&proof, A_IS_CNAME());
    answer_proof(&proof, NO_MX(.no_aa = true, .referral = true));
    end_proof(&proof);
    assert_int_equal(stats_now().proofs[mxclash_proof_failed], 1);
    detector.now += CASE_RETRY_MS;
    see("shop.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    answer_proof(&proof, NO_MX(.rcode = MESSAGE_REFUSED));
    answer_proof(&proof, MX_IS_MX());
    expect_no_event();
    answer_proof(&proof, CNAME_IS_CNAME());
    OPENED("shop.test", mxclash_confirmed, mxclash_probe);
}

static void test_no_probe(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.probe = false;
    detector_begin(&options);
    see("shop.test", A_IS_CNAME());
    assert_false(client_mx("sub.shop.test", true));
    expect_no_event();
    see("shop.test", MX_IS_MX());
    OPENED("shop.test", mxclash_suspected, mxclash_separate_answers);
    see("tiny.test", MX_IS_BOTH());
    OPENED("tiny.test", mxclash_confirmed, mxclash_same_answer);
    see("shop.test", MX_IS_BOTH());
    expect_event("shop.test", mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_same_answer);
    expect_no_proof();
}

/** The sieve holds an MX for an owner that never had one: the fingerprint is another's. */
static void test_fingerprint_that_lies(void **state)
{
    struct mxclash_options options = detector_options();
    struct wire_name other = wire_name_of("other.test");

    (void)state;
    for (int probe = 0; probe <= 1; probe++) {
        options.probe = probe;
        detector_begin(&options);
        sieve_note(&detector.engine->sieve, engine_hash(detector.engine, other.octets, other.len),
                   false, 0, true, 86400, detector.now);
        /* at an apex and below one */
        see("other.test", A_IS_CNAME());
        client_mx("other.test", true);
        if (probe) {
            fail_proof();
            detector.now += CASE_RETRY_MS;
            see("other.test", A_IS_CNAME());
            prove(MX_IS_CNAME(), CNAME_IS_CNAME());
            expect_event("other.test", mxclash_opened, mxclash_cname_at_apex, mxclash_suspected,
                         mxclash_probe);
        }
        expect_no_event();
        assert_int_equal(stats_now().opened[mxclash_cname_and_mx], 0);
    }
}

static void test_made_from_a_dname(void **state)
{
    static struct message m;
    const struct reply reply = {.zone = "old.test"};

    (void)state;
    see("mail.old.test", MX_IS_MX(.zone = "old.test"));
    message_begin(&m, MESSAGE_AA, "mail.old.test", wire_type_a);
    message_dname(&m, "old.test", 600, "new.test");
    message_cname(&m, "mail.old.test", 600, "mail.new.test");
    assert_int_equal(detector_hand_in(&m, &reply, "old.test", NULL, 0), mxclash_ok);
    expect_no_proof();
}

static void test_outside_the_zone(void **state)
{
    (void)state;
    see("bank.test", MX_IS_BOTH(.zone = "evil.test", .qname = "www.evil.test"));
    see("bank.test", MX_IS_BOTH(.zone = "evil.test"));
    see("bank.test", MX_IS_BOTH(.no_zone = true, .qname = "evil.test"));
    expect_no_event();
    expect_no_proof();
    assert_int_equal(stats_now().table_entries, 0);
    see("bank.test", MX_IS_BOTH(.no_zone = true));
    OPENED("bank.test", mxclash_confirmed, mxclash_same_answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_by_type_a_then_mx),
        WITH_DETECTOR(test_by_type_mx_then_a),
        WITH_DETECTOR(test_address_alone_at_an_apex),
        WITH_DETECTOR(test_below_the_apex),
        WITH_DETECTOR(test_apex_that_is_known),
        WITH_DETECTOR(test_name_of_a_stub),
        WITH_DETECTOR(test_cut_that_was_removed),
        WITH_DETECTOR(test_hidden_from_a_client),
        WITH_DETECTOR(test_each_sighting_while_valid_only),
        WITH_DETECTOR(test_same_answer),
        WITH_DETECTOR(test_same_answer_that_changes),
        WITH_DETECTOR(test_same_answer_that_only_suspects),
        WITH_DETECTOR(test_hearsay),
        WITH_DETECTOR(test_hearsay_with_aa),
        WITH_DETECTOR(test_hearsay_repeated_too_soon),
        WITH_DETECTOR(test_hearsay_with_an_endless_ttl),
        WITH_DETECTOR(test_failed_proof),
        WITH_DETECTOR(test_failed_proof_shows_nothing),
        WITH_DETECTOR(test_failed_proof_after_a_move),
        WITH_DETECTOR(test_what_a_proof_shows),
        WITH_DETECTOR(test_answers_of_others_in_a_proof),
        WITH_DETECTOR(test_no_probe),
        WITH_DETECTOR(test_fingerprint_that_lies),
        WITH_DETECTOR(test_made_from_a_dname),
        WITH_DETECTOR(test_outside_the_zone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
