# SPDX-License-Identifier: BSD-3-Clause
"""The scenarios say what they are for, and README.md lists them all."""
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
LIST = HERE / "list.py"
FIELDS = ("World", "Clients", "Reported", "Why")


def head_words(path):
    lines = path.read_text().splitlines()
    return [line[2:].split(":")[0] for line in lines if line.startswith("; ") and ":" in line]


@pytest.mark.parametrize("scenario", sorted(HERE.glob("*.rpl")), ids=lambda path: path.stem)
def test_the_head_says_what_and_why(scenario):
    words = [word for word in head_words(scenario) if word in FIELDS]
    assert words == list(FIELDS)


def test_readme_lists_every_scenario():
    run = subprocess.run(
        [sys.executable, "-B", LIST], stdout=subprocess.PIPE, check=True, text=True
    )
    readme = (HERE / "README.md").read_text()
    assert readme.endswith(run.stdout), "run tests/replay/list.py --write"
    assert all(f"[{path.stem}]" in run.stdout for path in HERE.glob("*.rpl"))
