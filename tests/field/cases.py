# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of docs/field.md from the first comment lines of the cases.

After a case was added or changed: /usr/bin/python3 tests/field/cases.py --write
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "replay")]
from scenarios import cell, fields, is_silent  # noqa: E402
from written_page import WrittenPage  # noqa: E402

PAGE = WrittenPage("field.md", "cases", "tests/field/cases.py")
# from the page to a case
PATH = "../tests/field"
# title, what stood in the field Before, and whether the right answer is silence
GROUPS = (
    ("Wrongly called broken before", "wrong", None),
    ("Missed before", "missed", None),
    ("True: to be told", "right", False),
    ("Must be silent", "right", True),
)


def cases():
    return sorted([*HERE.glob("*.case"), *HERE.glob("*.rpl")], key=lambda path: path.stem)


def head(path):
    """The fields of a case's head, and whether its right answer is silence."""
    text = path.read_text()
    return fields(text), is_silent(text)


def row(path, found):
    link = f"[{path.stem}]({PATH}/{path.name})"
    cells = [cell(found[word]) for word in ("Source", "World", "Answer")]
    return f"| {link} | " + " | ".join(cells) + " |"


def tables():
    parts = []
    for title, before, silent in GROUPS:
        rows = []
        for path in cases():
            found, says_nothing = head(path)
            if found["Before"] == before and silent in (None, says_nothing):
                rows.append(row(path, found))
        lines = [f"### {title} ({len(rows)})", ""]
        lines += ["| case | source | the world | right answer |", "|---|---|---|---|", *rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.print_or_write(tables())
