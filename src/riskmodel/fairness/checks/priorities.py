"""M3, M4, M6, M7 and M10: who lives in the areas that forecasts put first, and what was recorded there.

None of these is 1, or equal between groups, in a forecast without bias: they also follow where groups live, how much is
recorded there, and chance in what is recorded. So they describe, and no bound on them stops anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check, Words
from riskmodel.fairness.priority import within_band
from riskmodel.fairness.sums import Part, Sums, ratio

__all__ = [
    "Burden", "CompositionOfBands", "CoverageOfRecorded", "Miss", "Selection", "SelectionBesideRecorded",
    "YieldOfPriority",
]  # fmt: skip

Floats = npt.NDArray[np.float64]
_BANDS = {
    "most expected twentieth": (0.0, 0.05),
    "middle twentieth": (0.475, 0.525),
    "least expected twentieth": (0.95, 1.0),
}
_NOT_A_TEST = "Without any bias the figure need not be 1."


def _compared(own: Floats, everyone: Floats, text: str) -> Words:
    """The two shares that a ratio is of, in words."""
    both = np.broadcast_arrays(own, everyone)
    said = [text.format(100 * a, 100 * b) if a == a else "" for a, b in zip(*(x.ravel() for x in both), strict=True)]
    return np.array(said, dtype=object).reshape(own.shape)


class CoverageOfRecorded(Check):
    """Share of recorded violence that falls in the areas put first, the group's over everyone's (M3)."""

    code = "M3"
    question = (
        "Does as much of what was recorded {where} fall in the areas put first as of what was recorded everywhere?"
    )
    unit = "times"
    scale = "ratio"
    evidence = ("composition", "outcomes")
    reading = "It follows where the group lives as well as the forecast."

    def statistic(self, sums: Sums) -> Floats:
        """Sum s Y f / sum s Y over the same of everyone."""
        own, everyone = self._shares(sums)
        return ratio(own, everyone)

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """Relative differences."""
        return policy.bounds.coverage.notice, policy.bounds.coverage.action

    def notes(self, sums: Sums) -> Words:
        """The shares themselves."""
        own, everyone = self._shares(sums)
        return _compared(own[0], everyone[0], "It is {:.0f} % of the group's and {:.0f} % of everyone's.")

    def counts(self, sums: Sums) -> Sequence[Floats]:
        """Records inside and outside the areas put first."""
        inside = sums.group("recorded_in_first")[0]
        return inside, sums.group("recorded")[0] - inside

    def _shares(self, sums: Sums) -> tuple[Floats, Floats]:
        return (
            ratio(sums.group("recorded_in_first"), sums.group("recorded")),
            ratio(sums.everyone("recorded_in_first"), sums.everyone("recorded")),
        )


class YieldOfPriority(Check):
    """Records per 1,000 residents of the group in the areas put first, over everyone's (M4)."""

    code = "M4"
    question = "In the areas put first, is as much recorded per resident {where} as everywhere?"
    unit = "times"
    scale = "ratio"
    reading = f"Lower means that less was recorded where the group is put first. {_NOT_A_TEST}"

    def statistic(self, sums: Sums) -> Floats:
        """Sum s Y f / sum w f over the same of everyone."""
        return ratio(ratio(sums.group("recorded_in_first"), sums.residents("first_months")), self._everyone(sums))

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """Relative differences."""
        return policy.bounds.coverage.notice, policy.bounds.coverage.action

    def per_1000(self, statistic: Floats, sums: Sums) -> Floats:
        """Recorded beyond everyone's yield."""
        return np.asarray(12_000.0 * (statistic - 1.0) * self._everyone(sums)[0])

    def counts(self, sums: Sums) -> Sequence[Floats]:
        """Records inside the areas put first."""
        return (sums.group("recorded_in_first")[0],)

    def why_not(self, sums: Sums) -> str:
        """Nobody of the group lives there."""
        return "Nobody of the group lives in an area put first, or nothing was recorded there."

    def _everyone(self, sums: Sums) -> Floats:
        return ratio(sums.everyone("recorded_in_first"), sums.all_residents("first_months"))


