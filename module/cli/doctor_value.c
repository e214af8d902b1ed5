/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A number of the page of counters: see doctor.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"

double doctor_value(const char *page, const char *series)
{
    for (const char *line = page; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const size_t len = strlen(series);
        if (strncmp(line, series, len) == 0 && line[len] == ' ') {
            return strtod(line + len, NULL);
        }
    }
    return -1;
}
