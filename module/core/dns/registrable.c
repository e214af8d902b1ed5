/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What is one holder's domain: see registrable.h. The only file of the core that knows
 * libpsl; module/runtime chooses the list. */
#include "core/dns/registrable.h"

#include <string.h>

#include <libpsl.h>

#include "core/dns/names.h"
#include "mxclash.h"

/**
 * Write a name as libpsl reads it: labels parted by dots. An octet that no suffix has becomes one
 * that none has either, so that each octet stays where it was: a dot inside a label must part
 * nothing, and libpsl takes an octet above ASCII for UTF-8.
 */
static void write_text(char text[MXCLASH_NAME_MAX], const uint8_t *name, size_t name_len)
{
    size_t label_end = 0;

    for (size_t i = 0; i + 1 < name_len; i++) {
        uint8_t octet = name[i];

        if (i == label_end) {
            label_end = i + octet + 1u;
            text[i] = '.';
        } else {
            text[i] =
                (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-'
                    ? (char)octet
                    : '_';
        }
    }
    text[name_len - 1] = '\0';
}

/** \return where the last two labels begin, 0 if there are no more */
static size_t last_two_at(const uint8_t *name, size_t name_len)
{
    size_t before = 0, last = 0;

    for (size_t at = 0; at < name_len && name[at] != 0; at += name[at] + 1u) {
        before = last;
        last = at;
    }
    return before;
}

size_t registrable_at(const struct psl_ctx_st *suffixes, const uint8_t *name, size_t name_len)
{
    char text[MXCLASH_NAME_MAX];
    size_t last_two = last_two_at(name, name_len);
    const char *domain;

    /* two labels are a domain or a suffix, and either is all of the name: most domains of the world
     * are spared the look into the list */
    if (last_two == 0)
        return 0;
    if (suffixes == NULL)
        suffixes = psl_builtin();
    /* a libpsl that was built without a list, and none on the machine */
    if (suffixes == NULL)
        return last_two;
    write_text(text, name, name_len);
    /* behind the first label's length, which is no dot that parts anything */
    domain = psl_registrable_domain(suffixes, text + 1);
    return domain == NULL ? 0 : (size_t)(domain - text) - 1;
}

struct registrable registrable_of(const struct psl_ctx_st *suffixes, const uint8_t *name,
                                  size_t name_len)
{
    return (struct registrable){.suffixes = suffixes,
                                .name = name,
                                .name_len = name_len,
                                .last_two_at = last_two_at(name, name_len)};
}

bool registrable_holds(const struct registrable *domain, const uint8_t *host, size_t host_len)
{
    /* every domain has two labels at least, but for a name that is shorter itself */
    size_t end_len = domain->name_len - domain->last_two_at;
    size_t at;

    if (host_len < end_len ||
        memcmp(host + host_len - end_len, domain->name + domain->last_two_at, end_len) != 0)
        return false;
    at = registrable_at(domain->suffixes, domain->name, domain->name_len);
    return name_at_or_below(host, host_len, domain->name + at, domain->name_len - at);
}
