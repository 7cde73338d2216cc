"""What a bundle's pages and papers are made from, kept with the run so that they can be made again without its data.

In: a session and its published tables. Out: a ``Narration``, its folder of Parquet and JSON files, and the same object
read back. Small numbers are withheld before anything comes here: which cells are withheld is kept, never their values.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, ValidationError

from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.specs import (
    ApproachSpec,
    CharacteristicSpec,
    FactorSpec,
    ModelSpec,
    PolicySpec,
    SourceSpec,
    Spec,
    TargetSpec,
)
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.maps import Outlines, make_outlines
from riskmodel.sources.files import find_files
from riskmodel.workflow.approaches import read_approaches
from riskmodel.workflow.area_shapes import BOUNDARIES, area_shapes
from riskmodel.workflow.definitions import GEOGRAPHY, Definitions
from riskmodel.workflow.language_checks import written_texts
from riskmodel.workflow.publishing import Published, targets_of
from riskmodel.workflow.session import code_version

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = [
    "LONG",
    "MAPPED",
    "About",
    "Narration",
    "make_narration",
    "read_about",
    "read_narration",
    "save_narration",
    "with_written",
]

LONG = frozenset(
    {"forecasts", "candidates", "backtest", "groups", "stream_forecasts", "stream_backtest"}
    | {"attributions", "audit", "ledger", "scenarios"}
)
"""Tables too long for a spreadsheet: the bundle holds them as Parquet, the others as CSV."""
MAPPED = ("ward24", "msoa21", "lad24")
"""The levels drawn on maps."""
_ABOUT, _OUTLINES = "about.json", "outlines.json"


class About(Spec):
    """What a run is about, in words and definitions, as pages and papers need it.

    ``tables`` names every table of the bundle with its suffix there. ``sources`` holds every source with files in the
    run, those of ``targets`` and the geography; ``credited`` those with files. ``targets`` has the headline first.
    ``texts`` holds what people wrote, whole files by their names; ``approaches`` what they keep on approaches.
    ``headline``, ``headlines``, ``notes`` and ``advice`` are the run's own words, plain: pages say it again from the
    tables, so that its numbers are facts.
    """

    run_id: str
    experiment: str
    question: str
    region: str
    as_of: date
    seed: int
    code_version: str
    definitions_sha256: str
    geography_sha256: str
    inputs: dict[str, str]
    tables: dict[str, Literal["csv", "parquet"]]
    audience: Literal["public", "partners"]
    model_id: str
    headline: str
    headlines: dict[str, str]
    notes: list[str]
    advice: str
    targets: dict[str, TargetSpec]
    sources: dict[str, SourceSpec]
    credited: list[str]
    baseline: str
    models: dict[str, ModelSpec]
    places: list[str]
    factors: dict[str, FactorSpec]
    characteristics: dict[str, CharacteristicSpec]
    policy_name: str
    policy: PolicySpec
    texts: dict[str, str] = Field(default_factory=dict)
    approaches: dict[str, ApproachSpec] = Field(default_factory=dict)
    invented: bool = False

    @property
    def target(self) -> str:
        """The headline's label."""
        return next(iter(self.targets))

    @property
    def factor_titles(self) -> dict[str, str]:
        """Titles of factors by domain/name."""
        return {name: factor.title for name, factor in self.factors.items()}

    @property
    def title(self) -> str:
        """The region and the target, for headings."""
        return f"{self.region}: {self.targets[self.target].title}"


@dataclass(frozen=True, eq=False)
class Narration:
    """What pages are made from.

    Parameters
    ----------
    about : About
    tables : mapping of str to DataFrame
        As they are published.
    withheld : mapping of str to DataFrame
        For a table, a frame of its shape that is true where a cell was withheld.
    outlines : mapping of level to Outlines
        Of the mapped levels; none where the region's boundaries are not held.
    before : Narration, optional
        An earlier run's, with the tables that are compared.
    """

    about: About
    tables: Mapping[str, pd.DataFrame]
    withheld: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    outlines: Mapping[str, Outlines] = field(default_factory=dict)
    before: Narration | None = None


def make_narration(session: Session, published: Published) -> Narration:
    """Gather what pages need from a session, which knows the data, and from what may be published of it."""
    return Narration(_about(session, published), published.tables, published.withheld, _outlines(session))


def _about(session: Session, published: Published) -> About:
    definitions, experiment = session.definitions, session.definitions.experiment
    credited = sorted({*(file.source for file in session.held.files), GEOGRAPHY})
    targets = targets_of(definitions)
    return About(
        run_id=session.run_id,
        experiment=definitions.name,
        question=experiment.question,
        region=session.held.panel.geography.title,
        as_of=session.as_of,
        seed=experiment.seed,
        code_version=code_version(),
        definitions_sha256=definitions.digest,
        geography_sha256=session.held.panel.geography.digest,
        inputs=session.held.inputs,
        tables={name: "parquet" if name in LONG else "csv" for name in published.tables},
        audience=published.audience,
        model_id=published.model_id,
        headline=published.headline,
        headlines=dict(published.headlines),
        notes=list(published.notes),
        advice=_advice(definitions, published),
        targets={label: target for label, target, _ in targets},
        sources={name: definitions.sources[name] for name in sorted({*credited, *(t.source for _, t, _ in targets)})},
        credited=credited,
        baseline=experiment.baseline,
        places=list(experiment.places),
        models={m.model_id: m for m in experiment.models},
        factors=_factors(definitions),
        characteristics=dict(definitions.characteristics),
        policy_name=experiment.policy,
        policy=definitions.policy,
        texts=_texts(definitions.workspace, definitions.name),
        approaches=read_approaches(definitions.workspace),
        invented=experiment.region.invented,
    )


