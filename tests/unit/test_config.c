/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The configuration file: good files, each kind of fault with its whole text, the examples.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_faults.h"
#include "config_files.h"
#include "runtime/config_text.h"
#include "runtime/edit_distance.h"

/** Where conf-examples lies, seen from the folder that the test runs in. */
#ifndef SOURCE_ROOT
#define SOURCE_ROOT "."
#endif

/** A user who owns nothing. */
#define NOBODY 65534

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

/** Load text, which must be good. */
static void load_good(const char *text, struct config *config)
{
    char error[CONFIG_ERROR_MAX] = "";
    write_text(conf_path, text);
    if (!config_load(conf_path, config, error)) {
        fail_msg("refused: %s", error);
    }
}

static void assert_defaults(const struct config *config)
{
    assert_string_equal(config->log_file, "");
    assert_false(config->log_syslog);
    assert_true(config->log_host);
    assert_string_equal(config->database, "/var/lib/mxclash/book.db");
    assert_int_equal(config->retention_days, 90);
    assert_int_equal(config->http_listen_count, 1);
    assert_string_equal(config->http_listen[0], "127.0.0.1@9853");
    assert_int_equal(config->page_listen_count, 1);
    assert_string_equal(config->page_listen[0], "127.0.0.1@9854");
    assert_string_equal(config->page_group, "");
    assert_int_equal(config->table_size, 16 * 1024 * 1024);
    assert_true(config->probe);
    assert_int_equal(config->probe_rate, 10);
    assert_int_equal(config->confirm_after_s, 2);
    assert_int_equal(config->tally_interval_s, 300);
    assert_string_equal(config->state_file, "");
    assert_int_equal(config->recheck_interval_s, 3600);
    assert_int_equal(config->expire_after_s, 172800);
    assert_false(config->annotate);
    assert_false(config->repair);
    assert_int_equal(config->top_domains, 100);
    assert_string_equal(config->provider_file, "");
    assert_null(config->provider_text);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config config;
    assert_true(config_defaults(&config));
    assert_defaults(&config);
    assert_int_equal(config.ignore_count, 0);
    config_free(&config);
    config_free(&config); /* harmless */
}

static void test_files_without_keys(void **state)
{
    (void)state;
    static const char *const files[] = {
        "",
        "\n",
        "# nothing\n",
        " \t \n\t# probe: no\n",
        "mxclash:",
        "\n# head\n  mxclash: # the clause\r\n",
        "\r\n\r\n\r",
        "\xef\xbb\xbf",
        "\xef\xbb\xbf# behind a byte order mark\r\n",
        "# \xc3\xa9 \xe4\xb8\xad \xf0\x9f\x93\xa7 in a comment\n",
    };
    for (size_t i = 0; i < LEN(files); i++) {
        struct config config;
        load_good(files[i], &config);
        assert_defaults(&config);
        config_free(&config);
    }
}

