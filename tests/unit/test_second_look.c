/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the second look: what waits for it, when it is made and what it asks, what it and
 * the answers in between settle; and of the CNAME that only an address shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/ring.h"
#include "core/cases/casework.h"
#include "core/cases/second_look.h"
#include "detector.h"
#include "txt.h"

#define OWNER   "shop.test"
#define CONFIRM (2 * SECOND)

#define OPENED(state, evidence)                                                                    \
    expect_event(OWNER, mxclash_opened, mxclash_cname_and_mx, state, evidence)
#define CLEARED()                                                                                  \
    expect_event(OWNER, mxclash_cleared, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe)

static int setup(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.confirm_after_s = CONFIRM / SECOND;
    detector_begin(&options);
    return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, detector_teardown)

static bool errands_wait(void)
{
    return mxclash_errands_wait(detector.engine);
}

/** Take the look that is due now; its MX and CNAME questions are answered so, with these serials;
 * serial 0: SOA gets no answer. */
static void look_with(struct reply mx, struct reply cname, uint32_t serial, uint32_t txt_serial)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_true(take_proof(&proof));
    answer_proof(&proof, cname);
    if (proof.in_turn && serial != 0)
        answer_proof(&proof,
                     (struct reply){
                         .qtype = wire_type_soa, .zone = mx.zone, .soa = OWNER, .serial = serial});
    answer_proof(&proof, mx);
    if (proof.in_turn && txt_serial != 0)
        answer_proof(&proof, (struct reply){.qtype = wire_type_txt,
                                            .zone = mx.zone,
                                            .soa = OWNER,
                                            .serial = txt_serial});
    end_proof(&proof);
}

static void look(struct reply mx, struct reply cname)
{
    mx.serial = cname.serial = 7;
    look_with(mx, cname, 7, 7);
}

/** The second look comes when its time has come, and no sooner, and nobody need ask for the domain
 * meanwhile; but the host must come again. */
static void wait_for_it(void)
{
    expect_no_event();
    detector.now += CONFIRM - 1;
    assert_true(errands_wait());
    expect_no_proof();
    detector.now += 1;
    assert_true(errands_wait());
}

static void open_it(void)
{
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    wait_for_it();
    look(MX_IS_MX(), CNAME_IS_CNAME());
    OPENED(mxclash_confirmed, mxclash_probe);
    assert_false(errands_wait());
}

static void expect_questions(const struct mxclash_proof *proof, const uint16_t *qtypes,
                             size_t count)
{
    assert_int_equal(proof->qtype_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(proof->qtypes[i], qtypes[i]);
}

/** In another order than the first, one after the other, with a question between CNAME and MX. */
static void test_what_is_asked(void **state)
{
    static const uint16_t first[] = {wire_type_mx, wire_type_cname};
    static const uint16_t second[] = {wire_type_cname, wire_type_soa, wire_type_mx, wire_type_txt};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, A_IS_CNAME());
    assert_true(take_proof(&proof));
    expect_questions(&proof, first, 2);
    assert_false(proof.in_turn);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    wait_for_it();
    assert_true(take_proof(&proof));
    expect_questions(&proof, second, 4);
    assert_true(proof.in_turn);
    answer_proof(&proof, CNAME_IS_CNAME());
    answer_proof(&proof, MX_IS_MX());
    /* what SOA and TXT have to say is waited for, if they have */
    expect_no_event();
    end_proof(&proof);
    OPENED(mxclash_confirmed, mxclash_probe);
    /* rechecks that find both again are as they were */
    detector.now += HOUR;
    see(OWNER, A_IS_CNAME());
    assert_true(take_proof(&proof));
    expect_questions(&proof, first, 2);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    assert_false(errands_wait());
    expect_no_event();
}

