"""The words of a verdict and the rule behind them; no word says that all is well, for no audit can show that.

Only checks whose size was tested may say ``concern``. Everything else is described.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.skill_test import holm_adjusted
from riskmodel.contracts.policy_specs import EvidenceSpec

__all__ = [
    "ACTION",
    "CONCERN",
    "DESCRIBED",
    "INSUFFICIENT",
    "NOTICE",
    "NOT_ASSESSABLE",
    "NOT_VISIBLE",
    "NO_EVIDENCE",
    "SUPPRESSED",
    "VERDICTS",
    "Held",
    "described",
    "holm_over_groups",
    "judge",
    "severity",
    "with_another",
]

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]

CONCERN, NO_EVIDENCE, INSUFFICIENT, NOT_VISIBLE = "concern", "no_evidence", "insufficient", "not_visible"
NOT_ASSESSABLE, SUPPRESSED, DESCRIBED = "not_assessable", "suppressed", "described"
VERDICTS = (CONCERN, NO_EVIDENCE, INSUFFICIENT, NOT_VISIBLE, NOT_ASSESSABLE, SUPPRESSED, DESCRIBED)
"""Every word the audit's column ``verdict`` may hold."""
NOTICE, ACTION = "notice", "action"
_ROUNDING = 1e-12


class Held(NamedTuple):
    """What a finding rests on, each ``[group, model]``; records are of distinct months."""

    people: Floats
    records: Floats
    blocks: npt.NDArray[np.int64]
    hidden: Bools


def holm_over_groups(p: Floats) -> Floats:
    """Adjust p [group, model] for the groups of one characteristic, each model by itself."""
    out = np.full(p.shape, np.nan)
    for model in range(p.shape[1]):
        out[:, model] = holm_adjusted(p[:, model])
    return out


def described(statistic: Floats, held: Held, evidence: EvidenceSpec) -> Words:
    """The word of a check that gives a figure and no verdict."""
    words = np.full(statistic.shape, DESCRIBED, dtype=object)
    words[_few(held, evidence)] = INSUFFICIENT
    return _without(words, statistic, held)


def judge(
    statistic: Floats,
    low: Floats,
    high: Floats,
    p_adjusted: Floats,
    *,
    notice: Floats | float,
    visible: Bools,
    held: Held,
    evidence: EvidenceSpec,
) -> Words:
    """The verdict of a tested check, all arrays ``[group, model]``.

    Parameters
    ----------
    statistic, low, high : array
        A difference and its 90 % interval.
    p_adjusted : array
        p after Holm.
    notice : float or array
        From which size on the policy wants a difference noticed.
    visible : array of bool
        Whether the difference that the policy wants seen would be.
    held : Held
    evidence : EvidenceSpec
        How much evidence a verdict needs.

    Returns
    -------
    array of str
        ``concern`` where the adjusted p lies below the policy's significance and the difference beyond notice; else
        ``not_visible`` where it would not show; ``no_evidence`` where the whole interval lies inside notice; and
        ``insufficient``, which is also said where too few people, records or blocks are held.
    """
    words = np.full(statistic.shape, INSUFFICIENT, dtype=object)
    words[(low > -notice) & (high < notice)] = NO_EVIDENCE
    words[~visible] = NOT_VISIBLE
    words[(p_adjusted < evidence.significance) & (np.abs(statistic) > notice)] = CONCERN
    words[_few(held, evidence) | (held.blocks < evidence.least_blocks)] = INSUFFICIENT
    return _without(words, statistic, held)


def with_another(hidden: Bools, records: Floats) -> Bools:
    """Hide a second group wherever one alone is hidden, that of the fewest records: it would give the first away.

    Examples
    --------
    >>> with_another(np.array([[True], [False], [False]]), np.array([[4.0], [90.0], [30.0]]))[:, 0].tolist()
    [True, False, True]
    """
    alone = hidden.sum(axis=0) == 1
    fewest = np.where(hidden, np.inf, records).argmin(axis=0)
    out = hidden.copy()
    out[fewest[alone], np.flatnonzero(alone)] = True
    return out


def severity(words: Words, statistic: Floats, action: Floats | float) -> Words:
    """Notice or action for a concern; None otherwise."""
    out = np.full(words.shape, None, dtype=object)
    out[words == CONCERN] = NOTICE
    out[(words == CONCERN) & (np.abs(statistic) > action - _ROUNDING)] = ACTION
    return out


def _few(held: Held, evidence: EvidenceSpec) -> Bools:
    return np.asarray((held.people < evidence.least_people) | (held.records < evidence.least_records))


def _without(words: Words, statistic: Floats, held: Held) -> Words:
    words[np.isnan(statistic) | (held.people <= 0)] = NOT_ASSESSABLE
    words[held.hidden] = SUPPRESSED
    return words
