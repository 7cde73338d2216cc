"""The maps of the forecast page: in go outlines and a target's outlook, out come shaded areas with words and a legend.

Shades stand for fifths of the places by expected records per 1,000 residents. A place whose number is withheld, or
whose residents are a poor base for a rate, has a pattern in place of a shade. The table beside the map says all it
shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_rows import rate_words, rates_of
from riskmodel.narrative.forecast_words import expected_words
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.named_facts import texts
from riskmodel.narrative.pictures import CLASSES
from riskmodel.narrative.published import Named
from riskmodel.narrative.tables_html import HtmlTable

__all__ = ["MapArea", "PlaceMap", "place_map"]


@dataclass(frozen=True)
class MapArea:
    """One area of a map: its code, outline, shade and words."""

    code: str
    path: str
    style: str
    words: str


@dataclass(frozen=True)
class PlaceMap:
    """A map, what its shades measure, its legend, the places that can be chosen by typing, and its table.

    Without areas no map is drawn: a place is chosen by typing alone.
    """

    name: str
    title: str
    description: str
    width: int
    height: int
    areas: Sequence[MapArea]
    borders: Sequence[str]
    labels: Sequence[tuple[float, float, str]]
    legend: Sequence[tuple[str, str]]
    choices: Sequence[tuple[str, str]]
    table: HtmlTable
    measure: str = "Expected records per 1,000 residents"


def place_map(
    named: Named,
    outlines: Outlines,
    table: HtmlTable,
    *,
    name: str,
    title: str,
    no_rate: frozenset[str],
    districts: Outlines | None,
    district_names: dict[str, str],
) -> PlaceMap:
    """Places of one level by expected records per 1,000 residents over the next 12 months.

    Parameters
    ----------
    named : Named
        The outlook's rows of the level and the next 12 months.
    outlines : Outlines
        Of the level. A place without an outline is in the table only, and the map says how many there are.
    table : HtmlTable
        The map's equal, whose rows carry the places' codes.
    name, title : str
    no_rate : frozenset of str
        Codes of places whose residents are a poor base for a rate.
    districts : Outlines or None
        Drawn over the map where they are of the same picture.
    district_names : dict of str to str
        Their names by code.
    """
    rows = named.rows
    codes = rows["location"].to_list()
    rates = rates_of(named, no_rate)
    classes, legend = _classes(rates)
    hidden, poor = named.withheld["mean"].to_numpy(dtype=bool), rows["location"].isin(no_rate).to_numpy()
    styles = np.where(hidden, "area none", np.where(classes < 0, "area count-only", _styles(classes)))
    counts = texts(named, "mean", "expected")
    said = [
        _said(place, district, count, rate_words(named, int(row), rate) if np.isfinite(rate) else "")
        for row, place, district, count, rate in zip(
            rows.index, rows["name"], rows["district"], counts, rates.tolist(), strict=True
        )
    ]
    at = {code: position for position, code in enumerate(codes)}
    drawn = [(code, path) for code, path in zip(outlines.codes, outlines.paths, strict=True) if code in at]
    areas = [MapArea(c, path, str(styles[at[c]]), said[at[c]]) for c, path in drawn]
    if hidden.any():
        legend.append(("area none", f"suppressed ({_places(hidden)})"))
    if (classes[~hidden] < 0).any():
        legend.append(("area count-only", f"no rate: residents are a poor base ({_places(classes[~hidden] < 0)})"))
    without = len(codes) - len(areas)
    description = (
        f"{bare(str(len(codes)))} places in fifths of about equally many, darker for more expected records per 1,000 "
        f"residents. Suppressed: {_places(hidden)}. Shown by count only: {_places(~hidden & (poor | (classes < 0)))}."
        + (f" Without an outline, and so in the table only: {bare(str(without))}." if without else "")
    )
    same = districts is not None and (districts.width, districts.height) == (outlines.width, outlines.height)
    over = districts if same else None
    return PlaceMap(
        name, title, description, outlines.width, outlines.height, areas,
        over.paths if over else (), _labels(over, district_names), legend,
        [(c, f"{n}, {d}" if d else n) for c, n, d in zip(codes, rows["name"], rows["district"], strict=True)], table,
    )  # fmt: skip


def _places(which: npt.NDArray[np.bool_]) -> str:
    """How many places a picture shows in some way: a count of what is drawn."""
    return bare(str(int(which.sum())))


def _classes(rates: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], list[tuple[str, str]]]:
    """The fifth each rate lies in, -1 for none, and the legend; no place's own rate is the end of the highest fifth."""
    held = np.isfinite(rates)
    if not held.any():
        return np.full(len(rates), -1), []
    inner = np.unique(np.quantile(rates[held], np.linspace(0, 1, CLASSES + 1))[1:-1])
    classes = np.where(held, np.searchsorted(inner, rates, side="right") + CLASSES - 1 - len(inner), -1)
    first = CLASSES - 1 - len(inner)
    # Ends of shades are a scale, as the ticks of an axis are.
    bounds = [bare(expected_words(b)) for b in inner]
    words = [f"below {bounds[0]}", *(f"{a} to {b}" for a, b in pairwise(bounds))]
    words.append(f"{bounds[-1]} and more")
    return classes, [(f"area class{first + number}", text) for number, text in enumerate(words)]


def _styles(classes: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    return np.char.add("area class", classes.astype(str))


def _said(name: str, district: str, count: str, rate: str) -> str:
    place = bare(f"{name}, {district}" if district else name)
    return f"{place}: {count}{f', {rate} per 1,000 residents' if rate else ''}"


def _labels(districts: Outlines | None, names: dict[str, str]) -> list[tuple[float, float, str]]:
    if districts is None:
        return []
    centres = np.round(districts.centres, 0).tolist()
    return [(x, y, names[code]) for code, (x, y) in zip(districts.codes, centres, strict=True) if code in names]