/** A change makes its way to the servers behind one address: the second look meets it. */
static void test_propagation(void **state)
{
    struct {
        struct reply mx, cname;
    } worlds[] = {
        {MX_IS_MX(), NO_CNAME()},
        {MX_IS_CNAME(), CNAME_IS_CNAME()},
        {NO_MX(), CNAME_IS_CNAME()},
        {NO_MX(.rcode = MESSAGE_NXDOMAIN), NO_CNAME(.rcode = MESSAGE_NXDOMAIN)},
    };

    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
        setup(state);
        see("mail.shop.test", A_IS_CNAME(.zone = OWNER));
        client_mx("mail.shop.test", true);
        look(MX_IS_MX(.zone = OWNER), CNAME_IS_CNAME(.zone = OWNER));
        wait_for_it();
        worlds[i].mx.zone = worlds[i].cname.zone = OWNER;
        look(worlds[i].mx, worlds[i].cname);
        expect_no_event();
        detector.now += HOUR;
        assert_int_equal(stats_now().opened[mxclash_cname_and_mx], 0);
        assert_false(client_mx("mail.shop.test", false));
    }
}

/** One answer with both is not from two copies. */
static void test_one_answer_needs_none(void **state)
{
    (void)state;
    see(OWNER, MX_IS_BOTH());
    OPENED(mxclash_confirmed, mxclash_same_answer);
    setup(state);
    see(OWNER, A_IS_CNAME());
    look(MX_IS_BOTH(), CNAME_IS_CNAME());
    OPENED(mxclash_confirmed, mxclash_probe);
    assert_false(errands_wait());
    /* nor if it comes while the second look is waited for, which then finds nothing new */
    setup(state);
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
    see(OWNER, MX_IS_BOTH());
    OPENED(mxclash_confirmed, mxclash_same_answer);
    detector.now += CONFIRM;
    look(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
}

/** Two copies by their serials, between the looks or within one: later again, for some time. */
static void test_serials_that_differ(void **state)
{
    const struct {
        /** of the first look's negative answer, of the second one's SOA and TXT */
        uint32_t first, soa, txt;
        bool differ;
    } cases[] = {{0, 8, 9, true}, {0, 8, 8, false}, {0, 8, 0, false}, {0, 0, 9, false}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup(state);
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), CNAME_IS_CNAME());
        wait_for_it();
        look_with(MX_IS_MX(), CNAME_IS_CNAME(), cases[i].soa, cases[i].txt);
        if (!cases[i].differ) {
            OPENED(mxclash_confirmed, mxclash_probe);
            continue;
        }
        expect_no_event();
        /* no timer: the domain's next traffic takes the look along */
        assert_false(errands_wait());
        detector.now += CASE_RETRY_MS - 1;
        see(OWNER, A_IS_CNAME());
        expect_no_proof();
        detector.now += 1;
        see(OWNER, A_IS_CNAME());
        look_with(MX_IS_MX(), CNAME_IS_CNAME(), 9, 9);
        OPENED(mxclash_confirmed, mxclash_probe);
    }
    /* the copy of the look before is another one */
    setup(state);
    open_it();
    detector.now += HOUR;
    see(OWNER, A_IS_A());
    look_with(MX_IS_MX(), NO_CNAME(.serial = 8), 8, 8);
    wait_for_it();
    look_with(MX_IS_MX(), NO_CNAME(.serial = 9), 9, 9);
    expect_no_event();
    detector.now += CASE_RETRY_MS;
    see(OWNER, A_IS_A());
    look_with(MX_IS_MX(), NO_CNAME(.serial = 9), 9, 9);
    CLEARED();
}

/** The serial of another zone, as of the one above, says nothing. */
static void test_serials_of_two_zones(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    wait_for_it();
    assert_true(take_proof(&proof));
    answer_proof(&proof, CNAME_IS_CNAME());
    answer_proof(&proof, (struct reply){.qtype = wire_type_soa, .soa = OWNER, .serial = 1});
    answer_proof(&proof, MX_IS_MX(.soa = "test", .serial = 2));
    answer_proof(&proof, (struct reply){.qtype = wire_type_txt, .soa = "test", .serial = 2});
    OPENED(mxclash_confirmed, mxclash_probe);
}

