/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The question as octets, and whether octets answer it: see inside.h. */
#include <string.h>

#include "ask/inside.h"

/** What fits into a packet on any path: what the DNS flag day of 2020 settled on. */
#define EDNS_OCTETS   1232
#define HEADER_OCTETS 12

size_t ask_query_build(const struct ask_name *name, uint16_t qtype, uint16_t id, bool recursion,
                       bool edns, uint8_t query[512])
{
    ldns_rdf *owner = ask_name_rdf(name);
    if (owner == NULL) {
        return 0;
    }
    ldns_pkt *packet =
        ldns_pkt_query_new(owner, (ldns_rr_type)qtype, LDNS_RR_CLASS_IN, recursion ? LDNS_RD : 0);
    if (packet == NULL) {
        ldns_rdf_deep_free(owner);
        return 0;
    }
    ldns_pkt_set_id(packet, id);
    if (edns) {
        ldns_pkt_set_edns_udp_size(packet, EDNS_OCTETS);
    }
    uint8_t *octets = NULL;
    size_t len = 0;
    const ldns_status status = ldns_pkt2wire(&octets, packet, &len);
    ldns_pkt_free(packet);
    if (status != LDNS_STATUS_OK || len > 512) {
        LDNS_FREE(octets);
        return 0;
    }
    memcpy(query, octets, len);
    LDNS_FREE(octets);
    return len;
}

/** A server that does not understand us need not say what it did not understand. */
static bool may_lack_question(const ldns_pkt *packet)
{
    const ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    return rcode == LDNS_RCODE_FORMERR || rcode == LDNS_RCODE_NOTIMPL;
}

enum ask_match ask_match(const struct ask_question *question, uint16_t id, const uint8_t *message,
                         size_t len, ldns_pkt **packet)
{
    /* id, QR, opcode QUERY: what is not for us is not read any further */
    if (len < HEADER_OCTETS || message[0] != id >> 8 || message[1] != (id & 0xff) ||
        (message[2] & 0xf8) != 0x80) {
        return ask_match_stray;
    }
    ldns_pkt *read = NULL;
    if (ldns_wire2pkt(&read, message, len) != LDNS_STATUS_OK) {
        return ask_match_malformed;
    }
    const ldns_rr_list *questions = ldns_pkt_question(read);
    const size_t count = ldns_rr_list_rr_count(questions);
    bool same = count == 0 && may_lack_question(read);
    if (count == 1) {
        struct ask_name name;
        const ldns_rr *rr = ldns_rr_list_rr(questions, 0);
        same = ask_name_of(&name, ldns_rr_owner(rr)) && ask_name_equal(&name, &question->name) &&
               ldns_rr_get_type(rr) == question->qtype && ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN;
    }
    if (!same) {
        ldns_pkt_free(read);
        return ask_match_stray;
    }
    *packet = read;
    return ask_match_yes;
}
