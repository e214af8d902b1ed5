/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Is the host the one that we were made for? See build_check.c. */
#ifndef MXCLASH_HOST_UNBOUND_BUILD_CHECK_H
#define MXCLASH_HOST_UNBOUND_BUILD_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/** Is the Unbound that loads us the one we were made for? \param[out] why  a sentence if not */
bool build_check(char *why, size_t why_size);

#endif
