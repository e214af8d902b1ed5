/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Reads SPF records (RFC 7208): term by term as its section 12 has the syntax, and what a record
 * says of the providers that it names.
 */
#ifndef MXCLASH_CORE_MAILBOX_SPF_H
#define MXCLASH_CORE_MAILBOX_SPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/providers/providers.h"

/** Longest RDATA that is read; RFC 7208 3.4 has 450 octets in mind. */
#define SPF_OCTETS_MAX 4096u
/** Terms that ask the DNS, of a record and all that it includes (RFC 7208 4.6.4). */
#define SPF_LOOKUPS_MAX 10

/** The SPF records among the TXT records of a name. All 0: none. */
struct spf_set {
    /** RDATA of the first */
    const uint8_t *rdata;
    size_t len;
    /** how many; 2: there are more than one. The same one twice counts once (RFC 2181 5) */
    uint8_t records;
};

/** The text of a record: its character-strings joined (RFC 7208 3.3), lower case. */
struct spf_text {
    size_t len;
    /** all of it is printable ASCII, as in nearly all records */
    bool printable;
    uint8_t octets[SPF_OCTETS_MAX];
};

enum spf_kind {
    spf_all,
    spf_include,
    spf_a,
    spf_mx,
    spf_ptr,
    spf_ip4,
    spf_ip6,
    spf_exists,
    /* modifiers; any other is ignored, as is right (RFC 7208 6) */
    spf_redirect,
    spf_exp,
    spf_other,
    /** breaks the syntax: the whole record is worth nothing (RFC 7208 4.6) */
    spf_broken,
};

struct spf_term {
    enum spf_kind kind;
    /** of a mechanism: `+`, `-`, `~` or `?` */
    uint8_t qualifier;
    /** the name that it asks about, without last dot; name_len 0: none */
    const uint8_t *name;
    size_t name_len;
    /** there is a macro in the name: which name it is cannot be told */
    bool macro;
    /** a prefix length that covers more than one address */
    bool network;
};

/** What the SPF records of a name say by themselves. All 0: there is none. */
struct spf_summary {
    /** as spf_set.records */
    uint8_t records;
    /** terms that ask the DNS */
    uint8_t lookups;
    /** permerror: it breaks the syntax */
    bool broken;
    /** nothing follows from it: a macro, `exists`, `+all`, more look-ups than are allowed, or more
     * text than is read */
    bool unknown;
    /** it has an include or a redirect that can be followed */
    bool follows;
    /** whom it does not allow it does not refuse either, or he does not exist: it ends in neutral,
     * which is as no record (RFC 7208 8.2), or says that the domain sends no mail (10.1.2) */
    bool mild;
    /** it lists addresses */
    bool addresses;
    /** it allows hosts that may be anybody's: a network, the MX hosts, another name's address */
    bool networks;
    /** bit number % SPF_NUMBERS for each provider that it names */
    uint64_t named;
};

/**
 * \param rdata  untrusted: len octets of one TXT record's RDATA
 * \return true if it is whole character-strings (RFC 1035 3.3.14) whose joined text (RFC 7208 3.3)
 *     begins with `v=spf1` and a space or the end (RFC 7208 4.5)
 */
bool spf_is_record(const uint8_t *rdata, size_t len);

/** Add a TXT record if it is an SPF record. \param rdata  as in spf_is_record(), borrowed */
void spf_set_add(struct spf_set *set, const uint8_t *rdata, size_t len);

/** Take the next term of a record. \param[in,out] at  0 to begin. \return false at the end */
bool spf_next(const struct spf_text *text, size_t *at, struct spf_term *term);

/**
 * Read the one record of a set; of more than one, and of one that is longer than SPF_OCTETS_MAX,
 * only that is told.
 *
 * It names a provider by `include:NAME`, with any qualifier, or `redirect=NAME`, where they have an
 * effect: not after `all`, and redirect not beside `all` (RFC 7208 5.1, 6.1). Case and a last dot
 * do not matter. What an include includes is not followed.
 *
 * \param[out] text  of the record; written if there is one and it is read
 */
void spf_read(const struct providers *providers, const struct spf_set *set, struct spf_text *text,
              struct spf_summary *spf);

/**
 * List the names that a sound record has read: includes that have an effect, and its redirect.
 *
 * \param[out] names  room for SPF_LOOKUPS_MAX
 * \return how many; those with macros are left out
 */
size_t spf_followed(const struct spf_text *text, struct spf_term *names);

#endif
