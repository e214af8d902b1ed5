# SPDX-License-Identifier: BSD-3-Clause
"""The pages of the documentation: where their links lead, and the commands that they show."""

import re

from lab import REPOSITORY

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def anchor(heading):
    """What a heading's anchor is where Markdown is shown, as on GitHub."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(path):
    """The anchors of a page; the second of one name gets -1, and so on."""
    found = []
    for heading in HEADING.findall(FENCED.sub("", path.read_text())):
        name = anchor(heading)
        before = sum(name == re.sub(r"-\d+$", "", other) for other in found)
        found.append(f"{name}-{before}" if before else name)
    return found


def leads_somewhere(page, link):
    """Whether a link of a page within the repository leads to a file, and to an anchor of it."""
    path, _, fragment = link.partition("#")
    target = (page.parent / path) if path else page
    if not target.exists():
        return False
    return not fragment or fragment in anchors(target)


def pages():
    return [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").glob("*.md"))]


def links(page):
    """The links of a page that stay within the repository."""
    return [link for link in LINK.findall(page.read_text()) if "://" not in link]


def commands(page):
    """The blocks of commands that a page shows, each a text of one or more lines."""
    return COMMANDS.findall(page.read_text())
