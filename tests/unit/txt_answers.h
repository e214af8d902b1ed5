/* SPDX-License-Identifier: BSD-3-Clause */
/** \file TXT answers for a detector: an authority's, as they come by and as a proof gets them. */
#ifndef MXCLASH_TESTS_TXT_ANSWERS_H
#define MXCLASH_TESTS_TXT_ANSWERS_H

#include "detector.h"
#include "txt.h"

/** \param proof  whose question it answers, NULL if none asked */
static inline void txt_answer(const char *owner, const char *text,
                              const struct mxclash_proof *proof)
{
    static struct message m;
    const struct reply reply = {.qtype = wire_type_txt};

    message_begin(&m, MESSAGE_AA, owner, wire_type_txt);
    message_txt(&m, owner, 600, text);
    assert_int_equal(detector_hand_in(&m, &reply, owner, proof, proof != NULL ? wire_type_txt : 0),
                     mxclash_ok);
}

static inline void see_txt(const char *owner, const char *text)
{
    txt_answer(owner, text, NULL);
}

#endif
