/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The hash of host patterns: see index.h. */
#include "core/providers/index.h"

#include <stdlib.h>
#include <string.h>

/** Labels of the longest name without the root: 127 of one octet. */
#define LABELS_MAX 127

/** Labels of the shortest pattern: the parser takes no top-level domain. */
#define BASE_LABELS 2

/** Fold one label, its length octet included, into the hash of what stands right of it. */
static uint32_t fold_label(uint32_t hash, const uint8_t *label)
{
    for (size_t i = 0; i <= label[0]; i++)
        hash = index_fold_octet(hash, label[i]);
    return hash;
}

/** \return labels without the root, their places in starts; 0 if it is the root or no whole name */
static size_t split_labels(const uint8_t *name, size_t name_len, uint8_t starts[LABELS_MAX])
{
    size_t labels = 0;
    size_t at = 0;

    while (at < name_len && name[at] != 0) {
        if (labels == LABELS_MAX)
            return 0;
        starts[labels++] = (uint8_t)at;
        at += name[at] + 1u;
    }
    return at + 1 == name_len ? labels : 0;
}

static const struct provider_pattern *slot_pattern(const struct providers *providers,
                                                   const struct index_slot *slot)
{
    return &providers->list[slot->section - 1u].patterns[slot->pattern];
}

/** \return the slot of this very pattern, or the free one where it would stand */
static inline struct index_slot *find_slot(const struct providers *providers, uint32_t hash,
                                           bool below, const uint8_t *name, size_t name_len)
{
    size_t at = hash & providers->mask;

    for (;; at = (at + 1) & providers->mask) {
        struct index_slot *slot = &providers->slots[at];
        const struct provider_pattern *pattern;

        if (slot->section == 0)
            return slot;
        if (slot->hash != hash)
            continue;
        pattern = slot_pattern(providers, slot);
        if (pattern->below == below && pattern->name_len == name_len &&
            memcmp(pattern->name, name, name_len) == 0)
            return slot;
    }
}

static bool grow(struct providers *providers)
{
    struct index_slot *old = providers->slots;
    size_t old_size = old == NULL ? 0 : providers->mask + 1;
    size_t size = old == NULL ? 64 : old_size * 2;
    struct index_slot *slots = calloc(size, sizeof(*slots));

    if (slots == NULL)
        return false;
    providers->slots = slots;
    providers->mask = size - 1;
    for (size_t i = 0; i < old_size; i++) {
        size_t at = old[i].hash & providers->mask;

        if (old[i].section == 0)
            continue;
        while (slots[at].section != 0)
            at = (at + 1) & providers->mask;
        slots[at] = old[i];
    }
    free(old);
    return true;
}

bool index_add(struct providers *providers, size_t section, size_t pattern,
               const struct provider **taken)
{
    const struct provider_pattern *added = &providers->list[section].patterns[pattern];
    uint8_t starts[LABELS_MAX];
    size_t labels = split_labels(added->name, added->name_len, starts);
    uint32_t hash = INDEX_HASH_BASIS;
    struct index_slot *slot;

    *taken = NULL;
    if ((providers->slots == NULL || providers->used * 2 > providers->mask) && !grow(providers))
        return false;
    for (size_t i = labels; i-- > 0;) {
        hash = fold_label(hash, added->name + starts[i]);
        if (labels - i == BASE_LABELS)
            providers->bases[hash % INDEX_BASES / 64] |= UINT64_C(1) << hash % 64;
    }
    slot = find_slot(providers, hash, added->below, added->name, added->name_len);
    if (slot->section != 0) {
        *taken = &providers->list[slot->section - 1u];
        return false;
    }
    *slot = (struct index_slot){hash, (uint16_t)(section + 1), (uint16_t)pattern};
    providers->used++;
    if (labels > providers->deepest)
        providers->deepest = labels;
    return true;
}

const struct provider *providers_host(const struct providers *providers, const uint8_t *host,
                                      size_t host_len, const struct provider_pattern **pattern)
{
    uint8_t starts[LABELS_MAX];
    uint32_t hashes[LABELS_MAX];
    size_t labels = split_labels(host, host_len, starts);
    size_t longest = labels > providers->deepest ? labels - providers->deepest : 0;
    uint32_t hash = INDEX_HASH_BASIS;

    if (providers->slots == NULL)
        return NULL;
    for (size_t i = labels; i-- > longest;) {
        hashes[i] = hash = fold_label(hash, host + starts[i]);
        if (labels - i == BASE_LABELS &&
            (providers->bases[hash % INDEX_BASES / 64] >> hash % 64 & 1) == 0)
            return NULL;
    }
    /* the longest pattern first: with most hosts of a provider's it is the one */
    for (size_t i = longest; i + BASE_LABELS <= labels; i++) {
        /* the whole host can only be a name, a part of it only what stands below `*` */
        const struct index_slot *slot =
            find_slot(providers, hashes[i], i != 0, host + starts[i], host_len - starts[i]);

        if (slot->section == 0)
            continue;
        *pattern = slot_pattern(providers, slot);
        return &providers->list[slot->section - 1u];
    }
    return NULL;
}
