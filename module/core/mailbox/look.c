/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX set and SPF beside what the provider documents: see look.h. */
#include "core/mailbox/look.h"

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

void mailbox_read_spf(const struct providers *providers, const struct answer_reading *reading,
                      const struct sighting *sighting, struct spf_text *text,
                      struct spf_summary *spf)
{
    struct spf_set set = {0};
    const uint8_t *rdata;
    size_t at = 0, len;

    while ((len = answer_next_txt(reading, sighting, &at, &rdata)) != 0)
        spf_set_add(&set, rdata, len);
    spf_read(providers, &set, text, spf);
    /* more records than were looked at: an SPF record may be among the others */
    spf->unknown = spf->unknown || reading->cut;
}

uint16_t mailbox_spf_bits(const struct spf_summary *spf)
{
    uint16_t bits = 0;

    if (spf->unknown)
        return UINT16_MAX;
    /* nobody reads it, so it names nobody */
    if (spf->broken || spf->records > 1)
        return 0;
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
    return spf->records != 0 && !spf->unknown && number != HOSTED_NONE &&
           (spf->broken || (spf->named & UINT64_C(1) << number % SPF_NUMBERS) == 0);
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
                     enum mxclash_kind kind, bool wrong, enum mxclash_state state, mxclash_time now,
                     struct case_outcome *outcome)
{
    if (!wrong) {
        conflict_clear(work, shard, c, kind, now, outcome);
        return;
    }
    if (state == mxclash_suspected)
        conflict_lower(work, c, kind);
    conflict_open(work, shard, c, kind, state, mxclash_same_answer, now, outcome);
    conflict_tell_changed(work, c, kind, now, outcome);
}

void mailbox_judge_mx(const struct casework *work, struct docket_shard *shard,
                      struct docket_case *c, mxclash_time now, struct case_outcome *outcome)
{
    struct providers_verdict verdict = {0};

    if (c->mx_set != NULL)
        providers_judge(work->providers, c->owner, c->owner_len, c->mx_set->mx, c->mx_set->count,
                        &verdict);
    c->mx_lacks = verdict.wanted != NULL;
    c->mx_doubled = verdict.doubled != 0;
    set_kind(work, shard, c, mxclash_foreign_mx, verdict.foreign != 0,
             verdict.foreign_sure ? mxclash_confirmed : mxclash_suspected, now, outcome);
    set_kind(work, shard, c, mxclash_incomplete_mx, verdict.incomplete, mxclash_confirmed, now,
             outcome);
    if (number_wanted(&verdict) == HOSTED_NONE)
        conflict_clear(work, shard, c, mxclash_spf_missing, now, outcome);
}
