"""Where sentences begin and end, and what a sentence does with a phrase: says it, denies it, or only names it.

In: text made ``plain``. Out: spans, and yes or no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["denies", "is_asked", "is_denied", "is_named", "names_words", "plain", "plain_positions", "sentence_spans"]

# Curled quotes, unbreakable spaces and hyphens: one sign for one.
_SIGNS = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "\u2011": "-"})
_BLANKS = re.compile(r"\s+")
_END = re.compile(r"[.!?]+[\"')\]]*(?=\s+[\"'(\[]?[A-Z0-9\u00c0-\u00de])|\n")
_SHORT = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|approx|no|nos|st|dr|mr|mrs|ms|prof|vs|ca|fig|sec|para|pp?|(?:[a-z]\.)*[a-z])\.$", re.I
)
_CLAUSE = re.compile(r"[;:]|\b(?:but|because|since|while|although|though|whereas|yet)\b|, (?:and|so|which|or)\b")
_DENIAL = re.compile(
    r"\b(?:no(?! doubt| question| wonder)|not(?! only| just| merely| simply| surpris)|never|none|nobody|no one|nothing|"
    r"neither|nor|cannot|without(?! doubt)|rather than|instead of|absence of|free of|out of scope)\b|"
    r"n't\b(?! only| just)"
)
_LIST = re.compile(r"\b(?:not|never)\b[^:;.]*\b(?:for|to|that|say|says|mean|means|show|shows|used)\s*:")
_REACH = 12
_QUOTED = re.compile(r"[\"`]([^\"`]{1,60})[\"`]|(?<!\w)'([^']{1,40})'(?!\w)")
_NAMING = re.compile(
    r"\b(?:words?|terms?|phrases?|labels?|expressions?|not|never|avoid\w*|instead of|rather than)\b|n't\b", re.I
)


def plain(text: str) -> str:
    r"""The text with one sign for each kind of quote and hyphen, and one blank for many: a line end for an empty line.

    Examples
    --------
    >>> plain("We\u2019re  here.\n  So:\n\n\nyes")
    "We're here. So:\nyes"
    """
    return _BLANKS.sub(lambda m: "\n" if m.group().count("\n") > 1 else " ", text.translate(_SIGNS))


def plain_positions(text: str) -> list[int]:
    """For every position of the plain text, and its end, the position in the text."""
    found: list[int] = []
    start = 0
    for blanks in _BLANKS.finditer(text.translate(_SIGNS)):
        found += range(start, blanks.start() + 1)
        start = blanks.end()
    return [*found, *range(start, len(text) + 1)]


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """The start and end of every sentence of a plain text.

    Examples
    --------
    >>> text = "About 4.5 records, e.g. in Bramley. No more."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['About 4.5 records, e.g. in Bramley.', ' No more.']
    """
    start = 0
    for end in _END.finditer(text):
        if end.group().startswith(".") and _SHORT.search(text[start : end.end()]):
            continue
        yield start, end.end()
        start = end.end()
    if start < len(text):
        yield start, len(text)


def is_asked(sentence: str) -> bool:
    """Whether it is a question."""
    return sentence.rstrip("\"') \n").endswith("?")


def is_denied(before: str) -> bool:
    """Whether the clause denies what follows: the part of a sentence before a phrase, in small letters.

    Examples
    --------
    >>> is_denied("nothing here says that a condition ")
    True
    >>> is_denied("the count is not falling, and overcrowding ")
    False
    >>> is_denied("not to be used for: decisions about people; ")
    True
    """
    if _LIST.search(before):
        return True
    clause = _CLAUSE.split(before)[-1]
    denials = list(_DENIAL.finditer(clause))
    return bool(denials) and len(clause[denials[-1].end() :].split()) <= _REACH


def denies(heading: str) -> bool:
    """Whether a heading, or the words that lead to a list, deny all that stands under them."""
    return _DENIAL.search(heading.lower()) is not None


def names_words(heading: str) -> bool:
    """Whether what stands under a heading is words that are not used.

    Examples
    --------
    >>> names_words("Words not used"), names_words("What it must not be used for")
    (True, False)
    """
    return denies(heading) and re.search(r"\bwords?\b", heading.lower()) is not None


def is_named(sentence: str, start: int, end: int) -> bool:
    """Whether the phrase stands in quotes in a sentence about words."""
    quoted = any(
        q.start() <= start and end <= q.end() and len(q.group().split()) <= 5 for q in _QUOTED.finditer(sentence)
    )
    return quoted and _NAMING.search(sentence) is not None
