/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What a frame tells the detector: see take.h.
 *
 * A frame says when its answer came, by its sender's clock; that does not count. Senders are many
 * and so are their clocks, frames of two come in any order, and proofs are made by our clock. An
 * answer is as old as the way here is long, a second or so, and is taken to be valid that much
 * longer: it can make a suspect more, and no verdict.
 */
#include "host/dnstap/take.h"

#include <stdbool.h>
#include <string.h>

#include "host/dnstap/message.h"

/** Beyond the year 9999 no clock goes. */
#define SECONDS_MAX UINT64_C(253402300799)
#define NANOSECONDS 1000000000u

const char *take_use_name(enum take_use use)
{
    static const char *const names[] = {
        [take_inspected] = "inspected",
        [take_client] = "client",
        [take_passed_over] = "passed-over",
        [take_malformed] = "malformed",
    };
    return (unsigned)use < TAKE_USES ? names[use] : "?";
}

static struct mxclash_address server_of(const struct tap_message *message)
{
    const struct tap_octets *octets = &message->response_address;
    struct mxclash_address server = {.port = (uint16_t)message->response_port};
    if (octets->len == 4 || octets->len == 16) {
        server.family = octets->len == 4 ? 4 : 6;
        memcpy(server.octets, octets->at, octets->len);
    }
    return server;
}

static void inspect(struct mxclash_engine *engine, const struct tap_message *message,
                    mxclash_time now)
{
    /* longer than a name is none, and nothing is at or below it */
    const bool has_zone = message->query_zone.len != 0;
    const struct mxclash_answer answer = {
        .struct_size = sizeof(answer),
        .message = message->response.at,
        .message_len = (uint32_t)message->response.len,
        .zone = has_zone ? message->query_zone.at : NULL,
        .zone_len = (uint32_t)message->query_zone.len,
        .forwarded = message->type == tap_forwarder_response,
        /* a name that the operator gave to servers looks the same: it bounds what they may say, but
         * a cut is what our own proof finds */
        .stub = true,
        .server = server_of(message),
    };
    mxclash_inspect(engine, &answer, now);
}

static void client_answer(struct mxclash_engine *engine, const struct aliases *aliases,
                          const struct tap_octets *message, mxclash_time now)
{
    size_t owner_at;
    size_t owner_len;
    if (aliases_hide(aliases, message->at, message->len, now, &owner_at, &owner_len)) {
        mxclash_client_mx(engine, message->at + owner_at, owner_len, mxclash_reply_hides, now);
    } else {
        mxclash_client_response(engine, message->at, message->len, now, NULL);
    }
}

enum take_use take_frame(struct mxclash_engine *engine, struct aliases *aliases,
                         const uint8_t *frame, size_t len, mxclash_time now)
{
    struct tap_message message;
    if (!tap_message_read(frame, len, &message)) {
        return take_malformed;
    }
    if (message.type != tap_resolver_response && message.type != tap_forwarder_response &&
        message.type != tap_client_response) {
        return take_passed_over;
    }
    if (message.response.len == 0 || message.response.len > UINT16_MAX) {
        return take_malformed;
    }
    if (message.type == tap_client_response) {
        client_answer(engine, aliases, &message.response, now);
        return take_client;
    }
    aliases_note(aliases, message.response.at, message.response.len, now);
    inspect(engine, &message, now);
    return take_inspected;
}

mxclash_time take_time_of(const uint8_t *frame, size_t len)
{
    struct tap_message message;
    if (!tap_message_read(frame, len, &message) || message.response_time_s > SECONDS_MAX ||
        message.response_time_ns >= NANOSECONDS) {
        return 0;
    }
    return (mxclash_time)message.response_time_s * 1000 + message.response_time_ns / 1000000;
}
