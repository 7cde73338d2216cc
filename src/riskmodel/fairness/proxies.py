"""How well features foretell where groups live: features, shares and blocks of places in, the ``proxies`` table out.

A model never given the share of a group can still follow it through features that go together with it. Each is tried
alone and all are tried together, always on blocks of places left out, because neighbouring places resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import PROXIES
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL_FEATURES", "attribution_shares", "build_proxies", "held_out_r_squared", "proxies_of"]

Floats = npt.NDArray[np.float64]
ALL_FEATURES = "all"
"""The row of all features together."""
# Of columns of variance 1 and weights that add up to 1.
_PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
_LEAST_BLOCKS = 2
_BASE = "base"


def build_proxies(
    features: npt.NDArray[np.floating],
    names: Sequence[str],
    shares: Floats,
    groups: Sequence[str],
    *,
    characteristic: str,
    residents: Floats,
    block: npt.NDArray[np.integer],
    bound: float,
    attributions: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Try every feature, and all of them, on every group of one characteristic.

    Parameters
    ----------
    features : array [area, feature]
        Model inputs; NaN where a value is missing.
    names : sequence of str, [feature]
    shares : array [area, group]
        Share of each group among residents.
    groups : sequence of str, [group]
    characteristic : str
    residents : array [area]
        Weights.
    block : array of int [area]
        Block of places of each area, such as one of the audit's tilings.
    bound : float
        From here on a feature counts as a proxy (the policy's ``proxy_r_squared``).
    attributions : DataFrame, optional
        The model's terms, columns ``feature`` and ``value`` and one row a forecast, such as the ``attributions`` noun.

    Returns
    -------
    DataFrame
        The ``proxies`` noun. ``r_squared`` is of places left out and may lie below 0: worse than the region's mean.
        Blank for a group whose share is the same everywhere.

    Raises
    ------
    DefinitionError
        If there are fewer than two blocks, or a feature is named ``all``.
    """
    import pandas as pd

    if ALL_FEATURES in names:
        raise DefinitionError(f"a feature is named '{ALL_FEATURES}', which is the row of them all")
    moved = attribution_shares(attributions, names) if attributions is not None else np.full(len(names) + 1, np.nan)
    found = held_out_r_squared(features, shares, residents=residents, block=block)
    frame = pd.DataFrame(
        {
            "group": np.tile(np.asarray(groups, dtype=object), len(names) + 1),
            "feature": np.repeat(np.asarray([*names, ALL_FEATURES], dtype=object), len(groups)),
            "r_squared": found.reshape(-1),
            "attribution_share": np.repeat(moved, len(groups)),
            "proxy": np.where(np.nan_to_num(found.reshape(-1), nan=-1.0) > bound, "yes", "no"),
        }
    )
    return as_table(frame.assign(characteristic=characteristic), PROXIES)


def proxies_of(table: pd.DataFrame, characteristics: Sequence[str] | None = None) -> list[str]:
    """Features that foretell the share of any group, of these characteristics or of all; sorted.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"feature": ["crowding", "season", "all"], "proxy": ["yes", "no", "yes"]}
    >>> proxies_of(pd.DataFrame(rows).assign(characteristic="ethnic_group"))
    ['crowding']
    """
    rows = table[(table["proxy"] == "yes") & (table["feature"] != ALL_FEATURES)]
    if characteristics is not None:
        rows = rows[rows["characteristic"].isin(list(characteristics))]
    return sorted(set(rows["feature"].astype("str")))


def attribution_shares(attributions: pd.DataFrame, names: Sequence[str]) -> Floats:
    """Each feature's share of what moves forecasts, and that of all of them, [feature + 1].

    What moves them is the mean size of each term less its own mean, over all forecasts given. Terms of the model's own
    (offset, level, floor) count in the whole, so the last number may lie below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"feature": ["base", "base", "offset", "offset", "a", "a"], "value": [9.0, 9.0, 1.0, 3.0, 0.0, 6.0]}
    >>> attribution_shares(pd.DataFrame(rows), ["a", "b"]).tolist()
    [0.75, 0.0, 0.75]
    """
    rows = attributions[attributions["feature"] != _BASE]
    by_feature = rows.groupby("feature", observed=True)["value"]
    size = (rows["value"] - by_feature.transform("mean")).abs().groupby(rows["feature"], observed=True).mean()
    whole = float(size.sum())
    own = np.asarray(size.reindex(list(names)).fillna(0.0), dtype=np.float64)
    shares = own / whole if whole > 0 else np.zeros(len(own))
    return np.append(shares, shares.sum())


