"""Whole records shared among weighted parts, one by one: in go cumulative counts, out come the counts of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["apportion"]


def apportion(cumulative: NDArray[np.int64], owner: NDArray[np.intp], weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Share cumulative counts among weighted parts by Webster's divisor method.

    The n-th record of an owner goes to the part with the smallest ``(records it has + 1/2) / weight``, the first such
    part where they tie. A part's share therefore never falls as the count grows, and depends on nothing but the count.

    Parameters
    ----------
    cumulative : array of int, [.., owner, period]
        Counts, never negative.
    owner : array of int, [part]
        The owner each part belongs to, in ascending order; every owner has a part.
    weight : array of float, [part]
        Positive or zero; at least one of an owner's is positive.

    Returns
    -------
    array of int, [.., part, period]
        Summing over an owner's parts to its count.

    Examples
    --------
    >>> apportion(np.array([[1, 2, 3, 4]]), np.array([0, 0]), np.array([300.0, 100.0])).tolist()
    [[1, 2, 2, 3], [0, 0, 1, 1]]
    """
    owners, parts = cumulative.shape[-2], len(owner)
    largest = np.moveaxis(cumulative, -2, 0).reshape(owners, -1).max(axis=1, initial=0)
    share = weight / np.bincount(owner, weights=weight, minlength=owners)[owner]
    # With k parts a part never holds more than its share of (count + k / 2), and a half: the table goes one further.
    reach = np.ceil(share * (largest[owner] + np.bincount(owner, minlength=owners)[owner] / 2) + 1).astype(np.int64)
    start = np.cumsum(reach) - reach
    part = np.repeat(np.arange(parts), reach)
    holds = np.arange(len(part)) - start[part]
    turn = np.full(len(part), np.inf)
    np.divide(holds + 0.5, weight[part], out=turn, where=weight[part] > 0)
    order = np.lexsort((part, turn, owner[part]))
    length = np.bincount(owner[part], minlength=owners)
    rank = np.empty(len(part), dtype=np.int64)
    rank[order] = np.arange(len(part)) - np.repeat(np.cumsum(length) - length, length)
    width = int(length.max(initial=0)) + 1
    taken = np.searchsorted(part * width + rank, np.arange(parts)[:, None] * width + cumulative[..., owner, :])
    return np.asarray(taken - start[:, None], dtype=np.int64)
