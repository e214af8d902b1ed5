/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of the text of a provider table: format, errors with their lines, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider_table.h"

static const struct provider *host(const struct providers *providers, const char *text)
{
    uint8_t name[MXCLASH_NAME_MAX];
    size_t len;
    const struct provider_pattern *pattern;

    assert_int_equal(mxclash_name_from_text(text, name, &len), mxclash_ok);
    return providers_host(providers, name, len, &pattern);
}

static void test_text_format(void **state)
{
    struct providers *providers =
        parse("# a comment\r\n\r\n  provider\tone  # named one\r\n\ttitle  One,\tof two # ways\r\n"
              "mx *.One.Example.\nsource http://one.example/#mx\nsource the manual\n"
              "preferences exact\nexpect 65535 a.one.example\nor\nexpect 0\tb.one.example.");
    const struct provider *one = providers_at(providers, 0);

    (void)state;
    assert_int_equal(providers_count(providers), 1);
    assert_string_equal(one->name, "one");
    assert_string_equal(one->title, "One, of two");
    assert_string_equal(one->family, "one");
    assert_int_equal(one->sources.count, 2);
    assert_string_equal(one->sources.text[0], "http://one.example/#mx");
    assert_int_equal(one->set_count, 2);
    assert_int_equal(one->sets[0].mx[0].preference, 65535);
    assert_memory_equal(one->patterns[0].name, "\3one\7example", 13);
    providers_free(providers);
    providers = parse("");
    assert_int_equal(providers_count(providers), 0);
    assert_null(host(providers, "mx1.qiye.aliyun.com"));
    providers_free(providers);
    providers_free(NULL);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"\n\nfoo bar\n", "3: unknown key 'foo'"},
        {"# x\nmx a.example", "2: 'mx' stands before any provider or filter"},
        {"provider", "1: 'provider' needs a value"},
        {"provider A", "1: 'A' is no tag: 1 to 63 lower case letters, digits, hyphens"},
        {"provider a\nmx *\n", "2: '*' is no host name"},
        {"provider a\nmx *.com\n", "2: 'com' is a whole top-level domain"},
        {"provider a\nmx mx.*.example\n", "2: 'mx.*.example' is no host name"},
        {"provider a\nmx m*.a.example\n", "2: 'm*.a.example' is no host name"},
        {"provider a\nmx a..example\n", "2: 'a..example' is no host name"},
        {"provider a\nmx a/b.example\n", "2: 'a/b.example' is no host name"},
        {"provider a\nmx a\tb.example\n", "2: 'a b.example' is no host name"},
        {"provider a\nmx a.example b.example\n", "2: 'a.example b.example' is no host name"},
        {"provider a\ntitle x\n\nprovider b\n", "1: 'a' has no mx line"},
        {"\nfilter a\n", "2: 'a' has no mx line"},
        {"provider a\nmx a.example\nprovider a\n", "3: 'a' stands in the table already"},
        {"provider a\nmx a.example\nfilter b\nmx A.example.\n",
         "4: 'A.example.' belongs to 'a' already"},
        {"provider a\nmx a.example\nexpect a.example\n",
         "3: expect takes a preference, 0 to 65535, and a host name"},
        {"provider a\nmx a.example\nexpect 65536 a.example\n",
         "3: expect takes a preference, 0 to 65535, and a host name"},
        {"provider a\nmx a.example\nexpect 1a.example\n",
         "3: expect takes a preference, 0 to 65535, and a host name"},
        {"provider a\nmx a.example\nexpect 1 b.example\n",
         "3: no mx line above says that 'b.example' belongs to 'a'"},
        {"provider a\nexpect 1 a.example\nmx a.example\n",
         "2: no mx line above says that 'a.example' belongs to 'a'"},
        {"provider a\nmx a.example\nor\n", "3: or stands between two sets of expect lines"},
        {"provider a\nmx a.example\nexpect 1 a.example\nor\n",
         "1: 'a' ends with an or that no expect follows"},
        {"provider a\nmx a.example\nexpect 1 a.example\nor x\n", "4: 'or' takes no value"},
        {"provider a\nmx a.example\npreferences loose\n", "3: preferences are exact or order"},
        {"provider a\nmx a.example\nspf include:a.example x\n",
         "3: 'include:a.example x' is no host name"},
        {"filter a\nmx a.example\nexpect 1 a.example\n", "3: 'expect' is not for a filter"},
        {"filter a\nmx a.example\nspf a.example\n", "3: 'spf' is not for a filter"},
        {"include\n", "1: 'include' needs a value"},
        {"\ninclude other\n", "2: include takes builtin and nothing else"},
        {"include builtin\n\ninclude builtin\n", "3: include stands once, above all sections"},
        {"provider a\nmx a.example\ninclude builtin\n",
         "3: include stands once, above all sections"},
        {"filter a\ninclude builtin\n", "2: include stands once, above all sections"},
        {"include builtin\ntitle x\n", "2: 'title' stands before any provider or filter"},
        {"include builtin\nprovider a\nmx *.mxhichina.com\n",
         "3: '*.mxhichina.com' belongs to 'alibaba-mail-enterprise' already"},
        {"include builtin\nprovider alibaba-mail-enterprise\ntitle x\n",
         "2: 'alibaba-mail-enterprise' has no mx line"},
        {"include builtin\nprovider alibaba-mail-enterprise\nmx a.example\n"
         "filter alibaba-mail-enterprise\nmx b.example\n",
         "4: 'alibaba-mail-enterprise' stands in the table already"},
        {"provider a\ntitle \x1b[1m\n", "2: octet 27 is neither printable ASCII nor a tab"},
        {"provider a\ntitle \xc3\xa9\n", "2: octet 195 is neither printable ASCII nor a tab"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char error[PROVIDERS_ERROR_MAX] = "";

        assert_null(providers_parse(cases[i].text, strlen(cases[i].text), error));
        assert_string_equal(error, cases[i].error);
    }
}

