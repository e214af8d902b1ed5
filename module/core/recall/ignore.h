/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The domains that are never reported: a sorted list, read-only once made. */
#ifndef MXCLASH_CORE_RECALL_IGNORE_H
#define MXCLASH_CORE_RECALL_IGNORE_H

#include "mxclash.h"

struct ignore_name {
    uint8_t len;
    uint8_t name[MXCLASH_NAME_MAX];
};

struct ignore {
    struct ignore_name *names;
    size_t count;
};

/**
 * \param names  text names
 * \retval mxclash_malformed  one of them is no name; nothing is left behind
 */
enum mxclash_status ignore_init(struct ignore *ignore, const char *const *names, size_t count);
void ignore_deinit(struct ignore *ignore);

/** \param owner  valid, lower case. \return true if it is in the list or below one that is */
bool ignore_holds(const struct ignore *ignore, const uint8_t *owner, size_t owner_len);

#endif
