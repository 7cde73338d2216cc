"""Who is recorded as affected, by the groups and parts that sources supply: the ``profile`` table.

In: a session and the groups table. Out: one row a source, breakdown and group, of the newest twelve months visible. A
restricted source's small counts are left out here, before anything is published from them, and the others rounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.assessment_tables import PROFILE
from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.periods import month_end, month_start
from riskmodel.contracts.specs import DisclosureSpec, TargetSpec
from riskmodel.contracts.tables import as_table
from riskmodel.panel.view import View

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["build_profile", "guarded", "poisson_interval"]

_MONTHS = 12
_CENTRAL = 0.9

Floats = npt.NDArray[np.float64]


def build_profile(session: Session, groups: pd.DataFrame) -> pd.DataFrame:
    """Counts by every breakdown that targets and characteristics name, and rates where the group's people are known.

    Parameters
    ----------
    session : Session
    groups : DataFrame
        The ``groups`` noun: whom rates are of.

    Returns
    -------
    DataFrame
        The ``profile`` noun; without rows where no source held supplies a breakdown.
    """
    import pandas as pd

    people = groups.groupby(["characteristic", "group"])["population"].sum()
    sources = session.definitions.sources
    frames = []
    for source, breakdown, rows in _breakdowns(session):
        table = pd.DataFrame(rows)
        if sources[source].sensitivity == "restricted":
            table = guarded(table, session.definitions.policy.disclosure)
        else:
            table["state"] = "open"
        residents = [float(people.get((breakdown, group), np.nan)) for group in table["group"]]
        frames.append(_with_rates(table.assign(source=source, breakdown=breakdown, people=residents)))
    if not frames:
        return as_table(pd.DataFrame(columns=PROFILE.names), PROFILE)
    return as_table(pd.concat(frames, ignore_index=True), PROFILE)


def _breakdowns(session: Session) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Each source and breakdown with its groups' counts, as far as files are held and visible."""
    definitions, view = session.definitions, session.held.panel.as_of(session.as_of)
    wanted: dict[tuple[str, str], list[tuple[str, str, TargetSpec]]] = {}
    for stream in definitions.group_streams:
        if " x " not in stream.characteristic and stream.source in view.panel.monthly:
            own = wanted.setdefault((stream.source, stream.characteristic), [])
            own.append((stream.group, definitions.sources[stream.source].title, stream.target))
    for side in definitions.also:
        if side.target.breakdown:
            name = " and ".join(side.target.breakdown)
            if (side.target.source, name) not in wanted or name not in definitions.characteristics:
                own = wanted.setdefault((side.target.source, f"part: {name}"), [])
                own.append((side.target.title, side.target.stream, side.target))
    for (source, breakdown), parts in wanted.items():
        rows = [row for group, stream, target in parts if (row := _counted(view, target, group, stream)) is not None]
        if rows:
            yield source, breakdown, rows


def _counted(view: View, target: TargetSpec, group: str, stream: str) -> dict[str, Any] | None:
    try:
        series = view.recorded(target).astype(np.float64)
    except RiskmodelError:
        return None
    months = series[:, -_MONTHS:].sum(axis=0)
    held = np.isfinite(months)
    if not held.any():
        return None
    last = view.panel.first_month + series.shape[1] - 1
    return {
        "group": group,
        "stream": stream,
        "start": month_start(last - _MONTHS + 1),
        "end": month_end(last),
        "months_held": int(held.sum()),
        "records": float(months[held].sum()),
    }


def guarded(table: pd.DataFrame, rule: DisclosureSpec) -> pd.DataFrame:
    """Counts of one restricted breakdown, its small numbers left out and the others rounded.

    Where exactly one group is small, the next smallest is left out as well: the sum of all groups may be known.

    Examples
    --------
    >>> import pandas as pd
    >>> counts = pd.DataFrame({"group": ["a", "b", "c"], "records": [4.0, 23.0, 58.0]})
    >>> guarded(counts, DisclosureSpec())[["records", "state"]].values.tolist()
    [[nan, 'suppressed'], [nan, 'suppressed'], [60.0, 'rounded']]
    """
    counts = table["records"].to_numpy(dtype=np.float64)
    small = counts < rule.suppress_below
    if rule.secondary and small.sum() == 1 and len(counts) > 1:
        small[np.argsort(np.where(small, np.inf, counts), kind="stable")[0]] = True
    rounded = rule.round_to * np.round(counts / rule.round_to)
    return table.assign(
        records=np.where(small, np.nan, rounded), state=np.where(small, "suppressed", "rounded").astype(object)
    )


def _with_rates(table: pd.DataFrame) -> pd.DataFrame:
    """Rates per 1,000 people of the group a year, with what chance alone leaves open."""
    records, people = (table[name].to_numpy(dtype=np.float64) for name in ("records", "people"))
    scale = 1000 * _MONTHS / (table["months_held"].to_numpy(dtype=np.float64) * people)
    low, high = poisson_interval(records)
    return table.assign(rate=records * scale, rate_low=low * scale, rate_high=high * scale)


def poisson_interval(counts: Floats) -> tuple[Floats, Floats]:
    """The exact central 90 % interval of a Poisson mean (Garwood 1936).

    Examples
    --------
    >>> low, high = poisson_interval(np.array([0.0, 10.0]))
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 5.43], [3.0, 16.96])
    """
    from scipy.special import gammaincinv

    tail = (1 - _CENTRAL) / 2
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1e-9), tail), 0.0)
    high = gammaincinv(counts + 1, 1 - tail)
    return np.where(np.isfinite(counts), low, np.nan), np.where(np.isfinite(counts), high, np.nan)
