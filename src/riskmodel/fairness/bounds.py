"""How far the people of an intersection could lie from their estimate, and its calibration ratio with them.

In: the margins of each cell, a band for how closely two characteristics go together within an area, and district
totals where a joint table gives them. Out: least and greatest calibration ratio, with the people that lead to each.

The ratio is linear-fractional in the people, so its extremes are those of a linear programme. With bounds by area and
one total by district that programme is solved exactly by sorting, without a solver; the tests hold it to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError

__all__ = ["MARGINS_ALONE", "RatioBounds", "joint_share", "people_bounds", "ratio_bounds"]

Floats = npt.NDArray[np.float64]
MARGINS_ALONE = (0.0, float("inf"))
"""The band that allows everything the margins allow."""
_ROUNDING = 1e-12


def joint_share(p: npt.ArrayLike, q: npt.ArrayLike, odds_ratio: float) -> Floats:
    """Share of people in both of two groups, from the share in each and their odds ratio.

    Parameters
    ----------
    p, q : array-like
        Shares, 0 to 1.
    odds_ratio : float
        1 is independence; 0 and infinity are as far apart, and as closely together, as the shares allow.

    References
    ----------
    Plackett (1965); Fréchet (1951) for the two ends.

    Examples
    --------
    >>> [round(float(joint_share(0.2, 0.3, odds)), 4) for odds in (0, 0.5, 1, 2, float("inf"))]
    [0.0, 0.039, 0.06, 0.0848, 0.2]
    """
    one, other = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64))
    lowest, highest = np.maximum(one + other - 1.0, 0.0), np.minimum(one, other)
    if odds_ratio == 0.0:
        return np.asarray(lowest, dtype=np.float64)
    if np.isinf(odds_ratio):
        return np.asarray(highest, dtype=np.float64)
    a = 1.0 + (one + other) * (odds_ratio - 1.0)
    root = np.sqrt(np.maximum(a * a - 4.0 * odds_ratio * (odds_ratio - 1.0) * one * other, 0.0))
    # The two forms of one root of the quadratic: neither takes a small difference of large numbers.
    ahead = a >= 0.0
    share = np.where(
        ahead,
        2.0 * odds_ratio * one * other / np.where(ahead, np.maximum(a + root, np.finfo(np.float64).tiny), 1.0),
        (root - a) / (2.0 * (1.0 - odds_ratio)) if odds_ratio != 1.0 else 0.0,
    )
    return np.clip(share, lowest, highest)


def people_bounds(
    members: Sequence[Floats], total: Floats, band: Sequence[float], *, inside: npt.NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Fewest and most people of a cell in each area.

    Parameters
    ----------
    members : sequence of array [area, ...]
        People of each group that the cell belongs to; one for each characteristic of people.
    total : array [area]
        Everybody.
    band : two numbers
        Least and greatest odds ratio of two characteristics within an area; ``MARGINS_ALONE`` for no such knowledge.
    inside : array [area, ...] of bool, optional
        Where the area is in the cell's classes of areas; outside, nobody is in the cell.

    Returns
    -------
    low, high : array [area, ...]

    Notes
    -----
    Of more than two characteristics, each further one is held to go with those before it, taken together, within the
    same band; ``low`` and ``high`` are the widest over all orders, so that the order they are named in changes nothing.
    Without a band this is Fréchet's bound for several events.

    Examples
    --------
    >>> low, high = people_bounds([np.array([20.0]), np.array([30.0])], np.array([100.0]), (0.5, 2.0))
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([3.9], [8.48])
    """
    everybody = np.asarray(total, dtype=np.float64).reshape(-1, *[1] * (np.ndim(members[0]) - 1 if members else 0))
    if not members:
        whole = np.where(np.ones((len(total), 1), dtype=np.bool_) if inside is None else inside, total[:, None], 0.0)
        return whole, whole.copy()
    shares = [
        np.divide(people, everybody, out=np.zeros(np.shape(people)), where=np.broadcast_to(everybody > 0, people.shape))
        for people in members
    ]
    ends = []
    for odds, widest in ((float(band[0]), np.minimum), (float(band[1]), np.maximum)):
        found: Floats | None = None
        # The first two change places freely.
        for order in permutations(range(len(shares))):
            if len(order) > 1 and order[0] > order[1]:
                continue
            share = shares[order[0]]
            for further in order[1:]:
                share = joint_share(share, shares[further], odds)
            found = share if found is None else widest(found, share)
        ends.append(np.asarray(found) * everybody)
    if inside is not None:
        ends = [np.where(inside, end, 0.0) for end in ends]
    return ends[0], ends[1]


class RatioBounds(NamedTuple):
    """Extremes of the calibration ratio [cell], and the people [cell, area] that lead to each.

    ``low`` and ``high`` are NaN where no people fit the totals, or nothing was recorded; ``high`` is infinite where the
    cell could lie only in areas without a record.
    """

    low: Floats
    high: Floats
    people_low: Floats
    people_high: Floats


