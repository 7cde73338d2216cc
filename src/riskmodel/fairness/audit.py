"""Evidence, groups and a policy in; the ``audit`` table out: what each check found, and what it could not see.

No row is silently absent: every check has one for every group, model and kind of evidence it asks for, with a verdict
or the reason why there is none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts import registry
from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.periods import month_label
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.tables import TableError, as_table
from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.columns import make_columns
from riskmodel.fairness.evidence import Evidence, Grouping, OutcomeEvidence
from riskmodel.fairness.outcomes import outcome_rows
from riskmodel.fairness.rows import Asked, Rows, rows_of, unanswered
from riskmodel.fairness.sums import CompositionSums, Part, Setting, Sums, make_weights
from riskmodel.fairness.verdicts import ACTION, CONCERN, NOTICE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WHOLE", "action_concerns", "build_audit", "concerns_of", "listed_rows"]

Bools = npt.NDArray[np.bool_]
WHOLE = "all"
"""The part of a row that is of all the evidence."""
_MEMBER = 0.5


def build_audit(
    evidence: Evidence,
    groupings: Sequence[Grouping],
    policy: PolicySpec,
    *,
    outcomes: Sequence[OutcomeEvidence] = (),
    detailed: Sequence[str] = (),
    parts: Mapping[str, Bools] | None = None,
) -> pd.DataFrame:
    """Audit every model of the evidence for every group.

    Parameters
    ----------
    evidence : Evidence
        Out-of-time forecasts of candidates and baselines.
    groupings : sequence of Grouping
        Characteristics, and intersections of them.
    policy : PolicySpec
        Checks, bounds, and how much evidence a verdict needs.
    outcomes : sequence of OutcomeEvidence
        Records by group; each is of a characteristic among the groupings.
    detailed : sequence of str
        Models whose parts are looked at one by one: origins, districts, fifths of the level expected, classes of areas.
    parts : mapping of str to array of bool, [area], optional
        Named sets of areas in which the audit of the detailed models is repeated, verdicts included.

    Returns
    -------
    DataFrame
        The audit noun, sorted by its key. Verdicts are given for all areas and origins together, and again in each of
        the named parts; Holm's adjustment is over the groups of one characteristic in one of these.

    Raises
    ------
    DefinitionError
        If a check is not registered or a detailed model is not in the evidence.
    TableError
        If a grouping lacks areas of the evidence, or a named part does not fit them.
    """
    import pandas as pd

    unknown = [model for model in detailed if model not in evidence.models]
    if unknown:
        raise DefinitionError("the audit cannot go into detail", found=unknown, allowed=list(evidence.models),
                              hint=did_you_mean(unknown[0], evidence.models))  # fmt: skip
    asked = _asked(evidence, policy)
    tilings, columns = make_tilings(evidence.points), make_columns(evidence, policy.priority_share)
    here = [grouping.at(evidence.areas) for grouping in groupings]
    setting = _setting(evidence, here)
    named = [Part(name, _mask(name, areas, evidence)) for name, areas in (parts or {}).items()]
    models = np.array([evidence.models.index(model) for model in detailed], dtype=np.intp)
    rows: Rows = []
    for grouping in here:
        weights = make_weights(tilings, grouping, evidence.residents)
        sums = CompositionSums(columns, weights, Part(WHOLE), setting)
        close = sums.of_models(models)
        inside = [close.within(part) for part in named]
        for each in asked:
            rows += _rows_of_check(each, sums)
            rows += _rows_in_detail(replace(each, models=tuple(detailed)), close, inside) if detailed else []
    rows += outcome_rows(evidence, here, outcomes, asked, columns, tilings, setting)
    table = as_table(pd.DataFrame(rows, columns=AUDIT.names), AUDIT)
    return table.sort_values(list(AUDIT.key), ignore_index=True)


def concerns_of(audit: pd.DataFrame, model_id: str) -> pd.DataFrame:
    """Rows of a model that are a concern over all the evidence; those of parts of it tell where to look."""
    own = (audit["model_id"] == model_id) & (audit["verdict"] == CONCERN) & (audit["part"] == WHOLE)
    return audit[own].reset_index(drop=True)


def listed_rows(audit: pd.DataFrame, models: Collection[str]) -> pd.DataFrame:
    """The rows that pages and papers list; the others are for analysts.

    Every row of a single characteristic, whichever model and part it is of. Where characteristics meet there are very
    many groups: of these, the rows over all the evidence of a few models.

    Parameters
    ----------
    audit : DataFrame
        The audit noun.
    models : collection of str
        The model that planners are shown, and counting.
    """
    crossed = audit["characteristic"].astype("str").str.contains(" x ", regex=False)
    return audit[~crossed | ((audit["part"] == WHOLE) & audit["model_id"].isin(list(models)))]


def action_concerns(audit: pd.DataFrame, policy: PolicySpec, model_id: str | None = None) -> pd.DataFrame:
    """Concerns that a stop rule of the policy is about, of one model or of all.

    Parameters
    ----------
    audit : DataFrame
        The audit noun.
    policy : PolicySpec
        A rule that names characteristics is about these and about intersections of them.
    model_id : str, optional
    """
    import pandas as pd

    found = audit[(audit["verdict"] == CONCERN) & (audit["part"] == WHOLE)]
    if model_id is not None:
        found = found[found["model_id"] == model_id]
    met = pd.Series(False, index=found.index)
    for rule in policy.stop_rules:
        severe = found["severity"].isin([ACTION] if rule.when == "concern_at_action" else [ACTION, NOTICE])
        about = found["characteristic"].map(lambda name, of=rule.characteristics: _is_about(name, of))
        met |= severe & about.astype(bool)
    return found[met].reset_index(drop=True)


def _is_about(characteristic: str, named: Sequence[str]) -> bool:
    return not named or bool(set(characteristic.split(" x ")) & set(named))


def _asked(evidence: Evidence, policy: PolicySpec) -> list[Asked]:
    found = []
    for name in policy.checks or registry.names("check"):
        made = registry.load("check", name)
        check = made() if isinstance(made, type) else made
        found.append(Asked(name, check, "composition", evidence.source, evidence.target, evidence.level,
                           evidence.models, evidence.restricted, policy))  # fmt: skip
    return found


def _setting(evidence: Evidence, groupings: Sequence[Grouping]) -> Setting:
    classes = tuple(
        (grouping.characteristic, group, grouping.shares[:, number] > _MEMBER)
        for grouping in groupings
        if grouping.kind == "areas"
        for number, group in enumerate(grouping.groups)
    )
    labels = tuple(month_label(int(month)) for month in evidence.origins)
    return Setting(labels, evidence.district, evidence.districts, evidence.residents, classes)


def _mask(name: str, areas: Bools, evidence: Evidence) -> npt.NDArray[np.float64]:
    if areas.shape != evidence.areas.shape or areas.dtype != np.bool_:
        raise TableError(f"the part '{name}' does not fit the areas", found=[areas.shape, areas.dtype],
                         allowed=f"true or false for each of {len(evidence.areas)} areas")  # fmt: skip
    return areas.astype(np.float64)


def _rows_of_check(asked: Asked, sums: Sums) -> Rows:
    """Rows of one check over all the evidence."""
    if "composition" not in asked.check.evidence:
        return []
    if sums.grouping.kind not in asked.check.kinds:
        why = "Asked of groups of people only: a class takes in all residents of an area or none."
        return unanswered(asked, sums.grouping, why)
    return rows_of(asked, sums)


def _rows_in_detail(asked: Asked, sums: Sums, named: Sequence[Sums]) -> Rows:
    """Rows of one check in the named sets of areas and in its own parts."""
    if "composition" not in asked.check.evidence or sums.grouping.kind not in asked.check.kinds:
        return []
    rows = [row for part in named for row in rows_of(asked, part)]
    for own in asked.check.parts(sums):
        rows += rows_of(asked, sums.within(own), judged=False, of_part=True)
    return rows
