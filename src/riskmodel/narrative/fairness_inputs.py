"""Attention that follows forecasts, and inputs that stand for groups: in go simulations, proxies and refits.

Out: sections, each with a plain sentence first. A simulation is a supposition and says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import AUDIT_REFITS, FEEDBACK, PROXIES
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_pictures import Trace, draw_traces
from riskmodel.narrative.fairness_records import NONE_MADE
from riskmodel.narrative.fairness_rows import Audited
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import SUPPRESSED, joined
from riskmodel.narrative.model_words import feature_words
from riskmodel.narrative.quoted import Quoted, counted, quoted_rows, with_positions
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["feedback_section", "feedback_sentence", "inputs_section"]

_ATTENTION = bare(
    "Where attention is given, more may come to be recorded, and the next forecast then puts the same places first "
    "again. The simulation starts from places whose truth is known and lets that go on. An index of 1 means that the "
    "places put first are forecast their true share; 1.5, half as much again. It is a supposition and not a finding "
    "about this region."
)
_PROXIES = (
    "The forecast is not told who lives where, unless the policy permits it. It may still be able to tell from other "
    "inputs: an input that foretells a group's share of places it has not seen counts as a proxy of that group. The "
    "model is learned again without such inputs, and what changes is listed."
)


def feedback_section(feedback: pd.DataFrame | None, book: FactBook | None = None) -> Section:
    """The simulation of attention: one plain sentence, small pictures, a table."""
    name, heading = "feedback", "If attention follows the forecast"
    if feedback is None or feedback.empty:
        return Section(name, heading, [_ATTENTION, NONE_MADE])
    table_rows = with_positions(feedback, FEEDBACK)
    # Only the product counts, so that all without feedback are one.
    none = (table_rows["uplift"] * table_rows["discovered"] == 0) & (
        table_rows[["uplift", "discovered", "exploration"]].ne(0.0).any(axis=1)
    )
    ordered = table_rows[~none].sort_values(["uplift", "discovered", "exploration", "step"])
    rows = quoted_rows(ordered, "feedback", book)
    by: dict[tuple[float, float], dict[float, list[Quoted]]] = {}
    for row in rows:
        by.setdefault((row["uplift"], row["discovered"]), {}).setdefault(row["exploration"], []).append(row)
    top = max(row["index"] for row in rows)
    traces_steps = sorted({int(row["step"]) for row in rows})
    drawings = [
        draw_traces(
            f"feedback-{number}",
            [Trace(_lot(held[-1]), [r["index"] for r in held], held[-1].say("index", "two_decimals"), broken=share > 0)
             for share, held in traces.items()],
            title=_supposed(_last(traces)), top=top, unit="forecasts made; upright: index",
            steps=(traces_steps[0], traces_steps[-1]),
        )
        for number, traces in enumerate(by.values(), start=1)
    ]  # fmt: skip
    headings = [Heading("Supposed"), Heading("Attention drawn by lot", number=True),
                Heading("Forecasts made", number=True), Heading("Index at the end", number=True),
                Heading("Nine in ten simulations")]  # fmt: skip
    listed = [
        Row((_supposed(end), end.say("exploration", "share"), end.say("step", "whole"),
             end.say("index", "two_decimals"), end.span("low", "high", "two_decimals")))
        for traces in by.values() for end in (held[-1] for held in traces.values())
    ]  # fmt: skip
    table = HtmlTable(
        "feedback-table", "The numbers of the pictures: the index after the last forecast", headings, listed, page=0,
        folded=True, whole="tables/feedback.csv",
    )  # fmt: skip
    note = "Unbroken: all attention follows the forecast. Broken: a share of it goes to places drawn by lot."
    return Section(name, heading, [feedback_sentence(rows), _ATTENTION, note], small=drawings, tables=[table])


def _last(traces: dict[float, list[Quoted]]) -> Quoted:
    return next(iter(traces.values()))[-1]


def feedback_sentence(rows: Sequence[Quoted]) -> str:
    """What the largest amplification of the simulation is, with and without attention drawn by lot."""
    last = max(row["step"] for row in rows)
    ends = [row for row in rows if row["step"] == last]
    without = [row for row in ends if row["exploration"] == 0]
    worst = max(without or ends, key=lambda row: (row["index"], row["uplift"], row["discovered"]))
    none = [row for row in ends if not row["uplift"] * row["discovered"]]
    against = (
        f", against {none[0].say('index', 'two_decimals')} if nothing that is recorded depended on it" if none else ""
    )
    same = [r for r in ends if r["exploration"] > 0 and
            (r["uplift"], r["discovered"]) == (worst["uplift"], worst["discovered"])]  # fmt: skip
    beside = (
        f" With {same[-1].say('exploration', 'share')} of the attention given to places drawn by lot it would be "
        f"{same[-1].say('index', 'two_decimals')} times."
        if same else ""
    )  # fmt: skip
    return (
        f"Simulated, not measured: if {_supposed(worst, start=False)}, the places put first would, after "
        f"{worst.say('step', 'whole')} forecasts, be forecast {worst.say('index', 'two_decimals')} times their true "
        f"share{against}.{beside}"
    )


def _supposed(row: Quoted, *, start: bool = True) -> str:
    if not row["uplift"] or not row["discovered"]:
        words = "nothing that is recorded depended on attention"
    else:
        share = row.say("discovered", "share")
        part = "all that is recorded" if row["discovered"] == 1 else f"{share} of what is recorded"
        times = row.say("uplift", "one_more")
        words = f"{part} depended on attention, and attention to a place made that {times} times as much"
    return f"{words[:1].upper()}{words[1:]}" if start else words


def _lot(row: Quoted) -> str:
    share = row.say("exploration", "share")
    return f"{share} of attention by lot" if row["exploration"] else "all attention by the forecast"


def inputs_section(
    audited: Audited, proxies: pd.DataFrame | None, refits: pd.DataFrame | None, titles: Mapping[str, str]
) -> Section:
    """What the model could tell of who lives where, and what changes without that."""
    name, heading = "inputs", "Could the inputs stand for a group?"
    parts = [
        part for part in (_proxies_part(audited, proxies, titles), _refits_part(audited, refits)) if part is not None
    ]
    return Section(name, heading, [_PROXIES, *([] if parts else [NONE_MADE])], parts=parts)


def _proxies_part(audited: Audited, proxies: pd.DataFrame | None, titles: Mapping[str, str]) -> Section | None:
    if proxies is None or proxies.empty:
        return None
    book = audited.book
    rows = quoted_rows(with_positions(proxies, PROXIES), "proxies", book)
    whole = [row for row in rows if row["feature"] == "all"]
    told = [row["row"] for row in whole if row["proxy"] == "yes"]
    single = {row["feature"]: row["row"] for row in rows if row["feature"] != "all" and row["proxy"] == "yes"}
    where = {"feature": sorted({row["feature"] for row in rows} - {"all"}), "proxy": "yes"}
    foretold = counted(
        book, "fairness.proxies.together", "proxies", told, ["count", "proxies", {"feature": "all", "proxy": "yes"}]
    )
    groups = counted(
        book, "fairness.proxies.groups", "proxies", [r["row"] for r in whole], ["count", "proxies", {"feature": "all"}]
    )
    distinct = ["distinct", "proxies", ["feature"], where]
    inputs = counted(book, "fairness.proxies.single", "proxies", single.values(), distinct)
    bound = audited.declared("bounds.proxy_r_squared", audited.policy.bounds.proxy_r_squared)
    words = (
        f"All inputs together foretell the shares of {foretold} of {groups} groups better than the policy's bound of "
        f"{bound}; {inputs} single inputs do so for some group."
    )
    kept = [row for row in rows if row["feature"] == "all" or row["proxy"] == "yes"]
    headings = [Heading("Group"), Heading("Characteristic"), Heading("Input"),
                Heading("How well it foretells the group's share", number=True, unit=bare("0 not at all, 1 exactly")),
                Heading("Its share of what moves the forecast", number=True), Heading("Counts as a proxy")]  # fmt: skip
    listed = [
        Row((audited.group(r["characteristic"], r["group"]), audited.title(r["characteristic"]),
             "all inputs together" if r["feature"] == "all" else bare(feature_words(r["feature"], titles)),
             r.say("r_squared", "two_decimals"), r.say("attribution_share", "percent"), r["proxy"]))
        for r in kept
    ]  # fmt: skip
    table = HtmlTable(
        "proxies-table", "Inputs that foretell where groups live", headings, listed, filters=(1, 5),
        whole="tables/proxies.csv",
    )  # fmt: skip
    return Section("proxies", "What the inputs foretell", [words], tables=[table])


def _refits_part(audited: Audited, refits: pd.DataFrame | None) -> Section | None:
    if refits is None or refits.empty:
        return None
    rows = quoted_rows(with_positions(refits, AUDIT_REFITS), "audit_refits", audited.book)
    bullets = [_refit_words([row for row in rows if row["refit"] == refit]) for refit in
               dict.fromkeys(row["refit"] for row in rows)]  # fmt: skip
    headings = [Heading("Left out"), Heading("Group"), Heading("Characteristic"),
                Heading("Change beside everyone else", number=True, unit="forecast over recorded, per cent"),
                Heading("Change of the share living in places put first", number=True, unit="points of per cent"),
                Heading("Note", sorts=False)]  # fmt: skip
    listed = [
        Row((_refit_title(r["refit"]), audited.group(r["characteristic"], r["group"]),
             audited.title(r["characteristic"]),
             *_moved(r, hidden=audited.withheld(r["characteristic"], r["group"])), bare(r["note"])))
        for r in rows
    ]  # fmt: skip
    table = HtmlTable(
        "refits-table", "What changes for each group", headings, listed, filters=(0, 2), whole="tables/audit_refits.csv"
    )
    return Section("refits", "The forecast without such inputs", bullets=bullets, tables=[table])


def _moved(row: Quoted, *, hidden: bool) -> tuple[str, str]:
    if hidden:
        return SUPPRESSED, SUPPRESSED
    return row.say("calibration_change", "log_signed_points"), row.say("people_moved", "signed_points")


def _refit_title(refit: str) -> str:
    """The name of a refit, which says what it is without."""
    return bare(refit[:1].upper() + refit[1:])


def _refit_words(rows: Sequence[Quoted]) -> str:
    """What one refit changes as a whole."""
    first = rows[0]
    said = [f"{_refit_title(first['refit'])} ({first.say('left_out', 'whole')} inputs)"]
    if math.isfinite(first["skill_change"]):
        likely = (
            f" (likely {first.say('skill_low', 'signed_points')} to {first.say('skill_high', 'signed_points')})"
            if math.isfinite(first["skill_low"]) else ""
        )  # fmt: skip
        said.append(f"skill changes by {first.say('skill_change', 'signed_points')} points of per cent{likely}")
    if math.isfinite(first["same_places"]):
        said.append(f"{first.say('same_places', 'share')} of the areas put first stay the same")
    notes = [bare(note) for note in dict.fromkeys(row["note"] for row in rows) if note]
    if len(said) == 1:
        return f"{said[0]}: {joined(notes) or NONE_MADE}"
    return f"{said[0]}: {joined(said[1:])}."