static const struct provider *named(const struct providers *providers, const char *name)
{
    for (size_t i = 0; i < providers_count(providers); i++)
        if (strcmp(providers_at(providers, i)->name, name) == 0)
            return providers_at(providers, i);
    return NULL;
}

/** The built-in sections come first and stay as they are, but for those that the text has too. */
static void test_include(void **state)
{
    char error[PROVIDERS_ERROR_MAX];
    struct providers *builtin = providers_builtin(error);
    struct providers *providers = parse("# ours\ninclude builtin # theirs\n");
    size_t count = providers_count(builtin);

    (void)state;
    assert_non_null(builtin);
    assert_int_equal(providers_count(providers), count);
    assert_int_equal(providers_octets(providers), providers_octets(builtin));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(providers_at(providers, i)->name, providers_at(builtin, i)->name);
    providers_free(providers);

    /* the first section, a filter and the last one are replaced, one is new */
    providers = parse("include builtin\n\tprovider\talibaba-mail-standard # ours\r\n"
                      "family alibaba-mail\nmx *.qiye.aliyun.com\nmx mx.other.example\n"
                      "provider mimecast\nmx m.example\nfilter trend-micro\nmx *.t.example\n"
                      "provider new\nmx new.example\nspf provider.zoho-mail\n"
                      "title provider zoho-mail\n");
    assert_int_equal(providers_count(providers), count + 1);
    assert_string_equal(providers_at(providers, 0)->name, "alibaba-mail-enterprise");
    assert_int_equal(named(providers, "alibaba-mail-standard")->pattern_count, 2);
    assert_int_equal(named(providers, "alibaba-mail-standard")->set_count, 0);
    assert_ptr_equal(named(providers, "alibaba-mail-standard"), providers_at(providers, count - 3));
    assert_ptr_equal(named(providers, "new"), providers_at(providers, count));
    assert_ptr_equal(host(providers, "mx1.qiye.aliyun.com"),
                     named(providers, "alibaba-mail-standard"));
    assert_ptr_equal(host(providers, "mxn.mxhichina.com"),
                     named(providers, "alibaba-mail-enterprise"));
    assert_ptr_equal(host(providers, "new.example"), named(providers, "new"));
    assert_false(named(providers, "mimecast")->filter);
    assert_null(host(providers, "eu-smtp-inbound-1.mimecast.com"));
    assert_null(host(providers, "in.tmes.trendmicro.com"));
    assert_ptr_equal(host(providers, "in.t.example"), named(providers, "trend-micro"));
    assert_int_equal(named(providers, "zoho-mail")->set_count,
                     named(builtin, "zoho-mail")->set_count);
    providers_free(providers);
    providers_free(builtin);
}

/** A text may replace every section of the built-in table. */
static void test_include_nothing(void **state)
{
    char error[PROVIDERS_ERROR_MAX];
    struct providers *builtin = providers_builtin(error);
    struct providers *providers;
    char text[8192] = "include builtin\n";
    size_t len = strlen(text);

    (void)state;
    assert_non_null(builtin);
    for (size_t i = 0; i < providers_count(builtin); i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "provider %s\nmx h%zu.example\n",
                                providers_at(builtin, i)->name, i);
    assert_true(len < sizeof(text));
    providers = parse(text);
    assert_int_equal(providers_count(providers), providers_count(builtin));
    assert_null(host(providers, "mx1.qiye.aliyun.com"));
    assert_ptr_equal(host(providers, "h0.example"), providers_at(providers, 0));
    providers_free(providers);
    providers_free(builtin);
}

/** Write n lines, each with its number, behind a head, and expect this error. */
static void assert_bound(const char *head, const char *line, unsigned n, const char *error_part)
{
    char *text = malloc(strlen(head) + n * (strlen(line) + 24) + 1);
    char error[PROVIDERS_ERROR_MAX] = "";
    struct providers *providers;
    size_t len;

    assert_non_null(text);
    len = (size_t)sprintf(text, "%s", head);
    for (unsigned i = 0; i < n; i++) {
        const char *number = strchr(line, '@');

        len += (size_t)sprintf(text + len, "%.*s%u%s\n", (int)(number - line), line, i, number + 1);
    }
    providers = providers_parse(text, len, error);
    if (error_part == NULL) {
        if (providers == NULL)
            fail_msg("%s", error);
    } else {
        assert_null(providers);
        if (strstr(error, error_part) == NULL)
            fail_msg("'%s' is not in '%s'", error_part, error);
    }
    providers_free(providers);
    free(text);
}

