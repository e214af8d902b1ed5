# SPDX-License-Identifier: BSD-3-Clause
"""The operator's command as an operator types it: output, streams, exit status.

Runs build/mxclash, or the program that MXCLASH_COMMAND names.
"""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = os.environ.get("MXCLASH_COMMAND", str(ROOT / "build" / "mxclash"))
EXAMPLE = ROOT / "conf-examples" / "mxclash.conf"
BUILT_IN = ROOT / "module" / "core" / "providers" / "providers.txt"


def run(*arguments, **environment):
    """Run the command with MXCLASH_CONF only if given; return (status, stdout, stderr)."""
    env = {key: value for key, value in os.environ.items() if key != "MXCLASH_CONF"}
    env.update(environment)
    done = subprocess.run([COMMAND, *map(str, arguments)], env=env, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def write(folder, content, name="mxclash.conf"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def version():
    header = (ROOT / "include" / "mxclash.h").read_text()
    return re.search(r'#define MXCLASH_VERSION "([^"]+)"', header).group(1)


def example_keys():
    """Every key that the example comments out, with its value as it stands there."""
    return dict(re.findall(r"(?m)^#([a-z-]+): (.*)$", EXAMPLE.read_text()))


@pytest.mark.parametrize("spelling", ["version", "--version"])
def test_version(spelling):
    assert run(spelling) == (0, f"mxclash {version()}\n", "")


def verbs():
    """Each command with its arguments, as `mxclash help` lists them."""
    _, out, _ = run("help")
    return re.findall(r"(?m)^  ([a-z-]+) ?(.*)\n        \S", out)


@pytest.mark.parametrize("spelling", ["help", "--help"])
def test_help(spelling):
    status, out, err = run(spelling)
    assert (status, err) == (0, "")
    for command in ["check DOMAIN", "check-conf [FILE]", "check-zone FILE", "providers [FILE]",
                    "help", "version"]:
        assert f"\n  {command}" in out
    assert max(map(len, out.splitlines()[1:])) <= 80


@pytest.mark.parametrize("command, arguments", verbs())
def test_help_of_a_command(command, arguments):
    """Each in the same way: usage, what it does, options, examples, exit status."""
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: mxclash {command} {arguments}".rstrip() + "\n\n")
    assert re.search(r"\n\nExit status:\n  0  .+\n(  1  .+\n)?  2  .*bad use\n\nSee mxclash\(1\)\.\n$",
                     out)
    for option in re.findall(r"--[a-z]+", arguments):
        assert re.search(rf"(?m)^  {option} ", out), option
    assert max(map(len, out.splitlines()[1:])) <= 80


@pytest.mark.parametrize("command, arguments", verbs())
def test_manual_names_every_command_and_option(command, arguments):
    manual = (ROOT / "docs" / "mxclash.1").read_text()
    assert re.search(rf"(?m)^\.It Cm {command}\b", manual)
    assert re.search(rf"(?m)^\.Cm {command}\b", manual)
    for option in re.findall(r"--([a-z]+)", arguments):
        assert f"Fl -{option}" in manual


@pytest.mark.parametrize("page", ["mxclash.1", "mxclash.conf.5"])
def test_manual_is_good_mdoc(page):
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc here")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", ROOT / "docs" / page],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("arguments", [
    [], ["chekc-conf"], ["--verbose"], [""], ["help", "x"], ["version", "x"],
    ["check"], ["check-zone"], ["check-conf", "a", "b"], ["check-conf", "-v"], ["providers", "a", "b"], ["providers", "-v"],
])
def test_bad_use(arguments):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "usage: mxclash" in err


def test_output_that_cannot_be_written():
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([COMMAND, "check-conf", EXAMPLE], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "mxclash: standard output: No space left on device\n"


def test_good_file(tmp_path):
    path = write(tmp_path, "mxclash:\n\tprobe-rate: 20 # more\n")
    assert run("check-conf", path) == (0, f"{path}: ok\n", "")


def test_keys_of_serve_are_good_in_the_resolvers_file(tmp_path):
    path = write(tmp_path, "retention-days: 9\nprobe: no\ndatabase: \"\"\npage-listen: \"\"\n")
    assert run("check-conf", path) == (0, f"{path}: ok\n", "")


@pytest.mark.parametrize("content, fault", [
    ("probe: yes\nprobe-rat: 3\n", ':2: unknown key "probe-rat"; did you mean probe-rate?'),
    ("probe: maybe\n", ':1: probe: "maybe" is neither yes nor no'),
    ("\n\nprobe-rate: 0\n",
     ':3: probe-rate: "0" is out of range; write a number from 1 to 100000'),
    ("http-listen: 127.0.0.1\n",
     ':1: http-listen: "127.0.0.1" has no port; write 127.0.0.1@9853'),
    (b"probe:\0yes\n",
     ":1: octet 0x00 in column 7; the file is plain text without control octets"),
    (b"#" * 5000, ":1: line over 4096 octets; make it shorter"),
])
def test_bad_file(tmp_path, content, fault):
    path = write(tmp_path, content)
    assert run("check-conf", path) == (1, "", f"{path}{fault}\n")


def test_bad_line_of_an_ignore_file(tmp_path):
    names = write(tmp_path, "good.example\nbad..example\n", "names")
    path = write(tmp_path, f"ignore-file: {names}\n")
    assert run("check-conf", path) == (
        1, "", f'{names}:2: "bad..example" is no domain name; write one such as example.org\n')


def test_bad_line_of_a_provider_file(tmp_path):
    table = write(tmp_path, "provider one\n  mx one.example\n  spff x\n", "table")
    path = write(tmp_path, f"provider-file: {table}\n")
    for command in ["check-conf", "providers"]:
        assert run(command, MXCLASH_CONF=str(path)) == (1, "", f"{table}:3: unknown key 'spff'\n")
    assert run("providers", table) == (1, "", f"{table}:3: unknown key 'spff'\n")


@pytest.mark.parametrize("key", ["ignore-file", "provider-file"])
def test_fifo_is_not_waited_for(tmp_path, key):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    path = write(tmp_path, f"{key}: {fifo}\n")
    assert run("check-conf", path) == (
        1, "", f'{path}:1: {key}: cannot read "{fifo}": Not a regular file\n')
    for command in ["check-conf", "providers"]:
        assert run(command, fifo) == (1, "", f"{fifo}: Not a regular file\n")


def tags(text):
    return re.findall(r"(?m)^(?:provider|filter) (.*)$", text)


def statements(text):
    """The lines of a table without comments, with one space behind the key, sorted; a family that
    has the tag of its section is the default and may be missing."""
    lines = (" ".join(re.sub(r"(^|\s)#.*", "", line).split()) for line in text.splitlines())
    defaults = {f"family {tag}" for tag in tags(text)}
    return sorted(line for line in lines if line and line not in defaults)


def test_providers_built_in(tmp_path):
    """All that stands in the built-in text is shown, aligned, and nothing else."""
    status, out, err = run("providers", MXCLASH_CONF=str(write(tmp_path, "probe: no\n")))
    assert (status, err) == (0, "")
    assert statements(out) == statements(BUILT_IN.read_text())
    assert out.startswith("""\
# Mailbox providers, built in

provider alibaba-mail-standard
  title       Alibaba Mail Standard and Premium Edition
  family      alibaba-mail
  mx          *.qiye.aliyun.com
  token       mx01.dm.aliyun.com
  token       mxdm-ap-southeast-1.aliyun.com
  expect        5 mx1.qiye.aliyun.com
  expect       10 mx2.qiye.aliyun.com
  expect       15 mx3.qiye.aliyun.com
  spf         spf.qiye.aliyun.com
  spf         spf.mxhichina.com
  source      Alibaba Mail: Resolve mailbox domain name resolution conflicts
  source      Alibaba Cloud DirectMail: MX record verification

provider alibaba-mail-enterprise
""")
    shown = write(tmp_path, out, "shown")
    status, again, err = run("providers", shown)
    assert (status, err) == (0, "")
    assert again.splitlines()[0] == f'# Mailbox providers, from "{shown}"'
    assert again.splitlines()[1:] == out.splitlines()[1:]


def test_providers_of_the_configuration(tmp_path):
    table = write(tmp_path, "provider b\nmx B.example.\nfilter a\nmx *.a.example\n", "table")
    path = write(tmp_path, f"provider-file: {table}\n")
    assert run("check-conf", path) == (0, f"{path}: ok\n", "")
    shown = (f'# Mailbox providers, from "{table}"\n\n'
             "provider b\n  title       b\n  mx          b.example\n\n"
             "filter a\n  title       a\n  mx          *.a.example\n")
    assert run("providers", MXCLASH_CONF=str(path)) == (0, shown, "")
    assert run("providers", table) == (0, shown, "")
    write(tmp_path, "", "table")
    assert run("providers", MXCLASH_CONF=str(path)) == (0, shown.splitlines()[0] + "\n", "")


def test_providers_of_a_bad_configuration(tmp_path):
    path = write(tmp_path, "probe: maybe\n")
    assert run("providers", MXCLASH_CONF=str(path)) == (
        1, "", f'{path}:1: probe: "maybe" is neither yes nor no\n')
    none = tmp_path / "none"
    missing = (1, "", f"{none}: No such file or directory\n")
    assert run("providers", MXCLASH_CONF=str(none)) == missing
    assert run("providers", none) == missing


def test_examples_of_tables(tmp_path):
    """The tables in the documentation are good; the first adds to the built-in one."""
    text = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
    including, alone = re.findall(r"(?ms)^```\n(.*?)^```", text)
    status, out, err = run("providers", write(tmp_path, alone, "alone"))
    assert (status, err) == (0, "")
    assert statements(out) == statements(alone)
    status, out, err = run("providers", write(tmp_path, including, "including"))
    assert (status, err) == (0, "")
    kept = [tag for tag in tags(BUILT_IN.read_text()) if tag != "fastmail"]
    assert tags(out) == [*kept, "example-mail", "fastmail"]


def test_missing_files(tmp_path):
    path = tmp_path / "none"
    assert run("check-conf", path) == (1, "", f"{path}: No such file or directory\n")
    conf = write(tmp_path, f"probe: no\nignore-file: {path}\n")
    status, out, err = run("check-conf", conf)
    assert (status, out) == (1, "")
    assert err.startswith(f"{conf}:2: ignore-file: cannot read ")
    assert err.endswith(": No such file or directory\n")


def test_file_of_the_environment(tmp_path):
    path = write(tmp_path, "probe: no\n")
    assert run("check-conf", MXCLASH_CONF=str(path)) == (0, f"{path}: ok\n", "")
    none = tmp_path / "none"
    assert run("check-conf", MXCLASH_CONF=str(none)) == (
        1, "", f"{none}: No such file or directory\n")
    status, out, _ = run("check-conf", MXCLASH_CONF="/" + "x" * 5000)
    assert (status, out) == (1, "")


@pytest.mark.parametrize("environment", [{}, {"MXCLASH_CONF": ""}])
def test_file_of_the_configuration_folder(environment):
    """What is there depends on the machine; where it is looked for does not."""
    _, out, err = run("check-conf", **environment)
    assert re.match(r"/\S+/mxclash\.conf:", out or err)


def test_example_as_it_is():
    assert run("check-conf", EXAMPLE) == (0, f"{EXAMPLE}: ok\n", "")


def test_example_with_every_key(tmp_path):
    path = write(tmp_path, re.sub(r"(?m)^#(?=[a-z])", "", EXAMPLE.read_text()))
    assert run("check-conf", path) == (0, f"{path}: ok\n", "")


def test_documents_agree_with_the_example():
    """The table and the manual page name the same keys, in one order, with the same defaults."""
    table = dict(re.findall(r"(?m)^\| `([a-z-]+):` \|[^|]*\| (?:`([^`]*)`)? ?\|",
                            (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")))
    manual = (ROOT / "docs" / "mxclash.conf.5").read_text()
    keys = example_keys()
    assert re.findall(r"(?m)^\.It Cm ([a-z-]+) :", manual) == list(table)
    assert set(table) == set(keys)
    for key, default in table.items():
        if key not in ("ignore-domain", "ignore-file", "page-host"):
            assert keys[key].strip('"') == default.strip('"'), key


def test_example_for_unbound():
    """The lines that load the module stand in the example and are not commented out."""
    text = (ROOT / "conf-examples" / "unbound.conf").read_text()
    for line in [r"server:", r'\s+module-config: "dynlib validator iterator"', r"dynlib:",
                 r'\s+dynlib-file: "/\S+/mxclash\.so"']:
        assert re.search(rf"(?m)^{line}$", text), line
