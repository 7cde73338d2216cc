"""Marks that carry a fact's id inside a text: sentences are written as usual, and numbers keep knowing what they are.

A marked number is a plain string that holds its id and its words between characters of Unicode's private area. It goes
through f-strings, tables and templates; at the end a page turns it into a ``data`` element, any other text into the
words alone. Digits that are part of a name, a date or a code are marked as such. Every other digit is stray.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import escape, unescape

__all__ = [
    "LIGHT",
    "LIGHT_END",
    "as_html",
    "as_plain",
    "bare",
    "cut",
    "fact_ids",
    "is_marked",
    "lightened",
    "lowered",
    "mark",
    "stray_digits",
    "without_names",
]

_OPEN, _THEN, _CLOSE, _NAME, _NAMED = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
LIGHT, LIGHT_END = "\ue005", "\ue006"
"""Around the words of a number whose fact follows from its row and column, in packed rows."""
_FACT = re.compile(f"{_OPEN}([^{_THEN}]*){_THEN}([^{_CLOSE}]*){_CLOSE}")
_BARE = re.compile(f"{_NAME}([^{_NAMED}]*){_NAMED}")
_LIGHT = re.compile(f"{LIGHT}([^{LIGHT_END}]*){LIGHT_END}")
_ANY = re.compile(f"[{_OPEN}-{LIGHT_END}]")
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
# Elements whose content is no text of the page: nothing can stand inside them but words.
_WORDS_ONLY = frozenset({"title", "desc", "option", "textarea"})
_CODE = frozenset({"script", "style"})
# Attributes that are read out or pop up.
_READ_OUT = re.compile(r'\s(?:aria-label|alt|title|placeholder)="([^"]*)"')
_DIGIT = re.compile(r"\d")
# What a digit may be without being a number of this run: said once, for all pages.
_EXCUSED = frozenset({"time", "code", "script", "style"})


def mark(fact_id: str, words: str) -> str:
    """The words of a fact, with its id."""
    return f"{_OPEN}{fact_id}{_THEN}{words}{_CLOSE}"


def bare(words: str) -> str:
    """Words whose digits are no number: a name, a date, a code, the number of a law. Words that hold a fact stay.

    Examples
    --------
    >>> as_plain(bare("Lindenford 004B"))
    'Lindenford 004B'
    """
    if not _DIGIT.search(words) or _FACT.search(words):
        return words
    return f"{_NAME}{without_names(words)}{_NAMED}"


def is_marked(text: str) -> bool:
    """Whether a text holds a mark."""
    return _ANY.search(text) is not None


def fact_ids(text: str) -> list[str]:
    """The facts a text quotes, in its order."""
    return [found.group(1) for found in _FACT.finditer(text)]


def as_plain(text: str) -> str:
    """A text without its marks.

    Examples
    --------
    >>> as_plain("In all " + mark("outlook.0.mean", "1,234") + " records")
    'In all 1,234 records'
    """
    return _LIGHT.sub(r"\1", _BARE.sub(r"\1", _FACT.sub(r"\2", text)))


def without_names(text: str) -> str:
    """A text whose names, dates and codes are no longer marked as such; its numbers keep their marks."""
    return _BARE.sub(r"\1", text)


def lightened(text: str) -> str:
    """A text whose numbers are marked as numbers and no longer say which.

    Examples
    --------
    >>> as_plain(lightened(mark("outlook.0.low", "7") + " to " + mark("outlook.0.high", "9")))
    '7 to 9'
    """
    return _FACT.sub(f"{LIGHT}\\2{LIGHT_END}", text)


def lowered(words: str) -> str:
    """Words inside a sentence, without their capital; an abbreviation keeps its own, and a mark stays.

    Examples
    --------
    >>> lowered("Crowded homes"), lowered("GCSE results"), as_plain(lowered(bare("Residents aged 20 to 24")))
    ('crowded homes', 'GCSE results', 'residents aged 20 to 24')
    """
    at = 1 if words[:1] == _NAME else 0
    if words[at + 1 : at + 2].isupper():
        return words
    return f"{words[:at]}{words[at : at + 1].lower()}{words[at + 1 :]}"


def cut(text: str, length: int) -> str:
    """A text of at most so many letters; a mark is never cut in two, and what stands in it is cut whole.

    Examples
    --------
    >>> as_plain(cut("Homes that are crowded: " + mark("a.0.b", "1.18"), 20))
    'Homes that are crow…'
    >>> cut(mark("a.0.b", "1.18"), 20) == mark("a.0.b", "1.18")
    True
    """
    if len(as_plain(text)) <= length:
        return text
    kept, left = "", length - 1
    for part in re.split(f"({_FACT.pattern}|{_BARE.pattern})".replace("([^", "(?:[^"), text):
        words = as_plain(part)
        if len(words) > left:
            return kept + ("" if _ANY.search(part) else words[:left]) + "…"
        kept, left = kept + part, left - len(words)
    return kept


def as_html(page: str, value_of: Callable[[str], str]) -> str:
    """A page with a ``data`` element for every marked number; inside a picture, a ``tspan``.

    Parameters
    ----------
    page : str
        Markup, its words escaped already.
    value_of : callable
        Fact id -> its value as text; an empty text where it is withheld or not available.

    Notes
    -----
    In attributes, titles and descriptions, which can hold no element, the words stand alone.

    Examples
    --------
    >>> print(as_html(f"<p title='{mark('a.0.b', '7')}'>{mark('a.0.b', '7')}</p>", lambda fact_id: "7.1"))
    <p title='7'><data value="7.1" data-fact="a.0.b">7</data></p>
    """
    out: list[str] = []
    open_tags: list[str] = []
    for is_tag, part in _parts(page):
        if is_tag:
            _follow(part, open_tags)
            out.append(as_plain(part) if _ANY.search(part) else part)
        elif not _ANY.search(part) or (open_tags and open_tags[-1] in _CODE):
            out.append(part)
        elif open_tags and open_tags[-1] in _WORDS_ONLY:
            out.append(as_plain(part))
        else:
            tag = "tspan" if "svg" in open_tags else "data"
            out.append(_BARE.sub(r"\1", _FACT.sub(_element(tag, value_of), part)))
    return "".join(out)


def _element(tag: str, value_of: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    def made(found: re.Match[str]) -> str:
        fact_id, words = found.group(1), found.group(2)
        value = value_of(unescape(fact_id))
        name = "value" if tag == "data" else "data-value"
        held = f' {name}="{escape(value)}"' if value else ""
        return f'<{tag}{held} data-fact="{fact_id}">{words}</{tag}>'

    return made


def _parts(page: str) -> Iterator[tuple[bool, str]]:
    """Tags and what lies between them; what a script or a style holds is no tag."""
    at = 0
    inside = ""
    for found in _TAG.finditer(page):
        if inside and not found.group().lower().startswith(f"</{inside}"):
            continue
        inside = ""
        if found.start() > at:
            yield False, page[at : found.start()]
        yield True, found.group()
        at = found.end()
        name = _name(found.group())
        if name in _CODE and not found.group().startswith("</"):
            inside = name
    if at < len(page):
        yield False, page[at:]


def _name(tag: str) -> str:
    found = re.match(r"</?\s*([A-Za-z][\w:-]*)", tag)
    return found.group(1).lower() if found else ""


def _follow(tag: str, open_tags: list[str]) -> None:
    """Keep track of which elements are open; a void element opens nothing."""
    name = _name(tag)
    if not name or tag.endswith("/>"):
        return
    if tag.startswith("</"):
        if name in open_tags:
            del open_tags[len(open_tags) - 1 - open_tags[::-1].index(name) :]
    elif name not in ("meta", "link", "br", "hr", "img", "input", "wbr", "col"):
        open_tags.append(name)


def stray_digits(page: str, *, phrases: Iterable[str] = ()) -> list[str]:
    """Where a page shows, or reads out, a digit that is no fact, name, date or code.

    Parameters
    ----------
    page : str
        Markup or text, its marks still in it: before ``as_html``.
    phrases : iterable of str
        Phrases whose digits belong to the language, such as "12 months".

    Returns
    -------
    list of str
        Each stray digit with the words around it.

    Examples
    --------
    >>> stray_digits("<p>" + mark("a.0.b", "7") + " of 12 records in " + bare("ward 3") + "</p>")
    ['of 12 records in']
    """
    excused = re.compile("|".join(sorted(map(re.escape, phrases), key=len, reverse=True)) or r"(?!)")
    found: list[str] = []
    open_tags: list[str] = []
    for is_tag, part in _parts(page):
        if is_tag:
            _follow(part, open_tags)
            shown = [read.group(1) for read in _READ_OUT.finditer(part)]
        else:
            shown = [] if _EXCUSED.intersection(open_tags) else [part]
        for held in shown:
            text = excused.sub("", _BARE.sub("", _FACT.sub("", _LIGHT.sub("", unescape(held)))))
            found += [text[max(m.start() - 40, 0) : m.end() + 40].strip() for m in re.finditer(r"\d[\d.,]*", text)]
    return found
