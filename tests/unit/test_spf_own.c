/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of SPF records that ask about the owner's own names, and so may name anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spf_reader.h"
#include "txt.h"

#define OWN "shop.test"

static struct providers *providers;

static int setup(void **state)
{
    (void)state;
    providers = spf_table("spf.other.test");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    providers_free(providers);
    return 0;
}

/** \param part  octets of each character-string */
static bool asks_own_in_parts(const char *text, const char *own, size_t part)
{
    static struct message m;

    m.len = 0;
    txt_rdata(&m, text, part);
    return spf_summary_of(providers, m.octets, m.len, own).asks_own;
}

static bool asks_own(const char *text)
{
    bool asks = asks_own_in_parts(text, OWN, 255);

    /* the strings are one text, wherever they are parted */
    for (size_t part = 1; part < 12; part++)
        assert_int_equal(asks_own_in_parts(text, OWN, part), asks);
    return asks;
}

static void test_own(void **state)
{
    (void)state;
    assert_true(asks_own("v=spf1 include:shop.test -all"));
    assert_true(asks_own("v=spf1 include:_spf.shop.test -all"));
    assert_true(asks_own("v=spf1 include:_spf.shop.test. -all"));
    assert_true(asks_own("v=spf1 ~include:a.b.c.SHOP.Test"));
    assert_true(asks_own("v=spf1 redirect=_spf.shop.test"));
    assert_true(asks_own("V=SPF1 REDIRECT=SHOP.TEST"));
    assert_true(asks_own("v=spf1 exists:list.shop.test -all"));
    assert_true(asks_own("v=spf1 include:spf.other.test a mx ip4:192.0.2.1 include:x.shop.test"));
}

static void test_macros(void **state)
{
    (void)state;
    assert_true(asks_own("v=spf1 include:%{d}._spf.other.test -all"));
    assert_true(asks_own("v=spf1 exists:%{i}.list.other.test -all"));
    assert_true(asks_own("v=spf1 redirect=_spf.%{d2}"));
    /* an explanation is no mechanism */
    assert_false(asks_own("v=spf1 mx -all exp=explain.%{d2}"));
}

static void test_others(void **state)
{
    (void)state;
    assert_false(asks_own("v=spf1 -all"));
    assert_false(asks_own("v=spf1 include:spf.other.test -all"));
    assert_false(asks_own("v=spf1 include:workshop.test -all"));
    assert_false(asks_own("v=spf1 include:shop.test.other -all"));
    assert_false(asks_own("v=spf1 include:test -all"));
    assert_false(asks_own("v=spf1 a:shop.test mx:shop.test ptr:shop.test -all"));
    assert_false(asks_own("v=spf1 include: redirect= exists:"));
    assert_false(asks_own("v=spf1 include redirect"));
    assert_false(asks_own("v=spf1 xinclude:shop.test"));
    assert_false(asks_own("include:shop.test"));
    assert_false(asks_own(""));
}

/** A name that is too long to be read whole may be anything. */
static void test_long_terms(void **state)
{
    char text[600] = "v=spf1 include:";

    (void)state;
    memset(text + 15, 'x', 500);
    strcpy(text + 515, ".other.test");
    assert_true(asks_own(text));
    /* one that asks for nothing is only long */
    memcpy(text, "v=spf1 ignored:", 15);
    assert_false(asks_own(text));
}

static void test_broken_rdata(void **state)
{
    static const uint8_t cut[] = {18, 'v', '=', 's', 'p', 'f', '1', ' ', 'i', 'n', 'c'};

    (void)state;
    assert_false(spf_is_record(cut, 0));
    for (size_t len = 1; len <= sizeof(cut); len++)
        assert_false(spf_summary_of(providers, cut, len, OWN).present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own),          cmocka_unit_test(test_macros),
        cmocka_unit_test(test_others),       cmocka_unit_test(test_long_terms),
        cmocka_unit_test(test_broken_rdata),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
