/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Following log files: see follower.h. */
#include "book/follower.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/lines.h"
#include "book/logline.h"
#include "book/siblings.h"
#include "book/watch.h"
#include "output/error_text.h"

/** Room for a path and what is said of it. */
#define SAY_MAX (PATH_MAX + 256)

/** A log file that is open. */
struct tail {
    int file;
    /** how far it is read; its path is the last one that led to it */
    struct place place;
    /** when the file was changed, as far as it was seen that it still holds what was read */
    struct timespec checked;
    /** the rest of a line that is too long is being passed over */
    bool skipping;
    /** a path of a pattern leads to it */
    bool listed;
    /** when it was last listed or grew, monotonic ms */
    int64_t alive_ms;
};

/** A path or pattern that is followed. */
struct pattern {
    const char *text;
    /** something has matched it */
    bool met;
    /** it was said that nothing has yet */
    bool told_absent;
    /** the last try to open a file of it failed, and that was said */
    bool failed;
};

struct follower {
    struct pattern *patterns;
    size_t pattern_count;
    /** in the order in which they are read: an old file before the one that took its name */
    struct tail *tails;
    size_t tail_count;
    size_t tail_room;
    /** places of the book whose files are not open */
    struct place *known;
    size_t known_count;
    struct watch *watch;
    uint64_t faults;
    void (*say)(void *context, const char *line);
    void *context;
    /** where a file is read into */
    char *buffer;
};

