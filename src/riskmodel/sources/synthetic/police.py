"""Street-level crime files in the publisher's layout, built column by column and written as one buffer.

In: the month's violent events and the places. Out: ``YYYY-MM-<force>-street.csv`` bytes, first issues and late
re-issues, and the row counts that any reader must account for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .conditions import Conditions
from .events import LOCATED, OUTSIDE, UNLOCATED, MonthEvents, fates, generator
from .months import Calendar, month_name
from .names import street_names
from .outlines import to_degrees
from .places import NEIGHBOUR_AREAS, Places
from .process import ORIGIN, RECORDS_PER_AREA_MONTH, TrueProcess

__all__ = ["CRIME_TYPES", "HEADER", "Press", "Rows", "make_press", "month_rows", "revised", "row_counts"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context\n"
)
# Rows per violence row, and the unlocated share relative to violence, as in a shire force.
CRIME_TYPES: dict[str, tuple[float, float]] = {
    "Anti-social behaviour": (0.497, 0.03),
    "Bicycle theft": (0.027, 0.5),
    "Burglary": (0.108, 0.4),
    "Criminal damage and arson": (0.171, 0.35),
    "Drugs": (0.049, 0.7),
    "Other crime": (0.072, 1.6),
    "Other theft": (0.181, 0.65),
    "Possession of weapons": (0.019, 0.65),
    "Public order": (0.214, 0.5),
    "Robbery": (0.017, 1.0),
    "Shoplifting": (0.194, 0.1),
    "Theft from the person": (0.011, 1.2),
    "Vehicle crime": (0.109, 0.45),
    "Violence and sexual offences": (1.0, 1.0),
}
_NAMES = tuple(CRIME_TYPES)
_ASB, _PUBLIC_ORDER, _VIOLENCE = 0, 8, len(_NAMES) - 1
_TOWN_TYPES = ("Bicycle theft", "Other theft", "Robbery", "Shoplifting", "Theft from the person")
OUTCOMES = {
    "Unable to prosecute suspect": 0.44,
    "Investigation complete; no suspect identified": 0.36,
    "Under investigation": 0.05,
    "Local resolution": 0.045,
    "Status update unavailable": 0.04,
    "Awaiting court outcome": 0.03,
    "Court result unavailable": 0.025,
    "Formal action is not in the public interest": 0.01,
}
SNAP_POINTS = 8
REPEATED_SHARE = 0.0003
REVISION = {"violence_to_public_order": 0.03, "public_order_to_violence": 0.02, "added": 0.045}


@dataclass(frozen=True)
class Rows:
    """One police file before it is text: where (atom, or -1), which vintage of code, what, and the identity."""

    month: int
    atom: Ints
    snap: Ints
    new_code: npt.NDArray[np.bool_]
    kind: Ints
    outcome: Ints
    fate: Ints
    identity: npt.NDArray[np.uint64]
    repeats: int


@dataclass(frozen=True)
class Press:
    """Texts that are the same in every month, ready to be set in any order."""

    force_title: str
    snap_text: Any
    code11_text: Any
    code21_text: Any
    kind_text: Any
    other_rates: Floats
    first_atom: Ints
    atoms_in: Ints
    force_areas: int


def make_press(places: Places, conditions: Conditions, process: TrueProcess, force_title: str) -> Press:
    """Prepare the texts and the rates of the other thirteen crime types."""
    import pyarrow as pa

    step = np.arange(SNAP_POINTS) * 2.399963
    reach = 0.28 * np.sqrt(np.arange(1, SNAP_POINTS + 1) / SNAP_POINTS)
    offsets = np.column_stack([reach * np.cos(step), reach * np.sin(step)])
    land = conditions.square_km[places.atom21]
    around = places.atom_points[:, None, :] + offsets[None, :, :] * np.sqrt(land)[:, None, None]
    degrees = to_degrees(around.reshape(-1, 2))
    streets = street_names()
    chosen = streets[np.arange(len(degrees)) * 7919 % len(streets)]
    snaps = [f"{lon:.6f},{lat:.6f},{street}," for (lon, lat), street in zip(degrees, chosen, strict=True)]
    outcomes = ["", *OUTCOMES]
    inside = places.in_force
    violence = process.events(ORIGIN)[inside]
    town = np.exp(1.2 * conditions.town_closeness[inside] + 1.0 * conditions.town_centre[inside])
    rates = [
        share * RECORDS_PER_AREA_MONTH * (shape / shape.mean())
        for name, (share, _) in list(CRIME_TYPES.items())[:-1]
        for shape in [violence**0.7 * (town if name in _TOWN_TYPES else 1.0)]
    ]
    return Press(
        force_title=force_title,
        snap_text=pa.array([*snaps, ",,No Location,"]),
        code11_text=_codes(places.old.code[places.atom11], places.old.name[places.atom11]),
        code21_text=_codes(places.new.code[places.atom21], places.new.name[places.atom21]),
        kind_text=pa.array([f",{kind},{outcome},\n" for kind in CRIME_TYPES for outcome in outcomes]),
        other_rates=np.column_stack(rates),
        first_atom=np.unique(places.atom21, return_index=True)[1],
        atoms_in=np.bincount(places.atom21),
        force_areas=int(inside.sum()),
    )


def _codes(code: npt.NDArray[np.str_], name: npt.NDArray[np.str_]) -> Any:
    import pyarrow as pa

    return pa.array([*np.char.add(np.char.add(code, ","), name).tolist(), ","])


def month_rows(seed: int, events: MonthEvents, press: Press, calendar: Calendar) -> Rows:
    """Return the rows of a month's first issue: violence from the events, the other types beside them."""
    rng = generator(seed, "police", events.month)
    others = rng.poisson(press.other_rates)
    cell = np.repeat(np.arange(others.size), others.ravel())
    other_area, other_kind = cell // others.shape[1], cell % others.shape[1]
    relative = np.array([each for _, each in CRIME_TYPES.values()])
    other_fate = fates(rng, np.minimum(relative[other_kind] * calendar.unlocated(events.month), 0.9))
    area = np.concatenate([events.record_area, other_area])
    kind = np.concatenate([np.full(len(events.record_area), _VIOLENCE), other_kind])
    fate = np.concatenate([events.record_fate, other_fate])
    rows = _placed(rng, events.month, area, kind, fate, press, calendar)
    return _repeated(rng, rows)


