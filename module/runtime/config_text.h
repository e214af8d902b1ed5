/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * A configuration file as lines and values, and the text of a fault in it.
 */
#ifndef MXCLASH_RUNTIME_CONFIG_TEXT_H
#define MXCLASH_RUNTIME_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Longest line in octets, without its end. */
#define CONFIG_LINE_MAX 4096
/** Room for the text of any fault. */
#define CONFIG_ERROR_MAX 1280
/** Room for any text of config_quote(). */
#define CONFIG_QUOTE_MAX 224

/** What a fault is about. All pointers are borrowed. */
struct config_place {
    /** the file's name as the operator gave it */
    const char *path;
    /** from 1; 0 = the whole file */
    unsigned long line;
    /** the key whose value is looked at; NULL = none */
    const char *key;
    /** room for CONFIG_ERROR_MAX octets */
    char *error;
};

/** A file that is being read. */
struct config_lines {
    struct config_place place;
    FILE *file;
    /** the present line without its end; always ends with NUL */
    char text[CONFIG_LINE_MAX + 1];
};

enum config_line { config_line_read, config_line_end, config_line_fault };

/**
 * Write `FILE:LINE: KEY: ` (what of it is known) and the formatted text to place->error.
 * A very long FILE is cut at its front.
 * \return false, so that a caller can return it
 */
bool config_fault(const struct config_place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/**
 * Write text between double quotes for a fault: printable ASCII as it is, other octets as \DDD,
 * a long text cut with three dots.
 * \param[out] out  always ends with NUL
 * \return out
 */
const char *config_quote(const char *text, char out[CONFIG_QUOTE_MAX]);

/**
 * Open a file to read it. Neither this nor a read of it ever waits: it is a regular file, or a
 * device such as /dev/null.
 * \param[out] file  descriptor; written only on NULL
 * \return NULL, or why it cannot be read; valid until the next call of strerror()
 */
const char *config_open(const char *path, int *file);

/**
 * Open a file to read its lines; closed with config_lines_close().
 * \param path, error  borrowed until config_lines_close()
 * \return as config_open(), with nothing left open
 */
const char *config_lines_open(struct config_lines *lines, const char *path, char *error);

/**
 * Read the next line into lines->text. LF and CRLF end a line; the last line needs no end. A byte
 * order mark before the first line is passed over.
 * \retval config_line_fault  place.error is written: the line is too long, is no UTF-8 (RFC 3629)
 *     or holds a control octet that is no tab, or the file cannot be read
 */
enum config_line config_lines_next(struct config_lines *lines);

void config_lines_close(struct config_lines *lines);

/** Go to the first octet that is neither blank nor tab. */
char *config_skip_blanks(char *text);

/** Say whether nothing stands at text but a comment. */
bool config_is_end(const char *text);

/**
 * Take the one value that text holds: up to a blank or comment, or what stands between two double
 * or two single quotes. A backslash stays in the value and keeps the octet behind it from ending
 * the value, as in Unbound. After the value only a comment may follow.
 *
 * \param text  changed: the value gets its NUL
 * \param[out] value  points into text; NULL if there is none; written only on true
 * \return false after config_fault()
 */
bool config_take_value(const struct config_place *place, char *text, char **value);

#endif
