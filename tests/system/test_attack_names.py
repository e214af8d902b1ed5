# SPDX-License-Identifier: BSD-3-Clause
"""Names made to break out of whatever they are written into: every output stays what it is."""

import json
import random
import re

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import pytest
from asking import errors
from exposition import read_both
from lab import ANSWER_TIMEOUT_S, wait_until
from liar import Liar, a, cname, mx, reply
from resolver import EVENT_TIMEOUT_S
from syslogging import UnboundWithSyslog, namespace_missing
from watcher import watching

ZONE = dns.name.from_text("evil.test")
# One label each; what breaks a line, a string, a format, a terminal, a page, a shell, a number.
LABELS = [
    *(b'quo"te', b"apos'", b"back\\slash", b"\\065", b"\\", b"\\\\n", b'\\"'),
    *(b"line\nbreak", b"cr\rlf\r\n", b"\n", b"\v\f\b\a", b"tab\t", b" ", b"a b"),
    *(b"\x1b[31mred\x1b[0m", b"\x1b]0;title\x07", b"\x9b31m", b"\x7f"),
    *(b"nul\0nul", b"\0", b"\xff", b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x80\xa8"),
    *("bücher".encode(), b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x80\xaegnirts"),
    *(b"<script>alert(1)</script>", b"</title>", b"&amp;", b"<!--", b"]]>", b"javascript:x"),
    *(b"%n%s%s%s%s", b"%1$s%2$n", b"%d", b"%", b"%00", b"%0d%0a"),
    *(b"dot.in.side", b".", b"...", b"a.", b"*", b"_dmarc", b"-", b"@", b"@cee: {}"),
    *(b'{"a":1}', b'"}', b'",provider="x"} 1', b"# EOF", b"mxclash_up 1", b"}", b"=", b","),
    *(b"$(id)", b"`id`", b"${x}", b";id", b"|id", b"../../x", b"#", b"<29>x"),
    *(b"x" * 63, b"\xff" * 63, b"UPPER", b"1.5e3", b"null", b"NaN"),
]


def names(zone):
    """Each label in a zone, and names of 255 octets: the longest as text, and of most labels."""
    room = 255 - len(zone.to_wire())
    long = (b"\xff" * 63, b"\xff" * 63, b"\xff" * 63, b"\xff" * (room - 3 * 64 - 1))
    return [
        dns.name.Name((*labels, *zone.labels))
        for labels in [*((label,) for label in LABELS), long, (b"\n",) * (room // 2)]
    ]


OWNERS = names(ZONE)
# Another hostile name for each, which is no owner itself: else there would be chains and circles.
OTHERS = names(dns.name.from_text("t", ZONE))
TARGETS = {
    owner.canonicalize(): other
    for owner, other in zip(OWNERS, random.Random(1).sample(OTHERS, len(OTHERS)))
}
PRINTABLE = re.compile(rb"[ -~]*")


def answer(query, _tcp):
    """Both in one answer to MX; A of a target is an address."""
    name, rdtype = query.question[0].name, query.question[0].rdtype
    other = TARGETS.get(name.canonicalize())
    if other and rdtype == dns.rdatatype.MX:
        records = (name, cname(other)), (name, mx(5, other))
        return reply(query, *records).to_wire(max_size=65535)
    return reply(query, *([(name, a())] if rdtype == dns.rdatatype.A else [])).to_wire()


def from_presentation(text):
    return dns.name.from_text(text + ".")


def ask_all(unbound, owners=OWNERS):
    """Ask MX of every owner. The answers."""
    return [
        dns.query.udp(
            dns.message.make_query(owner, "MX", use_edns=0, payload=4096),
            *(unbound.address, ANSWER_TIMEOUT_S, unbound.port),
        )
        for owner in owners
    ]


def check_event(event):
    """Every name of an event is the one that was meant."""
    owner = from_presentation(event["domain"])
    other = TARGETS[owner].canonicalize()
    assert from_presentation(event["cname"]["target"]) == other
    assert [from_presentation(one["exchange"]) for one in event["mx"]] == [other]
    return owner


def check_json_lines(octets):
    """Each is one line, printable ASCII, an object; gives the opened events."""
    lines = octets.split(b"\n")
    assert lines.pop() == b""
    assert all(PRINTABLE.fullmatch(line) for line in lines)
    events = [json.loads(line) for line in lines]
    assert all(isinstance(event, dict) for event in events)
    return [event for event in events if event["event"] == "opened"]


def check_host_log(unbound):
    """Unbound's own log: one printable line an event, with the owner as it is in the JSON."""
    lines = unbound.log_path.read_bytes().split(b"\n")
    assert all(PRINTABLE.fullmatch(line) for line in lines)
    ours = [line.decode() for line in lines if b"mxclash: opened" in line]
    wanted = r"cname-and-mx (\S+): CNAME (\S+) hides MX 5 (\S+) "
    owners = [re.search(wanted, line) for line in ours]
    assert all(owners)
    for found in owners:
        owner, target, exchange = (from_presentation(name) for name in found.groups())
        assert target == exchange == TARGETS[owner].canonicalize()
    return ours


def asked_domains(unbound):
    """/metrics/domains as both formats have it: from each domain to its MX queries. What there is
    of a domain is these and when it was first seen, and nothing breaks out of a label."""
    asked, seen = {}, set()
    for (name, labels), value in read_both(unbound, "/metrics/domains").items():
        labels = dict(labels)
        owner = from_presentation(labels.pop("domain"))
        if name == "mxclash_domain_mx_queries_total":
            assert labels == {"kind": "cname-and-mx", "provider": ""}
            asked[owner] = value
        else:
            assert (name, labels) == ("mxclash_domain_first_seen_timestamp_seconds", {})
            seen.add(owner)
    assert set(asked) == seen
    return asked


def check_metrics(unbound):
    """Both pages are text of ASCII; each domain's name comes back out of its label."""
    for path in ("/metrics", "/metrics/domains"):
        lines = unbound.http(path)[2].encode().split(b"\n")
        assert all(PRINTABLE.fullmatch(line) for line in lines)
    read_both(unbound, "/metrics")
    return asked_domains(unbound)


@pytest.fixture
def liar():
    with Liar(answer) as one:
        yield one


def test_hostile_names_in_every_output(world, liar, tmp_path):
    if reason := namespace_missing():
        pytest.skip(reason)
    with UnboundWithSyslog(
        tmp_path / "unbound",
        {**world.upstreams, "evil.test": liar},
        mxclash={"log-syslog": "yes", "annotate": "yes", "top-domains": 1000},
        settings={"qname-minimisation": "no", "edns-buffer-size": 4096},
    ) as unbound:
        unbound.listener.read()
        with watching(unbound, "hostile names", rate_per_s=200):
            answers = ask_all(unbound)
            expected = sorted(owner.canonicalize() for owner in OWNERS)
            wait_until(
                lambda: len(unbound.events(event="opened")) == len(expected),
                EVENT_TIMEOUT_S,
                "every event",
            )
        opened = check_json_lines(unbound.events_path.read_bytes())
        assert sorted(check_event(event) for event in opened) == expected
        # the same lines, each a datagram of its own, and each after its line
        told = unbound.events_path.read_bytes()

        def said():
            return [line for line in unbound.listener.lines if b"@cee: " in line]

        wait_until(lambda: len(said()) >= told.count(b"\n"), EVENT_TIMEOUT_S, "every datagram")
        assert all(PRINTABLE.fullmatch(line) for line in said())
        assert b"".join(line.split(b"@cee: ", 1)[1] + b"\n" for line in said()) == told
        assert len(check_host_log(unbound)) == len(expected)
        assert check_metrics(unbound) == dict.fromkeys(expected, 1)
        # an annotation is a text of ours, no name is in it
        texts = {text for one in answers for _, text in errors(one)}
        assert all(re.fullmatch(r"[ -~]+", text) for text in texts)


@pytest.mark.parametrize("most", [5, 0])
def test_no_more_domains_than_the_operator_wants(world, liar, start, most):
    """Of all that are broken those that are asked most, and none with top-domains: 0."""
    unbound = start(
        {**world.upstreams, "evil.test": liar},
        mxclash={"top-domains": most},
        settings={"qname-minimisation": "no", "edns-buffer-size": 4096},
    )
    ask_all(unbound)
    wait_until(
        lambda: len(unbound.events(event="opened")) == len(OWNERS), EVENT_TIMEOUT_S, "every event"
    )
    wanted = random.Random(2).sample(OWNERS, most)
    ask_all(unbound, wanted)
    ask_all(unbound, wanted)
    assert asked_domains(unbound) == {owner.canonicalize(): 3 for owner in wanted}


def test_answers_are_annotated_and_repaired_whatever_the_name(world, liar, start):
    unbound = start(
        {**world.upstreams, "evil.test": liar},
        mxclash={"annotate": "yes", "repair": "yes"},
        settings={"qname-minimisation": "no", "edns-buffer-size": 4096},
    )
    ask_all(unbound)
    answers = ask_all(unbound)
    for owner, one in zip(OWNERS, answers):
        hosts = [r.exchange for s in one.answer if s.rdtype == dns.rdatatype.MX for r in s]
        assert hosts == [TARGETS[owner.canonicalize()].canonicalize()]
    annotated = [errors(one) for one in answers]
    # long names leave no room for it in the 512 octets that an answer may have in any case
    short = [
        found
        for owner, found in zip(OWNERS, annotated)
        if len(owner.to_wire()) + len(TARGETS[owner.canonicalize()].to_wire()) < 100
    ]
    assert len(short) > len(OWNERS) / 2
    assert all(len(found) == 1 and found[0][1].startswith("cname-and-mx: ") for found in short)


def test_a_log_daemon_that_hangs_holds_nobody_up(world, liar, tmp_path):
    if reason := namespace_missing():
        pytest.skip(reason)
    with UnboundWithSyslog(
        tmp_path / "unbound",
        {**world.upstreams, "evil.test": liar},
        mxclash={"log-syslog": "yes"},
        settings={"qname-minimisation": "no"},
    ) as unbound:
        with watching(unbound, "a log daemon that hangs", rate_per_s=200):
            ask_all(unbound)
            unbound.wait_metric('mxclash_events_dropped_total{sink="syslog"}', 1)
            wait_until(
                lambda: len(unbound.events(event="opened")) == len(OWNERS),
                EVENT_TIMEOUT_S,
                "every event in the file",
            )
            unbound.reload()
        assert unbound.log.count("log-syslog: the log daemon takes nothing") >= 1
    assert unbound.process.returncode == 0
    assert unbound.events()[-1]["event"] == "stopped"
