# SPDX-License-Identifier: BSD-3-Clause
"""Puts what `make bench` measured last into docs/performance.md and docs/img/."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "system"))

from variants import BENCH  # noqa: E402

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"


def main():
    page = DOCS / "performance.md"
    before, rest = page.read_text().split(BEGIN)
    _, after = rest.split(END)
    figures = (BENCH / "performance.md").read_text()
    page.write_text(f"{before}{BEGIN}{figures}{END}{after}")
    (DOCS / "img").mkdir(exist_ok=True)
    for picture in BENCH.glob("*.svg"):
        shutil.copy(picture, DOCS / "img" / picture.name)


if __name__ == "__main__":
    main()
