/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Tests of the rules about mailboxes: whose SPF is looked for, what a record is taken to say, and
 * faults of an MX set that come and go together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mailbox/look.h"
#include "detector.h"
#include "txt.h"

static const char table[] = "provider one\n"
                            "  mx *.one.test\n"
                            "  expect 5 mx1.one.test\n"
                            "  expect 10 mx2.one.test\n"
                            "  spf spf.one.test\n"
                            "filter sieve\n"
                            "  mx *.sieve.test\n"
                            "provider nospf\n"
                            "  mx *.nospf.test\n"
                            "provider two\n"
                            "  mx *.two.test\n"
                            "  expect 1 mx.two.test\n"
                            "  spf spf.two.test\n"
                            "  spf spf2.two.test\n"
                            "provider three\n"
                            "  mx *.three.test\n"
                            "  spf spf.three.test\n";

static struct providers *providers;
static struct message m;
static struct answer_reading reading;

static int setup(void **state)
{
    struct mxclash_options options = detector_options();
    char error[PROVIDERS_ERROR_MAX] = "";

    (void)state;
    providers_free(providers);
    providers = providers_parse(table, sizeof(table) - 1, error);
    if (providers == NULL)
        fail_msg("%s", error);
    options.providers = table;
    options.providers_len = sizeof(table) - 1;
    detector_begin(&options);
    return 0;
}

static int teardown(void **state)
{
    providers_free(providers);
    providers = NULL;
    return detector_teardown(state);
}

/** Read the message as it comes from the authority of everything. */
static const struct sighting *read_message(void)
{
    static const uint8_t root[] = {0};
    struct mxclash_answer answer = {.struct_size = sizeof(answer),
                                    .message = m.octets,
                                    .message_len = m.len,
                                    .zone = root,
                                    .zone_len = 1};

    assert_int_equal(answer_read(&answer, &reading), answer_telling);
    return answer_of_qname(&reading);
}

/** Whose SPF the MX set of shop.test lets one look for: number in the table, HOSTED_NONE for none.
 */
static unsigned number_of(const char *first, const char *second)
{
    struct mailbox_view view;
    const struct sighting *sighting;

    message_begin(&m, MESSAGE_AA, "shop.test", wire_type_mx);
    message_mx(&m, "shop.test", 60, 5, first);
    if (second != NULL)
        message_mx(&m, "shop.test", 60, 10, second);
    sighting = read_message();
    mailbox_view(providers, &reading, sighting, &view);
    return view.number;
}

static void test_whose_spf(void **state)
{
    unsigned one = number_of("mx1.one.test", NULL);

    (void)state;
    assert_int_not_equal(one, HOSTED_NONE);
    assert_int_equal(number_of("mx1.one.test", "mx2.one.test"), one);
    assert_int_equal(number_of("mx1.one.test", "mx.elsewhere.test"), one);
    /* nor may a gateway that nobody knows */
    assert_int_equal(number_of("mx.elsewhere.test", "mx1.one.test"), HOSTED_NONE);
    assert_int_equal(number_of("mx.elsewhere.test", NULL), HOSTED_NONE);
    /* nothing is documented, or a filter stands before it */
    assert_int_equal(number_of("mx.nospf.test", NULL), HOSTED_NONE);
    assert_int_equal(number_of("mx.sieve.test", NULL), HOSTED_NONE);
    assert_int_equal(number_of("mx.sieve.test", "mx1.one.test"), HOSTED_NONE);
    assert_int_not_equal(number_of("mx.two.test", NULL), one);
    assert_int_not_equal(number_of("mx.two.test", NULL), number_of("mx.three.test", NULL));
}

/** SPF of a TXT set, up to a NULL. */
static struct spf_summary read_spf(const char *const *texts)
{
    struct spf_summary spf;
    struct spf_text joined;
    const struct sighting *sighting;

    message_begin(&m, MESSAGE_AA, "shop.test", wire_type_txt);
    for (; *texts != NULL; texts++)
        message_txt(&m, "shop.test", 60, *texts);
    sighting = read_message();
    mailbox_read_spf(providers, &reading, sighting, &joined, &spf);
    return spf;
}

