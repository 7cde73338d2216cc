"""Places like this one with a factor at the regional median: what has been recorded there, where such places exist.

In: an explained conditions model, the fitted model, the same learned from resampled places. Out: the ``scenarios``
table and a sentence a row. It compares places; it is for the page on the models alone, never for places or plans.

A comparison is refused outside the data's support. The rule: every feature enters as a normal score of its rank; given
all the other features of the place, the changed ones lie at some distance from what such places show (Mahalanobis,
covariance shrunk after Ledoit and Wolf 2004). Refused is what lies farther out than 95 % of the region's places do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.effect_tables import SCENARIOS
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.explain.effects import interval_of, score_of
from riskmodel.explain.explained import Explained
from riskmodel.explain.thresholds import STABLE
from riskmodel.explain.wording import PLAIN, Wording
from riskmodel.models.base import CountModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RAREST", "Support", "build_scenarios", "make_support", "scenario_sentence"]

Floats = npt.NDArray[np.float64]
Columns = npt.NDArray[np.intp]

RAREST = 0.95
"""A changed place may not be rarer than this share of the region's places."""
_COMBINED = " x "


@dataclass(frozen=True, eq=False)
class Support:
    """Where the region's places lie.

    ``scores`` [area, feature] are normal scores of ranks, 0 where a value is not known; ``precision`` [feature,
    feature] is the inverse of their shrunk covariance.
    """

    scores: Floats
    precision: Floats

    def rarity(self, areas: Columns, columns: Columns) -> Floats:
        """Share of places whose values of some features fit their others better than medians would fit each area's."""
        changed = self.scores[areas]
        changed[:, columns] = 0.0
        real, moved = np.sort(self._distances(self.scores, columns)), self._distances(changed, columns)
        return np.asarray(np.searchsorted(real, moved, side="left") / len(real), dtype=np.float64)

    def _distances(self, scores: Floats, columns: Columns) -> Floats:
        """How far some scores lie from what the others go with, in units of their spread, squared, [row]."""
        left = scores @ self.precision[:, columns]
        block = self.precision[np.ix_(columns, columns)]
        return np.asarray(np.einsum("ab,ba->a", left, np.linalg.solve(block, left.T)), dtype=np.float64)


def make_support(values: npt.NDArray[np.floating[Any]]) -> Support:
    """Where places lie, from their values [area, feature], NaN where not known."""
    from scipy.special import ndtri
    from sklearn.covariance import ledoit_wolf

    scores = np.zeros(values.shape)
    for column, held in enumerate(values.T):
        known = np.flatnonzero(np.isfinite(held))
        scores[known, column] = ndtri(_middle_ranks(held[known]) / max(1, len(known)))
    covariance, _ = ledoit_wolf(scores)
    # A feature that is the same everywhere has no spread; a trace of one keeps the matrix whole.
    return Support(scores, np.linalg.inv(covariance + 1e-9 * np.eye(len(covariance))))


