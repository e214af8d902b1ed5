/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: one input as the octets of a dnstap sender.
 *
 * The stream is read whole and in pieces whose size the input's first octet chooses: both must hear
 * the same. Each frame is held against the reader that protoc-c makes: what that reads, ours reads
 * too, and the same.
 */
#include "fuzz.h"

#include "host/dnstap/frames.h"
#include "host/dnstap/message.h"
#include "host/dnstap/take.h"
#include "tap.pb-c.h"

/** What a stream told, as one number. */
struct heard {
    uint64_t hash;
    uint64_t frames;
    bool compare;
};

static uint64_t mix(uint64_t hash, const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ octets[i]) * UINT64_C(1099511628211);
    return hash * 31 + len;
}

static void compare_octets(struct tap_octets ours, protobuf_c_boolean has,
                           ProtobufCBinaryData theirs)
{
    MUST(ours.len == (has ? theirs.len : 0));
    MUST(ours.len == 0 || memcmp(ours.at, theirs.data, ours.len) == 0);
}

static void compare_message(const struct tap_message *ours, const Tap__Frame *frame)
{
    const Tap__Message *theirs = frame->message;

    if (!frame->has_type || frame->type != 1 || theirs == NULL) {
        MUST(ours->type == 0 && ours->response.at == NULL);
        return;
    }
    MUST(ours->type == (theirs->has_type ? theirs->type : 0));
    compare_octets(ours->response, theirs->has_response_message, theirs->response_message);
    compare_octets(ours->query_zone, theirs->has_query_zone, theirs->query_zone);
    compare_octets(ours->response_address, theirs->has_response_address, theirs->response_address);
    MUST(ours->response_port == (theirs->has_response_port ? theirs->response_port : 0));
    MUST(ours->response_time_s == (theirs->has_response_time_sec ? theirs->response_time_sec : 0));
    MUST(ours->response_time_ns ==
         (theirs->has_response_time_nsec ? theirs->response_time_nsec : 0));
}

static void compare_with_generated(const uint8_t *octets, size_t len)
{
    struct tap_message ours;
    const bool read = tap_message_read(octets, len, &ours);
    Tap__Frame *theirs = tap__frame__unpack(NULL, len, octets);

    if (theirs != NULL) {
        MUST(read);
        compare_message(&ours, theirs);
        tap__frame__free_unpacked(theirs, NULL);
    }
    MUST(take_time_of(octets, len) >= 0);
}

static void on_data(void *context, const uint8_t *frame, size_t len)
{
    struct heard *heard = context;

    MUST(len != 0 && len <= FRAMES_MAX_OCTETS);
    heard->frames++;
    heard->hash = mix(heard->hash, frame, len);
    if (heard->compare)
        compare_with_generated(frame, len);
}

static void on_reply(void *context, const uint8_t *octets, size_t len)
{
    struct heard *heard = context;

    MUST(len <= FRAMES_REPLY_MAX);
    heard->hash = mix(heard->hash, octets, len);
}

/** Read a stream in pieces of so many octets. */
static struct heard read_stream(const uint8_t *data, size_t size, size_t piece, bool is_file,
                                enum frames_state *state)
{
    struct heard heard = {.compare = piece == size};
    const struct frames_sink sink = {on_data, is_file ? NULL : on_reply, &heard};
    struct frames frames = {0};
    bool goes_on = true;

    for (size_t at = 0; at < size && goes_on; at += piece) {
        const size_t len = piece < size - at ? piece : size - at;

        goes_on = frames_feed(&frames, data + at, len, &sink);
        MUST(frames.rest_room <= 2 * FRAMES_MAX_OCTETS);
        MUST(goes_on || frames.state > frames_data);
    }
    *state = frames.state;
    frames_free(&frames);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum frames_state whole_state, torn_state;
    struct heard whole, torn;

    if (size < 2)
        return 0;
    for (int is_file = 0; is_file <= 1; is_file++) {
        whole = read_stream(data + 1, size - 1, size - 1, is_file != 0, &whole_state);
        torn = read_stream(data + 1, size - 1, 1u + data[0] % 61, is_file != 0, &torn_state);
        MUST(whole_state == torn_state);
        MUST(whole.frames == torn.frames && whole.hash == torn.hash);
    }
    /* and as one frame, for what few streams get to */
    compare_with_generated(data + 1, size - 1);
    return 0;
}
