# SPDX-License-Identifier: BSD-3-Clause
"""The values of mxclash.h that no type carries into the library: enums, whose members callers get as
integers, and numbers. One `name value` a line."""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# how many values an enum has may grow
COUNTS = re.compile(r"MXCLASH_(KINDS|STATES|EVIDENCES|EVENT_TYPES|IMPACTS|ADVICES|PROOF_RESULTS|PROOF_DROPS"
                    r"|DELAYS|OUTCOMES|SPFS|ABI)$")


def names():
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include/mxclash.h").read_text(), flags=re.S)
    numbers = re.findall(r"^#define (MXCLASH_\w+) +\d+$", text, re.M)
    enums = [re.match(r"\w+", value.strip())[0] for body in re.findall(r"^enum \w+ \{(.*?)\}", text, re.M | re.S)
             for value in body.split(",") if value.strip()]
    return [name for name in numbers if not COUNTS.match(name)] + enums


def values():
    lines = "".join(f'    printf("{name} %ld\\n", (long){name});\n' for name in names())
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "values.c"
        source.write_text(f"#include <mxclash.h>\n#include <stdio.h>\nint main(void)\n{{\n{lines}    return 0;\n}}\n")
        subprocess.run(["cc", f"-I{ROOT / 'include'}", source, "-o", source.with_suffix("")], check=True, timeout=60)
        return subprocess.run([source.with_suffix("")], capture_output=True, text=True, check=True, timeout=60).stdout


if __name__ == "__main__":
    sys.stdout.write(values())
