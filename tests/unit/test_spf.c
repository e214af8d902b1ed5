/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the SPF reader: what counts as an include, and broken rdata. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spf_reader.h"
#include "txt.h"

#define INCLUDE "spf.qiye.aliyun.com"

enum finding { spf_none, spf_lacks, spf_has, spf_bad };

static enum finding find_in(const uint8_t *rdata, size_t len, const char *include)
{
    struct providers *providers = spf_table(include);
    struct spf_summary spf = spf_summary_of(providers, rdata, len);

    providers_free(providers);
    assert_true(spf.named <= 1);
    if (spf.records == 0)
        return spf_none;
    return spf.broken ? spf_bad : spf.named == 0 ? spf_lacks : spf_has;
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
    assert_int_equal(FIND("v=spf1 include: spf.qiye.aliyun.com -all"), spf_bad);
    assert_int_equal(FIND("v=spf1 exists:spf.qiye.aliyun.com -all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 include:spf.qiye.aliyun.com.. -all"), spf_bad);
    /* the text of the repair page, copied as it stands */
    assert_int_equal(FIND("v=spf1 include the following:spf.qiye.aliyun.com -all"), spf_bad);
}

static void test_after_all_nothing_counts(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1 -all include:spf.qiye.aliyun.com"), spf_lacks);
    assert_int_equal(FIND("v=spf1 all include:spf.qiye.aliyun.com"), spf_lacks);
    assert_int_equal(FIND("v=spf1 redirect=spf.qiye.aliyun.com"), spf_has);
    assert_int_equal(FIND("v=spf1 a redirect=SPF.qiye.aliyun.com. mx"), spf_has);
    assert_int_equal(FIND("v=spf1 redirect=spf.qiye.aliyun.com ~all"), spf_lacks);
    assert_int_equal(FIND("v=spf1 +redirect=spf.qiye.aliyun.com"), spf_bad);
}

static void test_strings_are_one_text(void **state)
{
    (void)state;
    assert_int_equal(FIND("v=spf1 include:spf.qi", "ye.aliyun.com -all"), spf_has);
    assert_int_equal(FIND("v=sp", "f1 inc", "", "lude:spf.qiye.aliyun.com"), spf_has);
    assert_int_equal(FIND("", "v=spf1 include:spf.qiye.aliyun.com"), spf_has);
    /* joined without a space: the version is not one */
    assert_int_equal(FIND("v=spf1", "include:spf.qiye.aliyun.com"), spf_none);
    assert_int_equal(FIND("v=spf1 mx", "include:spf.qiye.aliyun.com"), spf_bad);
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
    assert_int_equal(find_in(nul, sizeof(nul), INCLUDE), spf_bad);
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
    assert_int_not_equal(find(strings, include), spf_has);
    memset(term, 'a', 255);
    term[255] = '\0';
    strings[3] = term;
    assert_int_not_equal(find(strings, include), spf_has);
    strings[2] = " include:" INCLUDE;
    strings[3] = "";
    assert_int_equal(find(strings, INCLUDE), spf_has);
}

static struct spf_summary summary_of(const char *text)
{
    struct providers *providers = spf_table(INCLUDE);
    struct message m = {.len = 0};
    struct spf_summary spf;

    txt_rdata(&m, text, 255);
    spf = spf_summary_of(providers, m.octets, m.len);
    providers_free(providers);
    assert_int_equal(spf.records, 1);
    return spf;
}

