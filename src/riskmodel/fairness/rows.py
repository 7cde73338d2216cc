"""A check's arrays in; rows of the ``audit`` table out, each with its verdict and the words for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness import verdicts as v
from riskmodel.fairness.checks.base import Check
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.inference import Inferred
from riskmodel.fairness.sums import Sums
from riskmodel.fairness.visibility import look
from riskmodel.fairness.words import Finding, explain, where_they_live, who_they_are

__all__ = ["Asked", "rows_of", "unanswered"]

Floats = npt.NDArray[np.float64]
Rows = list[dict[str, Any]]
Figures = dict[str, Floats]
_WRITTEN = (
    "statistic", "no_difference", "low", "high", "p", "p_adjusted", "bound", "action_bound", "smallest_seen",
    "per_1000", "per_1000_low", "per_1000_high", "per_1000_smallest_seen",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Asked:
    """What rows are of: a registered check, the source and models whose forecasts are audited, and the policy."""

    name: str
    check: Check
    evidence: str
    source: str
    target: str
    level: str
    models: tuple[str, ...]
    restricted: bool
    policy: PolicySpec


def rows_of(asked: Asked, sums: Sums, *, judged: bool = True, of_part: bool = False) -> Rows:
    """Rows of one check over the groups of one grouping and the models, for one part of the evidence.

    Parameters
    ----------
    asked : Asked
    sums : Sums
        Of the part and the models.
    judged : bool
        Whether a tested check gives its verdict here; if not, it describes.
    of_part : bool
        Whether the part is one of the check's own.
    """
    check, policy = asked.check, asked.policy
    values = (check.statistic_of_part if of_part else check.statistic)(sums)
    nothing = np.broadcast_to(check.nothing(sums), values.shape[1:]).astype(np.float64)
    found = _inferred(check, sums, values, nothing)
    held = _held(asked, sums, found.blocks)
    figures = _figures(asked, sums, found, nothing)
    if check.verdict and judged:
        tested = (held.people >= policy.evidence.least_people) & (held.records >= policy.evidence.least_records)
        figures["p"] = found.p
        figures["p_adjusted"] = v.holm_over_groups(np.where(tested, found.p, np.nan))
        words = v.judge(
            found.estimate - nothing, found.low - nothing, found.high - nothing, figures["p_adjusted"],
            notice=figures["bound"], visible=~(figures["declared_shows"] < figures["bound"]), held=held,
            evidence=policy.evidence,
        )  # fmt: skip
    else:
        words = v.described(found.estimate, held, policy.evidence)
    severities = v.severity(words, found.estimate - nothing, figures["action_bound"])
    figures |= {"people": held.people, "records": held.records, "blocks": found.blocks.astype(np.float64)}
    return _written(asked, sums, figures, words, severities, of_part=of_part)


def unanswered(asked: Asked, grouping: Grouping, why: str, *, part: str = "all") -> Rows:
    """Rows of a check that cannot be asked of these groups, with the reason."""
    blank = dict.fromkeys((*_WRITTEN, "people"), np.nan)
    return [
        _row(asked, grouping, group, model, part)
        | blank
        | {"people": float(people), "verdict": v.NOT_ASSESSABLE, "severity": None, "direction": None, "blocks": 0,
           "explanation": why}
        for group, people in zip(grouping.groups, grouping.people.sum(axis=0), strict=True)
        for model in asked.models
    ]  # fmt: skip


def _inferred(check: Check, sums: Sums, values: Floats, nothing: Floats) -> Inferred:
    """Inference on the scale of the check; a ratio of nought is a figure without an interval."""
    if check.scale == "difference":
        return sums.infer(values, nothing)
    positive = values > 0
    logs = np.where(positive, np.log(np.where(positive, values, 1.0)), np.nan)
    found = sums.infer(logs, np.log(nothing))
    unknown = np.full(nothing.shape, np.nan)
    return found._replace(
        estimate=values[0], low=np.exp(found.low), high=np.exp(found.high), smallest_seen=unknown, error=unknown
    )


def _held(asked: Asked, sums: Sums, blocks: npt.NDArray[np.int64]) -> v.Held:
    people = sums.residents("one")[0] / max(sums.origins, 1)
    records = sums.group("recorded" if sums.part.origins is not None else "recorded_once")[0]
    hidden = np.zeros(records.shape, dtype=np.bool_)
    if asked.restricted:
        least = asked.policy.disclosure.suppress_below
        once = records / np.maximum(sums.group("recorded")[0], 1.0)
        counts = [records, *(count * once for count in asked.check.counts(sums))]
        hidden = v.with_another(np.any([count < least for count in counts], axis=0), records)
    return v.Held(people, records, blocks, hidden)


def _figures(asked: Asked, sums: Sums, found: Inferred, nothing: Floats) -> Figures:
    """All figures of the rows, each [group, model]."""
    check, policy, shape = asked.check, asked.policy, nothing.shape
    unknown = np.full(shape, np.nan)
    bounds = check.bounds(policy, sums) or (unknown, unknown)
    figures = {
        "statistic": found.estimate, "no_difference": nothing, "low": found.low, "high": found.high, "p": unknown,
        "p_adjusted": unknown, "smallest_seen": found.smallest_seen,
        "bound": np.broadcast_to(bounds[0], shape), "action_bound": np.broadcast_to(bounds[1], shape),
        "own_share": unknown, "others_share": unknown, "declared_shows": unknown, "between_people": unknown,
    }  # fmt: skip
    for name in ("statistic", "low", "high", "smallest_seen"):
        terms = check.per_1000(figures[name], sums)
        figures[f"per_1000_{name}".removesuffix("_statistic")] = unknown if terms is None else terms
    if asked.evidence == "composition" and check.verdict:
        seen = look(sums)
        figures |= {"own_share": seen.own, "others_share": seen.others,
                    "declared_shows": seen.contrast(policy.evidence.declared_effect),
                    "between_people": seen.between_people(found.smallest_seen)}  # fmt: skip
    few = found.blocks < policy.evidence.least_blocks
    for name in ("low", "high", "per_1000_low", "per_1000_high", "smallest_seen", "per_1000_smallest_seen"):
        figures[name] = np.where(few, np.nan, figures[name])
    return figures


def _written(
    asked: Asked, sums: Sums, figures: Mapping[str, Floats], words: v.Words, severities: v.Words, *, of_part: bool
) -> Rows:
    grouping, check = sums.grouping, asked.check
    held = {name: values.tolist() for name, values in figures.items()}
    why = check.why_not(sums)
    notes, reading = (None, "") if of_part else (check.notes(sums), check.reading)
    rows: Rows = []
    for g, group in enumerate(grouping.groups):
        for m, model in enumerate(asked.models):
            verdict, severity = str(words[g, m]), severities[g, m]
            one = {name: values[g][m] for name, values in held.items()}
            finding = Finding(
                group=group, kind=grouping.kind, nothing_is=check.nothing_is, evidence=asked.evidence,
                unit=check.unit, groups=len(grouping.groups), restricted=asked.restricted, **_for_words(one),
            )  # fmt: skip
            note = "" if notes is None else str(notes[g, m])
            text = explain(verdict, severity, finding, asked.policy, why_not=why, reading=reading, note=note)
            figure = {name: one[name] for name in _WRITTEN}
            if verdict in (v.SUPPRESSED, v.NOT_ASSESSABLE):
                figure = dict.fromkeys(_WRITTEN, np.nan)
            elif asked.restricted:
                figure = {name: _coarse(value) for name, value in figure.items()}
            rows.append(
                _row(asked, grouping, group, model, sums.part.name)
                | figure
                | {"verdict": verdict, "severity": severity, "direction": _direction(check, figure),
                   "people": one["people"], "blocks": int(one["blocks"]), "explanation": text}
            )  # fmt: skip
    return rows


def _for_words(one: Mapping[str, float]) -> dict[str, Any]:
    return {
        "nothing": one["no_difference"],
        "blocks": int(one["blocks"]),
        **{name: one[name] for name in Finding.__dataclass_fields__ if name in one and name != "blocks"},
    }


def _coarse(value: float) -> float:
    """Two digits after the point, or two digits in all: an exact figure of few records would give them away."""
    return value if value != value else float(f"{value:.2g}") if abs(value) >= 1 else round(value, 2)


def _direction(check: Check, figure: Mapping[str, float]) -> str | None:
    away = figure["statistic"] - figure["no_difference"]
    if not check.signed or away != away or away == 0:
        return None
    return "over" if away > 0 else "under"


def _row(asked: Asked, grouping: Grouping, group: str, model: str, part: str) -> dict[str, Any]:
    return {
        "check": asked.name,
        "code": asked.check.code,
        "characteristic": grouping.characteristic,
        "group": group,
        "evidence": asked.evidence,
        "source": asked.source,
        "target": asked.target,
        "model_id": model,
        "level": asked.level,
        "part": part,
        "question": asked.check.question.format(
            who=who_they_are(group, grouping.kind), where=where_they_live(group, grouping.kind, asked.evidence)
        ),
        "unit": asked.check.unit,
    }
