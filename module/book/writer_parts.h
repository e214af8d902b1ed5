/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the files of the writer share, see writer.h. */
#ifndef MXCLASH_BOOK_WRITER_PARTS_H
#define MXCLASH_BOOK_WRITER_PARTS_H

#include "book/statements.h"
#include "book/writer.h"

struct writer {
    sqlite3 *database;
    struct statements statements;
    int64_t retention_ms;
    /** of the transaction */
    int64_t now_ms;
    /** rows of conflict now, and when the transaction began */
    int64_t conflicts;
    int64_t conflicts_before;
    /** the host of the last line; id 0: none */
    int64_t host_id;
    char host[BOOK_HOST_MAX + 1];
};

/** What happened to conflicts of a kind, for the hour in which it did. */
struct happened {
    int64_t mx_queries;
    int64_t mx_queries_summed;
    int64_t opened;
    int64_t cleared;
    int64_t expired;
};

/** Add to the hour that holds time. What is older than what is kept is passed over, and a clock
 * that runs ahead counts as now. */
int writer_add_hour(struct writer *writer, int64_t time, const char *kind,
                    const struct happened *happened);

/** Sum the rows of conflict of a domain and kind anew into affected. */
int writer_sum(struct writer *writer, const char *domain, const char *kind);

#endif
