"""Papers read back as a person would: tables, sections and the fields of the record, from Markdown alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from riskmodel.narrative.forecast_words import MINUS

__all__ = ["Field", "fields_of", "number_of", "section_of", "tables_of"]

_PIPE = re.compile(r"(?<!\\)\|")


@dataclass
class Field:
    """One field of atrs.md."""

    number: str
    name: str
    slug: str
    status: str = ""
    source: str = ""
    owner: str = ""
    run: str = ""
    marked: str = ""
    lines: list[str] = field(default_factory=list)


def tables_of(text: str) -> list[list[dict[str, str]]]:
    """Every table as rows by heading; a row that does not fit its headings is an error."""
    found: list[list[dict[str, str]]] = []
    headings: list[str] = []
    for line in text.splitlines():
        if not line.startswith("| "):
            headings = []
            continue
        cells = [cell.strip() for cell in _PIPE.split(line)[1:-1]]
        if not headings:
            headings = cells
            found.append([])
            continue
        assert len(cells) == len(headings), line
        if set(cells) != {"---"}:
            found[-1].append(dict(zip(headings, cells, strict=True)))
    return found


def section_of(text: str, heading: str) -> str:
    """What stands under a heading, up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    lines = text.splitlines()
    start = lines.index(heading) + 1
    end = next(
        (n for n in range(start, len(lines)) if re.match(rf"#{{1,{level}}} ", lines[n])),
        len(lines),
    )
    return "\n".join(lines[start:end])


def number_of(words: str) -> float:
    """The first number of a cell."""
    found = re.search(rf"[+{MINUS}-]?[\d,]*\.?\d+", words)
    assert found is not None, words
    return float(found.group().replace(",", "").replace("+", "").replace(MINUS, "-"))


def fields_of(text: str) -> list[Field]:
    """The fields of atrs.md, each with what stands under its labels."""
    found: list[Field] = []
    for line in text.splitlines():
        heading = re.fullmatch(r"### ([\d.]+) (.+) \[(\w+)\]", line)
        if heading:
            found.append(Field(*heading.groups()))
        elif found and not line.startswith("## "):
            found[-1].lines.append(line)
    for one in found:
        _read(one)
    return found


def _read(one: Field) -> None:
    body = "\n".join(one.lines).strip()
    first, _, rest = body.partition("\n\n")
    said = re.fullmatch(r"Status: (.+?)\.(?: Source: (.+)\.)?", first)
    assert said is not None, first
    one.status, one.source = said[1], said[2] or ""
    marked = re.search(r"(?:^|\n\n)\*\*(TO BE COMPLETED BY OWNER: .+)\*\*$", rest)
    if marked:
        one.marked, rest = marked[1], rest[: marked.start()]
    owner, label, run = rest.partition("From the run:\n\n")
    one.run = run if label else ""
    one.owner = owner.strip().removeprefix("From the owner:\n\n")
