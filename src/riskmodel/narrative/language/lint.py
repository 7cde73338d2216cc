"""The linter: in goes text, out come the phrases that say more than the facts do, or that hurt.

A place's name may hold any word: names that are given are no findings, nor are the names of laws, offices and
programmes. What a sentence denies, asks or only names is judged by each rule.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from riskmodel.narrative.language.passages import Passage, html_passages, markdown_passages
from riskmodel.narrative.language.rules import Context, Rule, any_rule, official_names, rules
from riskmodel.narrative.language.sentences import (
    denies,
    is_asked,
    is_denied,
    is_named,
    names_words,
    plain,
    plain_positions,
    sentence_spans,
)

__all__ = ["GENERATED", "WRITTEN", "Finding", "lint_html", "lint_markdown", "lint_passages", "lint_text"]

WRITTEN = Context()
"""A text that a person wrote, on a target that is no count of offences."""
GENERATED = Context(generated=True)
"""A page of the package's own."""
_WORD = re.compile(r"\w+(?:['-]\w+)*")
# Rules know nought and small digits (1 and 2) from others, and nothing more of a digit.
_DIGITS = str.maketrans("0123456789", "0119999999")
_LONGEST_NAME = 12


@dataclass(frozen=True, order=True)
class Finding:
    """One phrase that should be said otherwise.

    Parameters
    ----------
    start, end : int
        Where it stands in the text; for a page, in its visible text.
    line : int
        The line it stands on, from 1.
    rule : str
        The class of the rule.
    excerpt : str
        The phrase as written.
    sentence : str
        The sentence it stands in.
    why, instead : str
        What is wrong with it, and what to say.
    """

    start: int
    end: int
    line: int
    rule: str
    excerpt: str
    sentence: str
    why: str
    instead: str


def lint_text(text: str, *, names: Collection[str] = (), context: Context = WRITTEN) -> list[Finding]:
    """Every phrase of a text that breaks a rule of language.

    Parameters
    ----------
    text : str
        Plain text; an empty line ends a sentence.
    names : collection of str
        Names of places and people as they are written: words in them are theirs.
    context : Context
        What is known of the text beside its words.

    Returns
    -------
    list of Finding
        In the order of the text; of two phrases, one inside the other, the longer.

    Examples
    --------
    >>> [(f.rule, f.excerpt) for f in lint_text("Crooks Lane will see 12.34 incidents.", names={"Crooks Lane"})]
    [('certainty', 'will see 12'), ('false_precision', '12.34 incidents')]
    >>> lint_text("Nothing here says that crowded homes cause violence.")
    []
    """
    return _lint(text, frozenset(names), context)


@lru_cache(maxsize=4)
def _plain_names(names: frozenset[str]) -> frozenset[str]:
    return frozenset(plain(name) for name in names)


def _lint(text: str, names: frozenset[str], context: Context, under: str = "") -> list[Finding]:
    """The findings of a text that stands under a heading or in a list that words lead to."""
    said = plain(text)
    hits = _hits(_lowered(said).translate(_DIGITS), context)
    if not hits or names_words(under):
        return []
    at, refused = plain_positions(text), denies(under)
    sentences = [_Sentence(a, said[a:b], text[at[a] : at[b]]) for a, b in sentence_spans(said)]
    found = []
    for start, end, rule in hits:
        number = next(n for n, s in enumerate(sentences) if start < s.start + len(s.said))
        if not (refused and rule.denied) and _stands(sentences, number, start, end, rule, names):
            first, last = at[start], at[end - 1] + 1
            line, words = text.count("\n", 0, first) + 1, (_tidy(text[first:last]), _tidy(sentences[number].text))
            found.append(Finding(first, last, line, rule.name, *words, rule.why, rule.instead))
    return _longest(found)


def lint_markdown(path: Path, *, names: Collection[str] = (), context: Context = WRITTEN) -> list[Finding]:
    """Every phrase of a Markdown file that breaks a rule; positions and lines are the file's.

    Parameters
    ----------
    path : Path
    names, context
        As for ``lint_text``.
    """
    return lint_passages(markdown_passages(path.read_text(encoding="utf-8")), names=names, context=context)


