# SPDX-License-Identifier: BSD-3-Clause
"""Loads the module of each build of Unbound into the server of each.

Where the two belong together the server starts and stops. Anywhere else it ends with exit status 1
and one line of ours that says why, whether functions are bound late or at the start. A server
without its symbol table is still the same server. One without dynlib says so in its own words.
Modules that are wrong in one thing only show that each thing is looked at (misfit-*.so), and each
function of the server that the module calls must be among what it looks at. A server without
threads takes its module if it is to run one process, and refuses it for two.

usage: check_abi.py STOCK_FOLDER HOST_DIR...
  STOCK_FOLDER  what stock-unbound.sh made
  HOST_DIR      has prefix/sbin/unbound and mxclash.so, and gets what is written, in check-abi/;
                the first also misfit-*.so; one named no-threads comes last
"""

import pathlib
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

from lab import LabError, Server, free_address, free_port  # noqa: E402

REFUSAL = "this module was made for one build of Unbound"
NO_THREADS = "this Unbound was built without threads: num-threads must be 1"
NO_DYNLIB = "Unknown value in module-config, module: 'dynlib'. This module is not present"
START_OR_REFUSE_S = 60
THREADLESS = "no-threads"

CONF = """
server:
  module-config: "dynlib iterator"
  interface: {address}@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  num-threads: {threads}
remote-control:
  control-enable: no
dynlib:
  dynlib-file: "{module}"
"""


class Pair(Server):
    """One server with one module."""

    def __init__(self, folder, server, module, environment=(), threads=1):
        shutil.rmtree(folder, ignore_errors=True)
        address = free_address()
        super().__init__(folder, address, free_port(address))
        self.server = server
        self.module = module
        self.extra = dict(environment)
        self.threads = threads

    def configure(self):
        (self.folder / "unbound.conf").write_text(CONF.format(**vars(self)))
        (self.folder / "mxclash.conf").write_text('http-listen: ""\ndatabase: ""\n')

    def command(self):
        return [str(self.server), "-d", "-c", "unbound.conf"]

    def environment(self):
        return {"MXCLASH_CONF": str(self.folder / "mxclash.conf"), **self.extra}

    def is_ready(self):
        return "start of service" in self.log

    def run(self):
        """Start, and stop if it has started. Returns the exit status."""
        try:
            self.start()
            return self.stop()
        except LabError:
            return self.process.wait(START_OR_REFUSE_S)


def status_text(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit {status}"


def wrong_in_pair(pair, status):
    """What is wrong with a pair that does not belong together, None if nothing is."""
    ours = [line for line in pair.log.splitlines() if "mxclash:" in line]
    if status != 1:
        return status_text(status)
    if len(ours) != 1 or REFUSAL not in ours[0]:
        return f"{len(ours)} lines of ours"
    return None


def wrong_in_match(pair, status):
    """What is wrong with a pair that belongs together, None if nothing is."""
    if status != 0 or REFUSAL in pair.log or not pair.is_ready():
        return status_text(status)
    return None


def what_differs(log):
    start = log.find(" (", log.find(REFUSAL))
    return log[start + 2 : log.find(" differs)", start)]


# misfit-NAME.so: what it says that differs
MISFITS = {
    "version": "its version",
    "line": "its configure line",
    "size": "config_apply",
    "call": "no_such_function",
}


def symbols(*arguments):
    """The names that nm lists, without versions."""
    run = subprocess.run(
        ["nm", "-D", *arguments], stdout=subprocess.PIPE, check=True, timeout=60, text=True
    )
    return {line.split()[-1].split("@")[0] for line in run.stdout.splitlines()}


class Check:
    def __init__(self):
        self.faults = 0

    def tell(self, label, wrong, pair, said):
        if wrong:
            self.faults += 1
        print(f"check-abi: {'FAULT' if wrong else 'ok'}: {label}: {wrong or said}")
        if wrong:
            print(pair.log[-1500:])

    def pair(self, host, other, **options):
        """The server of `host` with the module of `other`."""
        name = "-".join([other.name, *options.get("environment", {})])
        pair = Pair(
            host / "check-abi" / name, host / "prefix/sbin/unbound", other / "mxclash.so", **options
        )
        status = pair.run()
        label = f"server {host.name}, module {name}"
        if host == other:
            self.tell(label, wrong_in_match(pair, status), pair, "starts and stops")
        else:
            wrong = wrong_in_pair(pair, status)
            self.tell(label, wrong, pair, f"refused for {what_differs(pair.log)}")

    def stripped(self, host):
        folder = host / "check-abi" / "stripped"
        pair = Pair(folder, folder / "unbound", host / "mxclash.so")
        subprocess.run(
            ["strip", "-o", pair.server, host / "prefix/sbin/unbound"], check=True, timeout=60
        )
        wrong = wrong_in_match(pair, pair.run())
        self.tell(f"server {host.name} stripped", wrong, pair, "starts and stops")

    def misfit(self, host, name):
        pair = Pair(
            host / "check-abi" / f"misfit-{name}",
            host / "prefix/sbin/unbound",
            host / f"misfit-{name}.so",
        )
        wrong = wrong_in_pair(pair, pair.run())
        if not wrong and what_differs(pair.log) != MISFITS[name]:
            wrong = f"refused for {what_differs(pair.log)}"
        self.tell(f"a module that is wrong in its {name}", wrong, pair, "refused for just that")

    def calls(self, host):
        """Is each function of the server that the module calls looked at before?"""
        called = symbols("-u", host / "mxclash.so")
        called &= symbols("--defined-only", host / "prefix/sbin/unbound")
        looked_at = (host / "host_build.h").read_text()
        missed = sorted(name for name in called if f'{{"{name}",' not in looked_at)
        if missed or not called:
            self.faults += 1
        print(f"check-abi: {len(called)} functions called of {host.name}, not looked at: {missed}")

    def threadless(self, host):
        pair = Pair(
            host / "check-abi" / "two-processes",
            host / "prefix/sbin/unbound",
            host / "mxclash.so",
            threads=2,
        )
        status = pair.run()
        wrong = None if status == 1 and NO_THREADS in pair.log else status_text(status)
        self.tell(f"server {host.name}, two processes", wrong, pair, "refused")

    def stock(self, folder, host):
        libraries = ":".join(map(str, (folder / "unpacked/usr/lib").glob("*-linux-*")))
        pair = Pair(
            host / "check-abi" / "stock",
            folder / "unpacked/usr/sbin/unbound",
            host / "mxclash.so",
            environment={"LD_LIBRARY_PATH": libraries},
        )
        status = pair.run()
        wrong = None if status == 1 and NO_DYNLIB in pair.log else status_text(status)
        self.tell("the distribution's own server, no dynlib", wrong, pair, "refuses in its words")


def main():
    stock, *hosts = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    check = Check()
    for host in hosts:
        check.calls(host)
        for other in hosts:
            check.pair(host, other)
            if host != other:
                check.pair(host, other, environment={"LD_BIND_NOW": "1"})
    for name in MISFITS:
        check.misfit(hosts[0], name)
    check.stripped(hosts[0])
    # what no archive has is left out, as host.mk said
    if hosts[-1].name == THREADLESS:
        check.threadless(hosts[-1])
    if not (stock / "missing").exists():
        check.stock(stock, hosts[0])
    if len(hosts) < 2:
        sys.exit("check-abi: two builds at least are needed")
    sys.exit(f"check-abi: {check.faults} faults" if check.faults else 0)


if __name__ == "__main__":
    main()
