# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash serve` on logs that a test writes, and what `mxclash list` and `show` say of them."""
import contextlib
import datetime
import json
import os
import pathlib
import signal
import subprocess
import time

from lab import free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("MXCLASH_COMMAND", str(ROOT / "build" / "mxclash"))
BOOK_TIMEOUT_S = 60


def rfc3339(at):
    text = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat("T", "milliseconds")
    return text.replace("+00:00", "Z")


def event(domain, name="opened", at=None, since=None, **given):
    """One line of a log; since is when it was opened."""
    at = time.time() - 60 if at is None else at
    since = at if since is None else since
    told = {
        "time": rfc3339(at), "event": name, "domain": domain, "kind": "cname-and-mx",
        "state": "confirmed", "evidence": "probe", "apex": True, "zone": domain,
        "cname": {"target": "www.cdn.test", "ttl": 600},
        "mx": [{"preference": 5, "exchange": "mx1.qiye.aliyun.com"},
               {"preference": 10, "exchange": "mx2.qiye.aliyun.com"},
               {"preference": 15, "exchange": "mx3.qiye.aliyun.com"}],
        "provider": "alibaba-mail-standard", "impact": "implicit-mx", "hides_spf": None,
        "spf": None, "authority": "192.0.2.53", "authorities_differ": False,
        "first_seen": rfc3339(since), "last_seen": rfc3339(at), "mx_queries": 0,
        "advice": ["remove-cname", "move-cname"], "host": "resolver1", "held_back": 0,
    }
    told.update(given)
    return told


def write(path, *events):
    with open(path, "a", encoding="utf-8") as log:
        for told in events:
            log.write((told if isinstance(told, str) else json.dumps(told)) + "\n")


class Keeper:
    """A folder with a configuration, a log, a book, and the program that keeps it."""

    def __init__(self, folder, database=None, log=None):
        self.folder = folder
        self.log = log if log is not None else folder / "log.json"
        self.database = database if database is not None else folder / "book.db"
        self.conf = folder / "mxclash.conf"
        self.stderr = folder / "serve.stderr"
        self.process = None
        self.conf.write_text(f"log-file: {self.log}\ndatabase: {self.database}\n"
                             f"page-listen: 127.0.0.1@{free_port('127.0.0.1')}\n")

    def start(self, *arguments, **options):
        with open(self.stderr, "ab") as stderr:
            self.process = subprocess.Popen(
                [COMMAND, "serve", *map(str, arguments)], stdin=subprocess.DEVNULL,
                stdout=stderr, stderr=stderr, env={**os.environ, "MXCLASH_CONF": str(self.conf)},
                **options)
        return self

    def stop(self):
        """End it as an init system does. Return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(BOOK_TIMEOUT_S)

    def kill(self):
        self.process.kill()
        self.process.wait(BOOK_TIMEOUT_S)

    def says(self, text):
        assert self.process.poll() is None, self.stderr.read_text()
        return text in self.stderr.read_text()

    def wait_says(self, text):
        wait_until(lambda: self.says(text), BOOK_TIMEOUT_S, f"serve to say {text!r}")

    def run(self, *arguments, **environment):
        """Run the command with this configuration: (status, stdout, stderr)."""
        done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, "MXCLASH_CONF": str(self.conf), **environment},
                              stdin=subprocess.DEVNULL, timeout=BOOK_TIMEOUT_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def list(self, *arguments):
        """The affected domains, by name; None if there is no book yet."""
        status, out, _ = self.run("list", "--json", *arguments)
        if status != 0:
            return None
        return {told["domain"]: told for told in map(json.loads, out.splitlines())}

    def wait_listed(self, *domains):
        """Wait until these and no others are open."""
        wait_until(lambda: self.list() is not None and set(self.list()) == set(domains),
                   BOOK_TIMEOUT_S, f"the book to have {domains}")


@contextlib.contextmanager
def keeping(folder, *arguments, **options):
    """A Keeper that runs, and is ended however the test ends."""
    keeper = Keeper(folder, **options)
    keeper.start(*arguments)
    try:
        yield keeper
    finally:
        if keeper.process.poll() is None:
            keeper.kill()
