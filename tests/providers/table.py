# SPDX-License-Identifier: BSD-3-Clause
"""Prints the tables of docs/providers.md: what the built-in table says, and how sure each value is.

After module/core/providers/providers.txt was changed: /usr/bin/python3 tests/providers/table.py --write
"""
import pathlib
import sys
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = ROOT / "module" / "core" / "providers" / "providers.txt"
sys.path.insert(0, str(ROOT / "tests"))
from written_page import WrittenPage  # noqa: E402

PAGE = WrittenPage("providers.md", "table", "tests/providers/table.py")

# the mark behind a value, and what a cell says of it; in the order of how sure they are
MARKS = {"": "own page", "template": "template", "zones": "public zones", "reported": "reported"}
SIGNS = {"": "", "template": "<sup>t</sup>", "zones": "<sup>z</sup>", "reported": "<sup>r</sup>"}


@dataclass
class Value:
    """One value of a section with its mark; `line` of the text it stands in."""

    text: str
    mark: str
    line: int


@dataclass
class Section:
    tag: str
    is_filter: bool
    line: int
    title: str = ""
    family: str = ""
    by_order: bool = False
    hosts: list = field(default_factory=list)
    tokens: list = field(default_factory=list)
    sets: list = field(default_factory=list)
    spf: list = field(default_factory=list)
    sources: list = field(default_factory=list)

    def values(self):
        """All that can bear a mark."""
        return self.hosts + self.tokens + [value for one in self.sets for value in one] + self.spf


def split_mark(line):
    """A line without its comment, and the comment; `#` inside a word is no comment."""
    words = line.split()
    at = next((i for i, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:at], " ".join(words[at:]).lstrip("# ")


def read(text):
    """The sections of a table, in its order."""
    found = []
    begins_set = True
    for number, line in enumerate(text.splitlines(), start=1):
        words, mark = split_mark(line)
        if not words:
            continue
        key, rest = words[0], " ".join(words[1:])
        if key in ("provider", "filter"):
            found.append(Section(rest, key == "filter", number, family=rest))
            begins_set = True
            continue
        section = found[-1]
        value = Value(rest, mark, number)
        if key == "mx":
            section.hosts.append(value)
        elif key == "token":
            section.tokens.append(value)
        elif key == "spf":
            section.spf.append(value)
        elif key == "source":
            section.sources.append(value)
        elif key == "expect":
            if begins_set:
                section.sets.append([])
            begins_set = False
            section.sets[-1].append(value)
        elif key == "or":
            begins_set = True
        elif key == "title":
            section.title = rest
        elif key == "family":
            section.family = rest
        elif key == "preferences":
            section.by_order = rest == "order"
        else:
            raise ValueError(f"{number}: {key}")
    return found


def code(value):
    return f"`{value.text}`{SIGNS[value.mark]}"


def same_rest(values):
    """Values of one mark whose host names differ in the first label only, written as one cell
    entry: `mx`, `mx2` `.zoho.eu`."""
    groups = []
    for value in values:
        first, _, rest = value.text.partition(".")
        if groups and groups[-1][1:] == (rest, value.mark) and first != "*" != groups[-1][0][0]:
            groups[-1][0].append(first)
        else:
            groups.append(([first], rest, value.mark))
    shown = []
    for labels, rest, mark in groups:
        shown.append(code(Value(f"{', '.join(labels)}.{rest}", mark, 0)))
    return ", ".join(shown)


def sets_cell(section):
    if not section.sets:
        return ""
    how = "order" if section.by_order else "numbers"
    return f"{len(section.sets)}, {how}"


def sure_cell(section):
    """The marks that occur, the surest first."""
    marks = {value.mark for value in section.values()}
    return ", ".join(words for mark, words in MARKS.items() if mark in marks)


def source_cell(section):
    cells = []
    for source in section.sources:
        site = source.text.split("/")[2] if source.text.startswith("http") else None
        cells.append(f"[{site}](<{source.text}>)" if site else source.text)
    return ", ".join(cells)


def tables(sections):
    providers = [s for s in sections if not s.is_filter]
    filters = [s for s in sections if s.is_filter]
    lines = [
        f"### Providers ({len(providers)})",
        "",
        "| section | hosts | sets | SPF | how sure | source |",
        "|---|---|---|---|---|---|",
    ]
    for s in providers:
        spf = ", ".join(code(value) for value in s.spf)
        tokens = "".join(f"; token {code(value)}" for value in s.tokens)
        lines.append(
            f"| `{s.tag}`: {s.title} | {same_rest(s.hosts)}{tokens} | {sets_cell(s)} | {spf} "
            f"| {sure_cell(s)} | {source_cell(s)} |"
        )
    lines += [
        "",
        f"### Filters ({len(filters)})",
        "",
        "| section | hosts | how sure | source |",
        "|---|---|---|---|",
    ]
    for s in filters:
        lines.append(
            f"| `{s.tag}`: {s.title} | {same_rest(s.hosts)} | {sure_cell(s)} | {source_cell(s)} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.print_or_write(tables(read(TEXT.read_text(encoding="ascii"))))
