"""What planners read: in go the tables of a run, out comes ``forecast.html`` as one self-contained file.

It opens with the answer for the whole area, then places, periods, time, maps, the smallest areas, all years, and how to
read it. The same tables give the same bytes; no request leaves the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import UsageError
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_reading import reading_section
from riskmodel.narrative.forecast_sections import Section, recording_part, tables_of, target_sections
from riskmodel.narrative.forecast_words import Counted
from riskmodel.narrative.frame import PageLink, render_page
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.published import publish, table_of
from riskmodel.narrative.tables_html import pack
from riskmodel.narrative.workbook_text import SourceNote, day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["build_forecast_page"]


def build_forecast_page(
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    question: str,
    targets: Sequence[Counted],
    model_id: str,
    as_of: date,
    run_id: str,
    headline: str,
    state: str,
    shapes: Mapping[str, Outlines] | None = None,
    suppressed: Mapping[str, pd.DataFrame] | None = None,
    no_rate: Mapping[str, frozenset[str]] | None = None,
    sources: Sequence[SourceNote] = (),
    method: Sequence[str] = (),
    contact: str = "",
    links: Sequence[PageLink] = (),
    notes: Sequence[str] = (),
    book: FactBook | None = None,
) -> str:
    """The page that planners open.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``outlook`` and ``places`` are needed; ``history``, ``recording``, ``calibration``, ``comparison`` and
        ``noise_floor`` are shown where they are given.
    title : str
        Whose forecast it is: the region's name.
    question : str
        What the experiment asks.
    targets : sequence of Counted
        Every target of the tables. The first that does not follow police activity is the headline; each of the others
        has a section of its own.
    model_id : str
        The model whose forecast is shown.
    as_of : date
        The day the forecast is made as of.
    run_id : str
    headline : str
        Whether the forecast beats counting, in one sentence.
    state : str
        Stands on top of the page and at its foot, e.g. that it is a draft.
    shapes : mapping of level to Outlines, optional
        Maps are drawn of ward24 and msoa21 where given; lad24 is drawn over them.
    suppressed : mapping of str to DataFrame, optional
        For a table, a frame of its shape that is true where a cell is withheld: it shows as suppressed.
    no_rate : mapping of level to frozenset of str, optional
        Places whose residents are a poor base for a rate, such as town centres: their count stands alone.
    sources : sequence of SourceNote
    method : sequence of str
        The method in about five lines; a general account stands where none is given.
    contact : str
        Who answers questions.
    links : sequence of PageLink
        The other pages of the bundle.
    notes : sequence of str
        What a reader must know first.
    book : FactBook, optional
        Of the same tables: every number of the page is then a fact, and any other digit an error.

    Returns
    -------
    str
        The page.

    Raises
    ------
    TableError
        If a table breaks its record, a target or place is unknown, or rows are finer than the published grain.
    UsageError
        If no target may be a headline.
    """
    withheld = suppressed or {}
    first, others = _headline_first(targets)
    published = {p.counted.target: p for p in publish(tables, targets, withheld, book)}
    recording = table_of(tables, "recording", withheld)[0] if "recording" in tables else None
    located = (
        recording_part(recording, published[first.target].outlook) if recording is not None and len(recording) else None
    )
    names = _district_names(tables["places"])
    sections = target_sections(
        published[first.target], prefix="", headline=headline, outlines=shapes or {}, district_names=names,
        no_rate=no_rate or {}, recording=located, notes=notes,
    )  # fmt: skip
    sections[0] = replace(sections[0], heading=f"{first.title}: the next 12 months in brief")
    for number, other in enumerate(others, start=1):
        parts = target_sections(
            published[other.target], prefix=f"t{number}-", headline=other.headline, outlines={}, district_names=names,
            no_rate=no_rate or {}, recording=None, notes=(),
        )  # fmt: skip
        words = f"{other.title}: quarters, years, pictures and smaller areas"
        sections.append(Section(f"target-{number}", other.title, parts=parts[:2], folded=parts[2:], folded_words=words))
    given = {
        name: table_of(tables, name, withheld)[0] if name in tables else None
        for name in ("calibration", "comparison", "noise_floor")
    }
    sections.append(
        reading_section(
            **given, targets=[first, *others], model_id=model_id, method=method, sources=sources, as_of=as_of,
            run_id=run_id, contact=contact, book=book,
        )
    )  # fmt: skip
    shared, packed = pack(list(tables_of(sections)))
    return render_page(
        "forecast.html",
        title=f"Expected recorded violence in {title}",
        region=title,
        lede=f"{bare(question)} Forecast made as of {bare(day_words(as_of))}.",
        state=state,
        contents=[(s.name, s.heading) for s in sections],
        closing=[
            f"Made by riskmodel, run {bare(run_id)}, as of {bare(day_words(as_of))}. Places and groups, never "
            "individuals.",
        ],
        links=links,
        with_script=True,
        book=book,
        sections=sections,
        words=shared,
        packed=packed,
    )


def _headline_first(targets: Sequence[Counted]) -> tuple[Counted, list[Counted]]:
    able = [t for t in targets if not t.police_generated]
    if not able:
        raise UsageError(
            "no target of the page may be its headline: each follows what the police do",
            found=[t.target for t in targets],
            hint="put a target of recorded violence first",
        )
    return able[0], [t for t in targets if t is not able[0]]


def _district_names(places: pd.DataFrame) -> dict[str, str]:
    districts = places[places["level"] == "lad24"]
    return dict(zip(districts["location"], districts["name"], strict=True))
