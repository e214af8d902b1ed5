/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Provider and SPF of an owner: see hosted.h. */
#include "core/recall/hosted.h"

#include "core/dns/wire.h"

/* payload: provider + 1 in 8 bits | SPF bits in 16 | expiry of the MX in 10 | of the SPF in 10 */
#define PAYLOAD_BITS 44
#define EXPIRY_BITS  10
#define EXPIRY_MASK  ((1u << EXPIRY_BITS) - 1)
#define UNIT_MS      256000u /* so that the longest time is a third of the range */

bool hosted_init(struct slots *hosted, size_t max_octets)
{
    return slots_init(hosted, max_octets, PAYLOAD_BITS);
}

static uint32_t expiry_of(uint32_t ttl_s, mxclash_time now)
{
    if (ttl_s > WIRE_TTL_MAX_S)
        ttl_s = WIRE_TTL_MAX_S;
    return slots_time(now + (mxclash_time)ttl_s * 1000, UNIT_MS, EXPIRY_BITS);
}

/** \return the expiry, 0 if it is past: written back as it is, it would come round again */
static uint32_t still_valid(uint32_t expiry, mxclash_time now)
{
    return slots_valid(expiry, now, UNIT_MS, EXPIRY_BITS, WIRE_TTL_MAX_S * 1000u) ? expiry : 0;
}

struct hosted_found hosted_note_mx(struct slots *hosted, uint64_t hash, unsigned provider,
                                   uint32_t ttl_s, mxclash_time now)
{
    uint64_t payload;
    _Atomic uint64_t *slot = slots_find(hosted, hash, &payload);
    uint32_t spf_expiry = still_valid(payload & EXPIRY_MASK, now);
    uint16_t spf_bits = (uint16_t)(payload >> 20);
    struct hosted_found found = {
        .provider = provider, .spf = spf_expiry != 0, .spf_bits = spf_bits};

    slots_put(hosted, slot, hash,
              (uint64_t)((provider + 1) & 0xff) << 36 | (uint64_t)spf_bits << 20 |
                  (uint64_t)expiry_of(ttl_s, now) << EXPIRY_BITS | spf_expiry);
    return found;
}

struct hosted_found hosted_note_spf(struct slots *hosted, uint64_t hash, uint16_t spf_bits,
                                    uint32_t ttl_s, mxclash_time now)
{
    uint64_t payload;
    _Atomic uint64_t *slot = slots_find(hosted, hash, &payload);
    unsigned provider = (unsigned)(payload >> 36) & 0xff;
    uint32_t mx_expiry = still_valid((uint32_t)(payload >> EXPIRY_BITS) & EXPIRY_MASK, now);
    struct hosted_found found = {.provider = HOSTED_NONE, .spf = true, .spf_bits = spf_bits};

    if (provider != 0 && mx_expiry != 0)
        found.provider = provider - 1;
    slots_put(hosted, slot, hash,
              (uint64_t)provider << 36 | (uint64_t)spf_bits << 20 |
                  (uint64_t)mx_expiry << EXPIRY_BITS | expiry_of(ttl_s, now));
    return found;
}