/** Copies that differ for minutes, or a server that counts up at each answer: it is told then. */
static void test_serials_that_differ_for_long(void **state)
{
    uint32_t serial = 1;
    mxclash_time began;

    (void)state;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    wait_for_it();
    began = detector.now;
    for (int i = 0; i < SECOND_LOOK_SERIALS; i++) {
        look_with(MX_IS_MX(), CNAME_IS_CNAME(), serial, serial + 1);
        serial += 2;
        expect_no_event();
        assert_false(errands_wait());
        detector.now += CASE_RETRY_MS << i;
        see(OWNER, A_IS_CNAME());
    }
    assert_in_range(detector.now - began, 5 * MINUTE, 10 * MINUTE);
    look_with(MX_IS_MX(), CNAME_IS_CNAME(), serial, serial + 1);
    OPENED(mxclash_confirmed, mxclash_probe);
}

/** One server has the CNAME only, another the MX: each look meets either by chance, and four have
 * to agree. Each comes as the second one does; all but the last are made. */
static void look_at_servers_that_differ(void)
{
    see(OWNER, MX_IS_CNAME(.server = 1));
    see(OWNER, MX_IS_MX(.server = 2));
    for (int i = 1; i < SECOND_LOOK_SERVERS; i++) {
        look(MX_IS_MX(.server = 2), CNAME_IS_CNAME(.server = 1));
        wait_for_it();
    }
}

static void test_servers_that_differ(void **state)
{
    (void)state;
    look_at_servers_that_differ();
    look(MX_IS_MX(.server = 2), CNAME_IS_CNAME(.server = 1));
    assert_int_equal(OPENED(mxclash_confirmed, mxclash_probe)->servers, mxclash_servers_differ);
    assert_false(errands_wait());
}

/** One of them only lags: by the time of the last look it has heard of the change. */
static void test_server_that_lags(void **state)
{
    (void)state;
    look_at_servers_that_differ();
    look(MX_IS_CNAME(.server = 2), CNAME_IS_CNAME(.server = 1));
    for (size_t i = 0; i < detector.event_count; i++)
        assert_int_not_equal(detector.events[i].kind, mxclash_cname_and_mx);
}

/** Between the two looks the authority shows that one of the records is not there. */
static void test_contradicted_in_between(void **state)
{
    const struct reply replies[] = {MX_IS_CNAME(), CNAME_ANSWER(.mx = {MX1})};

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        setup(state);
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), CNAME_IS_CNAME());
        detector.now += SECOND;
        see(OWNER, replies[i]);
        detector.now += SECOND;
        /* it counts as a first look, and the one after it does not come by itself */
        look(MX_IS_MX(), CNAME_IS_CNAME());
        expect_no_event();
        assert_false(errands_wait());
        detector.now += CASE_RETRY_MS << 1;
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), CNAME_IS_CNAME());
        OPENED(mxclash_confirmed, mxclash_probe);
    }
}

/** Two copies that take turns for good cost a look now and then, and no more. */
static void test_turns_for_good(void **state)
{
    unsigned looks = 0;

    (void)state;
    for (int second = 0; second < 24 * 3600; second++, detector.now += SECOND) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        see(OWNER, A_IS_CNAME());
        see(OWNER, MX_IS_CNAME());
        if (!take_proof(&proof))
            continue;
        looks++;
        answer_proof(&proof, looks % 2 ? MX_IS_MX() : MX_IS_CNAME());
        answer_proof(&proof, CNAME_IS_CNAME());
        end_proof(&proof);
    }
    assert_in_range(looks, 2, 60);
    assert_int_equal(stats_now().opened[mxclash_cname_and_mx], 0);
}

