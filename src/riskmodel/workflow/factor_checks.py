"""The contracts of one factor in one region: range, units, coverage by district, drift between vintages.

In: a factor's definition and the files held of its source, as read. Out: rows of the quality report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.specs import FactorSpec
from riskmodel.panel.geography import Geography
from riskmodel.sources.observed import SourceFile
from riskmodel.workflow.data_rules import Bounds, bounds_of, judge_coverage, judge_drift, judge_range

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Held", "Row", "Severity", "factor_rows", "refused"]

Severity = Literal["problem", "look", "fine"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One finding: how it stands, what was looked at, what was found, what to do."""

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
class Held:
    """One file, or one period of it, as read: measure, area, period, value."""

    file: SourceFile
    table: pd.DataFrame

    @cached_property
    def measures(self) -> dict[str, pd.DataFrame]:
        """The rows of each measure."""
        return {str(name): part for name, part in self.table.groupby("measure", sort=True)}


def refused(code: str, source: str, error: RiskmodelError, file: str = "") -> Row:
    """The row that an error of another room amounts to."""
    found = "" if error.found is None else str(error.found)
    place = "" if error.where is None else str(error.where)
    return Row("problem", code, source, file, place=place, found=found, what=error.what, next=error.hint or "")


def factor_rows(factor: FactorSpec, held: Sequence[Held], geography: Geography) -> Iterator[Row]:
    """Judge one static factor in every vintage held of it."""
    bounds = bounds_of(factor)
    judged: list[tuple[Held, Held | None, Floats]] = []
    for own in held:
        if factor.measure not in own.measures:
            continue
        below = _denominator(factor, own, held)
        if factor.per is not None and below is None:
            what = f"the denominator '{factor.per}' of this vintage is not held"
            step = "hold the file that supplies it: riskmodel check --data DIR"
            yield Row("look", "held", factor.source, own.file.name, factor.measure, own.file.period, "", "", what, step)
            continue
        try:
            values = _values(factor, own, below, geography)
        except RiskmodelError as error:
            yield refused("coverage", factor.source, error, own.file.name)
            continue
        judged.append((own, below, values))
        yield from _value_rows(factor, bounds, own, values, geography)
    judged.sort(key=lambda one: (one[0].file.period, one[0].file.published))
    for before, after in pairwise(judged):
        yield _drift_row(factor, before, after)


def _denominator(factor: FactorSpec, own: Held, held: Sequence[Held]) -> Held | None:
    """The vintage of the same period that holds the factor's denominator, in the same file where it can be."""
    if factor.per is None:
        return None
    same = [h for h in (own, *held) if h.file.period == own.file.period and factor.per in h.measures]
    return same[0] if same else None


def _drift_row(
    factor: FactorSpec, before: tuple[Held, Held | None, Floats], after: tuple[Held, Held | None, Floats]
) -> Row:
    """Two vintages side by side: every area published, where both are of one level, else the region's areas."""
    first, second = before[0].file, after[0].file
    if first.spec.level == second.spec.level:
        both = _published(factor, *before[:2]).to_frame("old").join(_published(factor, *after[:2]).rename("new"))
        old, new = both["old"].to_numpy(dtype=np.float64), both["new"].to_numpy(dtype=np.float64)
    else:
        old, new = before[2], after[2]
    severity, found, what = judge_drift(old, new)
    step = "" if severity == "fine" else "read what the publisher says of changed methods before mixing vintages"
    period = f"{first.period} to {second.period}"
    return Row(severity, "drift", factor.source, second.name, factor.measure, period, "", found, what, step)


def _published(factor: FactorSpec, own: Held, below: Held | None) -> pd.Series[float]:
    top = own.measures[factor.measure].set_index("area")["value"].astype(float)
    if factor.per is None or below is None:
        return factor.of * top
    bottom = below.measures[factor.per].set_index("area")["value"].astype(float).reindex(top.index)
    return factor.of * top / bottom.where(bottom > 0)


def _value_rows(
    factor: FactorSpec, bounds: Bounds, own: Held, values: npt.NDArray[np.float64], geography: Geography
) -> Iterator[Row]:
    file = own.file

    def row(code: str, judged: tuple[Severity, str, str], place: str = "", hint: str = "") -> Row:
        severity, found, what = judged
        step = "" if severity == "fine" else hint
        return Row(severity, code, file.source, file.name, factor.measure, file.period, place, found, what, step)

    yield row("range", judge_range(values, bounds), hint="correct the unit in the factor's definition, or the file")
    units: tuple[Severity, str, str] = bounds.judge_units(values)
    yield row("units", units, hint="say 'of: 100' or another unit in the factor's definition")
    index, codes = geography.groups("lad24")
    names = geography.parents.drop_duplicates("lad24").set_index("lad24")["lad24_name"]
    judged = judge_coverage(np.isfinite(values), index, len(codes))
    yield row("coverage", judged.overall, hint="the districts concerned have a row of their own")
    for district, verdict in judged.low.items():
        yield row(
            "coverage",
            verdict,
            place=f"{names[codes[district]]} ({codes[district]})",
            hint="ask the publisher, or declare it as a caveat",
        )


def _values(factor: FactorSpec, own: Held, below: Held | None, geography: Geography) -> Floats:
    """The factor's values [area], as a feature would see them."""
    zero = factor.missing == "zero_is_zero"
    top = _measure(factor.measure, factor, own, geography, absent_is_zero=zero)
    if factor.per is None or below is None:
        return factor.of * top
    bottom = _measure(factor.per, factor, below, geography)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(bottom > 0, factor.of * top / bottom, np.nan)


def _measure(
    measure: str, factor: FactorSpec, own: Held, geography: Geography, *, absent_is_zero: bool = False
) -> Floats:
    part = own.measures[measure]
    part = part[part["area"] != ""]
    return geography.conversion.static(
        part["area"].to_numpy(dtype=np.str_),
        part["value"].to_numpy(dtype=np.float64),
        travels=factor.travels,
        level=own.file.spec.level,
        absent_is_zero=absent_is_zero,
        where=own.file.name,
    )
