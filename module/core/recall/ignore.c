/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The ignored domains: see ignore.h. */
#include "core/recall/ignore.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct ignore_name *left = a, *right = b;

    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return memcmp(left->name, right->name, left->len);
}

enum mxclash_status ignore_init(struct ignore *ignore, const char *const *names, size_t count)
{
    memset(ignore, 0, sizeof(*ignore));
    if (count == 0)
        return mxclash_ok;
    ignore->names = calloc(count, sizeof(*ignore->names));
    if (ignore->names == NULL)
        return mxclash_no_memory;
    for (size_t i = 0; i < count; i++) {
        size_t len;

        if (mxclash_name_from_text(names[i], ignore->names[i].name, &len) != mxclash_ok) {
            ignore_deinit(ignore);
            return mxclash_malformed;
        }
        ignore->names[i].len = (uint8_t)len;
    }
    ignore->count = count;
    qsort(ignore->names, count, sizeof(*ignore->names), compare);
    return mxclash_ok;
}

void ignore_deinit(struct ignore *ignore)
{
    free(ignore->names);
    ignore->names = NULL;
    ignore->count = 0;
}

bool ignore_holds(const struct ignore *ignore, const uint8_t *owner, size_t owner_len)
{
    struct ignore_name key;

    if (ignore->count == 0)
        return false;
    for (size_t at = 0;; at += owner[at] + 1u) {
        key.len = (uint8_t)(owner_len - at);
        memcpy(key.name, owner + at, key.len);
        if (bsearch(&key, ignore->names, ignore->count, sizeof(key), compare) != NULL)
            return true;
        if (owner[at] == 0)
            return false;
    }
}
