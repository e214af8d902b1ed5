# SPDX-License-Identifier: BSD-3-Clause
"""The authorities of others: NSD, PowerDNS, tinydns.

Zones are a dict from the zone's name to its records, one a line as `OWNER TTL TYPE RDATA`: owners
relative to the zone or `@`, names in RDATA absolute. SOA, NS and the name server's address are
added.
"""

import os
import shutil
import sqlite3
import subprocess
from collections import namedtuple

from lab import DNS_PORT, SEARCH_PATH, LabError, Server, free_address, free_port

Record = namedtuple("Record", "owner ttl type rdata")


def records(zone, text):
    """The records of a zone as Record, owners absolute with the last dot."""
    found = []
    for line in text.strip().splitlines():
        owner, ttl, rdtype, rdata = line.split(None, 3)
        owner = f"{zone}." if owner == "@" else f"{owner}.{zone}."
        found.append(Record(owner, int(ttl), rdtype, rdata))
    return found


def whole_zone(zone, text, address):
    """records() with SOA, NS and the address of the name server before them."""
    server = f"ns.{zone}."
    return [
        Record(f"{zone}.", 300, "SOA", f"{server} hostmaster.{zone}. 1 3600 600 86400 60"),
        Record(f"{zone}.", 300, "NS", server),
        Record(server, 300, "A", address),
        *records(zone, text),
    ]


class ZoneServer(Server):
    """A server of zones given as a dict."""

    def __init__(self, folder, zones, address=None, port=0, **options):
        address = address or free_address(port)
        super().__init__(folder, address, port or free_port(address), **options)
        self.zones = zones

    def first_question(self):
        return next(iter(self.zones)), "SOA"


class Nsd(ZoneServer):
    """NSD: refuses zones with a CNAME beside other data, so all it serves is healthy."""

    def configure(self):
        lines = [
            "server:",
            f"  ip-address: {self.endpoint}",
            *('  username: ""', '  chroot: ""', '  database: ""', "  server-count: 1"),
            *(f'  {key}: "{self.folder}"' for key in ("zonesdir", "xfrdir")),
            *(
                f'  {key}: "{self.folder / key}"'
                for key in ("pidfile", "xfrdfile", "zonelistfile", "cookie-secret-file")
            ),
            "remote-control:",
            "  control-enable: no",
        ]
        for zone, text in self.zones.items():
            lines += ["zone:", f"  name: {zone}", f"  zonefile: {zone}.zone"]
            body = "".join(
                f"{r.owner} {r.ttl} IN {r.type} {r.rdata}\n"
                for r in whole_zone(zone, text, self.address)
            )
            (self.folder / f"{zone}.zone").write_text(body)
        (self.folder / "nsd.conf").write_text("\n".join(lines) + "\n")

    def command(self):
        return ["nsd", "-d", "-c", str(self.folder / "nsd.conf")]


class PowerDns(ZoneServer):
    """PowerDNS on SQLite: answers with the CNAME alone, whatever stands beside it."""

    # What the backend's queries need of /usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql,
    # a file that small Debian images leave out.
    SCHEMA = """
        CREATE TABLE domains (id INTEGER PRIMARY KEY, name, master, last_check, type,
            notified_serial, account, options, catalog);
        CREATE TABLE records (id INTEGER PRIMARY KEY, domain_id, name, type, content, ttl, prio,
            disabled DEFAULT 0, ordername, auth DEFAULT 1);
        CREATE TABLE domainmetadata (id INTEGER PRIMARY KEY, domain_id, kind, content);
        CREATE TABLE cryptokeys (id INTEGER PRIMARY KEY, domain_id, flags, active, published,
            content);
        CREATE TABLE tsigkeys (id INTEGER PRIMARY KEY, name, algorithm, secret);
        CREATE TABLE supermasters (ip, nameserver, account);
        CREATE TABLE comments (id INTEGER PRIMARY KEY, domain_id, name, type, modified_at,
            account, comment);
    """

    def configure(self):
        (self.folder / "zones.db").unlink(missing_ok=True)
        database = sqlite3.connect(self.folder / "zones.db")
        database.executescript(self.SCHEMA)
        for number, (zone, text) in enumerate(self.zones.items(), 1):
            database.execute(
                "INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')", (number, zone)
            )
            for record in whole_zone(zone, text, self.address):
                priority, content = 0, record.rdata
                if record.type == "MX":
                    priority, content = record.rdata.split()
                if record.type in ("MX", "CNAME", "NS", "DNAME"):
                    content = content.rstrip(".")
                database.execute(
                    "INSERT INTO records (domain_id, name, type, content, ttl, prio)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (number, record.owner[:-1], record.type, content, record.ttl, priority),
                )
        database.commit()
        database.close()

    def command(self):
        settings = {
            "config-dir": self.folder,
            "socket-dir": ".",
            "launch": "gsqlite3",
            "gsqlite3-database": self.folder / "zones.db",
            "gsqlite3-pragma-foreign-keys": "no",
            "local-address": self.address,
            "local-port": self.port,
            "daemon": "no",
            "guardian": "no",
            "disable-syslog": "yes",
            "write-pid": "no",
            "receiver-threads": 1,
            "distributor-threads": 1,
            "security-poll-suffix": "",
        }
        return ["pdns_server", *(f"--{key}={value}" for key, value in settings.items())]


class Tinydns(ZoneServer):
    """tinydns: answers with the CNAME and the MX together. UDP only.

    It binds port 53 of its address, and nothing else can be chosen; so it needs the right to bind
    port 53, and an address of its own far from 127.0.0.1. It also wants to chroot and to change
    its user, so it needs root; it keeps our user.
    """

    def __init__(self, folder, zones, address=None, **options):
        super().__init__(folder, zones, address, DNS_PORT, **options)

    def environment(self):
        return {
            "IP": self.address,
            "ROOT": str(self.folder),
            "UID": str(os.getuid()),
            "GID": str(os.getgid()),
        }

    @staticmethod
    def _line(record):
        """One record in the format of tinydns-data."""
        owner, rdata = record.owner[:-1], record.rdata
        if record.type == "MX":
            preference, exchange = rdata.split()
            return f"@{owner}::{exchange[:-1]}:{preference}:{record.ttl}"
        if record.type == "CNAME":
            return f"C{owner}:{rdata[:-1]}:{record.ttl}"
        if record.type == "A":
            return f"+{owner}:{rdata}:{record.ttl}"
        if record.type == "TXT":
            text = rdata.strip('"').replace("\\", "\\134").replace(":", "\\072")
            return f"'{owner}:{text}:{record.ttl}"
        raise LabError(f"tinydns: no way to write a {record.type}")

    def configure(self):
        lines = []
        for zone, text in self.zones.items():
            lines.append(f".{zone}:{self.address}:ns.{zone}:300")
            lines += [self._line(record) for record in records(zone, text)]
        (self.folder / "data").write_text("\n".join(lines) + "\n")
        done = subprocess.run(
            [shutil.which("tinydns-data", path=SEARCH_PATH) or "tinydns-data"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LabError(f"tinydns-data: {done.stderr}")

    def command(self):
        return ["tinydns"]


def delegations(zone, children):
    """A scenario's text for `zone` that delegates every child to its server, with glue.

    `children` is a dict from a zone's name to its server, which must be on port 53.
    """
    lines = [f"zone {zone}"]
    for child, server in children.items():
        if server.port != DNS_PORT:
            raise LabError(f"{server.label} is not on port {DNS_PORT}, nobody can be sent there")
        lines += [f"  {child}. NS ns.{child}.", f"  ns.{child}. A {server.address}"]
    return "\n".join(lines) + "\n"
