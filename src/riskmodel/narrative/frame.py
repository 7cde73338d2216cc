"""The frame every page shares: head, content policy, state, navigation, style, script and footer.

In: a template's name and what it shows. Out: one self-contained page as text, everything in it escaped. The policy
names the page's own style and script by their hashes, so a browser runs and fetches nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import TableError
from riskmodel.narrative.facts.marks import as_html, as_plain, bare, stray_digits, without_names
from riskmodel.narrative.facts.phrases import PHRASES
from riskmodel.narrative.facts.sources import build_sources

if TYPE_CHECKING:
    from jinja2 import Environment

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["PageLink", "render_page", "templates"]

_SOURCES = 'id="number-sources">{}<'
"""Where a page with a script holds what its numbers are made of; they are known once it is written."""


@dataclass(frozen=True)
class PageLink:
    """A link in the navigation: to another page of the bundle, or to the page itself."""

    href: str
    words: str
    current: bool = False


def render_page(
    template: str,
    *,
    title: str,
    region: str,
    state: str,
    contents: Sequence[tuple[str, str]],
    closing: Sequence[str],
    lede: str = "",
    links: Sequence[PageLink] = (),
    with_script: bool = False,
    book: FactBook | None = None,
    **shown: Any,
) -> str:
    """One page in the shared frame.

    Parameters
    ----------
    template : str
        A file under ``templates`` that extends ``frame.html`` and fills its block ``content``.
    title, region, lede : str
        The heading, whose page it is, and the line below the heading.
    state : str
        Stands at the top, at the foot and on every print; nothing is shown where it is empty.
    contents : sequence of (id, words)
        The sections, for the list "On this page".
    closing : sequence of str
        Paragraphs of the footer.
    links : sequence of PageLink
        The other pages of the bundle; only those that exist.
    with_script : bool
        Whether tables sort, filter and turn pages, and numbers say where they are from. A page without it runs no
        script at all.
    book : FactBook, optional
        What the page's numbers were taken from; every digit that is no fact, name, date or code is then an error.
    **shown : object
        What the template itself asks for.

    Returns
    -------
    str
        The page, ending with a line break. The same arguments give the same bytes.

    Raises
    ------
    TableError
        If the page shows a number that is no fact.
    """
    held = templates()
    style = held.get_template("page.css").render(sheet=_css_string(as_plain(state)))
    scripts = ("sources.js", "page.js") if with_script else ()
    script = "\n".join(held.get_template(name).render() for name in scripts)
    if book is not None:
        shown = {
            name: _checked(value, title) if name in ("words", "packed") else value for name, value in shown.items()
        }
    page = held.get_template(template).render(
        title=title, region=region, lede=lede, state=bare(state), contents=contents, closing=closing, links=links,
        with_script=with_script, script=script, style=style,
        policy=_policy(style, script), **shown,
    )  # fmt: skip
    return (as_plain(page) if book is None else _with_facts(page, book, title)) + "\n"


def _css_string(words: str) -> str:
    """Words as a string of a style sheet: whatever they hold, they end neither the string nor the sheet."""
    return "".join(c if c.isalnum() or c in " ,.:" else f"\\{ord(c):x} " for c in words)


def _checked(packed: Any, title: str) -> Any:
    """Packed rows without stray digits; names, dates and codes need no mark any more once that is known."""
    if isinstance(packed, str):
        # It is text and no markup: what looks like a tag is part of a name.
        _refuse(stray_digits(escape(packed), phrases=PHRASES), title)
        return without_names(packed)
    if isinstance(packed, list):
        return [_checked(part, title) for part in packed]
    if isinstance(packed, dict):
        # Orders, styles, positions and places are no words of the page.
        tables = {
            name: part for name, part in packed.items() if name == "rows" or (isinstance(part, dict) and "rows" in part)
        }
        return packed | {name: _checked(part, title) for name, part in tables.items()}
    return packed


def _with_facts(page: str, book: FactBook, title: str) -> str:
    from jinja2.utils import htmlsafe_json_dumps

    _refuse(stray_digits(page, phrases=PHRASES), title)
    made = as_html(page, book.value_text)
    if _SOURCES not in made:
        return made
    sources = htmlsafe_json_dumps(build_sources(made, book), **templates().policies["json.dumps_kwargs"])
    return made.replace(_SOURCES, f'id="number-sources">{sources}<', 1)


def _refuse(stray: Sequence[str], title: str) -> None:
    if stray:
        raise TableError(
            f"the page '{as_plain(title)}' shows numbers that are no facts", found=list(dict.fromkeys(stray))[:20],
            hint="take each from the book of facts, or mark it as part of a name, a date or a code",
        )  # fmt: skip


@cache
def templates() -> Environment:
    """The templates of all pages; what they show is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("riskmodel.narrative"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["bare"] = bare
    # A mark is one letter, and six if it were written in ASCII.
    made.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    return made


def _policy(style: str, script: str) -> str:
    allowed = ["default-src 'none'", f"style-src 'sha256-{_digest(style)}'"]
    allowed += [f"script-src 'sha256-{_digest(script)}'"] if script else []
    return "; ".join([*allowed, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
