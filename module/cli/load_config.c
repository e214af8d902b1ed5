/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The file that a subcommand is given, and the configuration that holds: see cli.h. */
#include <stdio.h>

#include "cli/cli.h"

bool cli_one_file(int argc, char **argv, const char **path)
{
    if (argc > 2) {
        cli_bad_use(argv[0], "more than one FILE");
        return false;
    }
    if (argc == 2 && argv[1][0] == '-') {
        cli_bad_use(argv[0], "no option %s; write ./%s for a file", argv[1], argv[1]);
        return false;
    }
    *path = argv[1];
    return true;
}

bool cli_load_config(const char *path, struct cli_config *loaded)
{
    loaded->there = true;
    if (path == NULL) {
        if (!config_locate(CONFIG_FOLDER, loaded->located, sizeof(loaded->located),
                           &loaded->there)) {
            fprintf(stderr, "mxclash: the path in MXCLASH_CONF is over %d octets\n", PATH_MAX - 1);
            return false;
        }
        path = loaded->located;
    }
    loaded->path = path;
    char error[CONFIG_ERROR_MAX] = "mxclash: no memory";
    const bool good = loaded->there ? config_load(path, &loaded->config, error)
                                    : config_defaults(&loaded->config);
    if (!good) {
        fprintf(stderr, "%s\n", error);
    }
    return good;
}
