/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * One dnstap message: see message.h.
 *
 * Read by hand, not by a generated reader: a resolver sends one for each answer, and seven fields
 * of twenty are wanted, as pieces of the frame. So nothing is copied or allocated, whatever a frame
 * claims, and the whole of what reads a stranger's octets is below. A fuzz target holds it against
 * the generated reader.
 *
 * A field is a tag, its number and the form of its value, and the value. Of a field that comes
 * twice the last one counts.
 */
#include "host/dnstap/message.h"

#include <string.h>

enum wire_form { form_varint = 0, form_64_bit = 1, form_octets = 2, form_32_bit = 5 };

/** Fields of Dnstap and of its Message. */
enum { frame_message = 14, frame_type = 15 };
enum { frame_type_message = 1 };
enum {
    message_type = 1,
    message_response_address = 5,
    message_response_port = 7,
    message_query_zone = 11,
    message_response_time_s = 12,
    message_response_time_ns = 13,
    message_response = 14,
};

/** Octets of the longest varint. */
#define VARINT_MAX 10
/** Octets of the longest tag. */
#define TAG_MAX 5

/** What is left to be read. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

struct field {
    uint32_t number;
    enum wire_form form;
    /** of numbers in any form */
    uint64_t number_value;
    struct tap_octets octets;
};

static bool read_varint(struct reader *reader, unsigned max_octets, uint64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < max_octets && reader->at < reader->end; i++) {
        const uint8_t octet = *reader->at++;
        *value |= (uint64_t)(octet & 0x7f) << (7 * i);
        if ((octet & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

static bool take_octets(struct reader *reader, uint64_t len, struct tap_octets *octets)
{
    if (len > (uint64_t)(reader->end - reader->at)) {
        return false;
    }
    *octets = (struct tap_octets){reader->at, (size_t)len};
    reader->at += len;
    return true;
}

/** Read a number of so many octets, the lowest first. */
static bool read_fixed(struct reader *reader, unsigned octets, uint64_t *value)
{
    struct tap_octets found;
    *value = 0;
    if (!take_octets(reader, octets, &found)) {
        return false;
    }
    for (unsigned i = octets; i > 0; i--) {
        *value = *value << 8 | found.at[i - 1];
    }
    return true;
}

static bool read_field(struct reader *reader, struct field *field)
{
    uint64_t tag;
    uint64_t len;
    if (!read_varint(reader, TAG_MAX, &tag)) {
        return false;
    }
    field->number = (uint32_t)tag >> 3;
    field->form = (enum wire_form)(tag & 7);
    switch (field->form) {
    case form_varint:
        return read_varint(reader, VARINT_MAX, &field->number_value);
    case form_64_bit:
        return read_fixed(reader, 8, &field->number_value);
    case form_octets:
        return read_varint(reader, VARINT_MAX, &len) && take_octets(reader, len, &field->octets);
    case form_32_bit:
        return read_fixed(reader, 4, &field->number_value);
    default:
        return false;
    }
}

/** Keep octets of a field. \return false if it has another form */
static bool keep_octets(const struct field *field, struct tap_octets *octets)
{
    *octets = field->octets;
    return field->form == form_octets;
}

static bool keep_number(const struct field *field, enum wire_form form, uint32_t *number)
{
    *number = (uint32_t)field->number_value;
    return field->form == form;
}

static bool keep(const struct field *field, struct tap_message *message)
{
    switch (field->number) {
    case message_type:
        return keep_number(field, form_varint, &message->type);
    case message_response_address:
        return keep_octets(field, &message->response_address);
    case message_response_port:
        return keep_number(field, form_varint, &message->response_port);
    case message_query_zone:
        return keep_octets(field, &message->query_zone);
    case message_response_time_s:
        message->response_time_s = field->number_value;
        return field->form == form_varint;
    case message_response_time_ns:
        return keep_number(field, form_32_bit, &message->response_time_ns);
    case message_response:
        return keep_octets(field, &message->response);
    default:
        return true;
    }
}

/** Read a Message into what an earlier one of the frame left, which is how they are merged. */
static bool read_message(const struct tap_octets *octets, struct tap_message *message)
{
    struct reader reader = {octets->at, octets->at + octets->len};
    while (reader.at < reader.end) {
        struct field field = {0};
        if (!read_field(&reader, &field) || !keep(&field, message)) {
            return false;
        }
    }
    return true;
}

bool tap_message_read(const uint8_t *frame, size_t len, struct tap_message *message)
{
    struct reader reader = {frame, frame + len};
    uint32_t type = 0;
    memset(message, 0, sizeof(*message));
    while (reader.at < reader.end) {
        struct field field = {0};
        if (!read_field(&reader, &field)) {
            return false;
        }
        if (field.number == frame_type && !keep_number(&field, form_varint, &type)) {
            return false;
        }
        if (field.number == frame_message &&
            (field.form != form_octets || !read_message(&field.octets, message))) {
            return false;
        }
    }
    if (type != frame_type_message) {
        memset(message, 0, sizeof(*message));
    }
    return true;
}
