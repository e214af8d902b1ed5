# SPDX-License-Identifier: BSD-3-Clause
"""CPU seconds of the resolver for a flood in which nearly every question is for a domain in
conflict (tests/system/test_attack_flood.py), without and with the module, in turn.
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from flood import flood, questions  # noqa: E402
from lab import Authority, free_address  # noqa: E402
from resolver import Unbound  # noqa: E402
from test_attack_flood import (  # noqa: E402
    FORMS,
    SMALL_CACHES,
    hoster_scenario,
    registry_scenario,
    suffix,
)

ROUNDS = 3
COUNT = 20000
TABLE_SIZE = 2 << 20


def cpu_s(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one_flood(folder, upstreams, modules):
    kinds = [f"{types}:{suffix(form)}" for form, (types, _) in FORMS.items()]
    with Unbound(
        folder,
        upstreams,
        settings={**SMALL_CACHES, "qname-minimisation": "no"},
        mxclash={"table-size": TABLE_SIZE, "log-host": "no"},
        modules=modules,
    ) as unbound:
        before_s = cpu_s(unbound.pid)
        done = flood(unbound.address, unbound.port, questions(0, COUNT, kinds))
        return done, cpu_s(unbound.pid) - before_s


def main():
    registry_address, hoster_address = free_address(53), free_address(53)
    with (
        tempfile.TemporaryDirectory() as scratch,
        Authority(
            Path(scratch) / "registry", registry_scenario(hoster_address), registry_address, 53
        ) as registry,
        Authority(Path(scratch) / "hoster", hoster_scenario(), hoster_address, 53) as hoster,
    ):
        upstreams = {**{form: registry for form in FORMS}, "target": hoster}
        print("| modules | questions | lost | CPU seconds |\n|---|--:|--:|--:|")
        for turn in range(ROUNDS):
            for modules in ("iterator", "dynlib iterator"):
                folder = Path(scratch) / f"{turn}-{modules.split()[0]}"
                done, used_s = one_flood(folder, upstreams, modules)
                print(f"| `{modules}` | {done['asked']:,} | {done['lost']} | {used_s:.2f} |")


if __name__ == "__main__":
    main()
