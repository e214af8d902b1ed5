# SPDX-License-Identifier: BSD-3-Clause
"""What a case leaves out is filled in as the real world has it."""
import pytest

from case_text import Case


def scenario(text):
    return Case(text).scenario("a case")


def entries(text):
    """(match, question, reply, records) of each answer of a server, in order."""
    found = []
    for block in scenario(text).split("ENTRY_BEGIN\n")[1:]:
        lines = block.split("ENTRY_END")[0].splitlines()
        question = lines[lines.index("SECTION QUESTION") + 1]
        records = [line for line in lines if " IN " in line and line != question]
        found.append((lines[0], question, lines[2], records))
    return found


ZONE = "zone example.test 192.0.2.53\n"


def test_records_of_one_question_are_one_answer():
    two = ZONE + "  example.test MX 60 MX 1 a.test.\n  example.test MX 60 MX 2 b.test.\n"
    answer = [e for e in entries(two) if e[1] == "example.test. IN MX"]
    assert [e[3] for e in answer] == [
        ["example.test. 60 IN MX 1 a.test.", "example.test. 60 IN MX 2 b.test."]
    ]


def test_a_record_may_have_another_owner_and_an_answer_an_rcode():
    text = ZONE + "  m.example.test * 60 CNAME gone.test.\n  m.example.test * NXDOMAIN\n"
    answer = [e for e in entries(text) if e[1] == "m.example.test. IN A"][0]
    assert answer[0] == "MATCH opcode qname" and answer[2] == "REPLY QR AA NXDOMAIN"
    other = ZONE + "  x.example.test A example.test. 60 DNAME new.test.\n"
    assert "example.test. 60 IN DNAME new.test." in scenario(other)


def test_a_single_type_comes_before_every_type():
    text = ZONE + "  example.test * 60 CNAME w.test.\n  example.test MX 60 MX 1 a.test.\n"
    own = [e[0] for e in entries(text) if e[1].startswith("example.test. IN ") and e[3]]
    assert own.index("MATCH opcode qtype qname") < own.index("MATCH opcode qname")


def test_a_zone_has_soa_ns_and_addresses_unless_an_alias_stands_there():
    plain = scenario(ZONE + "  example.test A 60 A 192.0.2.1\n")
    assert "\nexample.test. 3600 IN NS ns1.example.test.\n" in plain.split("ADDRESS 192.0.2.53")[1]
    alias = scenario(ZONE + "  example.test * 60 CNAME w.test.\n").split("ADDRESS 192.0.2.53")[1]
    assert "IN NS" not in alias and "ns1.example.test. 3600 IN A 192.0.2.53" in alias


def test_a_zone_is_referred_to_by_the_one_above_it():
    www = "zone www.example.test 192.0.2.60\n  www.example.test * 60 CNAME w.test.\n"
    text = scenario(ZONE + www)
    root, above = text.split("ADDRESS 192.0.2.53")
    assert "example.test. 3600 IN NS ns1.example.test." in root
    assert "www.example.test. 3600 IN NS" not in root
    assert "www.example.test. 3600 IN NS ns1.www.example.test." in above


def test_a_later_block_takes_the_place_of_the_one_before_it():
    text = ZONE + "  example.test A 60 A 192.0.2.1\nask example.test A\nwait 61\n"
    text += ZONE + "  example.test A 60 A 192.0.2.2\nask example.test A\n"
    ranges = [line for line in scenario(text).splitlines() if line.startswith("RANGE_BEGIN")]
    assert ranges == ["RANGE_BEGIN 0 100000", "RANGE_BEGIN 0 4", "RANGE_BEGIN 5 100000"]


def test_one_server_may_be_a_cache():
    text = "zone example.test 192.0.2.53 192.0.2.54\n  m.example.test MX 60 MX 1 a.test.\n"
    last = scenario(text + "at 192.0.2.54 cache\n  m.example.test * 60 CNAME w.test.\n")
    assert "REPLY QR RA NOERROR" in last.split("ADDRESS 192.0.2.54")[2]


def test_what_a_client_must_get_is_checked():
    steps = scenario(ZONE + "ask example.test MX\n  60 MX 1 a.test.\nask gone.test A\n  NXDOMAIN\n")
    assert "MATCH qname qtype rcode answer\nREPLY QR RD RA NOERROR" in steps
    assert "SECTION ANSWER\nexample.test. 60 IN MX 1 a.test." in steps
    assert "REPLY QR RD RA NXDOMAIN" in steps


def test_an_unknown_line_is_refused():
    with pytest.raises(ValueError, match="sette"):
        Case(ZONE + "sette\n")
