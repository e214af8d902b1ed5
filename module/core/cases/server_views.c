/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The servers' views: see server_views.h. */
#include "core/cases/server_views.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/** \return 0 if it is not known who it is */
static uint64_t server_hash(const struct mxclash_address *server)
{
    switch (server->family) {
    case 4:
        return XXH3_64bits_withSeed(server->octets, 4, server->port);
    case 6:
        return XXH3_64bits_withSeed(server->octets, 16, server->port);
    default:
        return 0;
    }
}

void views_note(struct server_views *views, const struct mxclash_address *server, unsigned flags)
{
    uint64_t hash = server_hash(server);
    unsigned place = 0;

    if (hash == 0 || flags == 0)
        return;
    while (place < views->count && views->servers[place] != hash)
        place++;
    if (place == views->count) {
        if (views->count < VIEWS_MAX)
            views->count++;
        else
            place = views->next;
        views->next = (uint8_t)((place + 1) % VIEWS_MAX);
        views->servers[place] = hash;
        views->flags[place] = 0;
    }
    if (flags & (view_has_cname | view_lacks_cname))
        views->flags[place] &= (uint8_t) ~(view_has_cname | view_lacks_cname);
    if (flags & (view_has_mx | view_lacks_mx))
        views->flags[place] &= (uint8_t) ~(view_has_mx | view_lacks_mx);
    views->flags[place] |= (uint8_t)flags;
}

void views_clear(struct server_views *views)
{
    memset(views, 0, sizeof(*views));
}

enum mxclash_servers views_judge(const struct server_views *views)
{
    bool cname_alone = false, mx_alone = false; /* at a server that lacks the other */
    bool cname = false, mx = false;

    for (unsigned i = 0; i < views->count; i++) {
        unsigned flags = views->flags[i];

        if ((flags & view_has_cname) && (flags & view_has_mx))
            return mxclash_servers_agree;
        cname = cname || (flags & view_has_cname);
        mx = mx || (flags & view_has_mx);
        cname_alone = cname_alone || ((flags & view_has_cname) && (flags & view_lacks_mx));
        mx_alone = mx_alone || ((flags & view_has_mx) && (flags & view_lacks_cname));
    }
    return (cname_alone && mx) || (mx_alone && cname) ? mxclash_servers_differ
                                                      : mxclash_servers_unknown;
}
