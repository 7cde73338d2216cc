"""Expected records and residents in; which areas are put first out, up to a share of the residents.

Only whole areas can be put first, but a rule that takes whole areas hangs on one of them. So the last area is taken in
part, and areas with equal rates are taken alike, whatever their order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError

__all__ = ["put_first", "within_band"]

Floats = npt.NDArray[np.float64]
# Equal rates times different numbers of residents come back from the division a few units in the last place apart.
_TIE_DECIMALS = 12


def put_first(counts: Floats, residents: Floats, share: float) -> Floats:
    """How much of each area is put first: 1 for most of those taken, a fraction for the last, 0 for the others.

    Parameters
    ----------
    counts : array [..., area]
        What areas are ordered by, per resident: highest first.
    residents : array [area]
        0 or more.
    share : float
        Share of the residents living in what is put first.

    Returns
    -------
    array [..., area]

    Examples
    --------
    >>> put_first(np.array([4.0, 9.0, 1.0, 1.0]), np.array([100.0, 100.0, 100.0, 100.0]), 0.375).tolist()
    [0.5, 1.0, 0.0, 0.0]
    """
    return within_band(counts, residents, 0.0, share)


def within_band(counts: Floats, residents: Floats, start: float, end: float) -> Floats:
    """How much of each area lies in a band of the order, such as the middle twentieth of residents.

    Parameters
    ----------
    counts, residents
        As for ``put_first``.
    start, end : float
        Shares of the residents, from the highest rate on.

    Raises
    ------
    DefinitionError
        If the band is none, or nobody lives in the region.

    Examples
    --------
    >>> within_band(np.array([4.0, 4.0, 1.0]), np.array([100.0, 100.0, 200.0]), 0.25, 0.75).tolist()
    [0.5, 0.5, 0.5]
    """
    total = float(residents.sum())
    if not 0.0 <= start < end <= 1.0 or total <= 0.0:
        raise DefinitionError("a band of residents runs between two shares, in a region where people live",
                              found=[start, end, total], allowed="0 to 1")  # fmt: skip
    flat = counts.reshape(-1, counts.shape[-1])
    out = np.empty(flat.shape)
    for row, values in enumerate(flat):
        out[row] = _within(values, residents, start * total, end * total)
    return out.reshape(counts.shape)


def _within(counts: Floats, residents: Floats, start: float, end: float) -> Floats:
    # Where nobody lives there is no rate; such an area comes last and holds nobody of any band.
    rate = np.divide(counts, residents, out=np.full(len(counts), -1.0), where=residents > 0)
    top = float(rate.max())
    rank = -np.round(rate / top, _TIE_DECIMALS) if top > 0 else -rate
    _, tied = np.unique(rank, return_inverse=True)
    people = np.bincount(tied, residents)
    after = np.cumsum(people)
    inside = np.minimum(after, end) - np.maximum(after - people, start)
    part = np.divide(np.clip(inside, 0.0, None), people, out=np.zeros(len(people)), where=people > 0)
    return np.asarray(np.minimum(part, 1.0)[tied], dtype=np.float64)
