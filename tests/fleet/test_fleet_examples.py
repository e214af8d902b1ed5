# SPDX-License-Identifier: BSD-3-Clause
"""The files of conf-examples/fleet by the judgement of the programs that they are for."""

import re
import shutil
import subprocess

import pytest
import yaml
from fleet import EXAMPLES, PROMETHEUS_EXAMPLES, Fleet, fleet_missing
from lab import REPOSITORY
from pages import leads_somewhere
from prometheus import prometheus_missing
from test_metrics_page import documented

UNIT_TESTS = REPOSITORY / "tests" / "fleet" / "fleet-alerts.test.yml"
ALERTS = EXAMPLES / "mxclash-fleet.alerts.yml"
RULES = EXAMPLES / "mxclash-fleet.rules.yml"
OF_DOMAINS = {"mxclash_domain_mx_queries_total", "mxclash_domain_first_seen_timestamp_seconds"}
NAME = re.compile(r"(?<![\w:])mxclash_(?!domain_\.)\w+")
RECORDED = re.compile(r"\w+:mxclash_\w+:\w+")


@pytest.fixture
def needs_prometheus():
    if reason := prometheus_missing():
        pytest.skip(reason)


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def rules_of(path):
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_prometheus_takes_its_files(needs_prometheus, tmp_path):
    """Laid side by side, as they say themselves."""
    for path in (*PROMETHEUS_EXAMPLES.glob("mxclash.*.yml"), *EXAMPLES.glob("*.yml")):
        shutil.copy(path, tmp_path)
    for name in ("prometheus.yml", "prometheus-federate.yml"):
        run("promtool", "check", "config", "--lint=all", "--lint-fatal", tmp_path / name)
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES, ALERTS)


def test_the_rules_do_what_they_should(needs_prometheus):
    run("promtool", "test", "rules", UNIT_TESTS)


def test_each_alert_fires_is_silent_and_says_what_to_do():
    cases = [
        case
        for test in yaml.safe_load(UNIT_TESTS.read_text())["tests"]
        for case in test.get("alert_rule_test", ())
    ]
    names = {rule["alert"] for rule in rules_of(ALERTS)}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names
    for rule in rules_of(ALERTS):
        assert rule["labels"]["severity"] in ("warning", "info")
        page, _, heading = rule["annotations"]["runbook"].partition("#")
        assert leads_somewhere(REPOSITORY / page, f"#{heading}"), rule["alert"]


def test_every_metric_is_served_and_every_sum_recorded():
    recorded = {rule["record"] for rule in rules_of(RULES)}
    below = {rule["record"] for rule in rules_of(PROMETHEUS_EXAMPLES / "mxclash.rules.yml")}
    text = RULES.read_text() + ALERTS.read_text()
    assert set(NAME.findall(text)) <= set(documented()) | OF_DOMAINS
    assert set(RECORDED.findall(text)) <= recorded | below
    (federated,) = re.findall(r'__name__=~"(.*?)"', (EXAMPLES / "prometheus-federate.yml").read_text())
    assert all(re.fullmatch(federated, name) for name in recorded)


def test_rsyslogd_takes_its_files(tmp_path):
    if reason := fleet_missing():
        pytest.skip(reason)
    fleet = Fleet(tmp_path)
    for part in (fleet.relay(1, tmp_path / "log.json"), fleet.collector()):
        part.folder.mkdir(exist_ok=True)
        (part.folder / "rsyslog.conf").write_text(part.conf)
        said = run("rsyslogd", "-N1", "-f", part.folder / "rsyslog.conf")
        assert [line for line in said.splitlines() if not re.search("version|End of config", line)] == []


def test_systemd_takes_its_units(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze (package systemd) is not there")
    units = []
    for path in EXAMPLES.glob("*.service"):
        # its programs are not where the page installs them
        text = re.sub(r"^(ExecStart=)\S*/fleet-load", r"\1/bin/true", path.read_text(), flags=re.M)
        (tmp_path / path.name).write_text(text)
        units.append(tmp_path / path.name)
    assert len(units) == 3
    assert run("systemd-analyze", "verify", "--man=no", *units) == ""
