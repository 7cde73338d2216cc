"""A page as a reader's program sees it: its tags, its words and the whole of each table, packed rows included."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from riskmodel.narrative.facts import as_plain

VOID = {"meta", "input"}


def _whole(cell: Any, shared: list[str]) -> str:
    """A packed cell: a text, a position in the page's words, or pieces of either kind."""
    pieces = cell if isinstance(cell, list) else [cell]
    return "".join(shared[piece] if isinstance(piece, int) else piece for piece in pieces)


class Reader(HTMLParser):
    """The page as a reader's program sees it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.headings: dict[str, list[str]] = {}
        self.data: list[str] = []
        self.packed: list[str] = []
        self._table = ""
        self.feed(text)
        self.close()
        assert self.open == []
        self._unpack()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._table = dict(attrs)["id"]
            self.tables[self._table], self.headings[self._table] = [], []
        elif tag == "tr" and "thead" not in self.open:
            self.tables[self._table].append([])
        elif tag in ("th", "td"):
            (self.headings[self._table] if "thead" in self.open else self.tables[self._table][-1]).append("")

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "script" in self.open or "style" in self.open:
            if "script" in self.open:
                self.data.append(f"{self._table}\0{data}")
            return
        self.words.append(data)
        cell = next((t for t in ("th", "td") if t in self.open), None)
        if cell and "thead" in self.open:
            self.headings[self._table][-1] += data
        elif cell:
            self.tables[self._table][-1][-1] += data

    def _unpack(self) -> None:
        """The rows the script adds: a number is a position in the page's words."""
        shared = json.loads(self.data[0].partition("\0")[2])
        for entry in self.data[1:]:
            name, _, text = entry.partition("\0")
            if text.startswith("{"):
                rows = json.loads(text).get("rows", [])
                whole = [[_whole(cell, shared) for cell in row] for row in rows]
                self.packed += [text for row in whole for text in row]
                self.tables[name] += [[as_plain(text) for text in row] for row in whole]

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def column(self, table: str, start: str) -> list[str]:
        position = next(n for n, words in enumerate(self.headings[table]) if words.startswith(start))
        return [row[position] for row in self.tables[table]]
