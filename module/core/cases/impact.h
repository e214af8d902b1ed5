/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What senders meet while the CNAME hides the MX: judged from MX, A and AAAA of the CNAME's target
 * as the resolver itself resolves them, chains followed.
 */
#ifndef MXCLASH_CORE_CASES_IMPACT_H
#define MXCLASH_CORE_CASES_IMPACT_H

#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"

/** A look at a target, question by question: MX, then A, then AAAA, as far as it takes. */
struct impact_state {
    /** of the question that is being asked; 0: none is */
    uint64_t id;
    mxclash_time started;
    /** to be asked now or next; 0: the look has not begun */
    uint16_t qtype;
    bool has_mx, has_null_mx, has_address;
    /** the target is another one since the look began: it finds nothing */
    bool outdated;
    /** a question got no answer: data, NODATA, NXDOMAIN and a chain that leads nowhere are answers
     */
    bool failed;
    /** an MX set of the owner's own is known; all hosts of the target's are in it; the target
     * itself is */
    bool own_known, own_hosts, is_own_host;
};

/** Note what a question came to.
 * \param own  the owner's MX set, own_count members, may be 0
 * \param target  the CNAME's, lower case */
void impact_note(struct impact_state *state, const struct mxclash_lookup_reply *reply,
                 const struct mxclash_mx *own, size_t own_count, const uint8_t *target,
                 size_t target_len);

/** \return true if no further question is needed; else state->qtype is the next one */
bool impact_is_known(struct impact_state *state);

enum mxclash_impact impact_judge(const struct impact_state *state);

#endif
