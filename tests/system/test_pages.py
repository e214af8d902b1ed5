# SPDX-License-Identifier: BSD-3-Clause
"""Every link of the documentation leads to a file that is there, and to a heading of it."""

import pytest
from lab import REPOSITORY
from pages import anchor, leads_somewhere, links, pages


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    assert [link for link in links(page) if not leads_somewhere(page, link)] == []


def test_anchors_are_those_of_the_web():
    assert anchor("Do the authorities agree?") == "do-the-authorities-agree"
    assert anchor("The `mxclash` command, and [more](x.md)") == "the-mxclash-command-and-more"
    page = REPOSITORY / "docs" / "detection.md"
    assert leads_somewhere(page, "#the-second-look")
    assert not leads_somewhere(page, "#no-such-heading")
    assert not leads_somewhere(page, "no-such-page.md")