def _placed(
    rng: np.random.Generator, month: int, area: Ints, kind: Ints, fate: Ints, press: Press, calendar: Calendar
) -> Rows:
    """Give each row a point, a code vintage, an outcome and an identity, in the publisher's order."""
    count = len(area)
    elsewhere = press.force_areas + rng.integers(0, NEIGHBOUR_AREAS, count)
    area = np.where(fate == OUTSIDE, elsewhere, area)
    atom = press.first_atom[area] + (rng.random(count) * press.atoms_in[area]).astype(np.int64)
    atom = np.where(fate == UNLOCATED, -1, atom)
    chance = np.array(list(OUTCOMES.values()))
    outcome = 1 + np.searchsorted(np.cumsum(chance / chance.sum())[:-1], rng.random(count)).astype(np.int64)
    outcome = np.where(kind == _ASB, 0, outcome)
    identity = rng.integers(1, 2**63, count, dtype=np.uint64)
    snap = rng.integers(0, SNAP_POINTS, count)
    new_code = rng.random(count) < calendar.mixing(month)
    order = np.lexsort((kind, snap, atom, atom < 0))
    return Rows(
        month, atom[order], snap[order], new_code[order], kind[order], outcome[order], fate[order], identity[order], 0
    )


def _taken(rows: Rows, index: Ints) -> Rows:
    """Return chosen rows, in the order of ``index``."""
    names = ("atom", "snap", "new_code", "kind", "outcome", "fate", "identity")
    return replace(rows, **{name: getattr(rows, name)[index] for name in names})


