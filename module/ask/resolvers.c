/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Whom to ask first: the machine's resolvers, or the roots. See ask.h. */
#include <stdio.h>
#include <string.h>

#include "ask/ask.h"

size_t ask_root_hints(const struct sockaddr_storage **roots)
{
    /* Of four operators, as IANA's root hints have them: one that answers is enough. */
    static const char *const texts[] = {
        "198.41.0.4",          "192.5.5.241",    "193.0.14.129", "199.7.83.42",
        "2001:503:ba3e::2:30", "2001:500:2f::f", "2001:7fd::1",  "2001:500:9f::42",
    };
    static struct sockaddr_storage addresses[sizeof(texts) / sizeof(texts[0])];
    size_t count = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (ask_address_parse(texts[i], &addresses[count])) {
            count++;
        }
    }
    *roots = addresses;
    return count;
}

size_t ask_read_resolv_conf(const char *path, struct sockaddr_storage *resolvers)
{
    static const char blanks[] = " \t\r\n";
    char line[512];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    while (count < ASK_RESOLVERS_MAX && fgets(line, sizeof(line), file) != NULL) {
        char *rest = NULL;
        const char *key = strtok_r(line, blanks, &rest);
        const char *value = key != NULL ? strtok_r(NULL, blanks, &rest) : NULL;
        if (value != NULL && strcmp(key, "nameserver") == 0 && strchr(value, '@') == NULL &&
            ask_address_parse(value, &resolvers[count])) {
            count++;
        }
    }
    fclose(file);
    return count;
}
