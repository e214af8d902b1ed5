/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Keeping the book: see keeper.h. */
#include "book/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/follower.h"
#include "book/logline.h"
#include "book/writer.h"
#include "output/clock.h"
#include "output/error_text.h"
#include "output/thread.h"

/** Least time between two batches: so that a burst of lines is one. */
#define BATCH_MS 100
/** A look at the logs without a sign of anything. */
#define LOOK_MS 1000
/** Time between two looks for what is too old. */
#define TIDY_MS 60000
/** Time between two looks for damage. */
#define CHECK_MS INT64_C(3600000)
/** Malformed lines that are said, in one life and in one batch. */
#define MALFORMED_SAID  10
#define MALFORMED_BATCH 4
#define SAY_MAX         (2 * PATH_MAX)

struct keeper {
    struct keeper_options options;
    pthread_t thread;
    /** written when the keeper is to end */
    int wake;
    struct follower *follower;
    struct batch batch;
    struct logline line;
    /** NULL: the database cannot be written now */
    struct writer *writer;
    /** descriptor of the lock file; -1: not held */
    int lock;
    /** the file that is open */
    dev_t device;
    ino_t inode;
    /** the place that was written last: a book that has it is the one that was written; offset 0:
     * none yet */
    struct place written;
    /** the last try failed, and that was said */
    bool failing;
    int64_t retry_at_ms;
    int64_t tidy_at_ms;
    int64_t check_at_ms;
    unsigned malformed_said;
    /** guards counters */
    pthread_mutex_t mutex;
    struct book_counters counters;
};

/** What a batch comes to, before it is in the book. */
struct tally {
    uint64_t malformed;
    uint64_t unknown;
    uint64_t events;
    size_t told;
    struct {
        const struct batch_line *line;
        const char *fault;
    } tell[MALFORMED_BATCH];
};

