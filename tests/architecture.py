# SPDX-License-Identifier: BSD-3-Clause
"""docs/architecture.md is true: all that it names is there, and it names every room, unit and lock."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
WORD = re.compile(r"`([^`\s]+)`")
# as the picture shortens them, and as the tables have them
PLACE = re.compile(r"(?<![\w/.])((?:[a-z]+/)+[\w.]*)")
SHORT = ("module", "module/core")


def sources():
    """Every source file of the module, as its path from the root."""
    listed = subprocess.run(
        ["git", "ls-files", "module/*.[ch]"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(line) for line in listed.stdout.split()]


def section(title):
    """What stands below a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text):
    """The cells of each row of the table in a text, but for its head."""
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def places():
    """What is wrong with the paths of the page."""
    for place in dict.fromkeys(PLACE.findall(PAGE)):
        if not any((ROOT / folder / place).exists() for folder in (".", *SHORT)):
            yield f"there is no {place}"


def rooms():
    """What is wrong with the table of rooms."""
    units = {}
    for path in sources():
        units.setdefault(str(path.parent), set()).add(path.stem)
    named = {}
    for room, text in rows(section("The rooms")):
        named[room.strip("`")] = Counter(WORD.findall(text))
    for room in sorted(units.keys() | named.keys()):
        have, told = units.get(room, set()), named.get(room, Counter())
        yield from (f"{room}: {unit} is not named" for unit in sorted(have - told.keys()))
        yield from (f"{room}: there is no {unit}" for unit in sorted(told.keys() - have))
        yield from (f"{room}: {unit} is named twice" for unit in told if told[unit] > 1)


def locks():
    """What is wrong with the table of locks."""
    lock = re.compile(r"^\s*(?:static |_Alignas\(\d+\) )?pthread_mutex_t \w", re.MULTILINE)
    have = {str(path) for path in sources() if lock.search((ROOT / path).read_text())}
    told = {WORD.search(row[0])[1] for row in rows(section("Locks"))}
    yield from (f"the lock of {path} is not named" for path in sorted(have - told))
    yield from (f"{path} has no lock" for path in sorted(told - have))


def main():
    faults = [*places(), *rooms(), *locks()]
    for fault in faults:
        print(f"check-layers: docs/architecture.md: {fault}", file=sys.stderr)
    if not faults:
        print("check-layers: the page is true")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
