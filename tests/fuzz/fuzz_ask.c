/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: what comes back to a question of module/ask, and the addresses that an operator
 * writes.
 *
 * An answer is taken only if its header and its question are right, and then ldns read all of it.
 * An address or net that is read is written again and read as the same.
 */
#include "fuzz.h"

#include "ask/inside.h"

#define ID 0x1234

static void try_text(const uint8_t *data, size_t size)
{
    char *text = string_of(data, size < 64 ? size : 64);
    char written[ASK_ADDRESS_TEXT_MAX];
    struct sockaddr_storage address;
    struct sockaddr_storage again;
    struct ask_net net;
    const struct ask_policy policy = {.may_ask = &net, .may_ask_count = 1};

    if (ask_address_parse(text, &address)) {
        /* the interface of a link is not written */
        MUST(strchr(text, '%') != NULL ||
             (ask_address_parse(ask_address_text(&address, written), &again) &&
              ask_address_equal(&address, &again)));
    }
    if (ask_net_parse(text, &net)) {
        MUST(net.bits <= (net.family == AF_INET ? 32 : 128));
        if (ask_address_parse("192.0.2.1", &again))
            MUST(ask_address_refused(&policy, &again) == NULL);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t name[] = "\7example\3com";
    struct ask_question question = {.qtype = LDNS_RR_TYPE_MX};
    ldns_pkt *packet = NULL;

    MUST(ask_name_set(&question.name, name, sizeof(name)));
    try_text(data, size);
    if (size > UINT16_MAX || ask_match(&question, ID, data, size, &packet) != ask_match_yes) {
        MUST(packet == NULL);
        return 0;
    }
    MUST(data[0] == ID >> 8 && data[1] == (ID & 0xff) && (data[2] & 0x80) != 0);
    MUST(ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 1 ||
         (data[3] & 0xf) == LDNS_RCODE_FORMERR || (data[3] & 0xf) == LDNS_RCODE_NOTIMPL);
    ldns_pkt_free(packet);
    return 0;
}
