"""The verb that says what a finished run found: a place's ledger, or the region's domains."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodel.cli.shared import Json, Tracking, WorkspaceDir, give

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explain"]

_CARE = (
    "Association between places: it does not say why violence happens. The conditions model, not the forecast: it "
    "knows nothing of what was recorded here, and in a town centre violence falls on visitors too."
)
_UNSURE = "do not narrate"
_SMALL = 0.01
"""Conditions within one per cent of the average place are counted and not listed."""


def explain(
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run id, a prefix of one, or EXPERIMENT@latest")],
    area: Annotated[str | None, typer.Option(help="A place's code or name; the whole region if absent")] = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Which conditions are found with recorded violence: a place's ledger, or the region's domains."""
    from riskmodel.workflow import explain_run

    found = explain_run(reference, workspace=workspace, area=area, tracking_uri=tracking_uri)
    result = {name: json.loads(table.to_json(orient="records")) for name, table in found.items()}
    text = _region_text(found) if area is None else _place_text(found["place"].iloc[0], found["ledger"])
    give(result, text, as_json=as_json)


def _place_text(place: pd.Series[Any], ledger: pd.DataFrame) -> str:
    total = ledger[ledger["kind"] == "total"].iloc[0]
    lines = [
        f"{place['name']} ({place['location']}): expected {total['expected_records']:.1f} records a month; "
        f"all conditions together {_times(total)} of the average place.",
    ]
    said = ledger[(ledger["kind"] != "total") & (ledger["mark"] != _UNSURE)]
    small = (said["kind"] == "cluster") & (said["multiplier"].map(math.log).abs() < _SMALL)
    said, near = said[~small], int(small.sum())
    for side in ("higher", "lower"):
        for kind, what in (("domain", "Domains"), ("cluster", "Conditions")):
            rows = said[(said["ledger"] == side) & (said["kind"] == kind)]
            order = rows["multiplier"].map(lambda value: -abs(math.log(value)))
            lines += ["", f"{what} found with {side} recorded violence:"]
            lines += [f"  {_named(row)}" for _, row in rows.loc[order.sort_values(kind="stable").index].iterrows()] or [
                "  none"
            ]
    unsure = int(((ledger["kind"] == "cluster") & (ledger["mark"] == _UNSURE)).sum())
    left_out = f"Conditions left out: {near} within one per cent of the average place, {unsure} too unsure to say."
    return "\n".join([*lines, "", left_out, _CARE])


def _named(row: pd.Series[Any]) -> str:
    clustered = row["kind"] == "cluster" and isinstance(row["members"], str)
    unit = row["members"].replace("; ", ", together with ") if clustered else row["unit"]
    return f"{_times(row)}  {unit}, {row['mark']}"


def _times(row: pd.Series[Any]) -> str:
    return f"x {row['multiplier']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _region_text(found: dict[str, pd.DataFrame]) -> str:
    lines = []
    if "leaning" in found:
        leaning = found["leaning"]
        rows = leaning[(leaning["horizon"].astype(str) == "all") & (leaning["split"] == "class")]
        shares = zip(rows["part"], rows["share"], strict=True)
        lines = ["The forecast leans on:", *(f"  {100 * share:3.0f} %  {part}" for part, share in shares)]
    if "stability" in found:
        stability = found["stability"]
        rows = stability[stability["kind"] == "domain"].sort_values("rank", kind="stable")
        lines += ["", "Domains of conditions, by how much places typically differ:"]
        for _, row in rows.iterrows():
            interval = f"({math.exp(row['low']):.2f} to {math.exp(row['high']):.2f})"
            lines.append(f"  x {row['multiplier']:.2f} {interval}  {row['unit']}, {row['mark']}")
        clusters = stability[(stability["kind"] == "cluster") & (stability["mark"] == "stable")]
        lines += [
            "",
            "Single conditions that are stable, and whether recorded violence is found higher where they are:",
        ]
        factors = stability[stability["kind"] == "factor"]
        sides = dict(zip(factors["unit"], factors["found"], strict=True))
        lines += [
            f"  x {row['multiplier']:.2f}  "
            + ", together with ".join(f"{name} ({sides[name]})" for name in row["members"].split("; "))
            for _, row in clusters.sort_values("rank", kind="stable").iterrows()
        ] or ["  none"]
        lines += ["", _CARE, "A place's ledger: add --area with its code or name."]
    return "\n".join(lines)
