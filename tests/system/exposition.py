# SPDX-License-Identifier: BSD-3-Clause
"""A page of metrics as those read it who scrape it: Prometheus's own linter, and the parsers of its
client library, of which the one for OpenMetrics is strict."""

import shutil
import subprocess

import prometheus_client.openmetrics.parser
import prometheus_client.parser
from lab import ANSWER_TIMEOUT_S, SEARCH_PATH, wait_until

OPENMETRICS = "application/openmetrics-text"
CONTENT_TYPES = {
    None: "text/plain; version=0.0.4; charset=utf-8",
    OPENMETRICS: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
PARSERS = {
    None: prometheus_client.parser.text_string_to_metric_families,
    OPENMETRICS: prometheus_client.openmetrics.parser.text_string_to_metric_families,
}


def lint(text):
    """Have promtool judge Prometheus text, if it is there."""
    if shutil.which("promtool", path=SEARCH_PATH):
        command = ["promtool", "check", "metrics"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def read(unbound, path, accept=None):
    """Scrape a page in one of the two formats.

    Returns (types, samples): from a family's name to its type, and from (name, labels as a sorted
    tuple of pairs) to the value. Names of counters' families are without _total in both.
    """
    status, headers, text = unbound.http(path, headers={"Accept": accept} if accept else None)
    assert (status, headers["Content-Type"]) == (200, CONTENT_TYPES[accept])
    if accept is None:
        lint(text)
    families = list(PARSERS[accept](text))
    found = [
        ((sample.name, tuple(sorted(sample.labels.items()))), sample.value)
        for family in families
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found), "a series stands twice"
    assert all(family.documentation for family in families)
    return {family.name: family.type for family in families}, dict(found)


def read_both(unbound, path):
    """Scrape a page in both formats, which must say the same. Returns the samples."""

    def same():
        plain, strict = read(unbound, path), read(unbound, path, OPENMETRICS)
        return [plain[1]] if plain == strict else None

    # between the two something may have been counted
    return wait_until(same, ANSWER_TIMEOUT_S, f"the same {path} in both formats")[0]
