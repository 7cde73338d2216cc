"""The audit of the audit: does it stay silent where there is nothing, and find what was put there?

Run: ``python benchmarks/audit.py [SEEDS]``; two processes, a quarter of an hour of CPU. Each seed is another region
(``tests/audited.py``): places, residents, true rates, counts, and forecasts that are the true rate times errors of
known size, so nothing is learned. Biases are put in by a factor between people: a group's own forecasts are off by it,
an area's by its power of the group's share. How blocks are cut, how many there are, what a standard error allows for
and the degrees of freedom were settled on seeds from 9000 on, so these begin at 1 and end below.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import audited
import riskmodel.fairness
from audited import MODEL, Region, make_evidence_of, make_outcomes_of, make_region
from invented import invented, invented_groupings, plan_of
from riskmodel.backtest.run import run_backtest
from riskmodel.backtest.scores import as_cube
from riskmodel.backtest.skill_test import holm_adjusted
from riskmodel.contracts.periods import month_number
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.specs import BacktestSpec
from riskmodel.fairness.audit import build_audit
from riskmodel.fairness.evidence import Evidence, make_evidence
from riskmodel.fairness.tested import Tested
from riskmodel.fairness.verdicts import CONCERN, NO_EVIDENCE, NOT_VISIBLE

SEEDS, LAST, LEARNED = 400, 9000, 3
POLICY = PolicySpec(title="Audit of the audit", use_statement="None", checks=["calibration_ratio"])
ALL_CHECKS = PolicySpec(title="Audit of the audit", use_statement="None")
CHARACTERISTICS = ("ethnic_group", "deprivation", "sex", "disability")
# Region, and how its shared errors are: areas, blocks along each side of the map.
REGIONS = {
    "1,400 areas": (1400, 8),
    "1,400 areas, errors shared by larger blocks": (1400, 5),
    "400 areas": (400, 8),
}
BIASED = {
    "Black residents x 1.5": ("ethnic_group", "black", 1.5),
    "Black residents x 0.67": ("ethnic_group", "black", 1 / 1.5),
    "Black residents x 2": ("ethnic_group", "black", 2.0),
    "most deprived fifth x 1.1": ("deprivation", "most", 1.1),
    "most deprived fifth x 1.2": ("deprivation", "most", 1.2),
}
SAID = {
    "Black residents x 1.5": ("Too much for Black residents", 1.5),
    "Black residents x 0.67": ("Too little for Black residents", 0.67),
    "Black residents x 2": ("Too much for Black residents", 2.0),
    "most deprived fifth x 1.1": ("Too much in the most deprived fifth", 1.1),
    "most deprived fifth x 1.2": ("Too much in the most deprived fifth", 1.2),
}
COMPOSITION, BY_RECORDS = "where people live", "counts by group"
BY_GROUP = {
    "women": ("sex", "female"),
    "disabled people": ("disability", "disabled"),
    "Black residents": ("ethnic_group", "black"),
}
AT_MOST, UPPER = 0.05, 0.07
Found = dict[tuple[str, ...], float]


def one(seed: int) -> Found:
    """What the audit says of one seed's regions: 1 or 0 by region, evidence, bias and what was looked for."""
    found: Found = {}
    with threadpool_limits(1):
        for name, (areas, blocks) in REGIONS.items():
            audited.BLOCKS = blocks
            region = make_region(seed, areas=areas)
            _clean(found, name, region, seed)
            if blocks == 8:
                _biased(found, name, region, seed, BIASED if areas == 1400 else dict(list(BIASED.items())[:3]))
        audited.BLOCKS = 8
        _by_group(found, make_region(seed), seed)
    return found


def _clean(found: Found, name: str, region: Region, seed: int) -> None:
    evidence = make_evidence_of(region, seed)
    audit = _composition(evidence, region, CHARACTERISTICS)
    for characteristic in CHARACTERISTICS:
        rows = audit[audit["characteristic"] == characteristic]
        found[name, "alarm", characteristic] = float((rows["verdict"] == CONCERN).any())
        found[name, "p alone", characteristic] = float((rows["p_adjusted"] < POLICY.evidence.significance).any())
        found[name, "as if independent", characteristic] = _as_if_independent(evidence, region, characteristic)
    black = _row(audit, "black")
    found[name, "no evidence", "black"] = float(black["verdict"] == NO_EVIDENCE)
    found[name, "interval", "clean"] = float(black["low"] <= 0 <= black["high"])
    found[name, "smallest", "black"] = float(np.exp(black["smallest_seen"]))


def _biased(found: Found, name: str, region: Region, seed: int, biases: Mapping[str, tuple[str, str, float]]) -> None:
    for bias, (characteristic, group, times) in biases.items():
        evidence = make_evidence_of(region, seed, bias={(characteristic, group): times})
        row = _row(_composition(evidence, region, [characteristic]), group)
        share = region.share(characteristic, group)
        off = times**share
        true = np.log(_ratio(share, off, region.rate) / _ratio(1 - share, off, region.rate))
        found[name, "found", bias] = float(row["verdict"] == CONCERN)
        found[name, "no evidence", bias] = float(row["verdict"] == NO_EVIDENCE)
        found[name, "interval", bias] = float(row["low"] <= true <= row["high"])
        found[name, "shows as", bias] = float(np.exp(true))


