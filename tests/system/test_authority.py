# SPDX-License-Identifier: BSD-3-Clause
"""Our own authority does the wrong things it is asked for, and the right ones otherwise."""

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest
from lab import ANSWER_TIMEOUT_S, Authority, LabError, rrset_texts, wait_until

PAIR = """
  @ 60 CNAME www.cdn.test.
  @ 60 MX 5 mx.test.
"""


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start_one(scenario):
        servers.append(Authority(tmp_path / str(len(servers)), scenario).start())
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


def types(answer):
    return [(dns.rdatatype.to_text(r.rdtype), r.name.to_text()) for r in answer.answer]


@pytest.mark.parametrize(
    "mode, to_mx, to_a",
    [
        ("by-type", ["MX"], ["CNAME"]),
        ("both", ["CNAME", "MX"], ["CNAME"]),
        ("both-data-first", ["MX", "CNAME"], ["CNAME"]),
        ("cname-only", ["CNAME"], ["CNAME"]),
    ],
)
def test_modes(serve, mode, to_mx, to_a):
    server = serve(f"zone x.test\n  answer {mode}\n{PAIR}")
    for rdtype, wanted in (("MX", to_mx), ("A", to_a), ("CNAME", ["CNAME"])):
        answer = server.ask("x.test", rdtype)
        assert [kind for kind, _ in types(answer)] == wanted
        assert answer.flags & dns.flags.AA
        assert answer.answer[0].ttl == 60


def test_healthy_zone_answers_by_rfc_1034(serve):
    server = serve(
        """zone x.test
  www CNAME host
  host A 192.0.2.1
  *.w CNAME host
  a.b TXT "below an empty non-terminal"
  old DNAME new.x.test.
  a.new MX 1 host
  child NS ns.child
  ns.child A 127.0.0.9
"""
    )
    assert types(server.ask("www.x.test", "A")) == [
        ("CNAME", "www.x.test."),
        ("A", "host.x.test."),
    ]
    assert types(server.ask("any.w.x.test", "A"))[0] == ("CNAME", "any.w.x.test.")
    assert types(server.ask("a.old.x.test", "MX")) == [
        ("DNAME", "old.x.test."),
        ("CNAME", "a.old.x.test."),
        ("MX", "a.new.x.test."),
    ]
    nodata = server.ask("b.x.test", "TXT")
    assert (nodata.rcode(), rrset_texts(nodata, "SOA", "authority") != []) == (0, True)
    nxdomain = server.ask("no.x.test", "A")
    assert nxdomain.rcode() == dns.rcode.NXDOMAIN
    assert rrset_texts(nxdomain, "SOA", "authority")
    referral = server.ask("below.child.x.test", "A")
    assert not referral.flags & dns.flags.AA
    assert rrset_texts(referral, "NS", "authority") == ["ns.child.x.test."]
    assert rrset_texts(referral, "A", "additional") == ["127.0.0.9"]
    assert server.ask("other.example", "A").rcode() == dns.rcode.REFUSED


def test_the_nearest_zone_answers(serve):
    server = serve(
        """zone x.test
  b.a.sub TXT "below the cut, not to be seen"
  @ MX 5 first.
  zzz A 192.0.2.1
  sub NS ns.other.test.
  @ MX 1 second.
zone .
  far TXT root
zone a.sub.x.test
  @ TXT child
"""
    )
    assert rrset_texts(server.ask("far", "TXT"), "TXT") == ['"root"']
    assert rrset_texts(server.ask("a.sub.x.test", "TXT"), "TXT") == ['"child"']
    assert rrset_texts(server.ask("sub.x.test", "A"), "NS", "authority") == ["ns.other.test."]
    assert server.ask("b.a.sub.x.test", "TXT").rcode() == dns.rcode.NXDOMAIN
    assert [r.to_text() for r in server.ask("x.test", "MX").answer[0]] == ["5 first.", "1 second."]
    # The parent's side of the cut has the DS.
    assert rrset_texts(server.ask("a.sub.x.test", "DS"), "NS", "authority") == ["ns.other.test."]
    assert server.ask("none.test", "A").rcode() == dns.rcode.NXDOMAIN


def test_faults(serve):
    server = serve(
        f"""zone x.test
  answer by-type
{PAIR}
  drop CNAME @
  refuse TXT @
  servfail A @
  no-aa MX
  truncate NS @
"""
    )
    with pytest.raises(TimeoutError):
        server.ask("x.test", "CNAME", timeout_s=0.3)
    assert server.ask("x.test", "TXT").rcode() == dns.rcode.REFUSED
    assert server.ask("x.test", "A").rcode() == dns.rcode.SERVFAIL
    assert not server.ask("x.test", "MX").flags & dns.flags.AA
    cut = server.ask("x.test", "NS")
    assert (bool(cut.flags & dns.flags.TC), cut.answer) == (True, [])
    assert rrset_texts(server.ask("x.test", "NS", tcp=True), "NS") == ["ns.x.test."]


def test_case_of_the_question_and_edns_come_back(serve):
    server = serve("zone x.test\n  @ MX 5 mx.x.test.\n")
    answer = server.ask("X.tEsT", "MX", edns=True)
    assert answer.question[0].name.to_text() == "X.tEsT."
    assert answer.answer[0].name.to_text() == "X.tEsT."
    assert answer.edns == 0
    assert server.ask("x.test", "MX").edns == -1


def test_big_answers_are_cut_over_udp(serve):
    server = serve("zone x.test\n" + "".join(f"  @ MX 5 mx{n}.x.test.\n" for n in range(100)))
    assert server.ask("x.test", "MX").flags & dns.flags.TC
    assert len(rrset_texts(server.ask("x.test", "MX", tcp=True), "MX")) == 100


def test_another_scenario_while_running(serve):
    server = serve(f"zone x.test\n  answer by-type\n{PAIR}")
    server.play("zone x.test\n  @ A 192.0.2.1\n")
    assert types(server.ask("x.test", "A")) == [("A", "x.test.")]
    with pytest.raises(LabError, match="scenario:1: no zone"):
        server.play("# nothing\n")
    assert types(server.ask("x.test", "A")) == [("A", "x.test.")]
    wait_until(lambda: len(server.queries("x.test", "A")) == 2, ANSWER_TIMEOUT_S, "the query log")


@pytest.mark.parametrize(
    "scenario, complaint",
    [
        (f"zone x.test\n{PAIR}", "has a CNAME and other data"),
        ("zone x.test\n  @ CNAM y.\n", "scenario:2: no keyword and no record"),
        ("zone x.test\n  www.y.test. A 192.0.2.1\n", "scenario:2: the owner is outside"),
        ("zone x.test\n  drop NOTYPE\n", "scenario:2: drop wants a record type"),
        ("zone x.test\n  answer badly\n", "scenario:2: answer wants one of"),
        ("  @ A 192.0.2.1\n", "scenario:1: the first line must be"),
        ("zone x.test\nzone a.test\nzone X.test\n", "scenario:3: .* zone X.test. begins twice"),
    ],
)
def test_bad_scenarios_are_refused_with_their_line(serve, scenario, complaint):
    with pytest.raises(LabError, match=complaint):
        serve(scenario)


def test_only_loopback(tmp_path):
    server = Authority(tmp_path, "zone x.test\n", address="192.0.2.1")
    with pytest.raises(LabError, match="not a loopback address"):
        server.start()
