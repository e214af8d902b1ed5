/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The state file: see state_file.h. */
#include "runtime/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/error_text.h"

static const char head[] = "mxclash state 1\n";
#define HEAD_OCTETS (sizeof(head) - 1)

void state_file_init(struct state_file *file, const char *path,
                     void (*say)(void *context, const char *line), void *context)
{
    *file = (struct state_file){.path = path, .say = say, .context = context};
}

/** Say what of the file: its path stands before that. */
static void say(const struct state_file *file, const char *what, const char *more)
{
    char line[PATH_MAX + 256];

    snprintf(line, sizeof(line), "mxclash: state-file: %s %s%s", file->path, what, more);
    file->say(file->context, line);
}

/* --- writing -------------------------------------------------------------------------------------
 */

static bool write_number(FILE *out, uint32_t number)
{
    const uint8_t octets[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                              (uint8_t)(number >> 8), (uint8_t)number};

    return fwrite(octets, sizeof(octets), 1, out) == 1;
}

static bool write_cases(FILE *out, struct mxclash_engine *engine)
{
    struct mxclash_cursor cursor = {{0}};
    uint8_t octets[MXCLASH_EXPORT_MAX];
    uint32_t cases = 0;
    size_t len;

    if (fwrite(head, HEAD_OCTETS, 1, out) != 1)
        return false;
    for (; (len = mxclash_export(engine, &cursor, octets, sizeof(octets))) != 0; cases++)
        if (!write_number(out, (uint32_t)len) || fwrite(octets, len, 1, out) != 1)
            return false;
    return write_number(out, 0) && write_number(out, cases);
}

/** \return 0, or why not. Nothing is left behind at path in the latter case */
static int write_beside(const char *path, struct mxclash_engine *engine)
{
    /* who may not read the log may not read this either */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
    FILE *out = fd == -1 ? NULL : fdopen(fd, "w");
    int error = 0;

    if (out == NULL) {
        error = errno;
        if (fd != -1)
            close(fd);
        return error;
    }
    if (!write_cases(out, engine) || fflush(out) != 0 || fsync(fd) != 0)
        error = errno;
    if (fclose(out) != 0 && error == 0)
        error = errno;
    if (error != 0)
        unlink(path);
    return error;
}

bool state_file_write(struct state_file *file, struct mxclash_engine *engine)
{
    char beside[PATH_MAX];
    char why[ERROR_TEXT_MAX];
    int error = ENAMETOOLONG;

    if ((size_t)snprintf(beside, sizeof(beside), "%s.new", file->path) < sizeof(beside))
        error = write_beside(beside, engine);
    if (error == 0 && rename(beside, file->path) != 0) {
        error = errno;
        unlink(beside);
    }
    if (error != 0) {
        atomic_fetch_add_explicit(&file->failures, 1, memory_order_relaxed);
        if (!file->failed)
            say(file, "cannot be written, and is tried again: ", error_text(error, why));
        file->failed = true;
        return false;
    }
    atomic_fetch_add_explicit(&file->written, 1, memory_order_relaxed);
    if (file->failed)
        say(file, "is written again", "");
    file->failed = false;
    return true;
}

/* --- reading -------------------------------------------------------------------------------------
 */

static bool read_number(FILE *in, uint32_t *number)
{
    uint8_t octets[4];

    if (fread(octets, sizeof(octets), 1, in) != 1)
        return false;
    *number = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
              octets[3];
    return true;
}

/** What reading came to. */
struct taken {
    unsigned long cases, left_out;
};

/** \return false if the file is not whole */
static bool read_cases(FILE *in, struct mxclash_engine *engine, mxclash_time now,
                       struct taken *taken)
{
    uint8_t octets[MXCLASH_EXPORT_MAX];
    char first[HEAD_OCTETS];
    uint32_t len, cases;
    bool whole = true;

    if (fread(first, sizeof(first), 1, in) != 1 || memcmp(first, head, sizeof(first)) != 0)
        return false;
    for (;;) {
        if (!read_number(in, &len) || len > sizeof(octets))
            return false;
        if (len == 0)
            break;
        if (fread(octets, len, 1, in) != 1)
            return false;
        switch (mxclash_import(engine, octets, len, now)) {
        case mxclash_ok:
            taken->cases++;
            break;
        case mxclash_malformed:
            whole = false;
            taken->left_out++;
            break;
        default:
            taken->left_out++;
            break;
        }
    }
    return read_number(in, &cases) && cases == taken->cases + taken->left_out && fgetc(in) == EOF &&
           whole;
}

/** Nothing of the operator's is lost: a bad file is kept under another name. */
static void set_aside(const struct state_file *file)
{
    char aside[PATH_MAX];
    char why[ERROR_TEXT_MAX];

    if ((size_t)snprintf(aside, sizeof(aside), "%s.bad", file->path) >= sizeof(aside) ||
        rename(file->path, aside) != 0)
        say(file, "is not whole, and cannot be set aside: ", error_text(errno, why));
    else
        say(file, "is not whole: it is set aside as ", aside);
}

void state_file_read(struct state_file *file, struct mxclash_engine *engine, mxclash_time now)
{
    struct taken taken = {0};
    char what[96];
    char why[ERROR_TEXT_MAX];
    /* not a FIFO, which would hold the start up */
    int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    FILE *in = NULL;
    bool whole;

    if (fd == -1 && errno == ENOENT)
        return;
    if (fd != -1 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode))
        errno = EINVAL;
    else if (fd != -1)
        in = fdopen(fd, "r");
    if (in == NULL) {
        say(file, "cannot be read: ", error_text(errno, why));
        if (fd != -1)
            close(fd);
        return;
    }
    whole = read_cases(in, engine, now, &taken);
    fclose(in);
    if (!whole)
        set_aside(file);
    snprintf(what, sizeof(what), "%lu domains in conflict, %lu left out", taken.cases,
             taken.left_out);
    say(file, "gave ", what);
}
