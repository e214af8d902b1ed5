/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Names in wire format as module/ask passes them on: a value, without memory of its own. */
#ifndef MXCLASH_ASK_NAME_H
#define MXCLASH_ASK_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/ldns.h"

/** A name in lower case, RFC 1035 3.1, with the root label. */
struct ask_name {
    uint8_t len; /* 1 to 255; 0 = none */
    uint8_t octets[255];
};

/** \param octets  in any case \return false if they are no whole name; name is then not written */
bool ask_name_set(struct ask_name *name, const uint8_t *octets, size_t len);

/** \param rdf  a name of ldns \return as ask_name_set() */
bool ask_name_of(struct ask_name *name, const ldns_rdf *rdf);

/** \return for ldns_rdf_deep_free(); NULL if there is no memory */
ldns_rdf *ask_name_rdf(const struct ask_name *name);

bool ask_name_equal(const struct ask_name *a, const struct ask_name *b);

/** Is name the top or below it? */
bool ask_name_within(const struct ask_name *name, const struct ask_name *top);

/** Take the first label away. \return false for the root */
bool ask_name_chop(struct ask_name *name);

#endif
