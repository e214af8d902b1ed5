/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What resolving a name came to: see finding.h. */
#include "ask/finding.h"

#include <stdlib.h>
#include <string.h>

/** Copy an MX set, without null MX, sorted. */
static void take_mx(struct ask_finding *finding, const ldns_rr_list *records)
{
    size_t count = 0;
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        struct mxclash_mx one = {0};
        struct ask_name exchange;
        if (ldns_rr_rd_count(rr) != 2 || !ask_name_of(&exchange, ldns_rr_rdf(rr, 1))) {
            continue;
        }
        if (exchange.len == 1) {
            finding->reply.null_mx = 1;
            continue;
        }
        one.preference = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
        one.exchange_len = exchange.len;
        memcpy(one.exchange, exchange.octets, exchange.len);
        count = mxclash_mx_insert(finding->mx, count, &one);
    }
    finding->reply.mx_count = (uint32_t)count;
    finding->reply.null_mx = finding->reply.null_mx != 0 && count == 0;
}

/** Octets of the RDATA of a record as it stood in the message. */
static size_t rdata_len(const ldns_rr *rr)
{
    size_t len = 0;
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        len += ldns_rdf_size(ldns_rr_rdf(rr, i));
    }
    return len;
}

/** Put the strings of TXT records together again. \return false if there is no memory */
static bool take_txt(struct ask_finding *finding, const ldns_rr_list *records)
{
    const size_t records_count = ldns_rr_list_rr_count(records);
    const size_t count = records_count < MXCLASH_TXT_MAX ? records_count : MXCLASH_TXT_MAX;
    size_t octets = 0;
    for (size_t i = 0; i < count; i++) {
        octets += rdata_len(ldns_rr_list_rr(records, i));
    }
    uint8_t *at = finding->octets = malloc(octets + 1);
    if (at == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        finding->txt[i] = (struct mxclash_txt){at, (uint16_t)rdata_len(rr)};
        for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
            const ldns_rdf *string = ldns_rr_rdf(rr, k);
            memcpy(at, ldns_rdf_data(string), ldns_rdf_size(string));
            at += ldns_rdf_size(string);
        }
    }
    finding->reply.txt_count = (uint32_t)count;
    finding->reply.txt_cut = records_count > count;
    return true;
}

void ask_finding_take(struct ask_finding *finding, uint16_t qtype, const struct ask_result *result)
{
    struct mxclash_lookup_reply *reply = &finding->reply;
    finding->octets = NULL;
    *reply = (struct mxclash_lookup_reply){.struct_size = sizeof(*reply),
                                           .answered = result->status == ask_answered,
                                           .mx = finding->mx,
                                           .txt = finding->txt};
    if (!reply->answered || result->endless) {
        return;
    }
    switch (qtype) {
    case LDNS_RR_TYPE_MX:
        take_mx(finding, result->records);
        break;
    case LDNS_RR_TYPE_TXT:
        reply->answered = take_txt(finding, result->records);
        break;
    default:
        reply->has_address = ldns_rr_list_rr_count(result->records) != 0;
    }
}

void ask_finding_free(struct ask_finding *finding)
{
    free(finding->octets);
}
