# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash check` beside servers that lie: what it believes, how long it goes on, whom it asks."""

import os
import pty
import socket
import subprocess
import threading
import time

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
from checking import ALONE, LAB, Delegations, check, kinds, tags
from lab import DNS_PORT, Authority, free_address, port_53_missing
from liar import Liar, a, cname, mx, reply
from test_cli import COMMAND, write

needs_port_53 = pytest.mark.skipif(port_53_missing() is not None, reason="port 53 wants root")


def by_type(query, tcp):
    """The truth of these tests: lie.test has a CNAME and an MX, by type."""
    owner, rdtype = query.question[0].name, query.question[0].rdtype
    if rdtype == dns.rdatatype.MX:
        return reply(query, (owner, mx(5, "mx.lie.test."))).to_wire()
    return reply(query, (owner, cname("www.lie.test."))).to_wire()


def healthy(query, tcp):
    owner, rdtype = query.question[0].name, query.question[0].rdtype
    if rdtype == dns.rdatatype.MX:
        return reply(query, (owner, mx(5, "mx.lie.test."))).to_wire()
    return soa(query).to_wire()


def soa(query):
    answer = reply(query)
    answer.authority.append(
        dns.rrset.from_text("lie.test.", 60, "IN", "SOA", "ns.lie.test. h.lie.test. 1 1 1 1 60")
    )
    return answer


def with_other_id(query, octets):
    return bytes([octets[0] ^ 0x5A]) + octets[1:]


def with_other_question(query, octets):
    other = dns.message.make_query("other.test.", query.question[0].rdtype, id=query.id)
    return by_type(other, False)


def with_other_type(query, octets):
    other = dns.message.make_query(query.question[0].name, "SRV", id=query.id)
    return by_type(other, False)


def garbage(query, octets):
    return octets[:2] + os.urandom(40)


def cut(query, octets):
    return octets[:-3]


def as_query(query, octets):
    return octets[:2] + bytes([octets[2] & 0x7F]) + octets[3:]


def without_question(query, octets):
    return octets[:4] + b"\0\0\0\0\0\0\0\0"