def _texts(workspace: Workspace, experiment: str) -> dict[str, str]:
    return {text.path.stem: text.content for text in written_texts(workspace, experiment)}


def with_written(about: About, workspace: Workspace) -> About:
    """What a run is about, with the texts and approaches of the workspace as they are now, where it has any.

    Raises
    ------
    DefinitionError
        If one of them cannot be read.
    """
    held = about.experiment in workspace.names("experiment")
    texts = _texts(workspace, about.experiment) if held else {}
    approaches = read_approaches(workspace)
    return about.model_copy(update={"texts": texts or about.texts, "approaches": approaches or about.approaches})


def _advice(definitions: Definitions, published: Published) -> str:
    from riskmodel.explain.glass_box import GLASS_BOXES, glass_box_advice

    glass = [m.model_id for m in definitions.experiment.models if m.use in GLASS_BOXES]
    return glass_box_advice(published.tables["pairwise"], best=published.model_id, glass=glass) if glass else ""


def _factors(definitions: Definitions) -> dict[str, FactorSpec]:
    return {
        f"{domain}/{name}": factor
        for domain, held in definitions.workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    }


def _outlines(session: Session) -> dict[str, Outlines]:
    geography = session.held.panel.geography
    spec = session.definitions.sources[GEOGRAPHY]
    roles = [role for role in BOUNDARIES if role in spec.files]
    files = find_files(GEOGRAPHY, spec, session.held.data, force=geography.force, roles=roles)
    shapes = area_shapes(files, geography.areas)
    known = np.array([shape is not None for shape in shapes])
    if not known.any():
        return {}
    held = [level for level in MAPPED if level in geography.parents.columns]
    codes = {level: geography.parents[level].to_numpy(dtype=object)[known].tolist() for level in held}
    return {level: make_outlines(shapes[known], codes[level]) for level in held}


def save_narration(narration: Narration, folder: Path) -> None:
    """Write a narration to a new folder: tables that the bundle holds as Parquet lie there and are not written twice.

    Parameters
    ----------
    narration : Narration
    folder : Path
        Made by this.
    """
    from riskmodel.narrative.bundle import write_table

    about = narration.about
    exact = {name: narration.tables[name] for name, suffix in about.tables.items() if suffix == "csv"}
    for room, frames in (("tables", exact), ("withheld", narration.withheld)):
        (folder / room).mkdir(parents=True)
        for name, frame in frames.items():
            write_table(folder / room / f"{name}.parquet", frame)
    (folder / _ABOUT).write_text(about.model_dump_json(indent=1) + "\n", encoding="utf-8", newline="\n")
    drawn = {
        level: {
            "codes": list(o.codes),
            "paths": list(o.paths),
            "centres": o.centres.tolist(),
            "width": o.width,
            "height": o.height,
        }
        for level, o in narration.outlines.items()
    }
    (folder / _OUTLINES).write_text(json.dumps(drawn) + "\n", encoding="utf-8", newline="\n")


def read_about(folder: Path) -> About:
    """What a stored run is about.

    Raises
    ------
    UsageError
        If another version of the program wrote it, in a form this one cannot read.
    """
    text = (folder / _ABOUT).read_text(encoding="utf-8")
    try:
        return About.model_validate_json(text)
    except ValidationError as error:
        known = json.loads(text)
        raise UsageError(
            "this run was stored by another version of riskmodel, and cannot be narrated by this one",
            found=f"code {known.get('code_version', 'of an unknown version')}",
            allowed=f"code {code_version()}",
            hint=f"use that version, or run it again: riskmodel run {known.get('experiment', 'EXPERIMENT')}",
        ) from error


def read_narration(folder: Path, tables: Path, *, only: Collection[str] | None = None) -> Narration:
    """Read what ``save_narration`` wrote.

    Parameters
    ----------
    folder : Path
        The narration's.
    tables : Path
        The bundle's folder of tables.
    only : collection of str, optional
        The tables to read, where not all are needed.
    """
    import pandas as pd

    about = read_about(folder)
    places = {"parquet": tables, "csv": folder / "tables"}
    held = {
        name: pd.read_parquet(places[suffix] / f"{name}.parquet")
        for name, suffix in about.tables.items()
        if only is None or name in only
    }
    withheld = {path.stem: pd.read_parquet(path) for path in sorted((folder / "withheld").glob("*.parquet"))}
    drawn = json.loads((folder / _OUTLINES).read_text(encoding="utf-8"))
    outlines = {
        level: Outlines(
            tuple(o["codes"]), tuple(o["paths"]), np.array(o["centres"], dtype=np.float64), o["width"], o["height"]
        )
        for level, o in drawn.items()
    }
    return Narration(about, held, withheld, outlines)
