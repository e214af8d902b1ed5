/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the answers that a proof gets: which are none of its own, and what those without
 * AA are worth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detector.h"

#define OWNER "sub.shop.test"
#define ZONE  .zone = "shop.test"
#define LAME  ZONE, .no_aa = true
/** out of a forwarder's cache */
#define FORWARDED LAME, .forwarded = true

#define OPENED(state, evidence)                                                                    \
    expect_event(OWNER, mxclash_opened, mxclash_cname_and_mx, state, evidence)

/** A proof of the owner waits. */
static void want_proof(void)
{
    see(OWNER, A_IS_CNAME(ZONE));
    client_mx(OWNER, true);
}

static enum mxclash_status hand_in(const struct mxclash_proof *proof, uint16_t asked,
                                   struct reply reply, const char *owner)
{
    static struct message m;

    reply_build(&m, owner, &reply);
    return detector_hand_in(&m, &reply, owner, proof, asked);
}

/** A resolver that minimises asks A on its way down (RFC 9156), here for the MX question of a
 * proof: that gets the CNAME says nothing of the MX. The parent's answers say nothing of the owner,
 * nor do those of another class. */
static void test_answers_to_other_questions(void **state)
{
    static struct message m;
    const struct reply chaos = {.zone = "shop.test"};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    want_proof();
    assert_true(take_proof(&proof));
    hand_in(&proof, wire_type_mx, A_IS_CNAME(ZONE), OWNER);
    hand_in(&proof, wire_type_cname, A_IS_CNAME(ZONE), OWNER);
    hand_in(&proof, wire_type_mx, MX_IS_BOTH(), "shop.test");
    message_begin_class(&m, MESSAGE_QR | MESSAGE_AA, OWNER, wire_type_mx, 3);
    message_soa(&m, "shop.test");
    detector_hand_in(&m, &chaos, OWNER, &proof, wire_type_mx);
    message_begin_class(&m, MESSAGE_QR | MESSAGE_AA, OWNER, wire_type_cname, 3);
    message_soa(&m, "shop.test");
    detector_hand_in(&m, &chaos, OWNER, &proof, wire_type_cname);
    end_proof(&proof);
    assert_int_equal(stats_now().proofs[mxclash_proof_failed], 1);
    expect_no_event();
}

/** Whichever of the two is answered first. */
static void test_cname_before_mx(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    want_proof();
    assert_true(take_proof(&proof));
    answer_proof(&proof, CNAME_IS_CNAME(ZONE));
    expect_no_event();
    answer_proof(&proof, MX_IS_MX(ZONE));
    OPENED(mxclash_confirmed, mxclash_probe);
}

/** A lame server has its say out of a cache, beside the authority (RFC 1912 2.8) or without one: it
 * answers no question of a proof, whatever it says, and the next server may. */
static void test_lame_server(void **state)
{
    const struct reply words[] = {MX_IS_MX(LAME),
                                  MX_IS_CNAME(LAME),
                                  MX_IS_BOTH(LAME),
                                  NO_MX(LAME),
                                  NO_MX(LAME, .soa = "shop.test"),
                                  NO_MX(LAME, .rcode = MESSAGE_NXDOMAIN)};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        /* of the MX, of the CNAME, of both */
        for (int which = 1; which <= 3; which++) {
            struct reply cname = words[i];

            cname.qtype = wire_type_cname;
            detector_setup(state);
            want_proof();
            prove(which & 1 ? words[i] : MX_IS_MX(ZONE), which & 2 ? cname : CNAME_IS_CNAME(ZONE));
            expect_no_event();
            assert_int_equal(stats_now().proofs[mxclash_proof_failed], 1);
        }
        /* before and after the authority, a conflict that is open and one that is not */
        for (int open = 0; open <= 1; open++) {
            detector_setup(state);
            want_proof();
            if (open) {
                prove(MX_IS_MX(ZONE), CNAME_IS_CNAME(ZONE));
                OPENED(mxclash_confirmed, mxclash_probe);
                detector.now += HOUR;
                see(OWNER, A_IS_CNAME(ZONE));
            }
            assert_true(take_proof(&proof));
            answer_proof(&proof, words[i]);
            answer_proof(&proof, CNAME_IS_CNAME(ZONE));
            expect_no_event();
            answer_proof(&proof, MX_IS_MX(ZONE));
            if (open)
                expect_no_event();
            else
                assert_int_equal(OPENED(mxclash_confirmed, mxclash_probe)->mx_count, 2);
            answer_proof(&proof, words[i]);
            assert_int_equal(stats_now().proofs[mxclash_proof_both], 1 + (unsigned)open);
        }
    }
}

/** Nor does it take part in what is known of an owner, but for the suspicion. */
static void test_lame_server_outside_of_a_proof(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    see(OWNER, MX_IS_BOTH(LAME));
    fail_proof();
    expect_no_event();
    options.probe = false;
    detector_begin(&options);
    see(OWNER, A_IS_CNAME(LAME));
    see(OWNER, MX_IS_MX(LAME));
    see(OWNER, MX_IS_BOTH(LAME));
    see(OWNER, A_IS_CNAME(ZONE));
    see(OWNER, MX_IS_MX(LAME));
    expect_no_event();
    see(OWNER, MX_IS_MX(ZONE));
    OPENED(mxclash_suspected, mxclash_separate_answers);
}

