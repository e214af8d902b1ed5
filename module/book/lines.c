/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Cutting a log into lines: see lines.h. */
#include "book/lines.h"

#include <string.h>

#include "book/logline.h"

size_t lines_cut(const char *text, size_t len, bool *skipping, lines_fn each, void *context)
{
    size_t done = 0;
    while (done < len) {
        const char *line = text + done;
        const char *end = memchr(line, '\n', len - done);
        if (end == NULL) {
            if (*skipping || len - done > LOGLINE_MAX + 1) {
                *skipping = true;
                done = len;
            }
            return done;
        }
        size_t line_len = (size_t)(end - line);
        done += line_len + 1;
        if (line_len > 0 && line[line_len - 1] == '\r') {
            line_len--;
        }
        const bool too_long = *skipping || line_len > LOGLINE_MAX;
        *skipping = false;
        if (!each(context, too_long ? NULL : line, too_long ? 0 : line_len)) {
            return done;
        }
    }
    return done;
}
