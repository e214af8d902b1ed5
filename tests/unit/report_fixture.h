/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What the tests of the event queue and of its file share: a folder, a log, a look into files.
 */
#ifndef MXCLASH_TESTS_REPORT_FIXTURE_H
#define MXCLASH_TESTS_REPORT_FIXTURE_H

#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/report.h"
#include "outputs.h"

#define LINE_MAX_OCTETS 4096

/** What the host's log got. */
struct host_log {
    pthread_mutex_t lock;
    unsigned count;
    char last[LINE_MAX_OCTETS];
    /** while held by a test, the writer thread stands still inside its sink */
    pthread_mutex_t gate;
};

struct fixture {
    char folder[64];
    char path[96];
    struct host_log log;
};

static inline void take_line(void *context, const char *line)
{
    struct host_log *log = context;

    pthread_mutex_lock(&log->gate);
    pthread_mutex_unlock(&log->gate);
    pthread_mutex_lock(&log->lock);
    log->count++;
    snprintf(log->last, sizeof(log->last), "%s", line);
    pthread_mutex_unlock(&log->lock);
}

static inline unsigned lines_said(struct host_log *log, char last[LINE_MAX_OCTETS])
{
    unsigned count;

    pthread_mutex_lock(&log->lock);
    count = log->count;
    memcpy(last, log->last, LINE_MAX_OCTETS);
    pthread_mutex_unlock(&log->lock);
    return count;
}

static inline void assert_said(struct host_log *log, unsigned count, const char *last)
{
    char line[LINE_MAX_OCTETS];

    assert_int_equal(lines_said(log, line), count);
    assert_non_null(strstr(line, last));
}

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    strcpy(fixture->folder, P_tmpdir "/mxclash-report-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/events.json", fixture->folder);
    pthread_mutex_init(&fixture->log.lock, NULL);
    pthread_mutex_init(&fixture->log.gate, NULL);
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char rotated[128];

    snprintf(rotated, sizeof(rotated), "%s.1", fixture->path);
    unlink(rotated);
    unlink(fixture->path);
    rmdir(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static inline struct report_options options_for(struct fixture *fixture)
{
    return (struct report_options){.log_file = fixture->path,
                                   .program = "tests",
                                   .host = "ns1.example",
                                   .host_log = take_line,
                                   .context = &fixture->log};
}

/** Read a whole small file. \return octets, or -1 if it is not there */
static inline ssize_t read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t octets;

    if (fd == -1)
        return -1;
    octets = read(fd, text, size - 1);
    close(fd);
    assert_true(octets >= 0);
    text[octets] = '\0';
    return octets;
}

/** \return lines of a file that are whole JSON objects; *broken gets the number of the others */
static inline unsigned count_json(const char *path, unsigned *broken)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    unsigned whole = 0;

    *broken = 0;
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        json_t *object = json_loads(line, 0, NULL);

        *(object == NULL ? broken : &whole) += 1;
        json_decref(object);
    }
    free(line);
    fclose(file);
    return whole;
}

/** A real full file: the size limit of the process stands in for the disk's end. */
static inline void limit_file(rlim_t octets)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = octets < limit.rlim_max ? octets : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
