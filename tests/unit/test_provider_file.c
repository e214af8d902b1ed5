/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The file of mailbox providers that a configuration names, and files that are no files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config_files.h"
#include "core/providers/providers.h"
#include "runtime/provider_file.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
/** The user nobody, whose number need not be in the password file. */
#define NOBODY 65534

/** Write a configuration whose second line names path by key. */
static void write_conf(const char *key, const char *path)
{
    char text[512];
    const int len = snprintf(text, sizeof(text), "probe: no\n%s: \"%s\"\n", key, path);
    write_file(conf_path, text, (size_t)len);
}

/** Load a configuration with this table, which must be good. */
static void load_good(const void *table, size_t len, struct config *config)
{
    char error[CONFIG_ERROR_MAX] = "";
    write_file(providers_path, table, len);
    write_conf("provider-file", providers_path);
    if (!config_load(conf_path, config, error)) {
        fail_msg("refused: %s", error);
    }
    assert_string_equal(config->provider_file, providers_path);
}

static void test_text_is_kept(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "provider one\nmx one.example\n",
        "# nobody\r\n",
        "provider one\n  mx *.one.example # no end of line",
        "",
    };
    for (size_t i = 0; i < LEN(tables); i++) {
        struct config config;
        load_good(tables[i], strlen(tables[i]), &config);
        assert_non_null(config.provider_text); /* an empty table is not the built-in one */
        assert_int_equal(config.provider_text_len, strlen(tables[i]));
        assert_memory_equal(config.provider_text, tables[i], strlen(tables[i]));
        config_free(&config);
        assert_null(config.provider_text);
    }
}

static void test_key_without_a_file(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    write_conf("provider-file", "");
    assert_true(config_load(conf_path, &config, error));
    assert_string_equal(config.provider_file, "");
    assert_null(config.provider_text);
    config_free(&config);
}

static void test_faults_inside(void **state)
{
    (void)state;
    static const struct {
        const char *table;
        const char *fault;
    } cases[] = {
        {"provider one\nmx one.example\n\nfoo bar\n", ":4: unknown key 'foo'"},
        {"\nprovider one\ntitle x\n", ":2: 'one' has no mx line"},
        {"provider one\nmx 1: x\n", ":2: '1: x' is no host name"},
        {"\xef\xbb\xbfprovider one\n", ":1: octet 239 is neither printable ASCII nor a tab"},
        {"include builtin\nprovider one\nmx *.mxhichina.com\n",
         ":3: '*.mxhichina.com' belongs to 'alibaba-mail-enterprise' already"},
    };
    write_conf("provider-file", providers_path);
    for (size_t i = 0; i < LEN(cases); i++) {
        write_file(providers_path, cases[i].table, strlen(cases[i].table));
        expect_fault(providers_path, cases[i].fault);
    }
    write_file(providers_path, "provider\0", 10);
    expect_fault(providers_path, ":1: octet 0 is neither printable ASCII nor a tab");
}

static void test_size_bound(void **state)
{
    (void)state;
    struct config config;
    char *table = malloc(PROVIDERS_TEXT_MAX + 100);
    assert_non_null(table);
    memset(table, '\n', PROVIDERS_TEXT_MAX + 100);
    load_good(table, PROVIDERS_TEXT_MAX, &config);
    assert_int_equal(config.provider_text_len, PROVIDERS_TEXT_MAX);
    config_free(&config);
    static const size_t too_many[] = {1, 100};
    for (size_t i = 0; i < LEN(too_many); i++) {
        write_file(providers_path, table, PROVIDERS_TEXT_MAX + too_many[i]);
        expect_fault(providers_path, ":1: the table is larger than 262144 octets");
    }
    free(table);
    /* a file without end */
    write_conf("provider-file", "/dev/zero");
    expect_fault("/dev/zero", ":1: the table is larger than 262144 octets");
}

/** Point each key that names a file, and the configuration itself, at what is at providers_path. */
static void expect_unreadable(const char *reason)
{
    static const char *const keys[] = {"provider-file", "ignore-file"};
    struct config config;
    char error[CONFIG_ERROR_MAX];
    char want[CONFIG_ERROR_MAX];
    for (size_t i = 0; i < LEN(keys); i++) {
        write_conf(keys[i], providers_path);
        snprintf(want, sizeof(want), ":2: %s: cannot read \"%s\": %s", keys[i], providers_path,
                 reason);
        expect_fault(conf_path, want);
    }
    assert_false(config_load(providers_path, &config, error));
    snprintf(want, sizeof(want), "%s: %s", providers_path, reason);
    assert_string_equal(error, want);
}

static void test_missing_file(void **state)
{
    (void)state;
    unlink(providers_path);
    expect_unreadable("No such file or directory");
}

/** Nobody writes to it: the load would wait for ever. */
static void test_fifo(void **state)
{
    (void)state;
    unlink(providers_path);
    assert_int_equal(mkfifo(providers_path, 0600), 0);
    expect_unreadable("Not a regular file");
    unlink(providers_path);
}

static void test_folder(void **state)
{
    (void)state;
    unlink(providers_path);
    assert_int_equal(mkdir(providers_path, 0700), 0);
    expect_unreadable("Is a directory");
    rmdir(providers_path);
}

static void test_socket(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    unlink(providers_path);
    memcpy(address.sun_path, providers_path, strlen(providers_path));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    expect_unreadable("No such device or address");
    close(listener);
    unlink(providers_path);
}

static void test_forbidden_file(void **state)
{
    (void)state;
    const uid_t user = geteuid();
    if (user == 0) { /* root may read all */
        unlink(conf_path);
        assert_int_equal(chown(folder, NOBODY, (gid_t)-1), 0);
        if (seteuid(NOBODY) != 0) {
            skip(); /* a container that has nobody but root */
        }
    }
    write_file(providers_path, "", 0);
    assert_int_equal(chmod(providers_path, 0), 0);
    expect_unreadable("Permission denied");
    unlink(providers_path);
    unlink(conf_path);
    assert_int_equal(seteuid(user), 0);
}

/** The empty device is an empty file. */
static void test_null_device(void **state)
{
    (void)state;
    static const char *const keys[] = {"provider-file", "ignore-file"};
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    for (size_t i = 0; i < LEN(keys); i++) {
        write_conf(keys[i], "/dev/null");
        assert_true(config_load(conf_path, &config, error));
        assert_int_equal(config.ignore_count + config.provider_text_len, 0);
        config_free(&config);
    }
    assert_true(config_load("/dev/null", &config, error));
    config_free(&config);
}

/** A path that is too long to show whole is cut at its front; line and reason stay. */
static void test_long_path(void **state)
{
    (void)state;
    char path[3000];
    char error[CONFIG_ERROR_MAX];
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_null(provider_file_parse(path, "x\n", 2, error));
    assert_memory_equal(error, "...x", 4);
    assert_string_equal(strchr(error, ':'), ":1: unknown key 'x'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_kept),   cmocka_unit_test(test_key_without_a_file),
        cmocka_unit_test(test_faults_inside),  cmocka_unit_test(test_size_bound),
        cmocka_unit_test(test_missing_file),   cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_folder),         cmocka_unit_test(test_socket),
        cmocka_unit_test(test_forbidden_file), cmocka_unit_test(test_null_device),
        cmocka_unit_test(test_long_path),
    };
    return cmocka_run_group_tests_name("provider_file", tests, make_folder, remove_folder);
}
