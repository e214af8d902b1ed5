/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The table behind providers.h and its hashes of host patterns and of SPF includes. For the
 * provider files only.
 *
 * The hash of a host is folded label by label from the right, so that one walk over its labels
 * gives the hash of every suffix. What stands in a hash is the operator's and little, what is
 * looked for anybody's: it needs no key, since nobody can add to what stands in it.
 */
#ifndef MXCLASH_CORE_PROVIDERS_INDEX_H
#define MXCLASH_CORE_PROVIDERS_INDEX_H

#include "core/providers/providers.h"

/** FNV-1a. */
#define INDEX_HASH_BASIS 2166136261u
#define INDEX_HASH_PRIME 16777619u

/** Bits of providers.bases, a power of two. */
#define INDEX_BASES 4096u

/** A slot of the open hash: section and pattern by number, as the arrays move while they grow. */
struct index_slot {
    uint32_t hash;
    /** section number + 1; 0: free */
    uint16_t section;
    uint16_t pattern;
};

/** A slot of the open hash of includes. */
struct include_slot {
    /** a string of the table's; NULL: free */
    const char *text;
    size_t len;
    /** as providers_included() */
    uint64_t numbers;
};

struct providers {
    struct provider *list;
    size_t count;
    /** borrowed, as registrable_at() takes it: what is a domain's own */
    const struct psl_ctx_st *suffixes;
    /** at most half full; NULL while no pattern stands in it */
    struct index_slot *slots;
    /** slots - 1; slots are a power of two */
    size_t mask;
    size_t used;
    /** most labels of any pattern */
    size_t deepest;
    /** bit hash % INDEX_BASES for the last two labels of each pattern: most hosts of the world end
     * like none of them */
    uint64_t bases[INDEX_BASES / 64];
    /** at most half full; NULL until index_includes() */
    struct include_slot *includes;
    /** slots - 1; slots are a power of two */
    size_t include_mask;
};

/** Fold one more octet into a hash of names. */
static inline uint32_t index_fold_octet(uint32_t hash, uint8_t octet)
{
    return (hash ^ octet) * INDEX_HASH_PRIME;
}

/**
 * Put pattern number pattern of section number section into the hash.
 *
 * \param[out] taken  the section that has this very pattern already, else NULL
 * \return false if there is no memory or it is taken
 */
bool index_add(struct providers *providers, size_t section, size_t pattern,
               const struct provider **taken);

/** The table is read: give every section its spf_number, and hash all includes. \return false if
 * there is no memory */
bool index_includes(struct providers *providers);

#endif
