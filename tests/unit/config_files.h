/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A configuration and the files that it names, in a folder of the test's own. Include cmocka first.
 */
#ifndef TESTS_UNIT_CONFIG_FILES_H
#define TESTS_UNIT_CONFIG_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/config.h"

/** Seconds after which a load that waits for something ends the test. */
#define DEADLINE_S 60

static char folder[] = P_tmpdir "/mxclash_config.XXXXXX";
static char conf_path[64];
static char ignore_path[64];
static char providers_path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
    snprintf(ignore_path, sizeof(ignore_path), "%s/ignore", folder);
    snprintf(providers_path, sizeof(providers_path), "%s/providers", folder);
    alarm(DEADLINE_S);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(conf_path);
    unlink(ignore_path);
    unlink(providers_path);
    return rmdir(folder);
}

static void write_file(const char *path, const void *octets, size_t len)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(octets, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/** Load conf_path, which must be bad; the error must be path and want. */
static void expect_fault(const char *path, const char *want)
{
    struct config config;
    char error[CONFIG_ERROR_MAX] = "";
    char whole[CONFIG_ERROR_MAX];
    if (config_load(conf_path, &config, error)) {
        config_free(&config);
        fail_msg("accepted, want %s", want);
    }
    snprintf(whole, sizeof(whole), "%s%s", path, want);
    assert_string_equal(error, whole);
}

#endif
