"""What reviewers read: in go the tables of a run's audit, out comes ``fairness.html`` as one self-contained file.

It opens with what a forecast of totals cannot be judged on, says what was found in both directions beside counting, and
ends in a decision form to print. The same tables give the same bytes; no request leaves the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_analysts import analysts_section
from riskmodel.narrative.fairness_beside import changed_section, counting_section, tested_section
from riskmodel.narrative.fairness_brief import brief_section, first_line, seen_section
from riskmodel.narrative.fairness_crossing import crossing_section
from riskmodel.narrative.fairness_deciding import decided_section, decision_sentence, make_form
from riskmodel.narrative.fairness_drift import drift_section
from riskmodel.narrative.fairness_findings import measured_section
from riskmodel.narrative.fairness_inputs import feedback_section, inputs_section
from riskmodel.narrative.fairness_places import places_section
from riskmodel.narrative.fairness_questions import questions_section, rules_section
from riskmodel.narrative.fairness_records import records_section
from riskmodel.narrative.fairness_requests import requests_section
from riskmodel.narrative.fairness_rows import Audited, make_audited
from riskmodel.narrative.forecast_sections import tables_of
from riskmodel.narrative.frame import PageLink, render_page
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.model_places import names_of
from riskmodel.narrative.tables_html import pack
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.fairness.decisions import Decision
    from riskmodel.fairness.tested import Tested
    from riskmodel.narrative.facts.book import FactBook

__all__ = ["build_fairness_page"]


def build_fairness_page(
    tables: Mapping[str, pd.DataFrame],
    *,
    policy: PolicySpec,
    characteristics: Mapping[str, CharacteristicSpec],
    title: str,
    target: str,
    source: str,
    model_id: str,
    baseline: str,
    as_of: date,
    run_id: str,
    audit_sha256: str,
    state: str,
    decisions: Sequence[Decision] = (),
    tested: Sequence[Tested] = (),
    invented: bool = False,
    earlier: pd.DataFrame | None = None,
    earlier_run: str = "",
    earlier_model: str = "",
    form_text: str = "",
    sources: Mapping[str, str] | None = None,
    titles: Mapping[str, str] | None = None,
    shapes: Mapping[str, Outlines] | None = None,
    links: Sequence[PageLink] = (),
    book: FactBook | None = None,
    policy_source: str = "",
) -> str:
    """The page that reviewers open.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``audit`` and ``places`` are needed; ``audit_places``, ``audit_refits``, ``data_requests``, ``feedback``,
        ``intersections``, ``poor_base``, ``proxies`` and ``tipping_points`` are shown where they are given.
    policy : PolicySpec
        What the audit followed.
    characteristics : mapping of str to CharacteristicSpec
        Those that were audited, by name.
    title : str
        Whose page it is: the region's name.
    target : str
        What is forecast, in words.
    source : str
        The target's source, as the audit names it; findings on another source are held against other records.
    model_id, baseline : str
        The model planners are shown, and counting, which stands beside it throughout.
    as_of : date
    run_id, audit_sha256 : str
        What a decision is on.
    state : str
        Stands on top of the page and at its foot.
    decisions : sequence of Decision
        Decisions on this run so far, the oldest first.
    tested : sequence of Tested
        The audit of the audit.
    invented : bool
        Whether the run's own region is an invented one, which the page then says.
    earlier : DataFrame, optional
        The last audit of the same experiment, with its run and the model it showed.
    form_text : str
        The decision form to be typed.
    sources : mapping of str to str, optional
        Titles of sources.
    titles : mapping of str to str, optional
        Titles of factors by domain/name.
    shapes : mapping of level to Outlines, optional
        Maps are drawn of msoa21 and lad24 where given.
    links : sequence of PageLink
        The pages of the bundle.
    book : FactBook, optional
        What every number of the page is taken from: each then knows its cell, formula or source.
    policy_source : str
        The file that declares the policy's bounds.

    Returns
    -------
    str
        The page.

    Raises
    ------
    TableError
        If a table breaks its record, or the page has a book and shows a number that is no fact.
    """
    given = {name: table for name, table in tables.items() if len(table)}

    def audited_of(table: pd.DataFrame, shown: str, elsewhere: str = "") -> Audited:
        return make_audited(
            table, model_id=shown, baseline=baseline, source=source, policy=policy, characteristics=characteristics,
            sources=sources or {}, book=book, policy_source=policy_source, elsewhere=elsewhere,
        )  # fmt: skip

    audited = audited_of(tables["audit"], model_id)
    from_run = f"tables/audit.csv of run {earlier_run or 'not named'}"
    before = audited_of(earlier, earlier_model or model_id, from_run) if earlier is not None else None
    names = names_of(tables["places"])
    day = bare(day_words(as_of))
    model = f"The model shown is {bare(model_id)}, as of {day}; counting is {bare(baseline)}."
    form = make_form(audited, run_id=run_id, audit_sha256=audit_sha256, target=target, text=form_text)
    sections = [
        brief_section(audited, decision=bare(decision_sentence(decisions)), model=model),
        seen_section(audited),
        measured_section(audited, tag=_tag(title, invented=invented)),
        requests_section(audited, given.get("data_requests")),
        places_section(audited, given.get("audit_places"), given.get("poor_base"), names=names, outlines=shapes or {}),
        crossing_section(audited, given.get("intersections")),
        records_section(audited, given.get("tipping_points")),
        feedback_section(given.get("feedback"), book),
        inputs_section(audited, given.get("proxies"), given.get("audit_refits"), titles or {}),
        drift_section(audited),
        counting_section(audited),
        tested_section(tested, book),
        changed_section(audited, before, earlier_run=earlier_run),
        questions_section(audited, given, as_of=as_of, earlier=before),
        rules_section(audited, as_of=as_of),
        decided_section(decisions),
        analysts_section(audited, identifiers=form.identifiers),
    ]
    shared, packed = pack(list(tables_of(sections)))
    return render_page(
        "fairness.html",
        title=f"Fairness audit: {bare(target)}",
        region=bare(title),
        lede=first_line(audited),
        state=state,
        contents=[*((s.name, s.heading) for s in sections), ("decision", "Decision form")],
        closing=[f"Made by riskmodel, run {bare(run_id)}, as of {day}. Places and groups, never individuals."],
        links=links,
        with_script=True,
        sections=sections,
        form=form,
        words=shared,
        packed=packed,
        book=book,
    )


def _tag(title: str, *, invented: bool) -> str:
    return f"Measured on this run's data: {bare(title)} is an invented region" if invented else "Measured on your data"
