# SPDX-License-Identifier: BSD-3-Clause
"""docs/metrics.md names the metrics that a running module serves: all of them, types and labels."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"\| `(\w+)` \| (\w+) \| (.*?) \|")


def documented():
    inside = PAGE.read_text().split("<!-- metrics: begin -->")[1].split("<!-- metrics: end -->")[0]
    return {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in ROW.findall(inside)
    }


def served(unbound):
    """Each metric's type and the names of its labels."""
    _, _, text = unbound.http("/metrics")
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    found = {name: (kind, set()) for name, kind in types.items()}
    for name, labels in re.findall(r"^(mxclash_\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        found[name][1].update(re.findall(r'(\w+)="', labels))
    return found


def test_every_metric_is_documented(world, start):
    unbound = start(world.upstreams)
    assert documented() == served(unbound)


def test_label_values_are_documented(world, start):
    """What a label can be stands on the page too, but for the kinds, which have one of their own."""
    _, _, text = start(world.upstreams).http("/metrics")
    page = PAGE.read_text()
    values = re.findall(r'(?:reason|sink|result|outcome|source|state)="([\w-]+)"', text)
    assert values
    assert [value for value in values if f"`{value}`" not in page] == []
