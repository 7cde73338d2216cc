"""Data contracts: what the held files of a region promise, and whether they keep it.

In: an experiment's definitions and the data folder. Out: one row or more for every contract of every source held:
``problem`` (a number would be wrong, or a run would stop), ``look`` (a person should), or ``fine``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.specs import FactorSpec, SourceSpec
from riskmodel.panel.geography import Geography, build_geography
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.store import Store
from riskmodel.workflow.data_rules import (
    Bounds,
    bounds_of,
    judge_coverage,
    judge_drift,
    judge_range,
    missing_months,
    odd_months,
)
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, Definitions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "SEVERITIES", "check_data", "severities"]

Severity = Literal["problem", "look", "fine"]
SEVERITIES: tuple[Severity, ...] = ("problem", "look", "fine")
COLUMNS = ("severity", "code", "source", "file", "measure", "period", "place", "found", "what", "next")
_LSOA = ("lsoa11", "lsoa21")


@dataclass(frozen=True)
class _Row:
    severity: Severity
    code: str
    source: str
    file: str = ""
    measure: str = ""
    period: str = ""
    place: str = ""
    found: str = ""
    what: str = ""
    next: str = ""


@dataclass(frozen=True, eq=False)
class _Held:
    """One file, or one period of it, as read: measure, area, period, value."""

    file: SourceFile
    table: pd.DataFrame

    @cached_property
    def measures(self) -> dict[str, pd.DataFrame]:
        """The rows of each measure."""
        return {str(name): part for name, part in self.table.groupby("measure", sort=True)}


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
    rows: list[_Row] = []
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
) -> Iterator[_Row]:
    try:
        files = find_files(name, spec, data, force=force)
    except RiskmodelError as error:
        yield _refused("held", name, error)
        return
    absent = sorted(set(spec.files) - {f.role for f in files})
    for role in absent:
        hint = f"download it from {spec.publisher}, or leave its factors out of feature sets"
        yield _Row("look", "held", name, spec.files[role].path, what="no such file is held", next=hint)
    if files and not absent:
        yield _Row("fine", "held", name, found=str(len(files)), what="files of every kind are held")
    held: list[_Held] = []
    for file in files:
        try:
            store.ingest([file])
            held += _parts(file, store.read(file).table.to_pandas())
        except RiskmodelError as error:
            yield _refused("reads", name, error, file.name)
    if held:
        yield _Row("fine", "reads", name, found=str(len(held)), what="files read as published")
    months = [h for h in held if _is_monthly(h.file)]
    codes = [row for own in held for row in _code_rows(own, geography)]
    sound = sum(1 for own, row in zip(held, codes, strict=True) if own in months and row.severity == "fine")
    yield from (r for own, r in zip(held, codes, strict=True) if not (own in months and r.severity == "fine"))
    if sound:
        yield _Row("fine", "codes", name, found=str(sound), what="months in which every area code is known")
    if months:
        yield from _month_rows(name, months)
    yield from _count_rows(name, held, factors)
    for factor in factors:
        if not any(factor.measure in own.measures for own in held):
            what = f"no file held supplies the factor '{factor.title}'"
            yield _Row("look", "held", name, measure=factor.measure, what=what, next="riskmodel check --data DIR")
        yield from _factor_rows(factor, [h for h in held if h not in months], geography)


def _is_monthly(file: SourceFile) -> bool:
    layout = file.spec.table
    by_row = layout is not None and layout.period is not None and layout.period_form in ("month", "date")
    return file.spec.monthly or by_row


def _parts(file: SourceFile, table: pd.DataFrame) -> list[_Held]:
    """What one file holds, breakdowns added up; a file of several years or quarters is as many vintages."""
    if "period" not in table:
        table = table.assign(period=file.period)
    whole = table.groupby(["measure", "area", "period"], sort=True, as_index=False)["value"].sum(min_count=1)
    if _is_monthly(file):
        return [_Held(file, whole)]
    return [_Held(replace(file, period=str(period)), part) for period, part in whole.groupby("period", sort=True)]


def _refused(code: str, source: str, error: RiskmodelError, file: str = "") -> _Row:
    found = "" if error.found is None else str(error.found)
    place = "" if error.where is None else str(error.where)
    return _Row("problem", code, source, file, place=place, found=found, what=error.what, next=error.hint or "")


def _code_rows(held: _Held, geography: Geography) -> Iterator[_Row]:
    """Whether the area codes of a file exist."""
    file, level = held.file, held.file.spec.level
    codes = np.asarray(held.table["area"].dropna().unique(), dtype=np.str_)
    codes = codes[codes != ""]
    if level not in _LSOA:
        known = set(geography.parents[level]) if level in geography.parents else set()
        if not known:
            what = f"codes of level {level} are not compared with a list; coverage says whether they join"
            yield _Row("fine", "codes", file.source, file.name, period=file.period, what=what)
            return
        lacking = sorted(known - set(codes) - {""})
        severity: Severity = "look" if lacking else "fine"
        what = f"areas of level {level} of the region that the file does not name"
        yield _Row(severity, "codes", file.source, file.name, period=file.period, found=_few(lacking), what=what)
        return
    known_codes = geography.conversion.known
    unknown = codes[~np.isin(codes, known_codes)]
    if len(unknown):
        hint = "take the file of England and Wales, or correct 'level' in the source's definition"
        what = "area codes that no lookup knows: a run stops here"
        found = _few(sorted(unknown.tolist()))
        yield _Row("problem", "codes", file.source, file.name, period=file.period, found=found, what=what, next=hint)
        return
    old = int(np.isin(codes, known_codes[geography.conversion.only_2011]).sum())
    if level == "lsoa21" and not file.spec.monthly and old:
        what = "codes of 2011 in a file that says it holds those of 2021"
        hint = "write level: lsoa11 in the source's definition"
        yield _Row("problem", "codes", file.source, file.name, period=file.period, found=str(old), what=what, next=hint)
        return
    what = "area codes, all of them known" + (f"; {old} of them of 2011 only, which are converted" if old else "")
    yield _Row("fine", "codes", file.source, file.name, period=file.period, found=str(len(codes)), what=what)


def _count_rows(source: str, held: list[_Held], factors: list[FactorSpec]) -> Iterator[_Row]:
    """Monthly counts, and measures that no factor describes, are held to the least: they are not negative."""
    described = {f.measure for f in factors} | {f.per for f in factors if f.per}
    others: dict[str, list[_Held]] = {}
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
            yield _Row(
                "look", "range", source, others[measure][0].file.name, measure, found=str(rows), what=what, next=hint
            )
    if others:
        sound = sum(1 for rows in negative.values() if not rows)
        what = "monthly counts, and measures that no factor describes, hold no value below 0"
        yield _Row("fine", "range", source, found=f"{sound} of {len(others)}", what=what)


def _month_rows(source: str, held: list[_Held]) -> Iterator[_Row]:
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
        yield _Row("look", "months", source, period=month, what=what, next="ask the publisher's archive for it")
    odd = 0
    for measure in totals.columns:
        for month, total, around in odd_months([str(p) for p in totals.index], totals[measure].to_numpy(dtype=float)):
            odd += 1
            what = f"total of the month beside a median of {around:g} in the months around it"
            severity: Severity = "problem" if total == 0 else "look"
            hint = "compare with the publisher's own figures; a feed may have been cut off or counted twice"
            yield _Row(severity, "months", source, "", str(measure), month, "whole force", f"{total:g}", what, hint)
    what = f"months held, {len(absent)} missing between them; {odd} totals (of a month and measure) stand out"
    yield _Row("fine", "months", source, found=str(len(totals)), what=what)


def _factor_rows(factor: FactorSpec, held: list[_Held], geography: Geography) -> Iterator[_Row]:
    """Range, units, coverage and drift of one static factor, in the region."""
    bounds = bounds_of(factor)
    values: list[tuple[_Held, npt.NDArray[np.float64]]] = []
    for own in held:
        if not {factor.measure, factor.per or factor.measure} <= set(own.measures):
            continue
        try:
            values.append((own, _values(factor, own, geography)))
        except RiskmodelError as error:
            yield _refused("coverage", factor.source, error, own.file.name)
    for own, here in values:
        yield from _value_rows(factor, bounds, own, here, geography)
    ordered = sorted(values, key=lambda v: (v[0].file.period, v[0].file.published))
    for (before, old), (after, new) in zip(ordered, ordered[1:], strict=False):
        severity, found, what = judge_drift(old, new)
        pair = f"{before.file.period} to {after.file.period}"
        hint = "" if severity == "fine" else "read what the publisher says of changed methods before mixing vintages"
        yield _Row(severity, "drift", factor.source, after.file.name, factor.measure, pair, "", found, what, hint)


def _value_rows(
    factor: FactorSpec, bounds: Bounds, own: _Held, values: npt.NDArray[np.float64], geography: Geography
) -> Iterator[_Row]:
    file = own.file

    def row(code: str, judged: tuple[Severity, str, str], place: str = "", hint: str = "") -> _Row:
        severity, found, what = judged
        step = "" if severity == "fine" else hint
        return _Row(severity, code, file.source, file.name, factor.measure, file.period, place, found, what, step)

    yield row("range", judge_range(values, bounds), hint="correct the unit in the factor's definition, or the file")
    units: tuple[Severity, str, str] = bounds.judge_units(values)
    yield row("units", units, hint="say 'of: 100' or another unit in the factor's definition")
    index, codes = geography.groups("lad24")
    names = geography.parents.drop_duplicates("lad24").set_index("lad24")["lad24_name"]
    judged = judge_coverage(np.isfinite(values), index, len(codes))
    yield row("coverage", judged.overall)
    for district, verdict in judged.low.items():
        yield row("coverage", verdict, place=f"{names[codes[district]]} ({codes[district]})", hint="ask the publisher, or declare it as a caveat")


def _values(factor: FactorSpec, own: _Held, geography: Geography) -> npt.NDArray[np.float64]:
    top = _measure(factor.measure, factor, own, geography)
    if factor.per is None:
        return factor.of * top
    bottom = _measure(factor.per, factor, own, geography)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, factor.of * top / bottom, np.nan)


def _measure(measure: str, factor: FactorSpec, own: _Held, geography: Geography) -> npt.NDArray[np.float64]:
    part = own.measures[measure]
    codes = part["area"].to_numpy(dtype=np.str_)
    values = part["value"].to_numpy(dtype=np.float64)
    return geography.conversion.static(
        codes, values, travels=factor.travels, level=own.file.spec.level, where=own.file.name
    )


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return shown + (f", ... ({len(names)} in all)" if len(names) > 6 else "")
