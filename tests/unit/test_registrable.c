/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Tests of what is one holder's domain. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpsl.h>

#include "core/dns/registrable.h"
#include "mxclash.h"

struct name {
    uint8_t octets[MXCLASH_NAME_MAX];
    size_t len;
};

static struct name wire(const char *text)
{
    struct name name;

    assert_int_equal(mxclash_name_from_text(text, name.octets, &name.len), mxclash_ok);
    return name;
}

static void assert_domain(const struct psl_ctx_st *suffixes, const char *text, const char *domain)
{
    char found[MXCLASH_NAME_TEXT_MAX];
    struct name name = wire(text);
    size_t at = registrable_at(suffixes, name.octets, name.len);

    assert_true(at < name.len);
    assert_int_equal(mxclash_name_to_text(name.octets + at, name.len - at, found), mxclash_ok);
    assert_string_equal(found, domain);
}

static void test_domains(void **state)
{
    static const char *const cases[][2] = {
        {"example.com", "example.com"},
        {"a.b.c.example.com", "example.com"},
        /* registries' own suffixes, of two labels and of three */
        {"www.example.co.uk", "example.co.uk"},
        {"mail.example.com.cn", "example.com.cn"},
        {"www.example.gd.cn", "example.gd.cn"},
        {"host.example.pvt.k12.ma.us", "example.pvt.k12.ma.us"},
        {"shop.example.kobe.jp", "shop.example.kobe.jp"},
        /* an exception to a wildcard */
        {"mail.city.kobe.jp", "city.kobe.jp"},
        /* suffixes of private registries */
        {"x.one.github.io", "one.github.io"},
        {"x.one.uk.com", "one.uk.com"},
        /* a suffix itself, and what no list knows */
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"a.example.test", "example.test"},
        {"internal", "internal"},
        /* A-labels */
        {"www.xn--fiq228c.xn--55qx5d.cn", "xn--fiq228c.xn--55qx5d.cn"},
        /* names with a service in front */
        {"_dmarc.example.co.uk", "example.co.uk"},
        {"*.example.com", "example.com"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_domain(NULL, cases[i][0], cases[i][1]);
}

/** A dot, a NUL or an octet above ASCII inside a label parts nothing and ends nothing. */
static void test_octets(void **state)
{
    (void)state;
    assert_domain(NULL, "a.b\\.co.uk", "b\\046co.uk");
    assert_domain(NULL, "a.one\\.example.com", "one\\046example.com");
    assert_domain(NULL, "a.b\\000c.com", "b\\000c.com");
    assert_domain(NULL, "a.\\228\\184\\173.com", "\\228\\184\\173.com");
    assert_domain(NULL, "a.co\\000.uk", "co\\000.uk");
}

static void test_lengths(void **state)
{
    static const uint8_t root[] = {0};
    struct name longest = {.len = MXCLASH_NAME_MAX};

    (void)state;
    assert_int_equal(registrable_at(NULL, root, sizeof(root)), 0);
    /* 127 labels of one octet */
    for (size_t i = 0; i + 1 < longest.len; i += 2) {
        longest.octets[i] = 1;
        longest.octets[i + 1] = 'a';
    }
    longest.octets[longest.len - 1] = 0;
    assert_int_equal(registrable_at(NULL, longest.octets, longest.len), MXCLASH_NAME_MAX - 5);
}

static bool holds(const char *name_text, const char *host_text)
{
    struct name name = wire(name_text), host = wire(host_text);
    struct registrable domain = registrable_of(NULL, name.octets, name.len);

    return registrable_holds(&domain, host.octets, host.len);
}

static void test_holds(void **state)
{
    (void)state;
    assert_true(holds("lists.example.com", "mx.example.com"));
    assert_true(holds("example.com", "example.com"));
    assert_true(holds("a.example.co.uk", "b.example.co.uk"));
    assert_true(holds("internal", "mx.internal"));
    assert_false(holds("example.co.uk", "mx.other.co.uk"));
    assert_false(holds("example.gd.cn", "mx.other.gd.cn"));
    assert_false(holds("one.github.io", "two.github.io"));
    assert_false(holds("example.com", "mx.example.net"));
    assert_false(holds("example.com", "mx.notexample.com"));
    assert_false(holds("example.com", "com"));
    assert_false(holds("mail.example.com", "."));
}

/** A list of the operator's machine is newer than the one that libpsl was built with. */
static void test_another_list(void **state)
{
    char path[] = "/tmp/test_registrable.XXXXXX";
    int fd = mkstemp(path);
    psl_ctx_t *list;
    FILE *file;

    (void)state;
    assert_true(fd >= 0);
    file = fdopen(fd, "w");
    assert_non_null(file);
    fputs("// ===BEGIN ICANN DOMAINS===\ncom\nregistry.com\n// ===END ICANN DOMAINS===\n", file);
    fclose(file);
    list = psl_load_file(path);
    assert_non_null(list);
    assert_domain(NULL, "a.one.registry.com", "registry.com");
    assert_domain(list, "a.one.registry.com", "one.registry.com");
    psl_free(list);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),      cmocka_unit_test(test_octets),
        cmocka_unit_test(test_lengths),      cmocka_unit_test(test_holds),
        cmocka_unit_test(test_another_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
