/* SPDX-License-Identifier: BSD-3-Clause */
/** \file What the machine itself does to us: AppArmor and the clock. See doctor.h. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

#include "cli/doctor.h"

/** Clocks of machines that wrote a file may be ahead by so much. */
#define LEEWAY_S 86400

static const char apparmor[] = "apparmor";

/** The first line of a file; "" if it cannot be read. */
static void first_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(line, (int)size, file) == NULL) {
        line[0] = '\0';
    }
    line[strcspn(line, "\n")] = '\0';
    if (file != NULL) {
        fclose(file);
    }
}

/** Has a line of the profile the text? A comment begins with # and does not include. */
static bool mentions(const char *path, const char *text)
{
    static const char include[] = "#include ";
    FILE *file = fopen(path, "re");
    char line[1024];
    bool found = false;
    while (!found && file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *start = line + strspn(line, " \t");
        const bool comment = *start == '#' && strncmp(start, include, sizeof(include) - 1) != 0;
        found = !comment && strstr(start, text) != NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/** Debian's profile of Unbound knows nothing of us by itself. */
static void check_rules(struct doctor_findings *findings, const char *label, const char *profiles)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/local/usr.sbin.unbound", profiles);
    const bool own = mentions(path, "mxclash.so");
    const bool included = mentions(path, "include if exists <abstractions/unbound-mxclash>") ||
                          mentions(path, "include <abstractions/unbound-mxclash>");
    snprintf(path, sizeof(path), "%s/abstractions/unbound-mxclash", profiles);
    if (included && mentions(path, "mxclash.so")) {
        doctor_say(findings, doctor_ok, apparmor, NULL, "%s, with the rules for mxclash", label);
    } else if (own) {
        doctor_say(findings, doctor_warn, apparmor,
                   "see that they allow the module, and the files and sockets that mxclash.conf "
                   "names; journalctl -k | grep DENIED shows what they do not",
                   "%s: rules of your own", label);
    } else {
        doctor_say(findings, doctor_bad, apparmor,
                   "put the line: include if exists <abstractions/unbound-mxclash> into "
                   "/etc/apparmor.d/local/usr.sbin.unbound, and that file into "
                   "/etc/apparmor.d/abstractions; then say: apparmor_parser -r "
                   "/etc/apparmor.d/usr.sbin.unbound, and restart Unbound",
                   "%s: its local rules do not know mxclash", label);
    }
}

void doctor_apparmor(struct doctor_findings *findings, enum doctor_kind kind, const char *process,
                     const char *profiles)
{
    char path[PATH_MAX];
    char label[512];
    snprintf(path, sizeof(path), "%s/attr/apparmor/current", process);
    first_line(path, label, sizeof(label));
    if (label[0] == '\0' || strcmp(label, "unconfined") == 0) {
        doctor_say(findings, doctor_ok, apparmor, NULL, "the server is not confined by it");
    } else if (strstr(label, "(complain)") != NULL) {
        doctor_say(findings, doctor_ok, apparmor, NULL, "%s, which only complains", label);
    } else if (kind == doctor_unbound) {
        check_rules(findings, label, profiles);
    } else {
        doctor_say(findings, doctor_ok, apparmor, NULL,
                   "%s; places of your own belong into %s/local/usr.sbin.mxclashd", label,
                   profiles);
    }
}

void doctor_clock(struct doctor_findings *findings, const char *const known[])
{
    static const char check[] = "clock";
    static const char cure[] = "set the clock, and have a time service keep it";
    const time_t now = time(NULL);
    struct timex state = {0};
    for (size_t i = 0; known[i] != NULL; i++) {
        struct stat status;
        if (stat(known[i], &status) == 0 && status.st_mtime > now + LEEWAY_S) {
            doctor_say(findings, doctor_bad, check, cure,
                       "%s was written in the future, so the clock is behind", known[i]);
            return;
        }
    }
    if (adjtimex(&state) == TIME_ERROR) {
        doctor_say(findings, doctor_warn, check, cure,
                   "nothing keeps it right; times in events are as good as it is");
    } else {
        doctor_say(findings, doctor_ok, check, NULL, "kept right");
    }
}
