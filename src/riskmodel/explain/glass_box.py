"""Whether a model that can be read whole would do instead of the best one.

In: the ``pairwise`` table, the best model's name, and which candidates are glass boxes. Out: a sentence for the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.explain.wording import PLAIN, Wording

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GLASS_BOXES", "glass_box_advice", "within_one_error"]

GLASS_BOXES = ("explainable_boosting",)
"""Registered models whose every term can be drawn."""
_ROUNDING = 1e-9


def within_one_error(pairwise: pd.DataFrame, *, best: str, model_id: str, metric: str = "poisson_deviance") -> bool:
    """Whether a model's skill over the best one is no farther below 0 than one standard error.

    Parameters
    ----------
    pairwise : DataFrame
        The ``pairwise`` noun; over all horizons, on the forecasts both made.
    best, model_id : str
    metric : str
    """
    row = _row(pairwise, best, model_id, metric)
    return row is not None and bool(row["skill"] >= -row["standard_error"] - _ROUNDING)


def glass_box_advice(
    pairwise: pd.DataFrame,
    *,
    best: str,
    glass: Sequence[str],
    metric: str = "poisson_deviance",
    words: Wording = PLAIN,
) -> str:
    """What the report says about a glass box: recommended where it is as good as the best model, or why it is not.

    Parameters
    ----------
    pairwise : DataFrame
        The ``pairwise`` noun.
    best : str
        The model with the highest skill, or the one selected.
    glass : sequence of str
        Candidates whose ``use`` is one of ``GLASS_BOXES``.
    metric : str
    words : Wording
        What writes numbers and names.

    Notes
    -----
    The rule of one standard error (Breiman and others 1984): a model so close to the best cannot be told from it by the
    months there are, and the one that can be read is then worth more.
    """
    shown = words.name(best)
    if best in glass:
        return f"The best model, {shown}, is a glass box: each of its terms is a curve that can be read and questioned."
    found = [(name, row) for name in glass if (row := _row(pairwise, best, name, metric)) is not None]
    if not glass:
        return "No glass box is among the candidates, so whether one would do is not known."
    if not found:
        named = ", ".join(map(words.name, glass))
        return f"Too few months to say whether a glass box ({named}) would do instead of {shown}."
    name, row = max(found, key=lambda pair: float(pair[1]["skill"]))
    skill, error = float(row["skill"]), float(row["standard_error"])
    where = "ahead of" if skill > 0 else "behind"
    size, spread = words.number(row, "skill", "size_points"), words.number(row, "standard_error", "points")
    figures = f"{size} % {where} {shown}, with a standard error of {spread} %"
    if within_one_error(pairwise, best=best, model_id=name, metric=metric):
        apart = "" if skill > error else ", so the months there are cannot tell the two apart"
        return (
            f"Recommended instead of {shown}: the glass box {words.name(name)}. It is {figures}{apart}; each of its "
            "terms is a curve that can be read and questioned."
        )
    return f"The glass box {words.name(name)} is not recommended instead of {shown}: it is {figures}."


def _row(pairwise: pd.DataFrame, best: str, model_id: str, metric: str) -> pd.Series | None:
    """The model against the best over all horizons, where there is a standard error."""
    chosen = (pairwise["against"] == best) & (pairwise["model_id"] == model_id)
    rows = pairwise[chosen & (pairwise["metric"] == metric) & (pairwise["horizons"] == "all")]
    if rows.empty or not np.isfinite(rows.iloc[0][["skill", "standard_error"]].to_numpy(dtype=float)).all():
        return None
    return rows.iloc[0]
