"""What the models rest on: in go the tables of the explain step, out come ``model.html`` and its pictures as files.

It opens with what factors add to the forecast beyond history, then what the forecast leans on, and, apart from it,
which conditions are found with recorded violence and how sure that is. The same tables give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.tables import TABLES
from riskmodel.explain.adds import factors_add
from riskmodel.explain.glass_box import glass_box_advice
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.figures import figures_of
from riskmodel.narrative.forecast_sections import Section, tables_of
from riskmodel.narrative.frame import PageLink, render_page
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.model_brief import answer_section
from riskmodel.narrative.model_evidence import analysts_section, curves_section, groups_section
from riskmodel.narrative.model_places import Names, ledgers_section, maps_section, names_of, scenarios_section
from riskmodel.narrative.model_sections import adds_section, conditions_section, leaning_section
from riskmodel.narrative.quoted import with_positions, worded
from riskmodel.narrative.tables_html import pack
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["ModelPage", "build_model_page"]

_QUOTED = ("domains", "effects", "group_differences", "leaning", "ledger", "pairwise", "scenarios", "stability")
_NOT_MEASURED = "What the factors add to the forecast was not measured: the experiment asks for no ablation."
_NO_CONDITIONS = "This run has no explained conditions model, so nothing is said of conditions of places."


@dataclass(frozen=True)
class ModelPage:
    """The page, and each of its pictures as an SVG text by name."""

    text: str
    figures: Mapping[str, str] = field(repr=False)


def build_model_page(
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    target: str,
    model_id: str,
    as_of: date,
    run_id: str,
    headline: str,
    state: str,
    shapes: Mapping[str, Outlines] | None = None,
    titles: Mapping[str, str] | None = None,
    glass: Sequence[str] = (),
    links: Sequence[PageLink] = (),
    book: FactBook | None = None,
) -> ModelPage:
    """The page that says what the models rest on.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``places`` is needed; ``leaning``, ``domains``, ``stability``, ``ledger``, ``effects``, ``scenarios``,
        ``group_differences``, ``attributions``, ``history``, ``pairwise`` and ``explain_left_out`` are shown where they
        are given.
    title : str
        Whose page it is: the region's name.
    target : str
        What is forecast, in words.
    model_id : str
        The model planners are shown.
    as_of : date
    run_id : str
    headline : str
        Whether the forecast beats counting, in one sentence.
    state : str
        Stands on top of the page and at its foot.
    shapes : mapping of level to Outlines, optional
        Maps are drawn of msoa21 where given; lad24 is drawn over them.
    titles : mapping of str to str, optional
        Titles of factors (by domain/name) and of domains; their names are shown otherwise.
    glass : sequence of str
        Candidates that can be read whole: the page says whether one of them would do instead.
    links : sequence of PageLink
        The pages of the bundle.
    book : FactBook, optional
        What every number of the page is taken from: each then knows its cell, formula or source.

    Returns
    -------
    ModelPage

    Raises
    ------
    TableError
        If a table breaks its record, or the page has a book and shows a number that is no fact.
    """
    held = {
        name: with_positions(table, TABLES[name]) if name in _QUOTED else table
        for name, table in tables.items() if len(table)
    }  # fmt: skip
    names = names_of(tables["places"], titles or {})
    domains = held.get("domains")
    sentence = _NOT_MEASURED if domains is None else factors_add(domains, worded("domains", book)).replace(" %", "%")
    sections = [answer_section(held, headline=headline, model_id=model_id, as_of=as_of, titles=names.titles, book=book)]
    if "leaning" in held:
        sections.append(leaning_section(held["leaning"], names.titles, book))
    sections.append(adds_section(domains, sentence, _advice(held.get("pairwise"), model_id, glass, book), book))
    sections += _conditions(held, domains, shapes or {}, names, book)
    sections.append(
        analysts_section(
            held.get("attributions"), held.get("stability"), held.get("explain_left_out"), names.titles, book
        )
    )  # fmt: skip
    day = bare(day_words(as_of))
    shared, packed = pack(list(tables_of(sections)))
    text = render_page(
        "model.html",
        title=f"What the models rest on: {bare(target)}",
        region=bare(title),
        lede=sentence,
        state=state,
        contents=[(s.name, s.heading) for s in sections],
        closing=[f"Made by riskmodel, run {bare(run_id)}, as of {day}. Places and groups, never individuals."],
        links=links,
        with_script=True,
        sections=sections,
        words=shared,
        packed=packed,
        book=book,
    )
    return ModelPage(text, figures_of(sections, state))


def _advice(pairwise: pd.DataFrame | None, model_id: str, glass: Sequence[str], book: FactBook | None) -> str:
    """Whether a model that can be read whole would do instead; blank where none is a candidate."""
    if pairwise is None or not glass:
        return ""
    return glass_box_advice(pairwise, best=model_id, glass=glass, words=worded("pairwise", book)).replace(" %", "%")


def _conditions(
    held: Mapping[str, pd.DataFrame], domains: pd.DataFrame | None, shapes: Mapping[str, Outlines], names: Names,
    book: FactBook | None,
) -> list[Section]:  # fmt: skip
    """The sections of the conditions model, as far as the run has it."""
    sections: list[Section] = []
    stability = held.get("stability")
    if stability is None:
        return [Section("conditions", "Conditions found with recorded violence", [_NO_CONDITIONS])]
    sections.append(conditions_section(stability, domains, names.titles, book))
    if "ledger" in held:
        sections.append(ledgers_section(held["ledger"], names, _recorded(held), book))
    if "effects" in held:
        sections.append(curves_section(held["effects"], names.titles, book))
    if "ledger" in held:
        sections.append(maps_section(held["ledger"], stability, shapes, names, book))
    if "group_differences" in held:
        sections.append(groups_section(held["group_differences"], names.titles, book))
    if "scenarios" in held:
        sections.append(scenarios_section(held["scenarios"], stability, names, book))
    return sections


def _recorded(held: Mapping[str, pd.DataFrame]) -> dict[str, tuple[int, float]]:
    """Records of each place over the newest twelve months, of the target that is explained, with their positions."""
    if "history" not in held or "attributions" not in held:
        return {}
    history, target = held["history"].reset_index(drop=True), held["attributions"]["target"].iloc[0]
    rows = history[(history["target"] == target) & (history["window"] == "12_months") & history["recorded"].notna()]
    rows = rows[rows["end"] == rows["end"].max()]
    counts = zip(rows.index.tolist(), rows["recorded"].tolist(), strict=True)
    return dict(zip(rows["location"], counts, strict=True))
