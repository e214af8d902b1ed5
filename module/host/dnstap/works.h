/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What receiving and reading files have in common: the detector with its outputs, and what
 * proves, on one event_base. */
#ifndef MXCLASH_HOST_DNSTAP_WORKS_H
#define MXCLASH_HOST_DNSTAP_WORKS_H

#include <stdbool.h>

#include "core/base/counters.h"
#include "host/dnstap/sidecar.h"
#include "host/dnstap/take.h"
#include "prove/prover.h"
#include "runtime/runtime.h"

struct receiver;

struct works {
    struct sidecar_options options;
    struct event_base *base;
    struct runtime *runtime;
    struct prover *prover;
    /** for the metrics; NULL if none */
    struct receiver *receiver;
    /** where the lines of the log go */
    FILE *log;
    /** serve no HTTP */
    bool no_http;
    _Atomic uint64_t frames[TAKE_USES];
    struct aliases *aliases;
};

/** Start runtime and prover; base, log and options are set. \return false after a line on stderr */
bool works_start(struct works *works);

/** Stop them; what was not started is passed over. */
void works_stop(struct works *works);

/** Hand a frame to the detector. \param now  the time that counts for it */
void works_take(struct works *works, const uint8_t *frame, size_t len, mxclash_time now);

/** Write a line to the log. \param context  struct works */
void works_log(void *context, const char *line);

#endif
