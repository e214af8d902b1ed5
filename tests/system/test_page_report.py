# SPDX-License-Identifier: BSD-3-Clause
"""`mxclash report --html`: the page with its data in it. How it looks, tests/page tries."""
import json
import os
import re
import subprocess

import pytest

from serving import COMMAND, HOSTILE, canonical, event, many, write_log

CONFLICTS_MAX = 1000  # module/web/page_report.h


def report(*arguments):
    done = subprocess.run([COMMAND, "report", *map(str, arguments)], text=True, timeout=120,
                          env={**os.environ, "MXCLASH_CONF": ""}, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def log(tmp_path):
    """log(events): the path of a log that has them."""
    def write(events):
        write_log(tmp_path / "log", events)
        return tmp_path / "log"
    return write


def data_of(html):
    text = re.search(r'(?s)<script type="application/json" id="data">\n(.*?)\n</script>', html)
    return json.loads(text.group(1))


def test_a_file(log, tmp_path):
    path = tmp_path / "report.html"
    told = [event("one.test", mx_queries=5), event("two.test", mx_queries=7),
            event("one.test", kind="spf-missing"), event("over.test")]
    told.append({**told[-1], "event": "cleared"})
    status, out, err = report("--html", path, "--log", log(told))
    assert (status, out, err) == (0, f"{path}: 3 of 3 open conflicts\n", "")
    data = data_of(path.read_text())
    assert [c["domain"] for c in data["conflicts"]] == ["two.test", "one.test", "one.test"]
    assert set(data["domains"]) == {"one.test", "two.test"}
    assert data["domains"]["two.test"]["conflicts"][0]["told_as"]["en"]["letter"]
    assert data["summary"]["open"]["conflicts"] == data["total"] == 3
    assert set(data["timelines"]) == {"1", "7", "30", "90"}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("report")] == ["report.html"]


def test_its_bound(log, tmp_path):
    path = tmp_path / "report.html"
    status, out, _ = report("--html", path, "--log", log(many(CONFLICTS_MAX + 500)))
    assert (status, out) == (0, f"{path}: 1000 of 1500 open conflicts\n")
    data = data_of(path.read_text())
    queries = [c["mx_queries"] for c in data["conflicts"]]
    assert len(queries) == CONFLICTS_MAX and queries == sorted(queries, reverse=True)
    assert path.stat().st_size < 20 << 20


def test_nothing_in_it_ends_the_script(log):
    told = [event(name, host="</script><script>alert(1)</script>", mx_queries=i)
            for i, name in enumerate(HOSTILE)]
    status, html, err = report("--html", "-", "--log", log(told))
    assert status == 0 and err == f"-: {len(HOSTILE)} of {len(HOSTILE)} open conflicts\n"
    data = data_of(html)
    assert set(data["domains"]) == {canonical(name) for name in HOSTILE}
    for domain in data["domains"].values():
        assert domain["conflicts"][0]["host"] == "</script><script>alert(1)</script>"
    assert html.count("</script") == html.count("<script") == 2


@pytest.mark.parametrize("arguments, says", [
    ([], "--html must name"), (["--html", ""], "--html must name"),
    (["--html", "x", "y"], "usage"), (["--json"], "usage")])
def test_bad_use(arguments, says):
    status, out, err = report(*arguments)
    assert status == 2 and out == "" and says in err


def test_what_cannot_be_written_leaves_nothing(log, tmp_path):
    folder = tmp_path / "report.html"
    folder.mkdir()
    for path, says in ((tmp_path / "none" / "report.html", "No such file or directory"),
                       (folder, "Is a directory")):
        status, out, err = report("--html", path, "--log", log([event("one.test")]))
        assert (status, out) == (2, "") and says in err
    assert not list(tmp_path.glob("report.html.*"))


def test_no_log(tmp_path):
    status, out, err = report("--html", tmp_path / "report.html", "--log", tmp_path / "none")
    assert (status, out) == (2, "") and "No such file or directory" in err
    assert not (tmp_path / "report.html").exists()
