"""The words of a Markdown text or of a page as a reader meets them: one passage a paragraph, heading, cell or label.

In: the text of a file. Out: passages with the line each begins on and the heading it stands under. Of a page, what a
screen reader says (alternative texts, labels, titles) and the rows that its script adds are passages too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any, Literal

__all__ = ["Passage", "html_passages", "markdown_passages"]

Kind = Literal["heading", "prose", "item", "cell", "label"]
_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "tspan",
        "u",
        "var",
        "wbr",
    ]
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LABELS = ("alt", "aria-label", "aria-description", "title", "placeholder", "summary")
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(_HEADINGS, "heading"), **dict.fromkeys(("td", "th"), "cell"),
    "li": "item", **dict.fromkeys(("p", "dd", "blockquote", "main", "body", "section", "div"), "prose"),
}  # fmt: skip
_FENCE = re.compile(r"^[ ]{0,3}(```+|~~~+).*?^[ ]{0,3}\1[`~]*[ ]*$", re.M | re.S)
_NO_PROSE = re.compile(
    r"<!--.*?-->|</?[a-zA-Z][^>\n]*>|`[^`\n]+`|\]\([^)\n]*\)|\]\[[^\]\n]*\]|https?://\S+|[*]{1,3}|(?<!\w)_+|_+(?!\w)|[\[\]]",
    re.S,
)
_LEADING = re.compile(r"^[ \t]*(?:>[ \t]?)*(?:[-+*][ \t]+|\d{1,3}[.)][ \t]+|#{1,6}[ \t]+)?")
_NO_WORDS = re.compile(r"^[ \t|:=-]+$")


@dataclass(frozen=True)
class Passage:
    """Words that belong together.

    Parameters
    ----------
    text : str
        The words; in Markdown the marks among them are blanks, so that positions stay.
    line : int
        The line of the file it begins on, from 1.
    start : int
        Its first character's position in the file; on a page, in all the page says.
    heading : str
        The heading it stands under.
    kind : {"heading", "prose", "item", "cell", "label"}
        An item is an entry of a list.
    written : bool
        Whether a person wrote it on a page that is generated otherwise.
    """

    text: str
    line: int
    start: int
    heading: str
    kind: Kind
    written: bool = False


def markdown_passages(text: str, *, line: int = 1) -> list[Passage]:
    r"""The passages of a Markdown text; code, links' addresses and comments are none.

    Parameters
    ----------
    text : str
    line : int
        The line of the file the text begins on.

    Examples
    --------
    >>> found = markdown_passages("# Voices\n\nWe *listened*\nto all.\n- One")
    >>> [(p.kind, p.line, p.text, p.heading) for p in found]
    [('heading', 1, 'Voices', ''), ('prose', 3, 'We  listened \nto all.', 'Voices'), ('item', 5, 'One', 'Voices')]
    """
    bare = _NO_PROSE.sub(_blank, _FENCE.sub(_blank, text))
    found: list[Passage] = []
    heading, position, is_open = "", 0, False
    for number, row in enumerate(bare.splitlines(keepends=True), start=line):
        begin = _LEADING.match(row)
        lead = begin.end() if begin else 0
        mark, words, start = row[:lead].strip(" \t>"), row[lead:].rstrip("\n"), position + lead
        position += len(row)
        continues = is_open and not mark
        is_open = (
            bool(words.strip()) and not _NO_WORDS.fullmatch(words) and not mark.startswith("#") and "|" not in words
        )
        if not words.strip() or _NO_WORDS.fullmatch(words):
            continue
        if mark.startswith("#"):
            heading = words.rstrip("# ")
            found.append(Passage(words.rstrip(), number, start, "", "heading"))
        elif "|" in words:
            cells = [cell for cell in re.finditer(r"[^|]+", words) if cell.group().strip()]
            found += [Passage(cell.group(), number, start + cell.start(), heading, "cell") for cell in cells]
        elif continues:
            last = found.pop()
            between = bare[last.start + len(last.text) : start].replace(">", " ")
            found.append(replace(last, text=last.text + between + words))
        else:
            found.append(Passage(words.rstrip(), number, start, heading, "item" if mark else "prose"))
    return found


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def html_passages(page: str) -> list[Passage]:
    """The passages of a page: all that is or can be shown, and all that is said instead of a picture.

    An element with the attribute ``data-written`` holds what a person wrote.

    Examples
    --------
    >>> page = '<h2>Maps</h2><p>A <b>dark</b> place</p><svg aria-label="Map"></svg><style>p {}</style>'
    >>> [(p.kind, p.text, p.heading) for p in html_passages(page)]
    [('heading', 'Maps', ''), ('prose', 'A dark place', 'Maps'), ('label', 'Map', 'Maps')]
    """
    reader = _Page()
    reader.feed(page)
    reader.close()
    reader.end_passage()
    return reader.found


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Passage] = []
        self.heading, self.position = "", 0
        self.open: list[str] = []
        self.words, self.line = "", 1
        self.written = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _INLINE:
            self.end_passage()
        if tag not in _INLINE | _VOID:
            self.open.append(tag)
            if self.written or "data-written" in given:
                self.written += 1
        for name in _LABELS:
            self._label(given.get(name))
        if tag == "meta" and given.get("name") == "description":
            self._label(given.get("content"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _INLINE:
            return
        self.end_passage()
        while tag in self.open:
            self.written = max(0, self.written - 1)
            if self.open.pop() == tag:
                break

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self._rows(data)
        elif inside != "style":
            if not self.words.strip():
                self.line = self.getpos()[0] + data[: len(data) - len(data.lstrip())].count("\n")
            self.words += data

    def end_passage(self) -> None:
        words, self.words = self.words.strip(), ""
        if not words:
            return
        kind: Kind = next((_KINDS[t] for t in reversed(self.open) if t in _KINDS), "prose")
        if set(self.open) & {"svg", "title", "caption", "figcaption", "button", "label", "option"}:
            kind = "label"
        self._add(words, kind)
        if kind == "heading":
            self.heading = " ".join(words.split())

    def _rows(self, data: str) -> None:
        """What a script of data holds: the words of the rows it adds."""
        try:
            self._words_in(json.loads(data))
        except ValueError:
            return

    def _words_in(self, node: Any) -> None:
        if isinstance(node, str):
            self._label(node)
        elif isinstance(node, (list, dict)):
            for inner in node.values() if isinstance(node, dict) else node:
                self._words_in(inner)

    def _label(self, words: str | None) -> None:
        if words and words.strip():
            self.line = self.getpos()[0]
            self._add(words.strip(), "label")

    def _add(self, words: str, kind: Kind) -> None:
        heading = "" if kind == "heading" else self.heading
        self.found.append(Passage(words, self.line, self.position, heading, kind, self.written > 0))
        self.position += len(words) + 1