def ratio_bounds(
    forecast: Floats,
    recorded: Floats,
    low: Floats,
    high: Floats,
    *,
    district: npt.NDArray[np.intp] | None = None,
    totals: Floats | None = None,
) -> RatioBounds:
    """Least and greatest sum(people x forecast) / sum(people x recorded) over all people within bounds.

    Parameters
    ----------
    forecast, recorded : array [area]
        Expected and recorded counts a resident.
    low, high : array [cell, area]
        Fewest and most people, as ``people_bounds`` (its areas come first: transpose).
    district : array of int [area], optional
        The district that each area lies in.
    totals : array [cell, district], optional
        People of the cell in each district; NaN where not known.

    Notes
    -----
    Dinkelbach's iteration: for a trial ratio r, the people that make sum(people x (forecast - r x recorded)) greatest
    are found by sorting the areas of a district, and the ratio of those people is the next trial. It ends, after a
    handful of steps, at the optimum of the linear-fractional programme.

    References
    ----------
    Dinkelbach (1967); Charnes and Cooper (1962) for the linear programme; Duncan and Davis (1953).

    Examples
    --------
    >>> made = ratio_bounds(np.array([2.0, 1.0]), np.array([1.0, 1.0]), np.array([[0.0, 5.0]]), np.array([[5.0, 5.0]]))
    >>> made.low.tolist(), made.high.tolist(), made.people_high.tolist()
    ([1.0], [1.5], [[5.0, 5.0]])
    """
    if (district is None) != (totals is None):
        raise DefinitionError("district totals need the district of every area, and the other way round")
    room = _Room(np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64), district, totals)
    m, y = np.asarray(forecast, dtype=np.float64), np.asarray(recorded, dtype=np.float64)
    greatest, people_high = _greatest(m, y, room)
    # The least ratio is one over the greatest of recorded over forecast, and forecasts lie above 0.
    inverse, people_low = _greatest(y, m, room)
    least = np.divide(1.0, inverse, out=np.zeros_like(inverse), where=inverse > 0)
    nothing = ~room.possible | ((room.high * y).sum(axis=1) <= 0)
    return RatioBounds(
        np.where(nothing, np.nan, least), np.where(nothing, np.nan, greatest), people_low, people_high
    )  # fmt: skip


class _Room:
    """Where people may be: bounds [cell, area], and how many more than the fewest each district must hold."""

    def __init__(self, low: Floats, high: Floats, district: npt.NDArray[np.intp] | None, totals: Floats | None) -> None:
        self.low, self.high, self.room = low, high, high - low
        self.district = district
        self.extra: Floats | None = None
        self.possible = np.ones(len(low), dtype=np.bool_)
        if district is None or totals is None:
            return
        member = district[:, None] == np.arange(totals.shape[1])
        fewest, most = low @ member, high @ member
        slack = 1e-9 * np.maximum(most, 1.0)
        self.possible = np.asarray(
            (np.isnan(totals) | ((totals >= fewest - slack) & (totals <= most + slack))).all(axis=1)
        )
        self.extra = np.clip(totals - fewest, 0.0, most - fewest)

    def best(self, worth: Floats) -> Floats:
        """The people [cell, area] that make sum(people x worth) greatest."""
        chosen = np.where(worth > 0, self.room, 0.0)
        if self.district is None or self.extra is None:
            return self.low + chosen
        ranked = np.lexsort((-worth, np.broadcast_to(self.district, worth.shape)), axis=1)
        room = np.take_along_axis(self.room, ranked, axis=1)
        before = np.cumsum(room, axis=1) - room
        district = self.district[ranked[0]]
        first = np.searchsorted(district, np.arange(self.extra.shape[1]))[district]
        left = self.extra[:, district] - (before - before[:, first])
        taken = np.empty_like(room)
        np.put_along_axis(taken, ranked, np.clip(left, 0.0, room), axis=1)
        return self.low + np.where(np.isnan(self.extra)[:, self.district], chosen, taken)


def _greatest(above: Floats, below: Floats, room: _Room) -> tuple[Floats, Floats]:
    """The greatest sum(people x above) / sum(people x below) of each cell, and its people."""
    people = room.best(np.ones_like(room.low) * (above + below))
    ratio = _ratio(people @ above, people @ below)
    grown = np.ones(len(ratio), dtype=np.bool_)
    while grown.any():
        trial = np.where(np.isfinite(ratio), ratio, 0.0)
        better = room.best(above - trial[:, None] * below)
        found = _ratio(better @ above, better @ below)
        # An infinite ratio, and one that nobody has (NaN), are not bettered.
        grown = found > ratio * (1.0 + _ROUNDING)
        people = np.where(grown[:, None], better, people)
        ratio = np.where(grown, found, ratio)
    return ratio, people


def _ratio(above: Floats, below: Floats) -> Floats:
    """A quotient; infinite where only the lower sum is 0, NaN where both are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / below, dtype=np.float64)
