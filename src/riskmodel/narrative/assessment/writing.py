"""Writes the pages of places and partners: in goes an assessment, out come files and links to them.

Every number of these pages goes into the assessment's book, so they are written before its facts are.
"""

from __future__ import annotations

from pathlib import Path

from riskmodel.contracts.tables import TableError
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.partner import LEVERS, PARTNERS, build_partner_page, partner_file
from riskmodel.narrative.assessment.place import build_place_page
from riskmodel.narrative.assessment.place_rows import page_file, shown_places
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.published import LEVELS

__all__ = ["PLACES_AND_PARTNERS", "links_section", "write_partners", "write_places"]

_HEADINGS = {
    "csp24": "Community safety partnerships", "lad24": "Districts", "local": "Local areas", "ward24": "Wards",
    "msoa21": "Neighbourhoods (MSOAs)", "pfa": "The force area",
}  # fmt: skip


PLACES_AND_PARTNERS = "places-and-partners"
"""The name of the section that lists the pages of places and partners."""
_MANY = 40
"""From here on the links of a level are folded."""


def write_places(assessment: Assessment, folder: Path) -> list[Path]:
    """Write ``places/<code>.html`` of every place of the assessment.

    Parameters
    ----------
    assessment : Assessment
        Its ``places`` have a page each; a partnership that is one district shares that district's.
    folder : Path
        Of the bundle.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    TableError
        If a place is unknown, two places would have one file, or a page would show a number that is no fact.
    """
    places = shown_places(assessment)
    files = [page_file(code) for _, code in places]
    twice = sorted({name for name in files if files.count(name) > 1})
    if twice:
        raise TableError("two places would have one page", found=twice, hint="give each place a code of its own")
    return [
        _write(folder / "places" / name, build_place_page(assessment, *place))
        for name, place in zip(files, places, strict=True)
    ]


def write_partners(assessment: Assessment, folder: Path) -> list[Path]:
    """Write ``partners/<lever>.html`` of every partner a factor can name; none where the run has no catalogue.

    Parameters
    ----------
    assessment : Assessment
    folder : Path
        Of the bundle.
    """
    levers = LEVERS if assessment.table("catalogue") is not None else ()
    return [
        _write(folder / "partners" / partner_file(lever), build_partner_page(assessment, lever)) for lever in levers
    ]


def links_section(assessment: Assessment) -> Section | None:
    """The places and partners that have a page, for the bundle's first page."""
    places = shown_places(assessment)
    if not places:
        return None
    table = assessment.book.tables["places"]
    columns = table[["level", "location", "name", "lad24"]].itertuples(index=False)
    names = {(str(a), str(b)): (str(n), str(d)) for a, b, n, d in columns}
    parts: list[Section] = []
    folded: list[Section] = []
    for level in LEVELS:
        own = sorted((*_named(names, place), place[1]) for place in places if place[0] == level)
        links = [PageLink(f"places/{page_file(code)}", bare(", ".join(filter(None, said)))) for *said, code in own]
        if links:
            section = Section(f"places-{level}", _HEADINGS.get(level, level), links=links)
            (parts if len(links) <= _MANY else folded).append(section)
    if assessment.table("catalogue") is not None:
        links = [PageLink(f"partners/{partner_file(lever)}", PARTNERS[lever]) for lever in LEVERS]
        parts.append(Section("partners", "Partners", links=links))
    words = (
        "Each place has a page that opens with its strengths and ends in questions; its first section is a summary to "
        "print. Each partner has a page of the few conditions that it can act on and that are sure enough to name."
    )
    return Section(
        PLACES_AND_PARTNERS, "Places and partners", [words], parts=parts, folded=folded,
        folded_words="Pages of all smaller places",
    )  # fmt: skip


def _named(names: dict[tuple[str, str], tuple[str, str]], place: tuple[str, str]) -> tuple[str, str]:
    """A place's name, and for a ward its district, for wards share names."""
    name, district = names[place]
    return name, names.get(("lad24", district), ("", ""))[0] if place[0] == "ward24" else ""


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
