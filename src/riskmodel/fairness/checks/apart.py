"""M9 and M11: the calibration contrast taken apart, by level expected, class of area, origin and district.

A contrast of nought over a whole region may be the sum of one above and one below. The row of all the evidence holds
the largest departure; the parts are given one by one for the models looked at in detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check, Words
from riskmodel.fairness.checks.calibration import calibration_contrast
from riskmodel.fairness.priority import within_band
from riskmodel.fairness.sums import Part, Sums

__all__ = ["ConditionalCalibration", "Drift"]

Floats = npt.NDArray[np.float64]
_FIFTHS = ("highest", "second", "third", "fourth", "lowest")


class _Largest(NamedTuple):
    """Values [replicate, group, model] and the place among the parts that they are of, [group, model]."""

    values: Floats
    place: npt.NDArray[np.intp]


class _ContrastApart(Check):
    unit = "log ratio"

    def statistic_of_part(self, sums: Sums) -> Floats:
        """The calibration contrast of the part."""
        return calibration_contrast(sums)

    def statistic(self, sums: Sums) -> Floats:
        """The largest departure."""
        return self._found(sums).values

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """As for the calibration ratio."""
        bound = policy.bounds.calibration_ratio
        return float(np.log(bound.notice)), float(np.log(bound.action))

    def why_not(self, sums: Sums) -> str:
        """Nothing to compare."""
        return "Too little is recorded or forecast in any part to compare the group with others there."

    def _found(self, sums: Sums) -> _Largest:
        return sums.once(type(self).__name__, lambda: self._largest(sums))

    def _largest(self, sums: Sums) -> _Largest:
        raise NotImplementedError


class ConditionalCalibration(_ContrastApart):
    """The calibration contrast among areas alike in what is expected, or of one class (M9).

    Parts: fifths of residents by what the model expects per resident, and the classes of areas that are audited
    (deprivation fifths, urban and rural), but for the group's own characteristic. Over all the evidence: the part whose
    contrast is largest after each was drawn towards their mean by how sure it is (DerSimonian and Laird 1986). The
    interval does not allow for its having been picked, nor for this: among areas of one expected level those of a class
    where more is recorded were more often forecast too low, by chance alone.
    """

    code = "M9"
    question = (
        "Among areas alike in what is expected or in their class, is more, or less, forecast {where} than elsewhere?"
    )
    reading = (
        "The part that departs most was picked out, for which the interval does not allow. Where a group goes with how "
        "much is recorded, errors of chance alone make parts by level depart."
    )
    signed = True

    def parts(self, sums: Sums) -> Sequence[Part]:
        """Fifths by level, and classes of areas."""
        return sums.once("parts alike", lambda: [*self._fifths(sums), *self._classes(sums)])

    def notes(self, sums: Sums) -> Words:
        """Which part it is."""
        names = np.array([part.name.replace("_", " ") for part in self.parts(sums)], dtype=object)
        return np.asarray("Largest in: " + names[self._found(sums).place] + ".", dtype=object)

    def _fifths(self, sums: Sums) -> list[Part]:
        expected, residents = sums.area_values("expected"), sums.weights.residents
        bands = [within_band(expected, residents, number / 5, (number + 1) / 5) for number in range(5)]
        return [Part(f"expected: {name} fifth", band) for name, band in zip(_FIFTHS, bands, strict=True)]

    def _classes(self, sums: Sums) -> list[Part]:
        return [
            Part(f"{characteristic}: {name}", inside.astype(np.float64))
            for characteristic, name, inside in sums.setting.classes
            if characteristic not in sums.grouping.characteristic.split(" x ") and inside.any()
        ]

    def _largest(self, sums: Sums) -> _Largest:
        each = [sums.within(part) for part in self.parts(sums)]
        values = np.stack([calibration_contrast(inner) for inner in each])
        errors = np.stack([inner.infer(value).error for inner, value in zip(each, values, strict=True)])
        known = np.isfinite(errors) & (errors > 0) & np.isfinite(values[:, 0])
        weight = np.where(known, 1.0 / np.where(known, errors, 1.0) ** 2, 0.0)
        held = np.where(known[:, None], values, 0.0)
        total = np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
        mean = (weight[:, None] * held).sum(axis=0) / total
        spread = (weight * (held[:, 0] - mean[0]) ** 2).sum(axis=0) - (known.sum(axis=0) - 1)
        scale = total - (weight**2).sum(axis=0) / total
        between = np.maximum(spread, 0.0) / np.where(scale > 0, scale, np.inf)
        trust = np.where(known, between / (between + np.where(known, errors, 1.0) ** 2), 0.0)
        # Drawn to the mean the value is surer, but it was picked; so its interval stays that of the part by itself.
        drawn = held - held[:, :1] + mean[0] + trust[:, None] * (held[:, :1] - mean[0])
        return _picked(np.where(known[:, None], drawn, np.nan), known)


class Drift(_ContrastApart):
    """How far the calibration contrast strays from its mean from origin to origin (M11).

    Over all the evidence: the largest cumulative sum of departures from the mean over origins, divided by their number;
    above nought the group's contrast was higher before than after. Parts: the contrast at each origin and in each
    district.
    """

    code = "M11"
    question = "Did the difference between what is forecast {where} and elsewhere stay the same from origin to origin?"
    reading = "The point of largest departure was picked out, for which the interval does not allow."

    def parts(self, sums: Sums) -> Sequence[Part]:
        """Origins and districts."""
        setting = sums.setting
        inside = [(setting.district == number).astype(np.float64) for number in range(len(setting.districts))]
        names = [f"district {name}" for name in setting.districts]
        districts = [Part(name, areas) for name, areas in zip(names, inside, strict=True) if areas.any()]
        return [*self._origins(sums), *districts]

    def notes(self, sums: Sums) -> Words:
        """Up to which origin."""
        names = np.array(sums.setting.origins, dtype=object)
        return np.asarray("Largest up to the origin " + names[self._found(sums).place] + ".", dtype=object)

    def why_not(self, sums: Sums) -> str:
        """One origin."""
        if len(sums.setting.origins) < 2:
            return "There is one origin, so nothing can have changed between origins."
        return super().why_not(sums)

    def _origins(self, sums: Sums) -> list[Part]:
        one = np.eye(len(sums.setting.origins), dtype=np.bool_)
        return [Part(f"origin {label}", None, one[number]) for number, label in enumerate(sums.setting.origins)]

    def _largest(self, sums: Sums) -> _Largest:
        values = np.stack([calibration_contrast(sums.within(part)) for part in self._origins(sums)])
        departures = np.cumsum(values - values.mean(axis=0), axis=0) / len(values)
        known = np.isfinite(departures[:, 0])
        known[-1] = False
        return _picked(departures, known)


def _picked(values: Floats, known: npt.NDArray[np.bool_]) -> _Largest:
    """Of values [part, replicate, group, model] the part largest in size; NaN where none is known."""
    size = np.where(known, np.abs(np.nan_to_num(values[:, 0])), -1.0)
    place = size.argmax(axis=0)
    chosen = np.take_along_axis(values, place[None, None], axis=0)[0]
    return _Largest(np.where(known.any(axis=0), chosen, np.nan), place)
