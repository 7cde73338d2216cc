"""What people wrote, as the assessment shows it: in goes a text with its head, out come blocks with marked numbers.

Of Markdown, paragraphs and lists are kept; a heading becomes a paragraph. A number that the head declares is a supplied
fact with its source and date; one that it does not declare is shown with the words that it has no source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskmodel.narrative.assessment.contents import HandWritten
from riskmodel.narrative.facts.book import FactBook
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.language import WrittenText, lint_written
from riskmodel.narrative.language.rules import UNDECLARED
from riskmodel.narrative.workbook_text import day_words

__all__ = ["hand_written"]

_NO_SOURCE = " (no source given)"
_FACT = re.compile(r"\{\{\s*fact\s*:\s*([^{}\s]*)\s*\}\}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^)\s]*)[^)\n]*\)")
_EMPHASIS = re.compile(r"[*]{1,3}|`+|(?<!\w)_+(?=\w)|(?<=[\w.,;:!?])_+(?!\w)")
_ITEM, _HEADING = re.compile(r"\s*(?:[-+*]|\d{1,3}[.)])\s+"), re.compile(r"\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_FIRST = 0xE100
"""A fact is one character of Unicode's private area while Markdown is read: texts hold none of their own."""


def hand_written(text: WrittenText, book: FactBook) -> HandWritten:
    """A text as a section of the page.

    Parameters
    ----------
    text : WrittenText
        Its file's name begins the ids of its facts: ``text.<file>.<id>``.
    book : FactBook
        Remembers its numbers as supplied, not computed.
    """
    marked = _marked(text, book)
    chosen = {chr(_FIRST + number): words for number, words in enumerate(marked.values())}
    order = {name: chr(_FIRST + number) for number, name in enumerate(marked)}
    body = _FACT.sub(lambda found: order[found.group(1)], _with_missing_sources(text))
    blocks: list[tuple[list[str], list[str]]] = []
    for kind, words in _pieces(body):
        shown = _shown(words, chosen)
        if not blocks or (kind == "paragraph" and blocks[-1][1]):
            blocks.append(([], []))
        blocks[-1][kind == "item"].append(shown)
    spec = text.spec
    if marked:
        blocks.append(([_supplied(text, marked)], []))
    return HandWritten(spec.section, spec.title, blocks, spec.written_by, spec.written_on)


def _marked(text: WrittenText, book: FactBook) -> dict[str, str]:
    """Each declared number, marked."""
    return {
        fact.id: book.supplied(
            f"text.{text.path.stem}.{fact.id}", float(fact.value), form="supplied", source=fact.source,
            as_of=fact.date.isoformat(), unit=fact.unit,
        )
        for fact in text.spec.facts
    }  # fmt: skip


def _supplied(text: WrittenText, marked: dict[str, str]) -> str:
    said = [
        f"{marked[fact.id]} {bare(f'{fact.unit} ({fact.source}, {day_words(fact.date)})')}" for fact in text.spec.facts
    ]
    return f"Supplied, not computed: {'; '.join(said)}."


def _with_missing_sources(text: WrittenText) -> str:
    """The body; after each number that the head does not declare, that it has no source."""
    body = text.body
    ends = sorted({f.end for f in lint_written(text) if f.rule == UNDECLARED}, reverse=True)
    for end in ends:
        body = body[:end] + _NO_SOURCE + body[end:]
    return body


def _pieces(body: str) -> Iterator[tuple[str, str]]:
    """Paragraphs and items of lists, in their order."""
    kind, words = "paragraph", ""
    for line in [*_COMMENT.sub(" ", body).splitlines(), ""]:
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if (not line.strip() or heading or item) and words:
            yield kind, words
            kind, words = "paragraph", ""
        if heading:
            if heading.group(1):
                yield "paragraph", heading.group(1)
        elif item:
            kind, words = "item", line[item.end() :].strip()
        else:
            words = f"{words} {line.strip().lstrip('>').strip()}".strip()


def _shown(words: str, facts: dict[str, str]) -> str:
    """Words without the marks of Markdown; numbers marked, other digits said to be no numbers of the run."""
    plain = _EMPHASIS.sub("", _LINK.sub(lambda m: f"{m.group(1)} ({m.group(2)})" if m.group(2) else m.group(1), words))
    parts = re.split(f"([{''.join(facts)}])", plain) if facts else [plain]
    return "".join(facts[part] if part in facts else bare(part) for part in parts)
