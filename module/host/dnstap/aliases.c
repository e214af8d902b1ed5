/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Names that were seen to be aliases: see aliases.h. */
#include "host/dnstap/aliases.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/dns/names.h"
#include "core/dns/wire.h"

/** Records among which the CNAME of the name that was asked is looked for: it stands first, as a
 * rule. */
#define RECORDS_MAX 8
#define TTL_MAX_S   86400
#define SERVFAIL    2
/** Places in which one hash may be. */
#define WAYS 2

static uint64_t hash_of(const struct aliases *aliases, const uint8_t *name, size_t len)
{
    uint8_t lower[MXCLASH_NAME_MAX];
    name_lower(lower, name, len);
    return XXH3_64bits_withSeed(lower, len, aliases->seed);
}

/** \return seconds that the question's name is an alias by this message; 0 if it is none */
static uint32_t alias_ttl(const struct wire_message *message)
{
    struct wire_record record = {.next_at = message->answers_at};
    uint8_t name[MXCLASH_NAME_MAX];
    for (unsigned i = 0; i < message->answers && i < RECORDS_MAX; i++) {
        if (!wire_record_at(message, record.next_at, &record)) {
            return 0;
        }
        if (record.type != wire_type_cname || record.class != wire_class_in) {
            continue;
        }
        const size_t len = wire_name_at(message, record.owner_at, message->len, name);
        if (name_equal(name, len, message->octets + message->qname_at, message->qname_len)) {
            return wire_ttl(record.ttl_s);
        }
    }
    return 0;
}

void aliases_note(struct aliases *aliases, const uint8_t *message, size_t len, mxclash_time now)
{
    struct wire_message read;
    if (!wire_open(&read, message, len) || read.answers == 0 || read.qname_len == 0) {
        return;
    }
    const uint32_t ttl_s = alias_ttl(&read);
    if (ttl_s == 0) {
        return;
    }
    const uint64_t hash = hash_of(aliases, message + read.qname_at, read.qname_len);
    size_t at = hash % ALIASES_MAX;
    /* its own place, or of two the one that is over sooner */
    for (size_t way = 1; way < WAYS; way++) {
        const size_t other = (hash + way) % ALIASES_MAX;
        if (aliases->slots[at].hash != hash &&
            (aliases->slots[other].hash == hash ||
             aliases->slots[other].until < aliases->slots[at].until)) {
            at = other;
        }
    }
    aliases->slots[at].hash = hash;
    aliases->slots[at].until = now + (mxclash_time)(ttl_s < TTL_MAX_S ? ttl_s : TTL_MAX_S) * 1000;
}

bool aliases_hide(const struct aliases *aliases, const uint8_t *message, size_t len,
                  mxclash_time now, size_t *owner_at, size_t *owner_len)
{
    struct wire_message read;
    if (!wire_open(&read, message, len) || !read.response || read.truncated ||
        read.rcode != SERVFAIL || read.qtype != wire_type_mx || read.qclass != wire_class_in ||
        read.qname_len == 0) {
        return false;
    }
    const uint64_t hash = hash_of(aliases, message + read.qname_at, read.qname_len);
    for (size_t way = 0; way < WAYS; way++) {
        const size_t at = (hash + way) % ALIASES_MAX;
        if (aliases->slots[at].hash == hash && aliases->slots[at].until > now) {
            *owner_at = read.qname_at;
            *owner_len = read.qname_len;
            return true;
        }
    }
    return false;
}
