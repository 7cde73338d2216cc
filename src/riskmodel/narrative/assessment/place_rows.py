"""What is held of one place: in go an assessment, a level and a code, out come the rows that its page is made of.

Every table is sorted by place once for all pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.tables import TableError
from riskmodel.explain.thresholds import STABLE, THRESHOLDS
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.model_words import cluster_words
from riskmodel.narrative.published import Named
from riskmodel.narrative.workbook_text import LEVEL_NAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KINDS", "Condition", "Place", "condition_of", "page_file", "place_of", "shown_places"]

KINDS = {
    "pfa": "police force area", "csp24": "community safety partnership", "lad24": "district", "local": "local area",
    "ward24": "ward", "msoa21": "neighbourhood (MSOA)",
}  # fmt: skip
"""Levels inside a sentence."""
_FINE = ("msoa21", "ward24", "local")
_NO_ROWS = np.zeros(0, dtype=np.intp)
Positions = Mapping[tuple[str, str], Any]


@dataclass(frozen=True)
class Condition:
    """Conditions that cannot be told apart, as a place's ledger has them.

    ``row`` is the position in ``ledger``; ``side`` is higher, lower or near, where the interval holds no difference or
    the difference is smaller than is worth a sentence. ``stands`` is above or below the average place, or empty
    where the conditions named together do not all go the same way.
    """

    row: int
    factor: str
    words: str
    side: str
    multiplier: float
    low: float
    high: float
    members: tuple[str, ...]
    stands: str = ""


@dataclass(frozen=True, eq=False)
class Place:
    """One place: its names, its rows, and the small areas in it whose residents are a poor base for a rate."""

    level: str
    code: str
    name: str
    kind: str
    district: str
    row: int
    people: float
    outlook: Named
    history: Named
    ledger: pd.DataFrame
    groups: pd.DataFrame
    compared: pd.DataFrame
    poor: Sequence[str]
    conditions: Sequence[Condition]
    unsure: int

    def of(self, side: str) -> list[Condition]:
        """The stable conditions of one side, the strongest first."""
        own = [c for c in self.conditions if c.side == side]
        return sorted(own, key=lambda c: (-abs(float(np.log(c.multiplier))), c.factor))

    @property
    def counts_only(self) -> bool:
        """Whether a rate per resident would mislead."""
        return bool(self.poor) and self.level in _FINE


@dataclass(frozen=True, eq=False)
class _Held:
    outlook: Positions
    history: Positions
    ledger: Positions
    groups: Positions
    compared: Positions
    places: Mapping[tuple[str, str], int]
    poor: Mapping[tuple[str, str], list[str]]


def shown_places(assessment: Assessment) -> list[tuple[str, str]]:
    """The places that have a page; a partnership that is one district has that district's."""
    held = _held(assessment)
    found: dict[tuple[str, str], None] = {}
    for level, code in assessment.places:
        if (level, code) not in held.places:
            raise TableError("a place that is to have a page is not in 'places'", where=level, found=code)
        found[_as_listed(assessment, held, level, code)] = None
    return list(found)


