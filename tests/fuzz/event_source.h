/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Events made from the octets of an input, whatever they are.
 */
#ifndef TESTS_FUZZ_EVENT_SOURCE_H
#define TESTS_FUZZ_EVENT_SOURCE_H

#include "fuzz.h"
#include "mxclash.h"

struct source {
    const uint8_t *data;
    size_t size;
};

/** Take octets; what is not there is 0. */
static inline void source_take(struct source *source, void *to, size_t octets)
{
    size_t there = octets < source->size ? octets : source->size;

    memset(to, 0, octets);
    if (there != 0)
        memcpy(to, source->data, there);
    source->data += there;
    source->size -= there;
}

static inline uint8_t source_octet(struct source *source)
{
    uint8_t octet;

    source_take(source, &octet, 1);
    return octet;
}

/** Take a text behind its length. \param[out] text  room for 256 octets */
static inline void source_text(struct source *source, char *text)
{
    size_t octets = source_octet(source);

    source_take(source, text, octets);
    text[octets] = '\0';
}

static inline void source_name(struct source *source, uint8_t *name, uint8_t *name_len)
{
    *name_len = source_octet(source);
    source_take(source, name, *name_len);
}

static inline void source_authority(struct source *source, struct mxclash_address *authority)
{
    static const uint16_t families[] = {0, 4, 6, 1};

    memset(authority, 0, sizeof(*authority));
    authority->family = families[source_octet(source) % 4];
    if (authority->family == 4)
        source_take(source, authority->octets, 4);
    if (authority->family == 6)
        source_take(source, authority->octets, 16);
}

static inline void source_event(struct source *source, struct mxclash_event *event)
{
    char provider[256];

    event->struct_size = sizeof(*event);
    event->type = source_octet(source);
    event->kind = source_octet(source);
    event->state = source_octet(source);
    event->evidence = source_octet(source);
    event->apex = (int8_t)source_octet(source);
    event->impact = source_octet(source);
    event->servers = source_octet(source);
    event->spf = event->impact % MXCLASH_SPFS;
    source_take(source, &event->time, sizeof(event->time));
    source_take(source, &event->first_seen, sizeof(event->first_seen));
    source_take(source, &event->last_seen, sizeof(event->last_seen));
    source_take(source, &event->mx_queries, sizeof(event->mx_queries));
    source_take(source, &event->held_back, sizeof(event->held_back));
    source_take(source, &event->advice, sizeof(event->advice));
    source_take(source, &event->cname_ttl, sizeof(event->cname_ttl));
    source_authority(source, &event->authority);
    source_text(source, provider);
    provider[MXCLASH_TAG_MAX - 1] = '\0';
    strcpy(event->provider, provider);
    source_name(source, event->owner, &event->owner_len);
    source_name(source, event->zone, &event->zone_len);
    source_name(source, event->cname_target, &event->cname_target_len);
    event->mx_count = source_octet(source) % (MXCLASH_MX_MAX + 1);
    for (size_t i = 0; i < event->mx_count; i++) {
        source_take(source, &event->mx[i].preference, sizeof(event->mx[i].preference));
        source_name(source, event->mx[i].exchange, &event->mx[i].exchange_len);
    }
}

#endif
