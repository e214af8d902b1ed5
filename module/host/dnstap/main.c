/* SPDX-License-Identifier: BSD-3-Clause */
/** \file mxclashd: reads its command line. See mxclashd(8). */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/dnstap/sidecar.h"
#include "mxclash.h"
#include "prove/whom.h"
#include "runtime/config.h"

static enum sidecar_exit help(void)
{
    printf("mxclashd finds mail domains whose MX is hidden by a CNAME, in what a resolver sends as "
           "dnstap.\n"
           "\n"
           "usage: mxclashd [-c FILE]\n"
           "       mxclashd [-c FILE] --read FILE [--read FILE ...]\n"
           "\n"
           "  -c, --config FILE  the configuration, in place of MXCLASH_CONF\n"
           "                     and of " MXCLASHD_CONFIG_FOLDER "/mxclash.conf\n"
           "  -r, --read FILE    read a captured file, - is standard input, and end\n"
           "  -h, --help         show this text\n"
           "  -V, --version      show the version\n"
           "\n"
           "It listens where dnstap-listen: says, until SIGTERM or SIGINT; SIGHUP reads the\n"
           "configuration anew. Exit status: 0 ended well, 1 could not run, 2 bad use.\n"
           "mxclashd(8) and mxclash.conf(5) say more.\n");
    return sidecar_good;
}

static enum sidecar_exit bad_use(void)
{
    fputs("mxclashd --help shows how it is used\n", stderr);
    return sidecar_bad_use;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'},
        {"read", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    struct sidecar_options options = {.config_folder = MXCLASHD_CONFIG_FOLDER,
                                      .resolv_conf = ASK_RESOLV_CONF};
    char **paths = calloc((size_t)argc, sizeof(*paths));
    size_t count = 0;
    int option;
    if (paths == NULL) {
        fputs("mxclashd: no memory\n", stderr);
        return sidecar_failed;
    }
    while ((option = getopt_long(argc, argv, "c:r:hV", names, NULL)) != -1) {
        switch (option) {
        case 'c':
            options.config_file = optarg;
            break;
        case 'r':
            paths[count++] = optarg;
            break;
        case 'h':
            free(paths);
            return help();
        case 'V':
            free(paths);
            puts("mxclashd " MXCLASH_VERSION);
            return sidecar_good;
        default:
            free(paths);
            return bad_use();
        }
    }
    enum sidecar_exit status;
    if (optind < argc) {
        fprintf(stderr, "mxclashd: %s: what is this for?\n", argv[optind]);
        status = bad_use();
    } else {
        signal(SIGPIPE, SIG_IGN);
        status = count != 0 ? sidecar_read(&options, paths, count) : sidecar_receive(&options);
    }
    free(paths);
    return status;
}
