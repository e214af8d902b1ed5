/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the provider table: whose a host is, what an MX set is judged to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider_table.h"

/** An MX set as text: `5 mx1.example 10 mx2.example`. */
struct mx_text {
    struct mxclash_mx mx[MXCLASH_MX_MAX + 1];
    size_t count;
};

static struct mx_text read_mx(const char *text)
{
    struct mx_text set = {.count = 0};
    unsigned preference;
    char host[256];
    int used;

    while (sscanf(text, "%u %255s%n", &preference, host, &used) == 2) {
        struct mxclash_mx *mx = &set.mx[set.count++];
        size_t len;

        mx->preference = (uint16_t)preference;
        assert_int_equal(mxclash_name_from_text(host, mx->exchange, &len), mxclash_ok);
        mx->exchange_len = (uint8_t)len;
        text += used;
    }
    return set;
}

static int setup_builtin(void **state)
{
    char error[PROVIDERS_ERROR_MAX] = "";

    *state = providers_builtin(error);
    if (*state == NULL)
        print_error("%s\n", error);
    return *state == NULL;
}

static int teardown(void **state)
{
    providers_free(*state);
    return 0;
}

static struct providers_verdict judge(const struct providers *providers, const char *owner,
                                      const char *mx)
{
    struct mx_text set = read_mx(mx);
    struct providers_verdict verdict;
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len;

    assert_int_equal(mxclash_name_from_text(owner, name, &len), mxclash_ok);
    providers_judge(providers, name, len, set.mx, set.count, &verdict);
    assert_ptr_equal(verdict.provider, providers_match(providers, set.mx, set.count));
    assert_int_equal(verdict.incomplete, verdict.wanted != NULL);
    assert_int_equal(verdict.advice, (verdict.foreign != 0 ? mxclash_remove_foreign_mx : 0) |
                                         (verdict.incomplete ? mxclash_complete_mx : 0));
    return verdict;
}

static void assert_verdict(const struct providers *providers, const char *owner, const char *mx,
                           const char *name, uint32_t foreign, bool incomplete)
{
    struct providers_verdict verdict = judge(providers, owner, mx);
    const char *got = provider_name(verdict.provider);

    if ((got == NULL) != (name == NULL) || (got != NULL && strcmp(got, name) != 0) ||
        verdict.foreign != foreign || verdict.incomplete != incomplete)
        fail_msg("%s MX %s: provider %s, foreign %#x, incomplete %d", owner, mx,
                 got == NULL ? "none" : got, verdict.foreign, verdict.incomplete);
}

#define STANDARD   "5 mx1.qiye.aliyun.com 10 mx2.qiye.aliyun.com 15 mx3.qiye.aliyun.com "
#define ENTERPRISE "5 mxn.mxhichina.com 10 mxw.mxhichina.com "
#define GOOGLE                                                                                     \
    "1 aspmx.l.google.com 5 alt1.aspmx.l.google.com 5 alt2.aspmx.l.google.com "                    \
    "10 alt3.aspmx.l.google.com 10 alt4.aspmx.l.google.com "

static const struct provider *find(const struct providers *providers, const char *name)
{
    for (size_t i = 0; i < providers_count(providers); i++)
        if (strcmp(providers_at(providers, i)->name, name) == 0)
            return providers_at(providers, i);
    fail_msg("no provider %s", name);
    return NULL;
}

static void test_seeds(void **state)
{
    static const struct {
        const char *name, *mx, *spf;
    } seeds[] = {
        {"alibaba-mail-standard", STANDARD, "spf.qiye.aliyun.com"},
        {"alibaba-mail-enterprise", ENTERPRISE, "spf.qiye.aliyun.com"},
    };

    for (size_t i = 0; i < 2; i++) {
        const struct provider *provider = find(*state, seeds[i].name);
        struct mx_text expected = read_mx(seeds[i].mx);

        assert_int_equal(provider->set_count, 1);
        assert_int_equal(provider->sets[0].count, expected.count);
        for (size_t j = 0; j < expected.count; j++) {
            const struct provider_mx *mx = &provider->sets[0].mx[j];

            assert_int_equal(mx->preference, expected.mx[j].preference);
            assert_int_equal(mx->exchange_len, expected.mx[j].exchange_len);
            assert_memory_equal(mx->exchange, expected.mx[j].exchange, mx->exchange_len);
        }
        assert_string_equal(provider->spf.text[0], seeds[i].spf);
        assert_string_equal(provider->sources.text[0],
                            "Alibaba Mail: Resolve mailbox domain name resolution conflicts");
        assert_verdict(*state, "example.com", seeds[i].mx, seeds[i].name, 0, false);
    }
}

