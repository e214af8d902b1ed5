# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash check-zone`: what is wrong in a zone file, and in which line."""

import json
import re

import pytest
from test_cli import run

HEAD = "$TTL 600\n@ SOA ns1 host 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
MX = "  MX 5 mx1.qiye.aliyun.com.\n  MX 10 mx2.qiye.aliyun.com.\n  MX 15 mx3.qiye.aliyun.com.\n"
SPF = '  TXT "v=spf1 include:spf.qiye.aliyun.com -all"\n'
CONF = {"MXCLASH_CONF": ""}


def lint(folder, text, *options, head=HEAD, origin="example.com"):
    """Lint a zone. Returns status and [(line, tag, is it a note)]."""
    path = folder / "zone"
    path.write_bytes((head + text).encode())
    status, out, err = run("check-zone", path, "--origin", origin, "--json", *options, **CONF)
    assert err == ""
    told = json.loads(out)
    assert told["result"] == ("conflict" if status == 1 else "healthy")
    assert told["faults"] == sum(not finding["note"] for finding in told["findings"])
    return status, [(f["line"], f["tag"], f["note"]) for f in told["findings"]]


# Each below the four lines of HEAD, and what is found as (line, tag).
@pytest.mark.parametrize(
    "text, found",
    [
        ("@ CNAME www.cdn.test.\n", [(5, "cname-at-apex")]),
        ("@ CNAME www.cdn.test.\n" + MX + SPF, [(5, "cname-at-apex"), (6, "cname-and-mx")]),
        ("mail MX 5 ns1\nmail CNAME ns1\n", [(5, "cname-and-mx")]),
        # not beside each other, and the MX between others
        ("a MX 5 ns1\nb A 192.0.2.2\na TXT x\na CNAME ns1\n", [(5, "cname-and-mx")]),
        ("w TXT hello\nw CNAME ns1\n", [(6, "cname-and-other-data")]),
        ("w CNAME ns1\nw MX 0 .\n", [(5, "cname-and-other-data")]),
        ("w CNAME ns1\nW 600 IN CNAME other\nother A 192.0.2.2\n", [(6, "several-cnames")]),
        ("a MX 5 w\nw CNAME ns1\n", [(5, "mx-is-alias")]),
        ("a MX 5 ns1.example.com\n", [(5, "doubled-origin")]),
        ("ns1.example.com A 192.0.2.3\n", [(5, "doubled-origin")]),
        ("sub NS ns1.example.com\n", [(5, "doubled-origin")]),
        ("a MX 5 mx.mailhost.net\n", [(5, "missing-dot")]),
        ("a CNAME d111.cloudfront.net\n", [(5, "missing-dot")]),
        ("a" + MX + "  MX 20 mx1.emailsrvr.com.\n" + SPF, [(5, "foreign-mx")]),
        ("a MX 5 mx1.qiye.aliyun.com.\n  MX 10 mx2.qiye.aliyun.com.\n" + SPF,
         [(5, "incomplete-mx")]),
        ("a" + MX + '  TXT "v=spf1 ip4:192.0.2.1 -all"\n', [(8, "spf-missing")]),
        # through an include that lies in this zone
        ("a" + MX + '  TXT "v=spf1 include:_spf.example.com -all"\n'
         '_spf TXT "v=spf1 -all"\n', [(8, "spf-missing")]),
        ('a TXT "v=spf1 -all"\na TXT "V=SPF1 mx -all"\n', [(6, "several-spf")]),
        ("other.test. A 192.0.2.1\n", [(5, "out-of-zone")]),
        ("a A 192.0.2\nb CNAME\n", [(5, "syntax"), (6, "syntax")]),
    ],
)  # fmt: skip
def test_fault(tmp_path, text, found):
    assert lint(tmp_path, text) == (1, [(line, tag, False) for line, tag in found])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "www CNAME ns1\n@ MX 10 mail\nmail A 192.0.2.2\n",
        # RFC 4034: these stand beside it
        "w CNAME ns1\nw RRSIG CNAME 8 3 600 20260101000000 20250101000000 1 example.com. AAAA\n"
        "w NSEC ns1.example.com. CNAME RRSIG NSEC\n",
        "*.w CNAME ns1\nmail.w MX 5 ns1\n",
        "a" + MX + SPF,
        "a" + MX + '  TXT "v=spf1 include:_spf.example.com -all"\n'
        '_spf TXT "v=spf1 include:spf.qiye.aliyun.com -all"\n',
        # what lies elsewhere is not known, so nothing is said
        "a" + MX + '  TXT "v=spf1 include:spf.elsewhere.test -all"\n',
        "a MX 5 mx.net\nmx.net A 192.0.2.5\n",
        "a MX 5 mx1.dc2\n",
        'a TXT "v=spf10 no SPF"\na TXT "v=spf1 -all"\n',
        "a MX 0 .\n",
    ],
)
def test_healthy(tmp_path, text):
    assert lint(tmp_path, text) == (0, [])


