"""Data contracts: what the held files of a region promise, and whether they keep it.

In: an experiment's definitions and the data folder. Out: one row or more for every contract of every source held:
``problem`` (a number would be wrong, or a run would stop), ``look`` (a person should), or ``fine``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.specs import FactorSpec, SourceSpec
from riskmodel.panel.geography import Geography, build_geography
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.store import Store
from riskmodel.workflow.data_rules import missing_months, odd_months
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, Definitions
from riskmodel.workflow.factor_checks import Held, Row, Severity, factor_rows, refused

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "SEVERITIES", "check_data", "severities"]

SEVERITIES: tuple[Severity, ...] = ("problem", "look", "fine")
COLUMNS = ("severity", "code", "source", "file", "measure", "period", "place", "found", "what", "next")
_LSOA = ("lsoa11", "lsoa21")


def check_data(definitions: Definitions, data: Path) -> pd.DataFrame:
    """Run every contract over the files held for an experiment's region, those of other questions included.

    Parameters
    ----------
    definitions : Definitions
        The experiment; its region and the whole catalogue decide what is looked at.
    data : Path
        Where the published files lie.

    Returns
    -------
    DataFrame
        ``COLUMNS``; problems first, then what somebody should look at, then what is fine. Codes: ``held``, ``reads``,
        ``codes`` (join to the geography), ``range``, ``units``, ``coverage`` (by district), ``drift`` (between two
        vintages), ``months`` (held, and whether their totals are plausible).

    Raises
    ------
    DataFileError
        If the geography itself cannot be built: nothing can be judged without it.
    """
    import pandas as pd

    region = definitions.experiment.region
    geography = build_geography(
        data,
        definitions.sources[GEOGRAPHY],
        definitions.sources[CENSUS],
        region=region,
        workspace=definitions.workspace.root,
    )
    factors = [f for domain in definitions.workspace.read_all("factor").values() for f in domain.factors.values()]
    store = Store(definitions.workspace.root / "build" / "store")
    rows: list[Row] = []
    for name, spec in sorted(definitions.sources.items()):
        if not spec.frame:
            own = [f for f in factors if f.source == name]
            rows += _source_rows(name, spec, own, store, geography, data, region.force)
    frame = pd.DataFrame([asdict(row) for row in rows], columns=list(COLUMNS))
    rank = frame["severity"].map({s: i for i, s in enumerate(SEVERITIES)})
    ordered = frame.assign(rank=rank).sort_values(
        ["rank", "source", "code", "measure", "file", "period", "place"], kind="stable"
    )
    return ordered.drop(columns="rank").reset_index(drop=True)


def severities(findings: pd.DataFrame) -> dict[str, int]:
    """How many findings there are of each severity, those without any included."""
    counted = Counter(findings["severity"])
    return {severity: counted.get(severity, 0) for severity in SEVERITIES}


def _source_rows(
    name: str,
    spec: SourceSpec,
    factors: list[FactorSpec],
    store: Store,
    geography: Geography,
    data: Path,
    force: str,
) -> Iterator[Row]:
    try:
        files = find_files(name, spec, data, force=force)
    except RiskmodelError as error:
        yield refused("held", name, error)
        return
    absent = sorted(set(spec.files) - {f.role for f in files})
    for role in absent:
        hint = f"download it from {spec.publisher}, or leave its factors out of feature sets"
        yield Row("look", "held", name, spec.files[role].path, what="no such file is held", next=hint)
    if files and not absent:
        yield Row("fine", "held", name, found=str(len(files)), what="files of every kind are held")
    held: list[Held] = []
    for file in files:
        try:
            store.ingest([file])
            held += _parts(file, store.read(file).table.to_pandas())
        except RiskmodelError as error:
            yield refused("reads", name, error, file.name)
    if held:
        yield Row("fine", "reads", name, found=str(len(held)), what="files read as published")
    months = [h for h in held if _is_monthly(h.file)]
    codes = [row for own in held for row in _code_rows(own, geography)]
    sound = sum(1 for own, row in zip(held, codes, strict=True) if own in months and row.severity == "fine")
    yield from (r for own, r in zip(held, codes, strict=True) if not (own in months and r.severity == "fine"))
    if sound:
        yield Row("fine", "codes", name, found=str(sound), what="months in which every area code is known")
    if months:
        yield from _month_rows(name, months)
    yield from _count_rows(name, held, factors)
    for factor in factors:
        if not any(factor.measure in own.measures for own in held):
            what = f"no file held supplies the factor '{factor.title}'"
            yield Row("look", "held", name, measure=factor.measure, what=what, next="riskmodel check --data DIR")
        yield from factor_rows(factor, [h for h in held if h not in months], geography)


def _is_monthly(file: SourceFile) -> bool:
    layout = file.spec.table
    by_row = layout is not None and layout.period is not None and layout.period_form in ("month", "date")
    return file.spec.monthly or by_row


def _parts(file: SourceFile, table: pd.DataFrame) -> list[Held]:
    """What one file holds, breakdowns added up; a file of several years or quarters is as many vintages."""
    if "period" not in table:
        table = table.assign(period=file.period)
    whole = table.groupby(["measure", "area", "period"], sort=True)["value"].sum(min_count=1).reset_index()
    if _is_monthly(file):
        return [Held(file, whole)]
    return [Held(replace(file, period=str(period)), part) for period, part in whole.groupby("period", sort=True)]


def _code_rows(held: Held, geography: Geography) -> Iterator[Row]:
    """Whether the area codes of a file exist."""
    file, level = held.file, held.file.spec.level
    codes = np.asarray(held.table["area"].dropna().unique(), dtype=np.str_)
    codes = codes[codes != ""]
    if level not in _LSOA:
        known = set(geography.parents[level]) if level in geography.parents else set()
        if not known:
            what = f"codes of level {level} are not compared with a list; coverage says whether they join"
            yield Row("fine", "codes", file.source, file.name, period=file.period, what=what)
            return
        lacking = sorted(known - set(codes) - {""})
        severity: Severity = "look" if lacking else "fine"
        what = f"areas of level {level} of the region that the file does not name"
        step = "ask the publisher for the areas of this year, or declare the gap as a caveat" if lacking else ""
        found = _few(lacking) or "none"
        yield Row(severity, "codes", file.source, file.name, period=file.period, found=found, what=what, next=step)
        return
    known_codes = geography.conversion.known
    unknown = codes[~np.isin(codes, known_codes)]
    if len(unknown):
        hint = "take the file of England and Wales, or correct 'level' in the source's definition"
        what = "area codes that no lookup knows: a run stops here"
        found = _few(sorted(unknown.tolist()))
        yield Row("problem", "codes", file.source, file.name, period=file.period, found=found, what=what, next=hint)
        return
    old = int(np.isin(codes, known_codes[geography.conversion.only_2011]).sum())
    if level == "lsoa21" and not file.spec.monthly and old:
        what = "codes of 2011 in a file that says it holds those of 2021"
        hint = "write level: lsoa11 in the source's definition"
        yield Row("problem", "codes", file.source, file.name, period=file.period, found=str(old), what=what, next=hint)
        return
    what = "area codes, all of them known" + (f"; {old} of them of 2011 only, which are converted" if old else "")
    yield Row("fine", "codes", file.source, file.name, period=file.period, found=str(len(codes)), what=what)


def _count_rows(source: str, held: list[Held], factors: list[FactorSpec]) -> Iterator[Row]:
    """Monthly counts, and measures that no factor describes, are held to the least: they are not negative."""
    described = {f.measure for f in factors} | {f.per for f in factors if f.per}
    others: dict[str, list[Held]] = {}
    for own in held:
        for measure in sorted(set(own.measures) - (set() if _is_monthly(own.file) else described)):
            others.setdefault(measure, []).append(own)
    negative = {
        m: sum(int((o.table.loc[o.table["measure"] == m, "value"] < 0).sum()) for o in h) for m, h in others.items()
    }
    for measure, rows in negative.items():
        if rows:
            what = "values below 0 in a monthly count, or in a measure that no factor describes"
            hint = "describe it as a factor with its unit, if negative values are meant"
            yield Row(
                "look", "range", source, others[measure][0].file.name, measure, found=str(rows), what=what, next=hint
            )
    if others:
        sound = sum(1 for rows in negative.values() if not rows)
        what = "monthly counts, and measures that no factor describes, hold no value below 0"
        yield Row("fine", "range", source, found=f"{sound} of {len(others)}", what=what)


def _month_rows(source: str, held: list[Held]) -> Iterator[Row]:
    """Months held, and months whose total is far from that of the months around them."""
    import pandas as pd

    issues = sorted(held, key=lambda own: (own.file.published, own.file.name))
    # A re-issued month stands in its newest issue only.
    newest = pd.concat([own.table.assign(issue=i) for i, own in enumerate(issues)])
    newest = newest[newest["issue"] == newest.groupby("period")["issue"].transform("max")]
    totals = newest.pivot_table(index="period", columns="measure", values="value", aggfunc="sum", fill_value=0)
    totals.insert(0, "all", totals.sum(axis=1))
    absent = missing_months([str(p) for p in totals.index])
    for month in absent:
        what = "no file: missing, never zero"
        yield Row("look", "months", source, period=month, what=what, next="ask the publisher's archive for it")
    odd = 0
    for measure in totals.columns:
        for month, total, around in odd_months([str(p) for p in totals.index], totals[measure].to_numpy(dtype=float)):
            odd += 1
            what = f"total of the month beside a median of {around:g} in the months around it"
            severity: Severity = "problem" if total == 0 else "look"
            hint = "compare with the publisher's own figures; a feed may have been cut off or counted twice"
            yield Row(severity, "months", source, "", str(measure), month, "whole force", f"{total:g}", what, hint)
    what = f"months held, {len(absent)} missing between them; {odd} totals (of a month and measure) stand out"
    yield Row("fine", "months", source, found=str(len(totals)), what=what)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown + (f", ... ({len(names)} in all)" if len(names) > 6 else "")
