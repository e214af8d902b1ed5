/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The composition root: makes detector and outputs from the configuration, in an order in which
 * each finds what it needs, and takes them down in the reverse order.
 */
#ifndef MXCLASH_RUNTIME_RUNTIME_H
#define MXCLASH_RUNTIME_RUNTIME_H

#include <stdbool.h>

#include "core/base/counters.h"
#include "mxclash.h"
#include "output/metrics.h"
#include "runtime/config.h"

/** Numbers of its own that a host may add to /metrics. */
#define RUNTIME_NUMBERS_MAX 32

/** The program that we are in. Static storage, or alive until runtime_stop(). */
struct runtime_host {
    /** as "unbound" and "1.17.1" */
    const char *name;
    const char *version;
    /** where mxclash.conf is looked for if MXCLASH_CONF does not name it */
    const char *config_folder;
    /** write a line to the host's own log; any thread */
    void (*log)(void *context, const char *line);
    void *context;
    /** the configuration, in place of MXCLASH_CONF and of what lies in config_folder; NULL = none
     * is named */
    const char *config_file;
    /** serve no HTTP, whatever http-listen says */
    bool no_http;
    /** numbers that only the host has; any thread; NULL = there are none. \return how many */
    size_t (*numbers)(void *context, struct metrics_number numbers[RUNTIME_NUMBERS_MAX]);
};

struct runtime;

/**
 * Read the configuration and start everything. Threads are started with all signals blocked.
 *
 * \param now  milliseconds since the epoch by the host's clock
 * \param[out] error  one sentence, `FILE:LINE: reason` for a bad configuration
 * \return NULL if the host must not start
 */
struct runtime *runtime_start(const struct runtime_host *host, mxclash_time now,
                              char error[CONFIG_ERROR_MAX]);

/** Write what is queued, join every thread, free everything. NULL is allowed. */
void runtime_stop(struct runtime *runtime, mxclash_time now);

/** The detector; lives as long as the runtime. */
struct mxclash_engine *runtime_engine(struct runtime *runtime);

/** The configuration; does not change while the runtime lives. */
const struct config *runtime_config(const struct runtime *runtime);

/** What the host itself counts, see core/base/counters.h; lives as long as the runtime. */
struct host_counters {
    /** answers that were given an Extended DNS Error */
    struct striped_counter annotated;
    /** replies from the host's cache that were looked at */
    struct striped_counter cached;
};

struct host_counters *runtime_counters(struct runtime *runtime);

#endif
