/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sidecar as a whole: the detector and its outputs (runtime.h), what proves, what receives.
 */
#ifndef MXCLASH_HOST_DNSTAP_SIDECAR_H
#define MXCLASH_HOST_DNSTAP_SIDECAR_H

#include <stddef.h>
#include <stdio.h>

struct sidecar_options {
    /** the configuration; NULL: MXCLASH_CONF, or mxclash.conf in config_folder */
    const char *config_file;
    const char *config_folder;
    /** path of the machine's own resolvers */
    const char *resolv_conf;
};

/** What main() returns. */
enum sidecar_exit { sidecar_good = 0, sidecar_failed = 1, sidecar_bad_use = 2 };

/** Receive until SIGTERM or SIGINT. SIGHUP reads the configuration anew. */
enum sidecar_exit sidecar_receive(const struct sidecar_options *options);

/**
 * Read files that fstrm_capture(1) or a resolver has written, one after the other, and prove what
 * they show. SIGTERM and SIGINT end it.
 * \param paths  `-` is standard input
 */
enum sidecar_exit sidecar_read(const struct sidecar_options *options, char *const *paths,
                               size_t count);

#endif