/** RFC 7208, section by section. */
static void test_syntax(void **state)
{
    static const char *const sound[] = {
        "",
        " ",
        " a",
        " a:x.test/24//64 a/0 a//128 mx mx:x.test mx//0 ptr ptr:x.test",
        " ip4:192.0.2.1 ip4:192.0.2.0/24 ip4:0.0.0.0/0 -ip4:192.0.2.1/32",
        " ip6:2001:db8::1 ip6:2001:db8::/32 ip6:::ffff:192.0.2.1 ip6:::/0",
        " include:_spf.x.test exists:%{ir}.%{v}._spf.%{d2} -all",
        " include:%{l1r-}.x.test include:a%%b.x.test include:%{d}.x.test",
        " redirect=x.test exp=x.test",
        " exp=x.test -all redirect=x.test",
        /* modifiers that nobody knows are ignored (6) */
        " foo=bar mx x-y.z_1=%{d} moo.cow-far_out=man:dog/cat -all",
        /* what stands behind `all` must be right as well, whatever it says (4.6.4) */
        " -all include:x.test",
        " ALL",
        " MX +a ?mx ~all",
    };
    static const char *const broken[] = {
        /* unknown mechanisms (4.6.1, 5) */
        " inlcude:x.test -all",
        " foo -all",
        " ipv4:192.0.2.1 -all",
        " include.x.test",
        /* separators */
        " include:x.test; -all",
        " include:x.test,-all",
        " a\tmx",
        /* a name lacks, or is none (7.1) */
        " include",
        " include:",
        " include: x.test",
        " exists",
        " redirect=",
        " a:",
        " include:x",
        " include:%{q}.x.test",
        " include:%d.x.test",
        " include:%{d.x.test",
        /* addresses (5.6) */
        " ip4",
        " ip4:",
        " ip4:192.0.2",
        " ip4:192.0.2.256",
        " ip4:192.0.2.1/33",
        " ip4:192.0.2.1/",
        " ip4:192.0.2.1/024",
        " ip4:2001:db8::1",
        " ip6:192.0.2.1",
        " ip6:2001:db8::/129",
        " ip6:2001:db8::x",
        " a/33",
        " mx//129",
        /* `all` and `include` take what is theirs (5.1, 5.2) */
        " all:x.test",
        " -all/8",
        /* twice (6) */
        " redirect=x.test redirect=y.test",
        " exp=x.test exp=x.test",
        " -redirect=x.test",
        " --all",
        " =x",
    };
    char text[300];

    (void)state;
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        snprintf(text, sizeof(text), "v=spf1%s", sound[i]);
        if (summary_of(text).broken)
            fail_msg("broken: %s", text);
    }
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        snprintf(text, sizeof(text), "v=spf1%s", broken[i]);
        if (!summary_of(text).broken)
            fail_msg("sound: %s", text);
    }
}

static void test_what_it_says(void **state)
{
    struct spf_summary spf =
        summary_of("v=spf1 a mx ptr include:x.test exists:y.test ip4:192.0.2.1 "
                   "redirect=z.test foo=bar");

    (void)state;
    assert_int_equal(spf.lookups, 6);
    assert_true(spf.follows && spf.unknown && spf.networks && spf.addresses);
    /* beside `all` a redirect is nothing, behind it a mechanism is not reached */
    assert_int_equal(summary_of("v=spf1 -all include:x.test mx").lookups, 0);
    assert_int_equal(summary_of("v=spf1 ~all redirect=x.test").lookups, 0);
    assert_false(summary_of("v=spf1 ~all redirect=x.test").follows);
    /* whom a macro or everybody names is not to be known */
    assert_true(summary_of("v=spf1 include:%{d}.x.test -all").unknown);
    assert_true(summary_of("v=spf1 redirect=_spf.%{d}").unknown);
    assert_true(summary_of("v=spf1 exists:%{i}.x.test -all").unknown);
    assert_true(summary_of("v=spf1 +all").unknown);
    assert_true(summary_of("v=spf1 all").unknown);
    assert_false(summary_of("v=spf1 mx -all").unknown);
    assert_true(summary_of("v=spf1 a a a a a a a a a a a -all").unknown);
    assert_false(summary_of("v=spf1 a a a a a a a a a a -all").unknown);
    /* hosts that may be the provider's: networks, another name's, the MX hosts; not what is
     * refused, nor the domain's own host or one address */
    assert_true(summary_of("v=spf1 ip4:192.0.2.0/24 -all").networks);
    assert_true(summary_of("v=spf1 mx -all").networks);
    assert_true(summary_of("v=spf1 a:x.test -all").networks);
    assert_false(
        summary_of("v=spf1 -ip4:192.0.2.0/24 a ip4:192.0.2.1 ip4:192.0.2.2/32 -all").networks);
}

/** RFC 7208 4.5: one record, or none that counts. */
static void test_records(void **state)
{
    static const uint8_t one[] = "\x0b"
                                 "v=spf1 -all",
                         other[] = "\x0b"
                                   "v=spf1 ~all",
                         none[] = "\x03"
                                  "abc";
    struct spf_set set = {0};

    (void)state;
    spf_set_add(&set, none, sizeof(none) - 1);
    assert_int_equal(set.records, 0);
    spf_set_add(&set, one, sizeof(one) - 1);
    spf_set_add(&set, none, sizeof(none) - 1);
    spf_set_add(&set, one, sizeof(one) - 1);
    assert_int_equal(set.records, 1);
    spf_set_add(&set, other, sizeof(other) - 1);
    assert_int_equal(set.records, 2);
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
        assert_true(spf_summary_of(providers, rdata, len).named <= 1);
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
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
