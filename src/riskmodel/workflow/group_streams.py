"""Counts that a source gives by group: which streams an audit forecasts, and their forecasts at past origins.

In: the characteristics a policy audits, and their sources. Out: for each source and characteristic (or intersection)
what was recorded of every group, and what was forecast of it: each group from its own past by ``shares_level``, then
scaled so that the groups of an area and month add up to the forecast that is audited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.scores import ForecastCube
from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.specs import CharacteristicSpec, OutcomeSpec, PolicySpec, SourceSpec, TargetSpec
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.features.training import labels
from riskmodel.models.shares import SharesLevel

if TYPE_CHECKING:
    from riskmodel.workflow.session import Session

__all__ = [
    "GroupForecasts",
    "GroupStream",
    "forecast_groups",
    "group_streams",
    "policy_problems",
    "scaled_to",
]

_FLOOR = 0.0005
"""Least expected count of a group in an area and month, so that the groups of an area can be scaled."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupStream:
    """The count of one group in one source."""

    characteristic: str
    group: str
    source: str
    target: TargetSpec


@dataclass(frozen=True, eq=False)
class GroupForecasts:
    """One source's counts of the groups of one characteristic, at the origins and horizons of a backtest.

    ``mean`` and ``observed`` are [group, origin, horizon, area]; NaN where a group was not forecast.
    """

    characteristic: str
    source: str
    groups: tuple[str, ...]
    restricted: bool
    mean: Floats
    observed: Floats


def policy_problems(
    workspace: Workspace,
    policy: PolicySpec,
    name: str,
    characteristics: Mapping[str, CharacteristicSpec],
    sources: Mapping[str, SourceSpec],
) -> Iterator[RiskmodelError]:
    """What a policy and the characteristics it audits name that is not there.

    Parameters
    ----------
    workspace : Workspace
    policy : PolicySpec
    name : str
        The policy's.
    characteristics : mapping of str to CharacteristicSpec
    sources : mapping of str to SourceSpec
    """
    crossed = [name for names in policy.intersections for name in names]
    for wanted in dict.fromkeys([*policy.characteristics, *crossed]):
        if wanted not in characteristics:
            yield DefinitionError(
                f"there is no characteristic '{wanted}'",
                where=place_in(workspace.path("policy", name), "characteristics"),
                allowed=sorted(characteristics),
                hint=did_you_mean(wanted, characteristics),
            )
    for wanted, spec in characteristics.items():
        for index, outcome in enumerate(spec.outcomes):
            place = place_in(workspace.path("characteristic", wanted), "outcomes", index)
            yield from _outcome_problems(outcome, sources, place)


def _outcome_problems(outcome: OutcomeSpec, sources: Mapping[str, SourceSpec], place: str) -> Iterator[RiskmodelError]:
    if outcome.source not in sources:
        yield DefinitionError(
            f"there is no source '{outcome.source}'",
            where=place,
            allowed=sorted(sources),
            hint=did_you_mean(outcome.source, sources),
        )
        return
    own = [f for f in sources[outcome.source].files.values() if set(outcome.measures) & set(f.measures)]
    supplied = {b for f in own if f.table is not None for b in f.table.breakdowns}
    measures = {m for f in own for m in f.measures}
    for what, wanted, known in (("breakdown", [outcome.breakdown], supplied), ("measure", outcome.measures, measures)):
        unknown = [name for name in wanted if name not in known]
        if unknown:
            yield DefinitionError(
                f"the source '{outcome.source}' supplies no {what} '{unknown[0]}'",
                where=place,
                allowed=sorted(known) or "none",
                hint=did_you_mean(unknown[0], known),
            )


def group_streams(characteristics: Mapping[str, CharacteristicSpec], policy: PolicySpec) -> tuple[GroupStream, ...]:
    """Every count by group that the audited characteristics' sources can give, intersections included.

    Parameters
    ----------
    characteristics : mapping of str to CharacteristicSpec
    policy : PolicySpec

    Returns
    -------
    tuple of GroupStream
        An intersection is counted where one source records all of its characteristics of people together.
    """
    named = policy.characteristics or list(characteristics)
    people = {n: characteristics[n] for n in named if n in characteristics}
    crossed = [[name] for name, spec in people.items() if spec.outcomes]
    crossed += [list(names) for names in policy.intersections if all(people[n].outcomes for n in names)]
    found: list[GroupStream] = []
    for names in crossed:
        for outcomes in product(*(people[name].outcomes for name in names)):
            if len({(outcome.source, *outcome.measures) for outcome in outcomes}) == 1:
                found += _streams(names, outcomes)
    return tuple(found)


