"""How hard a text is to read: the Coleman-Liau index, said as a reading age in years.

The index needs letters, words and sentences and no guess at syllables. It was fitted on passages of about 100 words for
readers in the United States, so a reading age is a rough guide: long words that readers know ("recorded", the name of
their town) count as hard, and short words that they do not know count as easy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.narrative.language.passages import Passage
from riskmodel.narrative.language.sentences import plain, sentence_spans

__all__ = ["ReadingAge", "reading_age", "reading_ages", "whole_reading_age"]

_WORD = re.compile(r"\w+(?:['.,-]\w+)*")
_GRADE_TO_AGE = 5
"""Grade 1 begins at about six years of age, as Year 2 does."""


@dataclass(frozen=True)
class ReadingAge:
    """How hard a text is to read, and how much text that rests on.

    Parameters
    ----------
    years : float or None
        The age at which most readers of that age would follow it; None where there is no word.
    letters, words, sentences : int
        What was counted; digits are letters here, as in the formula's own counts.
    """

    years: float | None
    letters: int
    words: int
    sentences: int

    @property
    def is_rough(self) -> bool:
        """Whether it rests on fewer than the 100 words the formula was made for."""
        return self.words < 100


def reading_age(text: str) -> ReadingAge:
    """The reading age of plain text.

    Parameters
    ----------
    text : str

    Returns
    -------
    ReadingAge
        Grade 0.0588 L - 0.296 S - 15.8, with L letters and S sentences in 100 words, and 5 years added.

    Notes
    -----
    Coleman, M. and Liau, T. L. 1975, A computer readability formula designed for machine scoring, Journal of Applied
    Psychology 60(2), 283-284.

    Examples
    --------
    >>> age = reading_age("Fewer records were made in the ward than a year before. They cannot be told apart.")
    >>> round(age.years), age.words, age.is_rough
    (9, 16, True)
    """
    text = plain(text)
    spans = [text[slice(*span)] for span in sentence_spans(text)]
    counted = [words for words in (_WORD.findall(sentence) for sentence in spans) if words]
    words = [word for sentence in counted for word in sentence]
    return _made(sum(c.isalnum() for word in words for c in word), len(words), len(counted))


def _made(letters: int, words: int, sentences: int) -> ReadingAge:
    if not words:
        return ReadingAge(None, 0, 0, 0)
    grade = 0.0588 * 100 * letters / words - 0.296 * 100 * sentences / words - 15.8
    return ReadingAge(grade + _GRADE_TO_AGE, letters, words, sentences)


def whole_reading_age(passages: Sequence[Passage]) -> ReadingAge:
    """The reading age of all running text of a text or a page together."""
    ages = reading_ages(passages).values()
    return _made(*(sum(getattr(age, name) for age in ages) for name in ("letters", "words", "sentences")))


def reading_ages(passages: Sequence[Passage]) -> dict[str, ReadingAge]:
    """The reading age under each heading, of running text alone: cells and labels are no sentences.

    Parameters
    ----------
    passages : sequence of Passage
        Of a text or a page.

    Returns
    -------
    dict of str to ReadingAge
        By heading in their order; the empty heading is what stands before the first.
    """
    by_heading: dict[str, list[ReadingAge]] = {}
    for passage in passages:
        if passage.kind in {"prose", "item"}:
            by_heading.setdefault(passage.heading, []).append(reading_age(passage.text))
    totals = {
        h: [sum(getattr(a, n) for a in ages) for n in ("letters", "words", "sentences")]
        for h, ages in by_heading.items()
    }
    return {heading: _made(*counts) for heading, counts in totals.items()}
