/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX sets in the order in which events have them: see mxclash.h. */
#include <string.h>

#include "core/names.h"
#include "mxclash.h"

static bool mx_before(const struct mxclash_mx *a, const struct mxclash_mx *b)
{
    if (a->preference != b->preference)
        return a->preference < b->preference;
    return memcmp(a->exchange, b->exchange, sizeof(a->exchange)) < 0;
}

size_t mxclash_mx_insert(struct mxclash_mx *set, size_t count, const struct mxclash_mx *one)
{
    struct mxclash_mx clean;
    size_t place = 0;

    memset(&clean, 0, sizeof(clean)); /* sets are compared octet by octet */
    clean.preference = one->preference;
    clean.exchange_len = one->exchange_len;
    name_lower(clean.exchange, one->exchange, one->exchange_len);
    while (place < count && mx_before(&set[place], &clean))
        place++;
    if (place == MXCLASH_MX_MAX || (place < count && !mx_before(&clean, &set[place])))
        return count;
    if (count < MXCLASH_MX_MAX)
        count++;
    memmove(&set[place + 1], &set[place], (count - place - 1) * sizeof(*set));
    set[place] = clean;
    return count;
}
