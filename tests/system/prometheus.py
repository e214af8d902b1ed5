# SPDX-License-Identifier: BSD-3-Clause
"""A Prometheus on loopback, configured as the example is, but for its targets and its pace."""

import http.client
import json
import shutil
from pathlib import Path
from urllib.parse import urlencode

import yaml
from lab import ANSWER_TIMEOUT_S, REPOSITORY, SEARCH_PATH, LabError, Server, free_address, free_port

EXAMPLES = REPOSITORY / "conf-examples" / "prometheus"
# How often it scrapes and looks at its rules.
PACE = "1s"


def prometheus_missing():
    """Why Prometheus and promtool cannot be run, or None if they can."""
    for program in ("prometheus", "promtool"):
        if not shutil.which(program, path=SEARCH_PATH):
            return f"{program} (package prometheus) is not there"
    return None


class Prometheus(Server):
    """Scrapes one resolver, by the jobs and rules of the example."""

    def __init__(self, folder, target, **options):
        address = free_address()
        super().__init__(Path(folder), address, free_port(address), **options)
        self.target = target

    def configure(self):
        config = yaml.safe_load((EXAMPLES / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": PACE, "evaluation_interval": PACE}
        config["rule_files"] = [str(EXAMPLES / name) for name in config["rule_files"]]
        for job in config["scrape_configs"]:
            job.pop("scrape_interval", None)
            job["static_configs"] = [{"targets": [self.target]}]
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def command(self):
        return [
            "prometheus",
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--storage.tsdb.retention.time=1h",
            f"--web.listen-address={self.address}:{self.port}",
            "--log.level=warn",
        ]

    def is_ready(self):
        try:
            return self.http("/-/ready")[0] == 200
        except OSError:
            return False

    def http(self, path):
        """(status, text)"""
        connection = http.client.HTTPConnection(self.address, self.port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def api(self, path, **arguments):
        """The data of an answer of /api/v1. Raises LabError with what it says is wrong."""
        _, text = self.http(f"/api/v1/{path}?{urlencode(arguments)}")
        answer = json.loads(text)
        if answer["status"] != "success":
            raise LabError(f"{path} {arguments}: {answer['error']}")
        return answer["data"]

    def query(self, expression):
        """The values of an expression now: a list of (labels, float)."""
        found = self.api("query", query=expression)["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def alert(self, name):
        """The alert of a name that is pending or firing, or None."""
        found = [one for one in self.api("alerts")["alerts"] if one["labels"]["alertname"] == name]
        return found[0] if found else None
