/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Holds every section of the built-in table, whatever it is: what its provider documents is silent,
 * a host less is told, another provider's host is foreign, a filter in front is not. A new section
 * is held by being there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider_table.h"
#include "spf_reader.h"

/** A domain that is nobody's. */
static const uint8_t owner[] = "\7example\7invalid";

static const struct providers *table;

static int setup(void **state)
{
    char error[PROVIDERS_ERROR_MAX] = "";
    struct providers *providers = providers_builtin(error);

    if (providers == NULL)
        print_error("%s\n", error);
    *state = providers;
    table = providers;
    return providers == NULL;
}

static int teardown(void **state)
{
    providers_free(*state);
    return 0;
}

static struct providers_verdict judge(const struct mxclash_mx *mx, size_t count)
{
    struct providers_verdict verdict;

    providers_judge(table, owner, sizeof(owner), mx, count, &verdict);
    return verdict;
}

static void assert_verdict(const struct provider *provider, const struct mxclash_mx *mx,
                           size_t count, uint32_t foreign, bool incomplete)
{
    struct providers_verdict verdict = judge(mx, count);
    char host[MXCLASH_NAME_TEXT_MAX];

    mxclash_name_to_text(mx[0].exchange, mx[0].exchange_len, host);
    if (verdict.provider != provider || verdict.foreign != foreign ||
        verdict.incomplete != incomplete)
        fail_msg("%s and %zu more, of %s: judged %s, foreign %#x, incomplete %d", host, count - 1,
                 provider->name, verdict.provider == NULL ? "nobody's" : verdict.provider->name,
                 verdict.foreign, verdict.incomplete);
}

/** A host of a pattern: the name itself, or one below it. */
static struct mxclash_mx host_of(const struct provider_pattern *pattern, uint16_t preference)
{
    struct mxclash_mx mx = {.preference = preference};
    size_t at = 0;

    if (pattern->below) {
        memcpy(mx.exchange, "\12host-of-it", 11);
        at = 11;
    }
    memcpy(mx.exchange + at, pattern->name, pattern->name_len);
    mx.exchange_len = (uint8_t)(at + pattern->name_len);
    return mx;
}

/** Some host of a provider's that stands in none of its sets of several hosts, so that alone it
 * lacks nothing. \return false if there is none */
static bool lone_host(const struct provider *provider, uint16_t preference, struct mxclash_mx *mx)
{
    for (size_t i = 0; i < provider->pattern_count; i++) {
        *mx = host_of(&provider->patterns[i], preference);
        if (!judge(mx, 1).incomplete)
            return true;
    }
    return false;
}

/** \return how many of the provider's sets have all their hosts here */
static size_t sets_within(const struct provider *provider, const struct mxclash_mx *mx,
                          size_t count)
{
    size_t within = 0;

    for (size_t i = 0; i < provider->set_count; i++) {
        const struct provider_set *set = &provider->sets[i];
        size_t same = 0;

        for (size_t j = 0; j < set->count; j++)
            for (size_t k = 0; k < count; k++)
                same += set->mx[j].exchange_len == mx[k].exchange_len &&
                        memcmp(set->mx[j].exchange, mx[k].exchange, mx[k].exchange_len) == 0;
        within += same == set->count;
    }
    return within;
}

/** What is documented is silent; with other numbers of the same order too, unless the page asks for
 * its own; in another order, or with a host less, it is not what is documented. */
