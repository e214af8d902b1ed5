# SPDX-License-Identifier: BSD-3-Clause
"""Every case says where it is from and what is right; docs/field.md lists them all."""
import re

import pytest

from cases import HERE, PAGE, cases, head, tables

FIELDS = ["Source", "World", "Questions", "Answer", "Why", "Before"]


@pytest.mark.parametrize("path", cases(), ids=lambda path: path.stem)
def test_the_head_says_where_from_and_what_is_right(path):
    found, is_silent = head(path)
    assert list(found) == FIELDS
    assert found["Before"] in ("wrong", "missed", "right")
    assert found["Answer"].startswith("nothing") == is_silent


def test_there_are_as_many_as_promised():
    assert len(cases()) >= 60


def test_the_page_lists_every_case_once():
    _, inside, _ = PAGE.split()
    assert inside.strip() == tables().strip(), "run tests/field/cases.py --write"
    for path in cases():
        assert inside.count(f"| [{path.stem}](") == 1


def test_every_case_that_the_page_names_is_there():
    for name in re.findall(r"\(\.\./tests/field/([^)#]+)\)", PAGE.text()):
        assert (HERE / name).exists(), name
