# SPDX-License-Identifier: BSD-3-Clause
"""The figures as Markdown: targets first, then a table for each part."""

MIB = 2**20
OUTSIDE_TABLE_OCTETS = 8 * MIB
# A resolver for the capacity note.
QUERIES_A_SECOND = 200_000
HIT_SHARE = 0.8
NAMES_A_DAY = 50_000_000
TABLES_MIB = (16, 64, 256, 1024)
SLOT_OCTETS = 8
# of the answers in samples.c
NOTED_SHARE = 0.37
DAY_S = 86400


def table(head, rows):
    """A Markdown table; columns but the first to the right."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def thousands(value):
    return f"{value:,.0f}"


def millions(value):
    return f"{value / 1e6:,.1f} M"


def trace_row(figures, label):
    return next((r for r in figures.get("trace", ()) if r["label"] == label and "parts" in r), None)


def total(row, parts=("misses", "hits")):
    return sum(row["parts"][part]["instructions"] for part in parts)


def a_question(row, part, field="instructions"):
    return row["parts"][part][field] / row["parts"][part]["questions"]


def core_cost(figures, name):
    rows = [r for r in figures["core"] if r["class"] == name and r["open"]]
    return rows[0]["instructions"]


# --- targets -------------------------------------------------------------------------------------


def targets(figures):
    """(what, target, measured, met) for what there are figures for."""
    ours, empty = trace_row(figures, "mxclash-2"), trace_row(figures, "empty-2")
    if ours and empty:
        ratio = total(ours) / total(empty)
        yield (
            "whole trace, misses and hits: instructions against an empty module",
            "at most 1.0075",
            f"{ratio:.4f}",
            ratio <= 1.0075,
        )
        cost = a_question(ours, "a_hits", "own_inclusive")
        added = a_question(ours, "a_hits") - a_question(empty, "a_hits")
        yield (
            "reply from the cache that is no MX: instructions in our code "
            "(with what Unbound does to call it)",
            "at most 40",
            f"{cost:.0f} ({added:.0f})",
            cost <= 40,
        )
    if "core" in figures:
        for name, what, most in (
            ("A, two records", "plain A answer: instructions", 120),
            ("CNAME at www, with the target's A", "CNAME answer, no suspect: instructions", 600),
        ):
            cost = core_cost(figures, name)
            yield what, f"at most {most}", f"{cost:.0f}", cost <= most
    if "names" in figures:
        rows = figures["names"]
        most = max(row["resident_octets"] for row in rows)
        limit = rows[0]["table_octets_limit"]
        held = all(row["table_octets"] <= limit for row in rows)
        yield (
            f"memory after {rows[-1]['names']:,} names: the table within `table-size`, "
            "the process within 8 MiB more",
            f"{limit / MIB:.0f} MiB",
            f"table {max(row['table_octets'] for row in rows) / MIB:.1f}, "
            f"process {most / MIB:.1f} MiB",
            held and most <= limit + OUTSIDE_TABLE_OCTETS,
        )
    if "threads" in figures:
        shared = figures["threads"]["shared"]
        yield (
            "two threads on one detector against two on two: answers for the same processor time "
            "(wall clock)",
            "at least 0.9",
            f"{shared['ratio']:.2f} ({shared['wall_ratio']:.2f})",
            shared["ratio"] >= 0.9,
        )
    pairs = figures.get("load", {}).get("pairs")
    if pairs:
        yield (
            "whole resolver of two threads: queries a second against none, by pairs",
            "at least 0.99",
            ", ".join(f"{part} {of['speed']:.3f} ± {of['error']:.3f}" for part, of in pairs.items()),
            min(of["speed"] for of in pairs.values()) >= 0.99,
        )
    if "growth" in figures:
        most = figures["growth"]["open"][-1]
        yield (
            f"mean call that locks, {most['open']:,} conflicts open and somebody scrapes",
            "at most 100 µs",
            f"{most['scraped_client_ns'] / 1000:.1f} µs",
            most["scraped_client_ns"] <= 100_000,
        )
        largest = figures["growth"]["table"][-1]
        yield (
            f"start with a table of {largest['mebibytes']:,} MiB",
            "at most 100 ms",
            f"{largest['start_ns'] / 1e6:.1f} ms",
            largest["start_ns"] <= 100_000_000,
        )


def write_targets(figures):
    rows = [(w, t, m, "met" if met else "**not met**") for w, t, m, met in targets(figures)]
    return table(("target", "wanted", "measured", ""), rows)


# --- parts ---------------------------------------------------------------------------------------


def write_trace(figures, missing):
    rows = [r for r in figures["trace"] if "parts" in r]
    text = ""
    empty = trace_row(figures, "empty-2")
    if empty:
        budget = 0.0075 * total(empty) / empty["parts"]["misses"]["questions"]
        text += (
            f"\n0.75 % of the trace is {budget:.0f} instructions a miss, hits and all that follows "
            "from a miss included.\n"
        )
    for threads in (2, 1):
        none = trace_row(figures, f"none-{threads}")
        empty = trace_row(figures, f"empty-{threads}")
        again = trace_row(figures, f"empty-again-{threads}")
        if not (none and empty and again):
            continue
        questions = none["parts"]["misses"]["questions"]
        hits = none["parts"]["hits"]["questions"]
        noise = abs(total(again) / total(empty) - 1)
        text += (
            f"\nUnbound with num-threads: {threads}"
            f"{', one of which gets all queries' if threads > 1 else ''}; {questions:,} misses, "
            f"{hits:,} hits. The same variant twice differs by {noise:.4%} (misses and hits).\n\n"
        )
        head = ("variant", "misses", "hits", "both, to no module", "to the empty module",
                "a miss adds", "a hit adds", "in our code and what it calls")
        body = []
        for row in rows:
            if row["threads"] != threads or "mx_hits" not in row["parts"]:
                continue
            own = sum(row["parts"][part]["own_inclusive"] for part in ("misses", "hits"))
            body.append(
                (
                    row["title"] + (", again" if "again" in row["label"] else ""),
                    millions(total(row, ("misses",))),
                    millions(total(row, ("hits",))),
                    f"{total(row) / total(none):.4f}",
                    f"{total(row) / total(empty):.4f}",
                    thousands(a_question(row, "misses") - a_question(none, "misses")),
                    thousands(a_question(row, "hits") - a_question(none, "hits")),
                    millions(own) if own else "",
                )
            )
        text += table(head, body)
    stock = trace_row(figures, "stock-2")
    if stock:
        text += "\nDebian's own Unbound, same trace (it has no dynlib):\n\n"
        body = [
            (
                row["title"],
                millions(total(row, ("misses",))),
                millions(total(row, ("hits",))),
                f"{total(row) / total(stock):.4f}",
                thousands(a_question(row, "misses") - a_question(stock, "misses")),
                thousands(a_question(row, "hits") - a_question(stock, "hits")),
            )
            for row in rows
            if row["key"].startswith("stock")
        ]
        text += table(
            ("variant", "misses", "hits", "to no module", "a miss adds", "a hit adds"), body
        )
    elif missing.exists():
        text += f"\nDebian's own Unbound could not be run: {missing.read_text().strip()}.\n"
    for row in figures["trace"]:
        if "error" in row:
            text += f"\n{row['label']} could not be run: `{row['error'].splitlines()[0]}`\n"
    return text


def write_replies(figures):
    body = []
    none = trace_row(figures, "none-2")
    for label in ("empty-2", "mxclash-2", "mxclash-all-2"):
        row = trace_row(figures, label)
        if not (none and row):
            continue
        for part, what in (("a_hits", "A"), ("mx_hits", "MX")):
            body.append(
                (
                    row["title"],
                    what,
                    f"{a_question(row, part):,.1f}",
                    f"{a_question(row, part) - a_question(none, part):.1f}",
                    f"{a_question(row, part, 'own_inclusive'):.1f}",
                )
            )
    return table(
        ("variant", "hit", "instructions a reply", "more than with no module",
         "in our code and what it calls"),
        body,
    )


def growth(figures, before, after, shown, only=""):
    """A table of the functions by which a miss grew from one resolver to another."""
    questions = after["parts"]["misses"]["questions"]
    old, new = (row["parts"]["misses"]["functions"] for row in (before, after))
    grown = {
        name: (new.get(name, 0) - old.get(name, 0)) / questions for name in set(new) | set(old)
    }
    top = sorted(
        (item for item in grown.items() if item[0].startswith(only)), key=lambda i: -abs(i[1])
    )
    body = [(f"`{name}`", f"{cost:.1f}") for name, cost in top[:shown]]
    return table(("object:function", "instructions a miss"), body)


def write_profile(figures):
    """Where the instructions of a miss go."""
    rows = {row["label"]: row for row in figures["trace"] if "parts" in row}
    text = ""
    if {"empty-2", "mxclash-2"} <= set(rows):
        empty, ours = rows["empty-2"], rows["mxclash-2"]
        added = a_question(ours, "misses") - a_question(empty, "misses")
        text += (
            f"A miss costs {added:,.0f} instructions more with mxclash than with the empty "
            "module. Most of these, and calls into mxclash with all that they call:\n\n"
        )
        text += growth(figures, empty, ours, 25) + "\n"
        parts = ours["parts"]["misses"]
        body = [
            (f"`{name}`", thousands(parts["calls"].get(name, 0)),
             thousands(cost / max(parts["calls"].get(name, 0), 1)), millions(cost))
            for name, cost in parts["entered"].items()
        ]
        text += table(("entered at", "calls", "instructions a call", "in all"), body)
        text += "(threads count as one call each)\n"
    if {"none-2", "empty-2", "empty-last-2"} <= set(rows):
        none, empty, last = rows["none-2"], rows["empty-2"], rows["empty-last-2"]
        first = a_question(empty, "misses") - a_question(none, "misses")
        behind = a_question(last, "misses") - a_question(none, "misses")
        text += (
            f"\nThe empty module costs {first:.0f} instructions a miss as the first module, "
            f"{behind:.0f} as the last. As the first:\n\n"
        )
        text += growth(figures, none, empty, 10)
    if {"none-1", "empty-1", "mxclash-1"} <= set(rows):
        text += (
            "\nWith `num-threads: 1` the detector's threads are the first of the process, and the "
            "C library leaves its short cuts. Of what a miss adds, this is in the C library:\n\n"
        )
        text += growth(figures, rows["empty-1"], rows["mxclash-1"], 10, "libc")
    return text


def write_core(figures):
    rows = figures["core"]
    closed = {row["class"]: row for row in rows if not row["open"]}
    body = [
        (
            row["class"],
            f"{closed[row['class']]['instructions']:,.0f}" if row["class"] in closed else "",
            f"{row['instructions']:,.0f}",
            f"{row['ns']:.0f}",
            f"{row['atomics']:.1f}",
        )
        for row in rows
        if row["open"]
    ]
    return table(
        ("answer", "instructions, no conflict open", "with conflicts open", "ns",
         "atomic operations"),
        body,
    )


def write_threads(figures):
    names = (
        ("one", "one"),
        ("two", "two, one detector"),
        ("two_apart", "two, each its own detector"),
    )
    body = []
    for key, name in names:
        row = figures["threads"][key]
        ratios = (f"{row['ratio']:.2f}", f"{row['wall_ratio']:.2f}") if "ratio" in row else ("", "")
        body.append((name, f"{row['ns']:.1f}", ratios[0], f"{row['wall_ns']:.1f}", ratios[1]))
    return table(
        ("threads", "ns of processor time an answer", "against one", "ns of wall clock",
         "against one"),
        body,
    )


def write_growth(figures):
    body = [
        (
            f"{row['open']:,}",
            f"{row['answer_ns']:.0f}",
            f"{row['client_ns']:.0f}",
            f"{row['scraped_client_ns'] / 1000:.1f}",
            f"{row['scraped_client_most_ns'] / 1e6:.1f}",
            f"{row['scrape_ns'] / 1e6:.2f}",
        )
        for row in figures["growth"]["open"]
    ]
    text = table(
        ("conflicts open", "ns an answer", "ns a client's MX question of one",
         "µs the same while somebody scrapes", "ms the longest of 200,000", "ms a scrape"),
        body,
    )
    body = [
        (f"{row['mebibytes']:,} MiB", f"{row['start_ns'] / 1e6:.1f}", f"{row['answer_ns']:.0f}")
        for row in figures["growth"]["table"]
    ]
    return text + "\n" + table(("`table-size`", "ms the start", "ns an answer"), body)


def write_names(figures):
    body = [
        (
            f"{row['names']:,}",
            f"{row['table_octets'] / MIB:.2f}",
            f"{row['resident_octets'] / MIB:.2f}",
            f"{row['entries']:,}",
            f"{row['evictions']:,}",
            f"{row['instructions']:,.0f}",
            f"{row['ns']:.0f}",
        )
        for row in figures["names"]
    ]
    return table(
        ("distinct names", "table, MiB", "process, MiB", "cases", "given up", "instructions",
         "ns an answer"),
        body,
    )


def write_dnstap(figures):
    body = [
        (
            row["way"],
            f"{row['frames']:,}",
            f"{row['frames_a_second']:,.0f}",
            f"{row['cpu_ns']:,.0f}",
            f"{row['resident_mib']:.1f}",
        )
        for row in figures["dnstap"]
    ]
    return table(
        ("frames come", "frames", "a second", "ns of processor time a frame", "process, MiB"),
        body,
    )


def write_load(figures):
    body = [
        (
            row["title"],
            row["part"],
            f"{row['cpu_us']:.1f}",
            f"{row['ratio']:.3f}",
            f"{row['least']:.3f} to {row['most']:.3f}",
            f"{row['speed']:.3f}",
            thousands(row["instructions"]) if row["instructions"] else "",
        )
        for row in figures["load"]["summary"]
    ]
    return table(
        ("variant", "", "µs of processor time a query", "ratio", "spread of the rounds",
         "queries a second, ratio", "instructions in user space"),
        body,
    )


def write_capacity(figures):
    ours, none = trace_row(figures, "mxclash-2"), trace_row(figures, "none-2")
    if not (ours and none and "names" in figures):
        return ""
    miss = a_question(ours, "misses") - a_question(none, "misses")
    hit = a_question(ours, "hits") - a_question(none, "hits")
    last = figures["names"][-1]
    speed = last["instructions"] / last["ns"] * 1e9 if last["instructions"] else 0
    misses, hits = QUERIES_A_SECOND * (1 - HIT_SHARE), QUERIES_A_SECOND * HIT_SHARE
    added = misses * miss + hits * hit
    base = misses * a_question(none, "misses") + hits * a_question(none, "hits")
    text = (
        f"{QUERIES_A_SECOND:,} queries a second, {HIT_SHARE:.0%} of them hits: "
        f"{misses:,.0f} × {miss:,.0f} + {hits:,.0f} × {hit:,.0f} = {added / 1e6:,.0f} million "
        f"instructions a second more, on {base / 1e6:,.0f} million that Unbound itself takes in "
        f"user space ({added / base:.2%}). "
    )
    if speed:
        text += (
            f"At the {speed / 1e9:.1f} instructions a nanosecond that the detector reaches here "
            f"that is {added / speed:.1%} of one core. "
        )
    noted = NAMES_A_DAY * NOTED_SHARE
    body = []
    for mebibytes in TABLES_MIB:
        # a third of the table, rounded down to a power of two
        slots = 1 << ((mebibytes * MIB // 3 // SLOT_OCTETS).bit_length() - 1)
        body.append((f"{mebibytes} MiB", f"{slots:,}", f"{slots / noted * DAY_S / 3600:.1f}"))
    text += (
        f"\n\n{NAMES_A_DAY:,} distinct names a day: memory stays at `table-size`. Of them "
        f"{NOTED_SHARE:.0%} have a CNAME or an MX (in the mix of the benchmark), "
        f"{noted / 1e6:.1f} million. Each takes a slot of the sieve: a CNAME and an MX that come "
        "in two answers are brought together if no more time lies between them than (one answer "
        "with both, an apex, and a client's MX question need no sieve):\n\n"
    )
    return text + table(("`table-size`", "slots", "hours"), body)


def write(figures, missing):
    """The whole text. \\p missing is a file that says why Debian's Unbound cannot be run."""
    about = figures["machine"]
    text = (
        f"Measured {about['date']} on {about['cpu']}, {about['cores']} cores, Linux "
        f"{about['kernel']}; {about['unbound']}, {about['compiler']}, {about['valgrind']}; "
        f"load of the machine at the start {about['load_at_start']:.1f}.\n\n"
    )
    text += "### Targets\n\n" + write_targets(figures)
    if "trace" in figures:
        text += "\n### Whole resolvers, by instructions\n" + write_trace(figures, missing)
        text += "\n### Replies from the cache\n\n" + write_replies(figures)
        text += "\n### Where the instructions go\n\n" + write_profile(figures)
    if "core" in figures:
        text += "\n### The detector alone, by class of answer\n\n" + write_core(figures)
    if "threads" in figures:
        text += "\n### Threads\n\n" + write_threads(figures)
    if "growth" in figures:
        text += "\n### What grows\n\n" + write_growth(figures)
    if "names" in figures:
        text += "\n### Distinct names\n\n" + write_names(figures)
    if "load" in figures:
        text += "\n### dnsperf\n\n" + write_load(figures)
    if "dnstap" in figures:
        text += "\n### mxclashd, the dnstap sidecar\n\n" + write_dnstap(figures)
    capacity = write_capacity(figures)
    if capacity:
        text += "\n### Capacity\n\n" + capacity
    return text
