/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Fuzz target: a name as text, and behind a first FUZZ_DIVIDER two names as wire octets, the first
 * up to a second FUZZ_DIVIDER. Held against ldns and against plain rewritings of RFC 1035; what is
 * written must be read back as the same name.
 */
#include "fuzz.h"

#include <ldns/ldns.h>

#include "core/dns/names.h"
#include "mxclash.h"

struct name {
    uint8_t octets[MXCLASH_NAME_MAX];
    size_t len;
};

/* --- text --------------------------------------------------------------------------------------
 */

/** Write a good name as mxclash_name_to_text() documents it. */
static void write_text(const struct name *name, char text[MXCLASH_NAME_TEXT_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-_*";
    char *out = text;

    for (size_t at = 0; name->octets[at] != 0; at += name->octets[at] + 1u) {
        out += sprintf(out, "%s", at == 0 ? "" : ".");
        for (size_t i = 1; i <= name->octets[at]; i++) {
            char octet = (char)name->octets[at + i];

            octet = octet >= 'A' && octet <= 'Z' ? (char)(octet - 'A' + 'a') : octet;
            if (octet != '\0' && strchr(plain, octet) != NULL)
                out += sprintf(out, "%c", octet);
            else
                out += sprintf(out, "\\%03d", (unsigned char)octet);
        }
    }
    strcpy(out, out == text ? "." : "");
}

/** A good name, written and read again. */
static void check_name(const struct name *name)
{
    char text[MXCLASH_NAME_TEXT_MAX], wanted[MXCLASH_NAME_TEXT_MAX];
    char dotted[MXCLASH_NAME_TEXT_MAX + 1];
    struct name again;

    memset(text, 'x', sizeof(text));
    MUST(mxclash_name_to_text(name->octets, name->len, text) == mxclash_ok);
    write_text(name, wanted);
    MUST(memchr(text, '\0', sizeof(text)) != NULL && strcmp(text, wanted) == 0);
    MUST(mxclash_name_from_text(text, again.octets, &again.len) == mxclash_ok);
    MUST(name_equal(name->octets, name->len, again.octets, again.len));
    snprintf(dotted, sizeof(dotted), "%s%s", text, strcmp(text, ".") == 0 ? "" : ".");
    MUST(mxclash_name_from_text(dotted, again.octets, &again.len) == mxclash_ok);
    MUST(name_equal(name->octets, name->len, again.octets, again.len));
}

/** Whether ldns and we may differ: it takes some texts that RFC 1035 5.1 does not allow. */
static bool text_is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\\' && text[1] >= '0' && text[1] <= '9') {
            /* three digits up to 255, or it is no escape */
            if (text[2] < '0' || text[2] > '9' || text[3] < '0' || text[3] > '9')
                return false;
            text += 3;
        } else if (*text == '\\') {
            if (*++text == '\0')
                return false;
        }
    return true;
}

static void check_text(const char *text)
{
    struct name name;
    ldns_rdf *theirs = NULL;
    bool good;

    memset(&name, 0xa5, sizeof(name));
    good = mxclash_name_from_text(text, name.octets, &name.len) == mxclash_ok;
    if (good) {
        MUST(name_valid(name.octets, name.len));
        for (size_t i = 0; i < name.len; i++)
            MUST(name.octets[i] < 'A' || name.octets[i] > 'Z');
        check_name(&name);
    }
    if (!text_is_plain(text)) {
        MUST(!good);
        return;
    }
    if (ldns_str2rdf_dname(&theirs, text) == LDNS_STATUS_OK) {
        MUST(good && name.len == ldns_rdf_size(theirs));
        MUST(name_equal(name.octets, name.len, ldns_rdf_data(theirs), name.len));
    } else {
        MUST(!good);
    }
    ldns_rdf_deep_free(theirs);
}

/* --- wire --------------------------------------------------------------------------------------
 */

/** Are these octets one whole name? By ldns, which would take a pointer too, and octets behind. */
static bool whole_name(const uint8_t *octets, size_t len)
{
    ldns_rdf *name = NULL;
    size_t at = 0;
    bool whole = ldns_wire2dname(&name, octets, len, &at) == LDNS_STATUS_OK && at == len;

    if (whole)
        for (at = 0; at < len && octets[at] != 0 && whole; at += octets[at] + 1u)
            whole = octets[at] < 64;
    ldns_rdf_deep_free(name);
    return whole;
}

/** \return the number of whole labels that two names share from the right, the root included */
static size_t labels_shared(const struct name *a, const struct name *b)
{
    ldns_rdf *left = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, a->len, a->octets);
    ldns_rdf *right = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, b->len, b->octets);
    size_t shared = 1;

    for (uint8_t i = 1; i <= ldns_dname_label_count(left) && i <= ldns_dname_label_count(right);
         i++) {
        ldns_rdf *one = ldns_dname_label(left, (uint8_t)(ldns_dname_label_count(left) - i));
        ldns_rdf *other = ldns_dname_label(right, (uint8_t)(ldns_dname_label_count(right) - i));
        bool same = ldns_dname_compare(one, other) == 0;

        ldns_rdf_deep_free(one);
        ldns_rdf_deep_free(other);
        if (!same)
            break;
        shared++;
    }
    ldns_rdf_deep_free(left);
    ldns_rdf_deep_free(right);
    return shared;
}

static size_t labels(const struct name *name)
{
    size_t count = 1;

    for (size_t at = 0; name->octets[at] != 0; at += name->octets[at] + 1u)
        count++;
    return count;
}

static void check_pair(const struct name *a, const struct name *b)
{
    size_t shared = labels_shared(a, b);

    MUST(name_at_or_below(a->octets, a->len, b->octets, b->len) == (shared == labels(b)));
    MUST(name_equal(a->octets, a->len, b->octets, b->len) ==
         (shared == labels(a) && shared == labels(b)));
}

/** Any octets, in a block of their size: upper case letters change, and nothing else. */
static void check_lower(const uint8_t *octets, size_t size)
{
    uint8_t *lower = malloc(size != 0 ? size : 1);

    MUST(lower != NULL);
    name_lower(lower, octets, size);
    for (size_t i = 0; i < size; i++)
        MUST(lower[i] == (octets[i] >= 'A' && octets[i] <= 'Z' ? octets[i] + 32 : octets[i]));
    free(lower);
}

/** \return true if the octets are a name, which is checked; false if it is refused everywhere */
static bool check_wire(const uint8_t *octets, size_t size, struct name *name)
{
    char text[MXCLASH_NAME_TEXT_MAX] = "x";

    check_lower(octets, size);
    MUST(name_valid(octets, size) == (size <= MXCLASH_NAME_MAX && whole_name(octets, size)));
    if (!name_valid(octets, size)) {
        MUST(mxclash_name_to_text(octets, size, text) == mxclash_malformed && text[0] == '\0');
        return false;
    }
    name->len = size;
    memcpy(name->octets, octets, size);
    check_name(name);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t text_size = fuzz_part(data, size);
    char *text = string_of(data, text_size);
    struct name a, b;

    MUST(text != NULL);
    check_text(text);
    free(text);
    if (text_size < size) {
        const uint8_t *wire = data + text_size + 1;
        size_t left = size - text_size - 1;
        size_t first_size = fuzz_part(wire, left);
        bool first = check_wire(wire, first_size, &a);

        if (first_size < left && check_wire(wire + first_size + 1, left - first_size - 1, &b) &&
            first) {
            check_pair(&a, &b);
            check_pair(&b, &a);
            check_pair(&a, &a);
        }
    }
    return 0;
}
