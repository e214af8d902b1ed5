/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The mailbox side of a domain: whether its MX set and its SPF record are what its mailbox provider
 * documents. Kinds foreign-mx, incomplete-mx and spf-missing. Case functions run with the case's
 * shard locked.
 */
#ifndef MXCLASH_CORE_MAILBOX_LOOK_H
#define MXCLASH_CORE_MAILBOX_LOOK_H

#include "core/cases/conflict.h"
#include "core/dns/answer.h"
#include "core/recall/hosted.h"

/** What an MX set says of its provider, before any case is looked at. */
struct mailbox_view {
    struct providers_verdict verdict;
    /** number in the table of the provider that can be looked for in SPF, HOSTED_NONE if none */
    unsigned number;
};

/** Look at the MX set of the name that was asked. \param sighting  its sighting */
void mailbox_view(const struct providers *providers, const struct answer_reading *reading,
                  const struct sighting *sighting, struct mailbox_view *view);

/** Read the SPF record among the TXT records of a sighting. \param[out] text  as spf_read() */
void mailbox_read_spf(const struct providers *providers, const struct answer_reading *reading,
                      const struct sighting *sighting, struct spf_text *text,
                      struct spf_summary *spf);

/** \return the bits that hosted.h keeps: all of them where it cannot be told whom it names, none
 * where it names more than fit */
uint16_t mailbox_spf_bits(const struct spf_summary *spf);

/** \return true if a record of these bits does not name the provider of that number, as far as
 * they tell */
bool mailbox_spf_bits_lack(uint16_t bits, unsigned number);

/** \return true if there is a record, and by itself it does not name the provider of that number:
 * it is broken, or one of several, or the provider may yet be in what it includes */
bool mailbox_spf_lacks(const struct spf_summary *spf, unsigned number);

/** The authority showed the case's MX set, which has been noted: open or clear foreign-mx and
 * incomplete-mx. An answer to the MX question holds the whole set, so it is its own proof. */
void mailbox_judge_mx(const struct casework *work, struct docket_shard *shard,
                      struct docket_case *c, mxclash_time now, struct case_outcome *outcome);

/** \return number of the provider of the case's MX whose SPF can be judged, HOSTED_NONE if none */
unsigned mailbox_spf_provider(const struct casework *work, const struct docket_case *c);

#endif
