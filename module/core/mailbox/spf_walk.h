/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A walk over what an SPF record includes and redirects to (RFC 7208 5.2, 6.1), name by name, to
 * see whether the provider is named anywhere in it. It is bounded as every receiver is, by 10 terms
 * that ask the DNS (4.6.4). Only a tree that was read whole can lack somebody: whatever keeps a
 * part of it from being read ends the walk with no word.
 */
#ifndef MXCLASH_CORE_MAILBOX_SPF_WALK_H
#define MXCLASH_CORE_MAILBOX_SPF_WALK_H

#include "core/mailbox/spf.h"
#include "mxclash.h"

/** Longest name as text, without last dot (RFC 1035 2.3.4). */
#define SPF_NAME_MAX 253

/** Whose servers a record lists. */
enum spf_whose {
    /** a service's, for all who use it */
    spf_of_service = 0,
    /** the owner's: single addresses are servers of his own, a network may be the provider's */
    spf_of_owner,
    /** the owner's or some services' put together for him: any address may be the provider's */
    spf_of_anybody,
};

struct spf_walk {
    /** of the look-up under way, and when it began; 0: none is */
    uint64_t id;
    mxclash_time started;
    /** terms that ask the DNS, of all records read so far */
    uint8_t lookups;
    /** whose hosts the record at hand may allow, so that addresses in it may be the provider's: see
     * spf_case.c */
    enum spf_whose whose;
    /** names met, and how many of them were looked at */
    uint8_t count, at;
    /** which of them has the record whose end is that of the whole, by way of redirects; its number
     * + 1, 0: none */
    uint8_t end;
    /** that end is known, and mild; a name has no record, where receivers give up (RFC 7208 5.2) */
    bool mild, lost;
    struct {
        /** enum spf_whose where that follows from the record that names it: what a service includes
         * is the service's, and what the owner redirects to takes the place of his own; else -1 */
        int8_t whose;
        uint8_t len;
        uint8_t text[SPF_NAME_MAX];
    } names[SPF_LOOKUPS_MAX];
};

enum spf_walk_end {
    /** look at the next name */
    spf_walk_goes_on = 0,
    /** the provider is named */
    spf_walk_names,
    /** all was read, and the provider is not there */
    spf_walk_lacks,
    /** a part cannot be read: a macro, a loop, too many terms, two records, a broken one; or all
     * was read, and its end is mild */
    spf_walk_unknown,
    /** no answer came, and one may come another time */
    spf_walk_failed,
};

/** Begin at a record. \param spf  what spf_read() says of it. \return false if its names do not
 * make a walk */
bool spf_walk_begin(struct spf_walk *walk, const struct spf_text *text,
                    const struct spf_summary *spf);

/** The name to look up next. \param[out] name  room for MXCLASH_NAME_MAX octets, wire format
 * \return its octets, 0 if it is no host name */
size_t spf_walk_target(const struct spf_walk *walk, uint8_t *name);

/** The TXT records of that name came, or did not. \param number  spf_number of the provider */
enum spf_walk_end spf_walk_note(struct spf_walk *walk, const struct providers *providers,
                                unsigned number, const struct mxclash_lookup_reply *reply);

#endif
