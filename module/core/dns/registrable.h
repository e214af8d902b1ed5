/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What is one holder's domain: the part of a name that is registered below a public suffix, by the
 * Public Suffix List (https://publicsuffix.org/list/), both of its halves. Names that share it are
 * one holder's, names below one suffix are strangers.
 *
 * Any thread may call these, without a lock: a list does not change.
 */
#ifndef MXCLASH_CORE_DNS_REGISTRABLE_H
#define MXCLASH_CORE_DNS_REGISTRABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A list of libpsl's, its psl_ctx_t. */
struct psl_ctx_st;

/**
 * Find the domain that a name belongs to: a public suffix and one label before it. Below a suffix
 * that the list does not know it is the last two labels.
 *
 * \param suffixes  borrowed; NULL: the list that libpsl has built in
 * \param name      lower case wire name
 * \return where the domain begins in name; 0 too where the name is a suffix itself, or the root
 */
size_t registrable_at(const struct psl_ctx_st *suffixes, const uint8_t *name, size_t name_len);

/** A holder's domain, to hold hosts against. Only for as long as the name is there. */
struct registrable {
    const struct psl_ctx_st *suffixes;
    const uint8_t *name;
    size_t name_len;
    /** where the last two labels begin */
    size_t last_two_at;
};

/** \param name  borrowed; lower case wire name */
struct registrable registrable_of(const struct psl_ctx_st *suffixes, const uint8_t *name,
                                  size_t name_len);

/** \return true if host, a lower case wire name, is at or below the domain. Nearly always one look
 * at the ends of the two names tells that it is not. */
bool registrable_holds(const struct registrable *domain, const uint8_t *host, size_t host_len);

#endif
