/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * The first look at an answer, which is the last one for nearly all of them. It is what every
 * answer costs a resolver: it takes nothing apart and keeps nothing.
 */
#ifndef MXCLASH_CORE_GLANCE_H
#define MXCLASH_CORE_GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Is there surely nothing in this answer that can make a suspect? Then answer_read() would call it
 * answer_dull; the converse does not hold. Threads: any.
 *
 * \param octets  the message as it came: untrusted, nothing behind len is read
 * \param[out] qname_len  octets of the name in the question, which begins behind the header;
 *     written only if true
 * \return true if it is a whole, well formed answer to one question of class IN, and its answer
 *     section has neither CNAME nor MX nor TXT; false too where an owner in it is not compressed
 */
bool glance_is_dull(const uint8_t *octets, size_t len, size_t *qname_len);

#endif
