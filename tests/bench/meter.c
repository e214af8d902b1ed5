/* SPDX-License-Identifier: BSD-3-Clause */
/** \file Time, instructions and memory: see meter.h. */
#include "meter.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec at;

    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t meter_wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void meter_open(struct meter *meter)
{
    struct perf_event_attr counter;

    memset(&counter, 0, sizeof(counter));
    counter.size = sizeof(counter);
    counter.type = PERF_TYPE_HARDWARE;
    counter.config = PERF_COUNT_HW_INSTRUCTIONS;
    counter.exclude_kernel = 1;
    counter.exclude_hv = 1;
    meter->perf = (int)syscall(SYS_perf_event_open, &counter, 0, -1, -1, 0);
}

void meter_close(struct meter *meter)
{
    if (meter->perf >= 0)
        close(meter->perf);
}

struct reading meter_read(const struct meter *meter)
{
    struct reading reading = {.wall_ns = clock_ns(CLOCK_MONOTONIC),
                              .cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID)};

    if (meter->perf < 0 || read(meter->perf, &reading.instructions, sizeof(uint64_t)) != 8)
        reading.instructions = 0;
    return reading;
}

uint64_t meter_resident_octets(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long size, resident = 0;

    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
