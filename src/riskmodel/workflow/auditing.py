"""The audit step: every model held against every group, and what lies beyond the data as recorded.

In: a session, its backtest and who lives where. Out: the tables that ``fairness.html`` and the papers are made from.
The audit of all candidates comes before one is selected, because the selection rule reads it; what costs refits is done
for the model that planners are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.run import Backtest
from riskmodel.contracts.audit_tables import AUDIT, AUDIT_PLACES, TIPPING_POINTS
from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.audit import build_audit
from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.cross_stream import build_cross_stream
from riskmodel.fairness.crossed_ratios import build_intersections
from riskmodel.fairness.feedback import build_feedback
from riskmodel.fairness.poor_base import WITHOUT_POOR_BASE, with_poor_base
from riskmodel.fairness.priority import put_first
from riskmodel.fairness.proxies import build_proxies
from riskmodel.fairness.reaudit import judge_people, judge_records
from riskmodel.fairness.requests import build_data_requests
from riskmodel.fairness.sensitivity import build_tipping_points
from riskmodel.features.training import FeatureBlocks, labels
from riskmodel.panel.quality import quality_row
from riskmodel.workflow.audit_evidence import Gathered, gather_evidence, poor_base_of
from riskmodel.workflow.audit_refits import build_refits

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["AuditSoFar", "audit_candidates", "audit_notes", "audit_tables"]

"""The part of the audit that leaves those places out."""
_PLACES = ("lad24", "msoa21")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AuditSoFar:
    """The audit of every candidate, and the evidence it was made from; ``why_not`` says why there is none."""

    gathered: Gathered | None
    table: pd.DataFrame
    why_not: str = ""


def audit_candidates(session: Session, backtest: Backtest, groups: pd.DataFrame) -> AuditSoFar:
    """Audit every candidate and baseline on the backtest, for all areas and origins together.

    Parameters
    ----------
    session : Session
    backtest : Backtest
    groups : DataFrame
        The ``groups`` noun.
    """
    import pandas as pd

    try:
        gathered = gather_evidence(session, backtest, groups)
    except NotEnoughHistory as error:
        return AuditSoFar(None, as_table(pd.DataFrame(columns=AUDIT.names), AUDIT), f"{error.what}: {error.found}")
    with session.listener.task("Audit of every candidate", 1) as step:
        table = build_audit(
            gathered.evidence, gathered.groupings, session.definitions.policy, outcomes=gathered.outcomes
        )
        step()
    return AuditSoFar(gathered, table)


def audit_tables(
    session: Session, so_far: AuditSoFar, selected: str, attributions: pd.DataFrame | None
) -> dict[str, pd.DataFrame]:
    """Every table of the audit, in detail for the model shown and for counting.

    Parameters
    ----------
    session : Session
    so_far : AuditSoFar
        From ``audit_candidates``.
    selected : str
        The model that planners are shown.
    attributions : DataFrame or None
        The ``attributions`` noun: what moves the model shown.
    """
    gathered, poor = so_far.gathered, poor_base_of(session)
    if gathered is None:
        return {"audit": so_far.table, "poor_base": poor}
    with session.listener.task("Audit in detail", 6) as step:
        tables = {"audit": _in_detail(session, so_far, gathered, selected, poor), "poor_base": poor}
        step()
        tables["intersections"] = _intersections(session, gathered, _shown(gathered, selected))
        step()
        tables["tipping_points"] = _tipping_points(session, gathered, _shown(gathered, selected))
        step()
        tables["feedback"] = _feedback(session, gathered, selected)
        tables["audit_places"] = _places(session, gathered, _shown(gathered, selected))
        step()
        proxies = _proxies(session, gathered, selected, attributions)
        tables |= {} if proxies is None else {"proxies": proxies}
        step()
        tables["audit_refits"] = build_refits(session, gathered, selected, proxies)
        step()
    tables["data_requests"] = build_data_requests(
        tables["audit"], gathered.groupings, session.definitions.policy.evidence, model_id=selected, level="lsoa21"
    )
    return tables


def audit_notes(session: Session, so_far: AuditSoFar) -> list[dict[str, Any]]:
    """Rows of the quality table: what the audit could not look at, and why."""
    if so_far.gathered is None:
        return [quality_row("audit", "no audit", 1, period=f"{session.as_of:%Y-%m}", note=so_far.why_not)]
    return list(so_far.gathered.notes)


def _shown(gathered: Gathered, selected: str) -> tuple[str, ...]:
    """The model that planners are shown, and counting beside it."""
    return tuple(dict.fromkeys([selected, gathered.evidence.baseline]))


def _in_detail(
    session: Session, so_far: AuditSoFar, gathered: Gathered, selected: str, poor: pd.DataFrame
) -> pd.DataFrame:
    import pandas as pd

    evidence, policy = gathered.evidence, session.definitions.policy
    shown = _shown(gathered, selected)
    sound = ~with_poor_base(poor, [str(area) for area in evidence.areas])
    parts = {WITHOUT_POOR_BASE: sound} if len(poor) and not sound.all() else {}
    detail = build_audit(_only(gathered, shown), gathered.groupings, policy, detailed=shown, parts=parts)
    detail = detail[(detail["part"] != "all") & (detail["evidence"] == "composition")]
    frames = [so_far.table, detail, *_other_streams(session, gathered, shown)]
    held = [frame for frame in frames if len(frame)]
    table = pd.concat(held, ignore_index=True) if held else so_far.table
    return as_table(table, AUDIT).sort_values(list(AUDIT.key), ignore_index=True)


def _only(gathered: Gathered, models: tuple[str, ...]) -> Any:
    """The evidence of some models alone."""
    evidence = gathered.evidence
    chosen = [evidence.models.index(name) for name in models]
    return replace(
        evidence, models=models, mean=evidence.mean[chosen], low=evidence.low[chosen], high=evidence.high[chosen]
    )


def _other_streams(session: Session, gathered: Gathered, models: tuple[str, ...]) -> list[pd.DataFrame]:
    """The forecast held against what others saw of the same violence, where another stream is held."""
    definitions = session.definitions
    now = session.held.panel.as_of(session.as_of)
    found, evidence = [], _only(gathered, models)
    for side in definitions.also:
        own = side.target
        if own.stream == definitions.target.stream or own.breakdown or not own.has_ranges:
            continue
        records = np.stack(
            [
                np.stack(
                    [_at(labels(now, own, [int(origin)], int(h))[:, 0], session, evidence) for h in evidence.horizons]
                )
                for origin in evidence.origins
            ]
        )
        found.append(
            build_cross_stream(
                evidence, gathered.characteristics, records, definitions.policy, source=own.source,
                restricted=side.source.sensitivity == "restricted",
            )
        )  # fmt: skip
    return found


def _at(values: Floats, session: Session, evidence: Any) -> Floats:
    """Values of the region's areas at the evidence's."""
    found: Floats = values[np.searchsorted(session.held.panel.geography.areas, evidence.areas)]
    return found


def _intersections(session: Session, gathered: Gathered, models: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    from riskmodel.contracts.audit_tables import INTERSECTIONS

    policy, evidence = session.definitions.policy, _only(gathered, models)
    expected, recorded, _ = _sums(evidence)
    frames = []
    for crossing in gathered.crossings:
        here = _crossing_at(crossing, evidence.areas)
        judge = judge_people(evidence, here.grouping(), policy)
        frames.append(
            build_intersections(
                here, models, expected.sum(axis=1), recorded.sum(axis=0), band=policy.evidence.odds_ratio_band,
                judge=judge,
            )
        )  # fmt: skip
    if not frames:
        return as_table(pd.DataFrame(columns=INTERSECTIONS.names), INTERSECTIONS)
    return pd.concat(frames, ignore_index=True)


def _crossing_at(crossing: Any, areas: npt.NDArray[np.str_]) -> Any:
    at = np.searchsorted(crossing.areas, areas)
    return replace(
        crossing,
        areas=areas,
        people=crossing.people[at],
        total=crossing.total[at],
        members=tuple(member[at] for member in crossing.members),
        inside=crossing.inside[at],
    )


def _sums(evidence: Any) -> tuple[Floats, Floats, Floats]:
    """Forecasts [model, origin, area] and records [origin, area] over the months judged, and how many those are."""
    cells = evidence.cells
    expected: Floats = np.where(cells[None, :, :, None], evidence.mean, 0.0).sum(axis=2)
    recorded: Floats = np.where(cells[:, :, None], evidence.observed, 0.0).sum(axis=1)
    return expected, recorded, cells.sum(axis=1).astype(np.float64)


def _tipping_points(session: Session, gathered: Gathered, models: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    policy, evidence = session.definitions.policy, _only(gathered, models)
    expected, recorded, months = _sums(evidence)

    def first(counts: Floats) -> Floats:
        return put_first(counts, evidence.residents, policy.priority_share)

    frames = [
        build_tipping_points(
            here, models, expected, recorded, months, recorded_shares=policy.evidence.recorded_shares,
            judge=judge_records(evidence, here, policy), put_first=first,
        )
        for grouping in gathered.characteristics
        if grouping.kind == "people" and len((here := grouping.at(evidence.areas)).groups)
    ]  # fmt: skip
    if not frames:
        return as_table(pd.DataFrame(columns=TIPPING_POINTS.names), TIPPING_POINTS)
    return pd.concat(frames, ignore_index=True)


def _feedback(session: Session, gathered: Gathered, selected: str) -> pd.DataFrame:
    policy, evidence = session.definitions.policy, gathered.evidence
    expected, _, months = _sums(evidence)
    monthly = expected[evidence.models.index(selected)].sum(axis=0) / months.sum()
    return build_feedback(
        monthly, evidence.residents, policy.feedback, priority_share=policy.priority_share,
        seed=session.definitions.experiment.seed,
    )  # fmt: skip


def _places(session: Session, gathered: Gathered, models: tuple[str, ...]) -> pd.DataFrame:
    """Forecast over recorded, and who is put first, by district and neighbourhood."""
    import pandas as pd

    evidence, geography = _only(gathered, models), session.held.panel.geography
    expected, recorded, months = _sums(evidence)
    first = put_first(expected, evidence.residents, session.definitions.policy.priority_share)
    weight = months / months.sum()
    at = np.searchsorted(geography.areas, evidence.areas)
    frames = []
    for level in _PLACES:
        if level not in geography.parents.columns:
            continue
        index, codes = geography.groups(level)
        here = np.asarray(index)[at]
        people = np.bincount(here, evidence.residents, len(codes))
        counted = np.bincount(here, recorded.sum(axis=0), len(codes))
        for number, model in enumerate(models):
            made = np.bincount(here, expected[number].sum(axis=0), len(codes))
            chosen = np.bincount(here, (weight @ first[number]) * evidence.residents, len(codes))
            frames.append(
                pd.DataFrame(
                    {
                        "target": evidence.target,
                        "model_id": model,
                        "level": level,
                        "location": codes,
                        "residents": people,
                        "ratio": np.divide(made, counted, out=np.full(len(codes), np.nan), where=counted > 0),
                        "put_first": np.divide(chosen, people, out=np.full(len(codes), np.nan), where=people > 0),
                    }
                )
            )
    return as_table(pd.concat(frames, ignore_index=True), AUDIT_PLACES)


def _proxies(
    session: Session, gathered: Gathered, selected: str, attributions: pd.DataFrame | None
) -> pd.DataFrame | None:
    """How well the features of the run foretell where groups live; None where no feature varies between places."""
    import pandas as pd

    definitions, view = session.definitions, session.held.panel.as_of(session.as_of)
    blocks = FeatureBlocks(view, definitions.features, (view.origin,))
    values = np.asarray(blocks.at(1)[:, 0], dtype=np.float64)
    names = [feature.label for feature in blocks.held]
    evidence = gathered.evidence
    at = np.searchsorted(session.held.panel.geography.areas, evidence.areas)
    values = values[at]
    varies = np.array([np.nanstd(column) > 0 if np.isfinite(column).any() else False for column in values.T])
    if not varies.any():
        return None
    tilings = make_tilings(evidence.points)
    own = None if attributions is None else attributions[attributions["model_id"] == selected]
    frames = []
    for grouping in gathered.characteristics:
        if grouping.kind != "people":
            continue
        here = grouping.at(evidence.areas)
        frames.append(
            build_proxies(
                values[:, varies], [name for name, held in zip(names, varies, strict=True) if held], here.shares,
                here.groups, characteristic=here.characteristic, residents=evidence.residents,
                block=tilings.block[1], bound=definitions.policy.bounds.proxy_r_squared,
                attributions=own if own is not None and len(own) else None,
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else None
