# SPDX-License-Identifier: BSD-3-Clause
"""Plays every scenario of this folder with Unbound's own replay tester and our module loaded.

A scenario is one of Unbound's .rpl files. Comment lines at its top say what is to be reported:

    ; expect: EVENT KIND STATE EVIDENCE DOMAIN [KEY=VALUE ...]   one line an event, in order
    ; expect: nothing                                            no event at all
    ; conf: KEY: VALUE                                           a line of mxclash.conf; in it, HERE/
                                                                 is this folder; without one for
                                                                 confirm-after the first look is
                                                                 enough, for the tester has no timer
    ; module-config: "dynlib validator iterator"                 default: "dynlib iterator"
    ; include: FILE                                              FILE of this folder, in this place

`-` for EVIDENCE or any value means "whatever". Keys are the fields of an event; cname is the
target, mx is PREFERENCE:EXCHANGE joined by commas, advice is joined by commas.

HOST_DIR names another built Unbound (the folder with testbound and mxclash.so), such as
build/hosts/1.26.0.
"""
import json
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
HOST = pathlib.Path(
    os.environ.get("HOST_DIR") or HERE.parent.parent / "build" / "unbound" / ".."
).resolve()
# the module's thread may write the last line after the tester is done, but never after it ended
TESTER_DEADLINE_S = 60
ONE_LOOK = "confirm-after: 0"
REPLY = re.compile(r"info: reply pkt: (.*?;; MSG SIZE +rcvd: \d+\n)", re.DOTALL)


def directives(text, word):
    return re.findall(rf"^; *{word}: *(.*?) *$", text, re.MULTILINE)


def with_includes(text):
    def included(match):
        return (HERE / match[1]).read_text()

    return re.sub(r"^; *include: *(\S+) *\n", included, text, flags=re.MULTILINE)


def prepare(scenario, folder):
    """Write the tester's input and mxclash.conf; return the path of the first."""
    text = with_includes(scenario.read_text())
    modules = directives(text, "module-config") or ['"dynlib iterator"']
    conf = [f'log-file: "{folder}/events.json"', 'http-listen: ""', "tally-interval: 0"]
    conf += [line.replace("HERE/", f"{HERE}/") for line in directives(text, "conf")]
    if not any(line.startswith("confirm-after:") for line in conf):
        conf.append(ONE_LOOK)
    (folder / "mxclash.conf").write_text("\n".join(conf) + "\n")
    head = (
        f'dynlib:\n\tdynlib-file: "{HOST}/mxclash.so"\n'
        f"server:\n\tmodule-config: {modules[0]}\n"
    )
    replay = folder / scenario.name
    replay.write_text(re.sub(r"^server:", lambda _: head, text, count=1, flags=re.MULTILINE))
    return replay


# what the clients of a scenario got: test_same_replies.py need not play it again
clients_got = {}


def run_tester(replay, folder):
    """Run the tester, and return all that it says."""
    run = subprocess.run(
        [HOST / "testbound", "-p", replay, "-o", "-vvvv"],
        env={**os.environ, "MXCLASH_CONF": str(folder / "mxclash.conf")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TESTER_DEADLINE_S,
        cwd=folder,
        check=False,
    )
    output = run.stdout.decode(errors="replace")
    assert run.returncode == 0, output[-6000:]
    return output


def play(scenario, folder):
    """Play a scenario; return the events that are about domains."""
    clients_got[scenario] = REPLY.findall(run_tester(prepare(scenario, folder), folder))
    lines = (folder / "events.json").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert events[0]["event"] == "started" and events[-1]["event"] == "stopped"
    return events[1:-1]


def as_text(event, key):
    value = event[key]
    if key == "cname":
        return value["target"] if value else "null"
    if key == "mx":
        return ",".join(f"{mx['preference']}:{mx['exchange']}" for mx in value)
    if key == "advice":
        return ",".join(value)
    return value if isinstance(value, str) else json.dumps(value)


def describe(event, wanted):
    """The event in the words of one expect line, with just the keys that this line names."""
    words = [event["event"], event["kind"], event["state"], event["evidence"], event["domain"]]
    asked = wanted.split() if wanted else []
    words = ["-" if i < len(asked) and asked[i] == "-" else word for i, word in enumerate(words)]
    for pair in asked[5:]:
        key, _, value = pair.partition("=")
        words.append(f"{key}={'-' if value == '-' else as_text(event, key)}")
    return " ".join(words)


@pytest.mark.parametrize("scenario", sorted(HERE.glob("*.rpl")), ids=lambda path: path.stem)
def test_scenario(scenario, tmp_path):
    text = scenario.read_text()
    expected = directives(text, "expect")
    assert expected, "the scenario does not say what is to be reported"
    if expected == ["nothing"]:
        expected = []
    events = play(scenario, tmp_path)
    told = [
        describe(event, expected[i] if i < len(expected) else None)
        for i, event in enumerate(events)
    ]
    assert told == expected
