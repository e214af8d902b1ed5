/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The life of a provider table and the way through it: see providers.h. */
#include <stdlib.h>
#include <string.h>

#include "core/base/block.h"
#include "core/providers/index.h"

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

static void free_set(struct provider_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->mx[i].exchange);
    free(set->mx);
}

void providers_free(struct providers *providers)
{
    if (providers == NULL)
        return;
    for (size_t i = 0; i < providers->count; i++) {
        struct provider *provider = &providers->list[i];

        for (size_t j = 0; j < provider->set_count; j++)
            free_set(&provider->sets[j]);
        free(provider->sets);
        for (size_t j = 0; j < provider->pattern_count; j++)
            free(provider->patterns[j].name);
        free(provider->patterns);
        free_strings(&provider->spf);
        free_strings(&provider->sources);
        if (provider->title != provider->name)
            free(provider->title);
        if (provider->family != provider->name)
            free(provider->family);
        free(provider->name);
    }
    free(providers->list);
    free(providers->slots);
    free(providers->includes);
    free(providers);
}

/** Octets of an array whose room the parser doubled and then cut behind the last member: malloc()
 * leaves a rest that is too small for a block where it is. */
static size_t array_octets(size_t count, size_t member_octets)
{
    size_t room = 1;
    size_t grown, cut;

    if (count == 0)
        return 0;
    while (room < count)
        room *= 2;
    grown = block_octets(room * member_octets);
    cut = block_octets(count * member_octets);
    return grown - cut < block_octets(1) ? grown : cut;
}

static size_t string_octets(const char *string)
{
    return string == NULL ? 0 : block_octets(strlen(string) + 1);
}

/** Octets of a string of a section's that may be its name. */
static size_t other_octets(const struct provider *provider, const char *string)
{
    return string == provider->name ? 0 : string_octets(string);
}

static size_t strings_octets(const struct provider_strings *strings)
{
    size_t octets = array_octets(strings->count, sizeof(*strings->text));

    for (size_t i = 0; i < strings->count; i++)
        octets += string_octets(strings->text[i]);
    return octets;
}

static size_t set_octets(const struct provider_set *set)
{
    size_t octets = array_octets(set->count, sizeof(*set->mx));

    for (size_t i = 0; i < set->count; i++)
        octets += block_octets(set->mx[i].exchange_len);
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
                  string_octets(provider->name) + other_octets(provider, provider->title) +
                  other_octets(provider, provider->family);
        for (size_t j = 0; j < provider->pattern_count; j++)
            octets += block_octets(provider->patterns[j].name_len);
        for (size_t j = 0; j < provider->set_count; j++)
            octets += set_octets(&provider->sets[j]);
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