/** An open conflict is not ended by one look either, nor by one answer: that brings the look. */
static void test_the_end(void **state)
{
    (void)state;
    open_it();
    detector.now += MINUTE;
    see(OWNER, A_IS_A());
    look(MX_IS_MX(), NO_CNAME());
    wait_for_it();
    look(MX_IS_MX(), NO_CNAME());
    CLEARED();
    /* one server of several lacked it */
    setup(state);
    open_it();
    detector.now += MINUTE;
    see(OWNER, A_IS_A());
    look(MX_IS_MX(), NO_CNAME());
    wait_for_it();
    look(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
    assert_false(errands_wait());
    assert_true(client_mx(OWNER, true));
    /* by the proof that was due anyway */
    detector.now += HOUR;
    assert_true(client_mx(OWNER, true));
    look(MX_IS_CNAME(), CNAME_IS_CNAME());
    wait_for_it();
    look(MX_IS_CNAME(), CNAME_IS_CNAME());
    assert_int_equal(next_event(OWNER)->type, mxclash_cleared);
}

/** Another end than at the first look is none yet. */
static void test_two_ends(void **state)
{
    (void)state;
    open_it();
    detector.now += HOUR;
    see(OWNER, A_IS_A());
    look(MX_IS_CNAME(), CNAME_IS_CNAME());
    wait_for_it();
    see(OWNER, A_IS_A());
    look(MX_IS_MX(), NO_CNAME());
    expect_no_event();
    assert_false(errands_wait());
    detector.now += CASE_RETRY_MS;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    expect_no_event();
    assert_true(client_mx(OWNER, true));
}

/** However many answers show it, the proof is brought forward once a minute. */
static void test_brought_forward_seldom(void **state)
{
    unsigned looks = 0;

    (void)state;
    open_it();
    for (int second = 0; second < 600; second++, detector.now += SECOND) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        see(OWNER, second % 2 ? A_IS_A() : A_IS_CNAME());
        if (!take_proof(&proof))
            continue;
        looks++;
        answer_proof(&proof, MX_IS_MX());
        answer_proof(&proof, CNAME_IS_CNAME());
        end_proof(&proof);
    }
    assert_in_range(looks, 9, 11);
    expect_no_event();
}

/** What waits is not lost where the queue or the domain's share is full, and a clock that is set
 * back holds it up no longer than it would have waited. */
static void test_waiting_is_bounded(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    detector.now -= 24 * HOUR;
    see("other.test", A_IS_CNAME());
    assert_true(take_proof(&proof));
    end_proof(&proof);
    look(MX_IS_MX(), CNAME_IS_CNAME());
    OPENED(mxclash_confirmed, mxclash_probe);
    /* the host lost it: by the domain's next traffic */
    setup(state);
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    detector.now += CONFIRM;
    assert_true(take_proof(&proof));
    mxclash_proof_abandon(detector.engine, &proof, detector.now);
    assert_false(errands_wait());
    detector.now += CASE_RETRY_MS;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    OPENED(mxclash_confirmed, mxclash_probe);
}

/** More wait than there is room for: the others come with their next traffic. */
static void test_no_room_to_wait(void **state)
{
    struct mxclash_options options = detector_options();
    char name[32];
    unsigned waiting = 0, count;

    (void)state;
    options.confirm_after_s = 60;
    options.probe_rate = 100000;
    detector_begin(&options);
    count = (unsigned)(options.table_size / 64 / sizeof(struct ring_entry)) + 10;
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "d%u.test", i);
        see(name, A_IS_CNAME());
        look(MX_IS_MX(), CNAME_IS_CNAME());
    }
    expect_no_event();
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_queue_full], 10);
    detector.now += MINUTE;
    for (struct mxclash_proof proof = {.struct_size = sizeof(proof)}; take_proof(&proof); waiting++)
        mxclash_proof_abandon(detector.engine, &proof, detector.now);
    assert_int_equal(waiting, count - 10);
    see(name, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    assert_int_equal(next_event(name)->state, mxclash_confirmed);
}