/** An MX set is held against its provider's only if the authority gave it to the MX question. */
static void test_mx_sets_that_are_not_judged(void **state)
{
    const struct reply mixed = {
        .qtype = wire_type_mx, .mx = {"mx1.qiye.aliyun.com", MX1}, .zone = "shop.test"};
    struct reply other = mixed;

    (void)state;
    other.no_aa = true;
    want_proof();
    other.forwarded = true;
    prove(other, CNAME_IS_CNAME(FORWARDED));
    OPENED(mxclash_suspected, mxclash_separate_answers);
    assert_int_equal(stats_now().opened[mxclash_foreign_mx], 0);
    /* nor outside a proof, nor to ANY, which may come from a cache, nor at the end of a chain */
    see(OWNER, other);
    other = mixed;
    other.qtype = wire_type_any;
    see(OWNER, other);
    other = mixed;
    other.qname = "www.shop.test";
    see(OWNER, other);
    expect_no_event();
    see(OWNER, mixed);
    assert_int_equal(next_event(OWNER)->kind, mxclash_foreign_mx);
    /* and such an answer alone begins no case */
    detector_setup(state);
    see(OWNER, other);
    other = mixed;
    other.qtype = wire_type_any;
    see(OWNER, other);
    other = mixed;
    other.no_aa = true;
    see(OWNER, other);
    assert_int_equal(stats_now().table_entries, 0);
}

/** The name of a forward zone is no zone cut, so a CNAME there is no suspect. */
static void test_cname_of_a_forward_zone(void **state)
{
    (void)state;
    see(OWNER, A_IS_CNAME(.forwarded = true));
    expect_no_proof();
    assert_int_equal(stats_now().table_entries, 0);
    see(OWNER, A_IS_CNAME());
    assert_int_equal(stats_now().table_entries, 1);
}

/** What a proof did not see is gone: it is valid beside nothing that comes later, no CNAME is left
 * to be proved again, no mailbox to be wrong, and an apex whose MX gets no CNAME is no conflict. */
static void test_what_a_proof_did_not_see(void **state)
{
    (void)state;
    see("shop.test", A_IS_CNAME());
    see("shop.test", MX_IS_MX(.ttl_s = 86400));
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    fail_proof();
    expect_no_event();
    see("mart.test", A_IS_CNAME());
    prove(MX_IS_MX(), NO_CNAME());
    detector.now += HOUR;
    see("mart.test", MX_IS_MX());
    expect_no_proof();
    see("food.test", MX_ANSWER(.mx = {"mx1.qiye.aliyun.com", MX1}));
    assert_int_equal(next_event("food.test")->kind, mxclash_foreign_mx);
    assert_int_equal(next_event("food.test")->kind, mxclash_incomplete_mx);
    see("food.test", A_IS_CNAME());
    prove(NO_MX(), NO_CNAME());
    for (int kind = 0; kind < 2; kind++)
        assert_int_equal(next_event("food.test")->type, mxclash_cleared);
    see("power.test", MX_IS_CNAME());
    client_mx("power.test", true);
    assert_int_equal(next_event("power.test")->kind, mxclash_cname_at_apex);
    prove(NO_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event("power.test")->type, mxclash_cleared);
    expect_no_event();
}

/** A cache's word that runs out soon is not asked for again sooner than anything else. */
static void test_recheck_of_short_hearsay(void **state)
{
    (void)state;
    want_proof();
    prove(MX_IS_MX(FORWARDED, .ttl_s = 30), CNAME_IS_CNAME(FORWARDED, .ttl_s = 30));
    OPENED(mxclash_suspected, mxclash_separate_answers);
    detector.now += HOUR - 1;
    see(OWNER, A_IS_CNAME(ZONE));
    expect_no_proof();
    detector.now += 1;
    see(OWNER, A_IS_CNAME(ZONE));
    prove(MX_IS_MX(FORWARDED), CNAME_IS_CNAME(FORWARDED));
    expect_event(OWNER, mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
}

/** Where no zone is known and no forwarder was asked, the SOA would tell nothing new. */
static void test_soa_is_asked_behind_a_forwarder_only(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, A_IS_CNAME(.no_zone = true));
    client_mx(OWNER, true);
    see(OWNER, A_IS_CNAME(.no_zone = true));
    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtype_count, 2);
    see("other.test", A_IS_CNAME(.no_zone = true, .forwarded = true));
    client_mx("other.test", true);
    see("other.test", A_IS_CNAME(.no_zone = true, .forwarded = true));
    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtype_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DETECTOR(test_answers_to_other_questions),
        WITH_DETECTOR(test_cname_before_mx),
        WITH_DETECTOR(test_lame_server),
        WITH_DETECTOR(test_lame_server_outside_of_a_proof),
        WITH_DETECTOR(test_mx_sets_that_are_not_judged),
        WITH_DETECTOR(test_what_a_proof_did_not_see),
        WITH_DETECTOR(test_recheck_of_short_hearsay),
        WITH_DETECTOR(test_cname_of_a_forward_zone),
        WITH_DETECTOR(test_soa_is_asked_behind_a_forwarder_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
