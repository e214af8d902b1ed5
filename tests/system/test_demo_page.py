# SPDX-License-Identifier: BSD-3-Clause
"""What `make demo KEEP=1` leaves running beside the servers: the page of what was found."""

import json
import sys
import urllib.request
from pathlib import Path

from lab import wait_until
from resolver import EVENT_TIMEOUT_S

sys.path.append(str(Path(__file__).resolve().parents[1] / "demo"))

from page import Page  # noqa: E402


def test_the_page_shows_what_the_resolver_found(world, start, tmp_path):
    unbound = start(world.upstreams)
    with Page(tmp_path / "page", unbound.events_path) as page:
        with urllib.request.urlopen(f"{page.url}/") as reply:
            assert reply.headers["Content-Type"].startswith("text/html")
        unbound.ask("split.test", "A")
        unbound.wait_event(event="opened", domain="split.test")

        def shown():
            with urllib.request.urlopen(f"{page.url}/api/v1/conflicts") as reply:
                return [one["domain"] for one in json.load(reply)["conflicts"]]

        wait_until(lambda: shown() == ["split.test"], EVENT_TIMEOUT_S, "the conflict on the page")
    assert page.process.returncode == 0
