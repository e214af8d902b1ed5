/* SPDX-License-Identifier: BSD-3-Clause */
/** \file SPF records: see spf.h. */
#include "core/spf.h"

#include <string.h>

#include "core/names.h"
#include "core/providers.h"

/** A qualifier, a key, a name of 253 octets, its last dot, and some: nothing equals a longer term.
 */
#define TERM_MAX 320

/** Walks the text of the character-strings as one. */
struct reader {
    const uint8_t *at;
    const uint8_t *end;
    /** octets left of this character-string */
    size_t left;
};

static bool strings_valid(const uint8_t *rdata, size_t len)
{
    size_t at = 0;

    while (at < len)
        at += rdata[at] + 1u;
    return len != 0 && at == len;
}

static bool next_octet(struct reader *reader, uint8_t *octet)
{
    /* empty character-strings are legal */
    while (reader->left == 0) {
        if (reader->at == reader->end)
            return false;
        reader->left = *reader->at++;
    }
    reader->left--;
    *octet = *reader->at++;
    return true;
}

bool spf_is_record(const uint8_t *rdata, size_t len)
{
    static const unsigned char lower[] = "v=spf1", upper[] = "V=SPF1";
    struct reader reader = {rdata, rdata + len, 0};
    uint8_t octet;

    if (!strings_valid(rdata, len))
        return false;
    /* at the very start: no space before it (RFC 7208 4.5) */
    for (size_t i = 0; i < sizeof(lower) - 1; i++)
        if (!next_octet(&reader, &octet) || (octet != lower[i] && octet != upper[i]))
            return false;
    return !next_octet(&reader, &octet) || octet == ' ';
}

/** Join the character-strings, lower case. \return octets of the text */
static size_t join_strings(const uint8_t *rdata, size_t len, uint8_t text[SPF_OCTETS_MAX])
{
    size_t used = 0;

    for (size_t at = 0; at < len; at += rdata[at] + 1u) {
        name_lower(text + used, rdata + at + 1, rdata[at]);
        used += rdata[at];
    }
    return used;
}

enum key { key_none, key_include, key_redirect, key_exists };

/** \param[out] key_len  octets of it; written unless key_none. \return what the term asks, if it
 * names what it asks about */
static enum key key_of(const uint8_t *term, size_t len, size_t *key_len)
{
    static const struct {
        const char *text;
        size_t len;
    } keys[] = {[key_include] = {"include:", 8},
                [key_redirect] = {"redirect=", 9},
                [key_exists] = {"exists:", 7}};

    for (enum key key = key_include; key <= key_exists; key++)
        if (len > keys[key].len && term[0] == (uint8_t)keys[key].text[0] &&
            memcmp(term, keys[key].text, keys[key].len) == 0) {
            *key_len = keys[key].len;
            return key;
        }
    return key_none;
}

static bool is_qualifier(uint8_t octet)
{
    return octet == '+' || octet == '-' || octet == '?' || octet == '~';
}

static bool at_or_below(const uint8_t *name, size_t len, const uint8_t *own, size_t own_len)
{
    return len >= own_len && memcmp(name + len - own_len, own, own_len) == 0 &&
           (len == own_len || name[len - own_len - 1] == '.');
}

/** One record under the eye. */
struct reading {
    const struct providers *providers;
    const uint8_t *own;
    size_t own_len;
    bool asks_own;
    /** `all` was read: it matches everything, what stands behind it is never reached */
    bool all;
    /** as spf_summary.named: by include; by redirect, which counts where there is no `all` */
    uint64_t included, redirected;
};

/** Read one term, not empty. */
static void read_term(struct reading *reading, const uint8_t *term, size_t len)
{
    bool qualified = is_qualifier(term[0]);
    bool whole = len < TERM_MAX;
    size_t key_len;
    enum key key;

    term += qualified;
    len -= qualified;
    if (len == 3 && memcmp(term, "all", 3) == 0)
        reading->all = true;
    key = key_of(term, len, &key_len);
    if (key == key_none)
        return;
    term += key_len;
    len -= key_len;
    /* a name too long to be one may be anything */
    if (!whole || memchr(term, '%', len) != NULL)
        reading->asks_own = true;
    if (!whole)
        return;
    if (term[len - 1] == '.')
        len--;
    reading->asks_own = reading->asks_own || at_or_below(term, len, reading->own, reading->own_len);
    if (reading->all)
        return;
    if (key == key_include)
        reading->included |= providers_included(reading->providers, term, len);
    else if (key == key_redirect && !qualified)
        reading->redirected |= providers_included(reading->providers, term, len);
}

void spf_read(const struct providers *providers, const uint8_t *rdata, size_t len,
              const uint8_t *own, size_t own_len, struct spf_summary *spf)
{
    struct reading reading = {.providers = providers, .own = own, .own_len = own_len};
    uint8_t text[SPF_OCTETS_MAX];
    size_t text_len = join_strings(rdata, len, text);
    size_t end;

    for (size_t at = 0; at < text_len; at = end + 1) {
        const uint8_t *space = memchr(text + at, ' ', text_len - at);

        end = space != NULL ? (size_t)(space - text) : text_len;
        if (end != at)
            read_term(&reading, text + at, end - at);
    }
    spf->asks_own = spf->asks_own || reading.asks_own;
    spf->named |= reading.included;
    if (!reading.all)
        spf->named |= reading.redirected;
}
