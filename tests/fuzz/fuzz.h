/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the fuzz targets share: their entry, the check that ends a run, files in memory.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/** Take one input. \return 0 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End the run where condition does not hold, whatever the build thinks of assert(). */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** Parts of an input are divided by this octet, which no text that we read may hold. */
#define FUZZ_DIVIDER 0x1e

/** \return octets up to the divider or the end */
static inline size_t fuzz_part(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, FUZZ_DIVIDER, size);

    return end == NULL ? size : (size_t)(end - data);
}

/** \return where line number line begins, counted from 1; size if there are not so many */
static inline size_t fuzz_line_at(const uint8_t *data, size_t size, unsigned long line)
{
    size_t at = 0;

    while (line > 1 && at < size)
        if (data[at++] == '\n')
            line--;
    return at;
}

/** Make an empty file in memory whose descriptor is number, so that an input can name its path. */
static inline void fuzz_file_open(int number)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);

    MUST(file >= 0 && dup3(file, number, O_CLOEXEC) == number);
    close(file);
}

/** Let size octets be all that the file holds. */
static inline void fuzz_file_fill(int number, const void *data, size_t size)
{
    MUST(ftruncate(number, 0) == 0);
    MUST(size == 0 || pwrite(number, data, size, 0) == (ssize_t)size);
}

/** \return true if text is one line of printable ASCII, and not empty: fit for a log */
static inline bool fuzz_log_line(const char *text)
{
    if (*text == '\0')
        return false;
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

/** \return the octets as a string, freed by the caller. Not strndup(): ASan's strict string checks
 * take it to read until a NUL. */
static inline char *string_of(const uint8_t *data, size_t size)
{
    char *string = malloc(size + 1);

    MUST(string != NULL);
    memcpy(string, data, size);
    string[size] = '\0';
    return string;
}

#endif