static void test_documented_sets(void **state)
{
    size_t sets = 0, less = 0, turned = 0;

    (void)state;
    for (size_t i = 0; i < providers_count(table); i++) {
        const struct provider *provider = providers_at(table, i);

        for (size_t j = 0; j < provider->set_count; j++) {
            struct mxclash_mx mx[MXCLASH_MX_MAX], other[MXCLASH_MX_MAX];
            size_t count = set_as_mx(&provider->sets[j], mx);
            uint16_t lowest = UINT16_MAX, highest = 0;

            sets++;
            assert_verdict(provider, mx, count, 0, false);
            for (size_t k = 0; k < count; k++) {
                other[k] = mx[k];
                other[k].preference = (uint16_t)(mx[k].preference * 3 + 7);
                lowest = mx[k].preference < lowest ? mx[k].preference : lowest;
                highest = mx[k].preference > highest ? mx[k].preference : highest;
            }
            assert_verdict(provider, other, count, 0, !provider->order_only);
            for (size_t k = 0; k < count; k++)
                other[k].preference = (uint16_t)(lowest + highest - mx[k].preference);
            if (lowest != highest && sets_within(provider, mx, count) == 1) {
                turned++;
                assert_verdict(provider, other, count, 0, true);
            }
            /* each host in its turn is away: the last takes its place */
            for (size_t k = 0; k < count && count > 1; k++) {
                memcpy(other, mx, sizeof(mx));
                other[k] = mx[count - 1];
                if (sets_within(provider, other, count - 1) != 0)
                    continue;
                less++;
                assert_verdict(provider, other, count - 1, 0, true);
            }
        }
    }
    assert_true(sets > 40 && less > 80 && turned > 20);
}

/** Every host of every pattern is its provider's, and foreign to nobody: alone, beside the
 * documented sets of every edition, and beside every other host of the family. */
static void test_hosts_of_one_service(void **state)
{
    (void)state;
    for (size_t i = 0; i < providers_count(table); i++) {
        const struct provider *provider = providers_at(table, i);

        for (size_t j = 0; j < provider->pattern_count; j++) {
            struct mxclash_mx mx[MXCLASH_MX_MAX + 1];
            const struct provider_pattern *says;

            mx[0] = host_of(&provider->patterns[j], 10);
            assert_ptr_equal(providers_host(table, mx[0].exchange, mx[0].exchange_len, &says),
                             provider);
            assert_int_equal(judge(mx, 1).foreign, 0);
            for (size_t k = 0; k < providers_count(table); k++) {
                const struct provider *edition = providers_at(table, k);

                if (edition->filter || provider->filter ||
                    strcmp(edition->family, provider->family) != 0)
                    continue;
                for (size_t l = 0; l < edition->set_count; l++) {
                    size_t count = set_as_mx(&edition->sets[l], mx + 1);
                    struct providers_verdict verdict;

                    /* tried last, so that the set stays as it is documented */
                    mx[0].preference = UINT16_MAX;
                    verdict = judge(mx, count + 1);
                    assert_int_equal(verdict.foreign, 0);
                    assert_false(verdict.incomplete);
                }
                for (size_t l = 0; l < edition->pattern_count; l++) {
                    mx[1] = host_of(&edition->patterns[l], 20);
                    assert_int_equal(judge(mx, 2).foreign, 0);
                }
            }
        }
    }
}

/** Of two services the one that is tried later is foreign, whichever two they are. */
static void test_two_services(void **state)
{
    size_t pairs = 0;

    (void)state;
    for (size_t i = 0; i < providers_count(table); i++)
        for (size_t j = 0; j < providers_count(table); j++) {
            const struct provider *first = providers_at(table, i), *second = providers_at(table, j);
            struct mxclash_mx mx[2];

            if (first->filter || second->filter)
                continue;
            if (!lone_host(first, 1, &mx[0]))
                mx[0] = host_of(&first->patterns[0], 1);
            mx[1] = host_of(&second->patterns[0], 50);
            assert_ptr_equal(judge(mx, 2).provider, first);
            if (strcmp(first->family, second->family) == 0) {
                assert_int_equal(judge(mx, 2).foreign, 0);
                continue;
            }
            pairs++;
            assert_int_equal(judge(mx, 2).foreign, 2);
        }
    assert_true(pairs > 3000);
}

/** No filter is foreign, and behind one no set is held against the domain, wherever the filter
 * stands. */
