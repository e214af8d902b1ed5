/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Names that were seen to be aliases, while that is valid.
 *
 * A CNAME whose target cannot be resolved hides the MX as any other does, but the client gets a
 * bare SERVFAIL. A module looks into the resolver's cache for the CNAME; here it is what was seen
 * of it. No names are kept, but a keyed hash of each: two that meet cost a proof that finds
 * nothing.
 */
#ifndef MXCLASH_HOST_DNSTAP_ALIASES_H
#define MXCLASH_HOST_DNSTAP_ALIASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mxclash.h"

/** Aliases that are remembered at a time, a power of two: 1 MiB. */
#define ALIASES_MAX (1 << 16)

struct aliases {
    uint64_t seed;
    struct {
        uint64_t hash;
        mxclash_time until;
    } slots[ALIASES_MAX];
};

/** An upstream answered with this message: note the name that was asked, if it is an alias. */
void aliases_note(struct aliases *aliases, const uint8_t *message, size_t len, mxclash_time now);

/**
 * Does a message to a client say that the MX of an alias could not be resolved?
 * \param[out] owner_at, owner_len  the name in the message; written only on true
 */
bool aliases_hide(const struct aliases *aliases, const uint8_t *message, size_t len,
                  mxclash_time now, size_t *owner_at, size_t *owner_len);

#endif
