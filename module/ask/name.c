/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Names in wire format: see name.h. */
#include "ask/name.h"

#include <string.h>

#define LABEL_MAX 63

bool ask_name_set(struct ask_name *name, const uint8_t *octets, size_t len)
{
    if (len == 0 || len > sizeof(name->octets)) {
        return false;
    }
    size_t at = 0;
    while (octets[at] != 0) {
        if (octets[at] > LABEL_MAX || at + octets[at] + 1 >= len) {
            return false;
        }
        at += octets[at] + 1u;
    }
    if (at + 1 != len) {
        return false;
    }
    for (at = 0; at < len; at++) {
        /* the length of a label is below 'A', so all octets can be treated alike */
        const uint8_t octet = octets[at];
        name->octets[at] = octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
    }
    name->len = (uint8_t)len;
    return true;
}

bool ask_name_of(struct ask_name *name, const ldns_rdf *rdf)
{
    return rdf != NULL && ldns_rdf_get_type(rdf) == LDNS_RDF_TYPE_DNAME &&
           ask_name_set(name, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
}

ldns_rdf *ask_name_rdf(const struct ask_name *name)
{
    return ldns_dname_new_frm_data(name->len, name->octets);
}

bool ask_name_equal(const struct ask_name *a, const struct ask_name *b)
{
    return a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0;
}

bool ask_name_within(const struct ask_name *name, const struct ask_name *top)
{
    size_t at = 0;
    if (top->len == 0 || name->len < top->len) {
        return false;
    }
    while (name->len - at > top->len) {
        at += name->octets[at] + 1u;
    }
    return name->len - at == top->len && memcmp(name->octets + at, top->octets, top->len) == 0;
}

bool ask_name_chop(struct ask_name *name)
{
    if (name->len <= 1) {
        return false;
    }
    const uint8_t skip = (uint8_t)(name->octets[0] + 1);
    name->len = (uint8_t)(name->len - skip);
    memmove(name->octets, name->octets + skip, name->len);
    return true;
}
