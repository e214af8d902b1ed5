/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Unit tests of what people are told of a conflict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "advice/advice.h"
#include "advice/provider.h"
#include "core/providers/providers.h"

static const struct advice_mx alibaba[] = {
    {5, "mx1.qiye.aliyun.com"}, {10, "mx2.qiye.aliyun.com"}, {15, "mx3.qiye.aliyun.com"}};
static const char *const cname_words[] = {"remove-cname", "replace-cname-with-address",
                                          "move-cname", "separate-mail-domain", "flatten-cname"};

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct advice_case cname_case(void)
{
    return (struct advice_case){.domain = "example.com",
                                .kind = "cname-and-mx",
                                .state = "confirmed",
                                .impact = "implicit-mx",
                                .zone = "example.com",
                                .apex = 1,
                                .cname_target = "www.cdn.test",
                                .mx_count = LEN(alibaba),
                                .mx = alibaba,
                                .hides_spf = -1,
                                .authorities_differ = 0,
                                .advice_count = LEN(cname_words),
                                .advice = cname_words};
}

static struct providers *table(void)
{
    char error[PROVIDERS_ERROR_MAX];
    struct providers *providers = providers_builtin(error);
    assert_non_null(providers);
    return providers;
}

/** The step that belongs to a word of advice. */
static const struct advice_step *step_of(const struct advice *advice, const char *word)
{
    for (size_t i = 0; i < advice->step_count; i++) {
        if (advice->steps[i].word != NULL && strcmp(advice->steps[i].word, word) == 0) {
            return &advice->steps[i];
        }
    }
    return NULL;
}

static void test_one_sentence(void **state)
{
    (void)state;
    const struct advice_case of = cname_case();
    struct advice advice;
    assert_true(advice_make(&of, advice_english, &advice));
    assert_string_equal(advice.fault,
                        "example.com has a CNAME record, to www.cdn.test, beside its MX records "
                        "(5 mx1.qiye.aliyun.com, 10 mx2.qiye.aliyun.com, 15 mx3.qiye.aliyun.com): "
                        "whoever has the CNAME no longer finds the MX.");
    assert_non_null(strstr(advice.impact, "address of www.cdn.test itself"));
    advice_free(&advice);
}

static void test_steps_of_the_help_page(void **state)
{
    (void)state;
    struct providers *providers = table();
    struct advice_case of = cname_case();
    struct advice_provider room;
    advice_use_provider(&of, providers, "alibaba-mail-standard", &room);
    assert_string_equal(of.provider, "Alibaba Mail Standard and Premium Edition");
    struct advice advice;
    assert_true(advice_make(&of, advice_english, &advice));
    /* log on, choose one of five, check, wait */
    assert_int_equal(advice.step_count, 1 + 1 + LEN(cname_words) + 1 + 1);
    for (size_t i = 0; i < LEN(cname_words); i++) {
        assert_true(step_of(&advice, cname_words[i])->alternative);
    }
    assert_non_null(strstr(step_of(&advice, "remove-cname")->text, "host is @."));
    assert_non_null(
        strstr(step_of(&advice, "move-cname")->text, "from @ to another one, such as www"));
    const struct advice_step *records = &advice.steps[advice.step_count - 2];
    assert_string_equal(records->records, "@ MX 5 mx1.qiye.aliyun.com\n"
                                          "@ MX 10 mx2.qiye.aliyun.com\n"
                                          "@ MX 15 mx3.qiye.aliyun.com\n"
                                          "@ TXT v=spf1 include:spf.qiye.aliyun.com -all\n");
    assert_non_null(strstr(advice.steps[advice.step_count - 1].text, "48 hours"));
    advice_free(&advice);
    providers_free(providers);
}

static void test_host_below_a_zone(void **state)
{
    (void)state;
    struct advice_case of = cname_case();
    struct advice advice;
    of.domain = "shop.example.com";
    of.apex = 0;
    assert_true(advice_make(&of, advice_english, &advice));
    assert_non_null(strstr(step_of(&advice, "remove-cname")->text, "host is shop."));
    assert_non_null(strstr(step_of(&advice, "move-cname")->text, "such as www.shop."));
    assert_non_null(strstr(advice.steps[0].text, "provider of example.com,"));
    advice_free(&advice);
    /* a name that only ends as the zone's does is not below it */
    of.domain = "myexample.com";
    assert_true(advice_make(&of, advice_english, &advice));
    assert_non_null(strstr(step_of(&advice, "remove-cname")->text, "host is myexample.com."));
    advice_free(&advice);
}