static void test_bounds(void **state)
{
    char error[PROVIDERS_ERROR_MAX];
    char *large = malloc(PROVIDERS_TEXT_MAX + 1);

    (void)state;
    assert_bound("provider a\n", "mx h@.example", PROVIDER_PATTERNS_MAX, NULL);
    assert_bound("provider a\n", "mx h@.example", PROVIDER_PATTERNS_MAX + 1, "66: more than 64");
    assert_bound("provider a\nmx *.a.example\n", "expect @ h.a.example", MXCLASH_MX_MAX, NULL);
    assert_bound("provider a\nmx *.a.example\n", "expect @ h.a.example", MXCLASH_MX_MAX + 1,
                 "more than 16 hosts");
    assert_bound("provider a\nmx *.a.example\nexpect 1 b.a.example\n", "or\nexpect @ h.a.example",
                 PROVIDER_SETS_MAX - 1, NULL);
    assert_bound("provider a\nmx *.a.example\nexpect 1 b.a.example\n", "or\nexpect @ h.a.example",
                 PROVIDER_SETS_MAX, "more than 32 sets");
    assert_bound("provider a\nmx a.example\n", "spf h@.example", PROVIDER_STRINGS_MAX + 1,
                 "more than 16 lines");
    assert_bound("", "provider p@\nmx a.example", 2, "belongs to 'p0'");
    assert_bound("provider first\nmx z.example\n", "provider p@", 2, "'p0' has no mx line");
    assert_non_null(large);
    memset(large, '\n', PROVIDERS_TEXT_MAX + 1);
    providers_free(providers_parse(large, PROVIDERS_TEXT_MAX, error));
    assert_null(providers_parse(large, PROVIDERS_TEXT_MAX + 1, error));
    assert_string_equal(error, "1: the table is larger than 262144 octets");
    memset(large, 'x', PROVIDERS_LINE_MAX);
    assert_null(providers_parse(large, PROVIDERS_LINE_MAX, error));
    assert_string_equal(error, "1: the line is longer than 1023 octets");
    free(large);
}

/** Every pattern of a full table is found, and nothing beside it. */
static void test_many_patterns(void **state)
{
    char *text = malloc(PROVIDERS_TEXT_MAX);
    size_t len = 0;
    struct providers *providers;

    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < PROVIDERS_MAX; i++) {
        len += (size_t)sprintf(text + len, "provider p%u\n", i);
        for (unsigned j = 0; j < 20; j++)
            len += (size_t)sprintf(text + len, "mx %sh%u.p%u.example\n", j % 2 ? "*." : "", j, i);
    }
    text[len] = '\0';
    providers = parse(text);
    free(text);
    for (unsigned i = 0; i < PROVIDERS_MAX; i++)
        for (unsigned j = 0; j < 21; j++) {
            const struct provider *owner = providers_at(providers, i);
            char name[64];

            sprintf(name, "h%u.p%u.example", j, i);
            assert_ptr_equal(host(providers, name), j % 2 || j == 20 ? NULL : owner);
            sprintf(name, "a.h%u.p%u.example", j, i);
            assert_ptr_equal(host(providers, name), j % 2 ? owner : NULL);
        }
    providers_free(providers);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/** Parts of the built-in text with up to 7 octets changed: a table or an error, never both. */
static void test_random(void **state)
{
    const char *builtin = providers_builtin_text;
    uint32_t seed = 424242;
    int parsed = 0, refused = 0;

    (void)state;
    for (int round = 0; round < 4000; round++) {
        const char *from =
            strstr(builtin + next_random(&seed) % (strlen(builtin) - 2000), "\nfilter");
        size_t len = 1 + next_random(&seed) % 600;
        char error[PROVIDERS_ERROR_MAX] = "";
        struct providers *providers;
        char *text;

        if (round % 2 == 0 || from == NULL)
            from = strstr(builtin + next_random(&seed) % 2000, "\nprovider");
        if (len > strlen(from))
            len = strlen(from);
        text = malloc(len);
        assert_non_null(text);
        memcpy(text, from, len);
        for (int i = 0; i < round % 8; i++)
            text[next_random(&seed) % len] = (char)next_random(&seed);
        providers = providers_parse(text, len, error);
        providers != NULL ? parsed++ : refused++;
        assert_int_equal(providers == NULL, error[0] != '\0');
        if (providers != NULL)
            host(providers, "mx1.qiye.aliyun.com");
        providers_free(providers);
        free(text);
    }
    assert_true(parsed > 100);
    assert_true(refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_format), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_include),     cmocka_unit_test(test_include_nothing),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_many_patterns),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
