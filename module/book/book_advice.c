/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A conflict of the book as advice takes it: see book_advice.h. */
#include "book/book_advice.h"

void book_advice_make(struct book_advice *advice, const struct book_conflict *conflict,
                      const struct providers *providers)
{
    advice->of = (struct advice_case){
        .domain = conflict->domain,
        .kind = conflict->kind,
        .state = conflict->state,
        .impact = conflict->impact,
        .zone = conflict->zone,
        .apex = conflict->apex,
        .cname_target = conflict->cname_target,
        .mx_count = conflict->mx_count,
        .mx = advice->mx,
        .hides_spf = conflict->hides_spf,
        .spf = conflict->spf,
        .authorities_differ = conflict->authorities_differ,
        .advice_count = conflict->advice_count,
        .advice = conflict->advice,
    };
    for (size_t i = 0; i < conflict->mx_count; i++) {
        advice->mx[i] = (struct advice_mx){.preference = conflict->mx[i].preference,
                                           .exchange = conflict->mx[i].exchange};
    }
    advice_use_provider(&advice->of, providers, conflict->provider, &advice->provider);
}
