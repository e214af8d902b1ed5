/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Lines and values of a configuration file, and the text of a fault in it.
 */
#include "runtime/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Octets of a file's name in a fault, so that the reason behind it always fits. */
#define PATH_SHOWN 512

bool config_fault(const struct config_place *place, const char *format, ...)
{
    size_t path_len = strlen(place->path);
    const bool cut = path_len > PATH_SHOWN;
    const char *path = cut ? place->path + path_len - PATH_SHOWN : place->path;
    int used;
    if (place->line > 0) {
        used = snprintf(place->error, CONFIG_ERROR_MAX, "%s%s:%lu: %s%s", cut ? "..." : "", path,
                        place->line, place->key ? place->key : "", place->key ? ": " : "");
    } else {
        used = snprintf(place->error, CONFIG_ERROR_MAX, "%s%s: ", cut ? "..." : "", path);
    }
    if (used > 0 && used < CONFIG_ERROR_MAX) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(place->error + used, CONFIG_ERROR_MAX - (size_t)used, format, arguments);
        va_end(arguments);
    }
    return false;
}

const char *config_quote(const char *text, char out[CONFIG_QUOTE_MAX])
{
    /* What one more octet, the dots, the last quote and the NUL need. */
    const size_t reserve = 4 + 3 + 1 + 1;
    size_t used = 0;
    out[used++] = '"';
    for (; *text != '\0'; text++) {
        if (used + reserve > CONFIG_QUOTE_MAX) {
            memcpy(out + used, "...", 3);
            used += 3;
            break;
        }
        const unsigned char octet = (unsigned char)*text;
        if (octet >= ' ' && octet <= '~') {
            out[used++] = *text;
        } else {
            out[used++] = '\\';
            out[used++] = (char)('0' + octet / 100);
            out[used++] = (char)('0' + octet / 10 % 10);
            out[used++] = (char)('0' + octet % 10);
        }
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}

const char *config_open(const char *path, int *file)
{
    /* Else the open of a FIFO waits for a writer, and the start of the resolver with it. */
    const int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (opened < 0) {
        return strerror(errno);
    }
    struct stat status;
    const char *reason = NULL;
    if (fstat(opened, &status) != 0) {
        reason = strerror(errno);
    } else if (S_ISDIR(status.st_mode)) {
        reason = strerror(EISDIR);
    } else if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) {
        reason = "Not a regular file";
    }
    if (reason != NULL) {
        close(opened);
        return reason;
    }
    *file = opened;
    return NULL;
}

const char *config_lines_open(struct config_lines *lines, const char *path, char *error)
{
    int file = -1;
    lines->place = (struct config_place){.path = path, .error = error};
    lines->text[0] = '\0';
    lines->file = NULL;
    const char *reason = config_open(path, &file);
    if (reason != NULL) {
        return reason;
    }
    lines->file = fdopen(file, "r");
    if (lines->file == NULL) {
        reason = strerror(errno);
        close(file);
    }
    return reason;
}

void config_lines_close(struct config_lines *lines)
{
    fclose(lines->file);
    lines->file = NULL;
}