def _by_group(found: Found, region: Region, seed: int) -> None:
    evidence = make_evidence_of(region, seed)
    for people, (characteristic, group) in BY_GROUP.items():
        grouping = region.groupings[characteristic]
        for times in (1.0, 1.5, 1 / 1.5):
            outcomes = [make_outcomes_of(region, seed, characteristic, bias={group: times})]
            audit = build_audit(evidence, [grouping], POLICY, outcomes=outcomes)
            own = audit[audit["evidence"] == "outcomes"]
            if times == 1.0:
                found["by group", "alarm", people] = float((own["verdict"] == CONCERN).any())
                seen = audit[(audit["evidence"] == "composition") & (audit["group"] == group)]
                found["by group", "not visible", people] = float((seen["verdict"] == NOT_VISIBLE).all())
            else:
                found["by group", f"x {times:.2g}", people] = float(_row(own, group)["verdict"] == CONCERN)


def _composition(evidence: Evidence, region: Region, characteristics: Iterable[str]) -> pd.DataFrame:
    audit = build_audit(evidence, [region.groupings[name] for name in characteristics], POLICY)
    return audit[audit["evidence"] == "composition"]


def _row(audit: pd.DataFrame, group: str) -> pd.Series:
    return audit[(audit["group"] == group) & (audit["model_id"] == MODEL)].iloc[0]


def _ratio(weight: np.ndarray, off: np.ndarray, rate: np.ndarray) -> float:
    return float((weight * rate * off).sum() / (weight * rate).sum())


def _as_if_independent(evidence: Evidence, region: Region, characteristic: str) -> float:
    """Whether the same contrast would be found significant were each area a piece of evidence of its own."""
    from scipy.special import ndtr

    share = region.groupings[characteristic].shares
    m, y = evidence.mean[0].sum(axis=(0, 1))[:, None], evidence.observed.sum(axis=(0, 1))[:, None]
    sums = [weight * values for weight in (share, 1 - share) for values in (m, y)]
    totals = [values.sum(axis=0) for values in sums]
    contrast = np.log(totals[0] / totals[1]) - np.log(totals[2] / totals[3])
    parts = [values / total for values, total in zip(sums, totals, strict=True)]
    error = np.sqrt(((parts[0] - parts[1] - parts[2] + parts[3]) ** 2).sum(axis=0))
    p = 2 * ndtr(-np.abs(contrast) / error)
    return float((holm_adjusted(p) < POLICY.evidence.significance).any())


def run(seeds: int = SEEDS, *, jobs: int = 2) -> list[Found]:
    """Every seed on its own; what is found does not depend on the number of processes."""
    work = range(1, 1 + min(seeds, LAST - 1))
    if jobs == 1:
        return [one(seed) for seed in work]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_yield_to_others) as pool:
        return list(pool.map(one, work, chunksize=8))


def _yield_to_others() -> None:
    if hasattr(os, "nice"):
        os.nice(10)


def whole_pipeline(
    seed: int, *, areas: int = 200, origins: Sequence[str] = ("2024-01", "2024-07", "2025-01"), draws: int = 200
) -> pd.DataFrame:
    """The invented region of a seed from counts to audit: models learn, forecast past months, and are audited."""
    held = invented(areas, 66, seed, steady=True)
    made = run_backtest(
        held.panel, plan_of(seed=seed), BacktestSpec(first_origin=origins[0], minimum_origins=1), as_of=held.as_of,
        horizons=6, origins=[month_number(origin) for origin in origins], draws=draws, quantiles=(0.05, 0.95),
    )  # fmt: skip
    evidence = make_evidence(as_cube(made.table), held.panel.geography, source="police", baseline="rolling_12")
    return build_audit(evidence, invented_groupings(areas, seed), ALL_CHECKS, detailed=["poisson_ridge"])


def learned(seeds: int = LEARNED) -> str:
    """One line on the whole pipeline."""
    audits = [whole_pipeline(seed) for seed in range(1, 1 + seeds)]
    rows = pd.concat(audits)
    whole = rows[(rows["part"] == "all") & (rows["code"] == "M2") & (rows["evidence"] == "composition")]
    words = ", ".join(f"{word} {count}" for word, count in whole["verdict"].value_counts().sort_index().items())
    return (
        f"The whole pipeline, from counts through learned models to the audit, on {seeds} seeds of the invented "
        f"region: {len(rows)} rows; verdicts over all areas and origins: {words}."
    )


