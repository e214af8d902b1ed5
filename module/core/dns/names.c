/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Names: see names.h and mxclash.h. */
#include "core/dns/names.h"

#include <string.h>

#include "mxclash.h"

static uint8_t octet_lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
}

bool name_valid(const uint8_t *name, size_t name_len)
{
    size_t at = 0;

    if (name_len == 0 || name_len > MXCLASH_NAME_MAX)
        return false;
    while (at < name_len && name[at] != 0) {
        if (name[at] > NAME_LABEL_MAX)
            return false;
        at += name[at] + 1u;
    }
    return at == name_len - 1;
}

/** The same for eight octets at once, each in its own eighth of the word: a sum of seven bits and
 * less than 128 does not reach the next. */
static uint64_t octets_lower(uint64_t octets)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t low = octets & 0x7f * each;
    uint64_t from_a = low + (0x80 - 'A') * each;
    uint64_t past_z = low + (0x7f - 'Z') * each;
    uint64_t upper = (from_a ^ past_z) & ~octets & 0x80 * each;

    return octets | upper >> 2;
}

static inline void lower_eight(uint8_t *lower, const uint8_t *name)
{
    uint64_t octets;

    memcpy(&octets, name, sizeof(octets));
    octets = octets_lower(octets);
    memcpy(lower, &octets, sizeof(octets));
}

/** As a processor has them: it does all sixteen at once. */
typedef uint8_t sixteen __attribute__((vector_size(16), aligned(1), may_alias));

static inline void lower_sixteen(uint8_t *lower, const uint8_t *name)
{
    sixteen octets = *(const sixteen *)name;

    /* no length of a label is a letter: see octets_lower() */
    *(sixteen *)lower = octets | ((sixteen)((octets - 'A') < 26) & 0x20);
}

void name_lower(uint8_t *lower, const uint8_t *name, size_t len)
{
    size_t i = 0;

    if (len >= 16) {
        for (; i + 16 < len; i += 16)
            lower_sixteen(lower + i, name + i);
        lower_sixteen(lower + len - 16, name + len - 16);
        return;
    }

    if (len < 8) {
        for (; i < len; i++)
            lower[i] = octet_lower(name[i]);
        return;
    }
    for (; i + 8 < len; i += 8)
        lower_eight(lower + i, name + i);
    /* some of the last eight may be among those before: lower case stays what it is */
    lower_eight(lower + len - 8, name + len - 8);
}

bool name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    if (a_len != b_len)
        return false;
    if (memcmp(a, b, a_len) == 0)
        return true;
    for (size_t i = 0; i < a_len; i++)
        if (octet_lower(a[i]) != octet_lower(b[i]))
            return false;
    return true;
}

bool name_at_or_below(const uint8_t *name, size_t name_len, const uint8_t *zone, size_t zone_len)
{
    size_t at = 0;

    /* the suffix must begin at a label, else example.com would hold notexample.com */
    while (name_len - at > zone_len) {
        if (name[at] == 0)
            return false;
        at += name[at] + 1u;
        if (at >= name_len)
            return false;
    }
    /* nearly always both are in lower case */
    return name_len - at == zone_len && (memcmp(name + at, zone, zone_len) == 0 ||
                                         name_equal(name + at, zone_len, zone, zone_len));
}

static bool octet_is_plain(uint8_t octet)
{
    return (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-' ||
           octet == '_' || octet == '*';
}

enum mxclash_status mxclash_name_to_text(const uint8_t *name, size_t name_len, char *text)
{
    char *out = text;

    *text = '\0';
    if (!name_valid(name, name_len))
        return mxclash_malformed;
    for (size_t at = 0; name[at] != 0; at += name[at] + 1u) {
        if (at != 0)
            *out++ = '.';
        for (size_t i = 1; i <= name[at]; i++) {
            uint8_t octet = octet_lower(name[at + i]);

            if (octet_is_plain(octet)) {
                *out++ = (char)octet;
            } else {
                *out++ = '\\';
                *out++ = (char)('0' + octet / 100);
                *out++ = (char)('0' + octet / 10 % 10);
                *out++ = (char)('0' + octet % 10);
            }
        }
    }
    if (out == text)
        *out++ = '.';
    *out = '\0';
    return mxclash_ok;
}

/** Read one character of a label, escapes undone. \return octets of text used, 0 if broken */
static size_t read_octet(const char *text, uint8_t *octet)
{
    unsigned value = 0;

    if (text[0] != '\\') {
        *octet = (uint8_t)text[0];
        return 1;
    }
    if (text[1] == '\0')
        return 0;
    if (text[1] < '0' || text[1] > '9') {
        *octet = (uint8_t)text[1];
        return 2;
    }
    for (int i = 1; i <= 3; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    if (value > 255)
        return 0;
    *octet = (uint8_t)value;
    return 4;
}

enum mxclash_status mxclash_name_from_text(const char *text, uint8_t *name, size_t *name_len)
{
    size_t at = 0; /* length octet of the label that is being read */

    if (text[0] == '.' && text[1] == '\0') {
        name[0] = 0;
        *name_len = 1;
        return mxclash_ok;
    }
    while (*text != '\0') {
        size_t len = 0;

        while (*text != '\0' && *text != '.') {
            uint8_t octet;
            size_t used = read_octet(text, &octet);

            /* room is kept for the root label */
            if (used == 0 || len == NAME_LABEL_MAX || at + len + 2 >= MXCLASH_NAME_MAX)
                return mxclash_malformed;
            name[at + 1 + len++] = octet_lower(octet);
            text += used;
        }
        if (len == 0)
            return mxclash_malformed;
        name[at] = (uint8_t)len;
        at += len + 1;
        if (*text == '.')
            text++;
    }
    if (at == 0)
        return mxclash_malformed;
    name[at] = 0;
    *name_len = at + 1;
    return mxclash_ok;
}
