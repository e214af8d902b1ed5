/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the table of mailbox providers adds to a conflict's advice: the provider's name for people,
 * the MX set and the include that it documents, and which MX records are foreign.
 */
#ifndef MXCLASH_ADVICE_PROVIDER_H
#define MXCLASH_ADVICE_PROVIDER_H

#include "advice/advice.h"
#include "mxclash.h"

struct providers;

/** Room for what an advice_case borrows. */
struct advice_provider {
    struct advice_mx expected[MXCLASH_MX_MAX];
    char names[MXCLASH_MX_MAX][MXCLASH_NAME_TEXT_MAX];
};

/**
 * Fill in provider, expected, spf_include and foreign of a case whose domain, kind and mx are
 * there.
 *
 * \param providers  borrowed for as long as the case is used
 * \param tag  of the provider, as the event has it; NULL, or one that is not in the table: nothing
 *     is filled in but the tag
 * \param[out] room  borrowed for as long as the case is used
 */
void advice_use_provider(struct advice_case *of, const struct providers *providers, const char *tag,
                         struct advice_provider *room);

#endif
