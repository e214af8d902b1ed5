/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the table of providers adds to advice: see provider.h. */
#include "advice/provider.h"

#include <string.h>

#include "core/providers/providers.h"

static const struct provider *find_tag(const struct providers *providers, const char *tag)
{
    for (size_t i = 0; i < providers_count(providers); i++) {
        const struct provider *provider = providers_at(providers, i);
        if (strcmp(provider->name, tag) == 0) {
            return provider;
        }
    }
    return NULL;
}

/** Read the MX of a case. \param[out] at  index in the case of each member \return members */
static size_t read_mx(const struct advice_case *of, struct mxclash_mx mx[MXCLASH_MX_MAX],
                      size_t at[MXCLASH_MX_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < of->mx_count && count < MXCLASH_MX_MAX; i++) {
        size_t octets;
        if (of->mx[i].preference > UINT16_MAX ||
            mxclash_name_from_text(of->mx[i].exchange, mx[count].exchange, &octets) != mxclash_ok) {
            continue;
        }
        mx[count].exchange_len = (uint8_t)octets;
        mx[count].preference = (uint16_t)of->mx[i].preference;
        at[count++] = i;
    }
    return count;
}

/** The documented set that the MX come next to. \return NULL if the provider documents none */
static const struct provider_set *nearest_set(const struct provider *provider,
                                              const struct mxclash_mx *mx, size_t count)
{
    const struct provider_set *nearest = NULL;
    size_t most = 0;
    for (size_t i = 0; i < provider->set_count; i++) {
        const struct provider_set *set = &provider->sets[i];
        size_t there = 0;
        for (size_t k = 0; k < set->count; k++) {
            for (size_t j = 0; j < count; j++) {
                if (mx[j].exchange_len == set->mx[k].exchange_len &&
                    memcmp(mx[j].exchange, set->mx[k].exchange, mx[j].exchange_len) == 0) {
                    there++;
                    break;
                }
            }
        }
        if (nearest == NULL || there > most) {
            nearest = set;
            most = there;
        }
    }
    return nearest;
}

static void use_set(struct advice_case *of, const struct provider_set *set,
                    struct advice_provider *room)
{
    for (size_t i = 0; i < set->count; i++) {
        mxclash_name_to_text(set->mx[i].exchange, set->mx[i].exchange_len, room->names[i]);
        room->expected[i] = (struct advice_mx){set->mx[i].preference, room->names[i]};
    }
    of->expected = room->expected;
    of->expected_count = set->count;
}

void advice_use_provider(struct advice_case *of, const struct providers *providers, const char *tag,
                         struct advice_provider *room)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t at[MXCLASH_MX_MAX];
    uint8_t owner[MXCLASH_NAME_MAX];
    size_t owner_len;
    const struct provider *provider =
        tag == NULL || providers == NULL ? NULL : find_tag(providers, tag);
    of->provider = provider == NULL ? tag : provider->title;
    if (provider == NULL || mxclash_name_from_text(of->domain, owner, &owner_len) != mxclash_ok) {
        return;
    }
    const size_t count = read_mx(of, mx, at);
    struct providers_verdict verdict;
    providers_judge(providers, owner, owner_len, mx, count, &verdict);
    if (verdict.provider == provider) {
        for (size_t i = 0; i < count; i++) {
            if ((verdict.foreign >> i & 1) != 0 && at[i] < 32) {
                of->foreign |= UINT32_C(1) << at[i];
            }
        }
    }
    /* A filter in front is none of the documented hosts: then the set would be the wrong advice. */
    const struct provider_set *set = verdict.filtered ? NULL : nearest_set(provider, mx, count);
    if (set != NULL) {
        use_set(of, set, room);
    }
    if (provider->spf.count > 0) {
        of->spf_include = provider->spf.text[0];
    }
}
