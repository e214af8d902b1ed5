/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Tests of what a proof asks beside MX and CNAME, of the cap of one domain, and of suspects that
 * clients' questions make, through the public API.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/casework.h"
#include "core/engine/errand_queue.h"
#include "core/limits/domain_cap.h"
#include "detector.h"
#include "txt.h"

/** A provider whose set is MX1 and MX2, and which documents an SPF include. */
static const char table[] = "provider mail-test\n"
                            "  title Mail\n"
                            "  mx *.mail.test\n"
                            "  expect 5 mx1.mail.test\n"
                            "  expect 10 mx2.mail.test\n"
                            "  spf spf.mail.test\n"
                            "  source https://mail.test/\n";

#define SPF_GOOD "v=spf1 include:spf.mail.test -all"
#define SPF_BAD  "v=spf1 ip4:192.0.2.1 -all"

static struct mxclash_options options_with_table(void)
{
    struct mxclash_options options = detector_options();

    options.providers = table;
    options.providers_len = sizeof(table) - 1;
    return options;
}

static int setup(void **state)
{
    struct mxclash_options options = options_with_table();

    (void)state;
    detector_begin(&options);
    return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, detector_teardown)

/** An answer to the TXT question of owner, from whom reply says. \param text  NULL: there is none
 */
static void hand_in_txt_as(struct reply reply, const char *owner, const char *text,
                           const struct mxclash_proof *proof)
{
    static struct message m;

    message_begin(&m, reply.no_aa ? 0 : MESSAGE_AA, owner, wire_type_txt);
    if (text != NULL)
        message_txt(&m, owner, 600, text);
    else
        message_soa(&m, owner);
    assert_int_equal(detector_hand_in(&m, &reply, owner, proof, wire_type_txt), mxclash_ok);
}

static void hand_in_txt(const char *owner, const char *text, const struct mxclash_proof *proof)
{
    hand_in_txt_as((struct reply){0}, owner, text, proof);
}

static void see_txt(const char *owner, const char *text)
{
    hand_in_txt(owner, text, NULL);
}

/** An answer to the SOA question of a proof, out of a forwarder. \param zone  whose SOA it is */
static void answer_soa(const struct mxclash_proof *proof, const char *owner, const char *zone)
{
    static struct message m;
    struct reply reply = {.qtype = wire_type_soa, .forwarded = true, .zone = "."};
    bool apex = strcmp(owner, zone) == 0;

    message_begin(&m, 0, owner, wire_type_soa);
    message_record_end(&m, message_record(&m, apex ? message_an : message_ns, zone, wire_type_soa,
                                          wire_class_in, 300));
    assert_int_equal(detector_hand_in(&m, &reply, owner, proof, wire_type_soa), mxclash_ok);
}

static struct mxclash_proof expect_questions(const uint16_t *qtypes, size_t count)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    assert_true(take_proof(&proof));
    assert_int_equal(proof.qtype_count, count);
    assert_memory_equal(proof.qtypes, qtypes, count * sizeof(*qtypes));
    return proof;
}

#define EXPECT_QUESTIONS(...)                                                                      \
    expect_questions((const uint16_t[]){__VA_ARGS__},                                              \
                     sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static void end_questions(const struct mxclash_proof *proof, size_t from)
{
    for (size_t i = from; i < proof->qtype_count; i++)
        mxclash_proof_end(detector.engine, proof, proof->qtypes[i], detector.now);
}

/** The MX is the provider's and SPF does not name it, in whatever order they are seen. */
static struct mxclash_proof suspect_spf(bool mx_first)
{
    if (mx_first)
        see("shop.test", MX_IS_MX());
    see_txt("shop.test", SPF_BAD);
    if (!mx_first)
        see("shop.test", MX_IS_MX());
    expect_no_event();
    return EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt);
}

static void expect_spf(enum mxclash_event_type type)
{
    const struct mxclash_event *event =
        expect_event("shop.test", type, mxclash_spf_missing, mxclash_confirmed, mxclash_probe);

    assert_string_equal(event->provider, "mail-test");
    assert_int_equal(event->advice, mxclash_fix_spf);
}

