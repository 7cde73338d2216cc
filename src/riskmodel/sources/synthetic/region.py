"""Write a whole fictional police-force region, in the layouts the real publishers use.

In: a folder, a size and a seed. Out: police files, census, deprivation, look-ups, boundaries, partner streams, and a
``truth`` folder with the process behind them. The folder appears whole or not at all.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import UsageError

from . import census, deprivation, districts, lookups, partners, police, truth
from .conditions import Conditions, make_conditions
from .events import draw_month, generator
from .files import write_gzip, write_zip
from .months import Calendar, make_calendar, month_name
from .people import Groups, make_groups
from .places import Places, make_places
from .process import TrueProcess, make_process

__all__ = ["SyntheticRegion", "write_synthetic_region"]

_FIRST_LINE = "Everything in this folder is invented: no place, person, event or number in it is real."
_README = f"""{_FIRST_LINE}

It has the layout, file names and columns of published open data (police.uk street-level crime, Census 2021 through
Nomis, English indices of deprivation, ONS look-ups and boundaries), so the same readers read both. The codes
begin E019, E029, E059, E079, E229 and E239, which no real place has; the map lies in open sea.

truth/ holds the process behind the numbers. Real data have no such folder.
"""
_MINIMUM_AREAS, _MAXIMUM_AREAS = 40, 45_000


@dataclass(frozen=True)
class SyntheticRegion:
    """Where a fictional region lies, and the few facts about it that tests ask for most."""

    directory: Path
    force: str
    areas: int
    months: tuple[str, ...]
    missing_months: tuple[str, ...]
    revised_months: tuple[str, ...]

    @property
    def truth(self) -> dict[str, Any]:
        """The parameters of the true process, read from ``truth/truth.json``."""
        content: dict[str, Any] = json.loads((self.directory / "truth" / "truth.json").read_text(encoding="utf-8"))
        return content


@dataclass(frozen=True)
class _Invented:
    """Everything that does not change from month to month."""

    places: Places
    conditions: Conditions
    tables: census.CensusTables
    scores: deprivation.Scores
    groups: Groups
    process: TrueProcess


def write_synthetic_region(
    directory: Path,
    *,
    areas: int = 400,
    months: int = 72,
    seed: int = 20260401,
    force: str = "lindenshire",
    unfairness: Mapping[str, float] | None = None,
    revisions: bool = True,
) -> SyntheticRegion:
    """Write a fictional police-force region in the layouts of the published files.

    Parameters
    ----------
    directory : Path
        Where to write. It must be new, empty, or an earlier synthetic region (which is replaced).
    areas : int
        Number of 2021 areas in the force; a dozen more lie in the neighbouring force.
    months : int
        Length of the police series, which ends in 2025-12.
    seed : int
        The same arguments give the same bytes.
    force : str
        Name of the force as it stands in the file names.
    unfairness : mapping of str to float, optional
        Multiplies the recorded rate of violence against a group, as ``{"ethnic_group:black": 1.5}``.
    revisions : bool
        Whether to write a later archive that re-issues three months with changed counts.

    Returns
    -------
    SyntheticRegion
        The folder and the facts that tests ask for most.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     region = write_synthetic_region(Path(folder) / "region", areas=40, months=12)
    >>> region.months[0], region.months[-1], region.missing_months
    ('2025-01', '2025-12', ('2025-04',))
    """
    directory = Path(directory).resolve()
    _check(directory, areas, seed, force)
    calendar = make_calendar(months)
    arguments = {"areas": areas, "months": months, "seed": seed, "force": force, "revisions": revisions}
    invented = _invent(seed, areas, unfairness)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(directory, "partial")
    shutil.rmtree(partial, ignore_errors=True)
    _write_standing(partial, seed, force, invented, calendar)
    _write_months(partial, seed, force, invented, calendar, revisions=revisions)
    truth_folder = partial / "truth"
    truth.write_areas(truth_folder / "areas.parquet", invented.places, invented.conditions, invented.process)
    truth.write_parameters(truth_folder / "truth.json", arguments, invented.process, calendar, unfairness)
    (partial / "README.txt").write_bytes(_README.encode())
    _replace(partial, directory)
    return SyntheticRegion(
        directory=directory,
        force=force,
        areas=areas,
        months=tuple(month_name(each) for each in calendar.months),
        missing_months=(month_name(calendar.missing),),
        revised_months=tuple(month_name(each) for each in calendar.reissued) if revisions else (),
    )


def _check(directory: Path, areas: int, seed: int, force: str) -> None:
    """Refuse what cannot be written, before any work is done."""
    if not _MINIMUM_AREAS <= areas <= _MAXIMUM_AREAS:
        allowed = f"{_MINIMUM_AREAS} to {_MAXIMUM_AREAS}"
        raise UsageError("a synthetic region cannot have this many areas", found=areas, allowed=allowed)
    if seed < 0:
        raise UsageError("the seed must not be negative", found=seed)
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", force):
        raise UsageError("a force is named in small letters and hyphens", found=force, allowed="west-lindenshire")
    if directory.exists() and not _is_region(directory):
        raise UsageError(
            "this folder holds something other than a synthetic region, so it is left alone",
            where=directory,
            hint="choose a folder that does not exist yet",
        )


def _is_region(directory: Path) -> bool:
    """Whether a folder is empty or was written here before."""
    if not directory.is_dir():
        return False
    readme = directory / "README.txt"
    if readme.is_file():
        return readme.read_bytes().startswith(_FIRST_LINE.encode()) and (directory / "truth" / "truth.json").is_file()
    return not any(directory.iterdir())


def _beside(directory: Path, state: str) -> Path:
    """Return the name of a hidden folder on the same disk, so that a rename is one step."""
    return directory.with_name(f".{directory.name}.{state}")


def _replace(partial: Path, directory: Path) -> None:
    """Put the finished folder in place; an earlier region is moved aside first, never half overwritten."""
    aside = _beside(directory, "replaced")
    shutil.rmtree(aside, ignore_errors=True)
    if directory.exists():
        directory.rename(aside)
    partial.rename(directory)
    shutil.rmtree(aside, ignore_errors=True)


def _invent(seed: int, areas: int, unfairness: Mapping[str, float] | None) -> _Invented:
    places = make_places(generator(seed, "places"), areas)
    conditions = make_conditions(generator(seed, "conditions"), places)
    tables = census.make_census(generator(seed, "census"), conditions)
    scores = deprivation.make_scores(generator(seed, "scores"), places, conditions)
    groups = make_groups(tables, unfairness)
    process = make_process(generator(seed, "process"), places, conditions, tables, scores, groups)
    scores = deprivation.with_crime(generator(seed, "crime"), scores, process.log_rate)
    return _Invented(places, conditions, tables, scores, groups, process)


def _write_standing(folder: Path, seed: int, force: str, invented: _Invented, calendar: Calendar) -> None:
    """Write every file that is not monthly."""
    places, conditions, tables = invented.places, invented.conditions, invented.tables
    rng = generator(seed, "written")
    title = _title(force)
    census.write_census(folder / "census2021_nomis", places, conditions, tables)
    census.write_population(folder / "population" / "population20_lsoa11.csv.gz", rng, places, conditions, tables)
    deprivation.write_deprivation(folder / "deprivation", rng, places, conditions, invented.scores)
    lookups.write_lookups(folder / "lookups", places, conditions, title)
    lookups.write_boundaries(folder / "boundaries", places, conditions, force, title)
    held = districts.make_districts(places, conditions, tables, invented.process)
    rng = generator(seed, "districts")
    districts.write_exclusions(folder / "partners" / "school_exclusions.csv.gz", rng, held, calendar)
    districts.write_entrants(folder / "partners" / "youth_justice_entrants.csv.gz", rng, held, calendar)


def _write_months(
    folder: Path, seed: int, force: str, invented: _Invented, calendar: Calendar, *, revisions: bool
) -> None:
    """Write police files, partner streams and truth month by month, so that memory is bounded by one month."""
    places, process = invented.places, invented.process
    press = police.make_press(places, invented.conditions, process, _title(force))
    reissued: list[tuple[str, bytes]] = []
    with ExitStack() as stack:
        streams = partners.PartnerFiles(stack, folder / "partners", places)
        known = truth.TruthFiles(stack, folder / "truth", places, process, calendar)
        for month in calendar.months:
            events = draw_month(seed, month, places, process, invented.groups, calendar)
            issued = month != calendar.missing
            streams.add(seed, events, police_issued=issued)
            known.add(events, invented.conditions)
            if not issued:
                continue
            rows = police.month_rows(seed, events, press, calendar)
            name = f"{month_name(month)}/{month_name(month)}-{force}-street.csv"
            write_gzip(folder / "police" / f"{name}.gz", police.as_text(rows, press))
            known.add_rows(rows, "first")
            if revisions and month in calendar.reissued:
                later = police.revised(seed, rows)
                known.add_rows(later, "archive")
                reissued.append((name, b"".join(police.as_text(later, press))))
    if reissued:
        year, month_of_year = divmod(calendar.archive + 3, 12)
        path = folder / "police" / "archives" / f"{month_name(calendar.archive)}.zip"
        write_zip(path, reissued, date=(year, month_of_year + 1, 1))


def _title(force: str) -> str:
    return force.replace("-", " ").title()
