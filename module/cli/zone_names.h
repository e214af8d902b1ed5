/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What is kept of a zone: only names that have a CNAME, an MX or an SPF record, or that a record
 * names where a last dot may lack. The rest of the zone is read and forgotten.
 */
#ifndef MXCLASH_CLI_ZONE_NAMES_H
#define MXCLASH_CLI_ZONE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/ldns.h"
#include "ask/name.h"
#include "cli/zone_file.h"

/** One record of a name that is kept. */
struct zone_kept {
    struct zone_kept *next;
    struct zone_place place;
    uint32_t ttl_s;
    /** octets of RDATA, names in it not compressed */
    uint16_t len;
    uint8_t rdata[];
};

struct zone_owner {
    struct zone_owner *next;
    struct zone_kept *cname;
    struct zone_kept *mx;
    struct zone_kept *spf;
    /** the first other record beside the CNAME; type 0 = none */
    uint16_t other_type;
    struct zone_place other;
    /** a record of any type has this owner, as far as that was looked for */
    bool is_there;
    struct ask_name name;
};

struct zone_names;

/** \return NULL if there is no memory */
struct zone_names *zone_names_new(void);
void zone_names_free(struct zone_names *names);

/** \return NULL if it is not kept */
struct zone_owner *zone_names_find(const struct zone_names *names, const struct ask_name *name);

/** Find or keep a name. \return NULL if there is no memory */
struct zone_owner *zone_names_add(struct zone_names *names, const struct ask_name *name);

/** Keep a record in one of an owner's lists, at its end. \return false if there is no memory */
bool zone_names_keep(struct zone_kept **list, const struct zone_place *place, const ldns_rr *rr);

/** The names in the order in which they came, through their member next. */
struct zone_owner *zone_names_first(const struct zone_names *names);

#endif