static void test_spf_missing(void **state)
{
    for (int mx_first = 0; mx_first <= 1; mx_first++) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        setup(state);
        proof = suspect_spf(mx_first);
        answer_proof(&proof, MX_IS_MX());
        answer_proof(&proof, NO_CNAME());
        /* decided when TXT is answered too, not before */
        expect_no_event();
        assert_int_equal(stats_now().proofs[mxclash_proof_mx_only], 0);
        hand_in_txt("shop.test", SPF_BAD, &proof);
        expect_spf(mxclash_opened);
        assert_int_equal(stats_now().proofs[mxclash_proof_mx_only], 1);
        end_questions(&proof, 0);
        expect_no_event();
        /* an hour later it asks TXT again, as there is something to see the end of */
        detector.now += HOUR;
        see("shop.test", MX_IS_MX());
        proof = EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt);
        hand_in_txt("shop.test", SPF_GOOD, &proof);
        answer_proof(&proof, MX_IS_MX());
        answer_proof(&proof, NO_CNAME());
        expect_spf(mxclash_cleared);
    }
}

/** An SPF record that names the provider, and one that only a cache has, begin no case. */
static void test_spf_that_is_no_suspect(void **state)
{
    for (int mx_first = 0; mx_first <= 1; mx_first++) {
        setup(state);
        if (mx_first)
            see("shop.test", MX_IS_MX());
        hand_in_txt_as((struct reply){.no_aa = true}, "shop.test", SPF_BAD, NULL);
        see_txt("shop.test", SPF_GOOD);
        if (!mx_first)
            see("shop.test", MX_IS_MX());
        expect_no_proof();
        assert_int_equal(stats_now().table_entries, 0);
    }
}

/** Between two proofs the authority's own record ends it, if that is right; a cache's does not. */
static void test_who_ends_spf_missing(void **state)
{
    struct mxclash_proof proof = suspect_spf(true);

    (void)state;
    hand_in_txt("shop.test", SPF_BAD, &proof);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, NO_CNAME());
    expect_spf(mxclash_opened);
    see_txt("shop.test", SPF_BAD);
    hand_in_txt_as((struct reply){.no_aa = true}, "shop.test", SPF_GOOD, NULL);
    hand_in_txt_as((struct reply){.no_aa = true, .forwarded = true}, "shop.test", SPF_GOOD, NULL);
    expect_no_event();
    see_txt("shop.test", SPF_GOOD);
    expect_spf(mxclash_cleared);
}

/** A lame server's TXT, out of its cache, is no answer: what it says of SPF may be old. */
static void test_spf_of_a_lame_server(void **state)
{
    struct mxclash_proof proof = suspect_spf(true);

    (void)state;
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, NO_CNAME());
    hand_in_txt_as((struct reply){.no_aa = true}, "shop.test", SPF_BAD, &proof);
    expect_no_event();
    /* the next server has the authority */
    hand_in_txt("shop.test", SPF_BAD, &proof);
    expect_spf(mxclash_opened);
}

/** What a proof hears of the MX from a cache alone is held against nobody's SPF. */
static void test_spf_by_a_caches_mx(void **state)
{
    struct mxclash_proof proof = suspect_spf(true);

    (void)state;
    answer_proof(&proof, MX_IS_MX(.no_aa = true));
    answer_proof(&proof, NO_CNAME());
    hand_in_txt("shop.test", SPF_BAD, &proof);
    end_questions(&proof, 0);
    expect_no_event();
    assert_int_equal(stats_now().opened[mxclash_spf_missing], 0);
}

static void test_spf_is_right_after_all(void **state)
{
    static const char *const texts[] = {SPF_GOOD, NULL, "v=spf1 include:_spf.shop.test -all",
                                        "v=spf1 redirect=%{d}.spf.test"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        setup(state);
        proof = suspect_spf(true);
        answer_proof(&proof, MX_IS_MX());
        answer_proof(&proof, NO_CNAME());
        hand_in_txt("shop.test", texts[i], &proof);
        end_questions(&proof, 0);
        expect_no_event();
        assert_int_equal(stats_now().opened[mxclash_spf_missing], 0);
        /* and nothing more is asked for the sake of it */
        detector.now += HOUR;
        see("shop.test", MX_IS_MX());
        expect_no_proof();
    }
}

/** TXT gets no answer: that shows nothing, and is asked again later. */
static void test_spf_without_an_answer(void **state)
{
    struct mxclash_proof proof = suspect_spf(true);

    (void)state;
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, NO_CNAME());
    mxclash_proof_end(detector.engine, &proof, wire_type_txt, detector.now);
    expect_no_event();
    assert_int_equal(stats_now().proofs[mxclash_proof_mx_only], 1);
    detector.now += HOUR;
    see("shop.test", MX_IS_MX());
    proof = EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt);
    mxclash_proof_abandon(detector.engine, &proof, detector.now);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_host], 1);
}

