# SPDX-License-Identifier: BSD-3-Clause
"""Plain text for a terminal: titles, paragraphs, aligned tables."""

import json
import textwrap

WIDTH = 90
INDENT = "  "


def title(text):
    """Begin a part; whatever came before has ended with an empty line."""
    print(f"{text}\n{'-' * len(text)}\n", flush=True)


def paragraph(text):
    print(textwrap.fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT))
    print()


def table(heads, rows):
    """Print rows under heads, each column as wide as its longest cell. Cells are not cut."""
    lines = [heads, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    lines.insert(1, tuple("-" * width for width in widths))
    for line in lines:
        print(INDENT + "  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip())
    print(flush=True)


def fields(record):
    """Print a dict as JSON, one member a line, long ones broken between words."""
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in record.items()]
    indents = {"initial_indent": INDENT * 2, "subsequent_indent": INDENT * 4}
    members = [textwrap.fill(line, WIDTH, break_on_hyphens=False, **indents) for line in lines]
    print(INDENT + "{\n" + ",\n".join(members) + "\n" + INDENT + "}\n", flush=True)