static void say(struct follower *follower, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct follower *follower, const char *format, ...)
{
    char line[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    follower->say(follower->context, line);
}

struct follower *follower_new(const char *const *patterns, size_t count,
                              void (*say_line)(void *context, const char *line), void *context)
{
    struct follower *follower = calloc(1, sizeof(*follower));
    if (follower == NULL) {
        return NULL;
    }
    follower->say = say_line;
    follower->context = context;
    follower->patterns = calloc(count, sizeof(*follower->patterns));
    follower->buffer = malloc(LINES_BUFFER);
    follower->watch = watch_new(patterns, count);
    if (follower->patterns == NULL || follower->buffer == NULL || follower->watch == NULL) {
        follower_free(follower);
        return NULL;
    }
    follower->pattern_count = count;
    for (size_t i = 0; i < count; i++) {
        follower->patterns[i].text = patterns[i];
    }
    return follower;
}

void follower_restart(struct follower *follower)
{
    for (size_t i = 0; i < follower->tail_count; i++) {
        close(follower->tails[i].file);
    }
    follower->tail_count = follower->known_count = 0;
}

void follower_free(struct follower *follower)
{
    if (follower == NULL) {
        return;
    }
    follower_restart(follower);
    watch_free(follower->watch);
    free(follower->patterns);
    free(follower->tails);
    free(follower->known);
    free(follower->buffer);
    free(follower);
}

/* --- places that are known -----------------------------------------------------------------------
 */

void follower_know(struct follower *follower, const struct place *place)
{
    /* room for the next power of two, so only the count need be kept */
    const size_t count = follower->known_count;
    if ((count & (count - 1)) == 0) {
        struct place *more =
            reallocarray(follower->known, count == 0 ? 1 : count * 2, sizeof(*more));
        if (more == NULL) {
            return; /* then the file is read again, which changes nothing in the book */
        }
        follower->known = more;
    }
    follower->known[follower->known_count++] = *place;
}

/** Take a place out of those that are known. */
static struct place take_known(struct follower *follower, size_t index)
{
    const struct place taken = follower->known[index];
    follower->known_count--;
    memmove(&follower->known[index], &follower->known[index + 1],
            (follower->known_count - index) * sizeof(taken));
    return taken;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/** Whether one path may be a rotated file of the other, or both are the same. */
static bool is_family(const char *one, const char *other)
{
    const size_t folder = (size_t)(file_name(one) - one);
    return folder == (size_t)(file_name(other) - other) && memcmp(one, other, folder) == 0 &&
           (strcmp(one, other) == 0 || sibling_name(file_name(one), file_name(other)) ||
            sibling_name(file_name(other), file_name(one)));
}

/**
 * Find how far a file was read: by what it is, else by what it holds, as where it was copied.
 * \return false if it was not read
 */
static bool find_place(struct follower *follower, int file, const struct stat *seen,
                       const char *path, struct place *place)
{
    for (size_t i = 0; i < follower->known_count; i++) {
        const struct place *known = &follower->known[i];
        if (known->device == seen->st_dev && known->inode == seen->st_ino &&
            place_fits(known, file)) {
            *place = take_known(follower, i);
            return true;
        }
    }
    for (size_t i = 0; i < follower->known_count; i++) {
        const struct place *known = &follower->known[i];
        if (known->print_octets > 0 && is_family(known->path, path) && place_fits(known, file)) {
            *place = take_known(follower, i);
            return true;
        }
    }
    return false;
}

/* --- files ---------------------------------------------------------------------------------------
 */

static struct tail *find_tail(struct follower *follower, const struct stat *seen)
{
    for (size_t i = 0; i < follower->tail_count; i++) {
        struct tail *tail = &follower->tails[i];
        if (tail->place.device == seen->st_dev && tail->place.inode == seen->st_ino) {
            return tail;
        }
    }
    return NULL;
}

/**
 * Follow one more file.
 * \param file  the follower's from here on
 * \param from  NULL: from its start
 * \param before  index of the tail that it is to be read before
 */
static void add_tail(struct follower *follower, int file, const struct stat *seen, const char *path,
                     const struct place *from, size_t before, int64_t now_ms)
{
    if (follower->tail_count == follower->tail_room) {
        const size_t room = follower->tail_room == 0 ? 8 : follower->tail_room * 2;
        struct tail *more = reallocarray(follower->tails, room, sizeof(*more));
        if (more == NULL) {
            close(file); /* it is found again at the next look */
            return;
        }
        follower->tails = more;
        follower->tail_room = room;
    }
    struct tail *tail = &follower->tails[before];
    memmove(tail + 1, tail, (follower->tail_count - before) * sizeof(*tail));
    follower->tail_count++;
    *tail = (struct tail){.file = file, .alive_ms = now_ms};
    if (from != NULL) {
        tail->place = *from;
    }
    tail->place.device = seen->st_dev;
    tail->place.inode = seen->st_ino;
    snprintf(tail->place.path, sizeof(tail->place.path), "%s", path);
}

/** The file that had this path when it was looked at last. \return NULL if none is followed */
static const struct tail *find_path(const struct follower *follower, const char *path)
{
    for (size_t i = follower->tail_count; i-- > 0;) {
        if (strcmp(follower->tails[i].place.path, path) == 0) {
            return &follower->tails[i];
        }
    }
    return NULL;
}

/** The place that was read last under a path. \return false if there is none */
static bool last_known(const struct follower *follower, const char *path, struct place *place)
{
    bool found = false;
    for (size_t i = 0; i < follower->known_count; i++) {
        const struct place *known = &follower->known[i];
        if (strcmp(known->path, path) == 0 && (!found || known->read > place->read)) {
            *place = *known;
            found = true;
        }
    }
    return found;
}

/** Which sibling is the file that was read. \return count if none */
static size_t find_sibling(const struct sibling *siblings, size_t count, const struct place *place)
{
    for (size_t i = 0; i < count; i++) {
        if (siblings[i].seen.st_dev == place->device && siblings[i].seen.st_ino == place->inode &&
            place_fits(place, siblings[i].file)) {
            return i;
        }
    }
    for (size_t i = 0; i < count && place->print_octets > 0; i++) {
        if (place_fits(place, siblings[i].file)) {
            return i;
        }
    }
    return count;
}

/** Follow a sibling from the place where it was left, if it was read before. */
static void add_sibling(struct follower *follower, struct sibling *sibling, int64_t now_ms)
{
    struct place place;
    if (find_tail(follower, &sibling->seen) != NULL) {
        return;
    }
    const bool found = find_place(follower, sibling->file, &sibling->seen, sibling->path, &place);
    add_tail(follower, sibling->file, &sibling->seen, sibling->path, found ? &place : NULL,
             follower->tail_count, now_ms);
    sibling->file = -1;
}

/** Of a log that was never read all that lies beside it comes before it; else what was rotated
 * since it was read last. \return which sibling is the first of these */
static size_t first_after_known(struct follower *follower, const char *path,
                                const struct sibling *siblings, size_t count)
{
    struct place last;
    if (!last_known(follower, path, &last)) {
        return 0;
    }
    size_t first = find_sibling(siblings, count, &last);
    if (first == count) {
        follower->faults++;
        say(follower,
            "%s: is another file than the one that was read up to line %" PRIu64
            ", which is not found: what that one got since is lost",
            path, last.line);
        for (first = 0; first < count && siblings[first].seen.st_mtime < last.read;) {
            first++;
        }
    }
    return first;
}

/** Between two looks a log may be rotated more than once: what had its name meanwhile was written
 * after the file that is followed. \return which sibling is the first of these */
static size_t first_after_followed(const struct tail *followed, const struct sibling *siblings,
                                   size_t count)
{
    struct stat last;
    size_t first = 0;
    if (fstat(followed->file, &last) != 0) {
        return count;
    }
    while (first < count && !sibling_is_as_late(&siblings[first], &last)) {
        first++;
    }
    return first;
}

/** A log is met whose start was not read: what was rotated meanwhile comes before it. */
static void catch_up(struct follower *follower, const char *path, int64_t now_ms)
{
    struct sibling siblings[SIBLINGS_MAX];
    const struct tail *followed = find_path(follower, path);
    const size_t count = siblings_open(path, siblings);
    const size_t first = followed != NULL ? first_after_followed(followed, siblings, count)
                                          : first_after_known(follower, path, siblings, count);
    for (size_t i = first; i < count; i++) {
        add_sibling(follower, &siblings[i], now_ms);
    }
    for (size_t i = 0; i < count; i++) {
        sibling_close(&siblings[i]);
    }
}

static void path_failed(struct follower *follower, struct pattern *pattern, const char *path,
                        const char *reason)
{
    if (!pattern->failed) {
        follower->faults++;
        say(follower, "%s: %s; it is tried again", path, reason);
    }
    pattern->failed = true;
}

/** Look at a file that a pattern leads to. \return false if it cannot be read */
static bool look_at(struct follower *follower, struct pattern *pattern, const char *path,
                    int64_t now_ms)
{
    char text[ERROR_TEXT_MAX];
    struct stat seen;
    struct place place;
    if (stat(path, &seen) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            path_failed(follower, pattern, path, error_text(errno, text));
        }
        return errno == ENOENT || errno == ENOTDIR;
    }
    pattern->met = true;
    struct tail *tail = find_tail(follower, &seen);
    if (tail != NULL) {
        tail->listed = true;
        snprintf(tail->place.path, sizeof(tail->place.path), "%s", path);
        return true;
    }
    if (!S_ISREG(seen.st_mode)) {
        path_failed(follower, pattern, path, "is no regular file");
        return false;
    }
    if (follower->tail_count >= FOLLOWER_FILES_MAX) {
        path_failed(follower, pattern, path, "too many log files");
        return false;
    }
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file == -1 || fstat(file, &seen) != 0) {
        path_failed(follower, pattern, path, error_text(errno, text));
        if (file != -1) {
            close(file);
        }
        return false;
    }
    const bool found = find_place(follower, file, &seen, path, &place);
    if (!found) {
        catch_up(follower, path, now_ms);
    }
    add_tail(follower, file, &seen, path, found ? &place : NULL, follower->tail_count, now_ms);
    tail = find_tail(follower, &seen);
    if (tail != NULL) {
        tail->listed = true;
    }
    return true;
}

