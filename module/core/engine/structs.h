/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Structs that cross the border of the library: a caller may have been built with an older header,
 * where they end sooner, or with a newer one. See "Growth" in mxclash.h.
 */
#ifndef MXCLASH_CORE_ENGINE_STRUCTS_H
#define MXCLASH_CORE_ENGINE_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mxclash.h"

/** Octets that a caller's struct has at least: all before its member. */
#define STRUCT_LEAST(type, member) offsetof(struct type, member)

/** Copy what a caller handed in; what it has not is 0, what we do not know is passed over.
 * \param from_size  its struct_size */
static inline void struct_take(void *ours, size_t our_size, const void *from, size_t from_size)
{
    size_t known = from_size < our_size ? from_size : our_size;

    memcpy(ours, from, known);
    memset((unsigned char *)ours + known, 0, our_size - known);
}

/** Where a caller wants something that we do not know.
 * \param from_size  its struct_size
 * \return offset of the first octet behind our struct that is not 0; from_size if all are */
static inline size_t struct_unknown(size_t our_size, const void *from, size_t from_size)
{
    size_t at = our_size;

    while (at < from_size && ((const unsigned char *)from)[at] == 0)
        at++;
    return at < from_size ? at : from_size;
}

/**
 * A caller's answer as ours. Only what is looked at closely is: where there is nothing to see, the
 * members are read that every caller has.
 * \param room  where it is put together if the caller's ends sooner
 * \return NULL if it lacks what every caller has, or its message is longer than any
 */
static inline const struct mxclash_answer *struct_answer(const struct mxclash_answer *answer,
                                                         struct mxclash_answer *room)
{
    if (answer->message_len > UINT16_MAX ||
        answer->struct_size < STRUCT_LEAST(mxclash_answer, server))
        return NULL;
    if (answer->struct_size >= sizeof(*answer))
        return answer;
    struct_take(room, sizeof(*room), answer, answer->struct_size);
    return room;
}

/** Copy to a caller as much as it has room for; what we do not know is 0. Its struct_size stays. */
static inline void struct_give(void *to, const void *ours, size_t our_size)
{
    const size_t head = sizeof(uint32_t);
    uint32_t to_size;
    size_t known;

    memcpy(&to_size, to, sizeof(to_size));
    known = to_size < our_size ? to_size : our_size;
    memcpy((unsigned char *)to + head, (const unsigned char *)ours + head, known - head);
    memset((unsigned char *)to + known, 0, to_size - known);
}

/** \return members of an array at the end of a struct that fit into a caller's */
static inline uint8_t struct_fits(size_t to_size, size_t array_at, size_t member_size,
                                  uint8_t count)
{
    size_t fit = to_size > array_at ? (to_size - array_at) / member_size : 0;

    return fit < count ? (uint8_t)fit : count;
}

/** Give an event; of its mx what fits, and behind its end nothing. */
static inline void struct_give_event(struct mxclash_event *to, struct mxclash_event *ours)
{
    ours->mx_count = struct_fits(to->struct_size, offsetof(struct mxclash_event, mx),
                                 sizeof(ours->mx[0]), ours->mx_count);
    memset(ours->mx + ours->mx_count, 0, (MXCLASH_MX_MAX - ours->mx_count) * sizeof(ours->mx[0]));
    struct_give(to, ours, sizeof(*ours));
}

#endif
