/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The order of the modules, which decides what reaches us.
 *
 * Unbound takes any order. In some we would find nothing and say nothing, or what is only asked as
 * a proof would come into the cache: those do not start. In others a repair does less than it
 * could, and that is said.
 */
#include "order.h"

#include "util/config_file.h"

/** Longest name of a module that is looked for, and its end. */
#define WORD_SIZE 16

/** The words of module-config, one after another. \return false at the end */
static bool next_word(const char **list, char *word)
{
    size_t len;

    *list += strspn(*list, " \t");
    len = strcspn(*list, " \t");
    snprintf(word, WORD_SIZE, "%.*s", (int)len, *list);
    *list += len;
    return len != 0;
}

/** \return the first place from so many on at which a module stands, -1 if none */
static int place_of(const char *list, const char *name, int from)
{
    char word[WORD_SIZE];

    for (int place = 0; next_word(&list, word); place++)
        if (place >= from && strcmp(word, name) == 0)
            return place;
    return -1;
}

static bool in_front(const char *list, const char *name, int id)
{
    int place = place_of(list, name, 0);

    return place >= 0 && place < id;
}

int order_check(const struct config_file *cfg, int id, char *why, size_t why_size)
{
    const char *list = cfg->module_conf;
    int iterator = place_of(list, "iterator", id + 1);

    if (iterator < 0) {
        snprintf(why, why_size,
                 "module-config \"%s\": the iterator asks the authorities, and behind it nothing "
                 "can be found; put dynlib in front of iterator",
                 list);
        return -1;
    }
    if (place_of(list, "dns64", id + 1) >= 0) {
        snprintf(why, why_size,
                 "module-config \"%s\": dns64 would keep answers that are only asked as a proof; "
                 "put dns64 in front of dynlib",
                 list);
        return -1;
    }
    return iterator;
}

void order_warn(const struct config_file *cfg, int id)
{
    const char *list = cfg->module_conf;

    if (in_front(list, "validator", id))
        log_warn("mxclash: module-config \"%s\": with validator in front of dynlib, a client gets "
                 "SERVFAIL where a repaired answer does not validate; put dynlib in front of "
                 "validator",
                 list);
    if (in_front(list, "cachedb", id))
        log_warn("mxclash: module-config \"%s\": with cachedb in front of dynlib, what cachedb "
                 "remembers is not repaired; put dynlib in front of cachedb",
                 list);
}