class Selection(Check):
    """Share of the group living in the areas put first, over everyone's (M6)."""

    code = "M6"
    question = "Do {who} live in areas put first as often as everyone does?"
    unit = "times"
    scale = "ratio"
    reading = f"It follows where the group lives and what is recorded there. {_NOT_A_TEST}"

    def statistic(self, sums: Sums) -> Floats:
        """Sum w f / sum w over the same of everyone."""
        own, everyone = self._shares(sums)
        return ratio(own, everyone)

    def notes(self, sums: Sums) -> Words:
        """The shares themselves."""
        own, everyone = self._shares(sums)
        return _compared(own[0], everyone[0], "{:.0f} % of the group and {:.0f} % of everyone live there.")

    def why_not(self, sums: Sums) -> str:
        """Nobody lives there."""
        return "Nobody of the group lives in the part looked at."

    def _shares(self, sums: Sums) -> tuple[Floats, Floats]:
        return (
            ratio(sums.residents("first"), sums.residents("one")),
            ratio(sums.all_residents("first"), sums.all_residents("one")),
        )


class SelectionBesideRecorded(Check):
    """Share of the group living in the areas put first, over the share had recorded violence been known (M6)."""

    code = "M6"
    question = "Do {who} live in areas put first as often as they would, had the records been known before?"
    unit = "times"
    scale = "ratio"
    reading = f"One year's records are partly chance, which moves the figure either way. {_NOT_A_TEST}"

    def statistic(self, sums: Sums) -> Floats:
        """Sum w f / sum w f*."""
        return ratio(sums.residents("first"), sums.residents("first_by_recorded"))

    def why_not(self, sums: Sums) -> str:
        """Nobody lives there."""
        return "Nobody of the group lives in an area where most was recorded."


class Burden(Check):
    """Share of the group living in areas put first that recorded violence would not have put first (M7)."""

    code = "M7"
    question = "What share of {who} live in areas put first where less was then recorded?"
    unit = "share"
    nothing_is = "everyone's"
    reading = "For offers of support a higher share is no harm; for enforcement it is."

    def statistic(self, sums: Sums) -> Floats:
        """Sum w max(f - f*, 0) / sum w, which is f (1 - f*) but for the areas taken in part."""
        return ratio(sums.residents("first_not_by_recorded"), sums.residents("one"))

    def nothing(self, sums: Sums) -> Floats:
        """Everyone's share."""
        return np.asarray(ratio(sums.all_residents("first_not_by_recorded"), sums.all_residents("one"))[0])


class Miss(Check):
    """Of the group living where most was recorded, the share in areas not put first (M7)."""

    code = "M7"
    question = "Of {who} living where most was then recorded, what share live in areas not put first?"
    unit = "share"
    nothing_is = "everyone's"
    reading = "For offers of support a higher share is a harm: they are not reached."

    def statistic(self, sums: Sums) -> Floats:
        """Sum w max(f* - f, 0) / sum w f*, which is (1 - f) f* but for the areas taken in part."""
        return ratio(sums.residents("not_first_by_recorded"), sums.residents("first_by_recorded"))

    def nothing(self, sums: Sums) -> Floats:
        """Everyone's share."""
        shares = ratio(sums.all_residents("not_first_by_recorded"), sums.all_residents("first_by_recorded"))
        return np.asarray(shares[0])

    def why_not(self, sums: Sums) -> str:
        """Nobody lives there."""
        return "Nobody of the group lives in an area where most was recorded."


class CompositionOfBands(Check):
    """How often the group lives where most, about the middle or least is expected, over everyone (M10).

    Over all the evidence: in the half of residents with the most expected; as parts, in a twentieth at the top, in the
    middle and at the bottom.
    """

    code = "M10"
    question = "Do {who} live where more is expected per resident as often as everyone does?"
    unit = "times"
    scale = "ratio"
    reading = f"It says where people live, not how they are forecast. {_NOT_A_TEST}"

    def statistic(self, sums: Sums) -> Floats:
        """In the half of residents with the most expected."""
        return self._times(sums.within(Part("half", _band(sums, 0.0, 0.5))))

    def statistic_of_part(self, sums: Sums) -> Floats:
        """In the band."""
        return self._times(sums)

    def parts(self, sums: Sums) -> Sequence[Part]:
        """Three bands."""
        return [Part(name, _band(sums, *ends)) for name, ends in _BANDS.items()]

    def why_not(self, sums: Sums) -> str:
        """Nobody lives there."""
        return "Nobody of the group lives in the band."

    def _times(self, sums: Sums) -> Floats:
        own = ratio(sums.residents("one"), sums.whole.residents("one"))
        return ratio(own, ratio(sums.all_residents("one"), sums.whole.all_residents("one")))


def _band(sums: Sums, start: float, end: float) -> Floats:
    return within_band(sums.area_values("expected"), sums.weights.residents, start, end)
