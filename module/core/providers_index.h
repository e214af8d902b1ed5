/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The table behind providers.h and its hash of host patterns. For the provider files only.
 *
 * The hash of a name is folded label by label from the right, so that one walk over a host's
 * labels gives the hash of every suffix. Patterns are the operator's and few, hosts anybody's: the
 * hash needs no key, since nobody can add to what stands in it.
 */
#ifndef MXCLASH_CORE_PROVIDERS_INDEX_H
#define MXCLASH_CORE_PROVIDERS_INDEX_H

#include "core/providers.h"

/** A slot of the open hash: section and pattern by number, as the arrays move while they grow. */
struct index_slot {
    uint32_t hash;
    /** section number + 1; 0: free */
    uint16_t section;
    uint16_t pattern;
};

struct providers {
    struct provider *list;
    size_t count;
    /** at most half full; NULL while no pattern stands in it */
    struct index_slot *slots;
    /** slots - 1; slots are a power of two */
    size_t mask;
    size_t used;
    /** most labels of any pattern */
    size_t deepest;
};

/**
 * Put pattern number pattern of section number section into the hash.
 *
 * \param[out] taken  the section that has this very pattern already, else NULL
 * \return false if there is no memory or it is taken
 */
bool index_add(struct providers *providers, size_t section, size_t pattern,
               const struct provider **taken);

#endif
