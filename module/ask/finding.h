/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What resolving a name came to, as a detector takes it. */
#ifndef MXCLASH_ASK_FINDING_H
#define MXCLASH_ASK_FINDING_H

#include "ask/ask.h"
#include "mxclash.h"

/** The end of a lookup, and what it refers to. */
struct ask_finding {
    struct mxclash_lookup_reply reply;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    struct mxclash_txt txt[MXCLASH_TXT_MAX];
    /** the RDATA of txt */
    uint8_t *octets;
};

/**
 * Take what was resolved for mxclash_lookup_end(). A chain of aliases that does not end leads
 * nowhere, and that is an answer.
 * \param qtype  that was asked: MX, TXT, or that of an address
 * \param[out] finding  freed with ask_finding_free(); not to be moved
 */
void ask_finding_take(struct ask_finding *finding, uint16_t qtype, const struct ask_result *result);

void ask_finding_free(struct ask_finding *finding);

#endif
