"""Zip files as their publisher made them: in goes a zip, out come the members that are data files, safely.

Nothing is ever extracted to disk. A zip whose members have paths that could leave a folder is refused whole: the
publisher's have none.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from riskmodel.contracts.errors import DataFileError

__all__ = ["LARGEST_FILE", "member_names", "read_member"]

LARGEST_FILE = 1 << 30
"""Bytes after decompression beyond which no published month or table goes; a bigger one is refused."""

_AGAIN = "download it again from the publisher"
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x1


def member_names(path: Path, name: str) -> list[str]:
    """List the names of a zip's files (folders left out), every one checked.

    Parameters
    ----------
    path : Path
        The zip on disk.
    name : str
        What messages call it: its path relative to the data folder.

    Returns
    -------
    list of str
        In the zip's own order.

    Raises
    ------
    DataFileError
        If it is no zip, or a member is encrypted, named twice or has a path that is absolute, climbs with ``..``,
        names a drive or holds a backslash.
    """
    with _opened(path, name) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
    seen: set[str] = set()
    for info in members:
        # zipfile rewrites separators on Windows; the raw name is what the maker of the zip wrote.
        raw = info.orig_filename
        if "\\" in raw or "\0" in raw or raw.startswith("/") or _DRIVE.match(raw) or ".." in raw.split("/"):
            _refuse(name, raw, "a member of this zip has a path that leaves its folder")
        if info.flag_bits & _ENCRYPTED:
            _refuse(name, raw, "a member of this zip is encrypted")
        if raw in seen:
            _refuse(name, raw, "this zip holds the same member twice")
        seen.add(raw)
    return [info.filename for info in members]


def read_member(path: Path, member: str, name: str) -> bytes:
    """Read the bytes of one member, its checksum verified.

    Raises
    ------
    DataFileError
        If the zip or the member is broken, or the member is larger than any published file.
    """
    with _opened(path, name) as archive:
        try:
            info = archive.getinfo(member)
        except KeyError as error:
            raise DataFileError("this member is not in the zip", where=name, found=member, hint=_AGAIN) from error
        if info.file_size > LARGEST_FILE:
            raise DataFileError(
                "a member of this zip is larger than any published file", where=name, found=f"{info.file_size} bytes",
                allowed=f"up to {LARGEST_FILE} bytes", hint=_AGAIN,
            )  # fmt: skip
        return archive.read(info)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[zipfile.ZipFile]:
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataFileError("this zip is broken", where=name, found=str(error), hint=_AGAIN) from error
    except OSError as error:
        raise DataFileError("this zip cannot be read", where=name, found=error.strerror or str(error)) from error


def _refuse(name: str, member: str, what: str) -> NoReturn:
    raise DataFileError(what, where=f"{name}!{member}", hint=f"{_AGAIN}; do not use a zip somebody repacked")
