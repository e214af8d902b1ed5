/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Wire format names (RFC 1035 3.1), uncompressed: checks, comparison, case. Text form is public,
 * see mxclash_name_to_text() and mxclash_name_from_text().
 */
#ifndef MXCLASH_CORE_DNS_NAMES_H
#define MXCLASH_CORE_DNS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest label in octets (RFC 1035 2.3.4). */
#define NAME_LABEL_MAX 63

/** \return true if the octets are one whole name: labels of 1 to 63 octets, the root at the end */
bool name_valid(const uint8_t *name, size_t name_len);

/** Copy len octets with A to Z made lower case (RFC 4343). Length octets are below 64: untouched.
 */
void name_lower(uint8_t *lower, const uint8_t *name, size_t len);

/** \return true if both are the same name, whatever the case */
bool name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/** \return true if name, a valid name, is zone or below it, whatever the case */
bool name_at_or_below(const uint8_t *name, size_t name_len, const uint8_t *zone, size_t zone_len);

#endif
