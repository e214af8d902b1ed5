/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX set and SPF beside what the provider documents: see mailbox.h. */
#include "core/mailbox.h"

#include <string.h>

_Static_assert(PROVIDERS_MAX - 1 <= HOSTED_NONE, "spf_number of the last provider is HOSTED_NONE");

/** Number of the provider whose SPF include the owner needs: one is documented, and nothing stands
 * before the provider. */
static unsigned number_wanted(const struct providers_verdict *verdict)
{
    const struct provider *provider = verdict->provider;

    return provider != NULL && provider->spf.count != 0 && !verdict->filtered ? provider->spf_number
                                                                              : HOSTED_NONE;
}

void mailbox_view(const struct providers *providers, const struct answer_reading *reading,
                  const struct sighting *sighting, struct mailbox_view *view)
{
    providers_judge(providers, sighting->owner, sighting->owner_len, reading->mx, reading->mx_count,
                    &view->verdict);
    view->number = number_wanted(&view->verdict);
}

/** The owner's own part as SPF records write it. \return octets; 1 for the root, a dot */
static size_t own_in_spf(const struct providers *providers, const struct sighting *sighting,
                         uint8_t own[MXCLASH_NAME_MAX])
{
    size_t own_at = providers_own_at(providers, sighting->owner, sighting->owner_len);
    const uint8_t *name = sighting->owner + own_at;
    size_t len = sighting->owner_len - own_at;

    own[0] = '.';
    if (len == 1)
        return 1;
    memcpy(own, name + 1, len - 2);
    for (size_t at = name[0]; at + 2 < len; at += name[at + 1] + 1u)
        own[at] = '.';
    return len - 2;
}

void mailbox_read_spf(const struct providers *providers, const struct answer_reading *reading,
                      const struct sighting *sighting, struct spf_summary *spf)
{
    uint8_t own[MXCLASH_NAME_MAX];
    const uint8_t *rdata;
    size_t at = 0, len, own_len = 0, octets = 0;

    memset(spf, 0, sizeof(*spf));
    while ((len = answer_next_txt(reading, sighting, &at, &rdata)) != 0) {
        bool is_spf = spf_is_record(rdata, len);

        if (is_spf && !spf->present) {
            own_len = own_in_spf(providers, sighting, own);
            spf->present = true;
        }
        octets += is_spf ? len : 0;
        /* more than any honest owner has, as are more records than were looked at: whom it names is
         * not worth the time */
        if (octets > SPF_OCTETS_MAX) {
            spf->asks_own = true;
            return;
        }
        if (is_spf)
            spf_read(providers, rdata, len, own, own_len, spf);
    }
    spf->asks_own = spf->asks_own || reading->cut;
}

uint16_t mailbox_spf_bits(const struct spf_summary *spf)
{
    uint16_t bits = 0;

    if (spf->asks_own)
        return UINT16_MAX;
    for (uint64_t left = spf->named; left != 0; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctzll(left);

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
    return number_wanted(&verdict);
}

static void set_kind(const struct casework *work, struct docket_shard *shard, struct docket_case *c,
                     enum mxclash_kind kind, bool wrong, enum mxclash_evidence evidence,
                     mxclash_time now, struct case_outcome *outcome)
{
    if (!wrong) {
        conflict_clear(work, shard, c, kind, now, outcome);
        return;
    }
    conflict_open(work, shard, c, kind, mxclash_confirmed, evidence, now, outcome);
    conflict_tell_changed(work, c, kind, now, outcome);
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
