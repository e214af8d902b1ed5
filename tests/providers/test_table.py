# SPDX-License-Identifier: BSD-3-Clause
"""The built-in table says how sure each of its values is, and tells no fault by what is not sure."""
import os
import subprocess

import pytest

import table

SECTIONS = table.read(table.TEXT.read_text(encoding="ascii"))
OTHERS_LISTS = "public lists of"
TEMPLATES = "https://github.com/Domain-Connect/Templates/"
PROGRAM = os.environ.get("MXCLASH_COMMAND", str(table.ROOT / "build" / "mxclash"))

by_tag = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.tag)


@by_tag
def test_every_value_says_how_sure_it_is(section):
    for value in section.values():
        assert value.mark in table.MARKS, f"line {value.line}"
    for source in section.sources:
        assert source.mark == "", f"line {source.line}: a source bears no mark"


@by_tag
def test_every_section_has_a_source_and_a_title(section):
    assert section.sources and section.title
    texts = [source.text for source in section.sources]
    marks = {value.mark for value in section.values()}
    if "" in marks:
        assert not texts[0].startswith(OTHERS_LISTS), "a value of the own page, and no page"
    if "template" in marks:
        assert any(text.startswith(TEMPLATES) for text in texts)
    if any(text.startswith(OTHERS_LISTS) for text in texts):
        assert marks <= {"zones", "reported"} and len(texts) == 1


@by_tag
def test_no_page_no_fault(section):
    """What lacks in an SPF record, and a number that differs, are told as faults: that takes a page."""
    if section.spf:
        assert section.spf[0].mark in ("", "template"), "the provider gives no include"
    for one in section.sets:
        for value in one:
            assert value.mark != "reported", f"line {value.line}"
            assert value.mark == "" or section.by_order, f"line {value.line}: not the page's number"


@by_tag
def test_who_is_only_reported_is_no_provider_of_its_own(section):
    """A known provider's host beside another's is told as foreign, for sure: that takes more than
    hearsay. An edition of a service that is known, or a filter, keeps it silent."""
    family = [s for s in SECTIONS if s.family == section.family and s is not section]
    if not section.is_filter and not family:
        assert any(value.mark != "reported" for value in section.hosts)


@by_tag
def test_the_hosts_of_a_set_are_as_sure_as_the_page(section):
    """A set that others only report would make a fault of nothing."""
    hosts = {value.text: value.mark for value in section.hosts}
    for one in section.sets:
        for value in one:
            host = value.text.split()[1]
            covering = [host] + [
                "*." + host.split(".", labels)[-1] for labels in range(1, host.count("."))
            ]
            mark = next(hosts[name] for name in covering if name in hosts)
            assert mark in ("", "template", "zones")
            if mark == "zones":
                assert value.mark == "zones"


def test_the_program_reads_the_same():
    """Hosts, sets, includes and sources as `mxclash providers` shows them: marks are comments."""
    run = subprocess.run(
        [PROGRAM, "providers", table.TEXT], capture_output=True, text=True, timeout=60, check=True
    )
    shown = table.read(run.stdout)

    def plain(sections):
        return [
            (
                s.tag, s.is_filter, s.title, s.family, s.by_order,
                [value.text for value in s.hosts],
                [value.text for value in s.tokens],
                [[value.text for value in one] for one in s.sets],
                [value.text for value in s.spf],
                [value.text for value in s.sources],
            )
            for s in sections
        ]

    assert plain(shown) == plain(SECTIONS)


def test_the_page_shows_the_table():
    _, inside, _ = table.PAGE.split()
    assert inside.strip() == table.tables(SECTIONS).strip(), "run tests/providers/table.py --write"


def test_a_mark_is_the_last_word_and_a_number_sign_in_an_address_is_none():
    text = "provider a\n  title A\n  mx a.test # zones\n  source http://a.test/#mx\n"
    (section,) = table.read(text)
    assert (section.hosts[0].text, section.hosts[0].mark) == ("a.test", "zones")
    assert section.sources[0].text == "http://a.test/#mx"
