"""The same forecasts held against another stream's records: what one service records, another may not.

In: the audit's evidence, and what a second stream (such as hospitals) recorded in the same areas and months. Out:
evidence of that stream, on which the audit's own checks are made; its rows carry the stream's source, and the part
``against <stream>``. It is the only check here that could see what the police do not record.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.evidence import Evidence

__all__ = ["against", "part_of"]

Floats = npt.NDArray[np.float64]


def part_of(stream: str) -> str:
    """The audit's ``part`` for rows held against another stream.

    Examples
    --------
    >>> part_of("emergency_department")
    'against emergency_department'
    """
    return f"against {stream}"


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
