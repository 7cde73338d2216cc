"""What a check is: one fairness question, answered by a function of sums over areas.

A check from another package derives from ``Check``, is registered under the entry point group ``riskmodel.checks``,
and enters the audit by the same door as the built-in ones; ``riskmodel.testing.check_fairness_check`` holds it to its
rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.sums import Part, Sums

__all__ = ["Bounds", "Check"]

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]
Bounds = tuple[Floats | float, Floats | float]


class Check:
    """One fairness question.

    Class attributes say what it is; ``statistic`` computes it. Intervals follow from the sums with blocks left out,
    which ``statistic`` sees as further replicates and must treat all alike.
    """

    code: ClassVar[str]
    """M1 to M11 for the built-in ones."""
    question: ClassVar[str]
    """In a sentence; ``{who}`` stands for the group's people and ``{where}`` for where they live."""
    unit: ClassVar[str]
    scale: ClassVar[Literal["difference", "ratio"]] = "difference"
    """Ratios get intervals on the log scale."""
    verdict: ClassVar[bool] = False
    """Whether its size was tested, so that it may say concern; all other checks describe."""
    signed: ClassVar[bool] = False
    """Whether above ``nothing`` means that more was forecast than was recorded."""
    evidence: ClassVar[tuple[str, ...]] = ("composition",)
    """composition, outcomes, or both."""
    kinds: ClassVar[tuple[str, ...]] = ("people", "areas")
    """Groups of people, classes of areas, or both."""
    nothing_is: ClassVar[str] = "no difference"
    """What the value of ``nothing`` is called."""
    reading: ClassVar[str] = ""
    """What a reader has to know so as not to misread the figure, in a sentence."""

    def statistic(self, sums: Sums) -> Floats:
        """What is found, [replicate, group, model]; NaN where it is not defined."""
        raise NotImplementedError

    def statistic_of_part(self, sums: Sums) -> Floats:
        """The same for one of the check's own parts."""
        return self.statistic(sums)

    def nothing(self, sums: Sums) -> Floats | float:
        """What the statistic would be with no difference, [1 or group, model] or one number."""
        return 1.0 if self.scale == "ratio" else 0.0

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds | None:
        """From how far off ``nothing`` the policy wants notice, and action; None where it does not say."""
        return None

    def per_1000(self, statistic: Floats, sums: Sums) -> Floats | None:
        """Values of the statistic [group, model] in records per 1,000 residents a year; None where they have none."""
        return None

    def counts(self, sums: Sums) -> Sequence[Floats]:
        """Counts of records [group, model], beside all of the group's, that the figure would give away."""
        return ()

    def notes(self, sums: Sums) -> Words | None:
        """What a reader should know of each figure, [group, model], such as the shares that a ratio is of."""
        return None

    def parts(self, sums: Sums) -> Sequence[Part]:
        """Parts of the evidence that the check looks at apart, for the models looked at in detail."""
        return ()

    def why_not(self, sums: Sums) -> str:
        """Why there is no figure, where there is none."""
        return "Nothing was recorded or forecast where the group lives, so there is nothing to divide by."
