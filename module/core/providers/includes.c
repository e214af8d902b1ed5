/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The hash of SPF includes: see index.h. */
#include <stdlib.h>
#include <string.h>

#include "core/providers/index.h"

static bool same_includes(const struct provider *a, const struct provider *b)
{
    if (a->spf.count != b->spf.count)
        return false;
    for (size_t i = 0; i < a->spf.count; i++)
        if (strcmp(a->spf.text[i], b->spf.text[i]) != 0)
            return false;
    return true;
}

/** Number the section at place; those before it have their numbers. No gaps: only in a table of
 * more different includes than SPF_NUMBERS do two providers share a bit.
 * \param[in,out] next  the lowest number that no section has */
static unsigned number_of(const struct providers *providers, size_t place, unsigned *next)
{
    const struct provider *provider = &providers->list[place];

    if (provider->spf.count == 0)
        return 0;
    for (size_t i = 0; i < place; i++)
        if (same_includes(&providers->list[i], provider))
            return providers->list[i].spf_number;
    return (*next)++;
}

/** Two octets a turn: it is run over each include of every record. */
static uint32_t hash_of(const uint8_t *name, size_t len)
{
    uint32_t hash = INDEX_HASH_BASIS;
    size_t i = 0;

    for (; i + 1 < len; i += 2) {
        hash = index_fold_octet(hash, name[i]);
        hash = index_fold_octet(hash, name[i + 1]);
    }
    return i < len ? index_fold_octet(hash, name[i]) : hash;
}

/** \return the slot of this very include, or the free one where it would stand */
static struct include_slot *find_slot(const struct providers *providers, const uint8_t *name,
                                      size_t len)
{
    size_t at = hash_of(name, len) & providers->include_mask;

    for (;; at = (at + 1) & providers->include_mask) {
        struct include_slot *slot = &providers->includes[at];

        if (slot->text == NULL || (slot->len == len && memcmp(slot->text, name, len) == 0))
            return slot;
    }
}

bool index_includes(struct providers *providers)
{
    size_t includes = 0;
    size_t size = 2;
    unsigned next = 0;

    for (size_t i = 0; i < providers->count; i++)
        includes += providers->list[i].spf.count;
    while (size < includes * 2)
        size *= 2;
    providers->includes = calloc(size, sizeof(*providers->includes));
    if (providers->includes == NULL)
        return false;
    providers->include_mask = size - 1;
    for (size_t i = 0; i < providers->count; i++) {
        struct provider *provider = &providers->list[i];

        provider->spf_number = number_of(providers, i, &next);
        for (size_t j = 0; j < provider->spf.count; j++) {
            const char *text = provider->spf.text[j];
            size_t len = strlen(text);
            struct include_slot *slot = find_slot(providers, (const uint8_t *)text, len);

            slot->text = text;
            slot->len = len;
            slot->numbers |= UINT64_C(1) << provider->spf_number % SPF_NUMBERS;
        }
    }
    return true;
}

uint64_t providers_included(const struct providers *providers, const uint8_t *name, size_t len)
{
    return find_slot(providers, name, len)->numbers;
}
