/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Frame Streams: see frames.h.
 *
 * A frame is its length in four octets, and so many octets. Length 0 escapes to a control frame,
 * which has a length of its own behind it. Control frames are libfstrm's to read and to write;
 * its readers block, so the stream itself is ours.
 */
#include "host/dnstap/frames.h"

#include <fstrm.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_OCTETS 4
/** In front of a control frame: the escape and its length. */
#define CONTROL_HEAD 8
/** Room that an unfinished frame begins with. */
#define ROOM_FIRST 512

static const uint8_t content[] = "protobuf:dnstap.Dnstap";
#define CONTENT_OCTETS (sizeof(content) - 1)

static uint32_t length_at(const uint8_t *octets)
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

static bool is_over(const struct frames *frames)
{
    return frames->state > frames_stopped;
}

static void end(struct frames *frames, enum frames_state state)
{
    frames->state = state;
}

/** Answer with a control frame of ours. \return false after end() */
static bool reply(struct frames *frames, fstrm_control_type type, const struct frames_sink *sink)
{
    uint8_t octets[FRAMES_REPLY_MAX];
    size_t len = sizeof(octets);
    struct fstrm_control *control = fstrm_control_init();
    const bool written =
        control != NULL && fstrm_control_set_type(control, type) == fstrm_res_success &&
        (type != FSTRM_CONTROL_ACCEPT ||
         fstrm_control_add_field_content_type(control, content, CONTENT_OCTETS) ==
             fstrm_res_success) &&
        fstrm_control_encode(control, octets, &len, FSTRM_CONTROL_FLAG_WITH_HEADER) ==
            fstrm_res_success;
    if (control != NULL) {
        fstrm_control_destroy(&control);
    }
    if (!written) {
        end(frames, frames_no_memory);
        return false;
    }
    sink->reply(sink->context, octets, len);
    return true;
}

static void take_ready(struct frames *frames, const struct frames_sink *sink)
{
    if (sink->reply == NULL) {
        end(frames, frames_broken);
        return;
    }
    frames->both_speak = true;
    frames->state = frames_accepted;
    reply(frames, FSTRM_CONTROL_ACCEPT, sink);
}

static void take_stop(struct frames *frames, const struct frames_sink *sink)
{
    frames->state = frames_stopped;
    if (frames->both_speak) {
        reply(frames, FSTRM_CONTROL_FINISH, sink);
    }
}

static void take_control(struct frames *frames, const struct fstrm_control *control,
                         fstrm_control_type type, const struct frames_sink *sink)
{
    const bool starts = type == FSTRM_CONTROL_START && frames->state <= frames_accepted;
    if (!starts && !(type == FSTRM_CONTROL_READY && frames->state == frames_first) &&
        !(type == FSTRM_CONTROL_STOP && frames->state == frames_data)) {
        end(frames, frames_broken);
        return;
    }
    if (type != FSTRM_CONTROL_STOP && fstrm_control_match_field_content_type(
                                          control, content, CONTENT_OCTETS) != fstrm_res_success) {
        end(frames, frames_other_content);
    } else if (starts) {
        frames->state = frames_data;
    } else if (type == FSTRM_CONTROL_READY) {
        take_ready(frames, sink);
    } else {
        take_stop(frames, sink);
    }
}

static void read_control(struct frames *frames, const uint8_t *octets, size_t len,
                         const struct frames_sink *sink)
{
    struct fstrm_control *control = fstrm_control_init();
    fstrm_control_type type;
    if (control == NULL) {
        end(frames, frames_no_memory);
        return;
    }
    if (fstrm_control_decode(control, octets, len, 0) == fstrm_res_success &&
        fstrm_control_get_type(control, &type) == fstrm_res_success) {
        take_control(frames, control, type, sink);
    } else {
        end(frames, frames_broken);
    }
    fstrm_control_destroy(&control);
}

/**
 * How long is the frame that begins here, with what stands in front of it?
 * \return 0 if more octets are needed to tell, or after end()
 */
