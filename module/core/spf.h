/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Reads as much of an SPF record (RFC 7208) as it takes to see whether it names a provider.
 */
#ifndef MXCLASH_CORE_SPF_H
#define MXCLASH_CORE_SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** In rising order: the best of several is the greatest. */
enum spf_finding {
    /** no SPF record, or rdata that breaks RFC 1035 3.3.14 */
    spf_none = 0,
    /** an SPF record that does not name it */
    spf_lacks,
    /** an SPF record that names it */
    spf_has,
};

/**
 * Look in the rdata of one TXT record for `include:NAME`, with any qualifier, or `redirect=NAME`,
 * where they have an effect: not after `all`, and redirect not beside `all` (RFC 7208 5.1, 6.1).
 *
 * \param rdata    untrusted: len octets of character-strings, read as one text (RFC 7208 3.3)
 * \param include  text name; case and a last dot on either side do not matter
 *
 * Names with macros are compared as they stand. What an include includes is not followed.
 */
enum spf_finding spf_has_include(const uint8_t *rdata, size_t len, const char *include);

/** What SPF records say. All 0: there is none. */
struct spf_summary {
    bool present;
    /** it asks about names of the owner's own, which may name anybody */
    bool asks_own;
    /** bit number % 64 for each provider that it names */
    uint64_t named;
};

/**
 * \param own  text name, lower case, no last dot
 * \return true if the record includes or redirects to own, to a name below it, or to a name with a
 *     macro: what stands there may well name the provider
 */
bool spf_asks_own(const uint8_t *rdata, size_t len, const char *own);

#endif