#define READ_SPF(...) read_spf((const char *const[]){__VA_ARGS__, NULL})

/** \return the digits of those of providers one, two and three that the record surely lacks */
static const char *lacking(struct spf_summary spf)
{
    static const char *const hosts[] = {"mx1.one.test", "mx.two.test", "mx.three.test"};
    static char text[4];
    size_t used = 0;

    for (int i = 0; i < 3; i++)
        if (mailbox_spf_lacks(&spf, number_of(hosts[i], NULL)))
            text[used++] = (char)('1' + i);
    text[used] = '\0';
    return text;
}

static void test_read_spf(void **state)
{
    struct spf_summary spf = READ_SPF("google-site-verification=x", "v=spf10 x", "xv=spf1 -all");

    (void)state;
    assert_int_equal(spf.records, 0);
    assert_string_equal(lacking(spf), "");
    assert_string_equal(lacking(READ_SPF("v=spf1 ip4:192.0.2.1 -all")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 include:spf.one.test -all")), "23");
    assert_string_equal(lacking(READ_SPF("v=spf1 include:spf2.two.test -all")), "13");
    assert_string_equal(lacking(READ_SPF("v=spf1 redirect=spf.three.test")), "12");
    assert_string_equal(lacking(READ_SPF("v=spf1 include:spf.one.test include:spf.two.test "
                                         "include:spf.three.test -all")),
                        "");
    assert_string_equal(lacking(READ_SPF("x", "v=spf1 include:spf.one.test", "y")), "23");
    /* of two records nobody reads any, and of a broken one nothing */
    assert_string_equal(
        lacking(READ_SPF("v=spf1 include:spf.one.test", "v=spf1 include:spf.two.test")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 include:spf.one.test; -all")), "123");
    /* by itself it lacks them: what it includes is yet to be read */
    assert_string_equal(lacking(READ_SPF("v=spf1 include:spf.shop.test -all")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 exists:%{i}.l.test -all")), "");
    /* an end in neutral is as no record (RFC 7208 8.2), and who sends no mail says so (10.1.2) */
    assert_string_equal(lacking(READ_SPF("v=spf1 ip4:192.0.2.1 ?all")), "");
    assert_string_equal(lacking(READ_SPF("v=spf1 ip4:192.0.2.1")), "");
    assert_string_equal(lacking(READ_SPF("v=spf1")), "");
    assert_string_equal(lacking(READ_SPF("v=spf1 -all")), "");
    assert_string_equal(lacking(READ_SPF("v=spf1 -all exp=why.shop.test")), "");
    /* but not where somebody is named, though to no effect */
    assert_string_equal(lacking(READ_SPF("v=spf1 ~all")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 -all include:spf.one.test")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 redirect=spf.one.test -all")), "123");
    assert_string_equal(lacking(READ_SPF("v=spf1 include=spf.one.test -all")), "123");
    spf = READ_SPF("v=spf1 ip4:192.0.2.1 -all");
    assert_false(mailbox_spf_lacks(&spf, HOSTED_NONE));
}

/** What no honest owner publishes is not read to its end, and raises no alarm either. */
static void test_too_much_spf(void **state)
{
    static char text[5000];
    struct spf_summary spf;
    struct spf_text joined;
    const struct sighting *sighting;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text, "v=spf1 x=", 9);
    spf = READ_SPF(text);
    assert_int_equal(spf.records, 1);
    assert_string_equal(lacking(spf), "");
    /* the most that is read: 4096 octets, one of each 256 being the length of a string */
    memcpy(text + 4075, " ~all", 6);
    assert_string_equal(lacking(READ_SPF(text)), "123");
    assert_string_equal(lacking(READ_SPF(text, "hello")), "123");
    message_begin(&m, MESSAGE_AA, "shop.test", wire_type_txt);
    for (int i = 0; i < 1000; i++)
        message_txt(&m, "shop.test", 60, "v=spf1 -all");
    sighting = read_message();
    mailbox_read_spf(providers, &reading, sighting, &joined, &spf);
    assert_int_equal(spf.records, 1);
    assert_string_equal(lacking(spf), "");
}

/** Only the answer section answers. */
static void test_spf_elsewhere(void **state)
{
    struct spf_summary spf;
    struct spf_text joined;
    const struct sighting *sighting;

    (void)state;
    message_begin(&m, MESSAGE_AA, "shop.test", wire_type_txt);
    message_txt(&m, "shop.test", 60, "v=spf1 include:spf.one.test -all");
    message_txt_in(&m, message_ns, "shop.test", wire_class_in, 60, "v=spf1 include:spf.two.test");
    message_txt_in(&m, message_ar, "shop.test", wire_class_in, 60, "v=spf1 include:spf.three.test");
    sighting = read_message();
    mailbox_read_spf(providers, &reading, sighting, &joined, &spf);
    assert_string_equal(lacking(spf), "23");
}

/** What is remembered of a record: of one or two providers exactly, and never that one is lacking
 * where it cannot be told. */
static void test_bits(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 64; a++)
        for (unsigned b = 0; b < 64; b++) {
            struct spf_summary spf = {.records = 1, .named = UINT64_C(1) << a | UINT64_C(1) << b};
            uint16_t bits = mailbox_spf_bits(&spf);

            for (unsigned number = 0; number < HOSTED_PROVIDERS_MAX; number++) {
                bool lacks = number % 64 != a && number % 64 != b;

                assert_int_equal(mailbox_spf_lacks(&spf, number), lacks);
                assert_int_equal(mailbox_spf_bits_lack(bits, number), lacks);
            }
            assert_false(mailbox_spf_bits_lack(bits, HOSTED_NONE));
            spf.unknown = true;
            bits = mailbox_spf_bits(&spf);
            for (unsigned number = 0; number <= HOSTED_NONE; number++)
                assert_false(mailbox_spf_bits_lack(bits, number));
        }
    assert_true(mailbox_spf_bits_lack(mailbox_spf_bits(&(struct spf_summary){.records = 1}), 0));
}

static void expect_state(enum mxclash_kind kind, enum mxclash_event_type type, const char *provider,
                         enum mxclash_state state)
{
    const struct mxclash_event *event = next_event("shop.test");

    assert_string_equal(mxclash_kind_name(event->kind), mxclash_kind_name(kind));
    assert_string_equal(mxclash_event_type_name(event->type), mxclash_event_type_name(type));
    assert_int_equal(event->state, state);
    assert_int_equal(event->evidence, mxclash_same_answer);
    assert_int_equal(event->cname_target_len, 0);
    assert_int_equal(event->impact, mxclash_impact_unknown);
    if (provider != NULL)
        assert_string_equal(event->provider, provider);
    else
        assert_string_equal(event->provider, "");
}

static void expect_open(enum mxclash_kind kind, enum mxclash_event_type type, const char *provider)
{
    expect_state(kind, type, provider, mxclash_confirmed);
}

/** Whose a host is decides how sure the word is, and it may change either way. */
static void test_foreign_states(void **state)
{
    struct reply unknown = MX_ANSWER(.mx = {"mx1.one.test", "mx2.one.test", "mx.old.test"});
    struct reply known = MX_ANSWER(.mx = {"mx1.one.test", "mx2.one.test", "mx.two.test"});

    (void)state;
    see("shop.test", unknown);
    expect_state(mxclash_foreign_mx, mxclash_opened, "one", mxclash_suspected);
    see("shop.test", known);
    expect_state(mxclash_foreign_mx, mxclash_changed, "one", mxclash_confirmed);
    assert_int_equal(stats_now().open_now[mxclash_foreign_mx][mxclash_suspected], 0);
    see("shop.test", unknown);
    expect_state(mxclash_foreign_mx, mxclash_changed, "one", mxclash_suspected);
    assert_int_equal(stats_now().open_now[mxclash_foreign_mx][mxclash_confirmed], 0);
    assert_int_equal(stats_now().open_now[mxclash_foreign_mx][mxclash_suspected], 1);
    /* who turns the set all the time fills no log */
    for (int i = 0; i < 50; i++, detector.now += MINUTE) {
        see("shop.test", known);
        see("shop.test", unknown);
    }
    expect_no_event();
    detector.now += HOUR;
    see("shop.test", known);
    expect_state(mxclash_foreign_mx, mxclash_changed, "one", mxclash_confirmed);
}

/** A last dot lacks: the hosts have the domain behind them. */
static void test_doubled(void **state)
{
    const struct mxclash_event *event;

    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.one.test.shop.test", "mx2.one.test.shop.test"}));
    event = next_event("shop.test");
    assert_int_equal(event->kind, mxclash_incomplete_mx);
    assert_int_equal(event->state, mxclash_confirmed);
    assert_int_equal(event->advice, mxclash_add_final_dot);
    assert_string_equal(event->provider, "one");
    see("shop.test", MX_ANSWER(.mx = {"mx1.one.test", "mx2.one.test"}));
    assert_int_equal(next_event("shop.test")->type, mxclash_cleared);
    detector.now += 2 * HOUR;
    /* hosts of one's own that are called like nobody's */
    see("shop.test", MX_ANSWER(.mx = {"mx.mail.shop.test", "mx1.one.shop.test"}));
    expect_no_event();
}

static void test_foreign_and_incomplete(void **state)
{
    struct reply good = MX_ANSWER(.mx = {"mx1.one.test", "mx2.one.test"});

    (void)state;
    see("shop.test", good);
    assert_int_equal(stats_now().table_entries, 0);
    see("shop.test", MX_ANSWER(.mx = {"mx1.one.test", "mx2.one.test", "mx.two.test"}));
    expect_open(mxclash_foreign_mx, mxclash_opened, "one");
    expect_no_event();
    /* another fault in its place: one ends, one begins */
    see("shop.test", MX_ANSWER(.mx = {"mx1.one.test"}));
    expect_open(mxclash_foreign_mx, mxclash_cleared, "one");
    expect_open(mxclash_incomplete_mx, mxclash_opened, "one");
    expect_no_event();
    see("shop.test", good);
    expect_open(mxclash_incomplete_mx, mxclash_cleared, "one");
    expect_no_event();
    /* nothing here is worth a proof: each answer says all */
    expect_no_proof();
}

static void test_both_at_once(void **state)
{
    struct reply both = MX_ANSWER(.mx = {"mx1.one.test", "mx.two.test"});

    (void)state;
    see("shop.test", both);
    expect_open(mxclash_foreign_mx, mxclash_opened, "one");
    expect_open(mxclash_incomplete_mx, mxclash_opened, "one");
    see("shop.test", both);
    expect_no_event();
    /* the owner moves to a host of nobody's: nothing of it can be wrong */
    see("shop.test", MX_ANSWER(.mx = {"mx.own.test"}));
    expect_open(mxclash_foreign_mx, mxclash_cleared, NULL);
    expect_open(mxclash_incomplete_mx, mxclash_cleared, NULL);
    expect_no_event();
}

/** The mailbox is gone: an authority that answers MX without it, or a proof, ends what was open. */
static void test_mailbox_gone(void **state)
{
    (void)state;
    see("shop.test", MX_ANSWER(.mx = {"mx1.one.test"}));
    expect_open(mxclash_incomplete_mx, mxclash_opened, "one");
    detector.now += HOUR;
    see("shop.test", A_IS_CNAME());
    prove(MX_IS_CNAME(), CNAME_IS_CNAME());
    expect_open(mxclash_incomplete_mx, mxclash_cleared, "one");
    expect_no_event();
    assert_int_equal(stats_now().open_now[mxclash_incomplete_mx][mxclash_confirmed], 0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_whose_spf),      TEST(test_read_spf), TEST(test_too_much_spf),
        TEST(test_spf_elsewhere),  TEST(test_bits),     TEST(test_foreign_and_incomplete),
        TEST(test_foreign_states), TEST(test_doubled),  TEST(test_both_at_once),
        TEST(test_mailbox_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
