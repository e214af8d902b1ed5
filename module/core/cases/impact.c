/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The impact: see impact.h. */
#include "core/cases/impact.h"

#include <string.h>

#include "core/dns/wire.h"

static bool holds_host(const struct mxclash_mx *set, size_t count, const uint8_t *host, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (set[i].exchange_len == len && memcmp(set[i].exchange, host, len) == 0)
            return true;
    return false;
}

/** Are all hosts of the one set in the other? Their preferences do not matter: whichever is tried,
 * it is one that mail is meant for. */
static bool holds_hosts(const struct mxclash_mx *own, size_t own_count, const struct mxclash_mx *mx,
                        size_t count)
{
    size_t held = 0;

    while (held < count && holds_host(own, own_count, mx[held].exchange, mx[held].exchange_len))
        held++;
    return held == count;
}

void impact_note(struct impact_state *state, const struct mxclash_lookup_reply *reply,
                 const struct mxclash_mx *own, size_t own_count, const uint8_t *target,
                 size_t target_len)
{
    state->failed = !reply->answered;
    if (state->qtype == wire_type_mx) {
        state->has_mx = reply->mx_count != 0;
        state->has_null_mx = reply->null_mx;
        state->own_known = own_count != 0;
        state->own_hosts = holds_hosts(own, own_count, reply->mx, reply->mx_count);
        state->is_own_host = holds_host(own, own_count, target, target_len);
    } else {
        state->has_address = state->has_address || reply->has_address;
    }
}

bool impact_is_known(struct impact_state *state)
{
    if (state->failed || state->has_mx || state->has_null_mx || state->has_address ||
        state->qtype == wire_type_aaaa)
        return true;
    state->qtype = state->qtype == wire_type_mx ? wire_type_a : wire_type_aaaa;
    return false;
}

enum mxclash_impact impact_judge(const struct impact_state *state)
{
    if (state->failed)
        return mxclash_impact_unknown;
    /* Where no MX of the owner's own is known, the target's is no other one than it should be:
     * whoever makes a domain the alias of another may want just that, and senders follow it (RFC
     * 5321 5.1). */
    if (state->has_mx && !state->own_known)
        return mxclash_impact_unknown;
    if (state->has_mx)
        return state->own_hosts ? mxclash_impact_none : mxclash_wrong_mail_host;
    /* a null MX forbids mail (RFC 7505), and its host's addresses do not count (RFC 5321 5.1) */
    if (!state->has_address)
        return mxclash_no_mail_host;
    return state->is_own_host ? mxclash_impact_none : mxclash_implicit_mx;
}
