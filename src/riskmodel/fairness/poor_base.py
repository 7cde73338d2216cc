"""Places where residents are a poor base for a rate: in go records that concern visitors, out comes ``poor_base``.

Town centres have few residents and many visitors. A rate by residents says little there, so the audit is made once
more without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import POOR_BASE
from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WITHOUT_POOR_BASE", "build_poor_base", "with_poor_base"]

WITHOUT_POOR_BASE = "without places where residents are a poor base"
"""The part of the audit that leaves them out."""

Floats = npt.NDArray[np.float64]
_MONTHS_A_YEAR = 12.0


def build_poor_base(
    areas: Sequence[str], residents: Floats, records: Floats, *, per_1000_a_year: float
) -> pd.DataFrame:
    """Records of visitors' measures a year for every 1,000 residents.

    Parameters
    ----------
    areas : sequence of str
    residents : array [area]
        Usual residents.
    records : array [area, month]
        Records of the policy's measures together; NaN in a month that is missing.
    per_1000_a_year : float
        From here on residents are a poor base.

    Returns
    -------
    DataFrame
        The ``poor_base`` noun. Without residents there is no rate, and they are a poor base.

    Raises
    ------
    NotEnoughHistory
        If an area has no month at all.

    Examples
    --------
    >>> records = np.array([[10.0, 14.0], [1.0, np.nan]])
    >>> build_poor_base(["a", "b"], np.array([1000.0, 2000.0]), records, per_1000_a_year=60.0)
      area  per_1000 poor_base
    0    a     144.0       yes
    1    b       6.0        no
    """
    import pandas as pd

    months = np.isfinite(records).sum(axis=1)
    if not (months > 0).all():
        raise NotEnoughHistory(
            "no month shows where visitors are", found=f"{int((months == 0).sum())} areas without a month",
            hint="name a source with records, or leave 'poor_base' out of the policy",
        )  # fmt: skip
    a_year = np.nansum(records, axis=1) * _MONTHS_A_YEAR / months
    people = np.asarray(residents, dtype=np.float64)
    rate = np.divide(1000.0 * a_year, people, out=np.full(len(people), np.nan), where=people > 0)
    poor = np.isnan(rate) | (rate >= per_1000_a_year)
    frame = pd.DataFrame({"area": list(areas), "per_1000": rate, "poor_base": np.where(poor, "yes", "no")})
    return as_table(frame, POOR_BASE)


def with_poor_base(table: pd.DataFrame, areas: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which of some areas are marked, [area]; the audit is made once more without them.

    Examples
    --------
    >>> table = build_poor_base(["a", "b"], np.array([10.0, 10.0]), np.array([[9.0], [0.0]]), per_1000_a_year=60.0)
    >>> with_poor_base(table, ["b", "a"]).tolist()
    [False, True]
    """
    marked = table.set_index("area")["poor_base"].reindex(list(areas))
    return np.asarray(marked == "yes", dtype=np.bool_)
