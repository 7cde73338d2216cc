"""From the data folder to a panel: find, ingest, and say what is held."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.periods import origin_month
from riskmodel.panel.build import build_panel, default_as_of
from riskmodel.panel.geography import build_geography
from riskmodel.panel.view import Panel
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.store import Ingested, Store
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, Definitions
from riskmodel.workflow.progress import Listener, Silent

__all__ = ["Held", "data_folder", "ingest", "needed_files", "resolve_as_of"]


@dataclass(frozen=True, eq=False)
class Held:
    """What the data folder holds for an experiment."""

    definitions: Definitions
    data: Path
    files: tuple[SourceFile, ...]
    ingested: Ingested
    store: Store
    panel: Panel

    @property
    def inputs(self) -> dict[str, str]:
        """Published file -> sha256 of its content."""
        return {f.name: f.sha256 for f in self.files}

    @property
    def inputs_sha256(self) -> str:
        """One hash over every input and the geography."""
        content = {"files": self.inputs, "geography": self.panel.geography.digest}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def data_folder(definitions: Definitions, option: Path | None) -> Path:
    """Where the published files lie: the option, else the experiment's own folder, else RISKMODEL_DATA.

    Raises
    ------
    UsageError
        If none is named, or the folder is not there.
    """
    own = definitions.experiment.data
    named = os.environ.get("RISKMODEL_DATA")
    if option is not None:
        folder, hint = option, "name an existing folder with --data DIR"
    elif own is not None:
        folder = definitions.workspace.root / own
        hint = f"write the synthetic region with: riskmodel init {_shown(definitions.workspace.root)} --synthetic"
    elif named:
        folder, hint = Path(named), "RISKMODEL_DATA names a folder that is not there"
    else:
        raise UsageError(
            f"where do the published files of '{definitions.name}' lie?",
            hint="name the folder with --data DIR (or set RISKMODEL_DATA); the README says which files to download",
        )
    if not folder.is_dir():
        raise UsageError("the data folder is not there", where=folder, hint=hint)
    return folder


def _shown(root: Path) -> str:
    return "." if root == Path.cwd() else root.as_posix()


def needed_files(definitions: Definitions, data: Path) -> list[SourceFile]:
    """Every file of the data folder that the target, the features, the groups and their counts are made of."""
    region, history = definitions.experiment.region, definitions.experiment.history
    found: list[SourceFile] = []
    wanted, groups = definitions.measures, definitions.if_held
    for source in sorted({*wanted, *groups}):
        measures = wanted.get(source, set()) | groups.get(source, set())
        spec = definitions.sources[source]
        roles = [role for role, f in spec.files.items() if f.monthly or measures & set(f.measures)]
        found += find_files(source, spec, data, force=region.force, first_month=history.first_month, roles=roles)
    return found


def ingest(definitions: Definitions, data: Path, *, listener: Listener | None = None) -> Held:
    """Read what is new in the data folder into the store and assemble the panel.

    Raises
    ------
    DataFileError
        If a published file is missing or broken.
    NotEnoughHistory
        If no month of the target is held for the region.
    """
    listener = listener or Silent()
    region = definitions.experiment.region
    geography = build_geography(
        data,
        definitions.sources[GEOGRAPHY],
        definitions.sources[CENSUS],
        region=region,
        workspace=definitions.workspace.root,
    )
    files = needed_files(definitions, data)
    store = Store(definitions.workspace.root / "build" / "store")
    with listener.task("Reading published files", len(files)) as step:
        ingested = store.ingest(files, step=lambda _: step())
    panel = build_panel(
        store,
        files,
        geography,
        measures=definitions.measures,
        if_held=definitions.if_held,
        parts=definitions.parts,
        first_month=definitions.experiment.history.first_month,
    )
    return Held(definitions, data, tuple(files), ingested, store, panel)


def resolve_as_of(held: Held, option: date | None) -> date:
    """The run's as-of: the option, or the first origin at which the newest month of the target is visible.

    Raises
    ------
    UsageError
        If the option is not the first day of a month.
    """
    if option is None:
        return default_as_of(held.panel, held.definitions.target.source)
    try:
        origin_month(option)
    except ValueError as error:
        raise UsageError(str(error), hint=f"for example --as-of {option.replace(day=1).isoformat()}") from error
    return option