static void test_filters(void **state)
{
    size_t filters = 0;

    (void)state;
    for (size_t i = 0; i < providers_count(table); i++) {
        const struct provider *filter = providers_at(table, i);

        filters += filter->filter;
        for (size_t p = 0; p < filter->pattern_count && filter->filter; p++)
            for (size_t j = 0; j < providers_count(table); j++) {
                const struct provider *provider = providers_at(table, j);

                for (uint16_t preference = 0; preference <= 50 && !provider->filter;
                     preference = (uint16_t)(preference + 25)) {
                    struct mxclash_mx mx[2] = {host_of(&filter->patterns[p], preference),
                                               host_of(&provider->patterns[0], 20)};

                    assert_verdict(provider, mx, 2, 0, false);
                    assert_true(judge(mx, 2).filtered);
                }
            }
    }
    assert_true(filters > 40);
}

/** A token changes no verdict, whoever has it and wherever it stands; alone it is nobody's. */
static void test_tokens(void **state)
{
    size_t tokens = 0;

    (void)state;
    for (size_t i = 0; i < providers_count(table); i++)
        for (size_t p = 0; p < providers_at(table, i)->pattern_count; p++) {
            const struct provider_pattern *pattern = &providers_at(table, i)->patterns[p];
            struct mxclash_mx mx[MXCLASH_MX_MAX + 1];

            if (!pattern->token)
                continue;
            tokens++;
            mx[0] = host_of(pattern, 10);
            assert_verdict(NULL, mx, 1, 0, false);
            for (size_t j = 0; j < providers_count(table); j++) {
                const struct provider *provider = providers_at(table, j);

                if (provider->filter)
                    continue;
                for (size_t k = 0; k < provider->set_count; k++) {
                    size_t count = set_as_mx(&provider->sets[k], mx + 1);

                    mx[0].preference = 0;
                    assert_verdict(provider, mx, count + 1, 0, false);
                    mx[0].preference = UINT16_MAX;
                    assert_verdict(provider, mx, count + 1, 0, false);
                }
                if (provider->set_count == 0 && lone_host(provider, 20, &mx[1]))
                    for (uint16_t preference = 10; preference <= 30;
                         preference = (uint16_t)(preference + 10)) {
                        mx[0].preference = preference;
                        assert_verdict(provider, mx, 2, 0, false);
                    }
            }
        }
    assert_true(tokens >= 5);
}

/** \return what a record with this one term and a name says */
static struct spf_summary spf_of(const char *term, const char *name)
{
    char text[512];
    uint8_t rdata[512];
    int len = snprintf(text, sizeof(text), "v=spf1 %s%s", term, name);

    assert_true(len > 0 && len < 256);
    rdata[0] = (uint8_t)len;
    memcpy(rdata + 1, text, (size_t)len);
    return spf_summary_of(table, rdata, (size_t)len + 1);
}

static bool names(const struct spf_summary *spf, const struct provider *provider)
{
    return (spf->named >> provider->spf_number % SPF_NUMBERS & 1) != 0;
}

static bool documents(const struct provider *provider, const char *name)
{
    for (size_t i = 0; i < provider->spf.count; i++)
        if (strcmp(provider->spf.text[i], name) == 0)
            return true;
    return false;
}

/** Every include that a provider gives or gave names it, and names no one who does not have it too:
 * no two providers share a bit. */
static void test_includes(void **state)
{
    size_t includes = 0;

    (void)state;
    for (size_t i = 0; i < providers_count(table); i++) {
        const struct provider *provider = providers_at(table, i);

        if (provider->spf.count != 0)
            assert_true(provider->spf_number < SPF_NUMBERS);
        for (size_t j = 0; j < provider->spf.count; j++) {
            const char *name = provider->spf.text[j];
            struct spf_summary included = spf_of("include:", name);
            struct spf_summary redirected = spf_of("redirect=", name);

            includes++;
            for (size_t k = 0; k < providers_count(table); k++) {
                const struct provider *other = providers_at(table, k);

                if (other->spf.count == 0)
                    continue;
                assert_int_equal(names(&included, other),
                                 documents(other, name) ||
                                     other->spf_number == provider->spf_number);
                assert_int_equal(names(&included, other), names(&redirected, other));
            }
        }
    }
    assert_true(includes > 60);
}