def page_file(code: str) -> str:
    """The file of a place's page: a code of the user's own may hold what no file name can.

    Examples
    --------
    >>> page_file("E07000078"), page_file("north/west")
    ('E07000078.html', 'north_2f_west.html')
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"_{ord(c):x}_" for c in code)
    return f"{safe}.html"


def place_of(assessment: Assessment, level: str, code: str) -> Place:
    """Everything held of one place.

    Raises
    ------
    TableError
        If it is not in ``places``.
    """
    held = _held(assessment)
    if (level, code) not in held.places:
        raise TableError("no such place in the table 'places'", where=level, found=code)
    key = level, code = _as_listed(assessment, held, level, code)
    row = held.places[key]
    own = assessment.book.tables["places"].iloc[row]
    district = held.places.get(("lad24", str(own["lad24"])))
    ledger = _rows(assessment, "ledger", held.ledger, key)
    clusters = ledger[ledger["kind"] == "cluster"] if len(ledger) else ledger
    return Place(
        level=level,
        code=code,
        name=bare(str(own["name"])),
        kind=KINDS.get(level, bare(LEVEL_NAMES.get(level, level))),
        district="" if district is None or level == "lad24" else _name(assessment, district),
        row=row,
        people=float(own["population"]),
        outlook=_named(assessment.published.outlook, held.outlook, key),
        history=_named(assessment.published.history, held.history, key),
        ledger=ledger,
        groups=_rows(assessment, "place_groups", held.groups, key),
        compared=_rows(assessment, "compared", held.compared, key),
        poor=held.poor.get(key, ()),
        conditions=[condition_of(assessment, at, r) for at, r in clusters.iterrows() if r["mark"] == STABLE],
        unsure=int((clusters["mark"] != STABLE).sum()) if len(clusters) else 0,
    )


def condition_of(assessment: Assessment, at: Any, row: pd.Series) -> Condition:
    """A row of the ledger as a condition."""
    multiplier, low, high = (float(row[c]) for c in ("multiplier", "low", "high"))
    clear = (low > 1 or high < 1) and abs(np.log(multiplier)) >= THRESHOLDS.least
    side = "near" if not clear else "higher" if multiplier > 1 else "lower"
    words = cluster_words(str(row["members"]), assessment.titles)
    members = tuple(str(row["members"]).split("; "))
    ways = {_found(assessment).get(member, "") for member in members} - {""}
    stands = "" if side == "near" or len(ways) != 1 else "above" if side in ways else "below"
    return Condition(int(at), str(row["unit"]), bare(words), side, multiplier, low, high, members, stands)


@lru_cache(maxsize=1)
def _found(assessment: Assessment) -> dict[str, str]:
    """With what each factor is found where it is higher: higher or lower recorded violence."""
    held = assessment.table("stability")
    if held is None:
        return {}
    own = held[(held["kind"] == "factor") & held["found"].isin(["higher", "lower"])]
    return dict(zip(own["unit"].astype(str), own["found"].astype(str), strict=True))


def _name(assessment: Assessment, row: int) -> str:
    return bare(str(assessment.book.tables["places"]["name"].iloc[row]))


def _rows(assessment: Assessment, table: str, positions: Positions, key: tuple[str, str]) -> pd.DataFrame:
    """A place's rows of a table, each with its position in it; none where the table is not held."""
    import pandas as pd

    held = assessment.table(table)
    return pd.DataFrame() if held is None else held.take(positions.get(key, _NO_ROWS))


def _named(named: Named, positions: Positions, key: tuple[str, str]) -> Named:
    at = positions.get(key, _NO_ROWS)
    return replace(named, rows=named.rows.take(at), withheld=named.withheld.take(at))


def _as_listed(assessment: Assessment, held: _Held, level: str, code: str) -> tuple[str, str]:
    """The district that a partnership is, where its own rows are listed under the district."""
    if level != "csp24" or (level, code) in held.outlook:
        return level, code
    names = assessment.book.tables["places"]["name"]
    name = names.iloc[held.places[level, code]]
    return next(
        ((a, b) for (a, b), row in held.places.items() if a == "lad24" and names.iloc[row] == name), (level, code)
    )


@lru_cache(maxsize=1)
def _held(assessment: Assessment) -> _Held:
    """The positions of every place's rows, found once."""
    places = assessment.book.tables["places"]
    pairs = zip(places["level"].astype(str), places["location"].astype(str), strict=True)
    return _Held(
        outlook=_positions(assessment.published.outlook.rows),
        history=_positions(assessment.published.history.rows),
        ledger=_positions(assessment.table("ledger")),
        groups=_positions(assessment.table("place_groups")),
        compared=_positions(assessment.table("compared")),
        places={pair: row for row, pair in enumerate(pairs)},
        poor=_poor(assessment),
    )


def _positions(table: pd.DataFrame | None) -> Positions:
    import pandas as pd

    if table is None:
        return {}
    key = pd.MultiIndex.from_frame(table[["level", "location"]].astype(str))
    codes, found = pd.factorize(key)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(found)))
    return {(str(a), str(b)): at for (a, b), at in zip(found, np.split(order, ends[:-1]), strict=True)}


def _poor(assessment: Assessment) -> dict[tuple[str, str], list[str]]:
    """Names of the small areas with a poor base, by the place they lie in."""
    areas, marked = assessment.table("areas"), assessment.no_rate.get("lsoa21", frozenset())
    found: dict[tuple[str, str], list[str]] = {}
    if areas is None or not marked:
        return found
    own = areas[areas["location"].isin(marked)]
    for level in KINDS:
        if level in own:
            for code, name in zip(own[level].fillna("").astype(str), own["name"], strict=True):
                found.setdefault((level, code), []).append(bare(str(name)))
    return found
