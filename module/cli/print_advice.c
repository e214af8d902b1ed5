/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The steps of a repair: see print_advice.h. */
#include "cli/print_advice.h"

#include <stdio.h>

#include "cli/terminal.h"

void cli_print_steps(const struct advice *advice, size_t columns)
{
    unsigned number = 0;
    char letter = 'a';
    for (size_t i = 0; i < advice->step_count; i++) {
        const struct advice_step *step = &advice->steps[i];
        if (step->alternative) {
            printf("     %c) ", letter++);
            print_wrapped(stdout, step->text, columns, 8, 8);
        } else {
            printf("  %u. ", ++number);
            print_wrapped(stdout, step->text, columns, 5, 5);
            letter = 'a';
        }
        if (step->records != NULL) {
            /* a record is to be copied, so it is not cut */
            print_wrapped(stdout, step->records, 0, 8, 0);
        }
    }
}