/** \return octets of the UTF-8 character at text (RFC 3629 4), which ends with NUL; 0 if none */
static size_t utf8_len(const unsigned char *text)
{
    unsigned char second_min = 0x80;
    unsigned char second_max = 0xbf;
    size_t len;
    if (text[0] < 0x80) {
        return 1;
    } else if (text[0] >= 0xc2 && text[0] <= 0xdf) {
        len = 2;
    } else if (text[0] >= 0xe0 && text[0] <= 0xef) {
        len = 3;
        second_min = text[0] == 0xe0 ? 0xa0 : 0x80; /* no longer form than needed */
        second_max = text[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */
    } else if (text[0] >= 0xf0 && text[0] <= 0xf4) {
        len = 4;
        second_min = text[0] == 0xf0 ? 0x90 : 0x80;
        second_max = text[0] == 0xf4 ? 0x8f : 0xbf; /* nothing above U+10FFFF */
    } else {
        return 0;
    }
    if (text[1] < second_min || text[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if (text[i] < 0x80 || text[i] > 0xbf) {
            return 0;
        }
    }
    return len;
}

/** Check every octet of the present line, which has len octets. \return false after a fault */
static bool check_octets(const struct config_lines *lines, size_t len)
{
    const unsigned char *text = (const unsigned char *)lines->text;
    for (size_t at = 0; at < len;) {
        if ((text[at] < ' ' && text[at] != '\t') || text[at] == 0x7f) {
            return config_fault(&lines->place,
                                "octet 0x%02x in column %zu; the file is plain text without "
                                "control octets",
                                text[at], at + 1);
        }
        const size_t step = utf8_len(text + at);
        if (step == 0) {
            return config_fault(&lines->place,
                                "octet 0x%02x in column %zu is no UTF-8; save the file as UTF-8",
                                text[at], at + 1);
        }
        at += step;
    }
    return true;
}

enum config_line config_lines_next(struct config_lines *lines)
{
    static const char mark[] = "\xef\xbb\xbf";
    lines->place.line++;
    size_t len = 0;
    int octet;
    while ((octet = getc(lines->file)) != EOF && octet != '\n') {
        /* One octet more than the limit is read: it may be the CR of the line's end. */
        if (len > CONFIG_LINE_MAX || (len == CONFIG_LINE_MAX && octet != '\r')) {
            config_fault(&lines->place, "line over %d octets; make it shorter", CONFIG_LINE_MAX);
            return config_line_fault;
        }
        if (len < CONFIG_LINE_MAX) {
            lines->text[len] = (char)octet;
        }
        len++;
    }
    if (ferror(lines->file)) {
        lines->place.line = 0;
        config_fault(&lines->place, "%s", strerror(errno));
        return config_line_fault;
    }
    if (octet == EOF && len == 0) {
        return config_line_end;
    }
    if (len > CONFIG_LINE_MAX || (len > 0 && lines->text[len - 1] == '\r')) {
        len--;
    }
    lines->text[len] = '\0';
    if (!check_octets(lines, len)) {
        return config_line_fault;
    }
    if (lines->place.line == 1 && strncmp(lines->text, mark, sizeof(mark) - 1) == 0) {
        memmove(lines->text, lines->text + sizeof(mark) - 1, len + 1 - (sizeof(mark) - 1));
    }
    return config_line_read;
}

char *config_skip_blanks(char *text)
{
    return text + strspn(text, " \t");
}

bool config_is_end(const char *text)
{
    return *text == '\0' || *text == '#';
}

bool config_take_value(const struct config_place *place, char *text, char **value)
{
    char shown[CONFIG_QUOTE_MAX];
    char *start = config_skip_blanks(text);
    if (config_is_end(start)) {
        *value = NULL;
        return true;
    }
    const bool quoted = *start == '"' || *start == '\'';
    char ends[] = {*start, '\0'};
    const char *stops = quoted ? ends : " \t#\"'";
    start += quoted;
    char *end = start;
    while (*end != '\0' && strchr(stops, *end) == NULL) {
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    }
    if (quoted && *end == '\0') {
        return config_fault(place, "no quote behind %s; end the value with %c",
                            config_quote(start, shown), ends[0]);
    }
    if (!quoted && (*end == '"' || *end == '\'')) {
        return config_fault(place, "quote inside of %s; put the whole value between quotes",
                            config_quote(start, shown));
    }
    char *rest = config_skip_blanks(quoted ? end + 1 : end);
    if (!config_is_end(rest)) {
        return config_fault(place,
                            "%s behind the value; only a comment may follow it, and a value with "
                            "blanks needs quotes",
                            config_quote(rest, shown));
    }
    *end = '\0';
    *value = start;
    return true;
}
