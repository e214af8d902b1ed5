/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * One dnstap message out of a frame: the few fields of it that the detector needs.
 */
#ifndef MXCLASH_HOST_DNSTAP_MESSAGE_H
#define MXCLASH_HOST_DNSTAP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Message.type of dnstap, those that say something to us; others are passed over. */
enum tap_type {
    tap_resolver_response = 4,
    tap_client_response = 6,
    tap_forwarder_response = 8,
};

/** Octets in a frame; NULL and 0 if the frame has none. */
struct tap_octets {
    const uint8_t *at;
    size_t len;
};

/** All of it borrows the frame. */
struct tap_message {
    /** 0 if the frame is no DNS message */
    uint32_t type;
    struct tap_octets response;
    /** wire name of the zone whose server was asked */
    struct tap_octets query_zone;
    /** of who answered */
    struct tap_octets response_address;
    uint32_t response_port;
    /** when the answer came, by the sender's clock; 0 if it does not say */
    uint64_t response_time_s;
    uint32_t response_time_ns;
};

/** \return false if the frame is no protocol buffer of dnstap */
bool tap_message_read(const uint8_t *frame, size_t len, struct tap_message *message);

#endif
