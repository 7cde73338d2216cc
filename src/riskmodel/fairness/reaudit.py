"""The audit's own check with a verdict, asked again: of other people in the same areas, or of other records of them.

Bounds on intersections and tipping points say how a verdict would change. They ask the check itself, so that a verdict
on what is known is word for word the audit's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.checks.calibration import CalibrationRatio
from riskmodel.fairness.columns import Columns, make_columns
from riskmodel.fairness.crossed_ratios import Judge
from riskmodel.fairness.evidence import Evidence, Grouping
from riskmodel.fairness.rows import Asked, Rows, rows_of
from riskmodel.fairness.sensitivity import Judged, JudgeRecords
from riskmodel.fairness.sums import CompositionSums, Part, Setting, make_weights

__all__ = ["WITH_A_VERDICT", "judge_people", "judge_records"]

Floats = npt.NDArray[np.float64]
WITH_A_VERDICT = "calibration_ratio"
"""The name of the one check that gives verdicts."""


def judge_people(evidence: Evidence, grouping: Grouping, policy: PolicySpec) -> Judge:
    """A function of people [area, cell] and a model's number to the verdict on each cell, with a concern's direction.

    Parameters
    ----------
    evidence : Evidence
    grouping : Grouping
        The cells' own, at the evidence's areas; only its people change.
    policy : PolicySpec
    """
    asking = _Asking(evidence, policy)

    def judge(people: Floats, model: int) -> Sequence[str]:
        of = replace(grouping, people=np.minimum(people, grouping.total[:, None]))
        rows = asking.rows(of, _Chosen(asking.columns, model), (evidence.models[model],))
        return [
            f"{row['verdict']} {row['direction']}" if row["verdict"] == "concern" else row["verdict"] for row in rows
        ]

    return judge


def judge_records(evidence: Evidence, grouping: Grouping, policy: PolicySpec) -> JudgeRecords:
    """A function of how many times as many records [supposition, area] to what the audit then says.

    Parameters
    ----------
    evidence : Evidence
    grouping : Grouping
        At the evidence's areas.
    policy : PolicySpec
    """
    asking = _Asking(evidence, policy)

    def judge(times: Floats) -> Judged:
        models = tuple(f"{model} {number}" for number in range(len(times)) for model in evidence.models)
        rows = asking.rows(grouping, _Supposed(asking.columns, times), models)
        shape = (len(grouping.groups), len(times), len(evidence.models))
        statistic = np.array([row["statistic"] for row in rows], dtype=np.float64).reshape(shape)
        verdict = np.array([row["verdict"] for row in rows], dtype=np.str_).reshape(shape)
        return Judged(np.moveaxis(statistic, 0, 2), np.moveaxis(verdict, 0, 2))

    return judge


class _Asking:
    """What does not change between one asking and the next."""

    def __init__(self, evidence: Evidence, policy: PolicySpec) -> None:
        self.evidence, self.policy = evidence, policy
        self.tilings, self.columns = make_tilings(evidence.points), make_columns(evidence, policy.priority_share)
        names = tuple(map(str, evidence.origins))
        self.setting = Setting(names, evidence.district, evidence.districts, evidence.residents)

    def rows(self, grouping: Grouping, columns: Columns, models: tuple[str, ...]) -> Rows:
        """The audit's rows, groups first, then models."""
        of, policy = self.evidence, self.policy
        asked = Asked(
            WITH_A_VERDICT, CalibrationRatio(), "composition", of.source, of.target, of.level, models, of.restricted,
            policy,
        )  # fmt: skip
        weights = make_weights(self.tilings, grouping, of.residents)
        return rows_of(asked, CompositionSums(columns, weights, Part(), self.setting))


class _Summed(Columns):
    """Columns added up over origins, for models that are not those of the audit: [model, 1, area]."""

    def __init__(self, columns: Columns, models: int) -> None:
        self._columns, self._models = columns, models

    @property
    def shape(self) -> tuple[int, int, int]:
        """Models, one, and areas."""
        return self._models, 1, self._columns.shape[2]

    def __getitem__(self, name: str) -> Floats:
        if name == "one":
            return np.ones(self.shape)
        values = self._of(name, self._columns[name].sum(axis=1))
        return np.broadcast_to(values, (self._models, self.shape[2]))[:, None]

    def _of(self, name: str, summed: Floats) -> Floats:
        raise NotImplementedError


class _Chosen(_Summed):
    """One model."""

    def __init__(self, columns: Columns, model: int) -> None:
        super().__init__(columns, 1)
        self._model = model

    def _of(self, name: str, summed: Floats) -> Floats:
        return np.asarray(summed[self._model][None], dtype=np.float64)


class _Supposed(_Summed):
    """Every model under every supposition; how many records there really are is not supposed away."""

    def __init__(self, columns: Columns, times: Floats) -> None:
        super().__init__(columns, len(times) * columns.shape[0])
        self._times = times

    def _of(self, name: str, summed: Floats) -> Floats:
        times = self._times if name == "recorded" else np.ones((len(self._times), 1))
        return np.asarray((times[:, None, :] * summed[None]).reshape(-1, summed.shape[-1]), dtype=np.float64)
