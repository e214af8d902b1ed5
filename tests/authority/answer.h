/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * From a query and a scenario to the answer, right or wrong as the scenario wants it.
 */
#ifndef TESTS_AUTHORITY_ANSWER_H
#define TESTS_AUTHORITY_ANSWER_H

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenario.h"

/**
 * Answer a query as RFC 1034 4.3.2 has it (zone cuts, DNAME, wildcards, CNAMEs inside the zone,
 * NXDOMAIN and NODATA with the SOA), but for what the scenario says. Answers are minimal: no NS
 * beside data, glue in referrals only.
 *
 * \param query  a query with one question; its name keeps its case in the answer
 * \param udp    an answer that does not fit is cut to its header with TC
 * \param[out] reply  wire message of reply_len octets, to be freed with LDNS_FREE(), only on true
 * \return false if nothing is to be sent
 */
bool answer_query(const struct scenario *scenario, const ldns_pkt *query, bool udp, uint8_t **reply,
                  size_t *reply_len);

#endif
