/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The life of a provider table and the way through it: see providers.h. */
#include <stdlib.h>
#include <string.h>

#include "core/block.h"
#include "core/providers_index.h"

struct providers *providers_builtin(char error[PROVIDERS_ERROR_MAX])
{
    return providers_parse(providers_builtin_text, strlen(providers_builtin_text), error);
}

static void free_strings(struct provider_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        free(strings->text[i]);
    free(strings->text);
}

void providers_use_suffixes(struct providers *providers, const struct psl_ctx_st *suffixes)
{
    providers->suffixes = suffixes;
}

size_t providers_own_at(const struct providers *providers, const uint8_t *owner, size_t owner_len)
{
    return registrable_at(providers->suffixes, owner, owner_len);
}

void providers_free(struct providers *providers)
{
    if (providers == NULL)
        return;
    for (size_t i = 0; i < providers->count; i++) {
        struct provider *provider = &providers->list[i];

        for (size_t j = 0; j < provider->set_count; j++)
            free(provider->sets[j].mx);
        free(provider->sets);
        free(provider->patterns);
        free_strings(&provider->spf);
        free_strings(&provider->sources);
        free(provider->name);
        free(provider->title);
        free(provider->family);
    }
    free(providers->list);
    free(providers->slots);
    free(providers->includes);
    free(providers);
}

/** Octets of an array that grew as the parser lets it: its room is a power of two. */
static size_t array_octets(size_t count, size_t member_octets)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return count == 0 ? 0 : block_octets(room * member_octets);
}

static size_t string_octets(const char *string)
{
    return string == NULL ? 0 : block_octets(strlen(string) + 1);
}

static size_t strings_octets(const struct provider_strings *strings)
{
    size_t octets = array_octets(strings->count, sizeof(*strings->text));

    for (size_t i = 0; i < strings->count; i++)
        octets += string_octets(strings->text[i]);
    return octets;
}

size_t providers_octets(const struct providers *providers)
{
    size_t octets =
        block_octets(sizeof(*providers)) + array_octets(providers->count, sizeof(*providers->list));

    if (providers->slots != NULL)
        octets += block_octets((providers->mask + 1) * sizeof(*providers->slots));
    octets += block_octets((providers->include_mask + 1) * sizeof(*providers->includes));
    for (size_t i = 0; i < providers->count; i++) {
        const struct provider *provider = &providers->list[i];

        octets += array_octets(provider->pattern_count, sizeof(*provider->patterns)) +
                  array_octets(provider->set_count, sizeof(*provider->sets)) +
                  strings_octets(&provider->spf) + strings_octets(&provider->sources) +
                  string_octets(provider->name) + string_octets(provider->title) +
                  string_octets(provider->family);
        for (size_t j = 0; j < provider->set_count; j++)
            octets += array_octets(provider->sets[j].count, sizeof(struct mxclash_mx));
    }
    return octets;
}

size_t providers_count(const struct providers *providers)
{
    return providers->count;
}

const struct provider *providers_at(const struct providers *providers, size_t index)
{
    return &providers->list[index];
}
