/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Makes the detector's proofs and lookups by asking, on the thread of an event_base.
 *
 * Nothing is asked of the resolver that is observed, unless `resolver:` names it (whom.h). All
 * packets, to authorities and to resolvers, together keep to probe-rate: none is sent before its
 * time has come.
 */
#ifndef MXCLASH_HOST_DNSTAP_PROVER_H
#define MXCLASH_HOST_DNSTAP_PROVER_H

#include <stdbool.h>

#include "mxclash.h"
#include "runtime/config.h"

/** Proofs, and lookups, at a time. */
#define PROVER_PROOFS_MAX  64
#define PROVER_LOOKUPS_MAX 32

struct event_base;
struct prover;

/**
 * \param base, engine  borrowed until prover_free()
 * \param config  borrowed for the call
 * \param resolv_conf  path of the machine's own resolvers
 * \return NULL if there is no memory
 */
struct prover *prover_new(struct event_base *base, struct mxclash_engine *engine,
                          const struct config *config, const char *resolv_conf);

/** Drop what is under way, and free it; NULL is allowed. */
void prover_free(struct prover *prover);

/** Begin what waits, as far as may be; the rest follows by itself. To be called when the detector
 * has been given something. With nothing waiting it costs two loads. */
void prover_go(struct prover *prover);

/** Is something under way, or waiting? */
bool prover_is_busy(const struct prover *prover);

#endif