/** What field reports found wrong. */
static void test_reports(void **state)
{
    static const struct {
        const char *host, *provider;
    } hosts[] = {
        {"abcdefghijklmnop.mx-verification.google.com", "google-workspace"},
        {"mx01.dm.aliyun.com", "alibaba-mail-standard"},
        {"example-test.mail.protection.office365.us", "microsoft-365-government"},
        {"example-test.mail.eo.outlook.com", "microsoft-365"},
        {"1234567890.pamx1.hotmail.com", "outlook-personal"},
        {"mx00.kundenserver.de", "ionos-mail"},
        {"mx2.zohocloud.ca", "zoho-mail-regions"},
        {"route3.mx.cloudflare.net", "cloudflare-email-routing"},
        {"amir.mx.cloudflare.net", "cloudflare-email-routing"},
        {"mxb.ovh.net", "ovhcloud-mail"},
        {"example.in.tmes-anz.trendmicro.com", "trend-micro"},
        {"mxa.global.inbound.cf-emailsecurity.net", "cloudflare-email-security"},
        /* it forwards, and refuses where it stands beside OVH's mailboxes */
        {"redirect.ovh.net", "ovhcloud-redirect"},
    };
    static const struct {
        const char *include, *provider;
    } includes[] = {
        {"secureserver.net", "microsoft-365"},
        {"secureserver.net", "godaddy-email"},
        {"spf.mxhichina.com", "alibaba-mail-standard"},
        {"spf.mxhichina.com", "alibaba-mail-enterprise"},
        {"aspmx.googlemail.com", "google-workspace"},
        {"_spf.perfora.net", "ionos-mail"},
        {"_spf.kundenserver.de", "ionos-mail"},
        {"spf.qiye.163.com", "netease-enterprise"},
        {"_spf.yandex.ru", "yandex-360"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        uint8_t name[MXCLASH_NAME_MAX];
        size_t len;
        const struct provider_pattern *says;

        assert_int_equal(mxclash_name_from_text(hosts[i].host, name, &len), mxclash_ok);
        if (hosts[i].provider == NULL)
            assert_null(providers_host(table, name, len, &says));
        else
            assert_string_equal(provider_name(providers_host(table, name, len, &says)),
                                hosts[i].provider);
    }
    for (size_t i = 0; i < sizeof(includes) / sizeof(includes[0]); i++) {
        bool found = false;

        for (size_t j = 0; j < providers_count(table); j++)
            found = found || (strcmp(providers_at(table, j)->name, includes[i].provider) == 0 &&
                              documents(providers_at(table, j), includes[i].include));
        if (!found)
            fail_msg("%s has no %s", includes[i].provider, includes[i].include);
    }
}

/** The smallest table-size has room for cases beside the table that is built in. */
static void test_room(void **state)
{
    char error[PROVIDERS_ERROR_MAX];
    struct providers *rules =
        providers_parse_rules(providers_builtin_text, strlen(providers_builtin_text), error);

    (void)state;
    assert_non_null(rules);
    assert_int_equal(providers_count(rules), providers_count(table));
    for (size_t i = 0; i < providers_count(rules); i++) {
        const struct provider *lean = providers_at(rules, i), *full = providers_at(table, i);

        assert_string_equal(lean->name, full->name);
        assert_string_equal(lean->family, full->family);
        assert_ptr_equal(lean->title, lean->name);
        assert_int_equal(lean->sources.count, 0);
        assert_int_equal(lean->pattern_count, full->pattern_count);
        assert_int_equal(lean->spf_number, full->spf_number);
    }
    assert_true(providers_octets(rules) < providers_octets(table) * 4 / 5);
    assert_in_range(providers_octets(rules), 1, 75776);
    providers_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented_sets), cmocka_unit_test(test_hosts_of_one_service),
        cmocka_unit_test(test_two_services),    cmocka_unit_test(test_filters),
        cmocka_unit_test(test_tokens),          cmocka_unit_test(test_includes),
        cmocka_unit_test(test_reports),         cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