/** The mailbox is gone while it is asked: whom should the record name? Nothing is opened only to be
 * cleared at once. */
static void test_spf_without_mx(void **state)
{
    static const struct reply replies[] = {
        {.qtype = wire_type_mx},
        {.qtype = wire_type_mx, .cname = TARGET},
        {.qtype = wire_type_mx, .mx = {"."}},
    };

    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        for (int alias = 0; alias <= 1; alias++) {
            struct mxclash_proof proof = {.struct_size = sizeof(proof)};

            setup(state);
            /* so that the case knows the MX */
            proof = suspect_spf(false);
            hand_in_txt("shop.test", SPF_BAD, &proof);
            answer_proof(&proof, replies[i]);
            answer_proof(&proof, alias ? CNAME_IS_CNAME() : NO_CNAME());
            end_questions(&proof, 0);
            expect_no_event();
            assert_int_equal(stats_now().opened[mxclash_spf_missing], 0);
        }
    }
}

/** Both kinds in one proof. */
static void test_spf_beside_a_cname(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see("shop.test", MX_IS_MX());
    see_txt("shop.test", SPF_BAD);
    see("shop.test", A_IS_CNAME());
    proof = EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt);
    answer_proof(&proof, MX_IS_MX());
    answer_proof(&proof, CNAME_IS_CNAME());
    expect_no_event();
    hand_in_txt("shop.test", SPF_BAD, &proof);
    assert_int_equal(next_event("shop.test")->kind, mxclash_spf_missing);
    assert_int_equal(next_event("shop.test")->kind, mxclash_cname_and_mx);
    expect_no_event();
}

/** One answer with CNAME and MX needs no proof, but for the SPF record that does not fit. */
static void test_spf_beside_one_answer(void **state)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    see_txt("shop.test", SPF_BAD);
    see("shop.test", MX_IS_BOTH());
    assert_int_equal(next_event("shop.test")->kind, mxclash_cname_and_mx);
    proof = EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt);
    hand_in_txt("shop.test", SPF_BAD, &proof);
    answer_proof(&proof, MX_IS_BOTH());
    answer_proof(&proof, CNAME_IS_CNAME());
    assert_int_equal(next_event("shop.test")->kind, mxclash_spf_missing);
    expect_no_event();
}

/** Behind a forwarder the SOA tells whether the owner is an apex. */
static void test_soa(void **state)
{
    static const struct {
        const char *zone;
        enum mxclash_apex apex;
    } cases[] = {
        {"shop.test", mxclash_apex_yes}, {"test", mxclash_apex_no}, {NULL, mxclash_apex_unknown}};
    struct mxclash_options options = options_with_table();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply mx = MX_IS_MX(.forwarded = true, .zone = "."),
                     cname = CNAME_IS_CNAME(.forwarded = true, .zone = "."),
                     a = A_IS_CNAME(.forwarded = true, .zone = ".");
        const struct mxclash_event *event;
        struct mxclash_proof proof = {.struct_size = sizeof(proof)};

        detector_begin(&options);
        see("shop.test", mx);
        see("shop.test", a);
        proof = EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_soa);
        answer_proof(&proof, mx);
        answer_proof(&proof, cname);
        expect_no_event();
        if (cases[i].zone != NULL)
            answer_soa(&proof, "shop.test", cases[i].zone);
        else
            mxclash_proof_end(detector.engine, &proof, wire_type_soa, detector.now);
        event = next_event("shop.test");
        assert_int_equal(event->apex, cases[i].apex);
        assert_int_equal(event->zone_len,
                         cases[i].zone != NULL ? wire_name_of(cases[i].zone).len : 0);
        /* what is known is not asked again */
        detector.now += HOUR;
        see("shop.test", a);
        if (cases[i].zone != NULL)
            EXPECT_QUESTIONS(wire_type_mx, wire_type_cname);
        else
            EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_soa);
    }
}

