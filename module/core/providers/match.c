/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What an MX set says of its provider: see providers.h and docs/providers.md. */
#include <string.h>

#include "core/dns/names.h"
#include "core/providers/index.h"

/** Octets of the ends of two names that are compared first: nearly all differ there. */
#define TAIL_OCTETS 8

/** The MX set under judgement: whose each host is. */
struct view {
    const struct mxclash_mx *mx;
    size_t count;
    /** NULL where nobody is known */
    const struct provider *whose[MXCLASH_MX_MAX];
    /** bit i: a token of a provider's */
    uint32_t tokens;
};

/** \return true if somebody's host is among them */
static inline bool look(const struct providers *providers, const struct mxclash_mx *mx,
                        size_t count, struct view *view)
{
    const struct provider_pattern *pattern;
    bool known = false;

    view->mx = mx;
    view->count = count < MXCLASH_MX_MAX ? count : MXCLASH_MX_MAX;
    view->tokens = 0;
    for (size_t i = 0; i < view->count; i++) {
        view->whose[i] = providers_host(providers, mx[i].exchange, mx[i].exchange_len, &pattern);
        if (view->whose[i] == NULL)
            continue;
        known = true;
        if (pattern->token) {
            view->whose[i] = NULL;
            view->tokens |= UINT32_C(1) << i;
        }
    }
    return known;
}

