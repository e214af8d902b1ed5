/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The Accept header: see accept.h. */
#include "output/accept.h"

#include <string.h>
#include <strings.h>

#define QUALITY_MAX 1000

/** Read a q-value. Not strtod(): the host may have set a locale. \return thousandths */
static int read_quality(const char *text)
{
    int quality = *text == '1' ? QUALITY_MAX : 0;
    int unit = QUALITY_MAX / 10;

    if (*text != '0' || text[1] != '.')
        return quality;
    for (text += 2; *text >= '0' && *text <= '9' && unit > 0; text++, unit /= 10)
        quality += (*text - '0') * unit;
    return quality;
}

/** \return q-value of one element of the list, `type/subtype;name=value;q=0.5`, in thousandths */
static int element_quality(const char *element, const char *end)
{
    while ((element = memchr(element, ';', (size_t)(end - element))) != NULL) {
        do
            element++;
        while (*element == ' ' || *element == '\t');
        if (end - element >= 2 && (*element == 'q' || *element == 'Q') && element[1] == '=')
            return read_quality(element + 2);
        if (element >= end)
            break;
    }
    return QUALITY_MAX;
}

/** \return highest q-value that accept gives to type, in thousandths; 0 if it is not named */
static int type_quality(const char *accept, const char *type)
{
    const size_t octets = strlen(type);
    int best = 0;

    while (*accept != '\0') {
        const char *end;

        accept += strspn(accept, ", \t");
        end = accept + strcspn(accept, ",");
        if (strncasecmp(accept, type, octets) == 0 && strchr(";, \t", accept[octets]) != NULL) {
            const int quality = element_quality(accept, end);

            if (quality > best)
                best = quality;
        }
        accept = end;
    }
    return best;
}

enum metrics_format accept_format(const char *accept)
{
    int openmetrics;

    if (accept == NULL)
        return metrics_prometheus;
    openmetrics = type_quality(accept, "application/openmetrics-text");
    if (openmetrics > 0 && openmetrics >= type_quality(accept, "text/plain"))
        return metrics_openmetrics;
    return metrics_prometheus;
}