/** Every section is found by its own patterns; every set is complete; every value has a source. */
static void test_builtin_matches_itself(void **state)
{
    static const uint8_t owner[] = "\7example\7invalid";
    size_t providers = 0, filters = 0;

    for (size_t i = 0; i < providers_count(*state); i++) {
        const struct provider *provider = providers_at(*state, i);

        provider->filter ? filters++ : providers++;
        assert_true(provider->sources.count > 0);
        assert_string_not_equal(provider->title, provider->name);
        for (size_t j = 0; j < provider->pattern_count; j++) {
            const struct provider_pattern *pattern = &provider->patterns[j];
            uint8_t host[MXCLASH_NAME_MAX] = {2, 'm', 'x'};
            size_t at = pattern->below ? 3 : 0;
            const struct provider_pattern *says;

            memcpy(host + at, pattern->name, pattern->name_len);
            assert_ptr_equal(providers_host(*state, host, at + pattern->name_len, &says), provider);
            assert_ptr_equal(says, pattern);
        }
        for (size_t j = 0; j < provider->set_count; j++) {
            struct mxclash_mx mx[MXCLASH_MX_MAX];
            size_t count = set_as_mx(&provider->sets[j], mx);
            struct providers_verdict verdict;

            assert_ptr_equal(providers_match(*state, mx, count), provider);
            providers_judge(*state, owner, sizeof(owner), mx, count, &verdict);
            assert_ptr_equal(verdict.provider, provider);
            assert_int_equal(verdict.advice, 0);
            assert_false(verdict.filtered);
        }
    }
    assert_true(providers >= 12);
    assert_true(filters >= 8);
}

static void test_hosts(void **state)
{
    assert_verdict(*state, "a.example", "0 a-example.mail.protection.outlook.com", "microsoft-365",
                   0, false);
    assert_verdict(*state, "a.example", "0 a-example.v-v1.mx.microsoft", "microsoft-365", 0, false);
    assert_verdict(*state, "a.example", "10 MX.Yandex.NET", "yandex-360", 0, false);
    /* the name below which hosts stand is no host itself; nor is a name that only ends alike */
    assert_verdict(*state, "a.example", "10 qiye.aliyun.com", NULL, 0, false);
    assert_verdict(*state, "a.example", "10 mx1.notqiye.aliyun.com", NULL, 0, false);
    assert_verdict(*state, "a.example", "10 x.smtp.google.com", NULL, 0, false);
    assert_verdict(*state, "a.example", "10 mail.a.example 20 mx.b.example", NULL, 0, false);
    assert_verdict(*state, "a.example", "", NULL, 0, false);
    assert_verdict(*state, "a.example", "0 .", NULL, 0, false);
    assert_verdict(*state, "a.example", STANDARD "0 .", "alibaba-mail-standard", 0, false);
}

static void test_lowest_preference_names_it(void **state)
{
    assert_verdict(*state, "a.example", STANDARD "1 smtp.google.com", "google-workspace", 7, false);
    assert_verdict(*state, "a.example", STANDARD "50 smtp.google.com", "alibaba-mail-standard", 8,
                   false);
    /* at equal preference the earlier section, whatever the order of the records */
    assert_verdict(*state, "a.example", "5 mx1.hostinger.com 5 mxn.mxhichina.com",
                   "alibaba-mail-enterprise", 1, true);
    assert_verdict(*state, "a.example", "5 mxn.mxhichina.com 5 mx1.hostinger.com",
                   "alibaba-mail-enterprise", 2, true);
}

