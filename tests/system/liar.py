# SPDX-License-Identifier: BSD-3-Clause
"""An authority that says whatever a test has it say, octet by octet if need be.

    with Liar(lambda query, tcp: reply(query, ...)) as liar:

The function gets each query as a dns.message.Message and gives the octets to be sent, a list of
them to be sent one after the other, or None for silence. For names and records that can be written
down, tests/authority does; this one is slow, and can do anything.
"""

import contextlib
import socket
import struct
import threading

import dns.exception
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.IN.A
import dns.rrset
from lab import free_address, free_port

IDLE_S = 0.2
TTL_S = 300


class Liar:
    """Listens on UDP and TCP of a loopback address; `endpoint` is what a resolver is told."""

    def __init__(self, answer, port=0):
        self.answer = answer
        self.address = free_address(port)
        self.port = port or free_port(self.address)
        self.asked = []
        self._stopping = threading.Event()
        self._threads = []

    @property
    def endpoint(self):
        return f"{self.address}@{self.port}"

    def _messages(self, octets, tcp):
        try:
            query = dns.message.from_wire(octets)
        except dns.exception.DNSException:
            return []
        self.asked.append((query.question[0].name, query.question[0].rdtype))
        said = self.answer(query, tcp)
        if said is None:
            return []
        return said if isinstance(said, list) else [said]

    def _serve_udp(self, one):
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                octets, peer = one.recvfrom(65535)
                for message in self._messages(octets, False):
                    one.sendto(message, peer)

    def _serve_tcp(self, listener):
        while not self._stopping.is_set():
            with contextlib.suppress(OSError):
                one, _ = listener.accept()
                one.settimeout(IDLE_S)
                with one, one.makefile("rb") as stream:
                    while head := stream.read(2):
                        octets = stream.read(struct.unpack("!H", head)[0])
                        for message in self._messages(octets, True):
                            one.sendall(struct.pack("!H", len(message)) + message)

    def __enter__(self):
        for kind, serve in (
            (socket.SOCK_DGRAM, self._serve_udp),
            (socket.SOCK_STREAM, self._serve_tcp),
        ):
            one = socket.socket(socket.AF_INET, kind)
            if kind == socket.SOCK_STREAM:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((self.address, self.port))
            one.settimeout(IDLE_S)
            if kind == socket.SOCK_STREAM:
                one.listen(16)
            thread = threading.Thread(target=serve, args=(one,), daemon=True)
            thread.start()
            self._threads.append((thread, one))
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread, one in self._threads:
            thread.join()
            one.close()


def a(address="192.0.2.80"):
    return dns.rdtypes.IN.A.A(dns.rdataclass.IN, dns.rdatatype.A, address)


def cname(target):
    return dns.rdtypes.ANY.CNAME.CNAME(dns.rdataclass.IN, dns.rdatatype.CNAME, target)


def mx(preference, exchange):
    return dns.rdtypes.ANY.MX.MX(dns.rdataclass.IN, dns.rdatatype.MX, preference, exchange)


def reply(query, *records, aa=True, rcode=0, flags=0):
    """The answer to a query as a Message; records are (owner, rdata), an RRset each."""
    answer = dns.message.make_response(query)
    answer.flags |= (dns.flags.AA if aa else 0) | flags
    answer.set_rcode(rcode)
    for owner, rdata in records:
        answer.answer.append(dns.rrset.from_rdata(owner, TTL_S, rdata))
    return answer
