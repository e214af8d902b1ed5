# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios say what they are for; docs/detection.md lists them all and shows what they do."""
import json
import pathlib
import re

import pytest

from scenarios import PAGE, tables
from test_replay import play

HERE = pathlib.Path(__file__).resolve().parent
FIELDS = ("World", "Clients", "Reported", "Why")


def head_words(path):
    lines = path.read_text().splitlines()
    return [line[2:].split(":")[0] for line in lines if line.startswith("; ") and ":" in line]


@pytest.mark.parametrize("scenario", sorted(HERE.glob("*.rpl")), ids=lambda path: path.stem)
def test_the_head_says_what_and_why(scenario):
    words = [word for word in head_words(scenario) if word in FIELDS]
    assert words == list(FIELDS)


def test_the_page_lists_every_scenario():
    _, inside, _ = PAGE.split()
    assert inside.strip() == tables().strip(), "run tests/replay/scenarios.py --write"
    for path in HERE.glob("*.rpl"):
        assert inside.count(f"| [{path.stem}](") == 1


def test_every_scenario_that_the_page_names_is_there():
    for name in re.findall(r"\(\.\./tests/replay/([^)#]+)\)", PAGE.text()):
        assert (HERE / name).exists(), name


def examples():
    """Each example of the page, with the scenario that is named last before it."""
    before, _, _ = PAGE.split()
    found = []
    for block in re.finditer(r"^```json\n(.*?)^```$", before, re.MULTILINE | re.DOTALL):
        names = re.findall(r"tests/replay/([\w-]+\.rpl)\)", before[: block.start()])
        found.append(pytest.param(names[-1], json.loads(block[1]), id=f"{names[-1][:-4]}"))
    return found


@pytest.mark.parametrize("name, example", examples())
def test_an_example_is_what_its_scenario_reports(name, example, tmp_path):
    example.pop("host", None)
    events = play(HERE / name, tmp_path)
    shown = [{key: event[key] for key in example} for event in events]
    assert example in shown
