/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Answers to clients: see client.h. */
#include "host/dnstap/client.h"

#include "core/dns/answer.h"

/**
 * What the answer shows of the name that was asked. An answer that is cut short shows nothing, and
 * its client asks again over TCP: it counts once.
 * \return false if it is no whole answer to an MX question
 */
static bool read_reply(const uint8_t *octets, size_t len, struct answer_reading *reading,
                       enum mxclash_reply *reply)
{
    const struct mxclash_answer answer = {.message = octets, .message_len = len};
    struct wire_message message;
    /* most questions are of another type, which the question itself tells */
    if (!wire_open(&message, octets, len) || message.qtype != wire_type_mx ||
        message.qclass != wire_class_in || !message.response || message.truncated ||
        message.qname_len == 0 || answer_read(&answer, reading) == answer_malformed) {
        return false;
    }
    const struct sighting *sighting = answer_of_qname(reading);
    *reply = mxclash_reply_other;
    if (sighting != NULL && sighting->mx) {
        *reply = mxclash_reply_shows;
    } else if (sighting != NULL && sighting->cname && !reading->null_mx) {
        *reply = mxclash_reply_hides;
    }
    return true;
}

void client_response(struct mxclash_engine *engine, const uint8_t *message, size_t len,
                     mxclash_time now)
{
    struct answer_reading reading;
    enum mxclash_reply reply;
    if (read_reply(message, len, &reading, &reply)) {
        mxclash_client_mx(engine, message + reading.message.qname_at, reading.message.qname_len,
                          reply, now);
    }
}
