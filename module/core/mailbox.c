/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX set and SPF beside what the provider documents: see mailbox.h. */
#include "core/mailbox.h"

#include <string.h>

/** Octets of SPF of one owner that are read; RFC 7208 3.4 has 450 in mind. */
#define SPF_OCTETS_MAX 4096u

/** Bits of spf_summary.named: providers further down the table share them. */
#define SPF_NUMBERS 64

static bool same_includes(const struct provider *a, const struct provider *b)
{
    if (a->spf.count != b->spf.count)
        return false;
    for (size_t i = 0; i < a->spf.count; i++)
        if (strcmp(a->spf.text[i], b->spf.text[i]) != 0)
            return false;
    return true;
}

/** Number of a provider in the table; of editions that ask for the same include, the first's. */
static unsigned number_of(const struct providers *providers, const struct provider *provider)
{
    unsigned number = 0;

    while (number < HOSTED_PROVIDERS_MAX && providers_at(providers, number) != provider &&
           !same_includes(providers_at(providers, number), provider))
        number++;
    return number < HOSTED_PROVIDERS_MAX ? number : HOSTED_NONE;
}

/** The provider can be looked for in SPF: it documents an include, and nothing stands before it. */
static bool wants_spf(const struct providers_verdict *verdict)
{
    return verdict->provider != NULL && verdict->provider->spf.count != 0 && !verdict->filtered;
}

void mailbox_view(const struct providers *providers, const struct answer_reading *reading,
                  const struct sighting *sighting, struct mailbox_view *view)
{
    struct mxclash_mx mx[MXCLASH_MX_MAX];
    size_t count = answer_mx_set(reading, sighting, mx);

    providers_judge(providers, sighting->owner, sighting->owner_len, mx, count, &view->verdict);
    view->number =
        wants_spf(&view->verdict) ? number_of(providers, view->verdict.provider) : HOSTED_NONE;
}

/** A provider that documents no include is never looked for. */
static bool names_provider(const struct provider *provider, const uint8_t *rdata, size_t len)
{
    return provider->spf.count != 0 && provider_spf(provider, rdata, len) == spf_has;
}

void mailbox_read_spf(const struct providers *providers, const struct answer_reading *reading,
                      const struct sighting *sighting, struct spf_summary *spf)
{
    size_t own_at = providers_own_at(sighting->owner, sighting->owner_len);
    char own[MXCLASH_NAME_TEXT_MAX];
    const uint8_t *rdata;
    size_t at = 0, len, octets = 0;
    unsigned records = 0;

    memset(spf, 0, sizeof(*spf));
    mxclash_name_to_text(sighting->owner + own_at, sighting->owner_len - own_at, own);
    while ((len = answer_next_txt(reading, sighting, &at, &rdata)) != 0) {
        bool is_spf = spf_has_include(rdata, len, "") != spf_none;

        octets += is_spf ? len : 0;
        spf->present = spf->present || is_spf;
        /* more than any honest owner has: whom it names is not worth the time */
        if (++records > ANSWER_RECORDS_MAX || octets > SPF_OCTETS_MAX) {
            spf->asks_own = true;
            return;
        }
        if (!is_spf)
            continue;
        spf->asks_own = spf->asks_own || spf_asks_own(rdata, len, own);
        for (size_t i = 0; i < providers_count(providers); i++)
            if (names_provider(providers_at(providers, i), rdata, len))
                spf->named |= UINT64_C(1)
                              << number_of(providers, providers_at(providers, i)) % SPF_NUMBERS;
    }
}

uint16_t mailbox_spf_bits(const struct spf_summary *spf)
{
    uint16_t bits = 0;

    if (spf->asks_own)
        return UINT16_MAX;
    for (unsigned number = 0; number < SPF_NUMBERS; number++) {
        if (!(spf->named & UINT64_C(1) << number))
            continue;
        /* two fit, an octet each. More are as good as none: a suspect that a proof acquits, where
         * a wrong guess would let one pass. */
        if (bits > UINT8_MAX)
            return 0;
        bits = (uint16_t)(bits << 8 | (number + 1));
    }
    return bits;
}

bool mailbox_spf_bits_lack(uint16_t bits, unsigned number)
{
    unsigned octet = number % SPF_NUMBERS + 1;

    return number != HOSTED_NONE && bits != UINT16_MAX && (bits & 0xff) != octet &&
           bits >> 8 != octet;
}

bool mailbox_spf_lacks(const struct spf_summary *spf, unsigned number)
{
    return spf->present && !spf->asks_own && number != HOSTED_NONE &&
           (spf->named & UINT64_C(1) << number % SPF_NUMBERS) == 0;
}

unsigned mailbox_spf_provider(const struct casework *work, const struct docket_case *c)
{
    struct providers_verdict verdict;

    if (c->mx_set == NULL)
        return HOSTED_NONE;
    providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                    &verdict);
    return wants_spf(&verdict) ? number_of(work->providers, verdict.provider) : HOSTED_NONE;
}

static void set_kind(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     enum mxclash_kind kind, bool wrong, enum mxclash_evidence evidence,
                     mxclash_time now, struct case_outcome *outcome)
{
    if (wrong)
        conflict_open(work, shard, c, kind, mxclash_confirmed, evidence, now, outcome);
    else
        conflict_clear(work, shard, c, kind, now, outcome);
}

void mailbox_judge_mx(const struct casework *work, struct docket_shard *shard,
                      struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    struct providers_verdict verdict = {0};

    if (c->mx_set != NULL)
        providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                        &verdict);
    set_kind(work, shard, c, mxclash_foreign_mx, verdict.foreign != 0, mxclash_same_answer, now,
             outcome);
    set_kind(work, shard, c, mxclash_incomplete_mx, verdict.incomplete, mxclash_same_answer, now,
             outcome);
    if (mailbox_spf_provider(work, c) == HOSTED_NONE)
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}

void mailbox_judge_spf(const struct casework *work, struct docket_shard *shard,
                       struct docket_case *c, const struct spf_summary *spf, mxclash_time now,
                       struct case_outcome *outcome)
{
    set_kind(work, shard, c, mxclash_spf_missing,
             mailbox_spf_lacks(spf, mailbox_spf_provider(work, c)), mxclash_probe, now, outcome);
}
