/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The steps of a repair, on a terminal. */
#ifndef MXCLASH_CLI_PRINT_ADVICE_H
#define MXCLASH_CLI_PRINT_ADVICE_H

#include "advice/advice.h"

/** Print the steps, with numbers, and letters where one of several is to be chosen. */
void cli_print_steps(const struct advice *advice, size_t columns);

#endif
