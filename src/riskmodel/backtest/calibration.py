"""Judged forecasts in, the ``calibration`` table out: whether intervals mean what they say, and how sure that is.

Calibration is the share of the randomised PIT in a central interval: for counts it is the interval's name where raw
coverage lies above it. Areas of one month share its shocks, so its interval rests on blocks of target months.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.compare import MINIMUM_BLOCKS
from riskmodel.backtest.distribution import CENTRALS, Judged, central_mass
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.planner_tables import CALIBRATION
from riskmodel.contracts.tables import TableError, as_table
from riskmodel.panel.groups import NOT_CLASSIFIED

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CALIBRATED",
    "HORIZON_BANDS",
    "NOT_CALIBRATED",
    "NOT_JUDGED",
    "SIZE_BANDS",
    "TOLERANCE",
    "TOO_FEW_MONTHS",
    "WINDOW_MONTHS",
    "JudgedCube",
    "Tolerance",
    "area_class_of",
    "build_calibration",
    "calibration_verdict",
    "make_judged_cube",
    "reliability_of",
]

CALIBRATED, NOT_CALIBRATED = "calibrated", "not calibrated"
TOO_FEW_MONTHS, NOT_JUDGED = "too few months to say", "not judged"
WINDOW_MONTHS = MappingProxyType({"month": 1, "quarter": 3, "financial_year": 12, "12_months": 12})
# Name -> least and below: horizon of the last month, and expected records of a unit in a month.
HORIZON_BANDS = MappingProxyType(
    {"..0": (-np.inf, 1), "1..3": (1, 4), "4..6": (4, 7), "7..9": (7, 10), "10..12": (10, 13), "13..": (13, np.inf)}
)
SIZE_BANDS = MappingProxyType({"<2": (0.0, 2.0), "2..5": (2.0, 5.0), "5..10": (5.0, 10.0), "10+": (10.0, np.inf)})
_FINEST = "lsoa21"
_ALL = "all"
_HEADLINE = 0.9

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tolerance:
    """How far the mass of a calibrated forecast may lie from its name; the one place where this is declared.

    ``within`` is central -> most distance. Above the finest level, where there are few units, a month-block interval
    that holds the central is enough, if it is not wider than ``widest``: a wider one would hold almost anything.
    """

    within: Mapping[float, float] = field(
        default_factory=lambda: MappingProxyType({0.5: 0.04, 0.8: 0.03, 0.9: 0.02, 0.95: 0.015})
    )
    widest: float = 0.25


TOLERANCE = Tolerance()


@dataclass(frozen=True, eq=False)
class JudgedCube:
    """One model's judged forecasts of one level and window; a forecast that was not judged is NaN.

    ``origins`` [origin] and ``horizons`` [origin, step] are whole months (a window's horizon is its last month's);
    ``areas`` [unit] are codes. ``mean`` and the fields of ``judged`` are [origin, step, unit], those of `Judged` with
    a row for each central [central, origin, step, unit]; the mean is of the whole window.
    """

    level: str
    window: str
    origins: Counts
    horizons: Counts
    areas: npt.NDArray[np.str_]
    mean: Floats
    judged: Judged

    @property
    def ends(self) -> Counts:
        """Last month of each window, as a running number, ``[origin, step]``."""
        ends: Counts = self.origins[:, None] + self.horizons - 1
        return ends

    def place(self, origin: int, step: int, judged: Judged, mean: npt.ArrayLike) -> None:
        """Enter the judged forecasts of all units at one position of origin and step."""
        self.mean[origin, step] = mean
        for cube, values in zip(self.judged, judged, strict=True):
            cube[..., origin, step, :] = values

    def at(self, origin: int, horizon: int, areas: Sequence[str]) -> Judged | None:
        """What was judged of the named areas, in their order; None where the origin, horizon or an area is not held.

        Here ``origin`` is a month and ``horizon`` that of the window's last month, not positions.
        """
        found = np.argwhere((self.origins[:, None] == origin) & (self.horizons == horizon))
        order = np.argsort(self.areas)
        wanted = np.asarray(areas, dtype=np.str_)
        unit = order[np.minimum(np.searchsorted(self.areas, wanted, sorter=order), len(order) - 1)]
        if not len(found) or (self.areas[unit] != wanted).any():
            return None
        o, s = found[0]
        return Judged(*(values[..., o, s, unit] for values in self.judged))


def make_judged_cube(
    *, level: str, window: str, origins: Sequence[int], horizons: npt.ArrayLike, areas: Sequence[str]
) -> JudgedCube:
    """An empty cube to place judged forecasts in.

    Parameters
    ----------
    level, window : str
        The window is one of ``WINDOW_MONTHS``.
    origins : sequence of int
        Months, as `contracts.periods.month_number` counts them.
    horizons : array-like of shape (n_origins, n_steps) or (n_steps,)
        Horizon of each window's last month; calendar quarters end at other horizons from other origins.
    areas : sequence of str
        Codes of the units.

    Raises
    ------
    DefinitionError
        If the window is not known.
    TableError
        If the horizons do not fit the origins.

    Examples
    --------
    >>> cube = make_judged_cube(level="lad24", window="month", origins=[24300], horizons=[1, 2], areas=["E07000078"])
    >>> cube.ends.tolist(), cube.mean.shape
    ([[24300, 24301]], (1, 2, 1))
    """
    if window not in WINDOW_MONTHS:
        raise DefinitionError(
            f"unknown window '{window}'", allowed=list(WINDOW_MONTHS), hint=did_you_mean(window, WINDOW_MONTHS)
        )
    last = np.asarray(horizons, dtype=np.int64)
    if last.ndim not in (1, 2) or (last.ndim == 2 and len(last) != len(origins)):
        raise TableError("horizons do not fit the origins", found=last.shape, allowed=f"({len(origins)}, n_steps)")
    last = np.array(np.broadcast_to(last, (len(origins), last.shape[-1])))
    shape = (*last.shape, len(areas))
    central = ("interval_score", "covered", "coverage_expected")
    return JudgedCube(
        level=level,
        window=window,
        origins=np.asarray(origins, dtype=np.int64),
        horizons=last,
        areas=np.asarray(areas, dtype=np.str_),
        mean=np.full(shape, np.nan),
        judged=Judged(*(np.full((len(CENTRALS), *shape) if f in central else shape, np.nan) for f in Judged._fields)),
    )


def area_class_of(groups: pd.DataFrame, characteristic: str = "urban_rural") -> dict[str, str]:
    """Area -> the class all its residents are in, from the groups noun; empty where the characteristic is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [("urban_rural", "urban", "E01000001", 1500.0), ("urban_rural", "rural", "E01000001", 0.0)]
    >>> area_class_of(pd.DataFrame(rows, columns=["characteristic", "group", "area", "population"]))
    {'E01000001': 'urban'}
    """
    inside = groups[(groups["characteristic"] == characteristic) & (groups["population"] > 0)]
    return dict(zip(inside["area"].astype("str"), inside["group"].astype("str"), strict=True))


def build_calibration(
    cubes: Iterable[JudgedCube],
    *,
    model_id: str,
    target: str,
    area_class: Mapping[str, str] | None = None,
    tolerance: Tolerance = TOLERANCE,
) -> pd.DataFrame:
    """Calibration of one model by level, window and stratum.

    Parameters
    ----------
    cubes : iterable of JudgedCube
        One for each level and window.
    model_id, target : str
        As in the forecasts.
    area_class : mapping of str to str, optional
        Area -> urban or rural (`area_class_of`). A level none of whose areas is in it has no such stratum; an area
        left out of it at another level is ``not_classified``.
    tolerance : Tolerance

    Returns
    -------
    DataFrame
        The calibration noun. Strata are all forecasts, bands of horizon and of size, urban and rural; a stratum
        without a forecast has no row, nor has a level and window: where months are missing, no quarter may be whole.
        ``low`` and ``high`` are blank under six month blocks.

    Raises
    ------
    TableError
        If no forecast was judged at all, or a level and window come twice.

    References
    ----------
    Czado, Gneiting and Held (2009), randomised PIT; Wilson (1927) and Korn and Graubard (1998), intervals of shares
    near 1 from clusters.
    """
    import pandas as pd

    rows: list[tuple[Any, ...]] = []
    for cube in cubes:
        judged = ~np.isnan(cube.judged.pit_below)
        mass = np.stack([central_mass(cube.judged.pit_below, cube.judged.pit_upto, c) for c in CENTRALS])
        for stratum, value, inside in _strata(cube, area_class or {}):
            chosen = judged & inside
            if chosen.any():
                block = _month_blocks(cube.ends[chosen.any(axis=-1)], WINDOW_MONTHS[cube.window])
                for number, central in enumerate(CENTRALS):
                    key = (model_id, target, cube.window, cube.level, stratum, value, central)
                    pooled = _pooled(cube, number, mass, chosen, block)
                    rows.append((*key, *pooled, calibration_verdict(cube.level, central, pooled, tolerance)))
    if not rows:
        raise TableError("no forecast was judged", where=f"{model_id}, {target}", allowed="one or more")
    return as_table(pd.DataFrame(rows, columns=CALIBRATION.names), CALIBRATION)


def reliability_of(calibration: pd.DataFrame, *, model_id: str, target: str, level: str, window: str) -> str:
    """The word that stands beside every interval of a level and window: the verdict on all its 90 % intervals.

    Returns
    -------
    str
        ``calibrated``, ``not calibrated``, ``too few months to say``; ``not judged`` where the table has no such row.
    """
    found = calibration[
        (calibration["model_id"] == model_id)
        & (calibration["target"] == target)
        & (calibration["level"] == level)
        & (calibration["window"] == window)
        & (calibration["stratum"] == _ALL)
        & np.isclose(calibration["central"], _HEADLINE)
    ]
    return str(found["verdict"].iloc[0]) if len(found) else NOT_JUDGED


class _Pooled(NamedTuple):
    """One row of the table without its key and verdict."""

    pit_mass: float
    low: float
    high: float
    coverage: float
    coverage_expected: float
    forecasts: int
    month_blocks: int


def calibration_verdict(level: str, central: float, pooled: _Pooled, tolerance: Tolerance = TOLERANCE) -> str:
    """Say whether a stratum is calibrated.

    With fewer blocks than an interval needs nothing is said. At the finest level, where forecasts are many, the mass
    must lie within the tolerance. Above it, it may also lie further away if the month-block interval holds the
    central; an interval that does so by being wide says nothing either.
    """
    if pooled.month_blocks < MINIMUM_BLOCKS:
        return TOO_FEW_MONTHS
    near = abs(pooled.pit_mass - central) <= tolerance.within[central] + 1e-12
    if level == _FINEST:
        return CALIBRATED if near else NOT_CALIBRATED
    holds = pooled.low <= central <= pooled.high
    if holds and pooled.high - pooled.low > tolerance.widest:
        return TOO_FEW_MONTHS
    return CALIBRATED if near or holds else NOT_CALIBRATED


def _strata(cube: JudgedCube, area_class: Mapping[str, str]) -> Iterator[tuple[str, str, Mask]]:
    """Stratum, value and which forecasts are in it; each mask broadcasts to ``[origin, step, unit]``."""
    yield _ALL, _ALL, np.ones((1, 1, 1), dtype=np.bool_)
    horizons = cube.horizons[..., None]
    for name, (least, below) in HORIZON_BANDS.items():
        yield "horizon", name, (least <= horizons) & (horizons < below)
    a_month = cube.mean / WINDOW_MONTHS[cube.window]
    for name, (least, below) in SIZE_BANDS.items():
        yield "size", name, (least <= a_month) & (a_month < below)
    classes = np.array([area_class.get(area, NOT_CLASSIFIED) for area in cube.areas.tolist()])
    found = np.unique(classes).tolist()
    if found != [NOT_CLASSIFIED]:
        for name in found:
            yield "urban_rural", name, (classes == name)[None, None, :]


def _month_blocks(ends: Counts, months: int) -> Counts:
    """Block of each window, given by its last month: as many blocks as windows fit side by side.

    A block opens with the first window that does not overlap the one that opened the block before.
    """
    found, position = np.unique(ends, return_inverse=True)
    block, opened = -1, -np.inf
    of = []
    for end in found.tolist():
        if end >= opened + months:
            block, opened = block + 1, end
        of.append(block)
    return np.array(of, dtype=np.int64)[position]


def _pooled(cube: JudgedCube, number: int, mass: Floats, chosen: Mask, block: Counts) -> _Pooled:
    """The row of one central; ``mass`` is [central, origin, step, unit], ``block`` one for each cell forecast."""
    cells = chosen.any(axis=-1)
    forecasts = np.bincount(block, weights=chosen.sum(axis=-1)[cells]).astype(np.float64)
    inside = np.stack([np.bincount(block, weights=np.where(chosen, m, 0.0).sum(axis=-1)[cells]) for m in mass])
    low, high = _block_interval(inside / forecasts, forecasts / forecasts.sum(), number)
    return _Pooled(
        pit_mass=float(inside[number].sum() / forecasts.sum()),
        low=low,
        high=high,
        coverage=float(cube.judged.covered[number][chosen].mean()),
        coverage_expected=float(cube.judged.coverage_expected[number][chosen].mean()),
        forecasts=int(chosen.sum()),
        month_blocks=len(forecasts),
    )


def _block_interval(mass: Floats, weight: Floats, number: int) -> tuple[float, float]:
    """Wilson's interval (90 %) of one central's mass, for as many independent forecasts as the blocks are worth.

    ``mass`` is [central, block], ``weight`` [block] sums to 1. The design effect says how much the masses of blocks
    vary, as a share of what they would vary if each block were a single forecast. It is taken from all centrals
    together, or from this one where that is more: where every forecast happened to lie inside, its own is nought.
    """
    from scipy.special import stdtrit

    blocks = len(weight)
    if blocks < MINIMUM_BLOCKS:
        return np.nan, np.nan
    pooled, alone = mass @ weight, float(weight @ weight)
    # Unbiased where blocks are independent, whatever their weights.
    variance = ((weight * (mass - pooled[:, None])) ** 2).sum(axis=-1) / (1.0 - alone)
    single = alone * np.array([c * (1.0 - c) for c in CENTRALS])
    effect = min(max(variance.sum() / single.sum(), variance[number] / single[number]), 1.0)
    # Blocks that are all alike leave no variance to divide by.
    worth = 1.0 / max(effect * alone, 1e-12)
    z2 = float(stdtrit(blocks - 1, 0.95)) ** 2
    share = float(pooled[number])
    middle = share + z2 / (2.0 * worth)
    half = np.sqrt(z2 * share * (1.0 - share) / worth + (z2 / (2.0 * worth)) ** 2)
    low, high = (middle - half) / (1.0 + z2 / worth), (middle + half) / (1.0 + z2 / worth)
    return float(max(low, 0.0)), float(min(high, 1.0))