def lint_html(page: str, *, names: Collection[str] = (), context: Context = GENERATED) -> list[Finding]:
    """Every phrase of a page that breaks a rule: what is shown, what is said for pictures, what its script adds.

    Inside an element with the attribute ``data-written`` the words are a person's. Over many pages give ``names`` as a
    frozenset, which is then made ready once.

    Parameters
    ----------
    page : str
    names, context
        As for ``lint_text``; a page is taken as generated if not said otherwise.
    """
    return lint_passages(html_passages(page), names=names, context=context)


def lint_passages(
    passages: Sequence[Passage], *, names: Collection[str] = (), context: Context = WRITTEN
) -> list[Finding]:
    """Every phrase of some passages that breaks a rule; the same words are judged once."""
    names, lead = frozenset(names), ""
    found = []
    for passage in passages:
        if passage.kind == "prose":
            lead = passage.text if passage.text.rstrip().endswith(":") else ""
        known = replace(context, generated=False) if passage.written else context
        under = f"{passage.heading} {lead if passage.kind == 'item' else ''}"
        found += [
            replace(f, start=f.start + passage.start, end=f.end + passage.start, line=f.line + passage.line - 1)
            for f in _lint(passage.text, names, known, under)
        ]
    return found


@cache
def _rules(context: Context) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules() if rule.is_for(context))


@lru_cache(maxsize=100_000)
def _hits(lowered: str, context: Context) -> tuple[tuple[int, int, Rule], ...]:
    """Every match of every rule; the sentences of many pages differ in digits only, and are searched once."""
    if any_rule(context).search(lowered) is None:
        return ()
    return tuple((m.start(), m.end(), rule) for rule in _rules(context) for m in rule.found.finditer(lowered))


class _Sentence(NamedTuple):
    """A sentence made plain and as written."""

    start: int
    said: str
    text: str


def _lowered(said: str) -> str:
    """Small letters on the same positions; what is between two paragraphs ends a phrase."""
    lowered = said.lower()
    if len(lowered) != len(said):
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in said)
    return lowered.replace("\n", ";")


def _stands(
    sentences: Sequence[_Sentence], number: int, start: int, end: int, rule: Rule, names: frozenset[str]
) -> bool:
    """Whether what a rule found is a finding in its sentence."""
    sentence = sentences[number]
    small, first = _lowered(sentence.said), start - sentence.start
    reach = small + (_lowered(sentences[number + 1].said) if rule.next_too and number + 1 < len(sentences) else "")
    if (rule.asked and is_asked(sentence.said)) or (rule.fine is not None and rule.fine.search(reach)):
        return False
    before = small[:first]
    if (rule.denied and is_denied(before)) or (rule.fine_before is not None and rule.fine_before.search(before)):
        return False
    if is_named(sentence.said, first, end - sentence.start):
        return False
    masked = _without_names(sentence, small, names)
    return masked == small or any(m.start() == first for m in rule.found.finditer(masked.translate(_DIGITS)))


def _without_names(sentence: _Sentence, small: str, names: frozenset[str]) -> str:
    """The sentence in small letters, every name in it made of x."""
    spans = [match.span() for match in official_names().finditer(sentence.said)]
    spans += list(_named(sentence.said, _plain_names(names))) if names else []
    for start, end in spans:
        small = small[:start] + re.sub(r"\w", "x", small[start:end]) + small[end:]
    return small


def _named(said: str, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    words = [match.span() for match in _WORD.finditer(said)]
    for number, (start, _) in enumerate(words):
        for _, end in words[number : number + _LONGEST_NAME]:
            bare = said[start:end].removesuffix("'s")
            if said[start:end] in names or bare in names:
                yield start, start + len(bare)


def _longest(found: Sequence[Finding]) -> list[Finding]:
    """Without what lies inside another; of two on the same words, the one whose rule comes first."""
    kept: list[Finding] = []
    for finding in sorted(found, key=lambda f: (f.start, -f.end)):
        if not any(f.start <= finding.start and finding.end <= f.end for f in kept):
            kept.append(finding)
    return kept


def _tidy(text: str) -> str:
    return " ".join(text.split())
