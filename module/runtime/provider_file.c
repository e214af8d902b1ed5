/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Reads a file with a table of mailbox providers: see provider_file.h. */
#include "runtime/provider_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/config_text.h"

/** Read until room is full or the file ends. \return octets read, -1 with errno set */
static ssize_t read_whole(int file, char *text, size_t room)
{
    size_t used = 0;
    while (used < room) {
        const ssize_t got = read(file, text + used, room - used);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            used += (size_t)got;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return (ssize_t)used;
}

const char *provider_file_read(const char *path, char **text, size_t *len)
{
    /* With one octet too many, what is too large need not be told apart here. */
    const size_t room = PROVIDERS_TEXT_MAX + 1;
    int file;
    const char *reason = config_open(path, &file);
    if (reason != NULL) {
        return reason;
    }
    char *whole = malloc(room);
    if (whole == NULL) {
        close(file);
        return "no memory";
    }
    const ssize_t used = read_whole(file, whole, room);
    if (used < 0) {
        reason = strerror(errno);
        free(whole);
    } else {
        *text = whole;
        *len = (size_t)used;
    }
    close(file);
    return reason;
}

struct providers *provider_file_parse(const char *path, const char *text, size_t len,
                                      char error[CONFIG_ERROR_MAX])
{
    char reason[PROVIDERS_ERROR_MAX];
    struct providers *providers = providers_parse(text, len, reason);
    if (providers == NULL) {
        char *behind;
        const struct config_place place = {
            .path = path, .line = strtoul(reason, &behind, 10), .error = error};
        config_fault(&place, "%s", behind + strspn(behind, ": "));
    }
    return providers;
}
