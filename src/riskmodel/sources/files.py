"""Which published files lie in a data folder: in go a source's definition and a folder, out come its files, dated.

A file may lie there as published, gzipped, or inside a zip. Every file found has a month or vintage, and the first day
its content could be known; a file whose name contradicts itself is refused, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.periods import month_label, month_number
from riskmodel.contracts.specs import FileSpec, SourceSpec
from riskmodel.sources.archives import member_names
from riskmodel.sources.content import decompress, read_bytes
from riskmodel.sources.observed import SourceFile

__all__ = ["MissingFile", "decompress", "find_files", "missing_files", "read_bytes"]

_MONTH_FORM = r"\d{4}-\d{2}"
_REISSUE = re.compile(rf"({_MONTH_FORM})\.zip")
_FORCE_ROLE = "_force"


@dataclass(frozen=True)
class MissingFile:
    """One published file that a region needs and the data folder lacks: who publishes it, its name, its folder."""

    source: str
    role: str
    publisher: str
    file: str
    folder: str
    period: str


@dataclass(frozen=True)
class _Place:
    """Where a file was found and which period its name gives."""

    name: str
    path: Path
    member: str | None
    period: str
    reissued: str | None


def find_files(
    name: str,
    spec: SourceSpec,
    data: Path,
    *,
    force: str,
    first_month: str | None = None,
    roles: Collection[str] | None = None,
) -> list[SourceFile]:
    """Every file of a source that lies in the data folder for one force.

    A monthly file's ``published`` is its month's own rule; inside a zip named ``YYYY-MM.zip`` it is the later of that
    and the rule applied to the zip's month, because such a zip re-issues months as they were known then. Any other zip
    is a custom download of files under their own rule.

    Parameters
    ----------
    name : str
        The source's name, as its definition file is called.
    spec : SourceSpec
        Its definition.
    data : Path
        The data folder.
    force : str
        The force as in police.uk file names, e.g. ``thames-valley``.
    first_month : str, optional
        Leave out monthly files of earlier months.
    roles : collection of str, optional
        The definition's files wanted; all if absent.

    Returns
    -------
    list of SourceFile
        Sorted by role, period, publication day and name. Of two copies with the same content one is returned.

    Raises
    ------
    DataFileError
        If the folder is absent, a zip is broken or unsafe, a name contradicts itself, or two files hold the same month
        as published on the same day but differ.
    """
    if not data.is_dir():
        raise DataFileError("there is no such data folder", where=data, hint="name it with --data DIR")
    found: list[SourceFile] = []
    for role, file in spec.files.items():
        if roles is not None and role not in roles:
            continue
        for place in (*_loose(file, data, force), *_archived(file, data, force)):
            if file.monthly and first_month is not None and place.period < first_month:
                continue
            found.append(
                SourceFile(
                    source=name,
                    role=role,
                    name=place.name,
                    path=place.path,
                    member=place.member,
                    period=place.period,
                    published=_published(file, place),
                    spec=file,
                    source_spec=spec,
                )
            )
    found.sort(key=lambda f: (f.role, f.period, f.published, f.name))
    return _without_copies(found)


def missing_files(
    name: str,
    spec: SourceSpec,
    data: Path,
    *,
    force: str,
    first_month: str | None = None,
    last_month: str | None = None,
    roles: Collection[str] | None = None,
) -> list[MissingFile]:
    """Every file of a source that the data folder lacks for one force.

    Of a monthly file: the months missing between the first and the last (those given, else those present), or one entry
    without a month when there is none at all. A role ``X`` and a role ``X_force`` (a national file and its cut for one
    force) stand for each other: one of them is enough.

    Parameters
    ----------
    name, spec, data, force, roles
        As in `find_files`.
    first_month, last_month : str, optional
        The months the region's question needs.

    Raises
    ------
    DataFileError
        As `find_files`.
    """
    present = find_files(name, spec, data, force=force, first_month=first_month, roles=roles) if data.is_dir() else []
    held: dict[str, set[str]] = {}
    for file in present:
        held.setdefault(file.role, set()).add(file.period)
    missing: list[MissingFile] = []
    for role, wanted in spec.files.items():
        if (roles is not None and role not in roles) or _stands_for(role, spec, held):
            continue
        periods = _months_wanted(held.get(role, set()), first_month, last_month) if wanted.monthly else [""]
        for period in periods:
            if period in held.get(role, set()) or (not wanted.monthly and role in held):
                continue
            folder, _, file_name = _filled(wanted.path, force, period or "YYYY-MM").rpartition("/")
            missing.append(MissingFile(name, role, spec.publisher, file_name, folder, period or wanted.period or ""))
    return missing


def _stands_for(role: str, spec: SourceSpec, held: Collection[str]) -> bool:
    if role.endswith(_FORCE_ROLE) and role.removesuffix(_FORCE_ROLE) in spec.files:
        return True
    return f"{role}{_FORCE_ROLE}" in held


def _months_wanted(held: set[str], first_month: str | None, last_month: str | None) -> list[str]:
    first = first_month or min(held, default=None)
    last = last_month or max(held, default=None)
    if first is None or last is None:
        return [""]
    return [month_label(m) for m in range(month_number(first), month_number(last) + 1)]


def _filled(path: str, force: str, period: str) -> str:
    return path.replace("{force}", force).replace("{period}", period)


def _published(file: FileSpec, place: _Place) -> date:
    if file.publication.lag_months is not None and not place.period:
        # A table of many periods: each has a day of its own, see `named_periods.published_of`.
        return date.min
    own = file.publication.of(place.period)
    return max(own, file.publication.of(place.reissued)) if file.monthly and place.reissued else own


def _loose(file: FileSpec, data: Path, force: str) -> Iterator[_Place]:
    """Files that lie in the folder by themselves, as published, gzipped or as GeoParquet."""
    *folders, last = file.path.split("/")
    level = [(data, "")]
    for folder in folders:
        pattern = _pattern(folder, force)
        level = [
            (child, _period_of(match, parent[1], child, data))
            for parent in level for child, match in _children(parent[0], pattern) if child.is_dir()
        ]  # fmt: skip
    pattern = _pattern(last, force, also=r"(\.gz)?")
    for parent, period in level:
        for child, match in _children(parent, pattern):
            if child.is_file():
                own = _period_of(match, period, child, data)
                yield _Place(_relative(child, data), child, None, own or file.period or "", None)


def _archived(file: FileSpec, data: Path, force: str) -> Iterator[_Place]:
    """Members of the zips a file may also come in; they are known by their own name, wherever in the zip they lie."""
    if file.archives is None:
        return
    folder, last = file.path.rsplit("/", 2)[-2:] if "/" in file.path else ("", file.path)
    in_folder = _pattern(folder, force)
    pattern = _pattern(last, force)
    for path in sorted(data.glob(_filled(file.archives, force, "*"))):
        archive = _relative(path, data)
        reissue = _REISSUE.fullmatch(path.name)
        if reissue:
            _check_month(reissue[1], archive)
        for member in member_names(path, archive):
            parents, _, own = member.rpartition("/")
            match = pattern.fullmatch(own)
            if match is None:
                continue
            around = in_folder.fullmatch(parents.rpartition("/")[2])
            period = _period_of(match, _group(around), Path(f"{archive}!{member}"), None)
            yield _Place(f"{archive}!{member}", path, member, period or file.period or "", reissue and reissue[1])


def _pattern(part: str, force: str, also: str = "") -> re.Pattern[str]:
    """One part of a path as a pattern; a force is written with hyphens or, in boundary files, with underscores."""
    escaped = re.escape(part).replace(re.escape("{period}"), f"(?P<period>{_MONTH_FORM})", 1)
    escaped = escaped.replace(re.escape("{period}"), "(?P=period)")
    names = "|".join(re.escape(name) for name in dict.fromkeys((force, force.replace("-", "_"))))
    escaped = escaped.replace(re.escape("{force}"), f"(?:{names})")
    if escaped.endswith(r"\.geojson"):
        escaped = escaped.removesuffix("geojson") + r"(?:geojson|parquet)"
    return re.compile(escaped + also)


def _children(parent: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    for child in sorted(parent.iterdir()):
        match = pattern.fullmatch(child.name)
        if match is not None:
            yield child, match


def _group(match: re.Match[str] | None) -> str:
    return match.groupdict().get("period") or "" if match is not None else ""


def _period_of(match: re.Match[str], around: str, path: Path, data: Path | None) -> str:
    """Return the month a name gives; the folder around it must give the same."""
    own = _group(match)
    where = _relative(path, data) if data is not None else path.as_posix()
    if own:
        _check_month(own, where)
    if own and around and own != around:
        raise DataFileError(
            "the folder's month is not the file's month", where=where, found=own, allowed=around,
            hint="put the file in its own month's folder",
        )  # fmt: skip
    return own or around


def _check_month(label: str, where: str) -> None:
    try:
        month_number(label)
    except ValueError as error:
        raise DataFileError("there is no such month", where=where, found=label, allowed="YYYY-01 to YYYY-12") from error


def _relative(path: Path, data: Path) -> str:
    return path.relative_to(data).as_posix()


def _without_copies(files: list[SourceFile]) -> list[SourceFile]:
    """Of files with the same role, period and publication day keep one; refuse them if they differ."""
    kept: list[SourceFile] = []
    for file in files:
        last = kept[-1] if kept else None
        if last is None or (last.role, last.period, last.published) != (file.role, file.period, file.published):
            kept.append(file)
        elif _content(last) != _content(file):
            raise DataFileError(
                "two different files hold the same period, published on the same day", where=file.name,
                found=[last.name, file.name], allowed="one of them",
                hint="keep the one the publisher offers now and move the other out of the data folder",
            )  # fmt: skip
    return kept


def _content(file: SourceFile) -> bytes:
    return file.raw if file.name.endswith(".parquet") else file.text()
