/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The aging set: see slots.h. */
#include "core/base/slots.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/block.h"

#define BUCKET_OCTETS (SLOTS_A_BUCKET * sizeof(uint64_t))

bool slots_init(struct slots *slots, size_t max_octets, unsigned payload_bits)
{
    size_t buckets = 1;

    while (buckets * 2 * BUCKET_OCTETS <= max_octets)
        buckets *= 2;
    slots->mask = buckets - 1;
    slots->octets = buckets * BUCKET_OCTETS;
    slots->payload_bits = payload_bits;
    slots->words = block_zeroed(slots->octets, &slots->block);
    return slots->words != NULL;
}

void slots_deinit(struct slots *slots)
{
    free(slots->block);
    slots->block = NULL;
    slots->words = NULL;
}

_Atomic uint64_t *slots_find(struct slots *slots, uint64_t hash, uint64_t *payload)
{
    _Atomic uint64_t *bucket = slots->words + (hash & slots->mask) * SLOTS_A_BUCKET;
    uint64_t fingerprint = hash >> slots->payload_bits;
    /* the victim's number comes from bits that the bucket's number does not use */
    size_t place = (hash >> 29) % SLOTS_A_BUCKET;

    *payload = 0;
    for (size_t i = 0; i < SLOTS_A_BUCKET; i++) {
        uint64_t word = atomic_load_explicit(&bucket[i], memory_order_relaxed);

        if (word == 0) {
            place = i;
        } else if (word >> slots->payload_bits == fingerprint) {
            *payload = word & ((UINT64_C(1) << slots->payload_bits) - 1);
            return &bucket[i];
        }
    }
    return &bucket[place];
}

bool slots_valid(uint32_t expiry, mxclash_time now, uint32_t unit_ms, unsigned bits,
                 uint32_t ahead_max_ms)
{
    uint32_t ahead = (expiry - slots_time(now, unit_ms, bits)) & ((1u << bits) - 1);

    return expiry != 0 && ahead <= ahead_max_ms / unit_ms + 1;
}
