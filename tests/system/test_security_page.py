# SPDX-License-Identifier: BSD-3-Clause
"""The numbers of docs/security.md are those of the code, and the tests that it names are there."""

import re

import pytest
from lab import REPOSITORY

PAGE = (REPOSITORY / "docs" / "security.md").read_text()
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}
ROW = re.compile(
    r"^\| (?P<what>[^|*]+) \| (?P<number>[\d,]+)(?: (?P<unit>\w+))? "
    r"\| (?P<place>[^|]+) \| (?P<tests>[^|]+) \|$"
)


def rows():
    table = PAGE.split("<!-- bounds: begin -->")[1].split("<!-- bounds: end -->")[0]
    lines = [line for line in table.strip().splitlines()[2:] if not line.startswith("| **")]
    return [(line, ROW.match(line)) for line in lines]


def number_in_page(row):
    return int(row["number"].replace(",", "")) * UNITS.get(row["unit"], 1)


def number_in_code(name, text):
    """The value of a macro, or of a key's default in the table of the configuration."""
    preset = re.search(rf'\{{"{name}",[^}}]*?\.preset = "(\d+)(m?)"', text, re.DOTALL)
    if preset:
        return int(preset[1]) << (20 if preset[2] else 0)
    value = re.search(rf"^#define {name}\s+(.+?)\s*(?:/\*.*)?$", text, re.MULTILINE)[1]
    value = re.sub(r"(?<=\d)[uUlL]+", "", value)
    assert re.fullmatch(r"[\d\s()*<+-]+", value), value
    return eval(value)  # pylint: disable=eval-used


@pytest.mark.parametrize("line, row", rows(), ids=lambda value: getattr(value, "string", "")[2:40])
def test_a_bound_is_that_of_the_code(line, row):
    assert row, f"not as the other rows: {line}"
    name, path = re.fullmatch(r"`([\w-]+)` in `([\w./]+)`", row["place"]).groups()
    assert number_in_page(row) == number_in_code(name, (REPOSITORY / path).read_text())
    for test in re.findall(r"`([\w./-]+)`", row["tests"]):
        assert (REPOSITORY / test).exists(), test


def test_the_page_has_bounds():
    assert len(rows()) > 20


def test_every_counter_of_the_page_is_in_the_metrics():
    metrics = (REPOSITORY / "module" / "output" / "metrics.c").read_text()
    for name in re.findall(r"`(mxclash_\w+?)_total", PAGE):
        assert f'"{name}"' in metrics, name


def test_every_link_of_the_page_leads_somewhere():
    for name in re.findall(r"\]\(([^)#:]+)", PAGE):
        assert (REPOSITORY / "docs" / name).exists(), name