def interval(shares: Sequence[float]) -> tuple[float, float, float]:
    """A share and the ends of its 95 % interval (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    count, hits = len(shares), int(sum(shares))
    low = float(betaincinv(hits, count - hits + 1, 0.025)) if hits else 0.0
    high = float(betaincinv(hits + 1, count - hits, 0.975)) if hits < count else 1.0
    return hits / count, low, high


def report(found: list[Found]) -> str:
    """Tables of false alarms and of what is found, and whether the targets are met."""
    held = {key: [each[key] for each in found] for key in found[0]}

    def shown(*key: str) -> str:
        share, low, high = interval(held[key])
        return f"{100 * share:.1f} ({100 * low:.1f} to {100 * high:.1f})"

    kinds = {"alarm": "", "p alone": ", whatever its size", "as if independent": ", areas as if independent"}
    lines = [f"| clean regions: false alarms, per cent | {' | '.join(CHARACTERISTICS)} |", "|---|---|---|---|---|"]
    for name in REGIONS:
        for kind, said in kinds.items():
            lines.append(f"| {name}{said} | {' | '.join(shown(name, kind, each) for each in CHARACTERISTICS)} |")
    head = "| put in, seen through who lives where | region | shows as | found | no evidence | inside interval |"
    lines += ["", head, "|---|---|---|---|---|---|"]
    for name in list(REGIONS)[::2]:
        for bias in BIASED:
            if (name, "found", bias) in held:
                size = np.mean(held[name, "shows as", bias])
                cells = " | ".join(shown(name, what, bias) for what in ("found", "no evidence", "interval"))
                lines.append(f"| {bias} | {name} | {size:.3f} x | {cells} |")
        size = np.mean(held[name, "smallest", "black"])
        cells = f"  | {shown(name, 'no evidence', 'black')} | {shown(name, 'interval', 'clean')}"
        lines.append(f"| nothing (Black residents; least visible {size:.2f} x) | {name} | 1 x | {cells} |")
    head = "| records by group | false alarm | x 1.5 found | x 0.67 found | not visible through who lives where |"
    lines += ["", head, "|---|---|---|---|---|"]
    for people in BY_GROUP:
        cells = " | ".join(shown("by group", what, people) for what in ("alarm", "x 1.5", "x 0.67", "not visible"))
        lines.append(f"| {people} | {cells} |")
    return "\n".join([*lines, "", *_targets(held)])


def tested(found: list[Found]) -> list[Tested]:
    """The lines that the fairness page shows, of regions as the first are."""
    main = next(iter(REGIONS))
    people = {"ethnic_group": "ethnic groups", "deprivation": "deprivation fifths", "sex": "women and men",
              "disability": "disabled people and others"}  # fmt: skip
    asked = [
        *((f"Nothing: {people[each]}", COMPOSITION, 1.0, (main, "alarm", each)) for each in CHARACTERISTICS),
        *((said, COMPOSITION, times, (main, "found", bias)) for bias, (said, times) in SAID.items()),
        *((f"Nothing: {each}", BY_RECORDS, 1.0, ("by group", "alarm", each)) for each in BY_GROUP),
        *((f"Too much for {each}", BY_RECORDS, 1.5, ("by group", "x 1.5", each)) for each in BY_GROUP),
        *((f"Too little for {each}", BY_RECORDS, 0.67, ("by group", "x 0.67", each)) for each in BY_GROUP),
    ]
    lines = []
    for what, evidence, effect, key in asked:
        share, low, high = (round(value, 4) for value in interval([each[key] for each in found]))
        lines.append(
            Tested(what=what, evidence=evidence, effect=effect, found=share, low=low, high=high, regions=len(found))
        )
    return lines


def keep(found: list[Found]) -> None:
    """Leave those lines in the package, for the fairness page."""
    text = json.dumps([asdict(line) for line in tested(found)], indent=1, ensure_ascii=False)
    path = Path(riskmodel.fairness.__file__).with_name("tested.json")
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _targets(held: Mapping[tuple[str, ...], list[float]]) -> list[str]:
    lines = ["| target | found | |", "|---|---|---|"]
    main = next(iter(REGIONS))
    for characteristic in CHARACTERISTICS:
        share, _, high = interval(held[main, "alarm", characteristic])
        met = "met" if share <= AT_MOST and high < UPPER else "not met"
        lines.append(
            f"| false alarms, {characteristic}: at most 5 % of clean regions, upper end of the interval below 7 % "
            f"| {100 * share:.1f} %, {100 * high:.1f} % | {met} |"
        )
    wanted = [
        ((main, "found", "Black residents x 1.5"), 0.35), ((main, "found", "Black residents x 2"), 0.8),
        (("by group", "x 1.5", "women"), 0.9), (("by group", "x 1.5", "disabled people"), 0.9),
        (("by group", "not visible", "women"), 1.0), (("by group", "not visible", "disabled people"), 1.0),
    ]  # fmt: skip
    for key, least in wanted:
        share, *_ = interval(held[key])
        what = ", ".join(key[1:]) if key[0] == "by group" else key[2]
        how = "by records by group" if key[0] == "by group" and key[1].startswith("x") else "through who lives where"
        lines.append(f"| {what}, {how}: at least {least:g} | {share:.3f} | {'met' if share >= least else 'not met'} |")
    return lines


if __name__ == "__main__":
    counted = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    sys.stdout.write(f"{report(run(counted))}\n\n{learned()}\n")
