/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Unit tests of following logs: growth, rotation of both kinds, restarts at a place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/follower.h"
#include "book/logline.h"
#include "book/siblings.h"

static char folder[64];
static char said[8192];
static struct follower *follower;
static struct batch batch;
static int64_t now;
static const char *patterns[4];
static size_t pattern_count;
/** the last place of each file that was read, newest first: what a book would have */
static struct place places[64];
static size_t place_count;

static void note(void *context, const char *line)
{
    (void)context;
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", line);
}

static const char *path_of(const char *name)
{
    static char paths[8][128];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/mxclash-follow-XXXXXX");
    assert_non_null(mkdtemp(folder));
    said[0] = '\0';
    now = 1000;
    place_count = 0;
    pattern_count = 1;
    patterns[0] = strdup(path_of("log.json"));
    assert_true(batch_init(&batch));
    follower = follower_new(patterns, pattern_count, note, NULL);
    assert_non_null(follower);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    follower_free(follower);
    batch_free(&batch);
    for (size_t i = 0; i < pattern_count; i++) {
        free((char *)(uintptr_t)patterns[i]);
    }
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

static void append(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "ae");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void rename_log(const char *from, const char *to)
{
    assert_int_equal(rename(path_of(from), path_of(to)), 0);
}

/** Copy as logrotate's copytruncate does. */
static void copy_and_empty(const char *from, const char *to)
{
    char command[400];
    snprintf(command, sizeof(command), "cp %s %s && : > %s", path_of(from), path_of(to),
             path_of(from));
    assert_int_equal(system(command), 0);
}

/** A file's time of change, seconds back. */
static void age(const char *name, int seconds)
{
    const struct timespec past = {.tv_sec = time(NULL) - seconds};
    const struct timespec times[2] = {past, past};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void remember(const struct place *place)
{
    size_t i = 0;
    while (i < place_count &&
           (places[i].device != place->device || places[i].inode != place->inode)) {
        i++;
    }
    if (i == place_count) {
        place_count++;
    }
    memmove(&places[1], &places[0], i * sizeof(places[0]));
    places[0] = *place;
}

/** Read all there is. \return the lines, each with a blank behind */
static const char *read_all(void)
{
    static char text[16384];
    bool more = true;
    unsigned turns = 0;
    text[0] = '\0';
    while (more) {
        assert_true(++turns < 100);
        more = follower_read(follower, &batch, now);
        for (size_t i = 0; i < batch.line_count; i++) {
            const struct batch_line *line = &batch.lines[i];
            const size_t used = strlen(text);
            snprintf(text + used, sizeof(text) - used, "%.*s ",
                     line->too_long   ? 3
                     : line->len > 20 ? 20
                                      : (int)line->len,
                     line->too_long ? "???" : batch.text + line->at);
        }
        for (size_t i = 0; i < batch.place_count; i++) {
            remember(&batch.places[i]);
        }
        batch_clear(&batch);
    }
    return text;
}

/** Begin again with what the book has. */
static void restart(void)
{
    follower_free(follower);
    follower = follower_new(patterns, pattern_count, note, NULL);
    assert_non_null(follower);
    for (size_t i = 0; i < place_count; i++) {
        follower_know(follower, &places[i]);
    }
}

/* --- growth --------------------------------------------------------------------------------------
 */

static void test_grows(void **state)
{
    (void)state;
    append("log.json", "a\nb\n");
    assert_string_equal(read_all(), "a b ");
    assert_string_equal(read_all(), "");
    append("log.json", "c\nd");
    assert_string_equal(read_all(), "c ");
    /* the last line waits for its end */
    append("log.json", "e");
    assert_string_equal(read_all(), "");
    append("log.json", "f\n");
    assert_string_equal(read_all(), "def ");
    assert_int_equal(places[0].offset, 10);
    assert_int_equal(places[0].line, 4);
}

static void test_not_there_yet(void **state)
{
    (void)state;
    assert_string_equal(read_all(), "");
    assert_non_null(strstr(said, "log.json: is not there yet"));
    said[0] = '\0';
    assert_string_equal(read_all(), "");
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    assert_string_equal(said, "");
}

static void test_folder_comes_and_goes(void **state)
{
    (void)state;
    free((char *)(uintptr_t)patterns[0]);
    patterns[0] = strdup(path_of("sub/log.json"));
    restart();
    assert_string_equal(read_all(), "");
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    append("sub/log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    rename_log("sub", "other");
    append("other/log.json", "b\n");
    assert_string_equal(read_all(), "b ");
    assert_int_equal(mkdir(path_of("sub"), 0700), 0);
    append("sub/log.json", "c\n");
    assert_string_equal(read_all(), "c ");
}

static void test_many_files(void **state)
{
    (void)state;
    free((char *)(uintptr_t)patterns[0]);
    patterns[0] = strdup(path_of("*.json"));
    restart();
    append("one.json", "1\n");
    append("two.json", "2\n");
    append("other.txt", "x\n");
    assert_string_equal(read_all(), "1 2 ");
    append("three.json", "3\n");
    append("one.json", "11\n");
    assert_string_equal(read_all(), "11 3 ");
    restart();
    append("two.json", "22\n");
    assert_string_equal(read_all(), "22 ");
}

static void test_line_that_is_too_long(void **state)
{
    (void)state;
    char *text = malloc(3 * LOGLINE_MAX + 8);
    assert_non_null(text);
    memset(text, 'x', 3 * LOGLINE_MAX);
    strcpy(text + 3 * LOGLINE_MAX, "\ngood\n");
    append("log.json", "first\n");
    append("log.json", text);
    assert_string_equal(read_all(), "first ??? good ");
    assert_int_equal(places[0].line, 3);
    free(text);
}

/** More than a batch holds comes in several, each line once. */
static void test_more_than_a_batch(void **state)
{
    (void)state;
    FILE *file = fopen(path_of("log.json"), "we");
    assert_non_null(file);
    for (int i = 0; i < 3 * BATCH_LINES; i++) {
        fprintf(file, "%d\n", i);
    }
    fclose(file);
    int next = 0;
    bool more = true;
    while (more) {
        more = follower_read(follower, &batch, now);
        for (size_t i = 0; i < batch.line_count; i++) {
            char line[16];
            snprintf(line, sizeof(line), "%.*s", (int)batch.lines[i].len,
                     batch.text + batch.lines[i].at);
            assert_int_equal(strtol(line, NULL, 10), next);
            assert_int_equal(batch.lines[i].number, ++next);
        }
        batch_clear(&batch);
    }
    assert_int_equal(next, 3 * BATCH_LINES);
}

static void test_no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("log.json"), 0600), 0);
    assert_string_equal(read_all(), "");
    assert_string_equal(read_all(), "");
    assert_non_null(strstr(said, "log.json: is no regular file; it is tried again\n"));
    /* once */
    assert_null(strstr(strstr(said, "is no regular") + 1, "is no regular"));
    unlink(path_of("log.json"));
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    assert_non_null(strstr(said, "log.json: is back\n"));
}

