"""Everything of a bundle that is no table: pages, workbook, pictures, and descriptions for machines.

In: a narration and where its run stands. Out: files in the bundle's folder. Nothing here knows the run's data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.fairness.audit import listed_rows
from riskmodel.fairness.decision_files import FORM_FILE, form_text
from riskmodel.fairness.decisions import Review
from riskmodel.forecast.hubverse import hub_config, model_metadata
from riskmodel.forecast.outlook import published_grain
from riskmodel.narrative.bundle import write_table
from riskmodel.narrative.facts import FactBook, bare
from riskmodel.narrative.facts.file import FACTS_FILE, write_facts
from riskmodel.narrative.papers import write_papers
from riskmodel.workflow.audit_pages import audit_held, fairness_text, papers_of
from riskmodel.workflow.narration import About, Narration

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.assessment import Assessment, HandWritten
    from riskmodel.narrative.forecast_words import Counted
    from riskmodel.narrative.frame import PageLink
    from riskmodel.narrative.workbook_text import SourceNote

__all__ = [
    "DECISIONS_FILE",
    "assessment_of",
    "book_of",
    "json_text",
    "write_pages",
]

_SELECTED = "The model shown is the one that the experiment's rule selects; tables/selection.csv says why."
DECISIONS_FILE = "decisions.json"
"""The name of the list of decisions in a bundle."""


def write_pages(narration: Narration, review: Review, folder: Path) -> None:
    """Write pages, pictures, workbook, descriptions, decisions and the form for the next into a bundle's folder.

    Parameters
    ----------
    narration : Narration
    review : Review
        What was decided on the run; its state stands on every page, print and sheet.
    folder : Path
        Of the bundle; its ``tables`` are there.
    """
    from riskmodel.narrative.charts import draw_charts

    figures = folder / "figures"
    figures.mkdir()
    tables, about, state = narration.tables, narration.about, review.state.words
    draw_charts(figures, comparison=tables["comparison"], backtest=tables["backtest"], title=about.title, state=state)
    # The finest grain stays in the Parquet file, for analysts: a spreadsheet of areas by month would be read as news.
    write_table(folder / "tables" / "forecasts.csv", published_grain(tables["forecasts"]))
    # Where a run was stored with its audit as CSV, that file is whole, and is what its facts cite.
    if about.tables.get("audit") == "parquet":
        write_table(folder / "tables" / "audit.csv", listed_rows(tables["audit"], (about.model_id, about.baseline)))
    book = book_of(narration)
    _write_forecast_page(narration, book, state, folder)
    _write_assessment(narration, book, review, folder)
    _write_model_page(narration, book, state, folder)
    if review.audited.audit_sha256:
        page = fairness_text(narration, book, review, _links("fairness.html", narration))
        _write_text(folder / "fairness.html", page)
        write_papers(folder, papers_of(narration, state))
    write_facts(folder / FACTS_FILE, book)
    _write_workbook(narration, state, folder)
    _write_descriptions(narration, folder)
    _write_text(folder / DECISIONS_FILE, json_text(review.as_record()))
    if review.audited.audit_sha256:
        _write_text(folder / FORM_FILE, form_text(about.run_id, review.audited.audit_sha256))


def book_of(narration: Narration) -> FactBook:
    """What every page takes its numbers from."""
    about = narration.about
    restricted = [
        label for label, target in about.targets.items() if about.sources[target.source].sensitivity == "restricted"
    ]
    return FactBook(
        narration.tables, about.run_id, withheld=narration.withheld, rounded=restricted, suffixes=about.tables
    )


def _write_assessment(narration: Narration, book: FactBook, review: Review, folder: Path) -> None:
    """The assessment as pages and as a document, and a plan for every place that has one."""
    from riskmodel.narrative.assessment import build_assessment_page, write_partners, write_places
    from riskmodel.narrative.local_plan import write_local_plan
    from riskmodel.narrative.narrative_docx import write_narrative

    assessment = assessment_of(narration, book, review)
    _write_text(folder / "index.html", build_assessment_page(assessment))
    write_places(assessment, folder)
    write_partners(assessment, folder)
    write_narrative(folder / "narrative.docx", assessment)
    plans = folder / "local_plan"
    plans.mkdir()
    for level, code in places_of(narration):
        write_local_plan(plans / f"{code}.docx", assessment, level, code)


def places_of(narration: Narration) -> list[tuple[str, str]]:
    """Level and code of every place that has a page and a plan of its own, as the experiment names levels."""
    places = narration.tables["places"]
    own = places[places["level"].isin(narration.about.places)]
    return list(zip(own["level"].astype("str"), own["location"].astype("str"), strict=True))


def assessment_of(narration: Narration, book: FactBook, review: Review) -> Assessment:
    """What the assessment's pages and documents are made from."""
    from riskmodel.narrative.assessment import Assessment
    from riskmodel.narrative.fairness_deciding import decision_sentence
    from riskmodel.narrative.published import publish

    about = narration.about
    targets = _counted(narration, book)
    published = publish(_shown(narration.tables), targets, narration.withheld, book)
    return Assessment(
        book=book,
        region=about.region,
        question=about.question,
        run_id=about.run_id,
        model_id=about.model_id,
        baseline=about.baseline,
        as_of=about.as_of,
        state=review.state.words,
        decision=bare(decision_sentence(review.decisions)),
        targets=targets,
        published=next(p for p in published if p.counted.target == about.target),
        policy=about.policy,
        titles=about.factor_titles,
        sources=_sources(about),
        characteristics=about.characteristics,
        invented=about.invented,
        outlines=narration.outlines,
        links=_links("index.html", narration),
        no_rate=poor_base_codes(narration),
        texts=_texts(about, book),
        approaches=about.approaches,
        places=places_of(narration),
    )


