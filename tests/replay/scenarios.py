# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of docs/detection.md from the first comment lines of the scenarios.

After a scenario was added or changed: /usr/bin/python3 tests/replay/scenarios.py --write
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from written_page import WrittenPage  # noqa: E402

PAGE = WrittenPage("detection.md", "scenarios", "tests/replay/scenarios.py")
# from the page to a scenario
PATH = "../tests/replay"


def fields(text):
    """The fields of a scenario's head, each as one line; a line without a word goes on."""
    found = {}
    word = None
    for line in text.splitlines():
        start = re.match(r"; ([A-Z][a-z]+): +(.*)", line)
        more = re.match(r"; {3,}(.*)", line)
        if start:
            word = start[1]
            found[word] = start[2].strip()
        elif more and word:
            found[word] += " " + more[1].strip()
        else:
            break
    return found


def is_silent(text):
    return re.search(r"^; *expect: *nothing *$", text, re.MULTILINE) is not None


def cell(text):
    """Text as a cell: the characters that mean something to Markdown are escaped."""
    return re.sub(r"([\\|*<>_`])", r"\\\1", text)


def table(title, scenarios):
    lines = [f"### {title} ({len(scenarios)})", "", "| scenario | world | reported |", "|---|---|---|"]
    for path, found in scenarios:
        link = f"[{path.stem}]({PATH}/{path.name})"
        lines.append(f"| {link} | {cell(found['World'])} | {cell(found['Reported'])} |")
    return "\n".join(lines) + "\n"


def tables():
    loud, silent = [], []
    for path in sorted(HERE.glob("*.rpl")):
        text = path.read_text()
        (silent if is_silent(text) else loud).append((path, fields(text)))
    return table("Something is reported", loud) + "\n" + table("Silence", silent)


if __name__ == "__main__":
    PAGE.print_or_write(tables())
