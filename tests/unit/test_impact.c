/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the impact: what is asked of the target, in which order, and what it comes to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cases/impact.h"
#include "message.h"

/** What a question of a look comes to. */
enum answer { none, empty, address, null_mx, own_mx, other_mx, more_mx, failed };

static struct mxclash_mx sets[4][2];
static size_t counts[4];

static void add(size_t set, uint16_t preference, const char *exchange)
{
    struct wire_name name = wire_name_of(exchange);
    struct mxclash_mx one = {.preference = preference, .exchange_len = (uint8_t)name.len};

    memcpy(one.exchange, name.octets, name.len);
    counts[set] = mxclash_mx_insert(sets[set], counts[set], &one);
}

/** 0: the owner's own; others differ in one respect each. */
static int setup(void **state)
{
    (void)state;
    memset(sets, 0, sizeof(sets));
    memset(counts, 0, sizeof(counts));
    add(0, 5, "mx.mail.test");
    add(1, 10, "mx.mail.test");
    add(2, 5, "mx.mail.test");
    add(2, 10, "mx2.mail.test");
    return 0;
}

static struct mxclash_lookup_reply reply_of(enum answer answer)
{
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply),
                                         .answered = answer != failed,
                                         .null_mx = answer == null_mx,
                                         .has_address = answer == address};
    static const int set_of[] = {[own_mx] = 0, [other_mx] = 1, [more_mx] = 2};

    if (answer == own_mx || answer == other_mx || answer == more_mx) {
        reply.mx = sets[set_of[answer]];
        reply.mx_count = counts[set_of[answer]];
    }
    return reply;
}

static void note(struct impact_state *look, const struct mxclash_lookup_reply *reply, size_t own,
                 const char *target)
{
    struct wire_name name = wire_name_of(target);

    impact_note(look, reply, sets[own], counts[own], name.octets, name.len);
}

static void test_looks(void **state)
{
    static const uint16_t order[] = {wire_type_mx, wire_type_a, wire_type_aaaa};
    static const struct {
        /* to MX, A, AAAA; a question behind the last answer must not be asked */
        enum answer answers[3];
        enum mxclash_impact wanted;
        /* set that is known to be the owner's; the last one is empty */
        size_t own;
    } cases[] = {
        {{own_mx}, mxclash_impact_none, 0},
        /* the owner's host by another number, and one of two hosts */
        {{other_mx}, mxclash_impact_none, 0},
        {{own_mx}, mxclash_impact_none, 2},
        {{more_mx}, mxclash_wrong_mail_host, 0},
        {{more_mx}, mxclash_impact_none, 2},
        /* the owner has none, or none that was seen: it may be meant as an alias */
        {{own_mx}, mxclash_impact_unknown, 3},
        {{more_mx}, mxclash_impact_unknown, 3},
        {{empty, address}, mxclash_implicit_mx, 3},
        {{null_mx}, mxclash_no_mail_host, 0},
        {{empty, address}, mxclash_implicit_mx, 0},
        {{empty, empty, address}, mxclash_implicit_mx, 0},
        {{empty, empty, empty}, mxclash_no_mail_host, 0},
        {{empty, empty, empty}, mxclash_no_mail_host, 3},
        {{failed}, mxclash_impact_unknown, 0},
        {{empty, failed}, mxclash_impact_unknown, 0},
        {{empty, empty, failed}, mxclash_impact_unknown, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct impact_state look = {.qtype = wire_type_mx};
        size_t asked = 0;
        bool known = false;

        while (!known) {
            struct mxclash_lookup_reply reply;

            assert_true(asked < 3 && cases[i].answers[asked] != none);
            assert_int_equal(look.qtype, order[asked]);
            reply = reply_of(cases[i].answers[asked++]);
            note(&look, &reply, cases[i].own, "www.cdn.test");
            known = impact_is_known(&look);
        }
        assert_true(asked == 3 || cases[i].answers[asked] == none);
        assert_int_equal(impact_judge(&look), cases[i].wanted);
    }
}

/** An alias of the owner's own mail host, which has no MX: its address is where the MX leads. */
static void test_alias_of_own_mail_host(void **state)
{
    static const struct {
        const char *target;
        enum answer answers[2];
        size_t own;
        enum mxclash_impact wanted;
    } cases[] = {
        {"mx.mail.test", {empty, address}, 0, mxclash_impact_none},
        {"mx2.mail.test", {empty, address}, 2, mxclash_impact_none},
        {"mx2.mail.test", {empty, address}, 0, mxclash_implicit_mx},
        {"mx.mail.test", {empty, address}, 3, mxclash_implicit_mx},
        {"mx.mail.test", {more_mx}, 0, mxclash_wrong_mail_host},
        {"mx.mail.test", {null_mx}, 0, mxclash_no_mail_host},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct impact_state look = {.qtype = wire_type_mx};
        size_t asked = 0;

        do {
            struct mxclash_lookup_reply reply = reply_of(cases[i].answers[asked++]);

            note(&look, &reply, cases[i].own, cases[i].target);
        } while (!impact_is_known(&look));
        assert_int_equal(impact_judge(&look), cases[i].wanted);
    }
}

/** Whatever comes, in whatever order: three questions at most, and a judgement. */
static void test_any_answers(void **state)
{
    (void)state;
    for (int a = empty; a <= failed; a++)
        for (int b = empty; b <= failed; b++)
            for (int c = empty; c <= failed; c++) {
                struct impact_state look = {.qtype = wire_type_mx};
                int answers[] = {a, b, c};
                int asked = 0;

                do {
                    struct mxclash_lookup_reply reply = reply_of((enum answer)answers[asked]);

                    note(&look, &reply, 0, "www.cdn.test");
                } while (!impact_is_known(&look) && ++asked < 3);
                assert_true(asked < 3);
                assert_in_range(impact_judge(&look), 0, MXCLASH_IMPACTS - 1);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_looks, setup),
        cmocka_unit_test_setup(test_alias_of_own_mail_host, setup),
        cmocka_unit_test_setup(test_any_answers, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
