/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The text of an errno: see error_text.h. */
#include "output/error_text.h"

#include <string.h>

/* strerror_r() comes in two forms: GNU's returns the text, wherever it is; that of POSIX, as in
 * musl and FreeBSD, returns 0 or an error and writes into the buffer. One of these two is used. */
__attribute__((unused)) static const char *from_gnu(const char *text, const char *buffer)
{
    (void)buffer;
    return text;
}

__attribute__((unused)) static const char *from_posix(int failed, const char *buffer)
{
    return failed == 0 ? buffer : "unknown error";
}

const char *error_text(int error, char buffer[ERROR_TEXT_MAX])
{
    return _Generic(strerror_r(0, buffer, 0), int
                    : from_posix, default
                    : from_gnu)(strerror_r(error, buffer, ERROR_TEXT_MAX), buffer);
}
