"""The rule an experiment declares, and what the backtest found, in; the model it selects, and why, out.

Nothing is weighed in secret: every candidate has its row, with the reason why it was not chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.backtest.calibration import CALIBRATED
from riskmodel.backtest.candidates import BASELINE, NO, YES, Candidate, chosen_pairs, make_candidates, skill_of
from riskmodel.contracts.judging_tables import SELECTION
from riskmodel.contracts.selection_specs import SelectionSpec
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Selection", "select_model"]

# Two equal skills come back from sums in other orders a hair apart.
_ROUNDING = 1e-9
_IS = MappingProxyType(
    {
        "calibrated": "is calibrated at more of the levels asked about",
        "level": "has the smaller level error",
        "simplest": "is simpler",
        "skill": "has the higher skill",
    }
)


@dataclass(frozen=True, eq=False)
class Selection:
    """The model selected (None where every candidate is out of the question), why, and the selection noun."""

    model_id: str | None
    reason: str
    table: pd.DataFrame


def select_model(
    pairwise: pd.DataFrame,
    calibration: pd.DataFrame,
    level_ratios: pd.DataFrame,
    *,
    rule: SelectionSpec,
    baseline: str,
    order: Sequence[str],
    target: str,
    audit: pd.DataFrame | None = None,
    refused: Mapping[str, str] | None = None,
) -> Selection:
    """Select one of an experiment's models as its file says.

    Parameters
    ----------
    pairwise, calibration, level_ratios : DataFrame
        Those nouns, of one target; ``pairwise`` holds the rule's metric.
    rule : SelectionSpec
        The experiment's ``selection``.
    baseline : str
        The model that skill is measured against; selected if no other beats it, unless the rule says otherwise.
    order : sequence of str
        All candidates, the simplest first (`candidates.simplest_first`).
    target : str
        As in the calibration noun.
    audit : DataFrame, optional
        With columns check, characteristic, group, model_id and verdict; a verdict "concern" counts.
    refused : mapping of str to str, optional
        Model -> why a guard refused it.

    Returns
    -------
    Selection

    Raises
    ------
    DefinitionError
        If the baseline or a model of ``refused`` is not a candidate.
    TableError
        If the pairwise noun has no row of the rule's metric, or the audit lacks a column.

    Notes
    -----
    In this order: candidates out of the question go; if no other beats the baseline, it is taken; those as good as the
    best stay, which are those within one standard error of the difference between the two (after Breiman et al. 1984)
    or within the skill given; the rule's preferences decide among them; at last the highest skill.
    """
    pairs = chosen_pairs(pairwise, rule)
    candidates = make_candidates(
        pairs,
        calibration,
        level_ratios,
        rule=rule,
        baseline=baseline,
        order=order,
        target=target,
        audit=audit,
        refused=refused or {},
    )
    chosen, reason = _decide(candidates, pairs, rule)
    return Selection(chosen.model_id if chosen else None, reason, _table(candidates, chosen))


def _decide(candidates: list[Candidate], pairs: pd.DataFrame, rule: SelectionSpec) -> tuple[Candidate | None, str]:
    reference = next(c for c in candidates if c.beats == BASELINE)
    left = [c for c in candidates if not c.why_not]
    if not left:
        return None, "No model is selected: every candidate is out of the question."
    ahead = [c for c in left if c.beats == YES]
    if not ahead and rule.if_none_beats == "baseline":
        return _fall_back(left, reference, rule)
    if ahead:
        for other in left:
            if other.beats != YES:
                other.why_not = "others beat it" if other is reference else _no_gain(other, rule)
    pool = ahead or [c for c in left if np.isfinite(c.skill)]
    if not pool:
        return None, "No model is selected: no candidate has a skill."
    best = max(pool, key=lambda c: (c.skill, -c.place))
    alike = _as_good_as(best, pool, pairs, rule)
    chosen, decided = _preferred(alike, rule)
    opening = "" if ahead else f"{_capital(_none_beats(rule))} (if_none_beats: best). "
    return chosen, opening + _because(chosen, best, len(alike), reference, decided, rule)


def _fall_back(left: list[Candidate], reference: Candidate, rule: SelectionSpec) -> tuple[Candidate | None, str]:
    for other in left:
        if other is not reference:
            other.why_not = _no_gain(other, rule)
    if reference.why_not:
        aside = f"the baseline {reference.model_id} is out of the question itself ({reference.why_not})"
        return None, f"No model is selected: {_none_beats(rule)}, and {aside}."
    return reference, f"{reference.model_id} is selected, the baseline: {_none_beats(rule)} (if_none_beats: baseline)."


def _as_good_as(best: Candidate, pool: list[Candidate], pairs: pd.DataFrame, rule: SelectionSpec) -> list[Candidate]:
    """Those whose distance to the best the rule calls none; the others are told that they are too far behind."""
    for candidate in pool:
        if isinstance(rule.within, float):
            candidate.behind, candidate.allowed = best.skill - candidate.skill, rule.within
        elif candidate is best:
            candidate.behind, candidate.allowed = 0.0, 0.0
        else:
            candidate.behind, candidate.allowed, _ = skill_of(pairs, best.model_id, candidate.model_id)
        # Without a standard error, under six months, only an equal is as good.
        allowed = 0.0 if np.isnan(candidate.allowed) else candidate.allowed
        candidate.within = YES if candidate.behind <= allowed + _ROUNDING else NO
        if candidate.within == NO:
            candidate.why_not = f"further behind {best.model_id} than the rule allows"
    return [candidate for candidate in pool if candidate.within == YES]


def _preferred(alike: list[Candidate], rule: SelectionSpec) -> tuple[Candidate, str]:
    """The one that the preferences leave, and the preference that left it alone."""
    left, decided = alike, ""
    for preference in [*rule.prefer, "skill", "simplest"]:
        worth = {c.model_id: _worth(c, preference, rule) for c in left}
        most = max(worth.values())
        kept = [c for c in left if worth[c.model_id] >= most - _ROUNDING]
        for candidate in left:
            if candidate not in kept:
                candidate.why_not = f"as good as the best, but {kept[0].model_id} {_IS[preference]}"
                decided = preference
        left = kept
    return left[0], decided


def _worth(candidate: Candidate, preference: str, rule: SelectionSpec) -> float:
    """Higher is preferred."""
    if preference == "calibrated":
        return float(sum(candidate.verdicts[level] == CALIBRATED for level in rule.calibrated_at))
    if preference == "level":
        return -np.inf if np.isnan(candidate.level_error) else -candidate.level_error
    return float(-candidate.place) if preference == "simplest" else candidate.skill


def _table(candidates: list[Candidate], chosen: Candidate | None) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "model_id": c.model_id,
            "chosen": YES if c is chosen else NO,
            "skill": c.skill,
            "standard_error": c.standard_error,
            "beats_baseline": c.beats,
            "behind_best": c.behind,
            "allowed_behind": c.allowed,
            "within": c.within,
            "calibrated": "; ".join(f"{level}: {verdict}" for level, verdict in c.verdicts.items()),
            "level_error": c.level_error,
            "audit": c.audit,
            "why_not": "" if c is chosen else c.why_not,
        }
        for c in candidates
    ]
    return as_table(pd.DataFrame(rows, columns=SELECTION.names), SELECTION)


def _none_beats(rule: SelectionSpec) -> str:
    if rule.require.beats_baseline == "shown":
        return "no other candidate is shown to be better than it"
    return "no other candidate has a skill above 0"


def _no_gain(candidate: Candidate, rule: SelectionSpec) -> str:
    if np.isnan(candidate.skill):
        return "no skill: it shares no forecast with the baseline"
    return "no gain over the baseline is shown" if rule.require.beats_baseline == "shown" else "no skill above 0"


_AHEAD = {"1..6": " up to six months ahead", "all": " over all months ahead"}


def _because(
    chosen: Candidate, best: Candidate, alike: int, reference: Candidate, decided: str, rule: SelectionSpec
) -> str:
    against = "" if chosen is reference else f" against {reference.model_id}"
    opening = f"{chosen.model_id} is selected: its skill is {_per_cent(chosen.skill)}{against}{_AHEAD[rule.horizons]}"
    if alike == 1:
        return f"{opening}, and no other candidate comes as close to it as the rule allows."
    behind = "" if chosen is best else f" ({best.model_id} has {_per_cent(best.skill)})"
    why = f", and {chosen.model_id} {_IS[decided]}" if decided else ""
    return f"{opening}{behind}; {alike} candidates are as good as the best under the rule{why}."


def _per_cent(share: float) -> str:
    # Adding nought turns a rounded -0.0 into 0.0.
    return f"{round(100.0 * share, 1) + 0.0:.1f} %"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