def _texts(about: About, book: FactBook) -> list[HandWritten]:
    from riskmodel.narrative.assessment.texts import hand_written
    from riskmodel.narrative.language import make_text

    folder = Path("experiments") / about.experiment / "text"
    return [hand_written(make_text(folder / f"{name}.md", content), book) for name, content in about.texts.items()]


def poor_base_codes(narration: Narration) -> dict[str, frozenset[str]]:
    """Small areas whose residents are a poor base for a rate, by level; wider places are never marked."""
    held = narration.tables.get("poor_base")
    marked = frozenset() if held is None else frozenset(held.loc[held["poor_base"] == "yes", "area"].astype("str"))
    return {"lsoa21": marked}


def _write_forecast_page(narration: Narration, book: FactBook, state: str, folder: Path) -> None:
    from riskmodel.narrative.forecast_page import build_forecast_page
    from riskmodel.narrative.headlines import skill_sentence

    about = narration.about
    page = build_forecast_page(
        _shown(narration.tables),
        title=about.region,
        question=about.question,
        targets=_counted(narration, book),
        model_id=about.model_id,
        as_of=about.as_of,
        run_id=about.run_id,
        headline=skill_sentence(book, model_id=about.model_id),
        state=bare(state),
        shapes=narration.outlines,
        suppressed=narration.withheld,
        sources=_sources(about),
        contact=about.policy.contact,
        notes=[_SELECTED],
        links=_links("forecast.html", narration),
        no_rate=poor_base_codes(narration),
        book=book,
    )
    _write_text(folder / "forecast.html", page)


def _write_model_page(narration: Narration, book: FactBook, state: str, folder: Path) -> None:
    from riskmodel.explain.glass_box import GLASS_BOXES
    from riskmodel.narrative.headlines import skill_sentence
    from riskmodel.narrative.model_page import build_model_page

    about = narration.about
    page = build_model_page(
        narration.tables,
        title=about.region,
        target=about.targets[about.target].title,
        model_id=about.model_id,
        as_of=about.as_of,
        run_id=about.run_id,
        headline=skill_sentence(book, model_id=about.model_id),
        state=state,
        shapes=narration.outlines,
        titles=about.factor_titles,
        glass=[name for name, model in about.models.items() if model.use in GLASS_BOXES],
        links=_links("model.html", narration),
        book=book,
    )
    _write_text(folder / "model.html", page.text)
    for name, figure in page.figures.items():
        _write_text(folder / "figures" / f"model-{name}.svg", figure)


