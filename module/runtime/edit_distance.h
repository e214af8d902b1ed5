/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * How far a mistyped word is from a known one.
 */
#ifndef MXCLASH_RUNTIME_EDIT_DISTANCE_H
#define MXCLASH_RUNTIME_EDIT_DISTANCE_H

/** Longest word that is compared, in octets. */
#define EDIT_DISTANCE_WORD_MAX 32
/** For words that are too long to compare. */
#define EDIT_DISTANCE_FAR 1000u

/**
 * Fewest octets to put in, take out or change so that one word becomes the other (Levenshtein);
 * ASCII letters in either case are the same.
 * \return EDIT_DISTANCE_FAR if a word has more than EDIT_DISTANCE_WORD_MAX octets
 */
unsigned edit_distance(const char *one, const char *other);

#endif
