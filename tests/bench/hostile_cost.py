# SPDX-License-Identifier: BSD-3-Clause
"""Instructions that the dearest answers cost: the detector alone, and within Unbound beside what
Unbound itself spends on reading the same message. Needs valgrind; some minutes.

Prints the table of docs/security.md, and writes the figures to build/bench/hostile.json.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from lab import BUILD, wait_until  # noqa: E402
from liar import Liar, reply  # noqa: E402
from resolver import Unbound  # noqa: E402

PROGRAM = BUILD / "tests" / "hostile_answers"
SLOW_S = 120
QUESTION_TYPES = {1: "A", 15: "MX", 16: "TXT"}
# Functions of Unbound that read a message, and the one of ours that it calls.
READING = ("parse_packet", "scrub_message", "dns_alloc_msg")
OURS = "upstream_answer"


def names():
    return subprocess.run([PROGRAM], capture_output=True, text=True, check=True).stdout.split()


def message(name):
    return subprocess.run([PROGRAM, name], capture_output=True, check=True).stdout


def alone(name, count):
    """Instructions of one mxclash_inspect(), the count-th of that message."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
        + [PROGRAM, name, str(count)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


class Counted(Unbound):
    """Unbound under callgrind."""

    def command(self):
        profile = f"--callgrind-out-file={self.folder / 'profile'}"
        return ["valgrind", "--tool=callgrind", profile, *super().command()]

    def is_ready(self):
        return "start of service" in self.log


def inclusive(profile):
    """Inclusive instructions by function name."""
    text = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", profile],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {}
    for line in text.splitlines():
        match = re.match(r"\s*([\d,]+) \([^)]*\)\s+\S*:([\w.]+)", line)
        if match:
            function = match[2].split(".")[0]
            found[function] = max(found.get(function, 0), int(match[1].replace(",", "")))
    return found


def within_unbound(octets, folder):
    """(Unbound's own instructions of reading the message, ours with all that we call)."""
    rdtype = QUESTION_TYPES[octets[12 + 13] << 8 | octets[12 + 14]]

    def answer(query, tcp):
        if str(query.question[0].name) != "victim.test.":
            return reply(query, rcode=3).to_wire()
        if not tcp:
            return reply(query, flags=0x0200).to_wire()
        return query.id.to_bytes(2, "big") + octets[2:]

    with Liar(answer) as liar:
        unbound = Counted(
            folder,
            {"test": liar},
            settings={"qname-minimisation": "no", "do-not-query-localhost": "no"},
            mxclash={"probe": "no"},
            http=None,
        )
        unbound.launch()
        try:
            wait_until(unbound.is_ready, SLOW_S, "Unbound under valgrind")
            unbound.ask("victim.test", rdtype, timeout_s=SLOW_S, tcp=True)
        finally:
            unbound.stop()
    cost = inclusive(folder / "profile")
    return sum(cost.get(function, 0) for function in READING), cost.get(OURS, 0)


HEAD = """\
| message | records | ours | ours, again | Unbound's reading |
|---|--:|--:|--:|--:|"""


def main():
    rows = []
    print(HEAD)
    with tempfile.TemporaryDirectory() as scratch:
        for name in names():
            octets = message(name)
            unbounds, ours = within_unbound(octets, Path(scratch) / name)
            rows.append(
                {
                    "message": name,
                    "octets": len(octets),
                    "records": octets[6] << 8 | octets[7],
                    "alone_first": alone(name, 1),
                    "alone_again": alone(name, 2),
                    "unbound_reading": unbounds,
                    "in_unbound": ours,
                }
            )
            row = rows[-1]
            counts = ("records", "alone_first", "alone_again", "unbound_reading")
            print("|", " | ".join([f"`{name}`", *(f"{row[count]:,}" for count in counts)]), "|")
    (BUILD / "bench").mkdir(exist_ok=True)
    (BUILD / "bench" / "hostile.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