/** TXT and SOA cost what MX and CNAME cost. */
static void test_questions_are_paid(void **state)
{
    struct mxclash_options options = options_with_table();
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};

    (void)state;
    options.probe_rate = 4;
    detector_begin(&options);
    see("shop.test", MX_IS_MX(.forwarded = true, .zone = "."));
    hand_in_txt_as((struct reply){.forwarded = true, .zone = "."}, "shop.test", SPF_BAD, NULL);
    see("shop.test", A_IS_CNAME(.forwarded = true, .zone = "."));
    see("b.test", A_IS_CNAME());
    EXPECT_QUESTIONS(wire_type_mx, wire_type_cname, wire_type_txt, wire_type_soa);
    assert_false(take_proof(&proof));
    /* four were taken, two are needed: half a second */
    detector.now += 499;
    assert_false(take_proof(&proof));
    detector.now += 1;
    assert_true(take_proof(&proof));
}

/** \return names of one domain */
static const char *host_of(const char *domain, unsigned number)
{
    static char name[64];

    snprintf(name, sizeof(name), "h%u.%s", number, domain);
    return name;
}

static unsigned take_all(void)
{
    struct mxclash_proof proof = {.struct_size = sizeof(proof)};
    unsigned count = 0;

    while (take_proof(&proof)) {
        end_proof(&proof);
        count++;
    }
    return count;
}

/** A domain of two-letter countries has its registry's label too: co.uk is nobody's. */
static void test_cap_below_a_registry(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        see(host_of("co.uk", i), A_IS_CNAME());
    assert_int_equal(take_all(), 60);
}

/** Clients' questions are held to the cap as well. */
static void test_cap_of_clients(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++)
        client_mx(host_of("evil.test", i), true);
    client_mx("shop.test", true);
    assert_int_equal(take_all(), DOMAIN_CAP_PROOFS + 1);
}

/** A client got the CNAME: then only a proof can see what it hides. */
static void test_client_makes_a_suspect(void **state)
{
    (void)state;
    assert_false(client_mx("shop.test", false));
    assert_int_equal(stats_now().table_entries, 0);
    expect_no_proof();
    assert_false(client_mx("Shop.TEST", true));
    assert_int_equal(stats_now().table_entries, 1);
    prove(MX_IS_MX(), CNAME_IS_CNAME());
    expect_event("shop.test", mxclash_opened, mxclash_cname_and_mx, mxclash_confirmed,
                 mxclash_probe);
}

static void test_client_without_probe(void **state)
{
    struct mxclash_options options = detector_options();

    (void)state;
    options.probe = false;
    detector_begin(&options);
    assert_false(client_mx("shop.test", true));
    assert_int_equal(stats_now().table_entries, 0);
}

/** Where half the queue waits, mere aliases of clients get no room; what was seen to be wrong does.
 */
static void test_client_with_a_full_queue(void **state)
{
    struct mxclash_options options = detector_options();
    const unsigned room = (unsigned)(options.table_size / 64 / sizeof(struct ring_entry));
    char name[32];
    uint64_t entries;

    (void)state;
    for (unsigned i = 0; i < (room + 1) / 2; i++) {
        snprintf(name, sizeof(name), "d%u.test", i);
        client_mx(name, true);
    }
    entries = stats_now().table_entries;
    client_mx("late.test", true);
    assert_int_equal(stats_now().table_entries, entries);
    for (unsigned i = 0; i < room; i++) {
        snprintf(name, sizeof(name), "e%u.test", i);
        see(name, A_IS_CNAME());
    }
    assert_int_equal(stats_now().table_entries, entries + room);
    assert_int_equal(stats_now().proofs_dropped[mxclash_drop_queue_full], entries);
    assert_int_equal(take_all(), room);
    /* there is room again, and what was dropped is wanted again */
    client_mx("late.test", true);
    see(name, A_IS_CNAME());
    assert_int_equal(take_all(), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_spf_missing),
        TEST(test_spf_that_is_no_suspect),
        TEST(test_who_ends_spf_missing),
        TEST(test_spf_of_a_lame_server),
        TEST(test_spf_by_a_caches_mx),
        TEST(test_spf_is_right_after_all),
        TEST(test_spf_without_an_answer),
        TEST(test_spf_without_mx),
        TEST(test_spf_beside_a_cname),
        TEST(test_spf_beside_one_answer),
        TEST(test_soa),
        TEST(test_questions_are_paid),
        TEST(test_cap_below_a_registry),
        TEST(test_cap_of_clients),
        TEST(test_client_makes_a_suspect),
        TEST(test_client_without_probe),
        TEST(test_client_with_a_full_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
