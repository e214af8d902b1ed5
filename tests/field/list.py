# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of docs/field.md from the first comment lines of the cases.

After a case was added or changed: /usr/bin/python3 tests/field/list.py --write
"""
import importlib.util
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "field.md"
# from the page to a case
PATH = "../tests/field"
# title, what stood in the field Before, and whether the right answer is silence
GROUPS = (
    ("Wrongly called broken before", "wrong", None),
    ("Missed before", "missed", None),
    ("True: to be told", "right", False),
    ("Must be silent", "right", True),
)


def scenario_list():
    """The list.py of tests/replay: this one has its name, so it cannot be imported by it."""
    path = HERE.parent / "replay" / "list.py"
    spec = importlib.util.spec_from_file_location("scenario_list", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REPLAY = scenario_list()
BEGIN = "<!-- cases: begin, written by tests/field/list.py -->\n"
END = "<!-- cases: end -->\n"


def cases():
    return sorted([*HERE.glob("*.case"), *HERE.glob("*.rpl")], key=lambda path: path.stem)


def head(path):
    """The fields of a case's head, and whether its right answer is silence."""
    text = path.read_text()
    return REPLAY.fields(text), REPLAY.is_silent(text)


def row(path, found):
    link = f"[{path.stem}]({PATH}/{path.name})"
    cells = [REPLAY.cell(found[word]) for word in ("Source", "World", "Answer")]
    return f"| {link} | " + " | ".join(cells) + " |"


def tables():
    parts = []
    for title, before, silent in GROUPS:
        rows = []
        for path in cases():
            found, is_silent = head(path)
            if found["Before"] == before and silent in (None, is_silent):
                rows.append(row(path, found))
        lines = [f"### {title} ({len(rows)})", ""]
        lines += ["| case | source | the world | right answer |", "|---|---|---|---|", *rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def split(page):
    """The page before the tables, the tables, and what stands behind them; the marks outside."""
    before, rest = page.split(BEGIN)
    inside, after = rest.split(END)
    return before + BEGIN, inside, END + after


def main():
    if sys.argv[1:] == ["--write"]:
        before, _, after = split(PAGE.read_text())
        PAGE.write_text(before + "\n" + tables() + "\n" + after)
    else:
        sys.stdout.write(tables())


if __name__ == "__main__":
    main()
