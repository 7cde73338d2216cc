"""The targets beside the headline: each forecast from its own past and judged, and how far streams agree.

In: a session whose experiment has ``also``. Out: what was made of each, and tables by name. ``streams`` says of every
target what it is and whether its source is restricted; every other table has a column ``target`` (``agreement`` and
``disagreement`` also ``other``), so whoever publishes can look up what may be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from riskmodel.backtest.compare import BETTER, build_comparison, headline
from riskmodel.backtest.run import Backtest, backtest_origins, run_backtest
from riskmodel.contracts.comparison_tables import STREAM_COMPARISON
from riskmodel.contracts.errors import NotEnoughHistory, NotYetPublished
from riskmodel.contracts.left_out_tables import STREAM_LEFT_OUT
from riskmodel.contracts.planner_tables import CALIBRATION
from riskmodel.contracts.specs import TargetSpec
from riskmodel.contracts.stream_tables import STREAMS
from riskmodel.contracts.tables import FORECASTS, STREAM_BACKTEST, as_table
from riskmodel.forecast import Forecasts, Plan, fit_and_forecast
from riskmodel.forecast.drawing import learn_spreads
from riskmodel.forecast.outlook import GRAIN, Outlook
from riskmodel.panel.recording import build_recording
from riskmodel.panel.view import View
from riskmodel.workflow.outlooks import all_horizons, districts, outlook_of, planner_tables
from riskmodel.workflow.side_targets import SideTarget
from riskmodel.workflow.stream_agreement import Stream, build_agreement

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.definitions import Definitions
    from riskmodel.workflow.session import Session

__all__ = ["SideForecast", "SideForecasts", "build_streams", "forecast_streams", "stream_tables"]

_ALL = "all"


@dataclass(frozen=True, eq=False)
class SideForecast:
    """What was made of one target beside the headline.

    ``model_id`` is the model shown: the best of those better than counting, or else the baseline. ``outlook`` holds its
    draws' totals; None where the target has no likely range, or nothing could be drawn.
    """

    side: SideTarget
    plan: Plan
    backtest: Backtest
    comparison: pd.DataFrame
    forecasts: Forecasts
    model_id: str
    outlook: Outlook | None


@dataclass(frozen=True, eq=False)
class SideForecasts:
    """All targets beside the headline; ``notes`` say why one was not forecast."""

    made: tuple[SideForecast, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def forecast_streams(session: Session) -> SideForecasts:
    """Backtest every target beside the headline at the headline's origins, judge it, and forecast from the as-of.

    One with too little history is left out with its reason; it never stops a run.

    Parameters
    ----------
    session : Session

    Raises
    ------
    UnsoundForecast
        If a forecast cannot be right.
    """
    from threadpoolctl import threadpool_limits

    view = session.held.panel.as_of(session.as_of)
    made: list[SideForecast] = []
    notes: dict[str, str] = {}
    with threadpool_limits(1):
        for side in session.definitions.also:
            try:
                made.append(_forecast(session, view, side))
            except (NotEnoughHistory, NotYetPublished) as error:
                notes[side.label] = f"not forecast: {error.what}" + (f" ({error.found})" if error.found else "")
    return SideForecasts(tuple(made), notes)


def _forecast(session: Session, view: View, side: SideTarget) -> SideForecast:
    definitions = session.definitions
    spec, plan = definitions.experiment, definitions.plan_of(side)
    origins = backtest_origins(spec.backtest, as_of=session.as_of, lateness=view.lateness(definitions.target.source))
    horizons = all_horizons(view, plan, spec.horizons)
    with session.listener.task(f"Beside the headline: {side.name}", len(origins) + len(horizons)) as step:
        backtest = run_backtest(
            session.held.panel,
            plan,
            spec.backtest,
            as_of=session.as_of,
            horizons=spec.horizons,
            origins=origins,
            jobs=session.jobs,
            step=step,
        )
        forecasts = fit_and_forecast(view, plan, horizons, jobs=session.jobs, step=step)
    comparison = build_comparison(backtest.table, baseline=spec.baseline, seed=spec.seed)
    model_id, outlook = _shown(comparison, spec.baseline), None
    if side.target.has_ranges:
        learn_spreads(forecasts, districts(session.held.panel.geography), backtest.made)
        outlook = outlook_of(session, view, plan, forecasts, model_id)
    return SideForecast(side, plan, backtest, comparison, forecasts, model_id, outlook)


def _shown(comparison: pd.DataFrame, baseline: str) -> str:
    overall = comparison[(comparison["origin_date"] == _ALL) & (comparison["horizon"] == _ALL)]
    better = overall[overall["verdict"] == BETTER].sort_values(["skill", "model_id"], ascending=[False, True])
    return baseline if better.empty else str(better["model_id"].iloc[0])


def stream_tables(session: Session, side: SideForecasts | None = None) -> dict[str, pd.DataFrame]:
    """Every table of the targets beside the headline, and of how the headline is recorded.

    Parameters
    ----------
    session : Session
    side : SideForecasts, optional
        From ``forecast_streams``, which is called if absent.

    Returns
    -------
    dict of str to DataFrame
        ``streams`` and ``recording`` always. With ``also``: ``stream_comparison`` (the comparison with ``target``
        before it), ``stream_backtest`` (the backtest noun, means only), ``stream_left_out`` (features, horizons and
        origins without a forecast, with the reason), and ``stream_forecasts``, ``stream_outlook``, ``stream_history``
        (as the headline's, of the published grain only, with intervals "not judged"; of a weighted target only means
        by area and month, in ``stream_forecasts``). With two or more streams: ``agreement`` and ``disagreement``.
    """
    side = forecast_streams(session) if side is None else side
    definitions, view = session.definitions, session.held.panel.as_of(session.as_of)
    tables = {
        "streams": build_streams(definitions, side),
        "recording": build_recording(view, definitions.target),
    }
    if side.made:
        tables |= _joined(side.made)
        tables |= _shown_to_planners(session, side.made)
    held = [s for s in _streams(definitions) if s.label not in side.notes]
    if len({s.target.stream for s in held}) > 1:
        tables |= build_agreement(view, held)
    return tables


def _joined(made: Sequence[SideForecast]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    comparison = pd.concat([m.comparison.assign(target=m.side.label) for m in made], ignore_index=True)
    backtest = pd.concat([m.backtest.table for m in made], ignore_index=True)
    left_out = pd.DataFrame([row for m in made for row in _left_out(m)], columns=STREAM_LEFT_OUT.names)
    return {
        "stream_comparison": as_table(comparison, STREAM_COMPARISON),
        # A backtest repeats no key by how it is made, and no two of them share a target.
        "stream_backtest": as_table(backtest, STREAM_BACKTEST, check_key=False),
        "stream_left_out": as_table(left_out, STREAM_LEFT_OUT),
    }


def _left_out(made: SideForecast) -> Iterator[tuple[str, str, str, str]]:
    for gap in (*made.backtest.gaps, *made.forecasts.gaps):
        yield made.side.label, gap.origin, gap.what, gap.reason
    for origin, features in made.backtest.left_out.items():
        for name, reason in features.items():
            yield made.side.label, origin, f"feature left out: {name}", reason


def _shown_to_planners(session: Session, made: Sequence[SideForecast]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    drawn = [m for m in made if m.outlook is not None]
    tables: dict[str, pd.DataFrame] = {}
    if drawn:
        outlooks = [_at_grain(m.outlook) for m in drawn if m.outlook is not None]
        not_judged = pd.DataFrame(columns=CALIBRATION.names)
        found = planner_tables(session, [m.plan for m in drawn], outlooks, not_judged)
        tables = {f"stream_{name}": found[name] for name in ("forecasts", "outlook", "history")}
    means = [m.forecasts.frame() for m in made if m.outlook is None]
    if means:
        means_only = pd.concat([f[f["output_type"] == "mean"] for f in means], ignore_index=True)
        own = means_only["model_id"].to_numpy() == _model_of(made, means_only)
        parts = [table for table in (tables.get("stream_forecasts"), means_only[own]) if table is not None]
        tables["stream_forecasts"] = as_table(pd.concat(parts, ignore_index=True), FORECASTS)
    return tables


def _at_grain(outlook: Outlook) -> Outlook:
    """Nothing finer than what is published: no area by month."""
    return replace(outlook, parts=[p for p in outlook.parts if p.window.name in GRAIN[p.level.name]])


def _model_of(made: Sequence[SideForecast], forecasts: pd.DataFrame) -> pd.Series[str]:
    return forecasts["target"].map({m.side.label: m.model_id for m in made})


def _streams(definitions: Definitions) -> list[Stream]:
    """Every target of an experiment, the headline first."""
    target = definitions.target
    own = Stream(definitions.plan.target_label, target, definitions.sources[target.source])
    return [own, *(Stream(side.label, side.target, side.source) for side in definitions.also)]


def build_streams(definitions: Definitions, side: SideForecasts | None = None) -> pd.DataFrame:
    """Every target of an experiment and what it is, the headline first.

    Parameters
    ----------
    definitions : Definitions
    side : SideForecasts, optional
        What was made of those beside it.

    Returns
    -------
    DataFrame
        The ``streams`` noun.
    """
    import pandas as pd

    made = {} if side is None else {m.side.label: m for m in side.made}
    hashes = definitions.target_hashes
    rows = [
        {
            "target": each.label,
            "shown_as": "beside" if number else "headline",
            "title": each.target.title,
            "stream": each.target.stream,
            "covers": each.target.covers,
            "leaves_out": each.target.leaves_out,
            "differs": each.target.differs,
            "unit": each.target.unit,
            "recorded_as": each.target.recorded_as,
            "source": each.target.source,
            "measures": _measures(each.target),
            "breakdown": "; ".join(f"{name}: {', '.join(kept)}" for name, kept in each.target.series.part),
            "sensitivity": each.sensitivity,
            "police_generated": each.target.is_police_generated(each.source),
            "has_ranges": each.target.has_ranges,
            "definition_sha256": hashes[each.label],
            "model_id": made[each.label].model_id if each.label in made else "",
            "headline": headline(made[each.label].comparison) if each.label in made else "",
            "note": "" if side is None else side.notes.get(each.label, ""),
        }
        for number, each in enumerate(_streams(definitions))
    ]
    return as_table(pd.DataFrame(rows), STREAMS)


def _measures(target: TargetSpec) -> str:
    return " + ".join(f"{target.weights[m]:g} x {m}" if target.weights else m for m in target.measures)
