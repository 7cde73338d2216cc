"""Groups that cannot be judged in; the data that would settle it out, as a form to send: ``data_requests``.

Each form says which table is wanted, its columns and breakdowns, how many records of the group it must hold for the
difference that the policy declares to be seen, and who may hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.audit_tables import DATA_REQUESTS
from riskmodel.contracts.policy_specs import EvidenceSpec
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.blocks import TILINGS
from riskmodel.fairness.evidence import Grouping

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["build_data_requests", "records_needed"]

# Counts of small areas vary about twice as much as chance alone would have them vary.
_DISPERSION = 2.0
_POWER = 0.8
_WITH_A_VERDICT = "M2"
_JUDGED = ("concern", "no_evidence")
# The nearest to an answer first: records by group that are too few need only more of the same.
_REASONS = ("insufficient", "not_visible", "not_assessable")
_POLICE = "the police force (people affected in recorded violence, {as_recorded})"
_HOSPITALS = "emergency departments (attendances after an assault, under Information Sharing to Tackle Violence)"
_WHO = {
    "gender": ("sex as recorded", f"{_HOSPITALS}; domestic abuse services"),
    "race": ("self-defined ethnic group", f"{_HOSPITALS}, where they record ethnic category"),
    "disability": ("where a disability is recorded", "hospital admissions; adult social care; advocacy organisations"),
    "age": ("age", f"{_HOSPITALS}; the youth justice service"),
    "religion": ("hate crime records by religion", "community organisations that take third-party reports"),
    "poverty": ("by area", _HOSPITALS),
    "place": ("by area", _HOSPITALS),
}


def build_data_requests(
    audit: pd.DataFrame, groupings: Sequence[Grouping], evidence: EvidenceSpec, *, model_id: str, level: str
) -> pd.DataFrame:
    """A form for every group on which the check with a verdict could not give one.

    Parameters
    ----------
    audit : DataFrame
        The ``audit`` noun.
    groupings : sequence of Grouping
        Of single characteristics and of intersections; those that the audit does not look at are passed over.
    evidence : EvidenceSpec
        The policy's declared effect, significance and least records.
    model_id : str
        Whose rows are read.
    level : str
        The kind of area that records are wanted by.

    Returns
    -------
    DataFrame
        The ``data_requests`` noun. No form for a group that any evidence of its own audit could judge.
    """
    import pandas as pd

    rows = audit[
        (audit["code"] == _WITH_A_VERDICT) & (audit["part"] == "all") & (audit["model_id"] == model_id)
    ]  # fmt: skip
    words = rows.groupby(["characteristic", "group"])["verdict"].agg(set).to_dict()
    counted = rows[(rows["evidence"] == "outcomes") & (rows["verdict"] == "insufficient")]
    held = set(zip(counted["characteristic"], counted["group"], strict=True))
    single = {grouping.characteristic: grouping for grouping in groupings}
    forms = []
    for grouping in groupings:
        parts = [single[name] for name in grouping.characteristic.split(" x ") if name in single]
        everybody = float(grouping.total.sum())
        for group, people in zip(grouping.groups, grouping.people.sum(axis=0), strict=True):
            found = words.get((grouping.characteristic, group), set())
            verdict = next((word for word in _REASONS if word in found), None)
            if verdict is None or found.intersection(_JUDGED):
                continue
            share = float(people) / everybody if everybody > 0 else 0.0
            wanted = _form(parts, level, more=(grouping.characteristic, group) in held)
            least = records_needed(share, evidence, groups=len(grouping.groups))
            by_area = all(part.kind == "areas" for part in parts)
            forms.append(
                (grouping.characteristic, group, verdict, *wanted, np.nan if by_area else least, _holders(parts))
            )
    return as_table(pd.DataFrame(forms, columns=DATA_REQUESTS.names), DATA_REQUESTS)


def records_needed(share: float, evidence: EvidenceSpec, *, groups: int) -> float:
    """Records of a group, of a source that counts by group, that show the declared effect four times in five.

    Parameters
    ----------
    share : float
        The group's share of residents; its share of records is taken to be the same.
    evidence : EvidenceSpec
    groups : int
        Groups of the characteristic, among which significance is divided.

    Returns
    -------
    float
        Rounded up to tens, and never below the policy's least; NaN for a group of nobody or of everybody.

    Notes
    -----
    The contrast of two log ratios of counts with R records in the group and R (1 - share) / share outside it has
    variance d / (R (1 - share)), where d = 2 is how much more counts vary than by chance. It is held against
    Student's t of the coarsest tiling's blocks.

    Examples
    --------
    >>> [records_needed(share, EvidenceSpec(), groups=2) for share in (0.05, 0.5)]
    [150.0, 280.0]
    """
    from scipy.special import stdtrit

    if not 0.0 < share < 1.0:
        return float("nan")
    degrees = TILINGS[0][0] - 1
    size = evidence.significance / max(groups, 1)
    reach = float(stdtrit(degrees, 1.0 - size / 2.0) + stdtrit(degrees, _POWER))
    needed = _DISPERSION * (reach / np.log(evidence.declared_effect)) ** 2 / (1.0 - share)
    return float(max(np.ceil(needed / 10.0) * 10.0, evidence.least_records))


def _form(parts: Sequence[Grouping], level: str, *, more: bool) -> tuple[str, str, str]:
    """What is wanted (of what is held already, more), its columns and its breakdowns."""
    of_people = [part for part in parts if part.kind == "people"]
    names = [part.characteristic for part in of_people]
    by = " and ".join(names)
    if not of_people:
        return (
            "More months of the same records by area: the area itself tells which group it belongs to",
            "; ".join([level, "month", "records"]),
            "none: the class is known from the area",
        )
    return (
        f"{'More months' if more else 'A table'} of people affected by violence, by area, month and {by}",
        "; ".join([level, "month", *names, "people_affected"]),
        "; ".join(_breakdowns(of_people)),
    )


def _breakdowns(parts: Sequence[Grouping]) -> Iterator[str]:
    """The values of every breakdown, and that what is not known is wanted as well."""
    for part in parts:
        yield f"{part.characteristic}: {', '.join((*part.groups, 'not known'))}"


def _holders(parts: Sequence[Grouping]) -> str:
    """Who may hold it: the police, and others by what is asked."""
    questions = list(dict.fromkeys(part.question for part in parts if part.kind == "people")) or ["place"]
    known = [_WHO.get(question, _WHO["place"]) for question in questions]
    police = _POLICE.format(as_recorded=" and ".join(how for how, _ in known))
    others = list(dict.fromkeys(who for _, entry in known for who in entry.split("; ")))
    return "; ".join([police, *others])