def held_out_r_squared(
    features: npt.NDArray[np.floating], shares: Floats, *, residents: Floats, block: npt.NDArray[np.integer]
) -> Floats:
    """Share of the variation of each group's share between places that features foretell, in blocks left out.

    Parameters
    ----------
    features : array [area, feature]
    shares : array [area, group]
    residents : array [area]
    block : array of int [area]

    Returns
    -------
    array [feature + 1, group]
        1 - squared errors / squared distances from the region's mean, weighted by residents; the last row is of all
        features together. NaN where the share does not vary.

    Notes
    -----
    Ridge regression on a feature's value and its rank, so that a bent relation is seen as well, and on whether it is
    missing. Blocks are left out in turn; sums of products are taken once a block, so that no fold is fitted from rows.
    Of several penalties the one that foretells best is taken: the question is what could be known.
    """
    from threadpoolctl import threadpool_limits

    blocks = np.unique(block, return_inverse=True)[1]
    count = int(blocks.max()) + 1 if len(blocks) else 0
    if count < _LEAST_BLOCKS:
        raise DefinitionError(
            "proxies are tried on blocks of places left out", found=f"{count} blocks", allowed="2 or more"
        )
    weights = np.asarray(residents, dtype=np.float64) / np.sum(residents)
    centred = shares - weights @ shares
    columns = _columns(np.asarray(features, dtype=np.float64), weights)
    of_feature = np.arange(columns.shape[1]) // _BASIS
    design = np.hstack([np.ones((len(columns), 1)), columns])
    order = np.argsort(blocks, kind="stable")
    starts = np.searchsorted(blocks[order], np.arange(count))
    weighted = design * weights[:, None]
    # [fold, column, column]: all areas but the block's.
    gram = np.stack([design[part].T @ weighted[part] for part in np.split(order, starts[1:])])
    cross = np.stack([weighted[part].T @ centred[part] for part in np.split(order, starts[1:])])
    gram, cross = gram.sum(axis=0) - gram, cross.sum(axis=0) - cross

    spread = weights @ centred**2
    varies = spread > np.finfo(np.float64).eps * np.maximum(weights @ shares**2, 1e-300)
    out = np.full((features.shape[1] + 1, shares.shape[1]), np.nan)
    # Many small systems: threads of the linear algebra would only wait for each other.
    with threadpool_limits(1):
        for row in range(len(out)):
            own = of_feature == row if row < features.shape[1] else np.ones(len(of_feature), dtype=np.bool_)
            chosen = np.append(0, np.flatnonzero(own) + 1)
            held = gram[:, chosen[:, None], chosen], cross[:, chosen]
            out[row, varies] = 1.0 - (_least_error(design[:, chosen], centred, weights, blocks, *held) / spread)[varies]
    return out


def _least_error(
    design: Floats, wanted: Floats, weights: Floats, blocks: npt.NDArray[np.intp], gram: Floats, cross: Floats
) -> Floats:
    """Mean squared error [group] in blocks left out, at the best penalty; the first column is not penalised."""
    slopes = np.diag(np.append(0.0, np.ones(design.shape[1] - 1)))
    errors = []
    for penalty in _PENALTIES:
        fitted = np.linalg.solve(gram + penalty * slopes, cross)
        foretold = np.empty_like(wanted)
        for fold, coefficients in enumerate(fitted):
            foretold[blocks == fold] = design[blocks == fold] @ coefficients
        errors.append(weights @ (wanted - foretold) ** 2)
    return np.asarray(np.min(errors, axis=0), dtype=np.float64)


_BASIS = 3


def _columns(features: Floats, weights: Floats) -> Floats:
    """Value, rank and missingness of every feature, each of mean 0 and, where it varies, variance 1."""
    missing = np.isnan(features)
    ranks = np.column_stack([_ranks(column) for column in features.T])
    stacked = np.stack([_standardised(part, weights) for part in (features, ranks, missing.astype(np.float64))], axis=2)
    return stacked.reshape(len(features), -1)


def _ranks(values: Floats) -> Floats:
    """How many values lie below each, counting half of those that equal it; NaN where a value is missing."""
    held = np.sort(values[~np.isnan(values)])
    below, upto = (np.searchsorted(held, values, side=side) for side in ("left", "right"))
    return np.where(np.isnan(values), np.nan, (below + upto) / 2.0)


def _standardised(values: Floats, weights: Floats) -> Floats:
    """Columns less their mean over their standard deviation; 0 where a value is missing or nothing varies."""
    held = np.where(np.isnan(values), 0.0, weights[:, None])
    whole = np.maximum(held.sum(axis=0), 1e-300)
    less = np.nan_to_num(values - (held * np.nan_to_num(values)).sum(axis=0) / whole)
    spread = np.sqrt((held * less**2).sum(axis=0) / whole)
    varies = spread > 1e-12 * np.maximum(np.abs(np.nan_to_num(values)).max(axis=0), 1e-300)
    return np.asarray(np.divide(less, spread, out=np.zeros(less.shape), where=varies), dtype=np.float64)