def _repeated(rng: np.random.Generator, rows: Rows) -> Rows:
    """Repeat a few unlocated rows, identity and all, as the published files do."""
    candidates = np.flatnonzero((rows.fate == UNLOCATED) & (rows.kind != _ASB))
    wanted = min(len(candidates), 1 + rng.binomial(len(rows.kind), REPEATED_SHARE))
    again = np.sort(rng.choice(candidates, wanted, replace=False)) if wanted else candidates[:0]
    return replace(_taken(rows, np.concatenate([np.arange(len(rows.kind)), again])), repeats=len(again))


def revised(seed: int, rows: Rows) -> Rows:
    """Return a late re-issue of a month: some rows re-classified, some added, a few given their outcome."""
    rng = generator(seed, "archive", rows.month)
    draw = rng.random(len(rows.kind))
    to_order = (rows.kind == _VIOLENCE) & (draw < REVISION["violence_to_public_order"])
    to_violence = (rows.kind == _PUBLIC_ORDER) & (draw < REVISION["public_order_to_violence"])
    kind = np.where(to_order, _PUBLIC_ORDER, np.where(to_violence, _VIOLENCE, rows.kind))
    end = len(kind) - rows.repeats
    # A repeated row stays equal to the row it repeats.
    order = np.argsort(rows.identity[:end])
    kind[end:] = kind[order[np.searchsorted(rows.identity[:end], rows.identity[end:], sorter=order)]]
    sources = np.flatnonzero(rows.kind[:end] == _VIOLENCE)
    added = np.sort(rng.choice(sources, max(1, round(REVISION["added"] * len(sources))), replace=False))
    index = np.concatenate([np.arange(end), added, np.arange(end, len(rows.kind))])
    result = _taken(replace(rows, kind=kind), index)
    fresh = slice(end, end + len(added))
    result.kind[fresh] = _VIOLENCE
    result.identity[fresh] = rng.integers(1, 2**63, len(added), dtype=np.uint64)
    return result


def row_counts(rows: Rows) -> Mapping[str, npt.NDArray[Any]]:
    """Return by crime type the rows that are located, without place, out of force and repeated."""
    end = len(rows.kind) - rows.repeats
    kinds = len(_NAMES)
    columns: dict[str, npt.NDArray[Any]] = {"crime_type": np.array(_NAMES)}
    for name, fate in (("located", LOCATED), ("unlocated", UNLOCATED), ("out_of_force", OUTSIDE)):
        columns[name] = np.bincount(rows.kind[:end][rows.fate[:end] == fate], minlength=kinds)
    columns["repeated"] = np.bincount(rows.kind[end:], minlength=kinds)
    columns["rows"] = np.bincount(rows.kind, minlength=kinds)
    return columns


def as_text(rows: Rows, press: Press) -> list[bytes | memoryview]:
    """Return a police file as header and body: the columns are joined as text in one pass, never row by row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unlocated = rows.atom < 0
    snap = np.where(unlocated, len(press.snap_text) - 1, rows.atom * SNAP_POINTS + rows.snap)
    atom = np.where(unlocated, len(press.code11_text) - 1, rows.atom)
    both = pa.concat_arrays([press.code11_text, press.code21_text])
    code = atom + np.where(rows.new_code, len(press.code11_text), 0)
    kind = rows.kind * (len(OUTCOMES) + 1) + rows.outcome
    title = f"{press.force_title} Constabulary"
    middle = pa.scalar(f",{month_name(rows.month)},{title},{title},")
    places, kinds = press.snap_text.take(snap), press.kind_text.take(kind)
    lines = pc.binary_join_element_wise(_identities(rows), middle, places, both.take(code), kinds, pa.scalar(""))
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32, count=len(lines) + 1)
    return [HEADER.encode(), memoryview(lines.buffers()[2])[: int(offsets[-1])]]


def _identities(rows: Rows) -> Any:
    """Return 64 hexadecimal digits for each row, or nothing for anti-social behaviour."""
    import pyarrow as pa

    named = rows.kind != _ASB
    digits = rows.identity[named].astype(">u8").tobytes().hex().encode()
    short = np.frombuffer(digits, dtype="S16")
    text = np.repeat(short[:, None], 4, axis=1).tobytes()
    ends = np.concatenate([[0], np.cumsum(64 * named)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(named), pa.py_buffer(ends.tobytes()), pa.py_buffer(text))
