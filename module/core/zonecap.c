/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The cap of each zone: see zonecap.h. */
#include "core/zonecap.h"

#include <string.h>

void zonecap_init(struct zonecap *cap)
{
    memset(cap->slots, 0, sizeof(cap->slots));
    pthread_mutex_init(&cap->lock, NULL);
}

void zonecap_deinit(struct zonecap *cap)
{
    pthread_mutex_destroy(&cap->lock);
}

bool zonecap_take(struct zonecap *cap, uint64_t zone, mxclash_time now)
{
    struct zonecap_slot *slot = &cap->slots[zone % ZONECAP_ZONES];
    bool given;

    pthread_mutex_lock(&cap->lock);
    /* a window that began in the future is one from before the clock was set back */
    if (slot->zone != zone || slot->proofs == 0 || now - slot->since >= ZONECAP_WINDOW_MS ||
        slot->since - now >= ZONECAP_WINDOW_MS)
        *slot = (struct zonecap_slot){.zone = zone, .since = now};
    given = slot->proofs < ZONECAP_PROOFS;
    slot->proofs += given;
    pthread_mutex_unlock(&cap->lock);
    return given;
}
