/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash check-conf [FILE]`: read the configuration file as the module would.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "runtime/config.h"

/** Unbound's configuration folder; the build sets the one that its Unbound uses. */
#ifndef CONFIG_FOLDER
#define CONFIG_FOLDER "/etc/unbound"
#endif

enum cli_exit cli_check_conf(int argc, char **argv)
{
    char located[PATH_MAX];
    const char *path = argv[1];
    bool must_exist = true;
    if (argc > 2) {
        return cli_bad_use(argv[0], "more than one FILE");
    }
    if (path != NULL && path[0] == '-') {
        return cli_bad_use(argv[0], "no option %s; write ./%s for a file", path, path);
    }
    if (path == NULL) {
        if (!config_locate(CONFIG_FOLDER, located, sizeof(located), &must_exist)) {
            fprintf(stderr, "mxclash: the path in MXCLASH_CONF is over %d octets\n", PATH_MAX - 1);
            return cli_bad;
        }
        path = located;
    }
    if (!must_exist && access(path, F_OK) != 0 && errno == ENOENT) {
        printf("%s: not there, so the defaults hold\n", path);
        return cli_good;
    }
    struct config config;
    char error[CONFIG_ERROR_MAX];
    if (!config_load(path, &config, error)) {
        fprintf(stderr, "%s\n", error);
        return cli_bad;
    }
    printf("%s: ok\n", path);
    for (size_t i = 0; i < config.not_yet_count; i++) {
        printf("%s: note: %s is accepted but does nothing in this version\n", path,
               config.not_yet[i]);
    }
    config_free(&config);
    return cli_good;
}