/* --- rotation while it is followed ---------------------------------------------------------------
 */

static void test_renamed(void **state)
{
    (void)state;
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    rename_log("log.json", "log.json.1");
    append("log.json.1", "b\n"); /* who writes has not noticed yet */
    append("log.json", "c\n");
    assert_string_equal(read_all(), "b c ");
    append("log.json.1", "late\n");
    append("log.json", "d\n");
    assert_string_equal(read_all(), "late d ");
    assert_string_equal(said, "");
}

/** Files that nobody saw while they had the log's name. */
static void test_renamed_more_than_once_between_two_looks(void **state)
{
    (void)state;
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    append("log.json", "b\n");
    rename_log("log.json", "log.json.3");
    append("log.json", "c\n");
    rename_log("log.json", "log.json.2");
    append("log.json", "d\n");
    rename_log("log.json", "log.json.1");
    append("log.json", "e\n");
    age("log.json.3", 3);
    age("log.json.2", 2);
    age("log.json.1", 1);
    assert_string_equal(read_all(), "b c d e ");
    append("log.json", "f\n");
    assert_string_equal(read_all(), "f ");
    assert_string_equal(said, "");
}

static void test_renamed_and_looked_at_in_between(void **state)
{
    (void)state;
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    append("log.json", "b\n");
    rename_log("log.json", "log.json.1");
    assert_string_equal(read_all(), "b ");
    append("log.json", "c\n");
    assert_string_equal(read_all(), "c ");
    rename_log("log.json.1", "log.json.2");
    rename_log("log.json", "log.json.1");
    append("log.json", "d\n");
    assert_string_equal(read_all(), "d ");
}

