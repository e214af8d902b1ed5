/* SPDX-License-Identifier: BSD-3-Clause */
/** \file SPF records: see spf.h. */
#include "core/spf.h"

#include <stdbool.h>
#include <string.h>

/** A qualifier, a key, a separator, a name of 253 octets, its last dot: a longer term never equals.
 */
#define TERM_MAX 320

/** Walks the text of the character-strings as one. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    /** octets left of this character-string */
    size_t left;
};

struct term {
    size_t len;
    char text[TERM_MAX];
};

static char lower(char octet)
{
    return octet >= 'A' && octet <= 'Z' ? (char)(octet | 0x20) : octet;
}

/** \return true if the rdata is whole character-strings, at least one */
static bool strings_valid(const uint8_t *rdata, size_t len)
{
    size_t at = 0;

    while (at < len)
        at += rdata[at] + 1u;
    return len != 0 && at == len;
}

static bool next_octet(struct reader *reader, char *octet)
{
    /* empty character-strings are legal */
    while (reader->left == 0) {
        if (reader->at == reader->end)
            return false;
        reader->left = *reader->at++;
    }
    reader->left--;
    *octet = (char)*reader->at++;
    return true;
}

/** Read the next term in lower case. What does not fit is read over; the length tells. */
static bool next_term(struct reader *reader, struct term *term)
{
    char octet;

    term->len = 0;
    while (next_octet(reader, &octet)) {
        if (octet == ' ') {
            if (term->len != 0)
                return true;
            continue;
        }
        if (term->len < TERM_MAX)
            term->text[term->len++] = lower(octet);
    }
    return term->len != 0;
}

static bool is_qualifier(char octet)
{
    return octet == '+' || octet == '-' || octet == '?' || octet == '~';
}

static bool term_is(const struct term *term, const char *text)
{
    return term->len == strlen(text) && memcmp(term->text, text, term->len) == 0;
}

/** \return true if the term, from octet at on, is key and then name */
static bool term_names(const struct term *term, size_t at, const char *key, const char *name,
                       size_t name_len)
{
    size_t key_len = strlen(key);
    size_t len = term->len;

    /* a term that fills the room may have been longer */
    if (len == TERM_MAX || len < at + key_len || memcmp(term->text + at, key, key_len) != 0)
        return false;
    at += key_len;
    if (len > at && term->text[len - 1] == '.')
        len--;
    if (len - at != name_len)
        return false;
    for (size_t i = 0; i < name_len; i++)
        if (term->text[at + i] != lower(name[i]))
            return false;
    return true;
}

enum spf_finding spf_has_include(const uint8_t *rdata, size_t len, const char *include)
{
    struct reader reader = {rdata, rdata + len, 0};
    struct term term;
    size_t include_len = strlen(include);
    bool redirected = false;
    char first;

    if (!strings_valid(rdata, len))
        return spf_none;
    if (include_len > 1 && include[include_len - 1] == '.')
        include_len--;
    /* the version stands at the very start: no space before it (RFC 7208 4.5) */
    if (!next_octet(&reader, &first) || first == ' ')
        return spf_none;
    reader = (struct reader){rdata, rdata + len, 0};
    if (!next_term(&reader, &term) || !term_is(&term, "v=spf1"))
        return spf_none;
    while (next_term(&reader, &term)) {
        size_t at = is_qualifier(term.text[0]) ? 1 : 0;

        if (term_names(&term, at, "include:", include, include_len))
            return spf_has;
        /* all matches everything: what stands after it is never reached, redirect included */
        if (term.len - at == 3 && memcmp(term.text + at, "all", 3) == 0)
            return spf_lacks;
        if (term_names(&term, 0, "redirect=", include, include_len))
            redirected = true;
    }
    return redirected ? spf_has : spf_lacks;
}

/** \return where the name begins that a term asks about, 0 if it asks about none */
static size_t asked_name(const struct term *term)
{
    static const char *const keys[] = {"include:", "redirect=", "exists:"};
    size_t at = is_qualifier(term->text[0]) ? 1 : 0;

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        size_t key_len = strlen(keys[i]);

        if (term->len > at + key_len && memcmp(term->text + at, keys[i], key_len) == 0)
            return at + key_len;
    }
    return 0;
}

bool spf_asks_own(const uint8_t *rdata, size_t len, const char *own)
{
    struct reader reader = {rdata, rdata + len, 0};
    struct term term = {0};
    size_t own_len = strlen(own);

    if (!strings_valid(rdata, len))
        return false;
    while (next_term(&reader, &term)) {
        size_t at = asked_name(&term);
        size_t end = term.len;

        if (at == 0)
            continue;
        if (term.len == TERM_MAX || memchr(term.text + at, '%', end - at) != NULL)
            return true;
        if (term.text[end - 1] == '.')
            end--;
        if (end - at >= own_len && memcmp(term.text + end - own_len, own, own_len) == 0 &&
            (end - at == own_len || term.text[end - own_len - 1] == '.'))
            return true;
    }
    return false;
}
