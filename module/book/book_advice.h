/* SPDX-License-Identifier: BSD-3-Clause */
/** \file A conflict of the book as advice takes it. */
#ifndef MXCLASH_BOOK_BOOK_ADVICE_H
#define MXCLASH_BOOK_BOOK_ADVICE_H

#include "advice/advice.h"
#include "advice/provider.h"
#include "book/book.h"

struct book_advice {
    struct advice_case of;
    /** what of borrows besides the conflict */
    struct advice_mx mx[BOOK_MX_MAX];
    struct advice_provider provider;
};

/**
 * \param[out] advice  borrows from conflict and providers; not to be moved
 * \param providers  as in advice_use_provider()
 */
void book_advice_make(struct book_advice *advice, const struct book_conflict *conflict,
                      const struct providers *providers);

#endif
