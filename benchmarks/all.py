"""Every benchmark in one run, into docs/benchmarks.md: ``make bench``.

Run: ``python benchmarks/all.py OUT [SECTION ...] --data FOLDER --rivals PYTHON``. Sections not named stay as they are.
Accuracy needs Gloucestershire's published files and the Python of the rivals' environment; the rest needs about 8 GB of
memory; pages need what tests need, and a Chromium. All of it takes twenty minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from measuring import Cost, machine, table
from page import page, sections_of

PACKAGES = ("numpy", "pandas", "pyarrow", "scipy", "lightgbm", "polars", "mlforecast", "coreforecast")
HEAD = """# Benchmarks

For analysts and developers: how good and how quick it is beside others. `make bench` writes this page.

Seconds belong to the machine and to what else ran on it; ratios travel better. CPU time
counts all threads; user CPU time leaves out what the system spends on handing out memory, which on a virtual machine
can be several times the work (freed memory goes back to the host and is dear to take again); the least CPU time of the
runs is the one that this and others' work disturbed least.

The first section is about accuracy, on real data; the second about whether intervals hold what they promise, the third
about whether explanations find what was planted, the fourth about whether the fairness audit does, all on invented
regions. The others are about speed alone: their data are made up, and say nothing about accuracy. Before anything is
timed there, ours is compared with every rival that does the same job: the counts exactly on the same file,
the features on a panel of 700 areas, the trees' predictions exactly. Not compared are the bare count, which is another
job, and mlforecast's two exponential means, defined otherwise. Seconds are medians of several runs; ratios are to the
row at 1.00.
"""
ORDER = (
    "accuracy", "calibration", "truth", "audit", "street_csv", "features", "training", "attributions", "draws",
    "fairness_speed", "pages",
)  # fmt: skip
Limits = Sequence[tuple[str, str, str, float]]


def judged(rows: Sequence[tuple[str, Cost]], limits: Limits) -> list[str]:
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


def timed(title: str, note: str, rows: Sequence[tuple[str, Cost]], unit: str, limits: Limits, *more: str) -> str:
    """A section about speed."""
    after = [f"Machine: {machine(PACKAGES)}."]
    return "\n\n".join(
        [f"## {title}", note, table(rows, unit), *(["\n".join(judged(rows, limits))] if limits else []), *more, *after],
    )


def street_csv() -> str:
    import street_csv as benchmark

    rows = benchmark.run()
    return timed(
        "Street-level CSV to counts, 5 million rows of one file",
        "The job is to drop repeats of a Crime ID, to count by crime type and area, and to count the records without a "
        "place. Ours also checks every row against the published form; the bare count drops and checks nothing.",
        rows,
        rows[0][0],
        [
            ("riskmodel, file to counts", "polars, the same job", "at most", 1.5),
            ("riskmodel, file to counts", "polars, bare count", "at most", 3.0),
        ],
    )


def features() -> str:
    import england_features as benchmark

    rows = benchmark.run()
    matrix = 35_672 * 150 * 57 * 4 / 1e9
    peak = dict(rows)["riskmodel"].extra
    return timed(
        "Features, 35,672 areas x 150 months, 17 dynamic and 40 static, every month an origin",
        "Ours is one horizon of `FeatureBlocks`, with one thread, from a view and areas matched before. pandas and "
        "polars (two threads and more) start from a long table sorted by area and month and are given the pooled "
        "seasons ready-made; mlforecast (two threads) makes 11 of the 17, for it knows neither neighbours nor groups; "
        "pandas and polars end with a table, ours and mlforecast with one float32 matrix.",
        rows,
        rows[0][0],
        [
            ("pandas", "riskmodel", "at least", 20.0),
            ("polars", "riskmodel", "at least", 10.0),
            ("mlforecast, fewer features", "riskmodel", "at least", 3.0),
            ("riskmodel", "allocate and fill", "at most", 4.0),
        ],
        f"Peak memory {peak:.2f} GB; at most 2 x the matrix ({matrix:.2f} GB) + 1 GB: "
        + ("yes." if peak <= 2 * matrix + 1 else "no."),
    )


def training() -> str:
    import training as benchmark

    rows = benchmark.run()
    return timed(
        "Training, 1,400 areas x 72 months, 57 features, 150 trees, one thread",
        "Bare is `Dataset` and `train` with the same parameters on a matrix made before. From view to forecast also "
        "makes the features and labels, and the level and dispersion of the forecast.",
        rows,
        rows[-1][0],
        [
            ("riskmodel, fit alone", "bare LightGBM", "at most", 1.15),
            ("riskmodel, view to forecast", "bare LightGBM", "at most", 1.15),
        ],
    )


def attributions() -> str:
    import attributions as benchmark

    rows = benchmark.run()
    wall = dict(rows)["riskmodel, features to terms"].wall
    return timed(
        "Attributions, 35,672 areas x 1 horizon, 57 features, the default LightGBM model, two cores",
        "Ours is checked against the forecast (terms add up to the log of the mean to 1e-9) and against shap (1e-6). "
        "From features to terms also makes the features, the offset and the forecast the terms are checked against.",
        rows,
        rows[-1][0],
        [("riskmodel, terms of rows", "shap.TreeExplainer", "at most", 1.15)],
        f"A country's month of attributions within 60 s: {wall:.1f} s: {'met' if wall <= 60 else 'not met'}.",
    )


def calibration() -> str:
    import calibration as benchmark

    return (
        "## Calibration on the invented region\n\n"
        f"{benchmark.SEEDS} regions of {benchmark.AREAS} areas and {benchmark.MONTHS} months, each with a seed and a "
        f"backtest of its own, from {', '.join(benchmark.ORIGINS)} over 12 months with {benchmark.DRAWS} draws. Shown "
        "is the share of the randomised PIT between .05 and .95 (90 % is wanted), with the error of its mean over "
        "seeds. The region has neither shocks of its own nor any of its districts; draws allow for both, from few "
        "errors and a prior, so totals of districts, of the force and of long windows are held more often than "
        "promised. In the second region the share of records without a place falls by nine points in June 2023, which "
        "no forecast made before could know."
        f"\n\n{benchmark.report(benchmark.run())}\n\nMachine: {machine(PACKAGES[:4])}."
    )


def truth() -> str:
    import truth as benchmark

    return (
        "## Explanations held against the truth of invented regions\n\n"
        f"{benchmark.SEEDS} regions of {benchmark.AREAS} areas and {benchmark.MONTHS} months, each with a seed of its "
        "own. Thirteen conditions are planted in five domains: eleven act, one does nothing, and one only goes with "
        f"another; {benchmark.NOISE} more do nothing. Counts are drawn from those that act, from causes no factor "
        "holds (half as smooth over the map as conditions are) and from chance. Shown is how well a conditions model's "
        "terms, summed by domain, give the planted log rate over places. A domain of one factor can only be right or "
        "wrong in sign, so the domains of several are shown apart. The price of few false findings is that many true "
        "ones stay unsaid: the last row of the table of marks."
        f"\n\n{benchmark.report(benchmark.run())}\n\nMachine: {machine(PACKAGES[:5])}."
    )


def audit() -> str:
    import audit as benchmark

    found, drawn = benchmark.run(), benchmark.audited
    benchmark.keep(found)
    return (
        "## The audit of the audit\n\n"
        f"{len(found)} seeds, each with regions of its own whose truth is known: forecasts are the true rate times an "
        f"error of {drawn.OF_AREA:g} (log) of each area and one of {drawn.OF_BLOCK:g} shared by blocks of places that "
        f"no tiling of the audit fits; about {drawn.A_YEAR:g} records an area and year, {drawn.MONTHS} months, five "
        "ethnic groups, sex, disability and deprivation fifths. Nothing is learned. A difference between people is put "
        "in on purpose and looked for with the default policy. Shown are per cent of regions, with 95 % intervals. "
        "Whatever its size: p below .05 after Holm, which alone raises no alarm; the contrast must lie beyond the "
        "policy's notice too. Areas as if independent: the same contrast and Holm's adjustment with a standard error "
        "from single areas. Inside interval: how often the 90 % interval holds what was put in."
        f"\n\n{benchmark.report(found)}\n\n{benchmark.learned()}\n\nMachine: {machine(PACKAGES[:4])}."
    )


def fairness_speed() -> str:
    import fairness_speed as benchmark

    rows = benchmark.run()
    wall = max(cost.wall for _, cost in rows)
    return timed(
        f"Audit, {benchmark.AREAS:,} areas, {benchmark.ORIGINS} origins x {benchmark.MONTHS} months",
        "From forecasts and counts as arrays to the audit's table: every check with its interval over three tilings, "
        "verdicts and words. In detail also takes one model apart by origin, level, class of area and district.",
        rows,
        rows[0][0],
        [],
        f"A country's audit within 60 s: {wall:.1f} s: {'met' if wall <= 60 else 'not met'}.",
    )


def draws() -> str:
    import draws as benchmark

    rows = benchmark.run()
    peak = rows[-1][1].extra
    return timed(
        "Draws, 35,672 areas x 12 months x 500 draws, one candidate",
        "The outlook draws every month anew for each level and keeps the sums of each window.",
        rows,
        rows[-1][0],
        [],
        f"Extra memory at the peak {peak:.2f} GB; at most 8 GB: {'met' if peak <= 8 else 'not met'}.",
    )


def pages() -> str:
    import pages as benchmark

    return (
        f"## Pages of {benchmark.AREAS:,} areas in a browser\n\n"
        "Invented places and numbers; every number is a fact, as on the pages of a run. The forecast page has three "
        "kinds of count, the fairness page nine models and fifty groups. Each page is opened "
        f"{benchmark.REPEATS} times from disk in Chromium, in a new window of 1280 pixels; shown are medians from the "
        "asking until the page is loaded, and until its longest table has been searched and says so. Whether a page "
        f"keeps to two seconds is judged by the slowest time.\n\n{benchmark.report(benchmark.run())}"
        f"\n\nMachine: {machine(('playwright', *PACKAGES[:2]))}."
    )


def accuracy(data: Path, rivals: str) -> str:
    import accuracy as benchmark

    found = benchmark.run(data, rivals)
    return f"## Accuracy and time on real data\n\n{found}\n\nMachine: {machine(PACKAGES[:5])}."


def main(given: Sequence[str] | None = None) -> None:
    """Run, judge, write."""
    parser = argparse.ArgumentParser(description="Run the benchmarks and write them into the page.")
    parser.add_argument("out", type=Path)
    parser.add_argument("sections", nargs="*", choices=[[], *ORDER], default=[], metavar="SECTION")
    parser.add_argument("--data", type=Path, help="Gloucestershire's published files")
    parser.add_argument("--rivals", help="the Python of the rivals' environment")
    asked = parser.parse_args(given)
    wanted = asked.sections or list(ORDER)
    makers: dict[str, Callable[[], str]] = {
        "street_csv": street_csv, "features": features, "training": training, "attributions": attributions,
        "calibration": calibration, "truth": truth, "draws": draws, "audit": audit, "fairness_speed": fairness_speed,
        "pages": pages,
    }  # fmt: skip
    if asked.rivals and asked.data and asked.data.is_dir():
        makers["accuracy"] = lambda: accuracy(asked.data, asked.rivals)
    elif "accuracy" in wanted:
        sys.stderr.write(f"no published files at {asked.data}: the section about accuracy stays as it was\n")
    if find_spec("playwright") is None:
        del makers["pages"]
        if "pages" in wanted:
            sys.stderr.write(
                "no playwright here: the section about pages stays as it was; make bench-pages measures it\n"
            )
    kept = sections_of(asked.out.read_text(encoding="utf-8")) if asked.out.exists() else {}
    for name in wanted:
        if name in makers:
            kept[name] = makers[name]()
            # After each, so that a section that fails costs none that were made.
            asked.out.write_text(page(HEAD, ORDER, kept), encoding="utf-8", newline="\n")
            sys.stdout.write(kept[name] + "\n\n")


if __name__ == "__main__":
    main()
