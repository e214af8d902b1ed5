/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Reads as much of an SPF record (RFC 7208) as it takes to see which providers it names.
 */
#ifndef MXCLASH_CORE_SPF_H
#define MXCLASH_CORE_SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest RDATA that is read; RFC 7208 3.4 has 450 octets in mind. */
#define SPF_OCTETS_MAX 4096u

/** Bits of spf_summary.named: providers further down the table share them. */
#define SPF_NUMBERS 64

struct providers;

/** What SPF records say. All 0: there is none. */
struct spf_summary {
    bool present;
    /** it asks about names of the owner's own, which may name anybody */
    bool asks_own;
    /** bit number % SPF_NUMBERS for each provider that it names */
    uint64_t named;
};

/**
 * \param rdata  untrusted: len octets of one TXT record's RDATA
 * \return true if it is whole character-strings (RFC 1035 3.3.14) whose joined text (RFC 7208 3.3)
 *     begins with `v=spf1` and a space or the end
 */
bool spf_is_record(const uint8_t *rdata, size_t len);

/**
 * Read one record, once, and add what it says.
 *
 * It names a provider by `include:NAME`, with any qualifier, or `redirect=NAME`, where they have an
 * effect: not after `all`, and redirect not beside `all` (RFC 7208 5.1, 6.1). It asks about the
 * owner's own if an include, redirect or exists has own, a name below it, or a name with a macro.
 * Case and a last dot do not matter; names with macros are compared as they stand; what an include
 * includes is not followed.
 *
 * \param rdata  at most SPF_OCTETS_MAX octets for which spf_is_record() is true
 * \param own    as it stands in SPF: lower case, labels parted by dots, no escapes; own_len octets,
 *     not 0
 * \param[in,out] spf  asks_own and named; present is the caller's
 */
void spf_read(const struct providers *providers, const uint8_t *rdata, size_t len,
              const uint8_t *own, size_t own_len, struct spf_summary *spf);

#endif
