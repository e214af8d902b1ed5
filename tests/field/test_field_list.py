# SPDX-License-Identifier: BSD-3-Clause
"""Every case says where it is from and what is right; docs/field.md lists them all."""
import importlib.util
import pathlib
import re

import pytest

HERE = pathlib.Path(__file__).resolve().parent
FIELDS = ["Source", "World", "Questions", "Answer", "Why", "Before"]


def load(name):
    spec = importlib.util.spec_from_file_location(f"field_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LISTING = load("list")
PAGE = LISTING.PAGE.read_text()


@pytest.mark.parametrize("path", LISTING.cases(), ids=lambda path: path.stem)
def test_the_head_says_where_from_and_what_is_right(path):
    found, is_silent = LISTING.head(path)
    assert list(found) == FIELDS
    assert found["Before"] in ("wrong", "missed", "right")
    assert found["Answer"].startswith("nothing") == is_silent


def test_there_are_as_many_as_promised():
    assert len(LISTING.cases()) >= 60


def test_the_page_lists_every_case_once():
    _, inside, _ = LISTING.split(PAGE)
    assert inside.strip() == LISTING.tables().strip(), "run tests/field/list.py --write"
    for path in LISTING.cases():
        assert inside.count(f"| [{path.stem}](") == 1


def test_every_case_that_the_page_names_is_there():
    for name in re.findall(r"\(\.\./tests/field/([^)#]+)\)", PAGE):
        assert (HERE / name).exists(), name
