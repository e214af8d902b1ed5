/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Starts that fail: which configuration holds, and what the log says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "output/thread.h"
#include "report_fixture.h"
#include "runtime/runtime.h"

/** Name of the thread that the system has no room for; NULL: it has room for each. */
static const char *no_room_for;

/** In place of that of thread.c. */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument)
{
    return (no_room_for == NULL || strcmp(name, no_room_for) != 0) &&
           pthread_create(thread, NULL, run, argument) == 0;
}

/** Start with the configuration that is in the fixture's folder. */
static struct runtime *start(struct fixture *fixture, char error[CONFIG_ERROR_MAX])
{
    const struct runtime_host host = {.name = "tests",
                                      .version = "1",
                                      .config_folder = fixture->folder,
                                      .log = take_line,
                                      .context = &fixture->log};

    unsetenv("MXCLASH_CONF");
    return runtime_start(&host, SAMPLE_TIME, error);
}

static void configure(const struct fixture *fixture, const char *conf)
{
    FILE *file = fopen(conf, "we");

    assert_non_null(file);
    fprintf(file, "log-file: %s\nhttp-listen: %s/http\n", fixture->path, fixture->folder);
    assert_int_equal(fclose(file), 0);
}

static void test_events_of_start_and_stop(void **state)
{
    static const char *const threads[] = {"mxclash-report", "mxclash-tick", "mxclash-http", NULL};
    struct fixture *fixture = *state;
    char conf[128], error[CONFIG_ERROR_MAX], text[LINE_MAX_OCTETS];

    snprintf(conf, sizeof(conf), "%s/mxclash.conf", fixture->folder);
    configure(fixture, conf);
    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
        struct runtime *runtime;

        no_room_for = threads[i];
        runtime = start(fixture, error);
        if (threads[i] != NULL) {
            assert_null(runtime);
            assert_ptr_equal(strstr(error, "no thread for "), error);
            /* what never started does not stop */
            assert_true(read_file(fixture->path, text, sizeof(text)) <= 0);
            continue;
        }
        assert_non_null(runtime);
        runtime_stop(runtime, SAMPLE_TIME);
    }
    assert_true(read_file(fixture->path, text, sizeof(text)) > 0);
    assert_non_null(strstr(text, "\"event\":\"started\""));
    assert_non_null(strstr(strchr(text, '\n'), "\"event\":\"stopped\""));
    unlink(conf);
}

static void test_which_configuration_holds(void **state)
{
    struct fixture *fixture = *state;
    char conf[128], error[CONFIG_ERROR_MAX], expected[256];

    snprintf(conf, sizeof(conf), "%s/mxclash.conf", fixture->folder);
    /* no start where the file leads nowhere, or in a circle */
    assert_int_equal(symlink("gone", conf), 0);
    assert_null(start(fixture, error));
    snprintf(expected, sizeof(expected), "%s: No such file or directory", conf);
    assert_string_equal(error, expected);
    unlink(conf);
    assert_int_equal(symlink("mxclash.conf", conf), 0);
    assert_null(start(fixture, error));
    snprintf(expected, sizeof(expected), "%s: Too many levels of symbolic links", conf);
    assert_string_equal(error, expected);
    unlink(conf);
    assert_said(&fixture->log, 0, "");
    /* none at all: the defaults. They name a port that somebody may have, so go no further. */
    no_room_for = "mxclash-report";
    assert_null(start(fixture, error));
    snprintf(expected, sizeof(expected), "mxclash: no %s, the defaults hold", conf);
    assert_said(&fixture->log, 1, expected);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_events_of_start_and_stop),
        TEST(test_which_configuration_holds),
    };

    return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
