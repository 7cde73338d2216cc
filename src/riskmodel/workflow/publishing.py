"""From what a run has made to what may leave it: every table, small numbers safe, for one audience.

In: the steps' results. Out: all true tables, and the ``Published`` ones that pages, workbook and text are made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from riskmodel.contracts.specs import SourceSpec, TargetSpec
from riskmodel.contracts.tables import QUALITY, as_table
from riskmodel.disclosure import DECLARATIONS, Audience, parts_of, protect_bundle, sharing_of
from riskmodel.forecast import Forecasts
from riskmodel.workflow.assessment import assessment_tables
from riskmodel.workflow.auditing import audit_notes, audit_tables
from riskmodel.workflow.comparing import Comparison
from riskmodel.workflow.conditions import conditions_tables
from riskmodel.workflow.definitions import Definitions
from riskmodel.workflow.explaining import explain_tables
from riskmodel.workflow.outlooks import outlook_of, planner_tables
from riskmodel.workflow.run_tables import build_tables
from riskmodel.workflow.session import Session
from riskmodel.workflow.streams import SideForecasts, stream_tables

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Published", "all_tables", "publish", "targets_of"]

_JOINED = ("forecasts", "outlook", "history")


@dataclass(frozen=True, eq=False)
class Published:
    """What may leave the program, and what must be said with it.

    ``withheld`` holds, for a table, a frame of its shape that is true where a cell was withheld; ``audit`` the
    text of ``audit.json``, where the run was audited.
    """

    tables: Mapping[str, pd.DataFrame]
    model_id: str
    headline: str
    headlines: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    notes: Sequence[str] = ()
    audience: Audience = "public"
    audit: str | None = None


def targets_of(definitions: Definitions) -> list[tuple[str, TargetSpec, SourceSpec]]:
    """Every target of a run: its label, definition and source, the headline first."""
    own = (definitions.plan.target_label, definitions.target, definitions.sources[definitions.target.source])
    return [own, *((side.label, side.target, side.source) for side in definitions.also)]


def all_tables(
    session: Session, comparison: Comparison, forecasts: Forecasts, selected: str, side: SideForecasts
) -> dict[str, pd.DataFrame]:
    """Every table of a run, with true values.

    Parameters
    ----------
    session : Session
    comparison : Comparison
    forecasts : Forecasts
        Of the headline's candidates at the as-of, drawn.
    selected : str
        The candidate that planners are shown.
    side : SideForecasts
        The targets beside the headline.
    """
    import pandas as pd

    plan, view = session.definitions.plan, session.held.panel.as_of(session.as_of)
    tables = build_tables(session, comparison, forecasts) | comparison.tables
    outlook = outlook_of(session, view, plan, forecasts, selected)
    tables |= planner_tables(session, [plan], [outlook], comparison.calibration)
    beside = stream_tables(session, side)
    for name in _JOINED:
        if f"stream_{name}" in beside:
            tables[name] = pd.concat([tables[name], beside.pop(f"stream_{name}")], ignore_index=True)
    tables |= beside | conditions_tables(session)
    tables |= explain_tables(session, forecasts, selected, tables["groups"])
    tables |= audit_tables(session, comparison.audit, selected, tables.get("attributions"))
    notes = pd.DataFrame(audit_notes(session, comparison.audit), columns=tables["quality"].columns)
    if len(notes):
        tables["quality"] = as_table(pd.concat([tables["quality"], notes], ignore_index=True), QUALITY)
    return tables | assessment_tables(session, tables)


def publish(
    session: Session,
    comparison: Comparison,
    tables: dict[str, pd.DataFrame],
    selected: str,
    side: SideForecasts,
    *,
    audience: Audience,
) -> Published:
    """Protect small numbers in all tables together, once, before anything is written or drawn from them.

    Raises
    ------
    DisclosureGate
        If they cannot be safe.
    """
    import pandas as pd

    definitions = session.definitions
    targets = {label: (target, source) for label, target, source in targets_of(definitions)}
    held = {label: source for label, (_, source) in targets.items()}
    sharing = sharing_of(held, audience, definitions.policy.disclosure)
    safe = protect_bundle(
        tables,
        DECLARATIONS,
        sharing.rules,
        sharing.restricted,
        areas=tables["areas"],
        parts=parts_of({label: target for label, (target, _) in targets.items()}),
        not_shared=sharing.not_shared,
        restricted_sources={name for name, spec in definitions.sources.items() if spec.sensitivity == "restricted"},
        headline=definitions.plan.target_label,
    )
    shown = dict(safe.tables)
    if "agreement" in shown:
        pairs, areas = shown["agreement"], shown["disagreement"]
        shared = ~pairs["target"].isin(sharing.not_shared) & ~pairs["other"].isin(sharing.not_shared)
        shown["agreement"] = pairs[shared].reset_index(drop=True)
        # Its counts of single areas are protected with no other table's, so restricted ones stay inside.
        shown["disagreement"] = areas[areas["sensitivity"] != "restricted"].reset_index(drop=True)
    if len(safe.quality_rows):
        shown["quality"] = pd.concat([shown["quality"], safe.quality_rows], ignore_index=True)
    streams = tables["streams"].set_index("target")
    return Published(
        tables=shown,
        model_id=selected,
        headline=comparison.headline,
        headlines={str(label): str(text) for label, text in streams["headline"].items()},
        withheld=safe.withheld,
        notes=(comparison.selection.reason,),
        audience=audience,
    )