static void test_every_key(void **state)
{
    (void)state;
    static const char table[] = "provider one\nmx one.example\n";
    struct config config;
    char text[1024];
    write_text(providers_path, table);
    write_text(ignore_path,
               "# names\n\none.example # first\r\n\t\"two.example.\"\nthree\\046x.example");
    snprintf(text, sizeof(text),
             "mxclash:\n"
             "\tlog-file: \"/var/log/a # b.json\" # quoted\n"
             "    log-syslog:yes\r\n"
             "log-host: 'no'\n"
             "database: \"\"\n"
             "retention-days: 36500\n"
             "page-listen: 0:0::1@0002\n"
             "http-listen: ::1@1#comment\n"
             "http-listen:\t/run/mx/clash.sock\t\n"
             "page-listen: /run/mx/page.sock\n"
             "page-host: mx.example.\n"
             "page-group: www-data\n"
             "page-host: resolver1\n"
             "http-listen: 0.0.0.0@65535\n"
             "table-size: 64g\n"
             "probe: no\n"
             "probe-rate: 100000\n"
             "recheck-interval: 604800\n"
             "expire-after: 31536000\n"
             "annotate: yes\n"
             "repair: yes\n"
             "top-domains: 0\n"
             "ignore-domain: Mixed.Example.\n"
             "ignore-file: '%s'\n"
             "ignore-file: \"\"\n"
             "ignore-domain: a\\#\\\"b.example\n"
             "provider-file: %s",
             ignore_path, providers_path);
    load_good(text, &config);
    assert_string_equal(config.log_file, "/var/log/a # b.json");
    assert_true(config.log_syslog);
    assert_false(config.log_host);
    assert_string_equal(config.database, "");
    assert_int_equal(config.retention_days, 36500);
    static const char *const listen[] = {"::1@1", "/run/mx/clash.sock", "0.0.0.0@65535"};
    assert_int_equal(config.http_listen_count, LEN(listen));
    for (size_t i = 0; i < LEN(listen); i++) {
        assert_string_equal(config.http_listen[i], listen[i]);
    }
    assert_int_equal(config.page_listen_count, 2);
    assert_string_equal(config.page_listen[0], "::1@2");
    assert_string_equal(config.page_listen[1], "/run/mx/page.sock");
    assert_int_equal(config.page_host_count, 2);
    assert_string_equal(config.page_host[0], "mx.example.");
    assert_string_equal(config.page_host[1], "resolver1");
    assert_string_equal(config.page_group, "www-data");
    assert_int_equal(config.table_size, UINT64_C(1) << 36);
    assert_false(config.probe);
    assert_int_equal(config.probe_rate, 100000);
    assert_int_equal(config.recheck_interval_s, 604800);
    assert_int_equal(config.expire_after_s, 31536000);
    assert_true(config.annotate);
    assert_true(config.repair);
    assert_int_equal(config.top_domains, 0);
    static const char *const ignore[] = {"Mixed.Example.", "one.example", "two.example.",
                                         "three\\046x.example", "a\\#\\\"b.example"};
    assert_int_equal(config.ignore_count, LEN(ignore));
    for (size_t i = 0; i < LEN(ignore); i++) {
        assert_string_equal(config.ignore[i], ignore[i]);
    }
    assert_string_equal(config.provider_file, providers_path);
    assert_int_equal(config.provider_text_len, strlen(table));
    assert_memory_equal(config.provider_text, table, strlen(table));
    config_free(&config);
}

static void test_least_values(void **state)
{
    (void)state;
    struct config config;
    load_good("retention-days: 1\ntable-size: 262144\nprobe-rate: 1\nrecheck-interval: 1\n"
              "expire-after: 0060\ntop-domains: 10000\nhttp-listen: \"\"\npage-listen: "
              "\"\"\nlog-file: ''\n",
              &config);
    assert_int_equal(config.retention_days, 1);
    assert_int_equal(config.table_size, 262144);
    assert_int_equal(config.probe_rate, 1);
    assert_int_equal(config.recheck_interval_s, 1);
    assert_int_equal(config.expire_after_s, 60);
    assert_int_equal(config.top_domains, 10000);
    assert_int_equal(config.http_listen_count, 0);
    assert_int_equal(config.page_listen_count, 0);
    assert_string_equal(config.log_file, "");
    config_free(&config);
}

