/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The names that the operator gave to servers by a stub-zone: no zone cut is known by them.
 *
 * Read and sorted at the start, for there may be thousands, and answers of every zone's own name
 * are held against them.
 */
#include "stubs.h"

#include "util/config_file.h"

static int compare(const void *a, const void *b)
{
    const struct stub_name *left = a, *right = b;

    return query_dname_compare((uint8_t *)left->name, (uint8_t *)right->name);
}

bool stubs_init(struct stubs *stubs, const struct config_file *cfg)
{
    size_t room = 1;

    for (const struct config_stub *stub = cfg->stubs; stub != NULL; stub = stub->next)
        room++;
    stubs->count = 0;
    stubs->names = calloc(room, sizeof(*stubs->names));
    if (stubs->names == NULL)
        return false;
    for (const struct config_stub *stub = cfg->stubs; stub != NULL; stub = stub->next) {
        size_t len;

        /* Unbound asks the servers of a primed one for the zone's own nameservers, and keeps these
         */
        if (!stub->isprime && stub->name != NULL &&
            mxclash_name_from_text(stub->name, stubs->names[stubs->count].name, &len) == mxclash_ok)
            stubs->count++;
    }
    qsort(stubs->names, stubs->count, sizeof(*stubs->names), compare);
    return true;
}

void stubs_deinit(struct stubs *stubs)
{
    free(stubs->names);
}

bool stubs_hold(const struct stubs *stubs, const struct delegpt *dp)
{
    /* A delegation has nameservers' names, a stub may have addresses alone. What is looked for is a
     * name and no more, and of it compare() reads no more. */
    return dp->nslist == NULL ||
           bsearch(dp->name, stubs->names, stubs->count, sizeof(*stubs->names), compare) != NULL;
}
