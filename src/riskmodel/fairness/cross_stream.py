"""The same forecasts held against another stream's records: what one service records, another may not.

In: the audit's evidence, and what a second stream (such as hospitals) recorded in the same areas and months. Out: rows
of the ``audit`` table by the check with a verdict, with the stream's source and the part ``against <stream>``. It is
the only check here that could see what the police do not record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.tables import TableError, as_table
from riskmodel.fairness.audit import build_audit
from riskmodel.fairness.checks.calibration import CalibrationRatio
from riskmodel.fairness.evidence import Evidence, Grouping
from riskmodel.fairness.reaudit import WITH_A_VERDICT
from riskmodel.fairness.rows import Asked, unanswered

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["against", "build_cross_stream", "part_of"]

Floats = npt.NDArray[np.float64]


def part_of(stream: str) -> str:
    """The audit's ``part`` for rows held against another stream.

    Examples
    --------
    >>> part_of("emergency_department")
    'against emergency_department'
    """
    return f"against {stream}"


def build_cross_stream(
    evidence: Evidence,
    groupings: Sequence[Grouping],
    records: Floats,
    policy: PolicySpec,
    *,
    source: str,
    restricted: bool,
) -> pd.DataFrame:
    """Rows of the audit in which forecasts are held against another stream's records.

    Parameters
    ----------
    evidence, records, source, restricted
        As for ``against``.
    groupings : sequence of Grouping
    policy : PolicySpec
        Its bounds, and how much evidence a verdict needs: of the other stream's own records.

    Returns
    -------
    DataFrame
        The ``audit`` noun: every group x model. Where the stream says nothing of these months, the rows say that.
    """
    import pandas as pd

    try:
        other = against(evidence, records, source=source, restricted=restricted)
    except NotEnoughHistory as error:
        asked = Asked(
            WITH_A_VERDICT, CalibrationRatio(), "composition", source, evidence.target, evidence.level, evidence.models,
            restricted, policy,
        )  # fmt: skip
        why = f"{error.what[:1].upper()}{error.what[1:]}: {error.found}."
        rows = [row for grouping in groupings for row in unanswered(asked, grouping, why)]
        table = pd.DataFrame(rows, columns=AUDIT.names)
    else:
        table = build_audit(other, groupings, policy.model_copy(update={"checks": [WITH_A_VERDICT]}))
        table = table[table["evidence"] == "composition"]
    return as_table(table.assign(part=part_of(source)), AUDIT).sort_values(list(AUDIT.key), ignore_index=True)


def against(evidence: Evidence, records: Floats, *, source: str, restricted: bool) -> Evidence:
    """The evidence with another stream's records in place of its own, and forecasts brought to their total.

    Parameters
    ----------
    evidence : Evidence
    records : array [origin, horizon, area]
        What the other stream counted in the month forecast; NaN where a month is missing.
    source : str
        The other stream's source.
    restricted : bool
        Whether its small numbers are protected.

    Returns
    -------
    Evidence
        Over the months that both hold. Another stream counts another part of violence, so each model's forecasts are
        multiplied by one number until they add up to its counts: only where they lie is compared, not how many there
        are. The counts stay as they are, so that few of them are seen to be few. Ranges are left out: they were made
        for other counts.

    Raises
    ------
    TableError
        If the records do not fit the evidence.
    NotEnoughHistory
        If no month is held by both, or the other stream counted nothing.
    """
    other = np.asarray(records, dtype=np.float64)
    if other.shape != evidence.observed.shape:
        raise TableError("records of another stream do not fit", found=other.shape, allowed=evidence.observed.shape)
    cells = evidence.cells & ~np.isnan(other).any(axis=-1)
    total = float(other[cells].sum())
    if total <= 0:
        raise NotEnoughHistory(
            "another stream says nothing of the months forecast", where=source,
            found=f"{int(cells.sum())} months of origins, {total:.0f} records",
        )  # fmt: skip
    expected = np.where(cells[:, :, None], evidence.mean, 0.0).sum(axis=(1, 2, 3))
    no_range = np.full(evidence.mean.shape, np.nan)
    lost = int((evidence.cells & ~cells).sum())
    return replace(
        evidence,
        source=source,
        mean=evidence.mean * (total / expected)[:, None, None, None],
        low=no_range,
        high=no_range,
        observed=other,
        cells=cells,
        restricted=restricted,
        left_out={**(evidence.left_out or {}), "months of origins without the other stream": lost},
    )
