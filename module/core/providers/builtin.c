/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The table that is built in: see providers.h. */
#include <string.h>

#include "core/providers/providers.h"

struct providers *providers_builtin(char error[PROVIDERS_ERROR_MAX])
{
    return providers_parse(providers_builtin_text, strlen(providers_builtin_text), error);
}
