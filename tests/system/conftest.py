# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures: the authorities, once for all tests, and resolvers, afresh for each test."""

import contextlib
import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import port_53_missing  # noqa: E402
from resolver import Unbound  # noqa: E402
from world import SYSTEM, World  # noqa: E402


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Every authority, each zone told to the resolver."""
    folder = tmp_path_factory.mktemp("world")
    with World(folder, SYSTEM, delegated=False, tinydns=not port_53_missing()) as found:
        yield found


@pytest.fixture(scope="session")
def delegated(tmp_path_factory):
    """Every authority on port 53, the zones found by referrals from a small root."""
    if reason := port_53_missing():
        pytest.skip(reason)
    with World(tmp_path_factory.mktemp("delegated"), SYSTEM, delegated=True) as found:
        yield found


@pytest.fixture
def needs_tinydns():
    if reason := port_53_missing():
        pytest.skip(f"tinydns: {reason}")


@pytest.fixture
def start(tmp_path):
    """start(upstreams, **options): an Unbound (see there), stopped after the test."""
    numbers = itertools.count(1)
    with contextlib.ExitStack() as stack:

        def start_one(upstreams, **options):
            folder = tmp_path / f"unbound-{next(numbers)}"
            return stack.enter_context(Unbound(folder, upstreams, **options))

        yield start_one


# Files that take longest: begun first, so that no process has one of them left when all else is done.
LONGEST = ("attack_dnstap", "operation", "chains", "errands_rate", "serve_http", "book", "repair")


def pytest_collection_modifyitems(items):
    def rank(item):
        name = item.path.stem.removeprefix("test_")
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=rank)
