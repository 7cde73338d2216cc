"""What if a group's violence were recorded less, or more, than that of others: the ``tipping_points`` table.

The forecast is held against what would then have been recorded had all been recorded alike. No data here can say how
much is recorded: the table says how much would have to be missing for a verdict to be another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import TIPPING_POINTS
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.evidence import Grouping

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Judged", "build_tipping_points", "records_if_recorded_alike", "tipping_point"]

Floats = npt.NDArray[np.float64]
AS_RECORDED = 1.0
# Between two shares of the policy's grid a change of verdict is looked for at every hundredth.
_STEP = 0.01


class Judged(NamedTuple):
    """What the audit says under several suppositions: [supposition, model, group]."""

    statistic: Floats
    verdict: npt.NDArray[np.str_]


JudgeRecords = Callable[[Floats], Judged]
"""The audit of all groups of a characteristic, given how many times as many records there are [supposition, area]."""
PutFirst = Callable[[Floats], Floats]
"""How much of each area is put first [..., area], given counts [..., area]."""


def records_if_recorded_alike(share: npt.ArrayLike, recorded_share: npt.ArrayLike) -> Floats:
    """How many times as many records there would be had a group's violence been recorded as often as that of others.

    Parameters
    ----------
    share : array-like [area]
        The group's share of residents.
    recorded_share : array-like [supposition]
        Supposed share of the group's violence that is recorded, relative to that of others.

    Returns
    -------
    array [supposition, area]
        1 / recorded_share ** share.

    Examples
    --------
    >>> records_if_recorded_alike([0.0, 0.5, 1.0], [1.0, 0.25]).tolist()
    [[1.0, 1.0, 1.0], [1.0, 2.0, 4.0]]
    """
    recorded = np.asarray(recorded_share, dtype=np.float64)[:, None]
    return np.asarray(1.0 / recorded ** np.asarray(share), dtype=np.float64)


def build_tipping_points(
    grouping: Grouping,
    models: Sequence[str],
    expected: Floats,
    recorded: Floats,
    months: Floats,
    *,
    recorded_shares: Sequence[float],
    judge: JudgeRecords,
    put_first: PutFirst,
) -> pd.DataFrame:
    """The audit of one characteristic under each supposition about each of its groups.

    Parameters
    ----------
    grouping : Grouping
    models : sequence of str
    expected : array [model, origin, area]
        Forecasts, summed over the months judged of each origin.
    recorded : array [origin, area]
        What was recorded in the same months.
    months : array [origin]
        How many.
    recorded_shares : sequence of float
        The policy's grid; 1, the data as recorded, is added where it lacks.
    judge : callable
        The audit, so that it is the very same one; at a share of 1 it gives the audit's own rows.
    put_first : callable
        Which areas would be put first, at every origin anew.

    Returns
    -------
    DataFrame
        The ``tipping_points`` noun: every group x model x share of the grid and, where the verdict changes between two
        of its shares, the share nearest 1 at which it does, to a hundredth. A concern in the other direction is another
        verdict.
    """
    import pandas as pd

    grid = np.unique([*map(float, recorded_shares), AS_RECORDED])
    weight, people = months / months.sum(), grouping.people.sum(axis=0)
    living = np.divide(grouping.people, people, out=np.full(grouping.people.shape, np.nan), where=people > 0)
    first = np.einsum("o,moa,ag->mg", weight, put_first(expected), living)
    frames = []
    for g, group in enumerate(grouping.groups):
        shares, judged = _refined(judge, grouping.shares[:, g], g, grid)
        supposed = recorded * records_if_recorded_alike(grouping.shares[:, g], shares)[:, None, :]
        need = np.einsum("o,soa,a->s", weight, put_first(supposed), living[:, g])
        for m, model in enumerate(models):
            statistic, words = judged.statistic[:, m, g], judged.verdict[:, m, g]
            said = _said(statistic, words)
            other = said != said[shares == AS_RECORDED]
            frame = pd.DataFrame(
                {
                    "group": group,
                    "model_id": model,
                    "recorded_share": shares,
                    "statistic": statistic,
                    "prioritised_share": first[m, g],
                    "need_share": need,
                    "verdict": words,
                    "changes": np.where(other, "yes", "no"),
                }
            )
            frames.append(frame[np.isin(shares, [*grid, *_nearest(shares[other])])])
    made = pd.concat(frames, ignore_index=True).assign(characteristic=grouping.characteristic)
    return as_table(made, TIPPING_POINTS)


def tipping_point(table: pd.DataFrame, characteristic: str, group: str, model_id: str) -> float | None:
    """The supposed recording, nearest to that of others, at which a verdict would be another one.

    Parameters
    ----------
    table : DataFrame
        The ``tipping_points`` noun.
    characteristic, group, model_id : str

    Returns
    -------
    float or None
        None where no share of the grid changes the verdict.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"recorded_share": [0.6, 0.8, 1.0, 1.2], "changes": ["yes", "no", "no", "no"]}
    >>> table = pd.DataFrame(rows).assign(characteristic="sex", group="female", model_id="rolling_12")
    >>> tipping_point(table, "sex", "female", "rolling_12")
    0.6
    """
    chosen = (table["characteristic"] == characteristic) & (table["group"] == group) & (table["model_id"] == model_id)
    shares = table.loc[chosen & (table["changes"] == "yes"), "recorded_share"].to_numpy(dtype=np.float64)
    return float(shares[np.argmin(np.abs(np.log(shares)))]) if len(shares) else None


def _refined(judge: JudgeRecords, share: Floats, group: int, grid: Floats) -> tuple[Floats, Judged]:
    """The grid with every hundredth between two of its shares where a model's verdict on the group changes."""
    coarse = judge(records_if_recorded_alike(share, grid))
    said = _said(coarse.statistic[:, :, group], coarse.verdict[:, :, group])
    between = [
        np.round(np.arange(low + _STEP, high - _STEP / 2, _STEP), 4)
        for low, high, change in zip(grid[:-1], grid[1:], (said[1:] != said[:-1]).any(axis=1), strict=True)
        if change and high - low > _STEP
    ]
    if not between:
        return grid, coarse
    more = np.concatenate(between)
    fine = judge(records_if_recorded_alike(share, more))
    shares = np.concatenate([grid, more])
    order = np.argsort(shares)
    joined = (np.concatenate(pair)[order] for pair in zip(coarse, fine, strict=True))
    return shares[order], Judged(*joined)


def _said(statistic: Floats, words: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """The verdict, and for a concern its direction."""
    direction = np.where(statistic > 0, " over", " under")
    return np.asarray(np.strings.add(words.astype(np.str_), np.where(words == "concern", direction, "")))


def _nearest(shares: Floats) -> Floats:
    """Of ascending shares, the nearest to 1 on either side."""
    return np.concatenate([shares[shares < AS_RECORDED][-1:], shares[shares > AS_RECORDED][:1]])
