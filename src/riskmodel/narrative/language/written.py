"""Hand-written texts: in goes a Markdown file with a head, out come its words, its declared numbers and what to mend.

Every number in the words is one the head declares and the body names as ``{{fact:id}}``, a date, or the number of a
heading. So a page can say of each where it is from, and none is left behind when a newer one arrives.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.text_specs import TextFactSpec, TextSpec
from riskmodel.contracts.yaml_files import place_in, read_spec
from riskmodel.narrative.language.lint import WRITTEN, Finding, lint_passages
from riskmodel.narrative.language.passages import Passage, markdown_passages
from riskmodel.narrative.language.rules import UNDECLARED, Context, fragments

__all__ = ["WrittenText", "lint_written", "make_text", "read_text"]

_HEAD = re.compile(r"---[ \t]*\n(.*?\n)?---[ \t]*(?:\n|\Z)", re.S)
_FACT = re.compile(r"\{\{\s*fact\s*:\s*([^{}\s]*)\s*\}\}")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|"
    r"Aug|Sept?|Oct|Nov|Dec)"
)
_YEAR = r"(?:19|20)\d\d"
_DATES = (
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)? )?{_MONTH},? {_YEAR}\b",
    rf"\b\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}\b",
    rf"\b{_YEAR}-\d\d(?:-\d\d)?\b",
    rf"\b{_YEAR}/\d\d(?:\d\d)?\b",
    rf"(?<![\d.,£$€])\b{_YEAR}\b(?![.,]?\d)",
)
_DIGITS = re.compile(r"[£$€]?\d[\d,.]*\d|[£$€]?\d")
_HEADING_NUMBER = re.compile(r"^\s*\d+(?:\.\d+)*[.)]?\s")
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_EXAMPLE = """---
title: What residents said
section: community_views
written_by: ...
written_on: 2025-09-01
---"""


@dataclass(frozen=True)
class WrittenText:
    """One text a person wrote.

    Parameters
    ----------
    path : Path
    spec : TextSpec
        Its head.
    body : str
        The Markdown below the head, facts as written.
    line, title_line : int
        The lines of the file that the body begins on, and that the title stands on.
    content : str
        The whole file.
    """

    path: Path
    spec: TextSpec
    body: str
    line: int
    title_line: int
    content: str

    @property
    def facts(self) -> dict[str, TextFactSpec]:
        """The declared numbers by their id."""
        return {fact.id: fact for fact in self.spec.facts}

    @property
    def filled(self) -> str:
        """The body with every fact shown as its number."""
        facts = self.facts
        return _FACT.sub(lambda m: facts[m.group(1)].shown if m.group(1) in facts else m.group(), self.body)


def read_text(path: Path) -> WrittenText:
    """Read one text with its head.

    Parameters
    ----------
    path : Path
        A Markdown file that begins with a head between two lines ``---``.

    Returns
    -------
    WrittenText
        Whose facts are all declared and all used.

    Raises
    ------
    DefinitionError
        Listing every problem, each as ``file:line: what``.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DefinitionError("this file is not UTF-8 text", where=path, hint="save it as UTF-8") from error
    return make_text(path, content)


def make_text(path: Path, content: str) -> WrittenText:
    """A text with its head, from what its file holds or held.

    Raises
    ------
    DefinitionError
        As ``read_text`` does.
    """
    content = content.replace("\r\n", "\n")
    head = _HEAD.match(content)
    if head is None:
        raise DefinitionError(
            "a text begins with a head between two lines ---",
            where=f"{path.as_posix()}:1",
            found=content.partition("\n")[0].strip()[:80] or "an empty line",
            hint=f"begin the file like this:\n{_EXAMPLE}",
        )
    yaml = head.group().rstrip().removesuffix("---")
    spec = read_spec(path, TextSpec, text=yaml)
    title_line = int(place_in(path, "title", text=yaml).rpartition(":")[2])
    text = WrittenText(path, spec, content[head.end() :], head.group().count("\n") + 1, title_line, content)
    problems = [*_private(path, content), *_unknown(text), *_unused(text, yaml)]
    if not text.body.strip():
        problems.append(DefinitionError("the text has a head and no words", where=f"{path.as_posix()}:{text.line}"))
    if problems:
        raise DefinitionError.of_all(problems)
    return text