LIES = [
    with_other_id, with_other_question, with_other_type, garbage, cut, as_query, without_question,
    lambda query, octets: b"", lambda query, octets: octets[:11],
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_truth_behind_a_lie(tmp_path, lie):
    """What does not answer the question is passed over; the answer behind it counts."""

    def answer(query, tcp):
        octets = by_type(query, tcp)
        return [lie(query, healthy(query, tcp)), octets]

    with Liar(answer) as liar:
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert (status, kinds(told)) == (1, ["cname-and-mx"])
    assert tags(told) == ["stray-answers"]


@pytest.mark.parametrize("lie", [with_other_id, cut])
def test_nothing_but_lies(tmp_path, lie):
    with Liar(lambda query, tcp: lie(query, by_type(query, tcp))) as liar:
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert (status, told["result"]) == (2, "unknown")
    assert told["servers"][0]["authoritative"] is False
    assert told["servers"][0]["answers"]["MX"]["status"] in ("timeout", "malformed")


def test_lies_over_tcp(tmp_path):
    """TC leads to TCP; a stream that says something else is no answer."""

    def answer(query, tcp):
        octets = by_type(query, tcp)
        if tcp:
            return with_other_question(query, octets)
        return octets[:2] + bytes([octets[2] | 2]) + octets[3:]

    with Liar(answer) as liar:
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert status == 2
    answers = told["servers"][0]["answers"]
    assert {x["status"] for x in answers.values()} == {"malformed"}
    assert all(x["tcp"] for x in answers.values())


def test_stream_that_ends_without_an_answer(tmp_path):

    def answer(query, tcp):
        octets = by_type(query, tcp)
        return None if tcp else octets[:2] + bytes([octets[2] | 2]) + octets[3:]

    with Liar(answer) as liar:
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert (status, told["servers"][0]["answers"]["MX"]["status"]) == (2, "unreachable")


def test_answer_from_elsewhere(tmp_path):
    """The right octets from another address are not heard."""
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = free_address()
    server.bind((address, 0))
    server.settimeout(0.2)
    other.bind((free_address(), server.getsockname()[1]))
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            try:
                octets, peer = server.recvfrom(65535)
            except TimeoutError:
                continue
            query = dns.message.from_wire(octets)
            other.sendto(healthy(query, False), peer)
            server.sendto(by_type(query, False), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        endpoint = f"{address}@{server.getsockname()[1]}"
        status, told = check(tmp_path, "lie.test", "--server", endpoint, conf=ALONE)
    finally:
        stop.set()
        thread.join()
        server.close()
        other.close()
    assert (status, kinds(told), tags(told)) == (1, ["cname-and-mx"], [])


def test_server_that_knows_no_edns(tmp_path):
    def answer(query, tcp):
        if query.edns >= 0:
            return reply(query, rcode=dns.rcode.FORMERR).to_wire()
        return by_type(query, tcp)

    with Liar(answer) as liar:
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert (status, kinds(told)) == (1, ["cname-and-mx"])


def test_flood_of_lies(tmp_path):
    with Liar(lambda query, tcp: [b"x" * 60] * 2000) as liar:
        began = time.monotonic()
        status, told = check(tmp_path, "lie.test", "--server", liar.endpoint, conf=ALONE)
    assert (status, told["servers"][0]["authoritative"]) == (2, False)
    assert time.monotonic() - began < 60


@needs_port_53
class TestDelegations:
    def test_in_a_circle(self, tmp_path):
        """Two zones whose servers lie in each other, without glue: it ends, and soon."""
        address = free_address(DNS_PORT)
        text = "zone .\n  one.test. NS ns.two.test.\n  two.test. NS ns.one.test.\n"
        with Authority(tmp_path / "root", text, address, DNS_PORT) as root:
            status, told = check(tmp_path, "one.test", "--root", root.endpoint)
            asked = len(root.queries())
        assert (status, told["zone"]) == (2, "one.test")
        assert told["servers"][0]["not_asked"] == "no address was found"
        assert asked <= 257

    def test_that_multiply(self, tmp_path):
        """Each zone has many servers, each in a zone that has many: the sum is bounded."""
        address = free_address(DNS_PORT)
        lines = ["zone ."]
        for i in range(20):
            lines += [f"  z{i}.test. NS ns.z{k}.test." for k in range(20)]
        with Authority(tmp_path / "root", "\n".join(lines) + "\n", address, DNS_PORT) as root:
            status, _ = check(tmp_path, "z0.test", "--root", root.endpoint)
            asked = len(root.queries())
        assert status == 2
        assert asked <= 257

    def test_without_end(self, tmp_path):
        """A server that refers ever deeper, always to itself."""

        def answer(query, tcp):
            labels = query.question[0].name.labels
            depth = min(len(labels), len(liar.asked) + 1)
            cut = dns.name.Name(labels[-depth:])
            answer = dns.message.make_response(query)
            answer.authority.append(dns.rrset.from_text(cut, 60, "IN", "NS", "ns.deep.test."))
            answer.additional.append(
                dns.rrset.from_text("ns.deep.test.", 60, "IN", "A", liar.address)
            )
            return answer.to_wire()

        name = ".".join("abcdefghijklmnopqrstuvwxyz") + ".deep.test"
        with Liar(answer, DNS_PORT) as liar:
            status, _ = check(tmp_path, name, "--root", liar.endpoint)
            assert status == 2
            assert len(liar.asked) < 60

    def test_glue_for_others(self, tmp_path):
        """Whoever delegates names addresses of his own zone's hosts only."""
        trap = Liar(by_type, DNS_PORT)

        def answer(query, tcp):
            answer = dns.message.make_response(query)
            answer.authority.append(
                dns.rrset.from_text("sub.liar.test.", 60, "IN", "NS", "ns.victim.test.")
            )
            answer.additional.append(
                dns.rrset.from_text("ns.victim.test.", 60, "IN", "A", trap.address)
            )
            return answer.to_wire()

        with trap, Liar(answer, DNS_PORT) as liar:
            text = f"zone .\n liar.test. NS ns.liar.test.\n ns.liar.test. A {liar.address}\n"
            with Authority(tmp_path / "root", text, free_address(DNS_PORT), DNS_PORT) as root:
                status, told = check(tmp_path, "sub.liar.test", "--root", root.endpoint)
        assert status == 2
        assert trap.asked == []
        assert told["zone"] == "sub.liar.test"

    def test_upwards(self, tmp_path):
        """A lame server that refers to the root is no way to go."""
        def answer(query, tcp):
            answer = dns.message.make_response(query)
            answer.authority.append(dns.rrset.from_text(".", 60, "IN", "NS", "ns.liar.test."))
            answer.additional.append(
                dns.rrset.from_text("ns.liar.test.", 60, "IN", "A", liar.address)
            )
            return answer.to_wire()

        with Liar(answer, DNS_PORT) as liar:
            text = f"zone .\n liar.test. NS ns.liar.test.\n ns.liar.test. A {liar.address}\n"
            with Authority(tmp_path / "root", text, free_address(DNS_PORT), DNS_PORT) as root:
                status, told = check(tmp_path, "liar.test", "--root", root.endpoint)
        assert (status, tags(told)) == (2, ["lame-server"])
        assert told["zone"] == "liar.test"

    def test_aliases_in_a_circle_at_the_target(self, tmp_path):
        zone = (
            "zone loop.test\n answer by-type\n @ CNAME a.loop.test.\n @ MX 5 mx.loop.test.\n"
            " a CNAME b.loop.test.\n b CNAME a.loop.test.\n"
        )
        with Delegations(tmp_path, {"loop.test": [zone]}) as world:
            status, told = check(tmp_path, "loop.test", *world.option)
        assert (status, told["conflicts"][0]["impact"]) == (1, "no-mail-host")


# --- on a terminal -----------------------------------------------------------------------------


def on_terminal(folder, *arguments, **environment):
    """Run the command with a terminal as stdout and stderr; return what it wrote there."""
    env = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    env |= {"TERM": "xterm", "MXCLASH_CONF": str(write(folder, LAB)), **environment}
    outer, inner = pty.openpty()
    pieces = []

    def read():
        while True:
            try:
                piece = os.read(outer, 65536)
            except OSError:
                return
            if not piece:
                return
            pieces.append(piece)

    with subprocess.Popen([COMMAND, *arguments], env=env, stdin=subprocess.DEVNULL, stdout=inner,
                          stderr=inner) as process:  # fmt: skip
        os.close(inner)
        reader = threading.Thread(target=read)
        reader.start()
        status = process.wait(60)
        reader.join()
    os.close(outer)
    return status, b"".join(pieces).decode()


def test_colours_and_progress_on_a_terminal_only(tmp_path):
    def slow(query, tcp):
        time.sleep(0.05)
        return by_type(query, tcp)

    with Liar(slow) as liar:
        arguments = ("check", "lie.test", "--server", liar.endpoint)
        status, text = on_terminal(tmp_path, *arguments)
        assert status == 1
        assert "\033[31mcname-and-mx\033[0m" in text
        assert "\r\033[Kwaiting for " in text
        status, text = on_terminal(tmp_path, *arguments, NO_COLOR="1")
        assert status == 1
        assert "\033[3" not in text and "\033[1" not in text
        status, text = on_terminal(tmp_path, *arguments, TERM="dumb")
        assert "\033[31m" not in text
