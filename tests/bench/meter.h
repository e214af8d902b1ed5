/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Time, instructions and memory of the thread that asks. */
#ifndef TESTS_BENCH_METER_H
#define TESTS_BENCH_METER_H

#include <stdint.h>

struct meter {
    int perf;
};

struct reading {
    uint64_t wall_ns;
    uint64_t cpu_ns;
    /** instructions in user space; 0 where the machine does not count them */
    uint64_t instructions;
};

/** Begin to count for this thread. */
void meter_open(struct meter *meter);
void meter_close(struct meter *meter);

/** Everything since meter_open() or some fixed time: only differences mean anything. */
struct reading meter_read(const struct meter *meter);

/** \return a clock that only goes forward */
uint64_t meter_wall_ns(void);

/** \return octets of this process in memory */
uint64_t meter_resident_octets(void);

#endif