static void look_for(struct follower *follower, struct pattern *pattern, int64_t now_ms)
{
    glob_t found;
    bool good = true;
    /* a path that is no pattern is looked at though it leads nowhere, and that is said */
    const bool path = strpbrk(pattern->text, "*?[") == NULL;
    if (glob(pattern->text, path ? GLOB_NOCHECK : 0, NULL, &found) != 0) {
        return; /* nothing matches now */
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        good = look_at(follower, pattern, found.gl_pathv[i], now_ms) && good;
    }
    globfree(&found);
    if (good && pattern->failed) {
        pattern->failed = false;
        say(follower, "%s: is back", pattern->text);
    }
}

/** Find the files that the patterns lead to now. */
static void scan(struct follower *follower, int64_t now_ms)
{
    watch_renew(follower->watch);
    for (size_t i = 0; i < follower->tail_count; i++) {
        follower->tails[i].listed = false;
    }
    for (size_t i = 0; i < follower->pattern_count; i++) {
        struct pattern *pattern = &follower->patterns[i];
        look_for(follower, pattern, now_ms);
        if (!pattern->met && !pattern->failed && !pattern->told_absent) {
            pattern->told_absent = true;
            say(follower, "%s: is not there yet", pattern->text);
        }
    }
    for (size_t i = 0; i < follower->tail_count; i++) {
        if (follower->tails[i].listed) {
            follower->tails[i].alive_ms = now_ms;
        }
    }
}

/* --- reading -------------------------------------------------------------------------------------
 */

/** A file that is being read into a batch. */
struct reading {
    struct batch *batch;
    struct place *place;
};

static bool take_line(void *context, const char *text, size_t len)
{
    const struct reading *reading = context;
    reading->place->line++;
    batch_add(reading->batch, text, len, reading->place->line);
    return batch_has_room(reading->batch);
}

/**
 * The file was emptied, or is another one under the same number. If it was copied before, the
 * copy's end is read first.
 */
static void begin_again(struct follower *follower, size_t index, int64_t now_ms)
{
    struct sibling siblings[SIBLINGS_MAX];
    const struct place before = follower->tails[index].place;
    const size_t count = siblings_open(before.path, siblings);
    const size_t copy = before.print_octets == 0 ? count : find_sibling(siblings, count, &before);
    follower->tails[index].place = (struct place){.device = before.device, .inode = before.inode};
    snprintf(follower->tails[index].place.path, sizeof(before.path), "%s", before.path);
    follower->tails[index].skipping = false;
    if (copy < count && find_tail(follower, &siblings[copy].seen) == NULL) {
        add_tail(follower, siblings[copy].file, &siblings[copy].seen, siblings[copy].path, &before,
                 index, now_ms);
        siblings[copy].file = -1;
    }
    for (size_t i = 0; i < count; i++) {
        sibling_close(&siblings[i]);
    }
}

