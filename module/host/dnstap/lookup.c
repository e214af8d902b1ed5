/* SPDX-License-Identifier: BSD-3-Clause */
/** \file One lookup: see lookup.h. */
#include "host/dnstap/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "host/dnstap/clock.h"

static void end_lookup(struct lookup *lookup, const struct mxclash_lookup_reply *reply)
{
    struct asking *asking = lookup->asking;
    mxclash_lookup_end(asking->engine, &lookup->lookup, reply, clock_now());
    lookup->busy = false;
    asking->over(asking->context);
}

/** Copy an MX set, without null MX, sorted. \return members; *null_mx as found */
static size_t copy_mx(const ldns_rr_list *records, struct mxclash_mx *mx, uint8_t *null_mx)
{
    const size_t records_count = ldns_rr_list_rr_count(records);
    size_t count = 0;
    for (size_t i = 0; i < records_count; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        struct mxclash_mx one = {0};
        struct ask_name exchange;
        if (ldns_rr_rd_count(rr) != 2 || !ask_name_of(&exchange, ldns_rr_rdf(rr, 1))) {
            continue;
        }
        if (exchange.len == 1) {
            *null_mx = 1;
            continue;
        }
        one.preference = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
        one.exchange_len = exchange.len;
        memcpy(one.exchange, exchange.octets, exchange.len);
        count = mxclash_mx_insert(mx, count, &one);
    }
    *null_mx = *null_mx != 0 && count == 0;
    return count;
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

/** Put the strings of TXT records together again. \param txt  room for MXCLASH_TXT_MAX \return what
 * txt refers to, for free(); NULL = no memory, or there are none */
static uint8_t *copy_txt(const ldns_rr_list *records, struct mxclash_txt *txt,
                         struct mxclash_lookup_reply *reply)
{
    const size_t count = ldns_rr_list_rr_count(records);
    size_t octets = 0;
    for (size_t i = 0; i < count && i < MXCLASH_TXT_MAX; i++) {
        octets += rdata_len(ldns_rr_list_rr(records, i));
    }
    uint8_t *room = malloc(octets + 1);
    uint8_t *at = room;
    reply->txt_cut = count > MXCLASH_TXT_MAX;
    for (size_t i = 0; room != NULL && i < count && i < MXCLASH_TXT_MAX; i++) {
        const ldns_rr *rr = ldns_rr_list_rr(records, i);
        txt[reply->txt_count++] = (struct mxclash_txt){at, (uint16_t)rdata_len(rr)};
        for (size_t k = 0; k < ldns_rr_rd_count(rr); k++) {
            const ldns_rdf *string = ldns_rr_rdf(rr, k);
            memcpy(at, ldns_rdf_data(string), ldns_rdf_size(string));
            at += ldns_rdf_size(string);
        }
    }
    return room;
}

static void on_result(void *context, const struct ask_result *result)
{
    struct lookup *lookup = context;
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    struct mxclash_txt txt[MXCLASH_TXT_MAX];
    struct mxclash_lookup_reply reply = {.struct_size = sizeof(reply), .mx = mx, .txt = txt};
    uint8_t *octets = NULL;
    const unsigned packets = ask_packets(lookup->asking->ask);
    if (packets > 1) {
        mxclash_lookup_sent(lookup->asking->engine, packets - 1);
    }
    /* a chain of aliases that does not end leads nowhere, and that is an answer */
    reply.answered = result->status == ask_answered;
    if (reply.answered && !result->endless) {
        switch (lookup->lookup.qtype) {
        case LDNS_RR_TYPE_MX:
            reply.mx_count = (uint32_t)copy_mx(result->records, mx, &reply.null_mx);
            break;
        case LDNS_RR_TYPE_TXT:
            octets = copy_txt(result->records, txt, &reply);
            reply.answered = octets != NULL;
            break;
        default:
            reply.has_address = ldns_rr_list_rr_count(result->records) != 0;
        }
    }
    end_lookup(lookup, &reply);
    free(octets);
}

void lookup_begin(struct lookup *lookup, struct asking *asking, const struct mxclash_lookup *wanted)
{
    static const struct mxclash_lookup_reply nothing = {.struct_size = sizeof(nothing)};
    struct ask_name target;
    *lookup = (struct lookup){.busy = true, .asking = asking, .lookup = *wanted};
    if (!ask_name_set(&target, wanted->target, wanted->target_len) ||
        !ask_resolve(asking->ask, &target, wanted->qtype, on_result, lookup)) {
        end_lookup(lookup, &nothing);
    }
}
