/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the SPF reader: what counts as an include, and broken rdata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spf_reader.h"

#define INCLUDE "spf.qiye.aliyun.com"

enum finding { spf_none, spf_lacks, spf_has };

static enum finding find_in(const uint8_t *rdata, size_t len, const char *include)
{
    struct providers *providers = spf_table(include);
    struct spf_summary spf = spf_summary_of(providers, rdata, len, "own.test");

    providers_free(providers);
    assert_true(spf.named <= 1);
    return !spf.present ? spf_none : spf.named == 0 ? spf_lacks : spf_has;
}

/** Look in a record of the given character-strings, up to a NULL. */
static enum finding find(const char *const *strings, const char *include)
{
    uint8_t rdata[1024];
    size_t len = 0;

    for (; *strings != NULL; strings++) {
        rdata[len++] = (uint8_t)strlen(*strings);
        memcpy(rdata + len, *strings, strlen(*strings));
        len += strlen(*strings);
    }
    return find_in(rdata, len, include);
}

#define FIND(...) find((const char *const[]){__VA_ARGS__, NULL}, INCLUDE)

static void test_include(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1 include:spf.qiye.aliyun.com -all"), spf_has);
    assert_int_equal(FIND("v=spf1 a mx include:_spf.google.com include:spf.qiye.aliyun.com ~all"),
                     spf_has);
    assert_int_equal(FIND("V=SPF1 INCLUDE:SPF.Qiye.Aliyun.COM -ALL"), spf_has);
    assert_int_equal(FIND("v=spf1   include:spf.qiye.aliyun.com."), spf_has);
    assert_int_equal(FIND("v=spf1 +include:spf.qiye.aliyun.com -all"), spf_has);
    assert_int_equal(FIND("v=spf1 ?include:spf.qiye.aliyun.com -all"), spf_has);
    assert_int_equal(find((const char *const[]){"v=spf1 include:spf.qiye.aliyun.com", NULL},
                          "SPF.qiye.aliyun.com."),
                     spf_has);
}

static void test_lacks(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1"), spf_lacks);
    assert_int_equal(FIND("v=spf1 "), spf_lacks);
    assert_int_equal(FIND("v=spf1 mx -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include:spf.qiye.aliyun.com.example -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include:xspf.qiye.aliyun.com -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include:spf.qiye.aliyun.co -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include: spf.qiye.aliyun.com -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 exists:spf.qiye.aliyun.com -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include:spf.qiye.aliyun.com.. -all"), spf_lacks);
    /* the text of the repair page, copied as it stands */
    assert_int_equal(FIND("v=spf1 include the following:spf.qiye.aliyun.com -all"), spf_lacks);
}

static void test_after_all_nothing_counts(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1 -all include:spf.qiye.aliyun.com"), spf_lacks);
    assert_int_equal(FIND("v=spf1 all include:spf.qiye.aliyun.com"), spf_lacks);
    assert_int_equal(FIND("v=spf1 redirect=spf.qiye.aliyun.com"), spf_has);
    assert_int_equal(FIND("v=spf1 a redirect=SPF.qiye.aliyun.com. mx"), spf_has);
    assert_int_equal(FIND("v=spf1 redirect=spf.qiye.aliyun.com ~all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 +redirect=spf.qiye.aliyun.com"), spf_lacks);
}

static void test_strings_are_one_text(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1 include:spf.qi", "ye.aliyun.com -all"), spf_has);
    assert_int_equal(FIND("v=sp", "f1 inc", "", "lude:spf.qiye.aliyun.com"), spf_has);
    assert_int_equal(FIND("", "v=spf1 include:spf.qiye.aliyun.com"), spf_has);
    /* joined without a space: the version is not one */
    assert_int_equal(FIND("v=spf1", "include:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND("v=spf1 mx", "include:spf.qiye.aliyun.com"), spf_lacks);
}

static void test_no_record(void **state)
{
    (void)state;
    assert_int_equal(FIND(""), spf_none);
    assert_int_equal(FIND("google-site-verification=abc"), spf_none);
    assert_int_equal(FIND("v=spf10 include:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND("v=spf2.0/pra include:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND(" v=spf1 include:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND("v=spf1\tinclude:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND("v=DMARC1; p=none"), spf_none);
}

static void test_broken_rdata(void **state)
{
    static const uint8_t cut[] = {7, 'v', '=', 's', 'p', 'f', '1'};
    static const uint8_t tail[] = {6, 'v', '=', 's', 'p', 'f', '1', 1};
    static const uint8_t whole[] = {6, 'v', '=', 's', 'p', 'f', '1'};
    static const uint8_t nul[] = {8, 'v', '=', 's', 'p', 'f', '1', ' ', 0};

    (void)state;
    assert_int_equal(find_in(whole, 0, INCLUDE), spf_none);
    assert_int_equal(find_in(cut, sizeof(cut), INCLUDE), spf_none);
    assert_int_equal(find_in(tail, sizeof(tail), INCLUDE), spf_none);
    assert_int_equal(find_in(whole, sizeof(whole), INCLUDE), spf_lacks);
    assert_int_equal(find_in(nul, sizeof(nul), INCLUDE), spf_lacks);
}

/** The longest name there is, and terms that are longer. */
static void test_long_terms(void **state)
{
    char include[254];
    char term[256];
    const char *strings[] = {"v=spf1 ?include:", include, "", "", NULL};

    (void)state;
    memset(include, 'a', 253);
    include[253] = '\0';
    for (int i = 63; i < 253; i += 64)
        include[i] = '.';
    assert_int_equal(find(strings, include), spf_has);
    strings[2] = ".";
    assert_int_equal(find(strings, include), spf_has);
    strings[2] = "a";
    assert_int_equal(find(strings, include), spf_lacks);
    memset(term, 'a', 255);
    term[255] = '\0';
    strings[3] = term;
    assert_int_equal(find(strings, include), spf_lacks);
    strings[2] = " include:" INCLUDE;
    strings[3] = "";
    assert_int_equal(find(strings, INCLUDE), spf_has);
}

/** Random octets and broken records: the answer does not matter, only that there is one. */
static void test_random(void **state)
{
    static const char seedling[] = "v=spf1 include:spf.qiye.aliyun.com redirect=spf.x.com ~all";
    struct providers *providers = spf_table(INCLUDE);
    uint32_t seed = 20240601;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t len = (size_t)round % 80;
        uint8_t *rdata = malloc(len + 1);

        assert_non_null(rdata);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1664525u + 1013904223u;
            rdata[i] = i < sizeof(seedling) && (seed >> 28) != 0 ? (uint8_t)seedling[i]
                                                                 : (uint8_t)(seed >> 20);
        }
        if (len != 0 && round % 2 == 0)
            rdata[0] = (uint8_t)(len - 1);
        assert_true(spf_summary_of(providers, rdata, len, "own.test").named <= 1);
        free(rdata);
    }
    providers_free(providers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_lacks),
        cmocka_unit_test(test_after_all_nothing_counts),
        cmocka_unit_test(test_strings_are_one_text),
        cmocka_unit_test(test_no_record),
        cmocka_unit_test(test_broken_rdata),
        cmocka_unit_test(test_long_terms),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
