/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Frame Streams, the protocol that carries dnstap: octets in, whole frames out.
 *
 * Pure: no socket, no clock. What comes in is a stranger's, so an unfinished frame takes memory as
 * its octets come, never as its length claims, and FRAMES_MAX_OCTETS at most.
 */
#ifndef MXCLASH_HOST_DNSTAP_FRAMES_H
#define MXCLASH_HOST_DNSTAP_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The longest frame: two DNS messages of 65535 octets, and room for what stands around them. */
#define FRAMES_MAX_OCTETS (1 << 18)
/** Octets of the longest reply of ours. */
#define FRAMES_REPLY_MAX 64

enum frames_state {
    /** nothing has come: READY (both sides speak) or START (the sender alone does) */
    frames_first = 0,
    /** READY was accepted: START */
    frames_accepted,
    /** frames of data, or STOP */
    frames_data,
    /** STOP has come: what comes now is passed over */
    frames_stopped,
    /** the rest are the ends: nothing more is read */
    frames_other_content,
    frames_broken,
    frames_too_long,
    frames_no_memory,
};

/** What a stream leads to. Called out of frames_feed(). */
struct frames_sink {
    /** one frame of data, borrowed for the call */
    void (*data)(void *context, const uint8_t *frame, size_t len);
    /** octets to be sent to the other side, at most FRAMES_REPLY_MAX. NULL: it cannot be, as with a
     * file, and then READY breaks the stream. */
    void (*reply)(void *context, const uint8_t *octets, size_t len);
    void *context;
};

/** One stream; all 0 to begin. */
struct frames {
    enum frames_state state;
    /** READY came, so STOP is answered */
    bool both_speak;
    /** the begin of a frame whose rest has not come, with its length before it */
    uint8_t *rest;
    size_t rest_len;
    size_t rest_room;
};

/** \return false if the stream is over, see frames->state */
bool frames_feed(struct frames *frames, const uint8_t *octets, size_t len,
                 const struct frames_sink *sink);

/** Free what an unfinished frame takes. */
void frames_free(struct frames *frames);

/** Is a frame begun whose rest has not come? */
bool frames_is_torn(const struct frames *frames);

/** How a stream stands, in words for people; static. */
const char *frames_state_text(enum frames_state state);

#endif
