/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The servers that a proof asks: see authorities.h. */
#include "prove/authorities.h"

#include <string.h>

/** Two authorities of one zone may differ, so proofs of one name take turns. */
static const struct authority *take_turn(struct authority *known)
{
    known->turn = (uint8_t)((known->turn + 1) % known->address_count);
    return known;
}

const struct authority *authorities_get(struct authorities *authorities,
                                        const struct ask_name *name, int64_t now_ms)
{
    for (size_t i = 0; i < AUTHORITIES_REMEMBERED; i++) {
        struct authority *known = &authorities->known[i];
        if (known->until_ms > now_ms && ask_name_equal(&known->name, name)) {
            return take_turn(known);
        }
    }
    return NULL;
}

const struct authority *authorities_put(struct authorities *authorities,
                                        const struct ask_name *name, const struct ask_zone *zone,
                                        int64_t now_ms)
{
    struct authority *known = &authorities->known[authorities->next];
    authorities->next = (authorities->next + 1) % AUTHORITIES_REMEMBERED;
    memset(known, 0, sizeof(*known));
    for (unsigned nth = 0; nth < ASK_ADDRESSES_MAX; nth++) {
        for (unsigned i = 0; i < zone->server_count; i++) {
            const struct ask_server *server = &zone->servers[i];
            if (nth < server->address_count && known->address_count < AUTHORITIES_ADDRESSES_MAX) {
                known->addresses[known->address_count++] = server->addresses[nth];
            }
        }
    }
    if (known->address_count == 0) {
        return NULL;
    }
    known->name = *name;
    known->zone = zone->name;
    known->no_referral = zone->no_referral;
    known->until_ms = now_ms + AUTHORITIES_REMEMBERED_MS;
    /* take_turn() then begins with the first: it has just answered */
    known->turn = (uint8_t)(known->address_count - 1);
    return take_turn(known);
}
