/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The life of a provider table and the way through it: see providers.h. */
#include <stdlib.h>
#include <string.h>

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
    free(providers);
}

size_t providers_count(const struct providers *providers)
{
    return providers->count;
}

const struct provider *providers_at(const struct providers *providers, size_t index)
{
    return &providers->list[index];
}
