# SPDX-License-Identifier: BSD-3-Clause
"""docs/hosts.md says what is tried, by what, and the examples are there."""

import re

from lab import REPOSITORY
from sidecar import Sidecar

PAGE = REPOSITORY / "docs" / "hosts.md"
EXAMPLES = REPOSITORY / "conf-examples" / "dnstap"
# the example of each host of the table that sends dnstap
FILES = {
    "Unbound as Debian ships it, dnstap": "unbound.conf",
    "BIND 9, dnstap": "named.conf",
    "PowerDNS Recursor, dnstap": "recursor.lua",
    "Knot Resolver, dnstap": "knot-resolver.conf",
    "dnsdist, dnstap": "dnsdist.conf",
    "CoreDNS that forwards, dnstap": "Corefile",
}


def rows():
    """From a host to the cells behind it."""
    table = PAGE.read_text().split("<!-- hosts: begin -->")[1].split("<!-- hosts: end -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def test_every_host_that_sends_has_an_example():
    assert {host for host in rows() if host.endswith("dnstap")} == set(FILES)
    assert {path.name for path in EXAMPLES.iterdir()} == set(FILES.values())


def test_untested_is_said_in_both_places():
    for host, name in FILES.items():
        text = (EXAMPLES / name).read_text()
        tested = rows()[host][-1] != "untested"
        assert ("UNTESTED" not in text) == tested, name
        assert ("Tested: " in text) == tested, name


def test_what_is_tried_is_tried_there():
    for host, row in rows().items():
        if row[-1] != "untested":
            path = re.fullmatch(r"`(.*)`", row[-1])[1]
            assert (REPOSITORY / path).exists(), host
    tests = (REPOSITORY / "tests" / "system" / "test_sidecar.py").read_text()
    assert 'KINDS = ("unbound", "bind", "powerdns")' in tests


def test_what_is_counted_is_what_the_test_of_harm_holds():
    """test_harm_is_counted_where_clients_answers_are_sent says who counts no harm."""
    found = rows()
    assert found["PowerDNS Recursor, dnstap"][2] == "no"
    assert found["BIND 9, dnstap"][2] == "all that are sent"
    assert found["Unbound as Debian ships it, dnstap"][2] == "all that are sent"


def test_the_metrics_of_the_sidecar_are_documented(tmp_path):
    page = (REPOSITORY / "docs" / "metrics.md").read_text()
    ours = page.split("<!-- sidecar metrics: begin -->")[1].split("<!-- sidecar metrics: end -->")[0]
    with Sidecar(tmp_path) as sidecar:
        _, _, text = sidecar.http("/metrics")
    served = {name for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)}
    assert set(re.findall(r"^\| `(\w+)`", ours, re.MULTILINE)) == {
        name for name in served if name.startswith("mxclash_dnstap_")
    }
    # and all that the module has
    assert served > set(re.findall(r"^\| `(mxclash_\w+)`", page.split("<!-- metrics: end")[0], re.M))
    values = re.findall(r'mxclash_dnstap_\w+\{\w+="([\w-]+)"', text)
    assert [value for value in values if f"`{value}`" not in ours] == []


def test_the_script_inside_powerdns_is_said_as_it_is():
    """test_one_truth.py holds what it confirms, test_powerdns_repair.py that it repairs."""
    row = rows()["PowerDNS Recursor, the script inside"]
    assert row[1:5] == ["no", "all but of its packet cache", "a thread of the library asks", "yes"]
    script = (REPOSITORY / "conf-examples" / "powerdns" / "mxclash.lua").read_text()
    assert "Tested: 4.8.8" in script and "UNTRIED" in script
    # the page names each setting but for those of where things lie, and the script has all it names
    settings = re.findall(r"^    (\w+) =", script.split("local settings = {")[1].split("\n}\n")[0], re.M)
    told = re.search(r"settings at the top: (.*?)\.\s", PAGE.read_text(), re.DOTALL)[1]
    places = {"library", "prover_library", "declarations"}
    assert set(re.findall(r"`(\w+)`", told)) == set(settings) - places


def test_the_script_annotates_as_the_module():
    """Word by word."""
    script = (REPOSITORY / "conf-examples" / "powerdns" / "mxclash.lua").read_text()
    module = (REPOSITORY / "module" / "host" / "unbound" / "annotate.c").read_text()
    texts = re.findall(r'return "(.*)";', module)
    assert len(texts) == 5
    table = script.split("local ANNOTATIONS = {")[1].split("\n}\n")[0]
    assert re.findall(r'"([\w-]+: .*?)"', table) == texts