/** No answer at the second look: as at the first. */
static void test_second_look_fails(void **state)
{
    (void)state;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    wait_for_it();
    fail_proof();
    OPENED(mxclash_suspected, mxclash_separate_answers);
    detector.now += CASE_RETRY_MS;
    see(OWNER, A_IS_CNAME());
    look(MX_IS_MX(), CNAME_IS_CNAME());
    expect_event(OWNER, mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
}

/** A cache's word has a rule of its own, and needs no second look in seconds. */
static void test_a_caches_word(void **state)
{
    const struct reply mx = MX_IS_MX(.no_aa = true, .forwarded = true);
    const struct reply cname = CNAME_IS_CNAME(.no_aa = true, .forwarded = true);

    (void)state;
    see(OWNER, mx);
    see(OWNER, cname);
    look(mx, cname);
    OPENED(mxclash_suspected, mxclash_separate_answers);
    assert_false(errands_wait());
    detector.now += HOUR;
    see(OWNER, cname);
    look(mx, cname);
    expect_event(OWNER, mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
}

/** The same copy out of a cache proves nothing, however long it is kept: a week here, and the end
 * of it to the second. Nor is it another one a second after its end. */
static void test_the_same_copy(void **state)
{
    const uint32_t week_s = 604800 + 6;
    const struct reply mx = MX_IS_MX(.no_aa = true, .forwarded = true);
    const mxclash_time began = DETECTOR_START;

    (void)state;
    for (int day = 0; day <= 7; day++) {
        uint32_t passed_s = (uint32_t)((detector.now - began) / SECOND);
        struct reply cname = CNAME_IS_CNAME(.no_aa = true, .forwarded = true,
                                            .ttl_s = passed_s < week_s ? week_s - passed_s : 1);

        see(OWNER, mx);
        see(OWNER, cname);
        look(mx, cname);
        if (day == 0)
            OPENED(mxclash_suspected, mxclash_separate_answers);
        expect_no_event();
        detector.now += 24 * HOUR + SECOND;
    }
    detector.now += HOUR;
    see(OWNER, A_IS_CNAME(.no_aa = true, .forwarded = true));
    look(mx, CNAME_IS_CNAME(.no_aa = true, .forwarded = true));
    expect_event(OWNER, mxclash_changed, mxclash_cname_and_mx, mxclash_confirmed, mxclash_probe);
}

/** A load balancer has the CNAME for A and denies it for its own type, in one way or another. */
static void test_cname_for_an_address_only(void **state)
{
    const struct reply denials[] = {NO_CNAME(), NO_CNAME(.rcode = MESSAGE_NXDOMAIN),
                                    NO_CNAME(.rcode = MESSAGE_REFUSED), NO_CNAME(.rcode = 4)};
    static const uint16_t third[] = {wire_type_a, wire_type_soa, wire_type_mx, wire_type_txt};
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    for (size_t i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
        setup(state);
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), denials[i]);
        expect_no_event();
        /* at once, with A: a first look */
        look(MX_IS_MX(), A_IS_CNAME());
        wait_for_it();
        assert_true(take_proof(&proof));
        expect_questions(&proof, third, 4);
        answer_proof(&proof, A_IS_CNAME());
        answer_proof(&proof, MX_IS_MX());
        end_proof(&proof);
        assert_int_equal(OPENED(mxclash_confirmed, mxclash_probe)->servers, mxclash_servers_agree);
        /* what is denied all the time is no end */
        detector.now += MINUTE;
        see(OWNER, denials[i]);
        expect_no_event();
        assert_false(errands_wait());
        detector.now += HOUR;
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), A_IS_CNAME());
        expect_no_event();
        /* A without it is */
        detector.now += MINUTE;
        see(OWNER, A_IS_A());
        look(MX_IS_MX(), A_IS_A());
        wait_for_it();
        look(MX_IS_MX(), A_IS_A());
        CLEARED();
    }
}

