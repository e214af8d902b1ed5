/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Remembers which mailbox provider an owner's MX names and which providers' includes its SPF record
 * has, so that one can be compared with the other whichever is asked first. As forgetful and as
 * fallible as the sieve: good for suspicion only.
 */
#ifndef MXCLASH_CORE_RECALL_HOSTED_H
#define MXCLASH_CORE_RECALL_HOSTED_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slots.h"

/** Providers by their number in the table: only the first 255 are remembered. */
#define HOSTED_PROVIDERS_MAX 255
/** No provider, or none that is remembered. */
#define HOSTED_NONE 255

/** What is valid of an owner now. */
struct hosted_found {
    /** number of the provider that its MX names, HOSTED_NONE if unknown or nobody's */
    unsigned provider;
    /** an SPF record was seen */
    bool spf;
    /** whom it names, as mailbox_spf_bits() tells it */
    uint16_t spf_bits;
};

bool hosted_init(struct slots *hosted, size_t max_octets);

/** An MX was seen: note its provider, tell what SPF is known. \param provider  or HOSTED_NONE */
struct hosted_found hosted_note_mx(struct slots *hosted, uint64_t hash, unsigned provider,
                                   uint32_t ttl_s, mxclash_time now);

/** An SPF record was seen: note it, tell what provider is known. */
struct hosted_found hosted_note_spf(struct slots *hosted, uint64_t hash, uint16_t spf_bits,
                                    uint32_t ttl_s, mxclash_time now);

#endif
