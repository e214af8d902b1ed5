/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A provider table from its text, which must be sound. */
#ifndef MXCLASH_TESTS_PROVIDER_TABLE_H
#define MXCLASH_TESTS_PROVIDER_TABLE_H

#include <string.h>

#include "core/providers/providers.h"

/** \return freed by the caller */
static inline struct providers *parse(const char *text)
{
    char error[PROVIDERS_ERROR_MAX] = "";
    struct providers *providers = providers_parse(text, strlen(text), error);

    if (providers == NULL)
        fail_msg("%s", error);
    return providers;
}

/** A documented set as an answer has it. \return its hosts */
static inline size_t set_as_mx(const struct provider_set *set, struct mxclash_mx *mx)
{
    for (size_t i = 0; i < set->count; i++) {
        mx[i].preference = set->mx[i].preference;
        mx[i].exchange_len = set->mx[i].exchange_len;
        memcpy(mx[i].exchange, set->mx[i].exchange, set->mx[i].exchange_len);
    }
    return set->count;
}

#endif
