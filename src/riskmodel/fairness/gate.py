"""Whether an audit stops a model: in go the audit table and the policy's stop rules, out come those that are met.

A stop rule is agreed before anything is found. The gate says which were met and why; it says nothing of a model that
met none, and it never takes the place of a decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import FairnessGate
from riskmodel.contracts.policy_specs import PolicySpec, StopRuleSpec

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gate", "MetRule", "concerns_meeting", "gate_of"]

_SEVERITIES = {"concern_at_action": ("action",), "concern_at_notice": ("notice", "action")}
_LEVELS = {"concern_at_action": "at action level", "concern_at_notice": "at notice level or beyond"}


@dataclass(frozen=True)
class MetRule:
    """A stop rule that is met: what it says shall be done, and the concerns that meet it."""

    then: str
    level: str
    concerns: tuple[str, ...]

    @property
    def words(self) -> str:
        """The rule and what met it, in a sentence."""
        number = len(self.concerns)
        counted = "1 concern" if number == 1 else f"{number} concerns"
        return f"{counted} {self.level} ({'; '.join(self.concerns)}). Agreed beforehand: {self.then}"


@dataclass(frozen=True)
class Gate:
    """The stop rules that one model's audit meets."""

    model_id: str
    met: tuple[MetRule, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether any rule is met."""
        return bool(self.met)

    def require_open(self, *, hint: str = "") -> None:
        """Stop where a rule is met; call it once everything has been written.

        Raises
        ------
        FairnessGate
            Naming every rule that is met, and what was agreed to do.
        """
        if self.stops:
            raise FairnessGate(
                f"the audit of {self.model_id} meets what reviewers agreed stops a model",
                found="\n    ".join(rule.words for rule in self.met),
                hint=hint or "read the audit with the reviewers; what was agreed is stated above",
            )


def gate_of(audit: pd.DataFrame, policy: PolicySpec, model_id: str) -> Gate:
    """The stop rules of a policy that the audit of one model meets.

    Parameters
    ----------
    audit : DataFrame
        The audit noun: one row a check, group and model.
    policy : PolicySpec
        Whose rules were agreed.
    model_id : str
        The model that planners are shown.

    Returns
    -------
    Gate
        An intersection meets a rule about any of the characteristics that meet in it. Concerns in a part of the
        evidence (an origin, a district, another stream's records) tell where to look and meet no rule.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"model_id": "m", "verdict": "concern", "severity": "action", "characteristic": "sex",
    ...        "group": "female", "code": "M2", "check": "calibration_ratio", "direction": "under"}
    >>> rule = StopRuleSpec(when="concern_at_action", then="It is not used.")
    >>> policy = PolicySpec(title="A", use_statement="B", stop_rules=[rule])
    >>> gate_of(pd.DataFrame([row]), policy, "m").met[0].words
    '1 concern at action level (sex: female, less was forecast than was recorded). Agreed beforehand: It is not used.'
    >>> gate_of(pd.DataFrame([row]), policy, "another").stops
    False
    """
    rules = [(rule, concerns_meeting(audit, rule, model_id)) for rule in policy.stop_rules]
    return Gate(
        model_id, tuple(MetRule(rule.then, _LEVELS[rule.when], _named(rows)) for rule, rows in rules if len(rows))
    )


def concerns_meeting(audit: pd.DataFrame, rule: StopRuleSpec, model_id: str) -> pd.DataFrame:
    """The rows of the audit of one model that meet a stop rule."""
    of_all = audit["part"] == "all" if "part" in audit else True
    concerns = audit[(audit["model_id"] == model_id) & (audit["verdict"] == "concern") & of_all]
    met = concerns["severity"].isin(_SEVERITIES[rule.when])
    if rule.characteristics:
        wanted = set(rule.characteristics)
        met &= np.array([bool(wanted & set(name.split(" x "))) for name in concerns["characteristic"]], dtype=bool)
    return concerns[met]


def _named(rows: pd.DataFrame) -> tuple[str, ...]:
    """Each group once, however many rows speak of it."""
    said = {"over": "more was forecast than was recorded", "under": "less was forecast than was recorded"}
    columns = zip(rows["characteristic"], rows["group"], rows["direction"], strict=True)
    lines = [
        ", ".join(filter(None, [f"{kind}: {group}", said.get(direction, "")])) for kind, group, direction in columns
    ]
    return tuple(dict.fromkeys(lines))
