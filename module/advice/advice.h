/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * What to tell people of a conflict, in English and Chinese: what is wrong, what senders meet, and
 * the repair steps with the domain's own names in them.
 *
 * Pure functions: they read no file, no clock and no table. The steps follow the help pages of
 * Alibaba Mail on a CNAME beside an MX (docs/detection.md, Advice).
 *
 * Everything is plain text: who shows it as HTML must escape it. Names and words are those of the
 * event log, so a name holds nothing but printable ASCII; a word that is not known here is told as
 * it is.
 */
#ifndef MXCLASH_ADVICE_ADVICE_H
#define MXCLASH_ADVICE_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum advice_language {
    advice_english = 0,
    advice_chinese,
    ADVICE_LANGUAGES,
};

/** As in HTML's lang=: en, zh-CN. */
extern const char *const advice_language_tags[ADVICE_LANGUAGES];

struct advice_mx {
    unsigned preference;
    const char *exchange;
};

/** A conflict, as the log tells of it. All is borrowed for the call. */
struct advice_case {
    const char *domain;
    const char *kind;
    /** NULL: as confirmed */
    const char *state;
    /** NULL: as unknown */
    const char *impact;
    /** NULL if not known: then the domain is taken for the top of its zone as far as apex allows */
    const char *zone;
    /** 1, 0; -1: not known */
    int apex;
    const char *cname_target;
    size_t mx_count;
    const struct advice_mx *mx;
    /** bit i: mx[i] is not the provider's and is to be deleted; 0 where that is not known */
    uint32_t foreign;
    /** 1: the CNAME hides an SPF record too */
    int hides_spf;
    /** of kind spf-missing; may be NULL */
    const char *spf;
    /** 1: the authorities have different copies of the zone */
    int authorities_differ;
    /** for people; NULL if none */
    const char *provider;
    /** the MX set that the provider documents; 0 if not known */
    size_t expected_count;
    const struct advice_mx *expected;
    /** the include that the provider documents; NULL if not known */
    const char *spf_include;
    /** words of the event's advice; a word that is not known here is passed over */
    size_t advice_count;
    const char *const *advice;
};

#define ADVICE_STEPS_MAX 16

/** One step of a repair. */
struct advice_step {
    /** One of several ways to do the step before it, which says so. */
    bool alternative;
    /** word of the event's advice that it belongs to; NULL: to none */
    const char *word;
    /** one or two sentences */
    char *text;
    /** lines `HOST TYPE [PREFERENCE] VALUE` that belong to it, each ends with a line end; NULL if
     * none */
    char *records;
};

struct advice {
    /** what is wrong, in one sentence */
    char *fault;
    /** what senders meet, in one or two sentences */
    char *impact;
    size_t step_count;
    struct advice_step steps[ADVICE_STEPS_MAX];
};

/**
 * Write what is to be told.
 * \param[out] advice  freed with advice_free(); valid only on true
 * \return false if there is no memory
 */
bool advice_make(const struct advice_case *of, enum advice_language language,
                 struct advice *advice);

void advice_free(struct advice *advice);

/**
 * The same as one text, ready to be sent to the domain's owner: a greeting, the fault, what
 * senders meet, the steps with numbers.
 * \return freed by the caller; NULL if there is no memory
 */
char *advice_letter(const struct advice_case *of, enum advice_language language);

#endif
