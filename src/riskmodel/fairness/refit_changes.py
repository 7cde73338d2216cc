"""What changes when a model is learned again without some of its features: two backtests in, ``audit_refits`` out.

Left out may be proxies of groups, police-generated inputs, or the shares of groups that a policy permits. The rows say
what that costs in skill, what it does to calibration, and whether others are put first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.pairwise import month_sums
from riskmodel.backtest.scores import ForecastCube
from riskmodel.backtest.skill_test import SkillFound, find_skill
from riskmodel.contracts.audit_tables import AUDIT_REFITS
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.tables import TableError, as_table
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.priority import put_first

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_refits", "refit_not_made"]

Floats = npt.NDArray[np.float64]


class _Both(NamedTuple):
    """The forecasts that both models made: means [origin, area] over shared months, 0 where there is none."""

    model: Floats
    refit: Floats
    recorded: Floats
    months: Floats
    skill: SkillFound
    areas: npt.NDArray[np.str_]
    residents: Floats


def compare_refits(
    original: ForecastCube,
    refit: ForecastCube,
    groupings: Sequence[Grouping],
    *,
    model_id: str,
    name: str,
    left_out: int,
    residents: pd.Series[float],
    priority_share: float,
) -> pd.DataFrame:
    """Hold a refit beside the model it was made from, on the forecasts both made.

    Parameters
    ----------
    original, refit : ForecastCube
        Backtests of one target and level; both hold ``model_id``.
    groupings : sequence of Grouping
    model_id : str
    name : str
        What was left out: the table's ``refit``.
    left_out : int
        How many features.
    residents : Series
        Usual residents, index area.
    priority_share : float
        Share of residents living in the areas put first, at every origin anew.

    Returns
    -------
    DataFrame
        The ``audit_refits`` noun, one row a group.

    Raises
    ------
    DefinitionError
        If a backtest lacks the model.
    TableError
        If the two are of another target or level, share no forecast or differ in what was recorded.
    """
    import pandas as pd

    both = _shared(original, refit, model_id, residents)
    first = [put_first(means, both.residents, priority_share) for means in (both.model, both.refit)]
    weight = both.months / both.months.sum()
    living = np.minimum(*first) @ both.residents / (first[0] @ both.residents)
    frames = []
    for grouping in groupings:
        held = grouping.at(both.areas)
        change = _contrast(both.refit, both.recorded, held) - _contrast(both.model, both.recorded, held)
        people = held.people.sum(axis=0)
        moved = np.divide(
            weight @ ((first[1] - first[0]) @ held.people), people, out=np.full(len(people), np.nan), where=people > 0
        )
        frame = pd.DataFrame({"group": held.groups, "calibration_change": change, "people_moved": moved})
        frame["characteristic"] = held.characteristic
        blank = np.where(people > 0, "nothing was recorded where the group lives", "nobody of the group lives here")
        frame["note"] = np.where(np.isnan(change), blank, "")
        frames.append(frame)
    made = pd.concat(frames, ignore_index=True).assign(
        refit=name, left_out=left_out, skill_change=both.skill.skill, skill_low=both.skill.low,
        skill_high=both.skill.high, same_places=float(weight @ living),
    )  # fmt: skip
    return as_table(made, AUDIT_REFITS)


def refit_not_made(name: str, groupings: Sequence[Grouping], *, left_out: int, reason: str) -> pd.DataFrame:
    """The same rows, blank, with the reason: such as that the model holds nothing to be left out.

    Examples
    --------
    >>> refit_not_made("police-generated inputs", [], left_out=0, reason="the model holds none").empty
    True
    """
    import pandas as pd

    keys = [(g.characteristic, group) for g in groupings for group in g.groups]
    frame = pd.DataFrame(keys, columns=["characteristic", "group"]).assign(refit=name, left_out=left_out, note=reason)
    for column in AUDIT_REFITS.names:
        if column not in frame.columns:
            frame[column] = np.nan
    return as_table(frame, AUDIT_REFITS)


def _shared(original: ForecastCube, refit: ForecastCube, model_id: str, residents: pd.Series[float]) -> _Both:
    if (original.target, original.level) != (refit.target, refit.level):
        raise TableError(
            "a refit is compared with a model of another target or level",
            found=[refit.target, refit.level], allowed=[original.target, original.level],
        )  # fmt: skip
    origins = original.origins.intersection(refit.origins)
    horizons = np.intersect1d(original.horizons, refit.horizons)
    areas = original.areas.intersection(refit.areas)
    (model, recorded), (again, same) = (
        _laid_out(cube, model_id, origins, horizons, areas) for cube in (original, refit)
    )  # fmt: skip
    made = np.asarray(~np.isnan(model) & ~np.isnan(again), dtype=np.bool_)
    if not made.any():
        raise TableError("a refit and its model share no forecast", where=model_id)
    if (recorded[made] != same[made]).any():
        raise TableError("a refit and its model are held against different counts", where=model_id)
    months = origins.to_numpy().astype("datetime64[M]").astype(np.int64)[:, None] + horizons[None, :]
    cells = np.asarray(made.any(axis=-1), dtype=np.bool_)
    losses = []
    for mean in (again, model):
        loss = np.zeros(made.shape)
        loss[made] = poisson_deviances(recorded[made], mean[made])
        losses.append(month_sums(loss.sum(axis=-1), months, cells))
    held = np.asarray(made.any(axis=(0, 1)), dtype=np.bool_)
    used = cells.any(axis=1)
    first, second, counted = (
        np.where(made, values, 0.0).sum(axis=1)[np.ix_(used, held)] for values in (model, again, recorded)
    )
    people = np.asarray(residents.reindex(areas[held]), dtype=np.float64)
    return _Both(
        model=first,
        refit=second,
        recorded=counted,
        months=cells.sum(axis=1).astype(np.float64)[used],
        skill=find_skill(*losses),
        areas=areas[held].to_numpy(dtype=np.str_),
        residents=people,
    )


def _laid_out(
    cube: ForecastCube, model_id: str, origins: pd.DatetimeIndex, horizons: npt.NDArray[np.int64], areas: pd.Index[str]
) -> tuple[Floats, Floats]:
    """One model's means and the counts, [origin, horizon, area], on given axes."""
    if model_id not in cube.models:
        hint = did_you_mean(model_id, cube.models)
        raise DefinitionError("a backtest lacks the model that was learned again", found=model_id, hint=hint)
    at = np.ix_(
        cube.origins.get_indexer(origins), np.searchsorted(cube.horizons, horizons), cube.areas.get_indexer(areas)
    )
    return cube.mean[cube.models.get_loc(model_id)][at], cube.observed[at]


def _contrast(mean: Floats, recorded: Floats, grouping: Grouping) -> Floats:
    """Log calibration ratio of each group less that of all others, [group]; NaN where nothing was recorded."""
    group = np.stack([values.sum(axis=0) @ grouping.shares for values in (mean, recorded)])
    rest = np.array([[mean.sum()], [recorded.sum()]]) - group
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(group[0] / group[1]) - np.log(rest[0] / rest[1])
    return np.where(np.isfinite(found), found, np.nan)