def _middle_ranks(values: npt.NDArray[np.floating[Any]]) -> Floats:
    """Ranks from 0.5 on; equal values share the middle of theirs."""
    ordered = np.sort(values)
    first, last = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((first + last) / 2.0, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Unit:
    """A factor or a domain: its columns, and why it has no scenario whatever the place."""

    kind: str
    name: str
    members: tuple[str, ...]
    columns: Columns
    refused: str


def build_scenarios(
    explained: Explained,
    model: CountModel,
    refits: Sequence[CountModel],
    *,
    places: Sequence[str],
    units: Sequence[str] | None = None,
    stability: pd.DataFrame | None = None,
    horizon: int | None = None,
) -> pd.DataFrame:
    """Compare places with places like them whose factor, or whole domain, is at the regional median.

    Parameters
    ----------
    explained : Explained
        A conditions model: one that knows history would hold it still, which no place does.
    model : CountModel
        The same model, fitted at ``horizon``.
    refits : sequence of CountModel
        The same model learned from resampled blocks of places; with fewer than two no number is given.
    places : sequence of str
        lsoa21 codes.
    units : sequence of str, optional
        Factors (domain/name) and domains; all of the model's if absent.
    stability : DataFrame, optional
        The ``stability`` noun: a unit that is not stable is refused.
    horizon : int, optional
        The first one explained if absent.

    Returns
    -------
    DataFrame
        The ``scenarios`` noun: a row for each place and unit, a reason in ``refused`` where no number is given.

    Raises
    ------
    DefinitionError
        If a place or unit is not the model's, or the model rests on history.
    """
    import pandas as pd

    from riskmodel.contracts.tables import as_table

    past = [line.label for line in explained.features if line.kind in ("history", "season")]
    if past:
        raise DefinitionError(
            "scenarios need a model without history", found=past, hint="give the conditions model, not the forecast's"
        )
    at = 0 if horizon is None else explained.horizons.index(horizon)
    task = _Task(explained, model, tuple(refits), at)
    areas = _areas(explained, places)
    frames = [pd.DataFrame(task.rows(areas, unit)) for unit in _units(explained, units, stability)]
    empty = pd.DataFrame(columns=SCENARIOS.names)
    # One place after the other, each with its units in their order.
    table = pd.concat(frames).sort_index(kind="stable").reset_index(drop=True) if frames else empty
    return as_table(table, SCENARIOS)


def _areas(explained: Explained, places: Sequence[str]) -> Columns:
    index = {str(code): number for number, code in enumerate(explained.areas)}
    unknown = [code for code in places if code not in index]
    if unknown:
        raise DefinitionError(f"'{unknown[0]}' is no area of the region", hint="scenarios are of lsoa21 areas")
    return np.asarray([index[code] for code in dict.fromkeys(places)], dtype=np.intp)


def _units(explained: Explained, wanted: Sequence[str] | None, stability: pd.DataFrame | None) -> Iterator[_Unit]:
    lines = explained.features
    marks = {}
    if stability is not None:
        marks = {(r.kind, r.unit): str(r.mark) for r in stability.itertuples()}
    held = [line for line in lines if line.kind == "factor"]
    known = {line.factor: "factor" for line in held if _COMBINED not in line.factor}
    known |= {line.domain: "domain" for line in held}
    for name in known if wanted is None else wanted:
        if name not in known:
            hint = did_you_mean(name, known)
            raise DefinitionError(f"'{name}' is no factor or domain of the model", allowed=list(known), hint=hint)
        kind = known[name]
        columns = [i for i, line in enumerate(lines) if line.kind == "factor" and getattr(line, kind) == name]
        members = tuple(dict.fromkeys(lines[i].factor for i in columns))
        mark = marks.get((kind, name), STABLE)
        refused = "" if mark == STABLE else f"what the model found is not stable ({mark})"
        mixed = [line.label for line in held if _COMBINED in line.factor and _parts(line.factor) & _touched(members)]
        if mixed:
            refused = f"it also enters the model combined with another factor ({mixed[0]})"
        yield _Unit(kind, name, members, np.asarray(columns), refused)


def _parts(factor: str) -> set[str]:
    return set(factor.split(_COMBINED))


def _touched(members: Sequence[str]) -> set[str]:
    return set().union(*(_parts(name) for name in members))


class _Task:
    """What all rows share."""

    def __init__(self, explained: Explained, model: CountModel, refits: tuple[CountModel, ...], at: int) -> None:
        self.explained, self.models = explained, (model, *refits)
        self.X = np.ascontiguousarray(explained.values[at])  # noqa: PD011  # no frame
        self.support = make_support(self.X)
        known = np.isfinite(self.X)
        self.medians = np.asarray(
            [np.median(self.X[held, i]) if held.any() else np.nan for i, held in enumerate(known.T)]
        )
        self.records = 12.0 * explained.mean.mean(axis=0)

    def rows(self, areas: Columns, unit: _Unit) -> dict[str, Any]:
        """Some places and one unit, as columns."""
        alone = len(unit.columns) == 1
        now = self.X[np.ix_(areas, unit.columns)]
        rarity = self.support.rarity(areas, unit.columns)
        refused = self._refused(unit, now, rarity)
        shown = np.asarray([not reason for reason in refused])
        found, low, high = np.where(shown, self._multipliers(areas, unit.columns), np.nan)
        records = self.records[areas]
        return {
            "model_id": self.explained.model_id,
            "level": "lsoa21",
            "location": self.explained.areas[areas],
            "kind": unit.kind,
            "unit": unit.name,
            "members": "; ".join(unit.members),
            "value_now": now[:, 0].astype(np.float64) if alone else np.nan,
            "value_median": float(self.medians[unit.columns[0]]) if alone else np.nan,
            "records_now": records,
            "records_at_median": records * found,
            "low": records * low,
            "high": records * high,
            "multiplier": found,
            "multiplier_low": low,
            "multiplier_high": high,
            "rarity": rarity,
            "refused": [reason or None for reason in refused],
        }

    def _refused(self, unit: _Unit, now: npt.NDArray[np.float32], rarity: Floats) -> list[str]:
        """Why no number is given of each place; blank where one is."""
        if unit.refused:
            return [unit.refused] * len(now)
        if len(self.models) < 3:
            return ["the model was not learned again from other places, so there is no interval"] * len(now)
        known = np.isfinite(now).all(axis=1)
        rare = "hardly any place of the region is like this one and at the median here"
        reasons = np.where(known, np.where(rarity > RAREST, rare, ""), "its value is not known in this place")
        return [str(reason) for reason in reasons]

    def _multipliers(self, areas: Columns, columns: Columns) -> Floats:
        """Expected records at the median over those now, and the ends of the interval, [3, place]."""
        pair = np.repeat(self.X[areas][None], 2, axis=0)
        pair[1][:, columns] = self.medians[columns]
        stacked = pair.reshape(-1, pair.shape[2])
        scores = np.asarray([score_of(model, stacked) for model in self.models]).reshape(len(self.models), 2, -1)
        changes = scores[:, 1] - scores[:, 0]
        ends = np.stack([changes[0], *interval_of(changes[0], changes[1:])])
        return np.asarray(np.exp(ends), dtype=np.float64)


def scenario_sentence(row: Mapping[str, Any] | pd.Series, *, place: str, unit: str, words: Wording = PLAIN) -> str:
    """One scenario in words: an association between places.

    Parameters
    ----------
    row : mapping or Series
        A row of the ``scenarios`` noun.
    place, unit : str
        As readers know them: the place's name, the factor's title or the domain's.
    words : Wording
        What writes numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"kind": "factor", "value_now": 31.2, "value_median": 12.0, "records_now": 52.0, "refused": None}
    >>> row |= {"records_at_median": 40.4, "low": 35.0, "high": 46.2, "multiplier_low": 0.7, "multiplier_high": 0.9}
    >>> said = scenario_sentence(pd.Series(row), place="Barton 004B", unit="income deprivation")
    >>> said.split(" have ")[0]
    'Places like Barton 004B with income deprivation at the regional median (12, here 31.2)'
    >>> said.split(" have ")[1].split(";")[0]
    'recorded about 40 in 12 months (90 % interval 35 to 46)'
    """
    if isinstance(row["refused"], str) and row["refused"]:
        return f"No comparison is made for {unit} in {place}: {row['refused']}."
    values = ""
    if not np.isnan(row["value_now"]):
        middle, here = (words.number(row, column, "three_digits") for column in ("value_median", "value_now"))
        values = f" ({middle}, here {here})"
    what = (
        f"{unit} at the regional median"
        if row["kind"] == "factor"
        else f"all conditions of the domain {unit} at the regional median"
    )
    unclear = row["multiplier_low"] <= 1.0 <= row["multiplier_high"]
    ends = ", no clear difference" if unclear else ""
    records, low, high, now = (
        words.number(row, column, "whole") for column in ("records_at_median", "low", "high", "records_now")
    )
    return (
        f"Places like {place} with {what}{values} have recorded about {records} in 12 months (90 % interval {low} to "
        f"{high}); expected recorded violence of {place} is {now}{ends}. This compares places: it does not say what "
        "follows where a condition changes."
    )
