"""Records that a source gives by group in; rows of the audit that compare each group's own forecasts and counts out.

What areas weighted by who lives there cannot show of groups who live everywhere, such as women or disabled people,
these show directly, as far as the source records them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.blocks import Tilings
from riskmodel.fairness.columns import Columns, Forecasts, first_seen
from riskmodel.fairness.evidence import Evidence, Grouping, OutcomeEvidence
from riskmodel.fairness.rows import Asked, Rows, rows_of, unanswered
from riskmodel.fairness.sums import OutcomeSums, Part, Setting, make_weights

__all__ = ["NO_SOURCE", "outcome_rows"]

Floats = npt.NDArray[np.float64]
NO_SOURCE = "none"
"""The source of a row that says that no source gives records by group."""


def outcome_rows(
    evidence: Evidence,
    groupings: Sequence[Grouping],
    outcomes: Sequence[OutcomeEvidence],
    asked: Sequence[Asked],
    columns: Columns,
    tilings: Tilings,
    setting: Setting,
) -> Rows:
    """Rows of every check that can be asked of records by group.

    Parameters
    ----------
    evidence : Evidence
        The headline's: its areas, and the areas its forecasts put first.
    groupings : sequence of Grouping
        At the evidence's areas.
    outcomes : sequence of OutcomeEvidence
        Records by group, of the models and areas of the evidence. Origins that it does not have are left out.
    asked : sequence of Asked
        The policy's checks.
    columns : Columns
        Of the evidence.
    tilings : Tilings
    setting : Setting

    Raises
    ------
    TableError
        If records are of a characteristic, group, model or area that is not audited.
    NotEnoughHistory
        If no origin of the records is one of the evidence.
    """
    wanted = [replace(each, evidence="outcomes") for each in asked if "outcomes" in each.check.evidence]
    of = {grouping.characteristic: grouping for grouping in groupings}
    rows: Rows = []
    for held in outcomes:
        if held.characteristic not in of:
            raise TableError("records by group of a characteristic that is not audited", where=held.source,
                             found=held.characteristic, allowed=list(of))  # fmt: skip
        rows += _rows(held, evidence, of[held.characteristic], wanted, columns, tilings, setting)
    known = {held.characteristic for held in outcomes}
    for grouping in groupings:
        if grouping.kind == "people" and grouping.characteristic not in known:
            why = "No source held gives records by these groups, so their own forecasts and counts cannot be compared."
            for each in wanted:
                if each.check.verdict:
                    rows += unanswered(replace(each, source=NO_SOURCE), grouping, why)
    return rows


def _rows(
    held: OutcomeEvidence,
    evidence: Evidence,
    grouping: Grouping,
    wanted: Sequence[Asked],
    columns: Columns,
    tilings: Tilings,
    setting: Setting,
) -> Rows:
    groups = [_place(group, grouping.groups, held, "groups") for group in held.groups]
    of_group = replace(grouping, groups=held.groups, people=grouping.people[:, groups])
    weights = make_weights(tilings, of_group, evidence.residents)
    sums = OutcomeSums(_columns(held, evidence, columns), weights, Part("all"), setting)
    rows: Rows = []
    for each in wanted:
        own = replace(each, source=held.source, target=held.target, models=held.models, restricted=held.restricted)
        rows += rows_of(own, sums)
    return rows


def _columns(held: OutcomeEvidence, evidence: Evidence, columns: Columns) -> list[Columns]:
    """Columns of every group, in which the areas put first are those of the headline's forecasts."""
    models = [_place(model, evidence.models, held, "models") for model in held.models]
    areas = [_place(area, held.areas.tolist(), held, "areas") for area in evidence.areas.tolist()]
    common, mine, theirs = np.intersect1d(held.origins, evidence.origins, return_indices=True)
    if not len(common):
        raise NotEnoughHistory("no origin of the records by group is one of the audited forecasts", where=held.source)
    first = columns["first"][models][:, theirs]
    by_recorded = columns["first_by_recorded"][0, theirs]
    cells = held.cells[mine]
    once = first_seen(common, held.horizons, cells)
    unknown = np.full((len(models), len(common), len(held.horizons), len(areas)), np.nan)
    made = []
    for group in range(len(held.groups)):
        mean, low, high = (
            unknown if values is None else values[:, group][:, mine][..., areas]
            for values in (held.mean, held.low, held.high)
        )
        observed = held.observed[group][mine][..., areas]
        made.append(Columns(Forecasts(mean, low, high, observed, cells, once), first, by_recorded))
    return made


def _place(name: str, known: Sequence[str], held: OutcomeEvidence, what: str) -> int:
    try:
        return list(known).index(name)
    except ValueError:
        raise TableError(f"records by group do not fit the audited {what}", where=held.source, found=name,
                         allowed=list(known)) from None  # fmt: skip
