/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What `mxclash doctor` says of AppArmor and of the clock, on machines that are made of files here:
 * that of the tests may have neither.
 */
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
#include <utime.h>

/* the command's own, in no library */
#include "cli/doctor_findings.c"
#include "cli/doctor_machine.c"

static struct doctor_findings findings;
static char folder[PATH_MAX];

static void write_file(const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/** A process with a profile, and the local rules of Unbound's profile. */
static void confine(const char *label, const char *local)
{
    write_file("attr/apparmor/current", label);
    write_file("local/usr.sbin.unbound", local);
    doctor_findings_free(&findings);
    doctor_apparmor(&findings, doctor_unbound, folder, folder);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.finding[0].check, "apparmor");
}

static int make(void **state)
{
    static const char *const parts[] = {"attr", "attr/apparmor", "local", "abstractions"};
    char path[2 * PATH_MAX];
    (void)state;
    strcpy(folder, "/tmp/test_doctor.XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
        mkdir(path, 0755);
    }
    return 0;
}

static int drop(void **state)
{
    static const char *const parts[] = {"attr/apparmor/current",
                                        "local/usr.sbin.unbound",
                                        "abstractions/unbound-mxclash",
                                        "written",
                                        "attr/apparmor",
                                        "attr",
                                        "local",
                                        "abstractions",
                                        ""};
    char path[2 * PATH_MAX];
    (void)state;
    doctor_findings_free(&findings);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, parts[i]);
        remove(path);
    }
    return 0;
}

static void test_not_confined(void **state)
{
    (void)state;
    doctor_apparmor(&findings, doctor_unbound, "/nowhere", "/nowhere");
    assert_int_equal(findings.finding[0].level, doctor_ok);
    confine("unconfined\n", "");
    assert_int_equal(findings.finding[0].level, doctor_ok);
    confine("unbound (complain)\n", "");
    assert_int_equal(findings.finding[0].level, doctor_ok);
}

static void test_rules_are_missing(void **state)
{
    (void)state;
    confine("unbound (enforce)\n", "# include if exists <abstractions/unbound-mxclash>\n");
    assert_int_equal(findings.finding[0].level, doctor_bad);
    assert_non_null(strstr(findings.finding[0].text, "unbound (enforce)"));
    assert_non_null(findings.finding[0].cure);
}

static void test_rules_of_the_package(void **state)
{
    (void)state;
    write_file("abstractions/unbound-mxclash", "  /usr/lib/mxclash/mxclash.so mr,\n");
    confine("unbound (enforce)\n", "include if exists <abstractions/unbound-mxclash>\n");
    assert_int_equal(findings.finding[0].level, doctor_ok);
    confine("unbound (enforce)\n", "  #include <abstractions/unbound-mxclash>\n");
    assert_int_equal(findings.finding[0].level, doctor_ok);
}

/** An include of what is not there allows nothing. */
static void test_rules_that_are_gone(void **state)
{
    (void)state;
    confine("unbound (enforce)\n", "include if exists <abstractions/unbound-mxclash>\n");
    assert_int_equal(findings.finding[0].level, doctor_bad);
}

static void test_rules_of_their_own(void **state)
{
    (void)state;
    confine("unbound (enforce)\n", "  /opt/mxclash.so mr,\n");
    assert_int_equal(findings.finding[0].level, doctor_warn);
    assert_non_null(findings.finding[0].cure);
}

/** Its profile is its own, and asks for nothing in that of Unbound. */
static void test_profile_of_the_sidecar(void **state)
{
    (void)state;
    write_file("attr/apparmor/current", "mxclashd (enforce)\n");
    write_file("local/usr.sbin.unbound", "");
    doctor_findings_free(&findings);
    doctor_apparmor(&findings, doctor_sidecar, folder, folder);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.finding[0].level, doctor_ok);
    assert_non_null(strstr(findings.finding[0].text, "local/usr.sbin.mxclashd"));
}

/** What was written last year was; what was written in a week was not. */
static void test_clock_behind(void **state)
{
    char path[2 * PATH_MAX];
    snprintf(path, sizeof(path), "%s/written", folder);
    const char *const known[] = {"", "/nowhere", path, NULL};
    const time_t now = time(NULL);
    (void)state;
    write_file("written", "");
    utime(path, &(struct utimbuf){.actime = now, .modtime = now - 31536000});
    doctor_clock(&findings, known);
    assert_int_equal(findings.count, 1);
    assert_int_not_equal(findings.finding[0].level, doctor_bad);
    doctor_findings_free(&findings);
    utime(path, &(struct utimbuf){.actime = now, .modtime = now + 604800});
    doctor_clock(&findings, known);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.finding[0].level, doctor_bad);
    assert_non_null(strstr(findings.finding[0].text, path));
}

int main(void)
{
#define ON_A_MACHINE(test) cmocka_unit_test_setup_teardown(test, make, drop)
    const struct CMUnitTest tests[] = {
        ON_A_MACHINE(test_not_confined),         ON_A_MACHINE(test_rules_are_missing),
        ON_A_MACHINE(test_rules_of_the_package), ON_A_MACHINE(test_rules_that_are_gone),
        ON_A_MACHINE(test_rules_of_their_own),   ON_A_MACHINE(test_profile_of_the_sidecar),
        ON_A_MACHINE(test_clock_behind),
    };

    return cmocka_run_group_tests_name("doctor_machine", tests, NULL, NULL);
}
