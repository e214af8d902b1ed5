# SPDX-License-Identifier: BSD-3-Clause
"""The manual pages: without fault for mandoc, and complete in the words of the contract."""

import re
import shutil
import subprocess

import pytest
from lab import REPOSITORY

DOCS = REPOSITORY / "docs"
MANUALS = sorted(DOCS.glob("*.[1-9]"))
OVERVIEW = DOCS / "mxclash.7"
# Manuals of others that ours may name.
OF_OTHERS = {
    *("unbound 8", "unbound.conf 5", "unbound-control 8"),
    *("systemd 1", "systemd.socket 5", "fstrm_capture 1"),
}
# What mandoc says of a manual that is not installed.
NOT_FOUND = re.compile(r"referenced manual not found: Xr (\S+ \d)")
# Where the words of events come from, by function.
WORDS = ("kind", "state", "event_type", "impact", "advice")


def own():
    return {f"{path.stem} {path.suffix[1:]}" for path in MANUALS}


def test_there_are_three():
    assert own() >= {"mxclash 1", "mxclash.conf 5", "mxclash 7"}


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_mandoc_finds_no_fault(manual):
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not there")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", manual], capture_output=True, text=True, check=False
    )
    # what else it says is of this machine's own manuals
    said = (done.stdout + done.stderr).splitlines()
    lines = [line for line in said if line.startswith(f"mandoc: {manual}:")]
    missing = [found[1] for line in lines if (found := NOT_FOUND.search(line))]
    assert set(missing) <= own() | OF_OTHERS
    assert [line for line in lines if not NOT_FOUND.search(line)] == []


@pytest.mark.parametrize("manual", MANUALS, ids=lambda path: path.name)
def test_a_manual_names_the_others(manual):
    named = set(re.findall(r"^\.Xr (\S+ \d)", manual.read_text(), re.MULTILINE))
    assert own() - {f"{manual.stem} {manual.suffix[1:]}"} <= named
    assert named <= own() | OF_OTHERS


def words_of(function):
    """What a mxclash_..._name() of the detector can say."""
    sources = (REPOSITORY / "module" / "core").rglob("*.c")
    text = "\n".join(path.read_text() for path in sources)
    body = re.search(rf"mxclash_{function}_name\([^)]*\)\n\{{(.*?)\n\}}", text, re.DOTALL)[1]
    return re.findall(r'"([a-z-]+)"', body)


@pytest.mark.parametrize("function", WORDS)
def test_the_overview_has_every_word(function):
    found = words_of(function)
    assert len(found) >= 2
    page = OVERVIEW.read_text().split()
    assert [word for word in found if word not in page] == []
