/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A second reader of SPF records, written down plainly from docs/providers.md and
 * core/mailbox/spf.h.
 */
#ifndef TESTS_FUZZ_PLAIN_SPF_H
#define TESTS_FUZZ_PLAIN_SPF_H

#include "core/dns/names.h"
#include "fuzz.h"

/** A TXT record as one text, lower case. */
struct plain_txt {
    char text[65536];
    size_t len;
};

/** \return false if the RDATA is no TXT record's */
static inline bool plain_join(const uint8_t *rdata, size_t len, struct plain_txt *txt)
{
    size_t at = 0;

    txt->len = 0;
    for (; at < len; at += rdata[at] + 1u) {
        if (rdata[at] > len - at - 1)
            return false;
        name_lower((uint8_t *)txt->text + txt->len, rdata + at + 1, rdata[at]);
        txt->len += rdata[at];
    }
    return len != 0;
}

/** Take the next word. \return its octets, 0 at the end */
static inline size_t plain_next_word(const struct plain_txt *txt, const char **word)
{
    const char *end = txt->text + txt->len;
    const char *start = *word;

    while (start < end && *start == ' ')
        start++;
    *word = start;
    while (start < end && *start != ' ')
        start++;
    return (size_t)(start - *word);
}

/** \return true if the word is key and then name, which may have a dot more */
static inline bool plain_word_names(const char *word, size_t len, const char *key, const char *name)
{
    char wanted[1100];
    size_t wanted_len = (size_t)snprintf(wanted, sizeof(wanted), "%s%s", key, name);

    if (wanted[wanted_len - 1] == '.')
        wanted_len--;
    name_lower((uint8_t *)wanted, (const uint8_t *)wanted, wanted_len);
    return (len == wanted_len || (len == wanted_len + 1 && word[wanted_len] == '.')) &&
           memcmp(word, wanted, wanted_len) == 0;
}

enum plain_finding { spf_none, spf_lacks, spf_has };

static inline enum plain_finding plain_find_include(const struct plain_txt *txt, const char *name)
{
    const char *word = txt->text;
    size_t len = plain_next_word(txt, &word);
    enum plain_finding finding = spf_lacks;

    if (word != txt->text || len != 6 || memcmp(word, "v=spf1", 6) != 0)
        return spf_none;
    for (word += len; (len = plain_next_word(txt, &word)) != 0; word += len) {
        size_t qualifier = memchr("+-?~", *word, 4) != NULL;

        if (plain_word_names(word + qualifier, len - qualifier, "include:", name))
            return spf_has;
        if (len - qualifier == 3 && memcmp(word + qualifier, "all", 3) == 0)
            return spf_lacks;
        if (plain_word_names(word, len, "redirect=", name))
            finding = spf_has;
    }
    return finding;
}

#endif
