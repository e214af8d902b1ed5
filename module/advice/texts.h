/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The sentences of one language, as templates.
 *
 * In a template stands {domain}, {zone}, {host} (the record's host as DNS consoles write it: @ or a
 * label), {www} (another host), {target}, {mx} (the MX records in a row), {foreign} (those to
 * delete), {provider}, {include} or {kind}.
 */
#ifndef MXCLASH_ADVICE_TEXTS_H
#define MXCLASH_ADVICE_TEXTS_H

#include "advice/advice.h"

/** A template by the word that it belongs to. */
struct text {
    const char *key;
    const char *text;
};

struct texts {
    /**
     * What is wrong, by kind; with `KIND/MORE` where more is known: `cname-at-apex/mx` with an MX,
     * `foreign-mx/sure` with known foreign hosts, `incomplete-mx/add-final-dot`,
     * `spf-missing/SPF`. The last one, of key "", is for kinds that are not known.
     */
    const struct text *faults;
    /** before a fault that is suspected only */
    const char *suspected;
    /** What senders meet, by `KIND/IMPACT`, else by impact, else by kind; the last one, of key "",
     * is for what is not known. */
    const struct text *impacts;
    /** behind an impact */
    const char *hides_spf;
    const char *authorities_differ;
    /** Steps by word of advice. */
    const struct text *ways;
    /** the first step; the one that several ways follow; the records as they should be; the last
     * step */
    const char *prepare;
    const char *choose;
    const char *records;
    const char *wait;
    /** in place of a name that is not known */
    const char *some_target;
    const char *some_provider;
    const char *some_include;
    const char *no_mx;
    /** between two records in a row */
    const char *comma;
    /** the letter: up to the fault, before the steps */
    const char *greeting;
    const char *before_steps;
};

extern const struct texts texts_english;
extern const struct texts texts_chinese;

#endif
