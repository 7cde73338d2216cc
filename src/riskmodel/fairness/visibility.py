"""Who lives where and what was recorded in; how much a difference between people would show between places out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.sums import Sums, ratio

__all__ = ["Visibility", "look"]

Floats = npt.NDArray[np.float64]


class Visibility:
    """What of a difference between people reaches a contrast of areas weighted by who lives there.

    Suppose the records of a group's own people were forecast x times too high and everybody else's rightly, and that
    within an area the group is recorded as often as others. An area whose share of the group is s is then forecast
    1 + (x - 1) s times too high, and the contrast of calibration ratios between the group and the rest is

        log [1 + (x - 1) a] - log [1 + (x - 1) b],   a = sum s^2 Y / sum s Y,   b = sum s (1 - s) Y / sum (1 - s) Y:

    a is the group's share of residents where its people (weighted by records Y) live, b where all others do. Groups
    that live everywhere have a close to b, and nothing shows. In a class of areas a is 1 and b is 0: all of it shows.

    Parameters
    ----------
    own, others : array [group, model]
        a and b.

    Examples
    --------
    >>> shares = {"spread": (0.511, 0.51), "clustered": (0.22, 0.05)}
    >>> seen = [Visibility(np.array([a]), np.array([b])).contrast(1.5) for a, b in shares.values()]
    >>> [float(np.exp(each)[0].round(3)) for each in seen]
    [1.0, 1.061]
    """

    def __init__(self, own: Floats, others: Floats) -> None:
        self.own, self.others = own, others

    def contrast(self, times: float) -> Floats:
        """The contrast (log ratio) that a difference of ``times`` between people leaves, in the less visible direction.

        A group forecast x times too high, and one forecast x times too low, leave contrasts of unlike size; a
        difference counts as visible only if it is in both directions.
        """
        sizes = [np.log1p((x - 1.0) * self.own) - np.log1p((x - 1.0) * self.others) for x in (times, 1.0 / times)]
        return np.asarray(np.minimum(*np.abs(sizes)))

    def between_people(self, contrast: Floats) -> Floats:
        """How many times too high the group's people would have to be forecast for a contrast to be this large.

        NaN where no difference between people leaves so large a contrast.
        """
        size = np.exp(np.abs(contrast))
        under = self.own - size * self.others
        times = 1.0 + np.divide(size - 1.0, under, out=np.full(size.shape, np.nan), where=under > 0)
        return np.asarray(times)


def look(sums: Sums) -> Visibility:
    """See how far the groups of these sums live apart, weighted by what was recorded."""
    shares = sums.grouping.shares
    values = sums.area_values("recorded")
    shared = shares.T @ values.T
    squared = (shares**2).T @ values.T
    everyone = values.sum(axis=1)
    own = ratio(squared, shared)
    others = ratio(shared - squared, np.maximum(everyone - shared, 0.0))
    return Visibility(own, np.where(np.isnan(others), 0.0, others))
