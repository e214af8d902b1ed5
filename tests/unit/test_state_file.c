/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The state file: whole or not at all, and nothing of the operator's is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detector.h"
#include "runtime/state_file.h"

#define CONFLICTS 20

static struct {
    char folder[64];
    char path[96], beside[112], aside[112];
    unsigned lines;
    char last[512];
    struct state_file file;
} at;

static void take_line(void *context, const char *line)
{
    (void)context;
    at.lines++;
    snprintf(at.last, sizeof(at.last), "%s", line);
}

static int set_up(void **state)
{
    detector_setup(state);
    memset(&at, 0, sizeof(at));
    strcpy(at.folder, P_tmpdir "/mxclash-state-XXXXXX");
    assert_non_null(mkdtemp(at.folder));
    snprintf(at.path, sizeof(at.path), "%s/state", at.folder);
    snprintf(at.beside, sizeof(at.beside), "%s.new", at.path);
    snprintf(at.aside, sizeof(at.aside), "%s.bad", at.path);
    state_file_init(&at.file, at.path, take_line, NULL);
    for (unsigned i = 0; i < CONFLICTS; i++) {
        char owner[32];

        snprintf(owner, sizeof(owner), "d%u.test", i);
        see(owner, MX_IS_BOTH());
        assert_true(client_mx(owner, true));
        detector.now += SECOND;
    }
    return 0;
}

static int tear_down(void **state)
{
    unlink(at.path);
    unlink(at.beside);
    unlink(at.aside);
    assert_int_equal(rmdir(at.folder), 0);
    return detector_teardown(state);
}

/** Another start. \return how many conflicts are open then */
static uint64_t start_anew(void)
{
    struct mxclash_options options = detector_options();
    mxclash_time now = detector.now;

    options.seed = 4711;
    detector_begin(&options);
    detector.now = now;
    at.lines = 0;
    state_file_read(&at.file, detector.engine, detector.now);
    expect_no_event();
    return stats_now().open_now[mxclash_cname_and_mx][mxclash_confirmed];
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void test_there_and_back(void **state)
{
    struct stat status;

    (void)state;
    assert_true(state_file_write(&at.file, detector.engine));
    assert_int_equal(at.file.written, 1);
    assert_int_equal(at.lines, 0);
    assert_false(is_there(at.beside));
    assert_int_equal(stat(at.path, &status), 0);
    assert_int_equal(status.st_mode & 0007, 0);
    assert_int_equal(start_anew(), CONFLICTS);
    assert_int_equal(at.lines, 1);
    assert_non_null(strstr(at.last, "gave 20 domains in conflict, 0 left out"));
    assert_true(is_there(at.path));
    /* what was told is not told again */
    see("d3.test", MX_IS_BOTH());
    expect_no_event();
}

static void test_no_file(void **state)
{
    (void)state;
    assert_int_equal(start_anew(), 0);
    assert_int_equal(at.lines, 0);
}

/** Cut anywhere, and with any octet changed, it is set aside; what can be read of it holds. */
static void test_not_whole(void **state)
{
    static char whole[1 << 16], seen[1 << 16];
    size_t octets;
    FILE *file;

    (void)state;
    assert_true(state_file_write(&at.file, detector.engine));
    file = fopen(at.path, "r");
    assert_non_null(file);
    octets = fread(whole, 1, sizeof(whole), file);
    fclose(file);
    assert_in_range(octets, CONFLICTS * 100, sizeof(whole) - 1);
    for (size_t i = 0; i < octets; i += 1 + i / 7) {
        for (int change = 0; change < 2; change++) {
            size_t left = change ? octets : i;
            uint64_t open;

            whole[i] ^= (char)(change ? 0x55 : 0);
            file = fopen(at.path, "w");
            assert_int_equal(fwrite(whole, 1, left, file), left);
            fclose(file);
            open = start_anew();
            assert_in_range(open, 0, CONFLICTS);
            assert_int_equal(at.lines, 2);
            assert_false(is_there(at.path));
            file = fopen(at.aside, "r");
            assert_non_null(file);
            assert_int_equal(fread(seen, 1, sizeof(seen), file), left);
            fclose(file);
            assert_memory_equal(seen, whole, left);
            whole[i] ^= (char)(change ? 0x55 : 0);
        }
    }
    /* something behind the end */
    file = fopen(at.path, "w");
    assert_int_equal(fwrite(whole, 1, octets, file), octets);
    fputc(0, file);
    fclose(file);
    assert_int_equal(start_anew(), CONFLICTS);
    assert_true(is_there(at.aside));
    assert_false(is_there(at.path));
}

/** What is no file is left alone, and does not hold the start up. */
static void test_no_regular_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(at.path, 0600), 0);
    assert_int_equal(start_anew(), 0);
    assert_int_equal(at.lines, 1);
    assert_non_null(strstr(at.last, "cannot be read"));
    assert_true(is_there(at.path));
    unlink(at.path);
    assert_int_equal(mkdir(at.path, 0700), 0);
    assert_int_equal(start_anew(), 0);
    assert_int_equal(at.lines, 1);
    rmdir(at.path);
}

/** A write that fails is said once and counted, and leaves what was there. */
static void test_cannot_be_written(void **state)
{
    (void)state;
    assert_true(state_file_write(&at.file, detector.engine));
    /* whoever may do everything may not write into a folder either */
    assert_int_equal(mkdir(at.beside, 0700), 0);
    assert_false(state_file_write(&at.file, detector.engine));
    assert_false(state_file_write(&at.file, detector.engine));
    assert_int_equal(at.file.failures, 2);
    assert_int_equal(at.lines, 1);
    assert_non_null(strstr(at.last, "cannot be written"));
    assert_int_equal(rmdir(at.beside), 0);
    assert_true(state_file_write(&at.file, detector.engine));
    assert_int_equal(at.lines, 2);
    assert_non_null(strstr(at.last, "is written again"));
    assert_int_equal(start_anew(), CONFLICTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_there_and_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_regular_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_be_written, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
