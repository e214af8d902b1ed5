/* SPDX-License-Identifier: BSD-3-Clause */
/** \file ldns, which makes bool a signed char where stdbool.h has not come before it. */
#ifndef MXCLASH_ASK_LDNS_H
#define MXCLASH_ASK_LDNS_H

#include <stdbool.h>

#include <ldns/ldns.h>

#endif