static void say(struct keeper *keeper, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct keeper *keeper, const char *format, ...)
{
    char line[SAY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    keeper->options.say(keeper->options.context, line);
}

static void say_log(void *context, const char *line)
{
    struct keeper *keeper = context;
    say(keeper, "log %s", line);
}

static void lock_counters(struct keeper *keeper)
{
    pthread_mutex_lock(&keeper->mutex);
}

static void unlock_counters(struct keeper *keeper)
{
    pthread_mutex_unlock(&keeper->mutex);
}

/* --- faults of the database ----------------------------------------------------------------------
 */

static void close_writer(struct keeper *keeper)
{
    writer_close(keeper->writer);
    keeper->writer = NULL;
    if (keeper->lock != -1) {
        close(keeper->lock);
    }
    keeper->lock = -1;
}

/** Give up for now; only the first fault of a row is said. */
static void failed(struct keeper *keeper, const char *reason)
{
    close_writer(keeper);
    keeper->retry_at_ms = clock_steady_ms() + KEEPER_RETRY_S * INT64_C(1000);
    if (!keeper->failing) {
        say(keeper,
            "database %s: %s; it is tried again every %d s, and nothing that is logged is "
            "lost meanwhile",
            keeper->options.database, reason, KEEPER_RETRY_S);
    }
    keeper->failing = true;
    lock_counters(keeper);
    keeper->counters.database_faults++;
    keeper->counters.database_failing = true;
    unlock_counters(keeper);
}

static void back(struct keeper *keeper)
{
    if (keeper->failing) {
        say(keeper, "database %s: is back", keeper->options.database);
    }
    keeper->failing = false;
    lock_counters(keeper);
    keeper->counters.database_failing = false;
    unlock_counters(keeper);
}

/** Rename one of the database's files. \return false if it is there and cannot be renamed */
static bool move(const char *database, const char *aside, const char *end)
{
    char from[PATH_MAX], to[PATH_MAX];
    snprintf(from, sizeof(from), "%s%s", database, end);
    snprintf(to, sizeof(to), "%s%s", aside, end);
    return rename(from, to) == 0 || errno == ENOENT;
}

/** Give a corrupt database another name, so that a new one can be made. */
static void set_aside(struct keeper *keeper, const char *reason)
{
    char aside[PATH_MAX], text[ERROR_TEXT_MAX], when[32];
    const char *database = keeper->options.database;
    const time_t now = time(NULL);
    struct tm utc;
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
    /* where two come within a second, the first is not overwritten */
    int number = 0;
    do {
        snprintf(aside, sizeof(aside), "%.*s.corrupt-%s%s%.0d", PATH_MAX - 64, database, when,
                 number > 0 ? "-" : "", number);
    } while (access(aside, F_OK) == 0 && number++ < 100);
    /* not the lock: it goes on being held */
    writer_close(keeper->writer);
    keeper->writer = NULL;
    if (!move(database, aside, "-wal") || !move(database, aside, "-shm") ||
        !move(database, aside, "")) {
        failed(keeper, error_text(errno, text));
        return;
    }
    close_writer(keeper);
    /* where a disk damages all that is written, not too many are to pile up */
    keeper->retry_at_ms = clock_steady_ms() + KEEPER_RETRY_S * INT64_C(1000);
    say(keeper, "database %s: %s; it is set aside as %s, and a new one is made from the logs",
        database, reason, aside);
    lock_counters(keeper);
    keeper->counters.set_aside++;
    keeper->counters.database_faults++;
    unlock_counters(keeper);
}

/** Let no two processes keep one book: each line would count twice. */
static bool take_lock(struct keeper *keeper)
{
    char path[PATH_MAX], text[ERROR_TEXT_MAX];
    snprintf(path, sizeof(path), "%.*s-lock", PATH_MAX - 8, keeper->options.database);
    keeper->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (keeper->lock == -1) {
        failed(keeper, error_text(errno, text));
        return false;
    }
    if (flock(keeper->lock, LOCK_EX | LOCK_NB) != 0) {
        failed(keeper,
               errno == EWOULDBLOCK ? "another process keeps this book" : error_text(errno, text));
        return false;
    }
    return true;
}

static void know_place(void *context, const struct place *place)
{
    follower_know(context, place);
}

/** A search for the place that was written last. */
struct search {
    const struct place *wanted;
    bool found;
};

static void compare_place(void *context, const struct place *place)
{
    struct search *search = context;
    search->found =
        search->found ||
        (place->device == search->wanted->device && place->inode == search->wanted->inode &&
         place->offset == search->wanted->offset && place->print == search->wanted->print);
}

/** The book that was opened may be another one than before, or an older copy: then what was read
 * meanwhile is not for it, and the logs are read from the places that it has. */
static bool use_places(struct keeper *keeper)
{
    struct search search = {.wanted = &keeper->written};
    struct stat seen;
    if (stat(keeper->options.database, &seen) != 0) {
        return false;
    }
    keeper->device = seen.st_dev;
    keeper->inode = seen.st_ino;
    if (keeper->written.offset > 0 &&
        writer_places(keeper->writer, compare_place, &search) != SQLITE_OK) {
        return false;
    }
    if (search.found) {
        return true;
    }
    follower_restart(keeper->follower);
    batch_clear(&keeper->batch);
    return writer_places(keeper->writer, know_place, keeper->follower) == SQLITE_OK;
}

static void open_writer(struct keeper *keeper)
{
    char error[BOOK_ERROR_MAX];
    if (!take_lock(keeper)) {
        return;
    }
    keeper->check_at_ms = clock_steady_ms() + keeper->options.check_ms;
    switch (writer_open(keeper->options.database, keeper->options.retention_days, &keeper->writer,
                        error)) {
    case writer_good:
        if (use_places(keeper)) {
            back(keeper);
        } else {
            failed(keeper, "cannot be read");
        }
        break;
    case writer_corrupt:
        set_aside(keeper, error);
        break;
    case writer_later:
    case writer_foreign:
        failed(keeper, error);
        break;
    }
}

/** Whether the file that is open still has its name. */
static bool is_there(const struct keeper *keeper)
{
    struct stat seen;
    return stat(keeper->options.database, &seen) == 0 && seen.st_dev == keeper->device &&
           seen.st_ino == keeper->inode;
}

/** Look now and then at the file as those see it who read it. */
static void check(struct keeper *keeper, int64_t now_ms)
{
    char error[BOOK_ERROR_MAX];
    if (now_ms >= keeper->check_at_ms) {
        keeper->check_at_ms = now_ms + keeper->options.check_ms;
        if (writer_check(keeper->options.database, error) == writer_corrupt) {
            set_aside(keeper, error);
        }
    }
}

/* --- a batch -------------------------------------------------------------------------------------
 */

static void note_malformed(struct tally *tally, const struct batch_line *line, const char *fault)
{
    tally->malformed++;
    if (tally->told < MALFORMED_BATCH) {
        tally->tell[tally->told].line = line;
        tally->tell[tally->told++].fault = fault;
    }
}

/** Write one line. \return SQLITE_OK or what failed */
static int write_line(struct keeper *keeper, const struct batch_line *line, struct tally *tally)
{
    int result = SQLITE_OK;
    if (line->too_long) {
        note_malformed(tally, line, "longer than a line may be");
        return result;
    }
    logline_read(keeper->batch.text + line->at, line->len, &keeper->line);
    if (keeper->line.kind == logline_malformed) {
        note_malformed(tally, line, keeper->line.fault);
    } else if (keeper->line.kind == logline_unknown) {
        tally->unknown++;
    } else {
        tally->events++;
        result = writer_apply(keeper->writer, &keeper->line);
    }
    logline_free(&keeper->line);
    return result;
}

/** Write what was read, and how far, in one transaction. */
static int write_batch(struct keeper *keeper, struct tally *tally, bool tidy, bool *more)
{
    const struct batch *batch = &keeper->batch;
    int result = writer_begin(keeper->writer, clock_now());
    for (size_t i = 0; i < batch->line_count && result == SQLITE_OK; i++) {
        result = write_line(keeper, &batch->lines[i], tally);
    }
    for (size_t i = 0; i < batch->place_count && result == SQLITE_OK; i++) {
        result = writer_set_place(keeper->writer, &batch->places[i]);
    }
    if (result == SQLITE_OK && tidy) {
        result = writer_tidy(keeper->writer, more);
    }
    return result == SQLITE_OK ? writer_commit(keeper->writer) : result;
}

static void say_malformed(struct keeper *keeper, const struct tally *tally)
{
    for (size_t i = 0; i < tally->told && keeper->malformed_said < MALFORMED_SAID; i++) {
        const struct batch_line *line = tally->tell[i].line;
        say(keeper, "log %s:%" PRIu64 ": %s; the line is passed over%s",
            keeper->batch.places[line->place].path, line->number, tally->tell[i].fault,
            ++keeper->malformed_said == MALFORMED_SAID ? ", and of more such lines nothing is said"
                                                       : "");
    }
}

/** The batch is in the book. */
static void count_batch(struct keeper *keeper, const struct tally *tally)
{
    struct book_counters *counters = &keeper->counters;
    lock_counters(keeper);
    counters->lines += keeper->batch.line_count;
    counters->octets += keeper->batch.octets;
    counters->lines_malformed += tally->malformed;
    counters->events_unknown += tally->unknown;
    counters->events += tally->events;
    counters->committed = clock_now();
    unlock_counters(keeper);
}

/** \return false if it is not in the book: the batch stays */
static bool put_batch(struct keeper *keeper, int64_t now_ms)
{
    const bool tidy = now_ms >= keeper->tidy_at_ms;
    struct tally tally = {0};
    bool more = false;
    char reason[BOOK_ERROR_MAX];
    if (!tidy && batch_is_empty(&keeper->batch)) {
        return true;
    }
    const int result = write_batch(keeper, &tally, tidy, &more);
    if (result == SQLITE_OK) {
        if (tidy) {
            keeper->tidy_at_ms = more ? now_ms : now_ms + TIDY_MS;
        }
        if (!batch_is_empty(&keeper->batch)) {
            keeper->written = keeper->batch.places[keeper->batch.place_count - 1];
        }
        say_malformed(keeper, &tally);
        count_batch(keeper, &tally);
        batch_clear(&keeper->batch);
        return true;
    }
    snprintf(reason, sizeof(reason), "%s", writer_error(keeper->writer));
    writer_rollback(keeper->writer);
    if (writer_is_corrupt(result)) {
        set_aside(keeper, reason);
    } else {
        failed(keeper, reason);
    }
    return false;
}

/* --- the thread ----------------------------------------------------------------------------------
 */

/** \return true if the keeper is to end */
static bool is_over(const struct keeper *keeper, int timeout_ms)
{
    struct pollfd wake = {.fd = keeper->wake, .events = POLLIN};
    return poll(&wake, 1, timeout_ms) > 0;
}

/** Read and write once. \return true if there is more to be done at once */
static bool turn(struct keeper *keeper)
{
    const int64_t now_ms = clock_steady_ms();
    bool more = false;
    if (keeper->writer != NULL && !is_there(keeper)) {
        say(keeper, "database %s: was taken away; a new one is made from the logs",
            keeper->options.database);
        close_writer(keeper);
    }
    if (keeper->writer != NULL) {
        check(keeper, now_ms);
    }
    if (keeper->writer == NULL) {
        if (now_ms < keeper->retry_at_ms) {
            return false;
        }
        open_writer(keeper);
    }
    if (keeper->writer != NULL) {
        if (batch_is_empty(&keeper->batch)) {
            more = follower_read(keeper->follower, &keeper->batch, now_ms);
        }
        more = put_batch(keeper, now_ms) && (more || keeper->tidy_at_ms <= now_ms);
    }
    struct book_counters logs;
    follower_count(keeper->follower, &logs);
    lock_counters(keeper);
    keeper->counters.log_faults = logs.log_faults;
    keeper->counters.logs_open = logs.logs_open;
    keeper->counters.octets_behind = logs.octets_behind;
    unlock_counters(keeper);
    return more;
}

static void *run(void *argument)
{
    struct keeper *keeper = argument;
    while (!is_over(keeper, 0)) {
        if (!turn(keeper)) {
            follower_wait(keeper->follower, LOOK_MS, keeper->wake);
            is_over(keeper, BATCH_MS);
        }
    }
    /* what was logged until now, if it is not too much: the rest is read at the next start */
    if (keeper->writer != NULL) {
        turn(keeper);
    }
    return NULL;
}

/** All but the thread. */
static void free_parts(struct keeper *keeper)
{
    close_writer(keeper);
    follower_free(keeper->follower);
    batch_free(&keeper->batch);
    if (keeper->wake != -1) {
        close(keeper->wake);
    }
    pthread_mutex_destroy(&keeper->mutex);
    free(keeper);
}

struct keeper *keeper_new(const struct keeper_options *options)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    if (keeper == NULL) {
        return NULL;
    }
    keeper->options = *options;
    if (keeper->options.check_ms == 0) {
        keeper->options.check_ms = CHECK_MS;
    }
    keeper->lock = -1;
    pthread_mutex_init(&keeper->mutex, NULL);
    keeper->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    keeper->follower = follower_new(options->logs, options->log_count, say_log, keeper);
    const bool good = keeper->wake != -1 && keeper->follower != NULL && batch_init(&keeper->batch);
    /* here, not by the thread: who reads the book as soon as there is a keeper finds one */
    if (good) {
        open_writer(keeper);
    }
    if (!good || !thread_start(&keeper->thread, "mxclash-book", run, keeper)) {
        free_parts(keeper);
        return NULL;
    }
    return keeper;
}

void keeper_free(struct keeper *keeper)
{
    const uint64_t one = 1;
    if (keeper == NULL) {
        return;
    }
    /* writing one to an empty eventfd cannot fail */
    if (write(keeper->wake, &one, sizeof(one)) == sizeof(one)) {
        pthread_join(keeper->thread, NULL);
    }
    free_parts(keeper);
}

void keeper_count(struct keeper *keeper, struct book_counters *counters)
{
    lock_counters(keeper);
    *counters = keeper->counters;
    unlock_counters(keeper);
}
