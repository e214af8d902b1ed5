# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of the figures, by gnuplot: SVG without a ground, to be read on white and on black."""

import shutil
import subprocess

# One grey for all text and lines; the colours keep 3:1 against white and against black.
GREY, BLUE, ORANGE = "#808080", "#3b82c4", "#c9731c"
HEAD = f"""
set terminal svg size {{width}},{{height}} font "sans-serif,13" fontscale 1 name "mxclash"
set output "{{output}}"
set border 3 lc rgb "{GREY}"
set tics nomirror textcolor rgb "{GREY}"
set xlabel textcolor rgb "{GREY}"
set ylabel textcolor rgb "{GREY}"
set key textcolor rgb "{GREY}"
set grid x lc rgb "{GREY}" lw 0.3 dt 3
"""


def run(script, output, width, height):
    """Have gnuplot draw one picture."""
    head = HEAD.format(output=output, width=width, height=height)
    subprocess.run(["gnuplot"], input=head + script, text=True, check=True, capture_output=True)


def block(name, lines):
    """A here-document of gnuplot's."""
    return f"${name} << EOD\n" + "\n".join(lines) + "\nEOD\n"


def classes(rows, output):
    """Instructions by class of answer, as bars."""
    rows = [row for row in rows if row["open"]]
    rows.sort(key=lambda row: -row["instructions"])
    lines = [f'"{row["class"]}" {row["instructions"]}' for row in rows]
    script = block("bars", lines) + f"""
set label 1 "Instructions an answer, while conflicts are open" at screen 0.02, screen 0.95 \\
    textcolor rgb "{GREY}"
set tmargin 3
set logscale x
set xrange [10:{3 * rows[0]["instructions"]}]
set yrange [-0.7:{len(rows) - 0.3}]
set style fill solid
set border 1
unset key
set ytics scale 0
plot $bars using (10):0:(10):2:($0-0.35):($0+0.35):ytic(1) with boxxyerror lc rgb "{BLUE}", \\
     $bars using 2:0:(sprintf(" %.0f", $2)) with labels left textcolor rgb "{GREY}"
"""
    run(script, output, 760, 60 + 26 * len(rows))


def names(rows, output):
    """Memory and cost as distinct names go by."""
    counted = all(row["instructions"] for row in rows)
    cost = "instructions" if counted else "ns"
    lines = [
        f"{row['names']} {row['table_octets'] / 2**20} {row['table_octets_limit'] / 2**20}"
        f" {row['resident_octets'] / 2**20} {row[cost]}"
        for row in rows
    ]
    script = block("names", lines) + f"""
set multiplot layout 1,2
set logscale x
set format x "10^{{%L}}"
set xlabel "distinct names"
set xrange [{rows[0]["names"] / 1.5}:{rows[-1]["names"] * 1.5}]
set grid y lc rgb "{GREY}" lw 0.3 dt 3
set title "Memory, MiB" textcolor rgb "{GREY}"
set key top left
set yrange [0:{rows[0]["table_octets_limit"] / 2**20 * 2}]
plot $names using 1:3 with lines dt 2 lw 1.5 lc rgb "{GREY}" title "table-size", \\
     $names using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{BLUE}" title "the table", \\
     $names using 1:4 with linespoints pt 7 ps 0.4 lw 1 lc rgb "{GREY}" title "whole process"
set key bottom right
set yrange [0:*]
set title "{"Instructions" if counted else "Nanoseconds"} an answer" textcolor rgb "{GREY}"
plot $names using 1:5 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{ORANGE}" title "mix of answers"
unset multiplot
"""
    run(script, output, 760, 300)


def growth(figures, output):
    """What grows with open conflicts, and with the table."""
    opened = [
        f"{row['open']} {row['answer_ns']} {row['client_ns']} {row['scraped_client_ns']}"
        for row in figures["open"]
    ]
    tables = [
        f"{row['mebibytes']} {row['answer_ns']} {row['start_ns'] / 1000}"
        for row in figures["table"]
    ]
    script = block("opened", opened) + block("tables", tables) + f"""
set multiplot layout 1,2
set logscale xy
set format x "10^{{%L}}"
set grid y lc rgb "{GREY}" lw 0.3 dt 3
set key top left
set yrange [10:1e6]
set xlabel "conflicts open"
set xrange [500:2e6]
set title "Nanoseconds" textcolor rgb "{GREY}"
plot 100000 with lines dt 2 lw 1.5 lc rgb "{GREY}" title "target of a call that locks", \
     $opened using 1:4 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{ORANGE}" \
         title "client's MX, scraped", \
     $opened using 1:3 with linespoints pt 6 ps 0.6 lw 2 lc rgb "{ORANGE}" title "client's MX", \
     $opened using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{BLUE}" title "an answer"
set xlabel "table-size, MiB"
set format x "%.0f"
set xrange [0.5:2000]
set title "Nanoseconds an answer, microseconds a start" textcolor rgb "{GREY}"
plot $tables using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{BLUE}" title "an answer, ns", \
     $tables using 1:3 with linespoints pt 7 ps 0.6 lw 2 lc rgb "{ORANGE}" title "the start, µs"
unset multiplot
"""
    run(script, output, 760, 300)


def load(rows, output):
    """Processor time of the resolver against the same build without a module."""
    titles = list(dict.fromkeys(row["title"] for row in rows))
    titles.reverse()
    scripts = ""
    for part in ("misses", "hits"):
        lines = (
            f"{row['ratio']} {titles.index(row['title'])} {row['least']} {row['most']}"
            for row in rows
            if row["part"] == part
        )
        scripts += block(part, lines)
    tics = ", ".join(f'"{title}" {number}' for number, title in enumerate(titles))
    reach = max(row["most"] for row in rows) - min(row["least"] for row in rows)
    step = next(step for step in (0.05, 0.1, 0.2, 0.5, 1, 5) if reach / step <= 6)
    script = scripts + f"""
set label 1 "Processor time against the same Unbound without a module; bars: all rounds" \\
    at screen 0.02, screen 0.96 textcolor rgb "{GREY}"
set tmargin 4
set yrange [-0.6:{len(titles) - 0.4}]
set ytics ({tics}) scale 0
set xtics {step} scale 0.5
set key at screen 0.98, screen 0.89 horizontal
set arrow from 1, graph 0 to 1, graph 1 nohead lc rgb "{GREY}"
plot $misses using 1:($2+0.12):3:4 with xerrorbars pt 7 ps 0.7 lw 1.5 lc rgb "{BLUE}" \\
         title "misses", \\
     $hits using 1:($2-0.12):3:4 with xerrorbars pt 7 ps 0.7 lw 1.5 lc rgb "{ORANGE}" title "hits"
"""
    run(script, output, 760, 110 + 34 * len(titles))


def draw(figures, folder):
    """Draw what there are figures for."""
    if not shutil.which("gnuplot"):
        print("no pictures: gnuplot is not there")
        return
    if "core" in figures:
        classes(figures["core"], folder / "classes.svg")
    if "growth" in figures:
        growth(figures["growth"], folder / "growth.svg")
    if "names" in figures:
        names(figures["names"], folder / "names.svg")
    if "load" in figures:
        load(figures["load"]["summary"], folder / "load.svg")
