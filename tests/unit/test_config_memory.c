/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The configuration without memory: each allocation fails once; the load must then say so, and
 * leave nothing behind (which the leak checker sees).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Allocations that still succeed. */
static unsigned long allowed;

static bool may_allocate(void)
{
    if (allowed == 0) {
        return false;
    }
    allowed--;
    return true;
}

static char *scarce_strdup(const char *text)
{
    return may_allocate() ? strdup(text) : NULL;
}

static void *scarce_realloc(void *memory, size_t size)
{
    return may_allocate() ? realloc(memory, size) : NULL;
}

static void *scarce_malloc(size_t size)
{
    return may_allocate() ? malloc(size) : NULL;
}

/* The sources themselves, so that their calls, and nobody else's, meet the shortage. */
#define strdup  scarce_strdup
#define realloc scarce_realloc
#define malloc  scarce_malloc
#include "runtime/config.c"
#include "runtime/config_text.c"
#include "runtime/config_value.c"
#include "runtime/edit_distance.c"
#include "runtime/provider_file.c"
#undef strdup
#undef realloc
#undef malloc

static char ignore_path[] = P_tmpdir "/test_config_ignore.XXXXXX";
static char providers_path[] = P_tmpdir "/test_config_providers.XXXXXX";
static char conf_path[] = P_tmpdir "/test_config_memory.XXXXXX";

static int make_files(void **state)
{
    (void)state;
    static const char names[] = "one.example\ntwo.example\nthree.example\nfour.example\n";
    static const char table[] = "provider one\nmx one.example\n";
    const int ignore = mkstemp(ignore_path);
    const int providers = mkstemp(providers_path);
    const int conf = mkstemp(conf_path);
    if (ignore < 0 || providers < 0 || conf < 0 || write(ignore, names, sizeof(names) - 1) < 0 ||
        write(providers, table, sizeof(table) - 1) < 0 ||
        dprintf(conf,
                "log-file: /a\ndatabase: /b\nprovider-file: %s\nhttp-listen: ::1@1\n"
                "http-listen: ::1@2\nhttp-listen: ::1@3\nignore-domain: x.example\n"
                "ignore-file: %s\n",
                providers_path, ignore_path) < 0) {
        return -1;
    }
    return close(ignore) | close(providers) | close(conf);
}

static int remove_files(void **state)
{
    (void)state;
    return unlink(ignore_path) | unlink(providers_path) | unlink(conf_path);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config config;
    unsigned long failed = 0;
    for (allowed = failed; !config_defaults(&config); allowed = ++failed) {
        assert_true(failed < 100);
    }
    assert_int_equal(failed, 9); /* four paths, a group; twice the listeners' array, one listener */
    config_free(&config);
}

static void test_load(void **state)
{
    (void)state;
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    unsigned long failed = 0;
    for (allowed = failed; !config_load(conf_path, &config, error); allowed = ++failed) {
        assert_non_null(strstr(error, "no memory"));
        assert_true(failed < 1000);
    }
    assert_true(failed > 7 + 3 + 1 + 3 + 5);
    assert_int_equal(config.http_listen_count, 3);
    assert_int_equal(config.ignore_count, 5);
    assert_non_null(config.provider_text);
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_load),
    };
    return cmocka_run_group_tests_name("config_memory", tests, make_files, remove_files);
}