def _links(current: str, narration: Narration) -> list[PageLink]:
    """The pages of a bundle, as each of them links to the others."""
    from riskmodel.narrative.frame import PageLink

    audited = (("fairness.html", "Fairness audit"),) if audit_held(narration) else ()
    pages = (
        ("index.html", "Assessment"),
        ("forecast.html", "Forecast"),
        *audited,
        ("model.html", "What the models rest on"),
    )
    return [PageLink(href, words, current=href == current) for href, words in pages]


def _shown(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    wanted = ("outlook", "history", "places", "calibration", "recording", "comparison", "noise_floor")
    return {name: tables[name] for name in wanted if name in tables}


def _counted(narration: Narration, book: FactBook) -> list[Counted]:
    from riskmodel.narrative.forecast_words import Counted
    from riskmodel.narrative.headlines import skill_sentence

    about, held = narration.about, set(narration.tables["outlook"]["target"])
    streams = narration.tables["streams"]
    shown = dict(zip(streams["target"], streams["model_id"].fillna(""), strict=True))
    return [
        Counted(
            target=label,
            title=bare(target.title),
            covers=bare(target.covers),
            leaves_out=bare(target.leaves_out),
            differs=bare(target.differs),
            stream=target.stream,
            restricted=about.sources[target.source].sensitivity == "restricted",
            police_generated=target.is_police_generated(about.sources[target.source]),
            headline=skill_sentence(book, model_id=shown.get(label, ""), target=label) if label != about.target else "",
        )
        for label, target in about.targets.items()
        if label in held
    ]


def _sources(about: About) -> list[SourceNote]:
    from riskmodel.narrative.workbook_text import SourceNote

    specs = [about.sources[name] for name in about.credited]
    return [SourceNote(spec.title, spec.publisher, spec.licence) for spec in specs]


def _write_workbook(narration: Narration, state: str, folder: Path) -> None:
    from riskmodel.narrative.workbook import write_workbook
    from riskmodel.narrative.workbook_text import TargetNote

    about, held = narration.about, set(narration.tables["outlook"]["target"])
    write_workbook(
        folder / "tables" / "planner.xlsx",
        _shown(narration.tables),
        title=about.title,
        targets=[
            TargetNote(label, target.title, target.covers, target.leaves_out, target.version)
            for label, target in about.targets.items()
            if label in held
        ],
        as_of=about.as_of,
        run_id=about.run_id,
        state=state,
        sources=_sources(about),
        contact=about.policy.contact,
        suppressed=narration.withheld,
    )


def _write_descriptions(narration: Narration, folder: Path) -> None:
    """What the tables hold, for programs: CSV on the Web beside the CSV files, and a hub's configuration."""
    from riskmodel.narrative.csvw import CSVW_FILE, csvw_metadata

    about = narration.about
    written = [path.stem for path in (folder / "tables").glob("*.csv")]
    described = csvw_metadata(
        {name: narration.tables[name] for name in written}, withheld=narration.withheld, title=about.title
    )
    _write_text(folder / "tables" / CSVW_FILE, json_text(described))
    titles = {label: target.title for label, target in about.targets.items()}
    tasks = hub_config(narration.tables["forecasts"], targets=titles)
    _write_text(folder / "hub" / "hub-config" / "tasks.json", json_text(tasks))
    metadata = model_metadata(
        about.model_id,
        title=about.title,
        version=about.run_id,
        data_inputs="; ".join(source.title for source in _sources(about)),
        methods="Counts of areas forecast from their own past and published factors; 500 joint draws a forecast",
        licence="; ".join(dict.fromkeys(source.licence for source in _sources(about))),
        contact=about.policy.contact,
    )
    _write_text(folder / "hub" / "model-metadata" / f"{about.model_id}.json", json_text(metadata))


def json_text(content: Mapping[str, Any]) -> str:
    """Content as the JSON that a bundle holds: the same content gives the same bytes."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
