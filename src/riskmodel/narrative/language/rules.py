"""The rules of language, read from ``rules.yaml`` and compiled: what is found, why it is wrong, what to say instead.

The file is the table: classes in the order in which one takes a phrase before another, and the fragments their
patterns share. ``Context`` says what is known of a text beside its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["UNDECLARED", "Context", "Rule", "any_rule", "classes", "fragments", "official_names", "rules"]

UNDECLARED = "undeclared_number"
"""The class of a number in a hand-written text that its head does not declare."""


@dataclass(frozen=True)
class Context:
    """What is known of a text beside its words.

    Parameters
    ----------
    generated : bool
        Whether the package wrote it: then "will" has no place in it at all.
    offence_level : bool
        Whether its target is built from offence-level counts, so that it may be called serious violence.
    """

    generated: bool = False
    offence_level: bool = False


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    Parameters
    ----------
    order : int
        Its place in the table.
    name : str
        The class; several rows may share one.
    why, instead : str
        What is wrong with what it finds, and what to say.
    found : re.Pattern
        All its patterns as one, over small letters.
    fine, fine_before : re.Pattern or None
        What makes it fine in the same sentence, and right before it.
    denied, asked : bool
        Whether it is fine where the sentence denies it, or asks it.
    next_too : bool
        Whether ``fine`` may also stand in the next sentence.
    only : str
        The texts it is for: all where empty, else ``generated`` or ``wide_category``.
    """

    order: int
    name: str
    why: str
    instead: str
    found: re.Pattern[str]
    fine: re.Pattern[str] | None
    fine_before: re.Pattern[str] | None
    denied: bool
    asked: bool
    next_too: bool
    only: str

    def is_for(self, context: Context) -> bool:
        """Whether it applies to a text."""
        if self.only == "generated":
            return context.generated
        return not self.only or not context.offence_level


@cache
def rules() -> tuple[Rule, ...]:
    """The table, row by row."""
    return tuple(_rule(order, row) for order, row in enumerate(_file()["rules"]))


@cache
def classes() -> dict[str, tuple[str, str]]:
    """Every class with why and what to say instead, from its first row.

    Examples
    --------
    >>> classes()["people_as_hotspot"][1]
    'places where more support may help'
    """
    return {row["class"]: (row["why"], row["instead"]) for row in reversed(_file()["rules"])}


@cache
def fragments() -> dict[str, str]:
    """The parts that patterns share, by name."""
    return {name: f"({'|'.join(_lines(block))})" for name, block in _file()["fragments"].items()}


@cache
def official_names() -> re.Pattern[str]:
    """Names of laws, offices and programmes; capital letters count."""
    return re.compile(rf"\b(?:{'|'.join(_lines(_file()['names']))})\b")


@cache
def any_rule(context: Context) -> re.Pattern[str]:
    """All that any rule for a text finds, as one pattern: most texts hold none of it."""
    rows = zip(rules(), _file()["rules"], strict=True)
    return _compiled(_alone([p for rule, row in rows if rule.is_for(context) for p in _lines(row["patterns"])]))


def _rule(order: int, row: dict[str, Any]) -> Rule:
    unless, before = row.get("unless"), row.get("unless_before")
    fine_where = row.get("fine_where", ())
    return Rule(
        order,
        row["class"],
        row["why"],
        row["instead"],
        _compiled(_alone(_lines(row["patterns"]))),
        _compiled("|".join(_lines(unless))) if unless else None,
        _compiled(rf"\b({'|'.join(_lines(before))}) ?$") if before else None,
        "denied" in fine_where,
        "asked" in fine_where,
        bool(row.get("next_sentence_too")),
        row.get("only", ""),
    )


@cache
def _file() -> dict[str, Any]:
    from ruamel.yaml import YAML

    text = (files("riskmodel.narrative.language") / "rules.yaml").read_text(encoding="utf-8")
    held: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return held


def _lines(block: str) -> list[str]:
    """The patterns of a block; a line set in continues the one before."""
    return re.sub(r"\n +", "", block).splitlines()


def _alone(patterns: list[str]) -> str:
    return rf"(?<!\w)({'|'.join(patterns)})(?!\w)"


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern with its fragments put in, and groups that capture nothing."""
    while "<" in (bare := re.sub(r"\(\?<[=!]|\\<", "", pattern)) and re.search(r"<[a-z_]+>", bare):
        pattern = re.sub(r"<([a-z_]+)>", lambda m: fragments()[m.group(1)], pattern)
    return re.compile(re.sub(r"\\.|\[[^\]]*\]|\((?!\?)", lambda m: "(?:" if m.group() == "(" else m.group(), pattern))
