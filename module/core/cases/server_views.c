/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The servers' views: see server_views.h. */
#include "core/cases/server_views.h"

#include <string.h>

#include <netinet/in.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/** Port and address; what else lies in a sockaddr may differ from call to call. */
static uint64_t server_hash(const struct sockaddr *server, socklen_t server_len)
{
    if (server->sa_family == AF_INET && server_len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)server;

        return XXH3_64bits_withSeed(&in->sin_addr, sizeof(in->sin_addr), in->sin_port);
    }
    if (server->sa_family == AF_INET6 && server_len >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)server;

        return XXH3_64bits_withSeed(&in6->sin6_addr, sizeof(in6->sin6_addr), in6->sin6_port);
    }
    return 0;
}

void views_note(struct server_views *views, const struct sockaddr *server, socklen_t server_len,
                unsigned flags)
{
    uint64_t hash = server != NULL ? server_hash(server, server_len) : 0;
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
