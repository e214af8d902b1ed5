# SPDX-License-Identifier: BSD-3-Clause
"""The examples for Prometheus and Grafana: good by Prometheus's own tools, true to what the module
serves, and tried on a real Prometheus that scrapes a real resolver."""

import json
import re
import subprocess

import pytest
import yaml
from lab import REPOSITORY, wait_until
from pages import leads_somewhere
from prometheus import EXAMPLES, Prometheus, prometheus_missing
from resolver import EVENT_TIMEOUT_S
from test_metrics_page import documented

RULES = EXAMPLES / "mxclash.rules.yml"
ALERTS = EXAMPLES / "mxclash.alerts.yml"
UNIT_TESTS = sorted((REPOSITORY / "tests" / "system").glob("alerts*.test.yml"))
DASHBOARD = json.loads((REPOSITORY / "conf-examples" / "grafana" / "mxclash.json").read_text())
# Of /metrics/domains, which docs/metrics.md has apart from the table.
OF_DOMAINS = {"mxclash_domain_mx_queries_total", "mxclash_domain_first_seen_timestamp_seconds"}
NAME = re.compile(r"(?<![\w:])mxclash_\w+")
RECORDED = re.compile(r"[\w]+:mxclash_\w+:\w+")
# What Grafana puts into a query: all jobs and resolvers, half a minute a point, five minutes shown.
VARIABLES = {"$job": ".+", "$instance": ".+", "$__rate_interval": "1m", "$__range": "5m"}
PANELS = {"row", "stat", "table", "timeseries"}
GRID_COLUMNS = 24


@pytest.fixture
def needs_prometheus():
    if reason := prometheus_missing():
        pytest.skip(reason)


def rules_of(path):
    groups = yaml.safe_load(path.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def recorded():
    return {rule["record"] for rule in rules_of(RULES)}


def promtool(*arguments):
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries():
    """Every expression of the dashboard, with the title of its panel."""
    found = [(p["title"], t["expr"]) for p in panels() for t in p["targets"]]
    return found + [(one["name"], one["expr"]) for one in DASHBOARD["annotations"]["list"]]


def every_text():
    """All that names metrics, by the file it stands in."""
    files = {path.name: path.read_text() for path in EXAMPLES.glob("*.yml")}
    return {**files, "the dashboard": json.dumps(DASHBOARD)}


# --- Prometheus's own judgement ---


def test_the_examples_are_good(needs_prometheus):
    promtool("check", "config", "--lint=all", "--lint-fatal", EXAMPLES / "prometheus.yml")
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES, ALERTS)


def test_the_rules_do_what_they_should(needs_prometheus):
    promtool("test", "rules", *UNIT_TESTS)


def test_each_alert_fires_and_is_silent_in_a_unit_test():
    cases = [
        case
        for path in UNIT_TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test.get("alert_rule_test", ())
    ]
    names = {rule["alert"] for rule in rules_of(ALERTS)}
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    # of several resolvers only one is in its alert there
    silent = {"MxclashTableTooSmall", "MxclashProbesFailing"}
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} >= names - silent


# --- what they name is there ---


@pytest.mark.parametrize("where", every_text())
def test_every_metric_is_served(where):
    """docs/metrics.md is held to what is served, and these are held to docs/metrics.md."""
    text = every_text()[where]
    assert set(NAME.findall(text)) <= set(documented()) | OF_DOMAINS
    assert set(RECORDED.findall(text)) <= recorded()


def test_the_dashboard_shows_every_metric():
    shown = {name for _, expression in queries() for name in NAME.findall(expression)}
    assert shown == set(documented()) | OF_DOMAINS


def test_every_alert_says_what_to_do():
    for rule in rules_of(ALERTS):
        assert rule["labels"]["severity"] in ("warning", "info")
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}
        page, _, heading = rule["annotations"]["runbook"].partition("#")
        assert heading and leads_somewhere(REPOSITORY / page, f"#{heading}"), rule["alert"]


# --- the dashboard is what Grafana takes ---


def test_the_dashboard_knows_no_data_source_of_ours():
    def sources(value):
        if isinstance(value, list):
            return [found for one in value for found in sources(one)]
        if not isinstance(value, dict):
            return []
        own = [value["datasource"]] if "datasource" in value else []
        return own + [found for one in value.values() for found in sources(one)]

    found = sources(DASHBOARD)
    assert len(found) > len(panels())
    assert all(one == {"type": "prometheus", "uid": "${datasource}"} for one in found)
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance"]
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"


def test_the_dashboard_is_a_classic_model():
    # migrations from 39 on are Grafana's; id is given by the Grafana that takes it
    assert DASHBOARD["schemaVersion"] == 39
    assert "id" not in DASHBOARD
    assert 8 <= len(DASHBOARD["uid"]) <= 40
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert {panel["type"] for panel in everything} == PANELS
    for panel in panels():
        assert panel["title"] and panel["description"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_no_panel_of_the_dashboard_lies_on_another():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] and place["x"] + place["w"] <= GRID_COLUMNS
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


# --- a real Prometheus ---


def filled_in(expression):
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def wait_values(prometheus, expression):
    return wait_until(lambda: prometheus.query(expression), EVENT_TIMEOUT_S, expression)


def test_a_conflict_reaches_the_alert_and_the_dashboard(needs_prometheus, world, start, tmp_path):
    unbound = start(world.upstreams)
    target = f"{unbound.address}:{unbound.http_port}"
    with Prometheus(tmp_path / "prometheus", target) as prometheus:
        wait_values(prometheus, "instance_kind:mxclash_conflicts_confirmed:sum == 0")
        assert prometheus.alert("MxclashNewConflicts") is None

        unbound.ask("split.test", "A")
        unbound.wait_event(event="opened", domain="split.test")
        unbound.ask("split.test", "MX")

        def told():
            alert = prometheus.alert("MxclashNewConflicts")
            return alert and "split.test" in alert["annotations"]["description"] and alert

        alert = wait_until(told, EVENT_TIMEOUT_S, "the alert that names split.test")
        assert alert["state"] == "firing"
        assert alert["labels"]["kind"] == "cname-and-mx"
        assert alert["labels"]["instance"] == target
        for name in sorted(recorded()):
            assert wait_values(prometheus, name), name
        hidden = "instance:mxclash_affected_mx_answers_hidden:rate5m > 0"
        assert wait_values(prometheus, hidden)
        for title, expression in queries():
            if title != "Starts":
                assert wait_values(prometheus, filled_in(expression)), title

        unbound.reload()
        (starts,) = (filled_in(expression) for title, expression in queries() if title == "Starts")
        wait_values(prometheus, starts)

        unbound.stop()
        wait_until(lambda: prometheus.alert("MxclashDown"), EVENT_TIMEOUT_S, "MxclashDown")
        assert prometheus.alert("MxclashDown")["state"] == "pending"  # for five minutes
        rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
        assert len(rules) == len(rules_of(RULES)) + len(rules_of(ALERTS))
        assert [rule for rule in rules if rule["health"] != "ok"] == []
    assert prometheus.process.returncode == 0