def _streams(names: Sequence[str], outcomes: Sequence[OutcomeSpec]) -> Iterator[GroupStream]:
    first = outcomes[0]
    for cell in product(*(outcome.groups.items() for outcome in outcomes)):
        group = " & ".join(name for name, _ in cell)
        kept: dict[str, str | list[str]] = {o.breakdown: values for o, (_, values) in zip(outcomes, cell, strict=True)}
        target = TargetSpec(
            title=f"People recorded as {group.replace('_', ' ')}", version=1, covers="Those recorded as of the group.",
            leaves_out="Those whose group was not recorded.", differs="A part of a source, for the audit alone.",
            source=first.source, measures=first.measures, breakdown=kept,
        )  # fmt: skip
        yield GroupStream(" x ".join(names), group, first.source, target)


def forecast_groups(session: Session, cube: ForecastCube) -> tuple[list[GroupForecasts], dict[str, str]]:
    """Forecast every held count by group at the origins and horizons of a backtest, each from its own past.

    Parameters
    ----------
    session : Session
    cube : ForecastCube
        The backtest of the forecast that is audited.

    Returns
    -------
    list of GroupForecasts
        One a source and characteristic.
    dict of str to str
        "source: characteristic" -> why nothing could be forecast of it.
    """
    from threadpoolctl import threadpool_limits

    held = session.held.panel.monthly
    wanted: dict[tuple[str, str], list[GroupStream]] = {}
    reasons: dict[str, str] = {}
    for stream in session.definitions.group_streams:
        if stream.source in held:
            wanted.setdefault((stream.characteristic, stream.source), []).append(stream)
        else:
            reasons[f"{stream.source}: {stream.characteristic}"] = "no file of the source is held"
    found = []
    total = sum(len(streams) for streams in wanted.values())
    if not total:
        return [], reasons
    with threadpool_limits(1), session.listener.task("Counts by group, for the audit", total) as step:
        for (characteristic, source), streams in wanted.items():
            made = []
            for stream in streams:
                made.append(_forecast(session, cube, stream))
                step()
            mean, observed = (np.stack(arrays) for arrays in zip(*made, strict=True))
            if not np.isfinite(mean).any():
                reasons[f"{source}: {characteristic}"] = "no past origin sees a month of it"
                continue
            groups = tuple(stream.group for stream in streams)
            restricted = session.definitions.sources[source].sensitivity == "restricted"
            found.append(GroupForecasts(characteristic, source, groups, restricted, mean, observed))
    return found, reasons


def _forecast(session: Session, cube: ForecastCube, stream: GroupStream) -> tuple[Floats, Floats]:
    """Expected and recorded counts of one group [origin, horizon, area], as far as each origin could see."""
    panel, now, model = session.held.panel, session.held.panel.as_of(session.as_of), SharesLevel()
    mean, observed = (np.full(cube.observed.shape, np.nan) for _ in range(2))
    for o, day in enumerate(cube.origins):
        view = panel.as_of(day.date())
        for h, horizon in enumerate(cube.horizons):
            if cube.cells[o, h]:
                expected = model.expected(view, stream.target, [view.origin], int(horizon))[:, 0]
                mean[o, h] = np.maximum(expected, _FLOOR)
                observed[o, h] = labels(now, stream.target, [view.origin], int(horizon))[:, 0]
    return mean, observed


def scaled_to(total: Floats, groups: Floats) -> Floats:
    """Groups' forecasts, scaled so that in every area and month they add up to the forecast audited.

    Parameters
    ----------
    total : array [model, origin, horizon, area]
    groups : array [group, origin, horizon, area]
        Each above 0.

    Returns
    -------
    array [model, group, origin, horizon, area]

    Examples
    --------
    >>> made = scaled_to(np.full((1, 1, 1, 2), 6.0), np.array([1.0, 1.0, 2.0, 5.0]).reshape(2, 1, 1, 2))
    >>> made[0, :, 0, 0].tolist()
    [[2.0, 1.0], [4.0, 5.0]]
    """
    share = groups / groups.sum(axis=0)
    return np.asarray(total[:, None] * share[None], dtype=np.float64)
