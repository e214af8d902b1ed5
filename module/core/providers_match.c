/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What an MX set says of its provider: see providers.h and docs/providers.md. */
#include <string.h>

#include "core/providers_index.h"

/** The MX set under judgement: whose each host is. */
struct view {
    const struct mxclash_mx *mx;
    size_t count;
    const struct provider *whose[MXCLASH_MX_MAX];
};

static void look(const struct providers *providers, const struct mxclash_mx *mx, size_t count,
                 struct view *view)
{
    view->mx = mx;
    view->count = count < MXCLASH_MX_MAX ? count : MXCLASH_MX_MAX;
    for (size_t i = 0; i < view->count; i++)
        view->whose[i] = providers_host(providers, mx[i].exchange, mx[i].exchange_len);
}

static const struct provider *pick(const struct view *view)
{
    const struct provider *picked = NULL;
    uint16_t preference = 0;

    for (size_t i = 0; i < view->count; i++) {
        const struct provider *whose = view->whose[i];

        if (whose == NULL || whose->filter)
            continue;
        /* sections stand in one array, so the lower address is the earlier section */
        if (picked == NULL || view->mx[i].preference < preference ||
            (view->mx[i].preference == preference && whose < picked)) {
            picked = whose;
            preference = view->mx[i].preference;
        }
    }
    return picked;
}

const struct provider *providers_match(const struct providers *providers,
                                       const struct mxclash_mx *mx, size_t count)
{
    struct view view;

    look(providers, mx, count, &view);
    return pick(&view);
}

const char *provider_name(const struct provider *provider)
{
    return provider == NULL ? NULL : provider->name;
}

static bool same_service(const struct provider *a, const struct provider *b)
{
    return a == b || strcmp(a->family, b->family) == 0;
}

static bool names_host(const struct mxclash_mx *mx, const struct provider_mx *wanted)
{
    return mx->exchange_len == wanted->exchange_len &&
           memcmp(mx->exchange, wanted->exchange, mx->exchange_len) == 0;
}

/** \return the record of the view that has this host at the lowest preference, NULL if none */
static const struct mxclash_mx *find_host(const struct view *view, const struct provider_mx *wanted)
{
    const struct mxclash_mx *found = NULL;

    for (size_t i = 0; i < view->count; i++)
        if (names_host(&view->mx[i], wanted) &&
            (found == NULL || view->mx[i].preference < found->preference))
            found = &view->mx[i];
    return found;
}

static bool has_exactly(const struct view *view, const struct provider_mx *wanted)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->mx[i].preference == wanted->preference && names_host(&view->mx[i], wanted))
            return true;
    return false;
}

/** \return true if no host is tried before one that the documented set puts before it */
static bool order_kept(const struct view *view, const struct provider_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        for (size_t j = 0; j < set->count; j++)
            if (set->mx[i].preference < set->mx[j].preference &&
                find_host(view, &set->mx[i])->preference > find_host(view, &set->mx[j])->preference)
                return false;
    return true;
}

/**
 * \param[out] present  hosts of the set that are there, whatever their preference; written on false
 * \return true if the set is there in full, preferences as the provider documents them
 */
static bool set_met(const struct view *view, const struct provider *provider,
                    const struct provider_set *set, size_t *present)
{
    size_t exact = 0;

    while (!provider->order_only && exact < set->count && has_exactly(view, &set->mx[exact]))
        exact++;
    if (exact == set->count)
        return true;
    *present = 0;
    for (size_t i = 0; i < set->count; i++)
        *present += find_host(view, &set->mx[i]) != NULL;
    return provider->order_only && *present == set->count && order_kept(view, set);
}

/** Hold the set of the view against every set that the editions it names document. */
static void judge_sets(const struct view *view, struct providers_verdict *verdict)
{
    size_t fewest = 0;

    for (size_t i = 0; i < view->count; i++) {
        const struct provider *edition = view->whose[i];

        if (edition == NULL || edition->filter || !same_service(edition, verdict->provider))
            continue;
        for (size_t j = 0; j < edition->set_count; j++) {
            const struct provider_set *set = &edition->sets[j];
            size_t present;

            if (set_met(view, edition, set, &present)) {
                verdict->wanted = NULL;
                return;
            }
            /* hosts of the provider, but none of this set: an older set or another region that the
               table does not know in full */
            if (present == 0)
                continue;
            if (verdict->wanted == NULL || set->count - present < fewest) {
                verdict->wanted = set;
                fewest = set->count - present;
            }
        }
    }
}

void providers_judge(const struct providers *providers, const uint8_t *owner, size_t owner_len,
                     const struct mxclash_mx *mx, size_t count, struct providers_verdict *verdict)
{
    struct registrable domain;
    struct view view;

    memset(verdict, 0, sizeof(*verdict));
    look(providers, mx, count, &view);
    verdict->provider = pick(&view);
    if (verdict->provider == NULL)
        return;
    domain = registrable_of(providers->suffixes, owner, owner_len);
    for (size_t i = 0; i < view.count; i++) {
        const struct provider *whose = view.whose[i];
        bool own = registrable_holds(&domain, mx[i].exchange, mx[i].exchange_len);

        if (own && whose == verdict->provider) {
            /* a domain of the provider's own may do as it likes */
            memset(verdict, 0, sizeof(*verdict));
            verdict->provider = whose;
            return;
        }
        if (whose != NULL && whose->filter)
            verdict->filtered = true;
        else if (mx[i].exchange_len > 1 && !own &&
                 (whose == NULL || !same_service(whose, verdict->provider)))
            verdict->foreign |= UINT32_C(1) << i;
    }
    /* Behind a filter the documented set is not meant for the public; a set that fills the room may
       have been cut, so what lacks in it proves nothing. */
    if (!verdict->filtered && count < MXCLASH_MX_MAX)
        judge_sets(&view, verdict);
    verdict->incomplete = verdict->wanted != NULL;
    if (verdict->foreign != 0)
        verdict->advice |= mxclash_remove_foreign_mx;
    if (verdict->incomplete)
        verdict->advice |= mxclash_complete_mx;
}
