/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Reads one SPF record for tests: a table of one provider, RDATA in a block of its own. */
#ifndef MXCLASH_TESTS_SPF_READER_H
#define MXCLASH_TESTS_SPF_READER_H

#include <stdio.h>

#include "core/mailbox/spf.h"
#include "core/providers/providers.h"
#include "message.h"

/** \param include  what the one provider of the table documents */
static inline struct providers *spf_table(const char *include)
{
    char text[MXCLASH_NAME_TEXT_MAX + 64];
    char error[PROVIDERS_ERROR_MAX] = "";
    int len = snprintf(text, sizeof(text), "provider one\nmx one.test\nspf %s\n", include);
    struct providers *providers = providers_parse(text, (size_t)len, error);

    if (providers == NULL)
        fail_msg("%s", error);
    return providers;
}

/** What RDATA says. A sanitiser sees any read past its end. */
static inline struct spf_summary spf_summary_of(const struct providers *providers,
                                                const uint8_t *rdata, size_t len)
{
    uint8_t *exact = message_exact(rdata, len);
    struct spf_set set = {0};
    struct spf_summary spf;
    struct spf_text text;

    spf_set_add(&set, exact, len);
    spf_read(providers, &set, &text, &spf);
    free(exact);
    return spf;
}

#endif
