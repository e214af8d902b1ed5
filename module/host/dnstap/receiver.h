/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Listens for dnstap senders and reads their frames, on the thread of an event_base.
 *
 * Many senders at once, each in its turn: a piece of what it has sent is read and handed on, then
 * the next one's. Nothing is queued here, so who sends faster than frames are taken waits, or drops
 * by itself, as its protocol has it. A sender that never reads our two short replies, never begins
 * or never ends a frame is closed.
 */
#ifndef MXCLASH_HOST_DNSTAP_RECEIVER_H
#define MXCLASH_HOST_DNSTAP_RECEIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/dnstap/frames.h"
#include "output/listen.h"

struct event_base;
struct receiver;

/** Senders at a time; one more is turned away. */
#define RECEIVER_SENDERS_MAX 256
/** Octets that are read of one sender in its turn. */
#define RECEIVER_PIECE_OCTETS (1 << 18)
/** From the connection to the first frame of data. */
#define RECEIVER_BEGIN_MS 10000
/** From the begin of a frame to its end. */
#define RECEIVER_FRAME_MS 60000

/** How connections ended. */
enum receiver_end {
    /** it said STOP */
    receiver_end_stopped = 0,
    /** it closed without */
    receiver_end_closed,
    /** not begun, or a frame not ended, in time */
    receiver_end_deadline,
    /** it sent what is no dnstap over Frame Streams */
    receiver_end_refused,
    /** there was no room for one more */
    receiver_end_too_many,
    RECEIVER_ENDS,
};

/** As labels have it; static. */
const char *receiver_end_name(enum receiver_end end);

struct receiver_options {
    /** borrowed until receiver_free() */
    struct event_base *base;
    /** one frame of data, borrowed for the call */
    void (*frame)(void *context, const uint8_t *frame, size_t len);
    /** some frames have been handed on */
    void (*taken)(void *context);
    /** a line for the log */
    void (*log)(void *context, const char *line);
    void *context;
};

/** \return NULL if there is no memory */
struct receiver *receiver_new(const struct receiver_options *options);

/**
 * Listen at these places, and no more at those that are not among them. Senders that are connected
 * stay.
 * \param where  `address@port` or paths of unix sockets
 * \param[out] reason  on false, which place cannot be had and why; the others are listened at
 */
bool receiver_listen(struct receiver *receiver, char *const *where, size_t count, char *reason,
                     size_t reason_size);

/** Take over a listening socket; it is not closed by receiver_listen(). \return false if there is
 * no memory */
bool receiver_adopt(struct receiver *receiver, int socket);

/** Close every connection and listener, and remove the files of those that were made here. NULL is
 * allowed. */
void receiver_free(struct receiver *receiver);

/** Senders that are connected; any thread. */
unsigned receiver_senders(const struct receiver *receiver);

/** Connections that ended so; any thread. */
uint64_t receiver_ended(const struct receiver *receiver, enum receiver_end end);

#endif
