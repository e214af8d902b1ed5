/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Makes the detector's proofs and lookups by asking, on the thread of an event_base.
 *
 * Nothing is asked of the resolver that is observed, unless the operator names it (whom.h). All
 * packets, to authorities and to resolvers, together keep to the rate: none is sent before its time
 * has come. The time that the detector is told is that of the machine's clock (clock_now()).
 */
#ifndef MXCLASH_PROVE_PROVER_H
#define MXCLASH_PROVE_PROVER_H

#include <stdbool.h>

#include "mxclash.h"
#include "prove/whom.h"

/** Proofs, and lookups, at a time. */
#define PROVER_PROOFS_MAX  64
#define PROVER_LOOKUPS_MAX 32

struct event_base;
struct prover;

struct prover_options {
    /** both borrowed until prover_free() */
    struct event_base *base;
    struct mxclash_engine *engine;
    /** packets a second, at least 1 */
    unsigned rate;
    /** borrowed for the call */
    struct whom_options whom;
};

/** \return NULL if there is no memory */
struct prover *prover_new(const struct prover_options *options);

/** Drop what is under way, and free it; NULL is allowed. */
void prover_free(struct prover *prover);

/** Begin what waits, as far as may be; the rest follows by itself. To be called when the detector
 * has been given something. With nothing waiting it costs two loads. */
void prover_go(struct prover *prover);

/** Is something under way, or waiting? */
bool prover_is_busy(const struct prover *prover);

#endif
