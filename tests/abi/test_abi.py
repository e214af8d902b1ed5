# SPDX-License-Identifier: BSD-3-Clause
"""The library as other hosts meet it: installed, from C, C++ and LuaJIT, with older and newer headers."""
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import threading

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest

import values

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/abi"
BUILD = ROOT / "build"
HEADER = ROOT / "include/mxclash.h"
STRICT = ["-Wall", "-Wextra", "-Werror"]


def run(*command, **options):
    """The output of a command that must not fail."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=120, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module", name="installed")
def install(tmp_path_factory):
    """A tree below a DESTDIR."""
    root = tmp_path_factory.mktemp("root")
    run("make", "-s", "NO_DEPS=1", "install", f"DESTDIR={root}", "PREFIX=/opt/mxclash", cwd=ROOT)
    return root


# --- older and newer headers -------------------------------------------------------------------

# the first member that an older header lacks, in each struct that may grow
LATER = {
    "mxclash_event": None,
    "mxclash_options": "uint32_t queue_events;",
    "mxclash_answer": "struct mxclash_address server;",
    "mxclash_records": "struct mxclash_address server;",
    "mxclash_proof": "uint8_t zone[MXCLASH_NAME_MAX];",
    "mxclash_lookup": None,
    "mxclash_lookup_reply": None,
    "mxclash_stat": "const char *label;",
    "mxclash_domain": "uint8_t reserved_2;",
    "mxclash_standing": None,
}
STRUCT = re.compile(r"^struct (\w+) \{\n(.*?)^\};\n", re.M | re.S)


def growing():
    """The structs that begin with struct_size."""
    return [name for name, body in STRUCT.findall(HEADER.read_text())
            if "uint32_t struct_size;" in body]


def header_of(age):
    """The header with shorter structs, as it is, or with longer ones."""
    def change(match):
        name, body = match.groups()
        if name in growing():
            if age == "older" and LATER[name]:
                body, rest = body.split("    " + LATER[name])
                body = re.sub(r"(    /\*\*(?:(?!\*/).)*\*/\n)$", "", body, flags=re.S)
                assert rest
            elif age == "newer":
                body += "    uint64_t added[3];\n"
        return f"struct {name} {{\n{body}}};\n"

    return STRUCT.sub(change, HEADER.read_text())


def test_every_struct_that_grows_is_tried():
    assert sorted(LATER) == sorted(growing())


@pytest.mark.parametrize("age", ["older", "today", "newer"])
def test_header_of_another_age(age, tmp_path):
    (tmp_path / "mxclash.h").write_text(header_of(age))
    assert (header_of(age) == HEADER.read_text()) == (age == "today")
    run("cc", *STRICT, "-g", f"-I{tmp_path}", HERE / "sized_host.c", BUILD / "libmxclash.so",
        f"-Wl,-rpath,{BUILD}", "-o", tmp_path / "host")
    assert run(tmp_path / "host").splitlines() == [
        "event opened cname-and-mx shop.test, seen 1767323045678",
        "inspect 0",
        "standing 1 confirmed 600",
        "open 1 cname-and-mx",
        "domains 1 cname-and-mx",
        "inspected 1",
        "proof 1 of 2 questions",
        "answer 0",
        "decided 1",
    ]


def test_option_that_the_library_lacks(tmp_path):
    """A newer host that wants what this library cannot is refused, in words."""
    (tmp_path / "mxclash.h").write_text(header_of("newer"))
    source = (HERE / "sized_host.c").read_text()
    source = source.replace("options.it.on_event", "options.it.added[1] = 1;\n    options.it.on_event", 1)
    (tmp_path / "host.c").write_text(source)
    run("cc", f"-I{tmp_path}", tmp_path / "host.c", BUILD / "libmxclash.so",
        f"-Wl,-rpath,{BUILD}", "-o", tmp_path / "host")
    done = subprocess.run([tmp_path / "host"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "is not known to this library" in done.stdout


# --- other languages ---------------------------------------------------------------------------

@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_cxx(standard, tmp_path):
    run("c++", f"-std={standard}", "-pedantic", *STRICT, f"-I{HEADER.parent}", HERE / "host.cc",
        BUILD / "libmxclash.so", f"-Wl,-rpath,{BUILD}", "-o", tmp_path / "host")
    version = re.search(r'MXCLASH_VERSION "(.*)"', HEADER.read_text())[1]
    assert run(tmp_path / "host") == f"{version} 1 cname-at-apex 0\n"


@pytest.mark.parametrize("header", ["mxclash.h", "mxclash-prover.h"])
@pytest.mark.parametrize("compiler, standard", [("cc", "c99"), ("cc", "c11"), ("c++", "c++11")])
def test_header_needs_nothing_before_it(compiler, standard, header, tmp_path):
    source = tmp_path / ("alone.c" if compiler == "cc" else "alone.cc")
    source.write_text(f"#include <{header}>\nint alone(void);\nint alone(void) {{ return MXCLASH_ABI; }}\n")
    run(compiler, f"-std={standard}", "-pedantic", *STRICT, f"-I{HEADER.parent}", "-c", "-o", "/dev/null", source)


@pytest.mark.skipif(not shutil.which("luajit"), reason="no luajit")
def test_luajit(installed):
    lines = run("luajit", HERE / "host.lua", installed / "opt/mxclash/include/mxclash.ffi.h",
                installed / "opt/mxclash/lib/libmxclash.so").splitlines()
    assert lines == [
        "probe_rate is 0: it must be 1 to 100000",
        "opened\tconfirmed\tcname-and-mx\tshop.example\t1\t192",
        "open\t1",
        "mxclash_conflicts_opened_total\tcname-and-mx\t1",
    ]


# --- docs/embedding.md -------------------------------------------------------------------------

def answer_for(query, mended):
    """What an authority says that has a CNAME beside its MX and answers by type."""
    name = query.question[0].name
    qtype = query.question[0].rdtype
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    if qtype == dns.rdatatype.MX:
        reply.answer.append(dns.rrset.from_text(name, 600, "IN", "MX", "5 mx.mail.test."))
    elif qtype in (dns.rdatatype.A, dns.rdatatype.CNAME) and not mended:
        reply.answer.append(dns.rrset.from_text(name, 600, "IN", "CNAME", "www.cdn.test."))
    else:
        reply.authority.append(dns.rrset.from_text(
            "test.", 600, "IN", "SOA", "ns.test. root.test. 1 3600 600 86400 600"))
    return reply


class Authority:
    """Answers on a port of its own until it is closed."""

    def __init__(self, mended):
        self.mended = mended
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while not self.over.is_set():
            try:
                octets, client = self.socket.recvfrom(4096)
            except socket.timeout:
                continue
            query = dns.message.from_wire(octets)
            self.asked.append(query)
            self.socket.sendto(answer_for(query, self.mended).to_wire(), client)

    def close(self):
        self.over.set()
        self.thread.join()
        self.socket.close()


def seen(*qtypes):
    """What a resolver got, each behind its length."""
    octets = b""
    for qtype in qtypes:
        message = answer_for(dns.message.make_query("shop.test", qtype), False).to_wire()
        octets += struct.pack("!H", len(message)) + message
    return octets


@pytest.fixture(scope="module", name="host")
def build_host(installed, tmp_path_factory):
    """The host that the page shows, built against the installed tree and nothing else."""
    page = (ROOT / "docs/embedding.md").read_text()
    source = re.search(r"host: begin.*?```c\n(.*?)```", page, re.S)[1]
    folder = tmp_path_factory.mktemp("host")
    (folder / "host.c").write_text(source)
    asks = dict(os.environ, PKG_CONFIG_PATH=str(installed / "opt/mxclash/lib/pkgconfig"),
                PKG_CONFIG_SYSROOT_DIR=str(installed))
    flags = run("pkg-config", "--cflags", "--libs", "mxclash", env=asks).split()
    run("cc", *STRICT, folder / "host.c", *flags,
        f"-Wl,-rpath,{installed}/opt/mxclash/lib", "-o", folder / "host")
    return folder / "host"


@pytest.mark.parametrize("mended", [False, True])
def test_host_of_the_page(host, mended):
    authority = Authority(mended)
    try:
        done = subprocess.run(
            [host, "test", "127.0.0.1", str(authority.socket.getsockname()[1])],
            input=seen("MX", "A"), capture_output=True, timeout=60, check=True)
    finally:
        authority.close()
    assert done.stdout.decode() == ("" if mended else "opened confirmed cname-and-mx shop.test\n")
    asked = {query.question[0].rdtype for query in authority.asked}
    assert {dns.rdatatype.MX, dns.rdatatype.CNAME} <= asked
    assert all(query.flags & dns.flags.RD == 0 for query in authority.asked)


def test_host_of_the_page_is_short():
    page = (ROOT / "docs/embedding.md").read_text()
    assert len(re.search(r"```c\n(.*?)```", page, re.S)[1].splitlines()) <= 110


def test_pkg_config(installed):
    asks = dict(os.environ, PKG_CONFIG_PATH=str(installed / "opt/mxclash/lib/pkgconfig"))
    version = re.search(r'MXCLASH_VERSION "(.*)"', HEADER.read_text())[1]
    assert run("pkg-config", "--modversion", "mxclash", env=asks).strip() == version
    assert run("pkg-config", "--cflags", "mxclash", env=asks).strip() == "-I/opt/mxclash/include"


def test_prover_of_the_page(installed, tmp_path):
    """What the page shows of the second library, in a whole program, by its own pkg-config file."""
    page = (ROOT / "docs/embedding.md").read_text()
    shown = re.search(r"## A host that cannot ask.*?```c\n(.*?)```", page, re.S)[1]
    (tmp_path / "host.c").write_text("""
        #include <mxclash-prover.h>
        #include <stdio.h>
        #include <time.h>
        static mxclash_time now(void) { return (mxclash_time)time(NULL) * 1000; }
        int main(void)
        {
            struct mxclash_options options;
            struct mxclash_records records = {.struct_size = sizeof(records), .qtype = 1,
                                              .qname = (const uint8_t *)"", .qname_len = 1};
            char error[MXCLASH_ERROR_MAX];
            mxclash_options_init(&options, sizeof(options));
            %s
            return printf("%%d\\n", status) != 2;
        }
        """ % shown.replace("...\n", ""))
    asks = dict(os.environ, PKG_CONFIG_PATH=str(installed / "opt/mxclash/lib/pkgconfig"),
                PKG_CONFIG_SYSROOT_DIR=str(installed))
    flags = run("pkg-config", "--cflags", "--libs", "mxclash-prover", env=asks).split()
    run("cc", *STRICT, tmp_path / "host.c", *flags, f"-Wl,-rpath,{installed}/opt/mxclash/lib",
        f"-Wl,-rpath-link,{installed}/opt/mxclash/lib", "-o", tmp_path / "host")
    where = dict(os.environ, LD_LIBRARY_PATH=str(installed / "opt/mxclash/lib"))
    assert run(tmp_path / "host", env=where) == "0\n"


def test_uninstall(installed):
    """The last one: nothing of ours is left."""
    run("make", "-s", "NO_DEPS=1", "uninstall", f"DESTDIR={installed}", "PREFIX=/opt/mxclash", cwd=ROOT)
    assert [path for path in installed.rglob("*") if not path.is_dir()] == []


# --- the recorded ABI --------------------------------------------------------------------------

LIBRARIES = ("libmxclash", "libmxclash-prover")


def recorded(name):
    return HERE / f"{name}.{os.uname().machine}.abi"


RECORDED = recorded("libmxclash")
needs_libabigail = pytest.mark.skipif(not shutil.which("abidiff"), reason="no libabigail")
needs_record = pytest.mark.skipif(
    not all(recorded(name).exists() for name in LIBRARIES) or b".debug_info" not in (BUILD / "libmxclash.so").read_bytes(),
    reason="no ABI was recorded for this machine, or the library says nothing of its types")


def changes(record, folder, name="libmxclash"):
    """What abidiff says of a library beside a record. Functions that are new are no change."""
    (folder / "now.abi").write_text(run(HERE / "dump.sh", BUILD / f"{name}.so"))
    done = subprocess.run(["abidiff", "--no-added-syms", "--harmless", record, folder / "now.abi"],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode & 3 == 0, done.stderr
    return done.stdout if done.returncode else ""


@needs_libabigail
@needs_record
@pytest.mark.parametrize("name", LIBRARIES)
def test_abi_is_as_recorded(name, tmp_path):
    assert changes(recorded(name), tmp_path, name) == ""


@needs_libabigail
@needs_record
@pytest.mark.parametrize("what, was, now", [
    ("a member lies elsewhere", r"(layout-offset-in-bits=')128('[^>]*>\s*<var-decl name='seed')", r"\g<1>192\2"),
    ("a member is of another type", r"(<var-decl name='seed' type-id=')[^']*", r"\1type-id-1"),
    ("a struct is longer", r"(<class-decl name='mxclash_event' size-in-bits=')40320", r"\g<1>40384"),
    ("a value of an enum is another", r"(<enumerator name='mxclash_invalid' value=')2", r"\g<1>7"),
    ("a function is gone", r"<elf-symbol name='mxclash_inspect'", "<elf-symbol name='mxclash_gone'"),
])
def test_a_change_is_seen(what, was, now, tmp_path):
    changed = re.sub(was, now, RECORDED.read_text(), count=1)
    assert changed != RECORDED.read_text(), what
    (tmp_path / "other.abi").write_text(changed)
    assert changes(tmp_path / "other.abi", tmp_path) != "", what


def test_values_are_as_recorded():
    """Each that was recorded is there and is the same; others may come."""
    now = dict(line.split() for line in values.values().splitlines())
    recorded = dict(line.split() for line in (HERE / "values.txt").read_text().splitlines())
    assert len(recorded) > 60
    assert {name: now.get(name) for name in recorded} == recorded