/** The type that showed it is asked, and only if it was met; a mover is not found guilty by it. */
static void test_which_address(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, (struct reply){.qtype = wire_type_aaaa, .cname = TARGET});
    look(MX_IS_MX(), NO_CNAME());
    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtypes[1], wire_type_aaaa);
    /* a server that flattens addresses only may show it to the type that browsers ask */
    setup(state);
    see(OWNER, (struct reply){.qtype = wire_type_https, .cname = TARGET});
    look(MX_IS_MX(), NO_CNAME());
    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtypes[1], wire_type_https);
    /* the client got it, of whatever type it was in the cache */
    setup(state);
    client_mx(OWNER, true);
    look(MX_IS_MX(), NO_CNAME());
    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtypes[1], wire_type_a);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, A_IS_A());
    end_proof(&proof);
    expect_no_event();
    assert_false(errands_wait());
    assert_int_equal(stats_now().proofs[mxclash_proof_mx_only], 2);
    /* it has run out: nothing to ask for */
    setup(state);
    see(OWNER, A_IS_CNAME(.ttl_s = 1));
    detector.now += 2 * SECOND;
    look(MX_IS_MX(), NO_CNAME());
    expect_no_proof();
    /* no MX, nothing to hide */
    setup(state);
    see(OWNER, A_IS_CNAME());
    look(NO_MX(), NO_CNAME());
    expect_no_proof();
}

/** The questions of a proof end in any order. */
static void test_address_after_the_mx_came_last(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see(OWNER, MX_IS_MX());
    see(OWNER, A_IS_CNAME());
    assert_true(take_proof(&proof));
    mxclash_proof_end(detector.engine, &proof, wire_type_cname, detector.now);
    answer_proof(&proof, MX_IS_MX());
    mxclash_proof_end(detector.engine, &proof, wire_type_mx, detector.now);
    assert_true(errands_wait());
    look(MX_IS_MX(), A_IS_CNAME());
}

static void answer_txt(const struct mxclash_proof *proof, const char *text)
{
    static struct message m;
    const struct reply reply = {0};

    message_begin(&m, MESSAGE_AA, OWNER, wire_type_txt);
    if (text != NULL)
        message_txt(&m, OWNER, 600, text);
    assert_int_equal(detector_hand_in(&m, &reply, OWNER, proof, wire_type_txt), mxclash_ok);
}

/** Does the CNAME hide an SPF record too? */
static void test_hides_spf(void **state)
{
    const struct {
        const char *text;
        bool answered;
        enum mxclash_known known;
    } cases[] = {{"v=spf1 -all", true, mxclash_yes},
                 {"v=spf10", true, mxclash_no},
                 {NULL, true, mxclash_no},
                 {NULL, false, mxclash_unknown}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        setup(state);
        see(OWNER, A_IS_CNAME());
        look(MX_IS_MX(), CNAME_IS_CNAME());
        wait_for_it();
        assert_true(take_proof(&proof));
        answer_proof(&proof, CNAME_IS_CNAME());
        answer_proof(&proof, MX_IS_MX());
        if (cases[i].answered)
            answer_txt(&proof, cases[i].text);
        end_proof(&proof);
        assert_int_equal(OPENED(mxclash_confirmed, mxclash_probe)->hides_spf, cases[i].known);
    }
    /* by one answer nobody asked for it */
    setup(state);
    see(OWNER, MX_IS_BOTH());
    assert_int_equal(OPENED(mxclash_confirmed, mxclash_same_answer)->hides_spf, mxclash_unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_asked),
        TEST(test_propagation),
        TEST(test_one_answer_needs_none),
        TEST(test_serials_that_differ),
        TEST(test_serials_of_two_zones),
        TEST(test_serials_that_differ_for_long),
        TEST(test_servers_that_differ),
        TEST(test_server_that_lags),
        TEST(test_contradicted_in_between),
        TEST(test_turns_for_good),
        TEST(test_the_end),
        TEST(test_two_ends),
        TEST(test_brought_forward_seldom),
        TEST(test_waiting_is_bounded),
        TEST(test_no_room_to_wait),
        TEST(test_second_look_fails),
        TEST(test_a_caches_word),
        TEST(test_the_same_copy),
        TEST(test_cname_for_an_address_only),
        TEST(test_which_address),
        TEST(test_address_after_the_mx_came_last),
        TEST(test_hides_spf),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
