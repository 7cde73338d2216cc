"""Reading ages beside the formula's own published example, and what must make a text easier or harder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrative.language.corpus import GOOD
from riskmodel.narrative.language import (
    html_passages,
    markdown_passages,
    reading_age,
    reading_ages,
    whole_reading_age,
)

# The abstract of Coleman and Liau 1975, which the published worked example counts: 639 letters, 119 words, 5 sentences.
ABSTRACT = """
Existing computer programs that measure readability are based largely upon subroutines which estimate number of
syllables, usually by counting vowels. The shortcoming in estimating syllables is that it necessitates keypunching the
prose into the computer. There is no need to estimate syllables since word length in letters is a better predictor of
readability than word length in syllables. Therefore, a new readability formula was computed that has for its predictors
letters per 100 words and sentences per 100 words. Both predictors can be counted by an optical scanning device, and
thus the formula makes it economically feasible for an organization such as the U.S. Office of Education to calibrate
the readability of all textbooks for the public school system.
"""


def test_the_published_example() -> None:
    age = reading_age(ABSTRACT)
    assert (age.letters, age.words, age.sentences) == (639, 119, 5)
    assert age.years == pytest.approx(14.5 + 5, abs=0.05)
    assert not age.is_rough


@given(st.lists(st.sampled_from(GOOD), min_size=1, max_size=8))
def test_it_is_the_formula_on_plain_counts(sentences: list) -> None:
    """Counted by splitting at blanks, for sentences that stand one a line."""
    texts = [s.text for s in sentences]
    age = reading_age("\n\n".join(texts))
    words = [w for t in texts for w in t.split() if any(c.isalnum() for c in w)]
    letters = sum(c.isalnum() for w in words for c in w)
    assert age.letters == letters
    assert age.words >= len(words)  # a dash or slash between two words divides them
    assert age.years == pytest.approx(5.88 * age.letters / age.words - 29.6 * age.sentences / age.words - 15.8 + 5)


def test_longer_words_and_longer_sentences_are_harder() -> None:
    short = reading_age("We met. We ate. We sang.").years
    assert short < reading_age("We met and we ate and we sang.").years
    assert short < reading_age("We deliberated. We dined. We harmonised.").years


def test_nothing_to_read_has_no_age() -> None:
    for text in ("", "  \n", "...", "-- !"):
        age = reading_age(text)
        assert (age.years, age.words, age.is_rough) == (None, 0, True)


def test_sections_are_measured_by_their_running_text() -> None:
    text = "Before.\n\n# One\n\nA short word.\n\n- An item.\n\n| incomprehensibility |\n\n# Two\n\nAnother.\n"
    ages = reading_ages(markdown_passages(text))
    assert {heading: age.words for heading, age in ages.items()} == {"": 1, "One": 5, "Two": 1}
    page = "<p>Before.</p><h2>One</h2><p>A short word.</p><ul><li>An item.</li></ul><h2>Two</h2><p>Another.</p>"
    assert reading_ages(html_passages(page)) == ages
    whole = whole_reading_age(markdown_passages(text))
    assert whole == reading_age("Before.\n\nA short word.\n\nAn item.\n\nAnother.")
