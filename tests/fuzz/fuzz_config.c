/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: any octets as a configuration file, and as the ignore-file of a good one.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** \return descriptor of a file in memory that holds data */
static int memory_file(const char *name, const void *data, size_t size)
{
    const int file = memfd_create(name, MFD_CLOEXEC);
    if (file < 0 || write(file, data, size) != (ssize_t)size) {
        perror("memfd");
        abort();
    }
    return file;
}

/** Load the open file; whatever it says, the contract of config_load() must hold. */
static void load(int file)
{
    char path[64];
    char error[CONFIG_ERROR_MAX];
    struct config config;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    memset(error, 'x', sizeof(error));
    if (config_load(path, &config, error)) {
        assert(config.log_file != NULL && config.database != NULL && config.provider_file != NULL);
        assert(config.table_size >= 262144 && config.probe_rate >= 1);
        assert(config.not_yet_count <= sizeof(config.not_yet) / sizeof(config.not_yet[0]));
        config_free(&config);
        return;
    }
    const size_t len = strnlen(error, sizeof(error));
    assert(len > 0 && len < sizeof(error));
    /* A fault goes into logs: one line of printable ASCII, whatever the file holds. */
    for (size_t i = 0; i < len; i++) {
        assert(error[i] >= ' ' && error[i] <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int file = memory_file("input", data, size);
    char text[96];
    const int len = snprintf(text, sizeof(text), "ignore-file: \"/proc/self/fd/%d\"\n", file);
    const int around = memory_file("around", text, (size_t)len);
    load(file);
    load(around);
    close(around);
    close(file);
    return 0;
}
