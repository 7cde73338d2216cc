"""Laws of the linter: where a phrase stands, what surrounds it and how it is typed change nothing; names are names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrative.language.corpus import BAD, GOOD
from riskmodel.narrative.language import Context, classes, lint_text
from riskmodel.narrative.language.lint import _DIGITS, _lowered
from riskmodel.narrative.language.rules import any_rule, rules
from riskmodel.narrative.language.sentences import is_denied, plain, sentence_spans

BOTH = (*BAD, *GOOD)
# A forecast's range may stand in the next sentence, so what follows one of these can matter.
CALM = [s for s in GOOD if not s.names and not re.search(r"\d|range|interval|between", s.text)]
bad, calm = st.sampled_from(BAD), st.sampled_from(CALM)


def said(text: str) -> list[tuple[str, str]]:
    return [(f.rule, f.excerpt) for f in lint_text(text)]


@given(st.lists(st.sampled_from(BOTH), min_size=1, max_size=6))
def test_a_finding_stands_where_it_says(sentences: list) -> None:
    text = "\n".join(s.text for s in sentences)
    for finding in lint_text(text):
        assert text[finding.start : finding.end] == finding.excerpt
        assert text.splitlines()[finding.line - 1] == sentences[finding.line - 1].text
        assert finding.excerpt in finding.sentence
        assert finding.why and finding.instead


@given(calm, bad, calm)
def test_sentences_around_it_change_nothing(before: object, sentence: object, after: object) -> None:
    assert said(f"{before.text} {sentence.text}\n\n{after.text}") == said(sentence.text)


@given(bad)
def test_how_it_is_typed_changes_nothing(sentence: object) -> None:
    found = said(sentence.text)
    curled = sentence.text.replace("'", "\u2019")
    assert [(rule, words.replace("\u2019", "'")) for rule, words in said(curled)] == found
    assert said(sentence.text.replace(" ", "\n")) == found
    assert said(sentence.text.replace(" ", "  \u00a0")) == found
    assert [(rule, words.lower()) for rule, words in said(sentence.text[0] + sentence.text[1:].upper())] == [
        (rule, words.lower()) for rule, words in found
    ]


@pytest.mark.parametrize("sentence", BAD, ids=lambda s: s.text[:40])
def test_a_name_may_hold_any_words(sentence: object) -> None:
    for finding in lint_text(sentence.text):
        if re.fullmatch(r"\w.*[^\W\d]", finding.excerpt) and len(finding.excerpt.split()) <= 12:
            left = lint_text(sentence.text, names={finding.excerpt})
            assert (finding.rule, finding.start) not in {(f.rule, f.start) for f in left if f.end >= finding.end}


def test_a_name_is_only_where_it_stands() -> None:
    text = "Rough Common is no rough area. Black Hill\u2019s hotspots are in Black Hill."
    assert said(text) == [("place_label", "rough area"), ("house_words", "hotspots")]
    assert [f.excerpt for f in lint_text(text, names={"Rough Common", "Black Hill"})] == ["rough area", "hotspots"]
    assert lint_text("We met in Thug\u2019s Lane.", names={"Thug's Lane"}) == []
    assert [f.excerpt for f in lint_text("Violence in Black Hill is due to immigration.", names={"Black Hill"})]


def test_the_first_look_misses_nothing_that_the_rules_find() -> None:
    """One pattern of all rules, on texts whose digits are made alike, decides whether the rules look at all."""
    for sentence in BOTH:
        lowered = _lowered(plain(sentence.text))
        alike = lowered.translate(_DIGITS)
        for context in (Context(), Context(generated=True), Context(offence_level=True)):
            own = [r for r in rules() if r.is_for(context)]
            spans = [[m.span() for m in r.found.finditer(lowered)] for r in own]
            assert spans == [[m.span() for m in r.found.finditer(alike)] for r in own]
            assert (any_rule(context).search(alike) is not None) == any(spans)


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for finding in lint_text(text):
        assert " ".join(text[finding.start : finding.end].split()) == finding.excerpt


@given(st.text(alphabet=st.sampled_from("ab. !?\n\"'A1"), max_size=80))
def test_sentences_are_the_whole_text_in_order(text: str) -> None:
    assert "".join(text[a:b] for a, b in sentence_spans(text)) == text


def test_a_page_of_ours_never_says_will() -> None:
    text = "The board will meet in May. The will to change is there. Will there be more?"
    assert said(text) == []
    assert [f.sentence for f in lint_text(text, context=Context(generated=True))] == ["The board will meet in May."]


def test_serious_violence_is_a_target_built_from_offences() -> None:
    text = "Records of serious violence are expected to lie between 90 and 120."
    assert said(text) == [("serious_violence", "Records of serious violence")]
    assert lint_text(text, context=Context(offence_level=True)) == []
    assert said("Partners share what they know of serious violence.") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Overcrowding is not the only thing: it causes violence.", True),
        ("There is no doubt: overcrowding causes violence.", True),
        ("Nobody was asked, and overcrowding causes violence.", True),
        ("It is not only found there, it causes violence.", True),
        ("It does not follow that overcrowding causes violence.", False),
        ("The table never shows that overcrowding, noise or damp cause violence.", False),
        ("Nobody knows whether overcrowding causes violence.", False),
    ],
)
def test_a_denial_reaches_its_own_clause(text: str, found: bool) -> None:
    assert bool(lint_text(text)) is found


def test_a_label_is_no_better_denied() -> None:
    assert said("This is no ghetto.") == [("place_label", "ghetto")]


def test_a_word_may_be_named_as_a_word() -> None:
    assert said("We do not write \u201cBAME\u201d here.") == []
    assert said('He called it a "no-go area".') == [("place_label", "no-go area")]


def test_of_two_phrases_the_longer_is_told() -> None:
    assert said("Offender hotspots are mapped.") == [("people_as_hotspot", "Offender hotspots")]


def test_a_denial_needs_no_more_than_a_word() -> None:
    assert is_denied("it is never ") and not is_denied("it is ever ")


def test_every_class_says_why_and_what_to_say_instead() -> None:
    for name, (why, instead) in classes().items():
        assert re.fullmatch(r"[a-z_]+", name) and len(why) > 15 and len(instead) > 10