static void test_foreign(void **state)
{
    assert_verdict(*state, "a.example", STANDARD "20 mx.old.example.net", "alibaba-mail-standard",
                   8, false);
    /* in front it may be a gateway, and with one the set is not judged; another known provider's
     * host is none */
    assert_verdict(*state, "a.example", "1 mx.old.example.net " STANDARD, "alibaba-mail-standard",
                   0, false);
    assert_verdict(*state, "a.example", "5 mx.old.example.net 5 mx1.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, false);
    assert_verdict(*state, "a.example", STANDARD "1 mx1.emailsrvr.com", "rackspace-email", 7, true);
    /* what can never take mail is nobody's */
    assert_verdict(*state, "a.example",
                   STANDARD "20 ms12345678.msv1.invalid 30 localhost "
                            "40 192.0.2.1",
                   "alibaba-mail-standard", 0, false);
    assert_verdict(*state, "a.example", "5 mx1.qiye.aliyun.com 20 mx.old.example.net",
                   "alibaba-mail-standard", 2, true);
    /* two editions of one service: none is foreign to the other, one complete set will do */
    assert_verdict(*state, "a.example", ENTERPRISE "20 mx1.qiye.aliyun.com",
                   "alibaba-mail-enterprise", 0, false);
    assert_verdict(*state, "a.example", "5 mxn.mxhichina.com 20 mx1.qiye.aliyun.com",
                   "alibaba-mail-enterprise", 0, true);
}

static void test_own_backup(void **state)
{
    assert_verdict(*state, "a.example", STANDARD "50 mail.a.example", "alibaba-mail-standard", 0,
                   false);
    assert_verdict(*state, "a.example", STANDARD "50 a.example", "alibaba-mail-standard", 0, false);
    assert_verdict(*state, "lists.a.example", STANDARD "50 mx.a.example", "alibaba-mail-standard",
                   0, false);
    assert_verdict(*state, "x.y.a.example", STANDARD "50 a.example", "alibaba-mail-standard", 0,
                   false);
    assert_verdict(*state, "a.example", STANDARD "50 nota.example", "alibaba-mail-standard", 8,
                   false);
    /* a registry's labels are nobody's own */
    assert_verdict(*state, "a.com.cn", STANDARD "50 mail.a.com.cn", "alibaba-mail-standard", 0,
                   false);
    assert_verdict(*state, "a.com.cn", STANDARD "50 mail.b.com.cn", "alibaba-mail-standard", 8,
                   false);
    assert_verdict(*state, "mail.a.co.uk", STANDARD "50 mx.a.co.uk", "alibaba-mail-standard", 0,
                   false);
    assert_verdict(*state, "mail.co.example", STANDARD "50 mx.co.example", "alibaba-mail-standard",
                   0, false);
    assert_verdict(*state, "co.uk", STANDARD "50 mx.co.uk", "alibaba-mail-standard", 0, false);
    assert_verdict(*state, "example", STANDARD "50 mx.example", "alibaba-mail-standard", 0, false);
    assert_verdict(*state, ".", STANDARD "50 mx.example", "alibaba-mail-standard", 0, false);
    /* a domain of the provider's own may do as it likes */
    assert_verdict(*state, "zoho.com", "10 mx.zoho.com 90 mx.a.example", "zoho-mail", 0, false);
}

/** A server of the domain's own in front: the provider behind it may be a backup only, or have a
 * part of the mailboxes, and what is sent may leave by the own server. */
static void test_own_server_in_front(void **state)
{
    assert_verdict(*state, "a.example", "10 mail.a.example 50 fb.mail.gandi.net", "gandi-mail", 0,
                   false);
    assert_true(judge(*state, "a.example", "10 mail.a.example 50 fb.mail.gandi.net").filtered);
    assert_verdict(*state, "a.example", "5 mail.a.example 5 mx1.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, false);
    assert_false(judge(*state, "a.example", STANDARD "50 mail.a.example").filtered);
    /* another provider behind both is a suspect only */
    assert_verdict(*state, "a.example", "1 mail.a.example " STANDARD "50 mx1.emailsrvr.com",
                   "alibaba-mail-standard", 16, false);
    assert_false(judge(*state, "a.example", "1 mail.a.example " STANDARD "50 mx1.emailsrvr.com")
                     .foreign_sure);
    assert_true(judge(*state, "a.example", STANDARD "50 mx1.emailsrvr.com").foreign_sure);
}

static void test_incomplete(void **state)
{
    struct providers_verdict verdict;

    assert_verdict(*state, "a.example", "5 mx1.qiye.aliyun.com 10 mx2.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, true);
    assert_verdict(*state, "a.example",
                   "5 mx1.qiye.aliyun.com 10 mx2.qiye.aliyun.com 20 mx3.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, true);
    assert_verdict(*state, "a.example",
                   "5 mx2.qiye.aliyun.com 10 mx1.qiye.aliyun.com 15 mx3.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, true);
    /* more than the set is no lack */
    assert_verdict(*state, "a.example", STANDARD "20 mx4.qiye.aliyun.com 20 mx1.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, false);
    /* of no set any host: another region, or hosts of other years */
    assert_verdict(*state, "a.example", "5 mx4.qiye.aliyun.com", "alibaba-mail-standard", 0, false);
    assert_verdict(*state, "a.example", "0 smtp.europe.secureserver.net", "godaddy-email", 0,
                   false);
    /* nothing documented, nothing to lack */
    assert_verdict(*state, "a.example", "7 x.icoremail.net", "coremail", 0, false);
    /* the nearest of the alternatives is wanted */
    verdict = judge(*state, "a.example", "10 mx.zoho.eu 20 mx2.zoho.eu");
    assert_true(verdict.incomplete);
    assert_int_equal(verdict.wanted->count, 3);
    assert_memory_equal(verdict.wanted->mx[2].exchange, "\3mx3\4zoho\2eu", 13);
}

static void test_alternatives_and_order(void **state)
{
    assert_verdict(*state, "a.example", "1 smtp.google.com", "google-workspace", 0, false);
    assert_verdict(*state, "a.example", "10 smtp.google.com", "google-workspace", 0, false);
    assert_verdict(*state, "a.example", GOOGLE, "google-workspace", 0, false);
    assert_verdict(*state, "a.example", GOOGLE "20 aspmx2.googlemail.com", "google-workspace", 0,
                   false);
    assert_verdict(*state, "a.example",
                   "10 aspmx.l.google.com 20 alt1.aspmx.l.google.com 20 alt2.aspmx.l.google.com "
                   "30 alt3.aspmx.l.google.com 40 alt4.aspmx.l.google.com",
                   "google-workspace", 0, false);
    assert_verdict(*state, "a.example",
                   "20 aspmx.l.google.com 10 alt1.aspmx.l.google.com 20 alt2.aspmx.l.google.com "
                   "30 alt3.aspmx.l.google.com 40 alt4.aspmx.l.google.com",
                   "google-workspace", 0, true);
    /* a seller's set of two */
    assert_verdict(*state, "a.example", "1 aspmx.l.google.com 5 alt1.aspmx.l.google.com",
                   "google-workspace", 0, false);
    assert_verdict(*state, "a.example", "1 aspmx.l.google.com 5 alt2.aspmx.l.google.com",
                   "google-workspace", 0, true);
    /* half of each edition is no edition */
    assert_verdict(*state, "a.example", "10 mx.zoho.com 20 mx2.zoho.eu 50 mx3.zoho.com",
                   "zoho-mail", 0, true);
}

static void test_filter_in_front(void **state)
{
    struct providers_verdict verdict;

    verdict = judge(*state, "a.example", "10 mx1-us1.ppe-hosted.com 20 mx2-us1.ppe-hosted.com");
    assert_null(verdict.provider);
    assert_verdict(*state, "a.example", STANDARD "1 mxa-00.gslb.pphosted.com",
                   "alibaba-mail-standard", 0, false);
    /* behind a filter the documented set is not held against the domain */
    assert_verdict(*state, "a.example", "10 eu-smtp-inbound-1.mimecast.com 20 mx1.qiye.aliyun.com",
                   "alibaba-mail-standard", 0, false);
    verdict = judge(*state, "a.example", "10 x.iphmx.com 20 mx1.qiye.aliyun.com 30 mx.old.example");
    assert_true(verdict.filtered);
    assert_int_equal(verdict.foreign, 4);
}

/** A set that fills the room may have been cut: what lacks proves nothing, what is there does. */
static void test_cut_set(void **state)
{
    struct mx_text set = read_mx("5 mx1.qiye.aliyun.com");
    static const uint8_t owner[] = "\1a\7example";
    struct providers_verdict verdict;

    for (; set.count <= MXCLASH_MX_MAX; set.count++)
        set.mx[set.count] = read_mx("9 mx.b.example").mx[0];
    providers_judge(*state, owner, sizeof(owner), set.mx, MXCLASH_MX_MAX, &verdict);
    assert_false(verdict.incomplete);
    assert_int_equal(verdict.foreign, 0xfffe);
    providers_judge(*state, owner, sizeof(owner), set.mx, MXCLASH_MX_MAX + 1, &verdict);
    assert_int_equal(verdict.foreign, 0xfffe);
}

static uint64_t included(const struct providers *providers, const char *name)
{
    return providers_included(providers, (const uint8_t *)name, strlen(name));
}

/** Providers that document the same share a number, and no number is left out; a name can be of
 * several. */
static void test_includes(void **state)
{
    struct providers *providers = parse("filter f\n mx f.example\n"
                                        "provider a\n mx a.example\n spf SPF.a.example.\n"
                                        "provider b\n mx b.example\n spf b.example\n"
                                        " spf spf.a.example\n"
                                        "provider c\n mx c.example\n spf spf.a.example\n"
                                        "provider none\n mx none.example\n"
                                        "provider d\n mx d.example\n spf d.example\n");

    (void)state;
    assert_string_equal(find(providers, "a")->spf.text[0], "spf.a.example");
    assert_int_equal(find(providers, "a")->spf_number, 0);
    assert_int_equal(find(providers, "b")->spf_number, 1);
    assert_int_equal(find(providers, "c")->spf_number, 0);
    assert_int_equal(find(providers, "d")->spf_number, 2);
    assert_int_equal(included(providers, "spf.a.example"), 3);
    assert_int_equal(included(providers, "b.example"), 2);
    assert_int_equal(included(providers, "d.example"), 4);
    assert_int_equal(included(providers, "pf.a.example"), 0);
    assert_int_equal(included(providers, "spf.a.example."), 0);
    assert_int_equal(included(providers, ""), 0);
    providers_free(providers);
    providers = parse("provider a\n mx a.example\n");
    assert_int_equal(included(providers, "a.example"), 0);
    providers_free(providers);
    /* every include of the built-in table is found, and no other name is */
    for (size_t i = 0; i < providers_count(*state); i++) {
        const struct provider *provider = providers_at(*state, i);

        for (size_t j = 0; j < provider->spf.count; j++) {
            const char *text = provider->spf.text[j];

            assert_true(included(*state, text) >> provider->spf_number % 64 & 1);
            /* all of it counts; this one is documented with and without its first octet */
            if (strcmp(text, "_spf.beget.com") != 0)
                assert_int_equal(included(*state, text + 1), 0);
        }
    }
}

static void test_longest_pattern_wins(void **state)
{
    struct providers *providers = parse("provider wide\n mx *.a.example\n"
                                        "filter narrow\n mx *.b.a.example\n"
                                        "provider one\n mx mx.b.a.example\n mx b.a.example\n");

    (void)state;
    assert_verdict(providers, "x.test", "1 mx.a.example", "wide", 0, false);
    assert_verdict(providers, "x.test", "1 c.b.a.example", NULL, 0, false);
    assert_verdict(providers, "x.test", "1 mx.b.a.example", "one", 0, false);
    assert_verdict(providers, "x.test", "1 x.mx.b.a.example", NULL, 0, false);
    assert_verdict(providers, "x.test", "1 b.a.example", "one", 0, false);
    assert_verdict(providers, "x.test", "1 1.2.3.4.5.6.7.8.9.a.example", "wide", 0, false);
    providers_free(providers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_builtin_matches_itself),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_lowest_preference_names_it),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_own_backup),
        cmocka_unit_test(test_own_server_in_front),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_alternatives_and_order),
        cmocka_unit_test(test_filter_in_front),
        cmocka_unit_test(test_cut_set),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_longest_pattern_wins),
    };

    return cmocka_run_group_tests(tests, setup_builtin, teardown);
}
