"""The linter beside a corpus of its own: sentences that must be found, and near-misses that must not.

Both files were written before the first rule. When the rules first found all they should on three quarters of them, the
fourth that was held out stood at 78 of 79 bad sentences found with their class, and 77 of 78 good ones left alone. The
same person wrote sentences and rules, so that is kinder than the truth: of 39 such sentences in others' published
assessments, judged by hand before the linter saw them, it found 29, and it left 56 of 60 others alone. What was missed
was then added to the rules; the held-out lines now count as any others.
"""

from __future__ import annotations

from collections import Counter

import pytest

from narrative.language.corpus import BAD, GOOD, Sentence
from riskmodel.narrative.language import classes, lint_text


@pytest.mark.parametrize("sentence", BAD, ids=lambda s: s.text[:50])
def test_what_must_not_be_said_is_found_with_its_class(sentence: Sentence) -> None:
    assert sentence.rule in {f.rule for f in lint_text(sentence.text)}


@pytest.mark.parametrize("sentence", GOOD, ids=lambda s: s.text[:50])
def test_what_may_be_said_is_left_alone(sentence: Sentence) -> None:
    assert [(f.rule, f.excerpt) for f in lint_text(sentence.text, names=sentence.names)] == []


def test_the_corpus_is_large_holds_every_class_and_no_sentence_twice() -> None:
    assert min(len(BAD), len(GOOD)) >= 220
    counted = Counter(s.rule for s in BAD)
    assert set(counted) == set(classes()) and min(counted.values()) >= 10
    texts = [s.text for s in (*BAD, *GOOD)]
    assert len(texts) == len(set(texts))
    assert {s.rule for s in BAD if s.held_out} == set(classes())


def test_names_in_the_corpus_are_needed() -> None:
    named = [s for s in GOOD if s.names]
    assert named and any(lint_text(s.text) for s in named)