def _private(path: Path, content: str) -> Iterator[RiskmodelError | str]:
    """Characters that have no meaning of their own; pages mark their numbers with them."""
    for match in _PRIVATE.finditer(content):
        where = f"{path.as_posix()}:{1 + content.count(chr(10), 0, match.start())}"
        yield DefinitionError(
            "a character of Unicode's private area", where=where, found=f"U+{ord(match.group()):04X}", hint="delete it"
        )


def _unknown(text: WrittenText) -> Iterator[RiskmodelError | str]:
    for match in re.finditer(r"\{\{.*?(?:\}\}|$)", text.body, re.M):
        named = _FACT.fullmatch(match.group())
        if named is not None and named.group(1) in text.facts:
            continue
        where = f"{text.path.as_posix()}:{text.line + text.body.count(chr(10), 0, match.start())}"
        if named is None:
            yield DefinitionError(
                "not the name of a fact", where=where, found=match.group(), allowed="{{fact:id}}",
                hint="name a fact of the head by its id",
            )  # fmt: skip
        else:
            yield DefinitionError(
                f"the head declares no fact '{named.group(1)}'", where=where, allowed=sorted(text.facts),
                hint=did_you_mean(named.group(1), text.facts) or "add it to 'facts' with value, unit, source and date",
            )  # fmt: skip


def _unused(text: WrittenText, yaml: str) -> Iterator[RiskmodelError | str]:
    used = {match.group(1) for match in _FACT.finditer(text.body)}
    for number, fact in enumerate(text.spec.facts):
        if fact.id not in used:
            where = place_in(text.path, "facts", number, text=yaml)
            hint = f"write {{{{fact:{fact.id}}}}} where it belongs, or delete it"
            yield DefinitionError(f"the text does not use the fact '{fact.id}'", where=where, hint=hint)
    for number, kept in enumerate(text.spec.kept):
        if kept.words not in " ".join(text.filled.split()):
            where = place_in(text.path, "kept", number, text=yaml)
            yield DefinitionError(
                f"the text does not hold the kept words '{kept.words}'", where=where, hint="delete them"
            )


def lint_written(text: WrittenText, *, names: Collection[str] = (), context: Context = WRITTEN) -> list[Finding]:
    """What to mend in a text: phrases that break a rule, and numbers its head does not declare.

    Parameters
    ----------
    text : WrittenText
    names, context
        As for ``lint_text``.

    Returns
    -------
    list of Finding
        Lines are those of the file; positions those of ``filled``, or, for a number, of ``body``.
    """
    kept = [" ".join(k.words.split()) for k in text.spec.kept]
    title = Passage(text.spec.title, text.title_line, 0, "", "heading")
    said = lint_passages([title, *markdown_passages(text.filled, line=text.line)], names=names, context=context)
    found = [f for f in [*said, *_undeclared(text)] if not any(f.excerpt in w and w in f.sentence for w in kept)]
    return sorted(found, key=lambda f: (f.line, f.start, f.end, f.rule))


@cache
def _dates() -> re.Pattern[str]:
    """What is a date; a number of people or records is none, however much it looks like a year."""
    counted = "|".join(fragments()[name] for name in ("counted", "person"))
    dates = "|".join(_DATES).replace(" ", r"\s+")
    return re.compile(rf"(?:{dates})(?!\s+(?:{counted})\b)")


def _undeclared(text: WrittenText) -> Iterator[Finding]:
    bare = _FACT.sub(lambda m: " " * len(m.group()), text.body)
    for passage in markdown_passages(bare, line=text.line):
        words = _dates().sub(lambda m: " " * len(m.group()), passage.text)
        if passage.kind == "heading":
            words = _HEADING_NUMBER.sub(lambda m: " " * len(m.group()), words, count=1)
        for number in _DIGITS.finditer(words):
            yield Finding(
                passage.start + number.start(), passage.start + number.end(),
                passage.line + passage.text.count("\n", 0, number.start()), UNDECLARED, number.group(),
                " ".join(passage.text.split()),
                "nobody can say where this number is from, or see when it is out of date",
                "declare it under 'facts' and write {{fact:id}}; a date has its month or year; a number in a name goes "
                "under 'kept' with why",
            )  # fmt: skip
