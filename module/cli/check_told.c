/* SPDX-License-Identifier: BSD-3-Clause */
/** \file An event as what is told of it: see check_told.h. */
#include "cli/check_told.h"

#include <stdlib.h>

#include "advice/provider.h"
#include "cli/check.h"
#include "core/providers/providers.h"

/** What an advice_case borrows. */
struct room {
    char owner[MXCLASH_NAME_TEXT_MAX];
    char zone[MXCLASH_NAME_TEXT_MAX];
    char target[MXCLASH_NAME_TEXT_MAX];
    char exchanges[MXCLASH_MX_MAX][MXCLASH_NAME_TEXT_MAX];
    struct advice_mx mx[MXCLASH_MX_MAX];
    const char *words[MXCLASH_ADVICES];
    struct advice_provider provider;
};

static const char *text(const uint8_t *name, size_t len, char room[MXCLASH_NAME_TEXT_MAX])
{
    mxclash_name_to_text(name, len, room);
    return room;
}

/** An apex whose CNAME was proved is suspected only for want of a sign that mail is wanted there,
 * and who checks it knows. */
static bool is_proved(const struct mxclash_event *event)
{
    return event->kind == mxclash_cname_at_apex && event->evidence == mxclash_probe;
}

static struct advice_case case_of(const struct mxclash_event *event, struct room *room)
{
    struct advice_case of = {
        .domain = text(event->owner, event->owner_len, room->owner),
        .kind = mxclash_kind_name(event->kind),
        .state = is_proved(event) ? NULL : mxclash_state_name(event->state),
        .impact = mxclash_impact_name(event->impact),
        .zone = event->zone_len != 0 ? text(event->zone, event->zone_len, room->zone) : NULL,
        .apex = event->apex,
        .cname_target = event->cname_target_len != 0
                            ? text(event->cname_target, event->cname_target_len, room->target)
                            : NULL,
        .mx_count = event->mx_count,
        .mx = room->mx,
        .hides_spf = event->hides_spf == mxclash_yes,
        .spf = mxclash_spf_name(event->spf),
        .authorities_differ = event->servers == mxclash_servers_differ,
        .advice = room->words,
    };
    for (size_t i = 0; i < event->mx_count; i++) {
        const struct mxclash_mx *mx = &event->mx[i];
        room->mx[i] = (struct advice_mx){mx->preference,
                                         text(mx->exchange, mx->exchange_len, room->exchanges[i])};
    }
    for (unsigned bit = 0; bit < MXCLASH_ADVICES; bit++) {
        if (event->advice >> bit & 1) {
            room->words[of.advice_count++] = mxclash_advice_name(UINT32_C(1) << bit);
        }
    }
    return of;
}

bool told_advice(const struct providers *providers, const struct mxclash_event *event,
                 struct advice *advice)
{
    struct room *room = calloc(1, sizeof(*room));
    if (room == NULL) {
        return false;
    }
    struct advice_case of = case_of(event, room);
    advice_use_provider(&of, providers, event->provider[0] != '\0' ? event->provider : NULL,
                        &room->provider);
    const bool good = advice_make(&of, advice_english, advice);
    free(room);
    return good;
}

char *told_for_the_web(const struct mxclash_event *event)
{
    char owner[MXCLASH_NAME_TEXT_MAX];
    char target[MXCLASH_NAME_TEXT_MAX];
    char *said = NULL;
    if ((event->kind != mxclash_cname_and_mx && event->kind != mxclash_cname_at_apex) ||
        event->cname_target_len == 0) {
        return NULL;
    }
    if (asprintf(&said,
                 "For the web alone: an HTTPS record, %s. HTTPS 0 %s. (RFC 9460), may stand beside "
                 "the MX. Browsers that do not know it need the address record all the same.",
                 text(event->owner, event->owner_len, owner),
                 text(event->cname_target, event->cname_target_len, target)) < 0) {
        return NULL;
    }
    return said;
}
