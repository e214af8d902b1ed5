/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One lookup: a name resolved as for a client, for what senders meet there. */
#ifndef MXCLASH_PROVE_LOOKUP_H
#define MXCLASH_PROVE_LOOKUP_H

#include "prove/proof.h"

/** The place of a lookup; all 0 to begin. */
struct lookup {
    bool busy;
    struct asking *asking;
    struct mxclash_lookup lookup;
};

/** Begin it, in a place that is not busy. It ends by itself, but for ask_free(). */
void lookup_begin(struct lookup *lookup, struct asking *asking,
                  const struct mxclash_lookup *wanted);

#endif
