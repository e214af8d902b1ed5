/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The findings of `mxclash doctor`, and how they are shown: see doctor.h. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor.h"

static const char *const level_names[] = {"ok", "warn", "bad"};

void doctor_say(struct doctor_findings *findings, enum doctor_level level, const char *check,
                const char *cure, const char *format, ...)
{
    char text[3 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (findings->count == DOCTOR_FINDINGS_MAX) {
        return;
    }
    findings->finding[findings->count++] = (struct doctor_finding){
        .level = level,
        .check = check,
        .text = strdup(text),
        .cure = cure != NULL ? strdup(cure) : NULL,
    };
}

enum doctor_level doctor_worst(const struct doctor_findings *findings)
{
    enum doctor_level worst = doctor_ok;
    for (size_t i = 0; i < findings->count; i++) {
        if (findings->finding[i].level > worst) {
            worst = findings->finding[i].level;
        }
    }
    return worst;
}

static void print_text(const struct doctor_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->finding[i];
        printf("%-4s  %s: %s\n", level_names[finding->level], finding->check, finding->text);
        if (finding->cure != NULL) {
            printf("      cure: %s\n", finding->cure);
        }
    }
}

static void print_json(const struct doctor_findings *findings)
{
    json_t *list = json_array();
    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->finding[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "check", finding->check,
                                              "level", level_names[finding->level], "text",
                                              finding->text, "cure", finding->cure));
    }
    json_t *all =
        json_pack("{s:s, s:o}", "worst", level_names[doctor_worst(findings)], "findings", list);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(all);
}

void doctor_print(const struct doctor_findings *findings, bool json)
{
    if (json) {
        print_json(findings);
    } else {
        print_text(findings);
    }
}

void doctor_findings_free(struct doctor_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->finding[i].text);
        free(findings->finding[i].cure);
    }
    findings->count = 0;
}
