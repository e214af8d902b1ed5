/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Fuzz target: one input as the text of a provider table, as host names, as a TXT record. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"
#include "core/providers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Read whole wire names from the input as an MX set, their own first octets as preferences. */
static size_t cut_names(const uint8_t *data, size_t size, struct mxclash_mx mx[MXCLASH_MX_MAX])
{
    size_t count = 0;
    size_t at = 0;

    while (count < MXCLASH_MX_MAX && at < size) {
        size_t end = at;

        while (end < size && data[end] != 0)
            end += data[end] + 1u;
        if (end >= size || !name_valid(data + at, end + 1 - at))
            break;
        mx[count].preference = data[at];
        mx[count].exchange_len = (uint8_t)(end + 1 - at);
        name_lower(mx[count].exchange, data + at, end + 1 - at);
        count++;
        at = end + 1;
    }
    return count;
}

/** Hold the sets of a table against the table itself: what was parsed must find its owner. */
static void check_table(const struct providers *providers, const struct mxclash_mx *mx,
                        size_t count)
{
    static const uint8_t owner[] = "\4mail\7example\2co\2uk";
    struct providers_verdict verdict;

    for (size_t i = 0; i < providers_count(providers); i++) {
        const struct provider *provider = providers_at(providers, i);

        for (size_t j = 0; j < provider->set_count; j++) {
            const struct provider_set *set = &provider->sets[j];

            /* a later section may take a host with a longer pattern, so ask for an answer only */
            providers_judge(providers, owner, sizeof(owner), set->mx, set->count, &verdict);
        }
    }
    providers_judge(providers, owner, sizeof(owner), mx, count, &verdict);
    if (verdict.provider != providers_match(providers, mx, count))
        abort();
    if (count != 0)
        providers_judge(providers, mx[0].exchange, mx[0].exchange_len, mx, count, &verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct providers *builtin;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t count = cut_names(data, size, mx);
    char error[PROVIDERS_ERROR_MAX] = "";
    struct providers *providers = providers_parse((const char *)data, size, error);

    if (builtin == NULL && (builtin = providers_builtin(error)) == NULL)
        abort();
    if (providers != NULL)
        check_table(providers, mx, count);
    else if (error[0] < '1' || error[0] > '9' || memchr(error, 0, sizeof(error)) == NULL)
        abort();
    providers_free(providers);
    check_table(builtin, mx, count);
    if (spf_has_include(data, size, "spf.qiye.aliyun.com") == spf_has && size < 2)
        abort();
    return 0;
}
