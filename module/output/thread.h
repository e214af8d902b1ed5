/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * \file
 * Threads of our own inside somebody else's process.
 */
#ifndef MXCLASH_OUTPUT_THREAD_H
#define MXCLASH_OUTPUT_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/**
 * Start a thread with every signal blocked: the host's handlers never run on it, and SIGPIPE or
 * SIGXFSZ of its writes never end the process.
 *
 * \param name  shown by ps and debuggers, at most 15 octets
 * \param[out] thread  to be joined by the caller; written only on true
 * \return false if the system has no room for a thread
 */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument);

#endif