/** \param whose  of each host of the view. \return the provider whose host comes first */
static const struct provider *pick(const struct view *view, const struct provider *const *whose)
{
    const struct provider *picked = NULL;
    uint16_t preference = 0;

    for (size_t i = 0; i < view->count; i++) {
        if (whose[i] == NULL || whose[i]->filter)
            continue;
        /* sections stand in one array, so the lower address is the earlier section */
        if (picked == NULL || view->mx[i].preference < preference ||
            (view->mx[i].preference == preference && whose[i] < picked)) {
            picked = whose[i];
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
    return pick(&view, view.whose);
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

/**
 * \return octets of the part before the owner's name, or a name above it, in a host that is a
 *     provider's with that behind it; 0: it is none. A missing last dot makes such hosts: the
 * zone's name is put behind (RFC 1035 5.1).
 */
static size_t doubled_octets(const struct providers *providers, const struct registrable *domain,
                             const struct mxclash_mx *mx, const struct provider **whose)
{
    const struct provider_pattern *pattern;
    const uint8_t *owner = domain->name;
    size_t owner_len = domain->name_len;
    uint8_t front[MXCLASH_NAME_MAX];

    /* the zone may be any name above the owner, but no top-level domain */
    for (size_t at = 0; owner[at] + 2u < owner_len - at; at += owner[at] + 1u) {
        size_t front_len = mx->exchange_len - (owner_len - at);

        if (owner_len - at >= mx->exchange_len || mx->exchange[0] + 1u >= front_len ||
            memcmp(mx->exchange + front_len, owner + at, owner_len - at) != 0 ||
            !name_at_or_below(mx->exchange, mx->exchange_len, owner + at, owner_len - at))
            continue;
        memcpy(front, mx->exchange, front_len);
        front[front_len] = 0;
        *whose = providers_host(providers, front, front_len + 1, &pattern);
        if (*whose != NULL && !(*whose)->filter && !pattern->token)
            return registrable_holds(domain, mx->exchange, mx->exchange_len) ? front_len : 0;
    }
    return 0;
}

/** Put the hosts that a missing dot doubled straight in the view, if they are the provider's. Where
 * there is no provider yet, they name it.
 * \param straight  room for the set with them, to which the view then refers */
static void straighten(const struct providers *providers, const struct registrable *domain,
                       struct view *view, struct mxclash_mx straight[MXCLASH_MX_MAX],
                       struct providers_verdict *verdict)
{
    const struct provider *whose[MXCLASH_MX_MAX] = {NULL};
    size_t fronts[MXCLASH_MX_MAX];
    bool any = false;

    for (size_t i = 0; i < view->count; i++) {
        if (view->whose[i] != NULL)
            continue;
        fronts[i] = doubled_octets(providers, domain, &view->mx[i], &whose[i]);
        if (fronts[i] == 0)
            whose[i] = NULL;
        any = any || whose[i] != NULL;
    }
    if (!any)
        return;
    if (verdict->provider == NULL)
        verdict->provider = pick(view, whose);
    memcpy(straight, view->mx, view->count * sizeof(*view->mx));
    view->mx = straight;
    for (size_t i = 0; i < view->count; i++) {
        struct mxclash_mx *mx = &straight[i];

        if (whose[i] == NULL || !same_service(whose[i], verdict->provider))
            continue;
        memset(mx->exchange + fronts[i], 0, sizeof(mx->exchange) - fronts[i]);
        mx->exchange_len = (uint8_t)(fronts[i] + 1);
        view->whose[i] = whose[i];
        verdict->doubled |= UINT32_C(1) << i;
    }
}

/** Do both names have so many octets, and the last ones alike? */
static inline bool same_tail(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len >= TAIL_OCTETS && b_len >= TAIL_OCTETS &&
           memcmp(a + a_len - TAIL_OCTETS, b + b_len - TAIL_OCTETS, TAIL_OCTETS) == 0;
}

/** Can a host of nobody's be one with the owner's domain behind it? Hardly any can: it ends as the
 * owner does, and more than one label stands before that. */
static inline bool may_be_doubled(const uint8_t *owner, size_t owner_len,
                                  const struct mxclash_mx *mx)
{
    return same_tail(mx->exchange, mx->exchange_len, owner, owner_len) &&
           mx->exchange_len != owner_len + mx->exchange[0] + 1u;
}

static inline bool is_own(const struct registrable *domain, const struct mxclash_mx *mx)
{
    /* a domain of so many octets holds no host that ends otherwise */
    if (domain->name_len - domain->last_two_at >= TAIL_OCTETS &&
        !same_tail(mx->exchange, mx->exchange_len, domain->name, domain->name_len))
        return false;
    return registrable_holds(domain, mx->exchange, mx->exchange_len);
}

/**
 * Names that can never take mail belong to nobody: the null MX (RFC 7505), what is at or below
 * `invalid` and `localhost` (RFC 6761 6.3, 6.4), and what ends in digits: an address written as a
 * name, which no top-level domain is (RFC 3696 2).
 */
static bool takes_no_mail(const struct mxclash_mx *mx)
{
    const uint8_t *last = mx->exchange;
    size_t digits = 0;

    if (mx->exchange_len <= 1)
        return true;
    while (last + last[0] + 2 < mx->exchange + mx->exchange_len)
        last += last[0] + 1;
    while (digits < last[0] && last[digits + 1] >= '0' && last[digits + 1] <= '9')
        digits++;
    return digits == last[0] || (last[0] == 7 && memcmp(last + 1, "invalid", 7) == 0) ||
           (last[0] == 9 && memcmp(last + 1, "localhost", 9) == 0);
}

/** \return the preference of the provider's host that senders try first */
static uint16_t first_preference(const struct view *view, const struct provider *provider)
{
    uint16_t first = UINT16_MAX;

    for (size_t i = 0; i < view->count; i++)
        if (view->whose[i] != NULL && same_service(view->whose[i], provider) &&
            view->mx[i].preference < first)
            first = view->mx[i].preference;
    return first;
}

/** \param hosts  bit i: member of the view. \return true if one of them is tried before the
 * provider's, or together with the first */
static bool is_in_front(const struct view *view, uint32_t hosts, const struct provider *provider)
{
    uint16_t first;

    if (hosts == 0)
        return false;
    first = first_preference(view, provider);
    for (size_t i = 0; i < view->count; i++)
        if ((hosts >> i & 1) != 0 && view->mx[i].preference <= first)
            return true;
    return false;
}

/** Say which hosts are foreign. \return false if the domain is the provider's own */
static bool judge_hosts(const struct registrable *domain, const struct view *view,
                        struct providers_verdict *verdict)
{
    uint32_t known = 0, unknown = 0, owns = 0;
    bool gateway;

    for (size_t i = 0; i < view->count; i++) {
        const struct provider *whose = view->whose[i];
        const struct mxclash_mx *mx = &view->mx[i];
        uint32_t bit = UINT32_C(1) << i;
        bool own;

        if (((view->tokens | verdict->doubled) & bit) != 0)
            continue;
        own = is_own(domain, mx);
        if (own && whose == verdict->provider)
            return false;
        if (whose != NULL && whose->filter) {
            verdict->filtered = true;
        } else if (whose != NULL) {
            if (!own && !same_service(whose, verdict->provider))
                known |= bit;
        } else if (own) {
            owns |= bit;
        } else if (!takes_no_mail(mx)) {
            unknown |= bit;
        }
    }
    gateway = is_in_front(view, unknown | owns, verdict->provider);
    verdict->filtered = verdict->filtered || gateway;
    /* behind a server of the domain's own the provider may be a backup, and so may others */
    verdict->foreign_sure = known != 0 && !is_in_front(view, owns, verdict->provider);
    /* a gateway in front has hosts of its own behind the provider's, too */
    verdict->foreign = gateway ? known : known | unknown;
    return true;
}

/** Judge a set whose provider is known, in what is still all 0 of the verdict. */
static void judge_view(const struct registrable *domain, const struct view *view,
                       struct providers_verdict *verdict)
{
    if (!judge_hosts(domain, view, verdict)) {
        const struct provider *provider = verdict->provider;

        /* a domain of the provider's own may do as it likes */
        memset(verdict, 0, sizeof(*verdict));
        verdict->provider = provider;
        return;
    }
    /* Behind a filter the documented set is not meant for the public; a set that fills the room may
       have been cut, so what lacks in it proves nothing. */
    if (!verdict->filtered && view->count < MXCLASH_MX_MAX)
        judge_sets(view, verdict);
    verdict->incomplete = verdict->wanted != NULL || verdict->doubled != 0;
    if (verdict->foreign != 0)
        verdict->advice |= mxclash_remove_foreign_mx;
    if (verdict->wanted != NULL)
        verdict->advice |= mxclash_complete_mx;
    if (verdict->doubled != 0)
        verdict->advice |= mxclash_add_final_dot;
}

/** Judge a set in which there may be doubled hosts. Apart, for the room that they take. */
static __attribute__((noinline)) void judge_doubled(const struct providers *providers,
                                                    const struct registrable *domain,
                                                    const struct view *view,
                                                    struct providers_verdict *verdict)
{
    struct mxclash_mx straight[MXCLASH_MX_MAX];
    struct view straightened = *view;

    straighten(providers, domain, &straightened, straight, verdict);
    if (verdict->provider != NULL)
        judge_view(domain, &straightened, verdict);
}

void providers_judge(const struct providers *providers, const uint8_t *owner, size_t owner_len,
                     const struct mxclash_mx *mx, size_t count, struct providers_verdict *verdict)
{
    struct registrable domain;
    struct view view;
    bool doubled = false;

    memset(verdict, 0, sizeof(*verdict));
    if (look(providers, mx, count, &view))
        verdict->provider = pick(&view, view.whose);
    for (size_t i = 0; i < view.count && !doubled; i++)
        doubled = view.whose[i] == NULL && may_be_doubled(owner, owner_len, &mx[i]);
    if (verdict->provider == NULL && !doubled)
        return;
    domain = registrable_of(providers->suffixes, owner, owner_len);
    if (doubled)
        judge_doubled(providers, &domain, &view, verdict);
    else
        judge_view(&domain, &view, verdict);
}
