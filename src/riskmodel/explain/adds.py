"""What the factors add to a forecast that knows each area's past, said in one sentence.

In: the ``domains`` table, with the skill of models fitted again without a domain, without any factor, and without any
condition of places and people. Out: the sentences a page on the models opens with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskmodel.explain.wording import PLAIN, Wording

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ALL_CONDITIONS",
    "ALL_FACTORS",
    "COSTS",
    "EARNS",
    "NOT_PUBLISHED",
    "NO_DIFFERENCE",
    "NO_INTERVAL",
    "conditions_alone",
    "factors_add",
]

EARNS, NO_DIFFERENCE, COSTS = "earns its place", "no difference seen", "costs"
NO_INTERVAL, NOT_PUBLISHED = "no interval", "not yet published"
ALL_FACTORS, ALL_CONDITIONS = "all factors", "all conditions"
"""Rows of the table that leave out many domains: every factor; or every factor but counts of other recorded crime."""
_SAID = {"rolling_12": "counting the last twelve months"}
"""Baselines in a reader's words."""


def factors_add(domains: pd.DataFrame, words: Wording = PLAIN) -> str:
    """What the factors add to the forecast beyond the area's own past.

    Parameters
    ----------
    domains : DataFrame
        The ``domains`` table of an experiment that asks for ``ablation``.
    words : Wording
        What writes numbers and names.

    Returns
    -------
    str
        Two sentences where other recorded crime and the conditions of places and people can be told apart. Better by a
        per cent is skill, the share of the baseline's score that is gained; the interval is of target months drawn
        again.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"kind": "forecast", "domain": "all factors", "skill": 0.08, "skill_without": 0.079, "skill_lost": 0.001}
    >>> row |= {"low": -0.002, "high": 0.004, "verdict": "no difference seen", "baseline": "rolling_12"}
    >>> first, figures = factors_add(pd.DataFrame([row])).split(": ")
    >>> first
    "The factors add nothing to the forecast beyond the area's own past"
    >>> figures.split(", ")[2]
    'a difference of 0.1 points (90 % interval -0.2 to 0.4).'
    """
    row = _row(domains, ALL_FACTORS)
    if row is None:
        if (domains["kind"] == "forecast").any():
            return "The forecast model holds no factors: it rests on the area's own past."
        return "What the factors add to the forecast was not measured: the experiment asks for no ablation."
    first = _said(row, "The factors", "the area's own past", words)
    conditions = _row(domains, ALL_CONDITIONS)
    same = conditions is not None and np.array_equal(
        *(np.nan_to_num(held[["skill_without", "low"]].to_numpy(dtype=float)) for held in (row, conditions))
    )
    if conditions is None or same:
        return first
    beyond = "the area's own past and other recorded crime"
    return f"{first} {_said(conditions, 'The conditions of places and people', beyond, words, again=True)}"


def conditions_alone(domains: pd.DataFrame, words: Wording = PLAIN) -> str:
    """How much factors alone tell, without any history; blank where the experiment has no conditions model."""
    rows = domains[(domains["kind"] == "conditions") & domains["skill"].notna()]
    if rows.empty:
        return ""
    row = rows.iloc[0]
    return (
        f"From factors alone, without any recorded crime, the conditions model is {_better(row, 'skill', words)} than "
        "giving every resident the region's rate."
    )


def _row(domains: pd.DataFrame, name: str) -> pd.Series | None:
    rows = domains[(domains["kind"] == "forecast") & (domains["domain"] == name)]
    return None if rows.empty else rows.iloc[0]


def _said(row: pd.Series, what: str, beyond: str, words: Wording, *, again: bool = False) -> str:
    """What some factors add; ``again`` where a sentence before has said how good the forecast is with all of them."""
    verdict = row["verdict"]
    if verdict == NOT_PUBLISHED:
        return f"What is added by {what.lower()} is not known: none was published by the origins tested."
    if not np.isfinite(row["skill"]):
        return f"What is added by {what.lower()} beyond {beyond} was not measured: without them no model is left."
    counting = _SAID.get(row["baseline"]) or words.name(row["baseline"])
    together = "" if again else f"with them it is {_better(row, 'skill', words)} than {counting}, "
    skills = (
        f"{together}without them {_better(row, 'skill_without', words)}, a difference of "
        f"{words.number(row, 'skill_lost', 'points')} points"
    )
    if verdict == NO_INTERVAL:
        return f"Too few months to say what is added to the forecast by {what.lower()} beyond {beyond}: {skills}."
    interval = f"(90 % interval {words.number(row, 'low', 'points')} to {words.number(row, 'high', 'points')})"
    if row["skill"] <= 0:
        # What mends a model that is worse than counting adds nothing to counting.
        return f"{what} add nothing to the forecast beyond {beyond}: {'' if again else 'even '}{skills} {interval}."
    if verdict == EARNS:
        return f"{what} add to the forecast beyond {beyond}: {skills} {interval}."
    worse = ", and it is the better without them" if verdict == COSTS else ""
    return f"{what} add nothing to the forecast beyond {beyond}: {skills} {interval}{worse}."


def _better(row: pd.Series, column: str, words: Wording) -> str:
    return f"{words.number(row, column, 'size_points')} % {'worse' if row[column] < 0 else 'better'}"
