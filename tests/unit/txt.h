/* SPDX-License-Identifier: BSD-3-Clause */
/** \file TXT records for messages of message.h. */
#ifndef MXCLASH_TESTS_TXT_H
#define MXCLASH_TESTS_TXT_H

#include "message.h"

/** Write RDATA of TXT: character-strings of at most part octets, at least one. */
static inline void txt_rdata(struct message *m, const char *text, size_t part)
{
    size_t left = strlen(text);

    do {
        uint8_t len = (uint8_t)(left < part ? left : part);

        message_octets(m, &len, 1);
        message_octets(m, text, len);
        text += len;
        left -= len;
    } while (left != 0);
}

static inline void message_txt_in(struct message *m, enum message_section section,
                                  const char *owner, uint16_t class, uint32_t ttl_s,
                                  const char *text)
{
    size_t rdata = message_record(m, section, owner, wire_type_txt, class, ttl_s);

    txt_rdata(m, text, 255);
    message_record_end(m, rdata);
}

static inline void message_txt(struct message *m, const char *owner, uint32_t ttl_s,
                               const char *text)
{
    message_txt_in(m, message_an, owner, wire_class_in, ttl_s, text);
}

#endif