static size_t frame_octets(struct frames *frames, const uint8_t *octets, size_t len)
{
    if (len < LENGTH_OCTETS) {
        return 0;
    }
    const uint32_t data = length_at(octets);
    if (data > FRAMES_MAX_OCTETS) {
        end(frames, frames_too_long);
        return 0;
    }
    if (data != 0) {
        if (frames->state != frames_data) {
            end(frames, frames_broken);
            return 0;
        }
        return LENGTH_OCTETS + data;
    }
    if (len < CONTROL_HEAD) {
        return 0;
    }
    const uint32_t control = length_at(octets + LENGTH_OCTETS);
    if (control > FSTRM_CONTROL_FRAME_LENGTH_MAX) {
        end(frames, frames_broken);
        return 0;
    }
    return CONTROL_HEAD + control;
}

static void take_frame(struct frames *frames, const uint8_t *octets, size_t len,
                       const struct frames_sink *sink)
{
    if (length_at(octets) == 0) {
        read_control(frames, octets + CONTROL_HEAD, len - CONTROL_HEAD, sink);
    } else {
        sink->data(sink->context, octets + LENGTH_OCTETS, len - LENGTH_OCTETS);
    }
}

/** Take the frames that lie whole in octets. \return octets that were used */
static size_t take_whole(struct frames *frames, const uint8_t *octets, size_t len,
                         const struct frames_sink *sink)
{
    size_t used = 0;
    while (frames->state <= frames_data) {
        const size_t frame = frame_octets(frames, octets + used, len - used);
        if (frame == 0 || frame > len - used) {
            break;
        }
        take_frame(frames, octets + used, frame, sink);
        used += frame;
    }
    return used;
}

static bool keep(struct frames *frames, const uint8_t *octets, size_t len)
{
    size_t room = frames->rest_room != 0 ? frames->rest_room : ROOM_FIRST;
    while (room < frames->rest_len + len) {
        room *= 2;
    }
    if (room != frames->rest_room) {
        uint8_t *more = realloc(frames->rest, room);
        if (more == NULL) {
            end(frames, frames_no_memory);
            return false;
        }
        frames->rest = more;
        frames->rest_room = room;
    }
    memcpy(frames->rest + frames->rest_len, octets, len);
    frames->rest_len += len;
    return true;
}

/** Bring the frame that was begun as far as octets go. \return octets that were used */
static size_t complete(struct frames *frames, const uint8_t *octets, size_t len,
                       const struct frames_sink *sink)
{
    size_t used = 0;
    while (frames->rest_len != 0 && used < len && !is_over(frames)) {
        size_t wanted = frame_octets(frames, frames->rest, frames->rest_len);
        if (is_over(frames)) {
            break;
        }
        if (wanted == 0) {
            wanted = frames->rest_len < LENGTH_OCTETS ? LENGTH_OCTETS : CONTROL_HEAD;
        }
        const size_t lacking = wanted - frames->rest_len;
        const size_t more = lacking < len - used ? lacking : len - used;
        if (!keep(frames, octets + used, more)) {
            break;
        }
        used += more;
        if (frame_octets(frames, frames->rest, frames->rest_len) == frames->rest_len) {
            take_frame(frames, frames->rest, frames->rest_len, sink);
            frames_free(frames);
        }
    }
    return used;
}

bool frames_feed(struct frames *frames, const uint8_t *octets, size_t len,
                 const struct frames_sink *sink)
{
    size_t used = complete(frames, octets, len, sink);
    used += take_whole(frames, octets + used, len - used, sink);
    if (frames->state <= frames_data && used < len) {
        keep(frames, octets + used, len - used);
    }
    return frames->state <= frames_data;
}

void frames_free(struct frames *frames)
{
    free(frames->rest);
    frames->rest = NULL;
    frames->rest_len = frames->rest_room = 0;
}

bool frames_is_torn(const struct frames *frames)
{
    return frames->rest_len != 0;
}

const char *frames_state_text(enum frames_state state)
{
    static const char *const texts[] = {
        [frames_first] = "ended before it began",
        [frames_accepted] = "ended before it began",
        [frames_data] = "ended without saying so",
        [frames_stopped] = "ended",
        [frames_other_content] = "sends something else than dnstap",
        [frames_broken] = "does not speak the protocol of Frame Streams",
        [frames_too_long] = "sends a frame that is longer than any of dnstap",
        [frames_no_memory] = "is given up: no memory",
    };
    return (unsigned)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "?";
}
