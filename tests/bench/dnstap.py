# SPDX-License-Identifier: BSD-3-Clause
"""mxclashd alone: frames a second, out of a captured file and over its socket."""

import os
import threading
import time

from lab import DNS_PORT, Authority, free_address
from sidecar import Sidecar, read_files
from tapping import CLIENT_RESPONSE, Sender, answer, capture, frame, tap

FRAMES = 1_000_000
# of one captured file, which is repeated
FRAMES_A_FILE = 10_000
SENDERS = (1, 4)


def messages():
    """As a busy resolver sends: half are answers to clients, most of the rest plain addresses."""
    found = []
    for number in range(FRAMES_A_FILE // 20):
        name, zone = f"www{number}.example{number}.test.", f"example{number}.test."
        plain = answer(name, "A", f"{name} 300 A 192.0.2.1", f"{name} 300 A 192.0.2.2")
        alias = answer(name, "A", f"{name} 300 CNAME edge{number}.cdn.test.")
        mail = answer(zone, "MX", f"{zone} 300 MX 10 mail.{zone}")
        client = answer(name, "A", f"{name} 300 A 192.0.2.1", aa=False)
        found += [tap(4, plain, zone)] * 6 + [tap(4, alias, zone)] * 3 + [tap(4, mail, zone)]
        found += [tap(CLIENT_RESPONSE, client)] * 9
        found.append(tap(CLIENT_RESPONSE, mail))
    return found


def processor_s(pid):
    """What a process has taken of the processor, in user space and in the kernel."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def row(way, seconds, busy_s, resident_kib):
    return {
        "way": way,
        "frames": FRAMES,
        "frames_a_second": FRAMES / seconds,
        "cpu_ns": busy_s / FRAMES * 1e9,
        "resident_mib": resident_kib / 1024,
    }


def from_file(folder, octets, config):
    path = folder / "frames"
    path.write_bytes(octets)
    before = os.times()
    began = time.monotonic()
    status, told, most_kib = read_files(config, [path] * (FRAMES // FRAMES_A_FILE))
    seconds = time.monotonic() - began
    if status or f"{FRAMES} frames" not in told:
        raise RuntimeError(f"mxclashd --read: {told}")
    after = os.times()
    busy = after.children_user + after.children_system
    return row(
        "--read", seconds, busy - before.children_user - before.children_system, most_kib
    )


def over_socket(folder, octets, own, senders):
    sidecar = Sidecar(folder, resolver=own)

    def send():
        with Sender(sidecar).begin() as sender:
            for _ in range(FRAMES // FRAMES_A_FILE // senders):
                sender.send(octets)
            sender.end()

    with sidecar:
        threads = [threading.Thread(target=send) for _ in range(senders)]
        began, busy = time.monotonic(), processor_s(sidecar.pid)
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        seconds, busy = time.monotonic() - began, processor_s(sidecar.pid) - busy
        taken = sidecar.frames("inspected") + sidecar.frames("client")
        if taken != FRAMES:
            raise RuntimeError(f"{taken} of {FRAMES} frames were taken")
        way = f"unix socket, {senders} sender{'s' if senders > 1 else ''}"
        return row(way, seconds, busy, sidecar.resident_kib())


def measure(folder):
    """Rows, one for each way that frames come. Nothing in them is broken: no proof is made."""
    sent = messages()
    octets = b"".join(map(frame, sent))
    config = folder / "read.conf"
    config.write_text('http-listen: ""\nprobe: no\n')
    rows = [from_file(folder, capture(sent), config)]
    address = free_address(DNS_PORT)
    with Authority(folder / "own", "zone .\n", address, DNS_PORT) as own:
        for senders in SENDERS:
            rows.append(over_socket(folder / f"senders{senders}", octets, own, senders))
    return rows
