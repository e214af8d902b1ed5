/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What is kept of a zone: see zone_names.h. A table of chains that grows with the names. */
#include "cli/zone_names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS_FIRST 1024

struct zone_names {
    /** open addressing; slot_count is a power of two */
    struct zone_owner **slots;
    size_t slot_count;
    size_t count;
    uint64_t seed;
    struct zone_owner *first;
    struct zone_owner **end;
};

struct zone_names *zone_names_new(void)
{
    struct zone_names *names = calloc(1, sizeof(*names));
    if (names == NULL) {
        return NULL;
    }
    names->slots = calloc(SLOTS_FIRST, sizeof(struct zone_owner *));
    names->slot_count = SLOTS_FIRST;
    names->end = &names->first;
    if (names->slots == NULL) {
        free(names);
        return NULL;
    }
    (void)!getrandom(&names->seed, sizeof(names->seed), 0);
    return names;
}

static void free_list(struct zone_kept *kept)
{
    while (kept != NULL) {
        struct zone_kept *next = kept->next;
        free(kept);
        kept = next;
    }
}

void zone_names_free(struct zone_names *names)
{
    if (names == NULL) {
        return;
    }
    for (struct zone_owner *owner = names->first; owner != NULL;) {
        struct zone_owner *next = owner->next;
        free_list(owner->cname);
        free_list(owner->mx);
        free_list(owner->spf);
        free(owner);
        owner = next;
    }
    free(names->slots);
    free(names);
}

static struct zone_owner **slot_of(const struct zone_names *names, const struct ask_name *name)
{
    size_t at = XXH3_64bits_withSeed(name->octets, name->len, names->seed);
    for (;; at++) {
        struct zone_owner **slot = &names->slots[at & (names->slot_count - 1)];
        if (*slot == NULL || ask_name_equal(&(*slot)->name, name)) {
            return slot;
        }
    }
}

struct zone_owner *zone_names_find(const struct zone_names *names, const struct ask_name *name)
{
    return *slot_of(names, name);
}

/** Twice the slots. \return false if there is no memory */
static bool grow(struct zone_names *names)
{
    struct zone_owner **slots = calloc(names->slot_count * 2, sizeof(struct zone_owner *));
    if (slots == NULL) {
        return false;
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count *= 2;
    for (struct zone_owner *owner = names->first; owner != NULL; owner = owner->next) {
        *slot_of(names, &owner->name) = owner;
    }
    return true;
}

struct zone_owner *zone_names_add(struct zone_names *names, const struct ask_name *name)
{
    struct zone_owner **slot = slot_of(names, name);
    if (*slot != NULL) {
        return *slot;
    }
    if (names->count * 2 >= names->slot_count) {
        if (!grow(names)) {
            return NULL;
        }
        slot = slot_of(names, name);
    }
    /* no more octets than the name has */
    struct zone_owner *owner = calloc(1, offsetof(struct zone_owner, name) +
                                             offsetof(struct ask_name, octets) + name->len);
    if (owner == NULL) {
        return NULL;
    }
    memcpy(&owner->name, name, offsetof(struct ask_name, octets) + name->len);
    *slot = owner;
    *names->end = owner;
    names->end = &owner->next;
    names->count++;
    return owner;
}

bool zone_names_keep(struct zone_kept **list, const struct zone_place *place, const ldns_rr *rr)
{
    size_t len = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        len += ldns_rdf_size(ldns_rr_rdf(rr, i));
    }
    struct zone_kept *kept = len <= UINT16_MAX ? malloc(sizeof(*kept) + len) : NULL;
    if (kept == NULL) {
        return false;
    }
    kept->next = NULL;
    kept->place = *place;
    kept->ttl_s = ldns_rr_ttl(rr);
    kept->len = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *rdf = ldns_rr_rdf(rr, i);
        memcpy(kept->rdata + kept->len, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
        kept->len = (uint16_t)(kept->len + ldns_rdf_size(rdf));
    }
    while (*list != NULL) {
        list = &(*list)->next;
    }
    *list = kept;
    return true;
}

struct zone_owner *zone_names_first(const struct zone_names *names)
{
    return names->first;
}
