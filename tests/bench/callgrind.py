# SPDX-License-Identifier: BSD-3-Clause
"""Reads what callgrind wrote with --compress-strings=no --compress-pos=no."""

import re
from collections import defaultdict, namedtuple

# total      instructions in all
# bus        locked instructions in all; 0 without --collect-bus=yes
# objects    instructions by object, functions by (object, function), both without what they call
# entered    instructions by (object, function) as called from other objects, with what they call
# calls      how often they were called so
Profile = namedtuple("Profile", "total bus objects functions entered calls")
NOTHING = Profile(0, 0, {}, {}, {}, {})

FIELD = re.compile(r"^(ob|fl|fi|fe|fn|cob|cfi|cfl|cfn)=(.*)$")


def read(path):
    """The Profile of one file."""
    objects = defaultdict(int)
    functions = defaultdict(int)
    entered = defaultdict(int)
    calls = defaultdict(int)
    total = bus = 0
    at = {"ob": "", "fn": "", "cob": None, "cfn": ""}
    called = None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            field = FIELD.match(line)
            if field:
                key, value = field.groups()
                at[key] = value.rstrip()
                if key == "ob":
                    at["cob"] = None
                continue
            if line.startswith("calls="):
                # the callee's object is the caller's where it is not said
                called = (at["cob"] or at["ob"], at["cfn"]), int(line[6:].split()[0])
                continue
            if not line[:1].isdigit():
                continue
            _, cost, locked = (*map(int, line.split()), 0, 0)[:3]
            if called:
                callee, count = called
                called = None
                if callee[0] != at["ob"]:
                    entered[callee] += cost
                    calls[callee] += count
                at["cob"] = None
                continue
            total += cost
            bus += locked
            objects[at["ob"]] += cost
            functions[at["ob"], at["fn"]] += cost
    return Profile(total, bus, dict(objects), dict(functions), dict(entered), dict(calls))


def self_cost(profile, module):
    """Instructions in the object whose name ends so."""
    return sum(cost for name, cost in profile.objects.items() if name.endswith(module))


def inclusive(profile, module):
    """Instructions of calls from elsewhere into the object, with all that they call."""
    return sum(cost for (name, _), cost in profile.entered.items() if name.endswith(module))