static void test_copied_and_emptied(void **state)
{
    (void)state;
    append("log.json", "a1\n");
    assert_string_equal(read_all(), "a1 ");
    append("log.json", "b1\n"); /* was not read when the file was copied */
    copy_and_empty("log.json", "log.json.1");
    append("log.json", "c1\n");
    assert_string_equal(read_all(), "b1 c1 ");
    /* and where it has grown beyond its old size before anybody looked */
    append("log.json", "d1\n");
    copy_and_empty("log.json", "log.json.2");
    append("log.json", "e1\nf1\ng1\n");
    assert_string_equal(read_all(), "d1 e1 f1 g1 ");
}

static void test_old_file_is_let_go(void **state)
{
    (void)state;
    struct book_counters counters = {0};
    append("log.json", "a\n");
    read_all();
    rename_log("log.json", "log.json.1");
    append("log.json.1", "last");
    append("log.json", "b\n");
    assert_string_equal(read_all(), "b ");
    now += FOLLOWER_LINGER_MS + 1;
    /* a last line that nobody will end any more */
    assert_string_equal(read_all(), "last ");
    now += FOLLOWER_LINGER_MS + 1;
    assert_string_equal(read_all(), "");
    follower_count(follower, &counters);
    assert_int_equal(counters.logs_open, 1);
}

/* --- restarts ------------------------------------------------------------------------------------
 */

static void test_restart_at_its_place(void **state)
{
    (void)state;
    append("log.json", "a\nb\n");
    assert_string_equal(read_all(), "a b ");
    append("log.json", "c\n");
    restart();
    assert_string_equal(read_all(), "c ");
    restart();
    assert_string_equal(read_all(), "");
    assert_string_equal(said, "");
}

static void test_restart_behind_rotations(void **state)
{
    (void)state;
    append("log.json", "a\n");
    assert_string_equal(read_all(), "a ");
    follower_free(follower);
    follower = NULL;
    append("log.json", "b\n");
    rename_log("log.json", "log.json.2");
    age("log.json.2", 200);
    append("log.json.1", "c\n");
    age("log.json.1", 100);
    append("log.json", "d\n");
    /* older than what was read, and no log */
    append("log.json.3", "old\n");
    age("log.json.3", 300);
    append("log.json.0.gz", "packed\n");
    restart();
    assert_string_equal(read_all(), "b c d ");
    assert_string_equal(said, "");
}

static void test_restart_behind_a_copy(void **state)
{
    (void)state;
    append("log.json", "a1\n");
    assert_string_equal(read_all(), "a1 ");
    follower_free(follower);
    follower = NULL;
    append("log.json", "b1\n");
    copy_and_empty("log.json", "log.json.1");
    append("log.json", "c1\nd1\n"); /* as long as what was read */
    restart();
    assert_string_equal(read_all(), "b1 c1 d1 ");
    assert_string_equal(said, "");
    restart();
    assert_string_equal(read_all(), "");
}

