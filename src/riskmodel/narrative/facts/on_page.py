"""The numbers a page shows: in goes its markup, out comes each with the fact it says it is.

Numbers stand in elements of the page, in its pictures, and in the packed rows that its script unfolds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from riskmodel.narrative.facts.marks import LIGHT, LIGHT_END

__all__ = ["numbers_on"]

_ELEMENT = re.compile(r'<(data|tspan)((?:\s[^>]*)?\sdata-fact="([^"]*)"[^>]*)>([^<]*)</\1>')
_VALUE = re.compile(r'\s(?:value|data-value)="([^"]*)"')
_PACKED = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.DOTALL)
_MARKED = re.compile("\ue000([^\ue001]*)\ue001([^\ue002]*)\ue002")
_LIGHT = re.compile(f"{LIGHT}([^{LIGHT_END}]*){LIGHT_END}")


def numbers_on(page: str) -> Iterator[tuple[str, str | None, str]]:
    """Each number of a page: the fact's id, its value and its words.

    Parameters
    ----------
    page : str
        The whole page as a browser gets it.

    Yields
    ------
    tuple of str, str or None, str
        The value is None where only words are held.

    Examples
    --------
    >>> list(numbers_on('<data value="7.1" data-fact="a.0.b">7</data>'))
    [('a.0.b', '7.1', '7')]
    """
    for found in _ELEMENT.finditer(page):
        value = _VALUE.search(found.group(2))
        yield unescape(found.group(3)), unescape(value.group(1)) if value else "", unescape(found.group(4))
    held = [json.loads(found.group(1)) for found in _PACKED.finditer(page)]
    shared: list[str] = next((part for part in held if isinstance(part, list)), [])
    for table in held:
        if isinstance(table, dict):
            yield from _of_packed(table, shared)


def _of_packed(table: Mapping[str, Any], shared: Sequence[str]) -> Iterator[tuple[str, None, str]]:
    """The numbers of a table's packed rows: those that name their fact, and those whose row and column tell it."""
    facts, at, lists = table.get("facts", {}), table.get("at", {}), table.get("lists", {})
    for number, row in enumerate(table.get("rows", ())):
        for column, cell in enumerate(row):
            pieces = cell if isinstance(cell, list) else [cell]
            text = "".join(shared[piece] if isinstance(piece, int) else piece for piece in pieces)
            for marked in _MARKED.finditer(text):
                yield marked.group(1), None, marked.group(2)
            light = _LIGHT.findall(text)
            if light:
                named = facts[str(column)]
                if str(column) in lists:
                    (name, part) = named[0]
                    addresses = [f"{name}.{row}.{part}" for row in lists[str(column)][number]]
                else:
                    addresses = [f"{name}.{at[name][number] + sum(past)}.{part}" for name, part, *past in named]
                for address, words in zip(addresses, light, strict=True):
                    yield address, None, words
