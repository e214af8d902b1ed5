/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Events as text: the JSON object of docs/detection.md and the line for the host's log.
 */
#ifndef MXCLASH_OUTPUT_JSON_H
#define MXCLASH_OUTPUT_JSON_H

#include "mxclash.h"

/**
 * One event as one JSON object without a line end, every field of the interface present
 * (null where unknown), then held_back of struct mxclash_event. started and stopped have only
 * time, event, host and version; tally only time, event, domain, kind, state, provider, first_seen,
 * last_seen, mx_queries and host. A tally without an owner sums up: its domain is null, its
 * mx_queries those of the domains, as many as held_back says, that have no line of their own.
 *
 * \param host  name of the machine; null is written for NULL and for what is no UTF-8
 * \return malloc()ed, freed by the caller; NULL if there is no memory
 */
char *json_event(const struct mxclash_event *event, const char *host);

/**
 * One event as a readable line without a line end, for opened, changed, cleared and expired.
 * Holds nothing but printable ASCII.
 * \return malloc()ed, freed by the caller; NULL if there is no memory
 */
char *readable_event(const struct mxclash_event *event);

#endif
