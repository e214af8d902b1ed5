# SPDX-License-Identifier: BSD-3-Clause
"""The clock jumps a day ahead and a day back, again and again: what is found, proved, cleared and
told goes on at once, by the clock that holds, and nothing is told that did not happen."""

import datetime
import mmap
import struct
import time

import pytest
from lab import BUILD, Authority, wait_until
from resolver import EVENT_TIMEOUT_S, Unbound
from watcher import watching

DAY_S = 86400
# To where the clock jumps, from the true time.
JUMPS_S = (DAY_S, 0, -DAY_S, 0, DAY_S, -DAY_S, DAY_S, 0)
# Seconds by which the time of an event may differ from that of who reads it.
LATE_S = 30
ASK_EVERY_S = 0.2
BROKEN = "  {0} 5 CNAME www.cdn.test.\n  {0} 5 MX 5 mx.cdn.test.\n"
# No MX any more. Who asks A still gets the CNAME, so that it is mended only a proof shows.
MENDED = "  {0} 5 CNAME www.cdn.test.\n"


def scenario(domains):
    """`domains` is a dict from a name to whether it is broken."""
    return "zone test\n  answer by-type\n" + "".join(
        (BROKEN if broken else MENDED).format(name) for name, broken in domains.items()
    )


class Jumping(Unbound):
    """An Unbound whose clock jump() sets."""

    def configure(self):
        super().configure()
        path = self.folder / "clock"
        path.write_bytes(bytes(8))
        with open(path, "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), 8)

    def environment(self):
        return {
            **super().environment(),
            "LD_PRELOAD": str(BUILD / "tests" / "moved_clock.so"),
            "MOVED_CLOCK": str(self.folder / "clock"),
        }

    def jump(self, offset_s):
        self.clock[:] = struct.pack("q", offset_s)


def assert_time(event, offset_s):
    """The time in the log is that of the clock which holds."""
    told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=offset_s)
    assert abs((now - told).total_seconds()) < LATE_S


def asked_until_cleared(unbound, name):
    """Ask A, each time of the authority, until a proof is made. Returns the event."""

    def cleared():
        unbound.control(f"flush_zone {name}")
        unbound.ask(name, "A")
        time.sleep(ASK_EVERY_S)
        return unbound.events(event="cleared", domain=name)

    return wait_until(cleared, EVENT_TIMEOUT_S, f"the end of {name}")[0]


@pytest.mark.parametrize("threads", [1, 4])
def test_clock_jumps(world, tmp_path, threads):
    domains = {f"d{number}": True for number in range(len(JUMPS_S) + 1)}
    with Authority(tmp_path / "own", scenario(domains)) as own:
        unbound = Jumping(
            tmp_path / "unbound",
            {**world.upstreams, "test": own},
            # a jump of two days is as long as the default of expire-after
            mxclash={"recheck-interval": 1, "expire-after": 7 * DAY_S},
            threads=threads,
        )
        with unbound, watching(unbound, f"clock: {len(JUMPS_S)} jumps, {threads} threads"):
            told = []

            def opens(name, offset_s):
                unbound.ask(f"{name}.test", "A")
                unbound.ask(f"{name}.test", "MX")
                event = unbound.wait_event(
                    event="opened", domain=f"{name}.test", state="confirmed"
                )
                assert_time(event, offset_s)
                told.append(("opened", f"{name}.test"))

            names = list(domains)
            opens(names[0], 0)
            for number, offset_s in enumerate(JUMPS_S, 1):
                # what opened by the clock before is mended; the clock jumps; it is asked again
                before = names[number - 1]
                domains[before] = False
                own.play(scenario(domains))
                unbound.jump(offset_s)
                opens(names[number], offset_s)
                assert_time(asked_until_cleared(unbound, f"{before}.test"), offset_s)
                told.append(("cleared", f"{before}.test"))
            metrics = unbound.metrics()
        found = [(event["event"], event["domain"]) for event in unbound.conflicts()]
        assert sorted(found) == sorted(told)
        assert metrics['mxclash_conflicts{kind="cname-and-mx",state="confirmed"}'] == 1
