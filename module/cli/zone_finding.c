/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What was found in a zone file: see zone_lint.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/zone_lint.h"

void zone_lint_find(struct zone_lint *lint, const struct zone_place *place, const char *tag,
                    bool note, const char *format, ...)
{
    lint->faults += !note;
    if (lint->count == ZONE_FINDINGS_MAX) {
        lint->more++;
        return;
    }
    if ((lint->count & (lint->count - 1)) == 0) {
        const size_t room = lint->count != 0 ? lint->count * 2 : 1;
        struct zone_finding *more = realloc(lint->findings, room * sizeof(*more));
        if (more == NULL) {
            lint->no_memory = true;
            return;
        }
        lint->findings = more;
    }
    struct zone_finding *finding = &lint->findings[lint->count];
    *finding = (struct zone_finding){.place = *place, .tag = tag, .note = note};
    va_list arguments;
    va_start(arguments, format);
    const int len = vasprintf(&finding->text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        lint->no_memory = true;
        return;
    }
    lint->count++;
}
