# SPDX-License-Identifier: BSD-3-Clause
"""Counts the instructions of another process, where the machine can (perf_event_open)."""

import ctypes
import os
import platform
import struct

NUMBERS = {"x86_64": 298, "aarch64": 241}
HARDWARE, INSTRUCTIONS = 0, 1
ATTRIBUTE_OCTETS = 112
# flags of struct perf_event_attr
INHERIT, EXCLUDE_KERNEL, EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6


class InstructionCounter:
    """Counts all threads of a process in user space from now on; 0 if that cannot be had."""

    def __init__(self, pid):
        attribute = struct.pack("IIQQQQQ", HARDWARE, ATTRIBUTE_OCTETS, INSTRUCTIONS, 0, 0, 0,
                                INHERIT | EXCLUDE_KERNEL | EXCLUDE_HYPERVISOR)
        attribute += bytes(ATTRIBUTE_OCTETS - len(attribute))
        number = NUMBERS.get(platform.machine())
        libc = ctypes.CDLL(None, use_errno=True)
        self.counters = []
        for task in os.listdir(f"/proc/{pid}/task") if number else ():
            counter = libc.syscall(number, attribute, int(task), -1, -1, 0)
            if counter >= 0:
                self.counters.append(counter)

    def stop(self):
        """Returns the count."""
        total = 0
        for counter in self.counters:
            total += struct.unpack("Q", os.read(counter, 8))[0]
            os.close(counter)
        self.counters = []
        return total