/** Read whole lines behind the place. \return true if there is no more in the file */
static bool read_lines(struct follower *follower, struct tail *tail, struct batch *batch)
{
    struct reading reading = {.batch = batch, .place = &tail->place};
    while (batch_has_room(batch)) {
        const ssize_t got =
            pread(tail->file, follower->buffer, LINES_BUFFER, (off_t)tail->place.offset);
        if (got <= 0) {
            return true;
        }
        const size_t done =
            lines_cut(follower->buffer, (size_t)got, &tail->skipping, take_line, &reading);
        tail->place.offset += done;
        batch->octets += done;
        if (done == 0) {
            return true; /* the last line has no end yet */
        }
    }
    return false;
}

/** The last line of a file that nobody writes any more needs no end. */
static void read_rest(struct follower *follower, struct tail *tail, struct batch *batch)
{
    const ssize_t got = pread(tail->file, follower->buffer, LOGLINE_MAX, (off_t)tail->place.offset);
    if (got <= 0 || tail->skipping) {
        return;
    }
    tail->place.line++;
    tail->place.offset += (uint64_t)got;
    batch->octets += (uint64_t)got;
    batch_add(batch, follower->buffer, (size_t)got, tail->place.line);
}

/** Read one file. \return true if there is no more in it */
static bool read_tail(struct follower *follower, struct tail *tail, struct batch *batch,
                      int64_t now_ms)
{
    const uint64_t before = tail->place.offset;
    batch->places[batch->place_count++] = tail->place;
    bool end = read_lines(follower, tail, batch);
    if (end && !tail->listed && now_ms - tail->alive_ms > FOLLOWER_LINGER_MS) {
        read_rest(follower, tail, batch);
    }
    if (tail->place.offset == before) {
        batch->place_count--;
        return end;
    }
    tail->alive_ms = now_ms;
    tail->place.read = time(NULL);
    if (!place_take_print(&tail->place, tail->file)) {
        tail->place.print_octets = 0;
        tail->place.print = 0;
    }
    batch->places[batch->place_count - 1] = tail->place;
    return end;
}

/** Let go of the files that lost their names and are read. */
static void let_go(struct follower *follower, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < follower->tail_count; i++) {
        struct tail *tail = &follower->tails[i];
        if (!tail->listed && now_ms - tail->alive_ms > FOLLOWER_LINGER_MS) {
            close(tail->file);
            follower_know(follower, &tail->place);
        } else {
            follower->tails[kept++] = *tail;
        }
    }
    follower->tail_count = kept;
}

/** Whether the file was emptied, or another one was written in its place, since it was read. It
 * may have its old size again. */
static bool is_other(struct tail *tail, const struct stat *seen)
{
    const bool unchanged = seen->st_mtim.tv_sec == tail->checked.tv_sec &&
                           seen->st_mtim.tv_nsec == tail->checked.tv_nsec;
    if (unchanged && (uint64_t)seen->st_size == tail->place.offset) {
        return false;
    }
    tail->checked = seen->st_mtim;
    return (uint64_t)seen->st_size < tail->place.offset || !place_fits(&tail->place, tail->file);
}

bool follower_read(struct follower *follower, struct batch *batch, int64_t now_ms)
{
    scan(follower, now_ms);
    for (size_t i = 0; i < follower->tail_count; i++) {
        struct tail *tail = &follower->tails[i];
        struct stat seen;
        if (batch->place_count == BATCH_PLACES || !batch_has_room(batch)) {
            return true;
        }
        if (fstat(tail->file, &seen) != 0) {
            continue;
        }
        if (is_other(tail, &seen)) {
            begin_again(follower, i, now_ms);
            tail = &follower->tails[i]; /* perhaps the copy, which comes first */
        }
        if (!read_tail(follower, tail, batch, now_ms)) {
            return true;
        }
    }
    let_go(follower, now_ms);
    return false;
}

void follower_wait(struct follower *follower, int timeout_ms, int wake)
{
    watch_wait(follower->watch, timeout_ms, wake);
}

void follower_count(const struct follower *follower, struct book_counters *counters)
{
    counters->log_faults = follower->faults;
    counters->logs_open = follower->tail_count;
    counters->octets_behind = 0;
    for (size_t i = 0; i < follower->tail_count; i++) {
        const struct tail *tail = &follower->tails[i];
        struct stat seen;
        if (fstat(tail->file, &seen) == 0 && (uint64_t)seen.st_size > tail->place.offset) {
            counters->octets_behind += (uint64_t)seen.st_size - tail->place.offset;
        }
    }
}
