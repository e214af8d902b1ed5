# SPDX-License-Identifier: BSD-3-Clause
"""dnstap as a sender writes it, or as none should: protocol buffers, Frame Streams, DNS answers."""

import socket
import struct
import time

import dns.flags
import dns.message
import dns.name
import dns.rrset

from lab import ANSWER_TIMEOUT_S, wait_until

CONTENT = b"protobuf:dnstap.Dnstap"
ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5
RESOLVER_RESPONSE, CLIENT_RESPONSE, FORWARDER_RESPONSE = 4, 6, 8


def varint(number):
    octets = b""
    while number > 0x7F:
        octets += bytes([number & 0x7F | 0x80])
        number >>= 7
    return octets + bytes([number])


def field(number, value):
    """One field of a protocol buffer: octets, or a number."""
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    return varint(number << 3) + varint(value)


def tap(kind, response, zone=None, address="192.0.2.53", seconds=None, nanoseconds=0):
    """The octets of one dnstap message."""
    seconds = int(time.time()) if seconds is None else seconds
    message = field(1, kind) + field(2, 1) + field(3, 1)
    message += field(5, socket.inet_aton(address)) + field(7, 53)
    if zone is not None:
        message += field(11, dns.name.from_text(zone).to_wire())
    message += field(12, seconds) + varint(13 << 3 | 5) + struct.pack("<I", nanoseconds)
    message += field(14, response)
    return field(1, b"a test") + field(14, message) + field(15, 1)


def answer(owner, rdtype, *records, aa=True):
    """The octets of a DNS answer. Each record is `OWNER TTL TYPE RDATA`."""
    message = dns.message.make_response(dns.message.make_query(owner, rdtype))
    message.flags |= dns.flags.AA if aa else dns.flags.RA
    for record in records:
        name, ttl, kind, rdata = record.split(None, 3)
        message.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, rdata))
    return message.to_wire()


def conflict(domain, kind=RESOLVER_RESPONSE, **options):
    """Two messages that together show a CNAME and an MX at a domain, by type."""
    cname = answer(f"{domain}.", "A", f"{domain}. 600 CNAME www.cdn.test.")
    mx = answer(f"{domain}.", "MX", f"{domain}. 600 MX 5 mail.cdn.test.")
    return [tap(kind, cname, domain, **options), tap(kind, mx, domain, **options)]


def control(kind, *contents):
    """One control frame."""
    body = struct.pack("!I", kind)
    for content in contents:
        body += struct.pack("!II", 1, len(content)) + content
    return struct.pack("!II", 0, len(body)) + body


def frame(octets):
    return struct.pack("!I", len(octets)) + octets


def capture(messages):
    """The octets of a captured file."""
    return control(START, CONTENT) + b"".join(map(frame, messages)) + control(STOP)


class Sender:
    """A connection to an mxclashd, by its socket or (`tcp`) by its port."""

    def __init__(self, sidecar, *, tcp=False):
        self.socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(ANSWER_TIMEOUT_S)
        where = (sidecar.address, sidecar.port) if tcp else str(sidecar.socket_path)
        wait_until(lambda: self.has_place(where), ANSWER_TIMEOUT_S, f"a place at {where}")

    def has_place(self, where):
        """A unix socket whose backlog is full is not waited for, where there is a timeout."""
        try:
            self.socket.connect(where)
        except BlockingIOError:
            return False
        return True

    def send(self, octets):
        self.socket.sendall(octets)

    def begin(self):
        """Both sides say what they are to say."""
        self.send(control(READY, CONTENT))
        accepted = control(ACCEPT, CONTENT)
        assert self.read(len(accepted)) == accepted
        self.send(control(START, CONTENT))
        return self

    def tell(self, messages):
        self.send(b"".join(map(frame, messages)))

    def end(self):
        """Say STOP, and hear that all was taken."""
        self.send(control(STOP))
        finished = control(FINISH)
        assert self.read(len(finished)) == finished
        assert self.socket.recv(1) == b""

    def read(self, count):
        octets = b""
        while len(octets) < count and (more := self.socket.recv(count - len(octets))):
            octets += more
        return octets

    def is_closed(self):
        """Whether the other side has closed; waits until it has."""
        try:
            while self.socket.recv(4096):
                pass
        except ConnectionError:
            pass
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