static void test_foreign_hosts_by_name(void **state)
{
    (void)state;
    static const struct advice_mx mixed[] = {{5, "mx1.qiye.aliyun.com"},
                                             {10, "mx2.qiye.aliyun.com"},
                                             {15, "mx3.qiye.aliyun.com"},
                                             {20, "mx1.emailsrvr.com"}};
    static const char *const words[] = {"remove-foreign-mx"};
    struct providers *providers = table();
    struct advice_case of = {.domain = "example.com",
                             .kind = "foreign-mx",
                             .impact = "unknown",
                             .apex = -1,
                             .mx = mixed,
                             .mx_count = LEN(mixed),
                             .hides_spf = -1,
                             .authorities_differ = -1,
                             .advice = words,
                             .advice_count = 1};
    struct advice_provider room;
    struct advice advice;
    advice_use_provider(&of, providers, "alibaba-mail-standard", &room);
    assert_int_equal(of.foreign, 1 << 3);
    assert_true(advice_make(&of, advice_english, &advice));
    assert_string_equal(
        advice.fault, "The MX records of example.com name mail hosts of Alibaba Mail Standard and "
                      "Premium Edition and, beside them, others that are not its own: "
                      "20 mx1.emailsrvr.com.");
    assert_string_equal(step_of(&advice, "remove-foreign-mx")->text,
                        "Delete these MX records at host @: 20 mx1.emailsrvr.com.");
    assert_null(strstr(advice.steps[advice.step_count - 2].records, "emailsrvr"));
    advice_free(&advice);
    providers_free(providers);
}

/** Every word of the interface has its sentences in both languages, none falls through. */
static void test_every_word(void **state)
{
    (void)state;
    static const struct advice_mx one[] = {{10, "mx.example.net"}};
    for (int language = 0; language < ADVICE_LANGUAGES; language++) {
        for (int kind = 0; kind < MXCLASH_KINDS; kind++) {
            for (int impact = 0; impact < MXCLASH_IMPACTS; impact++) {
                const char *words[MXCLASH_ADVICES];
                for (int i = 0; i < MXCLASH_ADVICES; i++) {
                    words[i] = mxclash_advice_name(UINT32_C(1) << i);
                }
                struct advice_case of = {.domain = "example.com",
                                         .kind = mxclash_kind_name((enum mxclash_kind)kind),
                                         .impact = mxclash_impact_name((enum mxclash_impact)impact),
                                         .apex = -1,
                                         .mx = one,
                                         .mx_count = 1,
                                         .hides_spf = 1,
                                         .authorities_differ = 1,
                                         .advice = words,
                                         .advice_count = MXCLASH_ADVICES};
                struct advice advice;
                assert_true(advice_make(&of, (enum advice_language)language, &advice));
                assert_non_null(strstr(advice.fault, "example.com"));
                assert_null(strstr(advice.fault, of.kind));
                for (int i = 0; i < MXCLASH_ADVICES; i++) {
                    const struct advice_step *step = step_of(&advice, words[i]);
                    assert_non_null(step);
                    assert_null(strchr(step->text, '{'));
                    assert_null(strchr(step->text, '}'));
                }
                assert_null(strchr(advice.fault, '{'));
                assert_null(strchr(advice.impact, '{'));
                advice_free(&advice);
            }
        }
    }
}

static void test_words_of_a_newer_log(void **state)
{
    (void)state;
    static const char *const words[] = {"pray", "remove-cname"};
    const struct advice_case of = {.domain = "example.com",
                                   .kind = "lame-mx",
                                   .impact = "delay",
                                   .apex = -1,
                                   .hides_spf = -1,
                                   .authorities_differ = -1,
                                   .advice = words,
                                   .advice_count = 2};
    struct advice advice;
    assert_true(advice_make(&of, advice_english, &advice));
    assert_string_equal(advice.fault, "example.com has a fault of the kind lame-mx.");
    assert_null(step_of(&advice, "pray"));
    /* the only way is no choice */
    assert_false(step_of(&advice, "remove-cname")->alternative);
    assert_string_equal(advice.impact, "What senders meet is not known.");
    advice_free(&advice);
}

static void test_suspected_says_so(void **state)
{
    (void)state;
    struct advice_case of = cname_case();
    struct advice advice;
    of.state = "suspected";
    assert_true(advice_make(&of, advice_english, &advice));
    assert_memory_equal(advice.fault, "Seen, but not proved: example.com", 33);
    advice_free(&advice);
}

static void test_letter(void **state)
{
    (void)state;
    struct advice_case of = cname_case();
    char *letter = advice_letter(&of, advice_english);
    assert_non_null(letter);
    assert_memory_equal(letter, "Hello,\n\nyou have a fault in the DNS records of example.com", 58);
    assert_non_null(strstr(letter, "\n1. Log on"));
    assert_non_null(strstr(letter, "\n2. Do one of these:\n   a) Delete the CNAME"));
    assert_non_null(strstr(letter, "\n   e) Have the DNS provider flatten"));
    assert_non_null(strstr(letter, "\n       @ MX 5 mx1.qiye.aliyun.com\n"));
    assert_non_null(strstr(letter, "\n4. Wait"));
    free(letter);
    letter = advice_letter(&of, advice_chinese);
    assert_non_null(letter);
    assert_non_null(strstr(letter, "删除主机记录为 @ 的 CNAME 记录"));
    free(letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_sentence),      cmocka_unit_test(test_steps_of_the_help_page),
        cmocka_unit_test(test_host_below_a_zone), cmocka_unit_test(test_foreign_hosts_by_name),
        cmocka_unit_test(test_every_word),        cmocka_unit_test(test_words_of_a_newer_log),
        cmocka_unit_test(test_suspected_says_so), cmocka_unit_test(test_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
