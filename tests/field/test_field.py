# SPDX-License-Identifier: BSD-3-Clause
"""Plays every case of this folder: worlds that people reported, and what an expert says of each.

A case is a short text, README.md describes it; case_text.py makes a scenario of it, and
tests/replay plays that, at the defaults of mxclash.conf. A world that the short text cannot say is a
scenario in full, a .rpl file.
"""
import pathlib
import sys

import pytest

from case_text import scenario_of
from cases import cases

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "replay"))
from test_replay import describe, directives, play  # noqa: E402

# tests/replay plays with one look, cases at the default
DEFAULT_CONF = "; conf: confirm-after: 2\n"
DEFAULT_MODULES = '; module-config: "dynlib validator iterator"\n'


def prepared(path, folder):
    """The case as a scenario of tests/replay, in its folder."""
    text = scenario_of(path) if path.suffix == ".case" else path.read_text()
    if not directives(text, "module-config"):
        text = DEFAULT_MODULES + text
    text = DEFAULT_CONF + text
    scenario = folder / f"{path.stem}.rpl"
    scenario.write_text(text)
    return scenario


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_case(path, tmp_path):
    expected = directives(path.read_text(), "expect")
    assert expected, "the case does not say what is to be reported"
    if expected == ["nothing"]:
        expected = []
    (tmp_path / "play").mkdir()
    events = play(prepared(path, tmp_path), tmp_path / "play")
    told = [
        describe(event, expected[i] if i < len(expected) else None)
        for i, event in enumerate(events)
    ]
    assert told == expected
