/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The order of the modules: see order.c. */
#ifndef MXCLASH_HOST_UNBOUND_ORDER_H
#define MXCLASH_HOST_UNBOUND_ORDER_H

#include "host.h"

/**
 * Are the modules in an order in which we can work?
 * \param id  our own place
 * \param[out] why  a sentence if not
 * \return the iterator's place, -1 if not
 */
int order_check(const struct config_file *cfg, int id, char *why, size_t why_size);

/** Say in the log what the order of the modules keeps from being repaired. */
void order_warn(const struct config_file *cfg, int id);

#endif
