# SPDX-License-Identifier: BSD-3-Clause
"""A page of docs/ in which a script writes the tables, between two marks."""
import pathlib
import sys

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"


class WrittenPage:
    """`name` of docs/; `what` stands between the marks, `script` is what writes it."""

    def __init__(self, name, what, script):
        self.path = DOCS / name
        self.begin = f"<!-- {what}: begin, written by {script} -->\n"
        self.end = f"<!-- {what}: end -->\n"

    def text(self):
        return self.path.read_text(encoding="utf-8")

    def split(self):
        """The page before the tables, the tables, and what stands behind them; the marks outside."""
        before, rest = self.text().split(self.begin)
        inside, after = rest.split(self.end)
        return before + self.begin, inside, self.end + after

    def print_or_write(self, tables):
        """What such a script does: print, or with --write put the tables into the page."""
        if sys.argv[1:] == ["--write"]:
            before, _, after = self.split()
            self.path.write_text(before + "\n" + tables + "\n" + after, encoding="utf-8")
        else:
            sys.stdout.write(tables)
