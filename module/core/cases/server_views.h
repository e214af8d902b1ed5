/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What each server of a zone says of one owner: tells an authority that carries both CNAME and MX
 * from authorities that disagree, one carrying the CNAME and another the MX.
 */
#ifndef MXCLASH_CORE_CASES_SERVER_VIEWS_H
#define MXCLASH_CORE_CASES_SERVER_VIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "mxclash.h"

/** Servers that are remembered; one more takes the place of the first. */
#define VIEWS_MAX 4

enum {
    view_has_cname = 1 << 0,
    view_has_mx = 1 << 1,
    /** asked for it, it answered without */
    view_lacks_cname = 1 << 2,
    view_lacks_mx = 1 << 3,
};

struct server_views {
    /** hash of each server's address */
    uint64_t servers[VIEWS_MAX];
    uint8_t flags[VIEWS_MAX];
    uint8_t count;
    uint8_t next;
};

/** Note what a server said; a later word of the same server takes the place of an earlier one. */
void views_note(struct server_views *views, const struct mxclash_address *server, unsigned flags);

/** Forget all. */
void views_clear(struct server_views *views);

/**
 * \return mxclash_servers_agree if some server carries both; mxclash_servers_differ if none is
 *     known to, and one that lacks a record stands beside another that has it; else
 *     mxclash_servers_unknown
 */
enum mxclash_servers views_judge(const struct server_views *views);

#endif
