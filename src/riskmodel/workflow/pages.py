"""Everything of a bundle that is no table: pages, workbook, pictures, and descriptions for machines.

In: a narration and where its run stands. Out: files in the bundle's folder. Nothing here knows the run's data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import TABLES
from riskmodel.fairness.decision_files import FORM_FILE, form_text
from riskmodel.fairness.decisions import Review
from riskmodel.forecast.hubverse import hub_config, model_metadata
from riskmodel.forecast.outlook import published_grain
from riskmodel.narrative.bundle import write_table
from riskmodel.workflow.narration import About, Narration

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.forecast_words import Counted
    from riskmodel.narrative.frame import PageLink
    from riskmodel.narrative.workbook_text import SourceNote

__all__ = ["DECISIONS_FILE", "json_text", "write_pages"]

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
    _write_forecast_page(narration, state, folder)
    _write_model_page(narration, state, folder)
    _write_workbook(narration, state, folder)
    _write_descriptions(narration, folder)
    _write_text(folder / DECISIONS_FILE, json_text(review.as_record()))
    if review.audited.audit_sha256:
        _write_text(folder / FORM_FILE, form_text(about.run_id, review.audited.audit_sha256))


def _write_forecast_page(narration: Narration, state: str, folder: Path) -> None:
    from riskmodel.narrative.forecast_page import build_forecast_page

    about = narration.about
    page = build_forecast_page(
        _shown(narration.tables),
        title=about.region,
        question=about.question,
        targets=_counted(narration),
        model_id=about.model_id,
        as_of=about.as_of,
        run_id=about.run_id,
        headline=about.headline,
        state=state,
        shapes=narration.outlines,
        suppressed=narration.withheld,
        sources=_sources(about),
        contact=about.policy.contact,
        notes=about.notes,
        links=_links("forecast.html"),
    )
    _write_text(folder / "forecast.html", page)


def _write_model_page(narration: Narration, state: str, folder: Path) -> None:
    from riskmodel.narrative.model_page import build_model_page

    about = narration.about
    page = build_model_page(
        narration.tables,
        title=about.region,
        target=about.targets[about.target].title,
        model_id=about.model_id,
        as_of=about.as_of,
        run_id=about.run_id,
        headline=about.headline,
        state=state,
        shapes=narration.outlines,
        titles=about.factor_titles,
        advice=about.advice,
        links=_links("model.html"),
    )
    _write_text(folder / "model.html", page.text)
    for name, figure in page.figures.items():
        _write_text(folder / "figures" / f"model-{name}.svg", figure)


def _links(current: str) -> list[PageLink]:
    """The pages of a bundle, as each of them links to the others."""
    from riskmodel.narrative.frame import PageLink

    pages = (("forecast.html", "Forecast"), ("model.html", "What the models rest on"))
    return [PageLink(href, words, current=href == current) for href, words in pages]


def _shown(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    wanted = ("outlook", "history", "places", "calibration", "recording", "comparison", "noise_floor")
    return {name: tables[name] for name in wanted if name in tables}


def _counted(narration: Narration) -> list[Counted]:
    from riskmodel.narrative.forecast_words import Counted

    about, held = narration.about, set(narration.tables["outlook"]["target"])
    return [
        Counted(
            target=label,
            title=target.title,
            covers=target.covers,
            leaves_out=target.leaves_out,
            differs=target.differs,
            stream=target.stream,
            restricted=about.sources[target.source].sensitivity == "restricted",
            police_generated=target.is_police_generated(about.sources[target.source]),
            headline=about.headlines.get(label, ""),
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
    written = {path.stem for path in (folder / "tables").glob("*.csv")} & set(TABLES)
    described = csvw_metadata({n: t for n, t in narration.tables.items() if n in written}, title=about.title)
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
