# SPDX-License-Identifier: BSD-3-Clause
"""PowerDNS Recursor as Debian ships it, with the detector inside: conf-examples/powerdns."""

import contextlib
import re
import subprocess
import urllib.request

from lab import BUILD, DNS_PORT, REPOSITORY, Authority, free_address, free_port, wait_until
from observing import EVENT_TIMEOUT_S, SERIES, Observer
from sidecar import Recursor

SCRIPT = REPOSITORY / "conf-examples" / "powerdns" / "mxclash.lua"
ANNOTATION = "cname-and-mx: a CNAME at this name hides its MX; remove, replace or move the CNAME"
# nobody is asked: what is seen makes suspects
SUSPECTS = {"probe": "false"}
# Gone from the caches within seconds; the packet cache answers as long, and no script sees that.
BROKEN = """\
zone .
  short.test. NS ns.short.test.
  ns.short.test. A {0}
zone cdn.test
  www 1 A 192.0.2.10
zone short.test
  answer by-type
  @ 1 CNAME www.cdn.test.
  @ 3 MX 5 mx1.qiye.aliyun.com.
"""
NO_CNAME = BROKEN.replace("  @ 1 CNAME www.cdn.test.\n", "  @ 1 A 192.0.2.11\n")
NO_MX = BROKEN.replace("  @ 3 MX 5 mx1.qiye.aliyun.com.\n", "")
NEITHER = NO_CNAME.replace("  @ 3 MX 5 mx1.qiye.aliyun.com.\n", "")


class Inside(Observer, Recursor):
    """A Recursor with the script.

    settings   of the script, that differ from the lab's, as Lua has them
    replaced   texts of the script, and what stands in their place
    own        the operator's script, which ends with ours; None: ours alone
    config     its own configuration in Lua
    server     its settings that differ from the lab's
    """

    def __init__(self, folder, root, *, settings=(), replaced=(), own=None, config="", server=(),
                 **options):
        super().__init__(folder, root, None, **options)
        self.events_path = self.folder / "events"
        self.http_port = free_port(self.address)
        self.settings = {
            "log_file": f'"{self.events_path}"',
            "library": f'"{BUILD}/libmxclash.so.1"',
            "prover_library": f'"{BUILD}/libmxclash-prover.so.1"',
            "declarations": f'{{ "{BUILD}/mxclash.ffi.h" }}',
            # there is no other in the lab
            "resolvers": f'{{ "{self.endpoint}" }}',
            "may_ask": '{ "127.0.0.0/8" }',
            "confirm_after_s": "0",
            "probe_rate": "1000",
            **dict(settings),
        }
        self.replaced = dict(replaced)
        self.own = own
        self.config = config
        self.server = dict(server)

    @property
    def script_path(self):
        return self.folder / "mxclash.lua"

    @property
    def config_path(self):
        return self.folder / "config.lua"

    def is_ready(self):
        # one that trusts no root asks for its key first
        return "Listening for HTTP requests" in self.log and super().is_ready()

    def configure(self):
        self.config_path.write_text(self.config)
        # not the Recursor's own step, which has it send dnstap
        super(Recursor, self).configure()
        self.write_script()
        if self.own:
            (self.folder / "own.lua").write_text(f'{self.own}\ndofile "{self.script_path}"\n')

    def write_script(self):
        text = SCRIPT.read_text()
        head, settings, rest = re.split(r"(local settings = \{\n.*?\n\}\n)", text, flags=re.DOTALL)
        for name, value in self.settings.items():
            settings, count = re.subn(
                rf"(\n    {name} = )[^\n]*,\n", lambda match: f"{match[1]}{value},\n", settings)  # noqa: B023
            assert count == 1, name
        text = head + settings + rest
        for was, now in self.replaced.items():
            assert was in text, was
            text = text.replace(was, now)
        self.script_path.write_text(text)

    def command(self):
        settings = {
            "lua-dns-script": self.folder / "own.lua" if self.own else self.script_path,
            "lua-config-file": self.config_path,
            "threads": 2,
            "webserver": "yes",
            "webserver-address": self.address,
            "webserver-port": self.http_port,
            "webserver-allow-from": "127.0.0.0/8",
            **self.server,
        }
        return [*super().command(), *(f"--{key}={value}" for key, value in settings.items())]

    def control(self, *words):
        return subprocess.run(
            ["rec_control", "--socket-dir=.", *words], cwd=self.folder,
            capture_output=True, text=True, timeout=60, check=True).stdout

    def metrics(self, path="/metrics"):
        """Ours of the Recursor's own page, which has metrics of other forms too."""
        with urllib.request.urlopen(f"http://{self.address}:{self.http_port}{path}") as reply:
            lines = reply.read().decode().splitlines()
        matches = [SERIES.match(line) for line in lines if line.startswith("mxclash_")]
        return {
            f"{name}{{{labels}}}" if labels else name: float(value)
            for name, labels, value in (match.groups() for match in matches)
        }


@contextlib.contextmanager
def short_lived(folder, text=BROKEN, **options):
    """short.test, whose records are soon gone from the cache, and a Recursor."""
    address = free_address(DNS_PORT)
    with Authority(folder / "own", text.format(address), address, DNS_PORT) as own:
        with Inside(folder / "inside", own, **options) as inside:
            yield own, inside


def ask_until(inside, rdtypes, condition, what):
    """Ask short.test as people and mail servers do, until it is so."""
    def happens():
        for rdtype in rdtypes:
            inside.ask("short.test", rdtype, edns=True)
        return condition()

    return wait_until(happens, EVENT_TIMEOUT_S, what)


def ask_until_opened(inside):
    found = lambda: inside.events(event="opened", domain="short.test")  # noqa: E731
    return ask_until(inside, ("MX", "A"), found, "the conflict")[0]


def ede(answer):
    """The Extended DNS Errors of an answer, as (code, text)."""
    return [(int(option.code), option.text) for option in answer.options
            if option.otype == 15]
