/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * `mxclash check-conf [FILE]`: read the configuration file as the module would.
 */
#include <stdio.h>

#include "cli/cli.h"

enum cli_exit cli_check_conf(int argc, char **argv)
{
    const char *path;
    if (!cli_one_file(argc, argv, &path)) {
        return cli_trouble;
    }
    struct cli_config loaded;
    if (!cli_load_config(path, &loaded)) {
        return cli_bad;
    }
    printf("%s: %s\n", loaded.path, loaded.there ? "ok" : "not there, so the defaults hold");
    config_free(&loaded.config);
    return cli_good;
}