static void test_restart_where_the_old_file_is_gone(void **state)
{
    (void)state;
    append("log.json", "aa\nbb\n");
    assert_string_equal(read_all(), "aa bb ");
    unlink(path_of("log.json"));
    append("log.json", "c\n");
    restart();
    assert_string_equal(read_all(), "c ");
    assert_non_null(strstr(said, "another file than the one that was read up to line 2"));
}

/** Another file has the inode of the old one, and is longer. */
static void test_same_inode_other_file(void **state)
{
    (void)state;
    append("log.json", "aaa\n");
    assert_string_equal(read_all(), "aaa ");
    FILE *file = fopen(path_of("log.json"), "we");
    assert_non_null(file);
    fputs("bbbb\ncccc\n", file);
    fclose(file);
    restart();
    assert_string_equal(read_all(), "bbbb cccc ");
}

/** The folder was copied to another disk: other inodes, the same octets. */
static void test_moved_to_another_inode(void **state)
{
    (void)state;
    append("log.json", "a\nb\n");
    assert_string_equal(read_all(), "a b ");
    rename_log("log.json", "kept");
    append("log.json", "a\nb\nc\n");
    unlink(path_of("kept"));
    restart();
    assert_string_equal(read_all(), "c ");
}

/** A log that was never followed has a past. */
static void test_first_start_reads_what_was_rotated(void **state)
{
    (void)state;
    append("log-20261126.json", "a\n");
    age("log-20261126.json", 200);
    append("log.json.1", "b\n");
    age("log.json.1", 100);
    append("log.json", "c\n");
    append("log.jsonx", "no\n");
    append("logs-1.json", "no\n");
    assert_string_equal(read_all(), "a b c ");
    restart();
    assert_string_equal(read_all(), "");
}

static void test_names_of_rotated_logs(void **state)
{
    (void)state;
    static const char *const are[] = {"log.json.1", "log.json-20261128", "log-20261128.json",
                                      "log.1.json"};
    static const char *const are_not[] = {"log.json",      "log.json.1.gz", "log.json.old",
                                          "log2.json",     "xlog.json.1",   "log.json1",
                                          "log.json-2.xz", "log",           "logs.1.json"};
    for (size_t i = 0; i < sizeof(are) / sizeof(are[0]); i++) {
        assert_true(sibling_name(are[i], "log.json"));
    }
    for (size_t i = 0; i < sizeof(are_not) / sizeof(are_not[0]); i++) {
        assert_false(sibling_name(are_not[i], "log.json"));
    }
    assert_true(sibling_name("log.1", "log"));
    assert_false(sibling_name("log", "log"));
}

/** A change wakes at once, another file's does not. */
static void test_wakes(void **state)
{
    (void)state;
    append("log.json", "a\n");
    read_all();
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    append("log.json", "b\n");
    follower_wait(follower, 20000, -1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true(end.tv_sec - begin.tv_sec < 15);
    append("other", "x\n");
    clock_gettime(CLOCK_MONOTONIC, &begin);
    follower_wait(follower, 300, -1);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 >=
                250);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_grows),
        TEST(test_not_there_yet),
        TEST(test_folder_comes_and_goes),
        TEST(test_many_files),
        TEST(test_line_that_is_too_long),
        TEST(test_more_than_a_batch),
        TEST(test_no_regular_file),
        TEST(test_renamed),
        TEST(test_renamed_more_than_once_between_two_looks),
        TEST(test_renamed_and_looked_at_in_between),
        TEST(test_copied_and_emptied),
        TEST(test_old_file_is_let_go),
        TEST(test_restart_at_its_place),
        TEST(test_restart_behind_rotations),
        TEST(test_restart_behind_a_copy),
        TEST(test_restart_where_the_old_file_is_gone),
        TEST(test_same_inode_other_file),
        TEST(test_moved_to_another_inode),
        TEST(test_first_start_reads_what_was_rotated),
        TEST(test_names_of_rotated_logs),
        TEST(test_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
