# SPDX-License-Identifier: BSD-3-Clause
"""The built-in table of mailbox providers, read by another hand than the module's.

The table is module/core/providers/providers.txt, its format docs/providers.md. Only what the corpus
needs is read: hosts, documented sets, SPF includes.
"""

from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "module" / "core" / "providers" / "providers.txt"


@dataclass
class Provider:
    """One section. `sets` are lists of (preference, host); `patterns` as written, `*.` included."""

    tag: str
    is_filter: bool
    family: str = ""
    by_order: bool = False
    patterns: list = field(default_factory=list)
    sets: list = field(default_factory=list)
    spf: list = field(default_factory=list)

    def host(self, label):
        """A host of the provider's: `label` below a pattern, else one that is written out."""
        pattern = self.patterns[0]
        return f"{label}{pattern[1:]}" if pattern.startswith("*.") else pattern


def read_table(path=TABLE):
    """All sections of the table, in its order."""
    found = []
    begins_set = True
    for line in path.read_text(encoding="ascii").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        key, *values = words
        if key in ("provider", "filter"):
            found.append(Provider(values[0], key == "filter", family=values[0]))
            begins_set = True
            continue
        section = found[-1]
        if key == "family":
            section.family = values[0]
        elif key == "preferences":
            section.by_order = values[0] == "order"
        elif key == "mx":
            section.patterns.append(values[0])
        elif key == "spf":
            section.spf.append(values[0])
        elif key == "or":
            begins_set = True
        elif key == "expect":
            if begins_set:
                section.sets.append([])
            begins_set = False
            section.sets[-1].append((int(values[0]), values[1]))
    return found
