/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * MX sets in the order in which events have them, see mxclash_mx_insert().
 */
#ifndef MXCLASH_CORE_DNS_MX_SET_H
#define MXCLASH_CORE_DNS_MX_SET_H

#include "mxclash.h"

/**
 * As mxclash_mx_insert(), of one that is as sets have it: lower case, and 0 behind its end.
 * Cheapest in the order of the set.
 */
size_t mx_set_insert(struct mxclash_mx *set, size_t count, const struct mxclash_mx *one);

#endif
