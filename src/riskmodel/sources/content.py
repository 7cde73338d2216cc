"""Bytes to text: in goes one published file, out comes its checked UTF-8 text, gzip and byte-order mark taken off.

What is no text (a truncated download, an error page saved under the file's name, binary junk) is refused here, with the
line where the trouble begins, so that every reader may trust what it gets.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import DataFileError
from riskmodel.sources.archives import LARGEST_FILE, read_member

if TYPE_CHECKING:
    from pathlib import Path

    from riskmodel.sources.observed import SourceFile

__all__ = ["as_text", "decompress", "read_bytes", "read_path"]

_AGAIN = "download it again from the publisher"
_GZIP = b"\x1f\x8b"
_UTF8_MARK = b"\xef\xbb\xbf"
_WEB_PAGE = re.compile(rb"\s*<(!doctype\s+html|html|head|body|\?xml)", re.IGNORECASE)


def read_bytes(file: SourceFile) -> bytes:
    """Read the bytes of a file as they lie on disk; of a zip member, its own bytes.

    Raises
    ------
    DataFileError
        If the file cannot be read, or its zip is broken.
    """
    if file.member is not None:
        return read_member(file.path, file.member, file.name)
    return read_path(file.path, file.name)


def read_path(path: Path, name: str) -> bytes:
    """Read the bytes of a path, with the name messages give it.

    Raises
    ------
    DataFileError
        If it is absent or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataFileError(
            "this file cannot be read", where=name, found=error.strerror or str(error),
            hint="check that the file is there and that you may open it",
        ) from error  # fmt: skip


def decompress(file: SourceFile) -> bytes:
    """Return the text of a file as UTF-8 bytes: gzip undone, byte-order mark removed, line ends as published.

    Raises
    ------
    DataFileError
        If the file is empty, truncated, a web page, or holds bytes that are no text.
    """
    return as_text(file.raw, file.name)


def as_text(raw: bytes, name: str) -> bytes:
    r"""Check raw bytes and return them as UTF-8 text without a byte-order mark.

    Parameters
    ----------
    raw : bytes
        A file's content; gzip is recognised by its first bytes.
    name : str
        What messages call the file.

    Raises
    ------
    DataFileError
        If the content is empty, truncated, a web page, or holds bytes that are no text; with the line.

    Examples
    --------
    >>> as_text(b"\xef\xbb\xbfarea,value\n", "one.csv")
    b'area,value\n'
    """
    if not raw:
        raise DataFileError("this file is empty", where=f"{name}:1", hint=_AGAIN)
    if raw.startswith(_GZIP):
        text = _gunzip(raw, name)
    elif name.endswith(".gz") and not _WEB_PAGE.match(raw[:1024]):
        raise DataFileError(
            "this file is named .gz but is not gzip", where=f"{name}:1", hint=f"{_AGAIN}, or drop .gz from its name"
        )
    else:
        text = raw
    text = text.removeprefix(_UTF8_MARK)
    _check(text, name)
    return text


def _gunzip(raw: bytes, name: str) -> bytes:
    parts: list[bytes] = []
    rest, room = raw, LARGEST_FILE
    while rest:
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            parts.append(stream.decompress(rest, room))
        except zlib.error as error:
            line = 1 + sum(part.count(b"\n") for part in parts) + _readable(rest).count(b"\n")
            raise DataFileError(
                "this gzip file is damaged", where=f"{name}:{line}", found=str(error), hint=_AGAIN
            ) from error
        room -= len(parts[-1])
        if stream.unconsumed_tail or room <= 0:
            raise DataFileError(
                "this file is larger than any published file", where=name,
                allowed=f"up to {LARGEST_FILE} bytes", hint=_AGAIN,
            )  # fmt: skip
        if not stream.eof:
            line = 1 + sum(part.count(b"\n") for part in parts)
            raise DataFileError("this gzip file ends too early", where=f"{name}:{line}", hint=_AGAIN)
        rest = stream.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _readable(raw: bytes) -> bytes:
    """Recover what a damaged gzip stream still yields, so that the message can name the line where it breaks."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    out: list[bytes] = []
    for start in range(0, len(raw), 4096):
        try:
            out.append(stream.decompress(raw[start : start + 4096], LARGEST_FILE))
        except zlib.error:
            break
    return b"".join(out)


def _check(text: bytes, name: str) -> None:
    if not text or text.isspace():
        raise DataFileError("this file is empty", where=f"{name}:1", hint=_AGAIN)
    if _WEB_PAGE.match(text[:1024]):
        raise DataFileError(
            "this is a web page, not a data file", where=f"{name}:1", found=text[:60].decode("utf-8", "replace"),
            hint=f"the publisher's site answered with a page (often an error page); {_AGAIN}",
        )  # fmt: skip
    nul = text.find(b"\0")
    if nul >= 0:
        raise DataFileError(
            "this file holds NUL bytes: it is damaged or no text", where=f"{name}:{_line_at(text, nul)}", hint=_AGAIN
        )
    if text.isascii():
        return
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(
            "this file holds bytes that are not UTF-8 text", where=f"{name}:{_line_at(text, error.start)}",
            found=f"byte 0x{text[error.start]:02x}", hint=f"{_AGAIN}; do not save it again from a spreadsheet",
        ) from error  # fmt: skip


def _line_at(text: bytes, offset: int) -> int:
    return text.count(b"\n", 0, offset) + 1
