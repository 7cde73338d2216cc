"""Pictures of a page as files of their own, for reports: in go pictures and maps, out come SVG texts.

Each holds its title, its equal in words, its style and the state of the run; it asks for nothing from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskmodel.narrative.facts.marks import as_plain
from riskmodel.narrative.forecast_maps import PlaceMap
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.frame import templates
from riskmodel.narrative.pictures import Picture

__all__ = ["figure_svg", "figures_of"]

_HEAD, _FOOT, _ENTRY = 28, 30, 22
_MARGIN, _LETTER = 16, 7.0
"""Room beside the title, and for each of its letters: bold, twelve points."""


def figure_svg(drawn: Picture | PlaceMap, state: str) -> str:
    """One picture or map as an SVG text, ending with a line break.

    Parameters
    ----------
    drawn : Picture or PlaceMap
    state : str
        Stands at its foot.
    """
    legend = drawn.legend if isinstance(drawn, PlaceMap) else None
    below = _HEAD + drawn.height
    height = below + _FOOT + (_ENTRY * (len(legend) + 1) if legend is not None else 0)
    lines = [as_plain(drawn.title), as_plain(state)]
    made = templates().get_template("figure.svg").render(
        drawn=drawn, legend=legend, state=state, head=_HEAD, below=below, entry=_ENTRY, height=height,
        width=max(drawn.width, _MARGIN + round(_LETTER * max(map(len, lines)))),
    )  # fmt: skip
    return as_plain(made).strip() + "\n"


def figures_of(sections: Sequence[Section], state: str) -> dict[str, str]:
    """Every picture and map of some sections, by name: their SVG texts."""
    return {drawn.name: figure_svg(drawn, state) for section in sections for drawn in _drawn(section)}


def _drawn(section: Section) -> Iterator[Picture | PlaceMap]:
    yield from section.pictures
    yield from section.small
    # A place that is chosen by typing alone has no map.
    yield from (drawn for drawn in section.maps if drawn.areas)
    for part in (*section.parts, *section.folded):
        yield from _drawn(part)