def test_what_stands_in_a_record_is_not_taken_for_a_line(tmp_path):
    text = 'a TXT "x ; ( CNAME" ; a comment (\n\n; b CNAME ns1\nb MX ( 5 ; one\n ns1 )\nb CNAME ns1\n'
    assert lint(tmp_path, text) == (1, [(8, "cname-and-mx", False)])


def test_lines_that_end_as_on_windows(tmp_path):
    text = "mail MX 5 ns1\r\n\r\nmail CNAME ns1\r\n"
    assert lint(tmp_path, text) == (1, [(5, "cname-and-mx", False)])


def test_include_and_origin(tmp_path):
    """Of a name that two files share, each line is named with its file."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "mail").write_text("@ MX 5 ns1.example.com.\n$INCLUDE more\n")
    (tmp_path / "sub" / "more").write_text("x MX 5 ns1.example.com.\n")
    path = tmp_path / "zone"
    path.write_text(HEAD + "$INCLUDE sub/mail dept\n$ORIGIN dept\n@ CNAME ns1.example.com.\n"
                           "$ORIGIN example.com.\nx.dept CNAME ns1\n")
    status, out, err = run("check-zone", path, "--origin", "example.com", **CONF)
    assert (status, err) == (1, "")
    assert out.splitlines() == [
        f"{tmp_path}/sub/mail:1: cname-and-mx: dept.example.com has an MX here and a CNAME in "
        f"{path}:7, which hides it (RFC 1912 2.4)",
        f"{tmp_path}/sub/more:1: cname-and-mx: x.dept.example.com has an MX here and a CNAME in "
        f"{path}:9, which hides it (RFC 1912 2.4)",
        f"{path}: 12 lines, 7 records: 2 faults",
    ]  # fmt: skip


def test_include_in_a_circle_ends(tmp_path):
    path = tmp_path / "zone"
    path.write_text(HEAD + f"$INCLUDE {path}\n")
    status, out, _ = run("check-zone", path, "--origin", "example.com", **CONF)
    assert status == 1
    assert f"{path}:5: syntax: {path} is not read: files include each other too deep" in out


def test_what_is_not_read_is_a_note(tmp_path):
    assert lint(tmp_path, "$GENERATE 1-9 h$ A 192.0.2.$\n") == (0, [(5, "not-read", True)])


def test_mx_of_nobody_known_behind_the_providers_is_a_note(tmp_path):
    text = "a" + MX + "  MX 20 mx.unknown-host.net.\n" + SPF
    assert lint(tmp_path, text) == (0, [(5, "foreign-mx", True)])


def test_record_without_end(tmp_path):
    """So much is no record: a parenthesis is open."""
    assert lint(tmp_path, "a TXT ( x\n" + "b A 192.0.2.1\n" * 2000)[1] == [(5, "syntax", False)]


def test_last_line_without_an_end(tmp_path):
    assert lint(tmp_path, "mail MX 5 ns1\nmail CNAME ns1") == (1, [(5, "cname-and-mx", False)])


def test_names_of_hostile_octets_are_written_safely(tmp_path):
    path = tmp_path / "zone"
    path.write_text(HEAD + "\\027[31m\\010 MX 5 ns1\n\\027[31m\\010 CNAME ns1\n")
    status, out, _ = run("check-zone", path, "--origin", "example.com", **CONF)
    assert status == 1
    assert "\\027\\09131m\\010.example.com has an MX" in out
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", out)


def test_findings_are_bounded(tmp_path):
    path = tmp_path / "zone"
    path.write_text(HEAD + "".join(f"n{i} CNAME ns1\nn{i} TXT x\n" for i in range(10100)))
    status, out, _ = run("check-zone", path, "--origin", "example.com", **CONF)
    lines = out.splitlines()
    assert status == 1
    assert len(lines) == 10002
    assert lines[-2:] == ["and 100 more", f"{path}: 20204 lines, 20203 records: 10100 faults"]


@pytest.mark.parametrize(
    "arguments, fault",
    [
        (["FILE"], "no --origin: a zone file does not say which zone it is"),
        (["--origin", "example.com"], "no FILE"),
        (["FILE", "x", "--origin", "a"], "more than one FILE"),
        (["FILE", "--origin"], "--origin needs a NAME"),
        (["FILE", "--origin", "a..b"], "a..b is no domain name"),
        (["FILE", "--orogin", "a"], "no option --orogin"),
    ],
)
def test_bad_use(tmp_path, arguments, fault):
    path = tmp_path / "zone"
    path.write_text(HEAD)
    status, out, err = run(
        "check-zone", *(str(path) if a == "FILE" else a for a in arguments), **CONF
    )
    assert (status, out) == (2, "")
    assert err.startswith(f"mxclash check-zone: {fault}\nusage: mxclash check-zone ")


def test_file_that_cannot_be_read(tmp_path):
    for path, reason in (("none", "No such file or directory"), ("", "Is a directory")):
        status, out, err = run("check-zone", tmp_path / path, "--origin", "example.com", **CONF)
        assert (status, out) == (2, "")
        assert err.strip().endswith(f": {reason}")
