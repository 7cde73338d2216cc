"""Tables of how far the streams of an experiment agree: in go a view and its targets, out come rows and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.specs import SourceSpec, TargetSpec
from riskmodel.contracts.stream_tables import AGREEMENT, DISAGREEMENT
from riskmodel.contracts.tables import as_table
from riskmodel.panel.view import View
from riskmodel.workflow.agreement import LEVELS, Movement, Ranking, differences, movement, ranking, sums

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stream", "build_agreement"]

_MONTHS = 12
_WORDS = ((0.6, "much alike"), (0.3, "partly alike"), (-1.0, "little alike"))
_PLACES = {"msoa21": "neighbourhoods (MSOA 2021)", "lad24": "districts"}


@dataclass(frozen=True)
class Stream:
    """A target with its label and its source."""

    label: str
    target: TargetSpec
    source: SourceSpec

    @property
    def sensitivity(self) -> str:
        """Public or restricted, as its source is."""
        return self.source.sensitivity


def build_agreement(view: View, streams: Sequence[Stream]) -> dict[str, pd.DataFrame]:
    """How far each two streams say the same, part by part; the first target of a stream and part stands for it.

    Parameters
    ----------
    view : View
        The run's as-of.
    streams : sequence
        From the session's definitions.

    Returns
    -------
    dict of str to DataFrame
        ``agreement``: one row for each pair and level, and one for the region's months. ``disagreement``: the areas in
        which the two differ most, beyond chance, of those where both hold ten records or more. Both have
        ``sensitivity``, which is ``restricted`` where either source is.
    """
    import pandas as pd

    agreement: list[dict[str, Any]] = []
    apart: list[dict[str, Any]] = []
    firsts = {(s.target.stream, s.target.series.part): s for s in reversed(streams)}
    for one, other in combinations([s for s in streams if s in firsts.values()], 2):
        if one.target.stream != other.target.stream and one.target.series.part == other.target.series.part:
            rows, areas = _compare(view, one, other)
            agreement += rows
            apart += areas
    return {
        record.name: as_table(pd.DataFrame(rows, columns=record.names), record)
        for record, rows in ((AGREEMENT, agreement), (DISAGREEMENT, apart))
    }


def _compare(view: View, one: Stream, other: Stream) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    sides = [view.recorded(each.target) for each in (one, other)]
    width = min(s.shape[1] for s in sides)
    sides = [s[:, :width] for s in sides]
    held = np.isfinite(sides[0]).all(axis=0) & np.isfinite(sides[1]).all(axis=0)
    newest = np.flatnonzero(held)[-_MONTHS:]
    restricted = "restricted" in (one.sensitivity, other.sensitivity)
    pair = {"target": one.label, "other": other.label, "sensitivity": "restricted" if restricted else "public"}
    rows: list[dict[str, Any]] = []
    areas: list[dict[str, Any]] = []
    for level in LEVELS:
        (first, codes), (second, _) = (sums(s[:, newest], view.geography, level) for s in sides)
        found = ranking(first, second)
        said = _ranked(one, other, level, found, len(newest))
        rows.append({**pair, "level": level, "months": len(newest), **found._asdict(), "sentence": said})
        for area in differences(first, second, codes):
            counts = {"recorded": area.recorded, "recorded_other": area.other, "expected_other": area.expected}
            areas.append({**pair, "level": level, "location": area.location, "months": len(newest), **counts})
    totals = [np.where(held, s.sum(axis=0, dtype=np.float64), np.nan) for s in sides]
    moved = movement(totals[0], totals[1], first_month=view.panel.first_month)
    rows.append(
        {**pair, "level": "pfa", "months": int(held.sum()), **moved._asdict(), "sentence": _moved(one, other, moved)}
    )
    return rows, areas


def _ranked(one: Stream, other: Stream, level: str, found: Ranking, months: int) -> str:
    areas, kendall, top, overlap = found
    names = f"'{one.target.title}' and '{other.target.title}'"
    if np.isnan(kendall):
        return f"{names}: too few {_PLACES[level]} to rank ({areas})."
    word = next(word for least, word in _WORDS if kendall >= least)
    both = round(overlap * top)
    shared = f"{both} of the {top} with most records in one {'is' if both == 1 else 'are'} among those of the other"
    if top == 1:
        shared = f"the one with most records is {'the same' if both else 'another'} in each"
    return (
        f"Over the newest {months} months both hold, {names} rank the {areas} {_PLACES[level]} {word}: Kendall's tau "
        f"{kendall:.2f}, and {shared}. Neither sees all violence."
    )


def _moved(one: Stream, other: Stream, found: Movement) -> str:
    correlation, low, high, changes = found
    names = f"'{one.target.title}' and '{other.target.title}'"
    if np.isnan(correlation):
        return f"{names}: too few months that follow each other to compare changes ({changes})."
    together = "rise and fall together" if low > 0 else "move against each other" if high < 0 else "show no common ups"
    together += " and downs" if low <= 0 <= high else ""
    return (
        f"From month to month, rid of the season, the region's totals of {names} {together}: correlation "
        f"{correlation:.2f}, 90 % interval {low:.2f} to {high:.2f}, {changes} changes."
    )
