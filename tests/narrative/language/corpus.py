"""The sentences the rules are held to: a part to write rules by, and every fourth held out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent


class Sentence(NamedTuple):
    text: str
    rule: str
    names: frozenset[str]
    held_out: bool


def lines_of(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


BAD = [Sentence(text, rule, frozenset(), n % 4 == 3) for n, (rule, text) in enumerate(lines_of("bad.txt"))]
GOOD = [
    Sentence(text, "", frozenset(names[0].split(";") if names else ()), n % 4 == 3)
    for n, (text, *names) in enumerate(lines_of("good.txt"))
]
