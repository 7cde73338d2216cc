"""Every benchmark in one run, into docs/benchmarks.md: ``make bench``.

Run: ``python benchmarks/all.py [OUT]``; needs about 8 GB of memory and a quarter of an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import england_features
import street_csv
import training
from measuring import Cost, machine, table

PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "lightgbm", "polars", "mlforecast", "coreforecast")
HEAD = """# Benchmarks

`make bench` writes this page. Seconds belong to the machine and to what else ran on it; ratios travel better. CPU time
counts all threads; user CPU time leaves out what the system spends on handing out memory, which on a virtual machine
can be several times the work (freed memory goes back to the host and is dear to take again); the least CPU time of the
runs is the one that this and others' work disturbed least. Data are made up: nothing here says anything about accuracy.

Before anything is timed, ours is compared with every rival that does the same job: the counts exactly on the same file,
the features on a panel of 700 areas, the trees' predictions exactly. Not compared are the bare count, which is another
job, and mlforecast's two exponential means, defined otherwise. Seconds are medians of several runs; ratios are
to the row at 1.00.

Machine: {machine}.
"""
NOTES = {
    "Street-level CSV to counts, 5 million rows of one file": "The job is to drop repeats of a Crime ID, to count by "
    "crime type and area, and to count the records without a place. Ours also checks every row against the published "
    "form; the bare count drops and checks nothing.",
    "Features, 35,672 areas x 150 months, 17 dynamic and 40 static, every month an origin": "Ours is one horizon of "
    "`FeatureBlocks`, with one thread, from a view and areas matched before. pandas and polars (two threads and more) "
    "start from a long table sorted by area and month and are given the pooled seasons ready-made; mlforecast (two "
    "threads) makes 11 of the 17, for it knows neither neighbours nor groups; pandas and polars end with a table, "
    "ours and mlforecast with one float32 matrix.",
    "Training, 1,400 areas x 72 months, 57 features, 150 trees, one thread": "Bare is `Dataset` and `train` with the "
    "same parameters on a matrix made before. From view to forecast also makes the features and labels, and the level "
    "and dispersion of the forecast.",
}


def judged(rows: Sequence[tuple[str, Cost]], limits: Sequence[tuple[str, str, str, float]]) -> list[str]:
    """One line a target: two rows' ratio by median and by least CPU time, and which of them keep to it."""
    cost, lines = dict(rows), ["| target | at | by CPU | by least CPU |", "|---|---|---|---|"]
    for slow, quick, sign, limit in limits:
        shown = []
        for kind in ("cpu", "least"):
            ratio = getattr(cost[slow], kind) / getattr(cost[quick], kind)
            met = ratio <= limit if sign == "at most" else ratio >= limit
            shown.append(f"{ratio:.2f}: {'met' if met else 'not met'}")
        lines.append(f"| {slow} over {quick} | {sign} {limit:g} | {' | '.join(shown)} |")
    return lines


def main(out: Path) -> None:
    """Run, judge, write."""
    csv, features, trained = street_csv.run(), england_features.run(), training.run()
    matrix = 35_672 * 150 * 57 * 4 / 1e9
    peak = dict(features)["riskmodel"].extra
    kept = f"Peak memory {peak:.2f} GB; at most 2 x the matrix ({matrix:.2f} GB) + 1 GB: "
    limits = (
        [
            ("riskmodel, file to counts", "polars, the same job", "at most", 1.5),
            ("riskmodel, file to counts", "polars, bare count", "at most", 3.0),
        ],
        [
            ("pandas", "riskmodel", "at least", 20.0),
            ("polars", "riskmodel", "at least", 10.0),
            ("mlforecast, fewer features", "riskmodel", "at least", 3.0),
            ("riskmodel", "allocate and fill", "at most", 4.0),
        ],
        [
            ("riskmodel, fit alone", "bare LightGBM", "at most", 1.15),
            ("riskmodel, view to forecast", "bare LightGBM", "at most", 1.15),
        ],
    )
    text = [HEAD.format(machine=machine(PACKAGES))]
    units = (csv[0][0], features[0][0], trained[-1][0])
    for (title, note), rows, unit, asked in zip(NOTES.items(), (csv, features, trained), units, limits, strict=True):
        text += [f"## {title}", "", note, "", table(rows, unit), "", *judged(rows, asked), ""]
        if rows is features:
            text += [kept + ("yes." if peak <= 2 * matrix + 1 else "no."), ""]
    out.write_text("\n".join(text), encoding="utf-8", newline="\n")
    sys.stdout.write("\n".join(text))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/benchmarks.md"))