/** Each address is kept in one form. */
static void test_listeners_in_one_form(void **state)
{
    (void)state;
    static const char *const listen[] = {"127.0.0.1@9853", "::1@80", "2001:db8::a@1", "/run/a@b"};
    struct config config;
    load_good("http-listen: 127.0.0.1@09853\nhttp-listen: 0:0::0001@0080\n"
              "http-listen: 2001:DB8:0:0:0:0:0:A@1\nhttp-listen: /run/a@b\n",
              &config);
    assert_int_equal(config.http_listen_count, LEN(listen));
    for (size_t i = 0; i < LEN(listen); i++) {
        assert_string_equal(config.http_listen[i], listen[i]);
    }
    config_free(&config);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t octets;
    } cases[] = {
        {"512k", 512 * 1024},          {"512K", 512 * 1024}, {"512kb", 512 * 1024},
        {"1m", 1024 * 1024},           {"1MB", 1024 * 1024}, {"1g", 1024 * 1024 * 1024},
        {"1Gb", 1024 * 1024 * 1024},   {"300000", 300000},   {"300000b", 300000},
        {"\"16m\"", 16 * 1024 * 1024},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        struct config config;
        char text[64];
        snprintf(text, sizeof(text), "table-size: %s\n", cases[i].text);
        load_good(text, &config);
        assert_int_equal(config.table_size, cases[i].octets);
        config_free(&config);
    }
}

static void test_many_listeners_and_names(void **state)
{
    (void)state;
    static char text[64 * 1024];
    size_t used = 0;
    struct config config;
    for (unsigned i = 1; i <= 300; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "http-listen: 127.0.0.1@%u\nignore-domain: n%u.example\n", i, i);
    }
    load_good(text, &config);
    assert_int_equal(config.http_listen_count, 300);
    assert_int_equal(config.ignore_count, 300);
    assert_string_equal(config.http_listen[299], "127.0.0.1@300");
    assert_string_equal(config.ignore[0], "n1.example");
    config_free(&config);
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(config_faults); i++) {
        write_text(conf_path, config_faults[i].text);
        expect_fault(conf_path, config_faults[i].fault);
    }
}

static void test_nul_octets(void **state)
{
    (void)state;
    static const char *const want = ":2: octet 0x00 in column 7; the file is plain text without "
                                    "control octets";
    static const char middle[] = "\nprobe:\0 yes\n";
    static const char last[] = "\nprobe:";
    write_file(conf_path, middle, sizeof(middle) - 1);
    expect_fault(conf_path, want);
    write_file(conf_path, last, sizeof(last)); /* its NUL too */
    expect_fault(conf_path, want);
}

/** Write `probe: yes #xxx`, len octets long, and ending. */
static void write_long_line(size_t len, const char *ending)
{
    static const char head[] = "probe: no #";
    char line[CONFIG_LINE_MAX + 16];
    assert_true(len + strlen(ending) < sizeof(line));
    memset(line, 'x', sizeof(line));
    memcpy(line, head, sizeof(head) - 1);
    memcpy(line + len, ending, strlen(ending) + 1);
    write_text(conf_path, line);
}

static void test_long_lines(void **state)
{
    (void)state;
    static const char *const good[] = {"\n", "", "\r\n", "\r"};
    static const char *const bad[] = {"x\n", "x", "\r\r\n", "\rx\n", "xx\r\n"};
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    for (size_t i = 0; i < LEN(good); i++) {
        write_long_line(CONFIG_LINE_MAX, good[i]);
        if (!config_load(conf_path, &config, error)) {
            fail_msg("refused: %s", error);
        }
        assert_false(config.probe);
        config_free(&config);
    }
    for (size_t i = 0; i < LEN(bad); i++) {
        write_long_line(CONFIG_LINE_MAX, bad[i]);
        expect_fault(conf_path, ":1: line over 4096 octets; make it shorter");
    }
}

static void test_socket_path_length(void **state)
{
    (void)state;
    char text[256] = "http-listen: /";
    struct config config;
    const size_t head = strlen(text);
    memset(text + head, 's', 106); /* with its / the path has 107 octets */
    load_good(text, &config);
    assert_int_equal(strlen(config.http_listen[0]), 107);
    config_free(&config);
    text[head + 106] = 's';
    write_text(conf_path, text);
    expect_fault(conf_path, ":1: http-listen: socket path of 108 octets; at most 107 fit");
}

