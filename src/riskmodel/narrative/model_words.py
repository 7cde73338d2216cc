"""What the page on the models says of a unit, a multiplier and a mark: in go names and numbers, out come words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodel.narrative.forecast_words import MINUS, NOT_AVAILABLE

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ANOTHER_MODEL",
    "MARKS",
    "RESIDENTS",
    "cluster_words",
    "feature_words",
    "mark_words",
    "percent_words",
    "points_words",
    "records",
    "times_words",
    "unit_words",
]

ANOTHER_MODEL = (
    "Conditions are those of another model than the forecast. It knows factors alone, and nothing of what was recorded "
    "before, because history would hide them. What it shows is association between places: it does not say why "
    "violence happens."
)
RESIDENTS = "people"
"""The domain that holds the number of residents alone: no condition."""

MARKS = {
    "stable": "stable",
    "uncertain": "uncertain",
    "do not narrate": "too unsure to say",
}
"""Each mark as a reader meets it."""
_OWN = {
    "exposure": "Number of residents",
    "people": "Number of residents",
    "residents": "Number of residents",
    "history": "History of recorded violence",
    "season": "Season",
    "level": "Level of the whole area",
    "factors": "Factors",
    "floor": "Least possible number",
    "start": "Number of residents",
    "all": "All together",
}


def times_words(value: float) -> str:
    """A multiplier.

    Examples
    --------
    >>> times_words(1.18) == "\N{MULTIPLICATION SIGN} 1.18", times_words(float("nan"))
    (True, 'not available')
    """
    return f"\N{MULTIPLICATION SIGN} {value:.2f}" if math.isfinite(value) else NOT_AVAILABLE


def percent_words(share: float, digits: int = 1) -> str:
    """A share in per cent, signed as screen readers say it.

    Examples
    --------
    >>> percent_words(0.0312), percent_words(-0.0004), percent_words(-0.02) == f"{MINUS}2.0%"
    ('3.1%', '0.0%', True)
    """
    if not math.isfinite(share):
        return NOT_AVAILABLE
    shown = f"{abs(100 * share):.{digits}f}"
    return f"{MINUS if share < 0 and float(shown) else ''}{shown}%"


def points_words(share: float) -> str:
    """A share in points of per cent.

    Examples
    --------
    >>> points_words(0.0042), points_words(-0.0001), points_words(-0.002) == f"{MINUS}0.2"
    ('0.4', '0.0', True)
    """
    return percent_words(share).removesuffix("%")


def unit_words(unit: str, titles: Mapping[str, str]) -> str:
    """A factor or a domain as a reader knows it.

    Examples
    --------
    >>> unit_words("society/crowding", {}), unit_words("society/crowding", {"society/crowding": "Crowded homes"})
    ('Crowding', 'Crowded homes')
    """
    if unit in titles:
        # A title's remark on its unit is for the catalogue.
        return titles[unit].partition(" (")[0]
    if unit in _OWN:
        return _OWN[unit]
    said = unit.rpartition("/")[2].replace("_", " ").replace(".", ", ")
    return said[:1].upper() + said[1:]


_TRANSFORMS = (
    (r"latest", ""),
    (r"lag_0", "newest month"),
    (r"lag_(\d+)", r"\1 months before the newest"),
    (r"rolling_mean_(\d+)", r"mean of \1 months"),
    (r"ewm_mean_(\d+)", r"mean in which newer months count more, half after \1"),
    (r"neighbour_mean_(\d+)", r"mean of neighbouring areas, \1 months"),
    (r"per_population_(\d+)", r"per resident, \1 months"),
    (r"same_month_last_year", "same month a year before"),
    (r"season_(\w+)", "season of the wider area"),
    (r"trend_(\w+)", "trend of the wider area"),
)
"""The registered transforms in a reader's words; another package's keeps its name."""


def feature_words(feature: str, titles: Mapping[str, str]) -> str:
    """A model's input as a reader knows it: what is measured, and how the model takes it.

    Examples
    --------
    >>> feature_words("target.rolling_mean_12", {}), feature_words("society/crowding.latest", {})
    ('Recorded before: mean of 12 months', 'Crowding')
    """
    base, _, transform = feature.rpartition(".")
    if not base:
        return unit_words(feature, titles)
    known = (re.sub(pattern, words, transform) for pattern, words in _TRANSFORMS if re.fullmatch(pattern, transform))
    how = next(known, transform.replace("_", " "))
    what = "Recorded before" if base == "target" else unit_words(base, titles)
    return f"{what}: {how}" if how else what


def cluster_words(members: str, titles: Mapping[str, str], *, inside: bool = False) -> str:
    """Factors that cannot be told apart, named together; ``inside`` a sentence, without a capital.

    Examples
    --------
    >>> cluster_words("society/crowding; society/owned_homes", {})
    'Crowding, together with owned homes'
    """
    first, *others = [unit_words(name, titles) for name in members.split("; ") if name]
    first = _lowered(first) if inside else first
    if not others:
        return first
    return f"{first}, together with {_listed([_lowered(name) for name in others])}"


def _lowered(name: str) -> str:
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def mark_words(mark: str) -> str:
    """A mark in a reader's words."""
    return MARKS.get(mark, mark)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts, blank texts as empty ones."""
    import pandas as pd

    rows = [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    for row in rows:
        row.update({name: "" if not isinstance(row[name], str) else row[name] for name in texts})
    return rows
