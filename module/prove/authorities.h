/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The servers that a proof asks, by the name that it is about. They are remembered for a minute:
 * the second look comes some seconds after the first, and who serves a zone changes in days.
 */
#ifndef MXCLASH_PROVE_AUTHORITIES_H
#define MXCLASH_PROVE_AUTHORITIES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "ask/ask.h"

/** Addresses of a zone's servers that are kept: one of each first. */
#define AUTHORITIES_ADDRESSES_MAX 8
#define AUTHORITIES_REMEMBERED    128
#define AUTHORITIES_REMEMBERED_MS 60000

/** Who serves a name. */
struct authority {
    struct ask_name name;
    struct ask_name zone;
    /** the zone's top was found without a referral: it need not be a cut */
    bool no_referral;
    uint8_t address_count;
    /** the one to be asked first; the next proof begins at another one */
    uint8_t turn;
    struct sockaddr_storage addresses[AUTHORITIES_ADDRESSES_MAX];
    /** remembered until then; 0 = free */
    int64_t until_ms;
};

struct authorities {
    struct authority known[AUTHORITIES_REMEMBERED];
    /** whose place is taken next */
    unsigned next;
};

/** Look a name up. \param now_ms  of a clock that nobody sets \return NULL if it is not known; else
 * borrowed until the next call. Its turn is the caller's: the next one gets another. */
const struct authority *authorities_get(struct authorities *authorities,
                                        const struct ask_name *name, int64_t now_ms);

/** Remember what was found. \return as authorities_get(); NULL if no server has an address */
const struct authority *authorities_put(struct authorities *authorities,
                                        const struct ask_name *name, const struct ask_zone *zone,
                                        int64_t now_ms);

#endif
