/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The mailbox side of an answer: its MX set and its SPF record beside what the mailbox provider
 * documents. What a case makes of it is mailbox_case.h's and spf_case.h's business.
 */
#ifndef MXCLASH_CORE_MAILBOX_LOOK_H
#define MXCLASH_CORE_MAILBOX_LOOK_H

#include "core/dns/answer.h"
#include "core/mailbox/spf.h"
#include "core/providers/providers.h"
#include "core/recall/hosted.h"

/** What an MX set says of its provider. */
struct mailbox_view {
    struct providers_verdict verdict;
    /** mailbox_number() of it */
    unsigned number;
};

/** \return number in the table of the provider whose SPF include the owner needs: one is
 * documented, and nothing stands before the provider; HOSTED_NONE if there is no such */
unsigned mailbox_number(const struct providers_verdict *verdict);

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

#endif
