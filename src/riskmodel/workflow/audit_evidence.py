"""What an audit looks at, gathered from a run: forecasts held against records, who lives where, counts by group.

In: a session and its backtest. Out: the evidence of the room fairness, intersections crossed from their margins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.run import Backtest
from riskmodel.backtest.scores import ForecastCube, as_cube
from riskmodel.contracts.audit_tables import POOR_BASE
from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.evidence import Evidence, Grouping, OutcomeEvidence, make_evidence, make_groupings
from riskmodel.fairness.intersections import Crossing, cross
from riskmodel.fairness.poor_base import build_poor_base
from riskmodel.panel.quality import quality_row
from riskmodel.workflow.group_streams import GroupForecasts, forecast_groups, scaled_to

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["Gathered", "gather_evidence", "poor_base_of"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gathered:
    """Everything an audit is made from.

    ``groupings`` holds the characteristics first, then the intersections of ``crossings``; ``notes`` are rows of the
    quality table about what could not be looked at.
    """

    cube: ForecastCube
    evidence: Evidence
    groupings: tuple[Grouping, ...]
    crossings: tuple[Crossing, ...]
    outcomes: tuple[OutcomeEvidence, ...]
    notes: tuple[dict[str, object], ...]

    @property
    def characteristics(self) -> tuple[Grouping, ...]:
        """The groupings that are no intersections."""
        return self.groupings[: len(self.groupings) - len(self.crossings)]


def gather_evidence(session: Session, backtest: Backtest, groups: pd.DataFrame) -> Gathered:
    """The evidence of a run's audit.

    Parameters
    ----------
    session : Session
    backtest : Backtest
        Of every candidate and baseline.
    groups : DataFrame
        The ``groups`` noun.

    Raises
    ------
    NotEnoughHistory
        If no month was forecast by every model.
    """
    definitions = session.definitions
    cube = as_cube(backtest.table)
    source = definitions.sources[definitions.target.source]
    evidence = make_evidence(
        cube,
        session.held.panel.geography,
        source=definitions.target.source,
        baseline=definitions.experiment.baseline,
        restricted=source.sensitivity == "restricted",
    )
    audited = definitions.audited
    single = make_groupings(groups, audited, list(audited))
    crossings, notes = _crossed(session, single)
    made, reasons = forecast_groups(session, cube)
    notes += [_note(session, f"counts by group not held: {what}", reason) for what, reason in reasons.items()]
    known = {grouping.characteristic for grouping in single} | {c.characteristic for c in crossings}
    outcomes = tuple(_outcome(cube, own) for own in made if own.characteristic in known)
    groupings = (*single, *(crossing.grouping() for crossing in crossings))
    return Gathered(cube, evidence, groupings, crossings, outcomes, tuple(notes))


def _crossed(session: Session, single: list[Grouping]) -> tuple[tuple[Crossing, ...], list[dict[str, object]]]:
    by_name = {grouping.characteristic: grouping for grouping in single}
    found: list[Crossing] = []
    notes: list[dict[str, object]] = []
    for names in session.definitions.policy.intersections:
        what = " x ".join(names)
        lacking = [name for name in names if name not in by_name]
        if lacking:
            notes.append(_note(session, f"intersection left out: {what}", f"'{lacking[0]}' is not held"))
            continue
        try:
            crossing = cross([by_name[name] for name in names])
        except DefinitionError as error:
            notes.append(_note(session, f"intersection left out: {what}", str(error.what)))
            continue
        found.append(crossing)
        words = f"tables of its characteristics differ by up to {100 * crossing.difference:.2g} % over the region"
        notes.append(_note(session, f"people in areas left out of {what}", words, rows=crossing.left_out))
    return tuple(found), notes


def _note(session: Session, rule: str, note: str, rows: float = 1) -> dict[str, object]:
    return quality_row("audit", rule, rows, period=f"{session.as_of:%Y-%m}", note=note)


def _outcome(cube: ForecastCube, own: GroupForecasts) -> OutcomeEvidence:
    """Each group's count as a stream of its own, scaled to what every audited model expects in all."""
    held = np.isfinite(own.mean).all(axis=(0, 3)) & np.isfinite(own.observed).all(axis=(0, 3))
    return OutcomeEvidence(
        source=own.source,
        target=cube.target,
        characteristic=own.characteristic,
        groups=own.groups,
        models=tuple(cube.models),
        origins=np.array([day.year * 12 + day.month - 1 for day in cube.origins], dtype=np.int64),
        horizons=cube.horizons,
        areas=cube.areas.to_numpy(dtype=np.str_),
        mean=scaled_to(cube.mean, own.mean),
        observed=own.observed,
        cells=np.asarray(held & cube.made.all(axis=(0, 3)), dtype=np.bool_),
        restricted=own.restricted,
    )


def poor_base_of(session: Session) -> pd.DataFrame:
    """Places whose residents are a poor base for a rate, by the policy's rule; none where it has none."""
    import pandas as pd

    spec, view = session.definitions.policy.poor_base, session.held.panel.as_of(session.as_of)
    if spec is None or spec.source not in view.panel.monthly:
        return as_table(pd.DataFrame(columns=POOR_BASE.names), POOR_BASE)
    geography = session.held.panel.geography
    records = view.series(spec.source, spec.measures).astype(np.float64)
    # Twelve months are enough to tell a town centre, and old ones may be of other codes.
    newest = records[:, -12:] if np.isfinite(records[:, -12:]).any() else records
    try:
        return build_poor_base(
            [str(area) for area in geography.areas], geography.population, newest, per_1000_a_year=spec.per_1000_a_year
        )
    except NotEnoughHistory:
        return as_table(pd.DataFrame(columns=POOR_BASE.names), POOR_BASE)
