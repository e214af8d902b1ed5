/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX sets: see mx_set.h and mxclash.h. */
#include "core/dns/mx_set.h"

#include <string.h>

#include "core/dns/names.h"

/** \return below 0 if a sorts before b, 0 if they are the same record */
static int compare(const struct mxclash_mx *a, const struct mxclash_mx *b)
{
    if (a->preference != b->preference)
        return a->preference < b->preference ? -1 : 1;
    return memcmp(a->exchange, b->exchange, sizeof(a->exchange));
}

size_t mx_set_insert(struct mxclash_mx *set, size_t count, const struct mxclash_mx *one)
{
    size_t place = count;
    int order = 1;

    while (place > 0 && (order = compare(one, &set[place - 1])) < 0)
        place--;
    if (order == 0 || place == MXCLASH_MX_MAX)
        return count;
    if (count < MXCLASH_MX_MAX)
        count++;
    memmove(&set[place + 1], &set[place], (count - place - 1) * sizeof(*set));
    set[place] = *one;
    return count;
}

size_t mxclash_mx_insert(struct mxclash_mx *set, size_t count, const struct mxclash_mx *one)
{
    struct mxclash_mx clean = {.preference = one->preference, .exchange_len = one->exchange_len};

    name_lower(clean.exchange, one->exchange, one->exchange_len);
    return mx_set_insert(set, count, &clean);
}
