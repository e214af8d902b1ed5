/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One proof: the owner's authority is found and asked, the answers go to the detector. */
#ifndef MXCLASH_PROVE_PROOF_H
#define MXCLASH_PROVE_PROOF_H

#include <stdbool.h>

#include "ask/ask.h"
#include "mxclash.h"
#include "prove/authorities.h"

/** What proofs and lookups are made with. */
struct asking {
    struct ask *ask;
    struct mxclash_engine *engine;
    struct authorities *authorities;
    /** a proof or a lookup is over, and has left its place; on the thread of ask */
    void (*over)(void *context);
    void *context;
};

struct proof;

struct proof_question {
    struct proof *proof;
    uint16_t qtype;
    /** addresses that were asked, and those of them that gave no answer */
    uint8_t tried;
    uint8_t silent;
};

/** The place of a proof; all 0 to begin. */
struct proof {
    bool busy;
    struct asking *asking;
    struct mxclash_proof proof;
    struct ask_name owner;
    struct authority authority;
    struct proof_question questions[MXCLASH_PROOF_QUESTIONS];
    /** questions that are not over */
    unsigned open;
    unsigned packets;
};

/** Begin it, in a place that is not busy. It ends by itself, but for ask_free(). */
void proof_begin(struct proof *proof, struct asking *asking, const struct mxclash_proof *wanted);

#endif