static void test_long_texts_in_a_fault(void **state)
{
    (void)state;
    static const char *const keys[] = {"probe",         "table-size", "http-listen",
                                       "ignore-domain", "log-file",   "xxxxxxx"};
    for (size_t i = 0; i < LEN(keys); i++) {
        char text[CONFIG_LINE_MAX + 1];
        struct config config;
        char error[CONFIG_ERROR_MAX];
        int used = snprintf(text, sizeof(text), "%s: \"", keys[i]);
        assert_true(used > 0);
        for (size_t at = (size_t)used; at + 2 < sizeof(text); at += 2) {
            memcpy(text + at, "\303\251", 3);
        }
        text[sizeof(text) - 3] = '"';
        text[sizeof(text) - 2] = '\0';
        /* the cut may have split the last character */
        if ((unsigned char)text[sizeof(text) - 4] == 0303) {
            text[sizeof(text) - 4] = 'e';
        }
        write_text(conf_path, text);
        assert_false(config_load(conf_path, &config, error));
        assert_true(strlen(error) < CONFIG_ERROR_MAX - 1);
        if (i < LEN(keys) - 1) {
            assert_non_null(strstr(error, "\\195\\169...\""));
        }
    }
}

static void test_ignore_file_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *fault;
    } cases[] = {
        {"good.example\n\na..b\n", ":3: \"a..b\" is no domain name; write one such as example.org"},
        {"a b\n", ":1: \"b\" behind the value; only a comment may follow it, and a value with "
                  "blanks needs quotes"},
        {"'a\n", ":1: no quote behind \"a\"; end the value with '"},
        {"\"\"\n", ":1: \"\" is no domain name; write one such as example.org"},
        {"# \xff\n", ":1: octet 0xff in column 3 is no UTF-8; save the file as UTF-8"},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        char text[128];

        write_text(ignore_path, cases[i].text);
        snprintf(text, sizeof(text), "ignore-domain: first.example\nignore-file: %s\n",
                 ignore_path);
        write_text(conf_path, text);
        expect_fault(ignore_path, cases[i].fault);
    }
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_MAX];
    char want[CONFIG_ERROR_MAX];
    unlink(conf_path);
    expect_fault(conf_path, ": No such file or directory");
    assert_false(config_load(folder, &config, error));
    snprintf(want, sizeof(want), "%s: Is a directory", folder);
    assert_string_equal(error, want);
}

/** A very long path is cut at its front, so that the reason is still there. */
static void test_long_path(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_MAX];
    char path[3000];
    memset(path, '/', sizeof(path));
    memcpy(path + sizeof(path) - 9, "nowhere!", 9);
    assert_false(config_load(path, &config, error));
    assert_memory_equal(error, ".../", 4);
    assert_non_null(strstr(error, "/nowhere!: No such file or directory"));
}

static void test_locate(void **state)
{
    (void)state;
    char path[32];
    bool holds = true;
    unsetenv("MXCLASH_CONF");
    assert_true(config_locate("/nowhere/at", path, sizeof(path), &holds));
    assert_string_equal(path, "/nowhere/at/mxclash.conf");
    assert_false(holds);
    assert_true(config_locate("/nowhere/at", path, sizeof("/nowhere/at/mxclash.conf"), &holds));
    assert_false(
        config_locate("/nowhere/at", path, sizeof("/nowhere/at/mxclash.conf") - 1, &holds));
    setenv("MXCLASH_CONF", "/srv/other.conf", 1);
    assert_true(config_locate("/nowhere/at", path, sizeof(path), &holds));
    assert_string_equal(path, "/srv/other.conf");
    assert_true(holds);
    assert_false(config_locate("/nowhere/at", path, 4, &holds));
    setenv("MXCLASH_CONF", "", 1);
    assert_true(config_locate("/nowhere/at", path, sizeof(path), &holds));
    assert_string_equal(path, "/nowhere/at/mxclash.conf");
    assert_false(holds);
    unsetenv("MXCLASH_CONF");
}

