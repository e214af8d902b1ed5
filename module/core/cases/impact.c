/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The impact: see impact.h. */
#include "core/cases/impact.h"

#include <string.h>

#include "core/dns/wire.h"

static bool same_set(const struct mxclash_mx *a, size_t a_count, const struct mxclash_mx *b,
                     size_t b_count)
{
    return a_count == b_count && a_count != 0 && memcmp(a, b, a_count * sizeof(*a)) == 0;
}

void impact_note(struct impact_state *state, const struct mxclash_lookup_reply *reply,
                 const struct mxclash_mx *own, size_t own_count)
{
    state->failed = !reply->answered;
    if (state->qtype == wire_type_mx) {
        state->has_mx = reply->mx_count != 0;
        state->has_null_mx = reply->null_mx;
        state->own_known = own_count != 0;
        state->same_mx = same_set(reply->mx, reply->mx_count, own, own_count);
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
        return state->same_mx ? mxclash_impact_none : mxclash_wrong_mail_host;
    /* a null MX forbids mail (RFC 7505), and its host's addresses do not count (RFC 5321 5.1) */
    return state->has_address ? mxclash_implicit_mx : mxclash_no_mail_host;
}
