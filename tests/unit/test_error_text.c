/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The text of an errno, with the strerror_r() of POSIX; the logs of all tests show GNU's. */
#undef _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

/* compiled here, or it would be GNU's */
#include "../../module/output/error_text.c"

static void test_texts(void **state)
{
    char buffer[ERROR_TEXT_MAX];

    (void)state;
    assert_string_equal(error_text(ENOENT, buffer), "No such file or directory");
    assert_ptr_equal(error_text(EACCES, buffer), buffer);
    assert_string_equal(buffer, "Permission denied");
    assert_string_equal(error_text(-1, buffer), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};

    return cmocka_run_group_tests_name("error_text", tests, NULL, NULL);
}
