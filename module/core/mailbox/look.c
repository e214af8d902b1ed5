/* SPDX-License-Identifier: BSD-3-Clause */
/** \file MX set and SPF beside what the provider documents: see look.h. */
#include "core/mailbox/look.h"

#include <string.h>

_Static_assert(PROVIDERS_MAX - 1 <= HOSTED_NONE, "spf_number of the last provider is HOSTED_NONE");

unsigned mailbox_number(const struct providers_verdict *verdict)
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
    view->number = mailbox_number(&view->verdict);
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
    spf->unknown = spf->unknown || (spf->mild && !spf->follows) || reading->cut;
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
