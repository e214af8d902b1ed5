/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the tests of the book share: a book in a folder of its own, and lines for it. */
#ifndef TESTS_UNIT_BOOK_FIXTURE_H
#define TESTS_UNIT_BOOK_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "book/book.h"
#include "book/book_json.h"
#include "book/logline.h"
#include "book/writer.h"

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)
/** The day on which the tests play: 2026-11-28, 10:00 UTC. */
#define NOW INT64_C(1795860000000)

struct book_fixture {
    char folder[64];
    char path[96];
    struct writer *writer;
    struct book *book;
};

static inline void fixture_begin(struct book_fixture *fixture)
{
    char error[BOOK_ERROR_MAX];
    memset(fixture, 0, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/mxclash-book-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof(fixture->path), "%s/book.db", fixture->folder);
    assert_int_equal(writer_open(fixture->path, 90, &fixture->writer, error), writer_good);
    fixture->book = book_open(fixture->path, error);
    assert_non_null(fixture->book);
}

static inline void fixture_end(struct book_fixture *fixture)
{
    char command[128];
    book_close(fixture->book);
    writer_close(fixture->writer);
    snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
}

/** Write one line into the book, in a transaction of its own. */
static inline void fixture_line(struct book_fixture *fixture, const char *text, int64_t now)
{
    struct logline *line = malloc(sizeof(*line));
    assert_non_null(line);
    logline_read(text, strlen(text), line);
    assert_int_equal(writer_begin(fixture->writer, now), SQLITE_OK);
    assert_int_equal(writer_apply(fixture->writer, line), SQLITE_OK);
    assert_int_equal(writer_commit(fixture->writer), SQLITE_OK);
    logline_free(line);
    free(line);
}

/** What an event of a test says. 0 and NULL: the usual. */
struct told {
    const char *event;
    const char *domain;
    const char *kind;
    const char *state;
    const char *host;
    const char *provider;
    const char *target;
    int64_t time;
    /** 0: as time */
    int64_t first_seen;
    uint64_t mx_queries;
};

static inline void fixture_tell(struct book_fixture *fixture, struct told told)
{
    char text[4096], provider[96] = "null", time[BOOK_TIME_TEXT_MAX], first[BOOK_TIME_TEXT_MAX];
    if (told.provider != NULL) {
        snprintf(provider, sizeof(provider), "\"%s\"", told.provider);
    }
    snprintf(text, sizeof(text),
             "{\"time\":\"%s\",\"event\":\"%s\",\"domain\":\"%s\",\"kind\":\"%s\","
             "\"state\":\"%s\",\"evidence\":\"probe\",\"apex\":true,\"zone\":\"%s\","
             "\"cname\":{\"target\":\"%s\",\"ttl\":600},"
             "\"mx\":[{\"preference\":5,\"exchange\":\"mx1.example.net\"},"
             "{\"preference\":10,\"exchange\":\"mx2.example.net\"}],"
             "\"provider\":%s,\"impact\":\"implicit-mx\",\"hides_spf\":null,\"spf\":null,"
             "\"authority\":\"192.0.2.1\",\"authorities_differ\":false,\"first_seen\":\"%s\","
             "\"last_seen\":\"%s\",\"mx_queries\":%llu,\"advice\":[\"remove-cname\","
             "\"move-cname\"],\"host\":\"%s\",\"held_back\":0}",
             book_time_text(told.time, time), told.event,
             told.domain != NULL ? told.domain : "example.com",
             told.kind != NULL ? told.kind : "cname-and-mx",
             told.state != NULL ? told.state : "confirmed",
             told.domain != NULL ? told.domain : "example.com",
             told.target != NULL ? told.target : "www.cdn.test", provider,
             book_time_text(told.first_seen != 0 ? told.first_seen : told.time, first), time,
             (unsigned long long)told.mx_queries, told.host != NULL ? told.host : "resolver1");
    fixture_line(fixture, text, NOW);
}

/** Conflicts of a domain, as they are shown. Their strings are gone. */
struct shown {
    size_t count;
    struct book_conflict conflict[8];
    char ending[8][BOOK_WORD_MAX + 1];
    char target[8][64];
};

static inline bool fixture_keep(void *context, const struct book_conflict *conflict)
{
    struct shown *shown = context;
    shown->conflict[shown->count] = *conflict;
    snprintf(shown->ending[shown->count], BOOK_WORD_MAX + 1, "%s",
             conflict->ending != NULL ? conflict->ending : "");
    snprintf(shown->target[shown->count], 64, "%s",
             conflict->cname_target != NULL ? conflict->cname_target : "");
    return ++shown->count < 8;
}

static inline struct shown fixture_show(struct book_fixture *fixture, const char *domain)
{
    struct shown shown = {0};
    assert_true(book_show(fixture->book, domain, fixture_keep, &shown));
    return shown;
}

/** A list as text: `domain/kind/state/mx_queries/hosts` each, with a blank behind. */
static inline bool fixture_list_one(void *context, const struct book_affected *affected)
{
    char *text = context;
    const size_t used = strlen(text);
    snprintf(text + used, 4096 - used, "%s/%s/%s/%llu/%llu ", affected->domain, affected->kind,
             affected->state, (unsigned long long)affected->mx_queries,
             (unsigned long long)affected->hosts);
    return true;
}

#endif
