# SPDX-License-Identifier: BSD-3-Clause
"""Unbound's own replays, edited so that a dynlib module is in their chain of modules.

Only the configuration of a replay is touched, the part before CONFIG_END: the module gets its
`dynlib:` clause, and the word dynlib goes into `module-config:`.
"""

import re

MODULE_CONFIG = re.compile(r'^(?P<key>[ \t]*module-config:[ \t]*)"(?P<chain>[^"]*)"', re.MULTILINE)
CONFIG_END = re.compile(r"^\s*CONFIG_END", re.MULTILINE)


class ReplayError(Exception):
    """A replay that cannot be edited; the message says why."""


def with_dynlib(chain):
    """A chain of modules with dynlib put in: in front, but behind dns64, which notes a query as new
    only if it is the first module to get it."""
    words = chain.split()
    place = words.index("dns64") + 1 if "dns64" in words else 0
    return " ".join(words[:place] + ["dynlib"] + words[place:])


def edited(text, module, default_chain):
    """The text of a replay with `module` loaded.

    `default_chain` is what holds where a replay has no module-config. A replay that loads dynlib
    modules of its own keeps them: our clause comes first, and so must our word.
    """
    end = CONFIG_END.search(text)
    if not end:
        raise ReplayError("no CONFIG_END")
    config, scenario = text[: end.start()], text[end.start() :]
    if "dynlib" in config and "dns64" in config:
        raise ReplayError("it loads a dynlib module of its own, so ours must be the first")
    head = f'dynlib:\n\tdynlib-file: "{module}"\nserver:\n'
    config, count = MODULE_CONFIG.subn(
        lambda found: f'{found["key"]}"{with_dynlib(found["chain"])}"', config
    )
    if not count:
        if re.search(r"^[^;#\n]*module-config:", config, re.MULTILINE):
            raise ReplayError("a module-config that this script cannot read")
        head += f'\tmodule-config: "{with_dynlib(default_chain)}"\n'
    # without a clause of its own what follows belongs to the server clause, as in the tester's file
    return head + config + scenario