/** What stands where the configuration is looked for is never passed over. */
static void test_locate_what_cannot_be_read(void **state)
{
    (void)state;
    char path[96], inside[96];
    bool holds = true;
    assert_true(config_locate(folder, path, sizeof(path), &holds));
    assert_false(holds);
    write_text(path, "");
    assert_true(config_locate(folder, path, sizeof(path), &holds));
    assert_true(holds);
    /* a folder that we may not enter; root may enter each */
    holds = false;
    assert_int_equal(chmod(folder, 0), 0);
    if (geteuid() == 0) {
        assert_int_equal(seteuid(NOBODY), 0);
    }
    assert_true(config_locate(folder, inside, sizeof(inside), &holds));
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(chmod(folder, 0700), 0);
    assert_true(holds);
    holds = false;
    /* a file where the folder should be */
    assert_true(config_locate(path, inside, sizeof(inside), &holds));
    assert_true(holds);
    assert_int_equal(unlink(path), 0);
    /* links that lead nowhere, and to themselves */
    static const char *const targets[] = {"gone", "mxclash.conf"};
    for (size_t i = 0; i < LEN(targets); i++) {
        holds = false;
        assert_int_equal(symlink(targets[i], path), 0);
        assert_true(config_locate(folder, path, sizeof(path), &holds));
        assert_true(holds);
        assert_int_equal(unlink(path), 0);
    }
}

/** The example: good as it is, and with every key that it comments out. */
static void test_example(void **state)
{
    (void)state;
    static const char example[] = SOURCE_ROOT "/conf-examples/mxclash.conf";
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    char line[512];
    if (!config_load(example, &config, error)) {
        fail_msg("%s", error);
    }
    assert_defaults(&config);
    config_free(&config);

    FILE *in = fopen(example, "re");
    FILE *out = fopen(conf_path, "we");
    size_t keys = 0;
    assert_non_null(in);
    assert_non_null(out);
    while (fgets(line, sizeof(line), in) != NULL) {
        const bool key = line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
        keys += key;
        fputs(line + key, out);
    }
    fclose(in);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(keys, 1 + 27); /* the clause and every key */
    if (!config_load(conf_path, &config, error)) {
        fail_msg("%s", error);
    }
    assert_defaults(&config);
    assert_int_equal(config.ignore_count, 1);
    assert_string_equal(config.ignore[0], "ignored.example");
    assert_int_equal(config.page_host_count, 1);
    assert_string_equal(config.page_host[0], "resolver1.example.net");
    config_free(&config);
}

static void test_edit_distance(void **state)
{
    (void)state;
    static const struct {
        const char *one;
        const char *other;
        unsigned distance;
    } cases[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"abc", "ABC", 0},
        {"probe", "prob", 1},
        {"probe", "porbe", 2},
        {"kitten", "sitting", 3},
        {"0123456789012345678901234567890", "x0123456789012345678901234567890", 1},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        assert_int_equal(edit_distance(cases[i].one, cases[i].other), cases[i].distance);
        assert_int_equal(edit_distance(cases[i].other, cases[i].one), cases[i].distance);
    }
    const char *too_long = "012345678901234567890123456789012";
    assert_int_equal(strlen(too_long), EDIT_DISTANCE_WORD_MAX + 1);
    assert_int_equal(edit_distance(too_long, too_long), EDIT_DISTANCE_FAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_files_without_keys),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_least_values),
        cmocka_unit_test(test_listeners_in_one_form),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_many_listeners_and_names),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_nul_octets),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_socket_path_length),
        cmocka_unit_test(test_long_texts_in_a_fault),
        cmocka_unit_test(test_ignore_file_faults),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_locate_what_cannot_be_read),
        cmocka_unit_test(test_example),
        cmocka_unit_test(test_edit_distance),
    };
    return cmocka_run_group_tests_name("config", tests, make_folder, remove_folder);
}
