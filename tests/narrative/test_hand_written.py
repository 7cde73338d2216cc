"""What people wrote, on the page: declared numbers are supplied facts, and no other digit passes for one of the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

import assessment_builders as given
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import build_assessment_page
from riskmodel.narrative.assessment.texts import hand_written
from riskmodel.narrative.facts import FactBook, as_plain
from riskmodel.narrative.facts.marks import fact_ids, stray_digits
from riskmodel.narrative.language import make_text

HEAD = """---
title: What residents of ward 4 said
section: community_views
written_by: a group of residents
written_on: 2025-09-01
facts:
  - {id: on_roll_, value: 12480, unit: pupils, source: school census, date: 2025-01-16}
  - {id: share, value: 4.25, unit: per cent, source: survey, date: 2025-06-30}
kept:
  - {words: NHS 111, because: a name}
---
"""
BODY = """# What we *heard*

There are {{fact:on_roll_}} pupils in 2025.
Call **NHS 111**, or [write to us](https://example.org/4).

- {{fact:share}} per cent answered
- About 70 came

Afterwards > was said <b>loudly</b>. {{ fact:share }} again.
"""
PATH = Path("views [draft].md")


def blocks(body: str, head: str = HEAD) -> tuple[FactBook, list[tuple[list[str], list[str]]]]:
    book = FactBook({}, "run")
    made = hand_written(make_text(PATH, head + body), book)
    return book, [(list(paragraphs), list(items)) for paragraphs, items in made.blocks]


def test_paragraphs_lists_and_headings_are_kept_in_their_order() -> None:
    _, found = blocks(BODY)
    plain = [([as_plain(p) for p in paragraphs], [as_plain(i) for i in items]) for paragraphs, items in found]
    assert plain == [
        (
            [
                "What we heard",
                "There are 12,480 pupils in 2025. Call NHS 111, or write to us (https://example.org/4).",
            ],
            ["4.25 per cent answered", "About 70 (no source given) came"],
        ),
        (["Afterwards > was said <b>loudly</b>. 4.25 again."], []),
        (
            ["Supplied, not computed: 12,480 pupils (school census, 16 January 2025); "
             "4.25 per cent (survey, 30 June 2025)."], [],
        ),
    ]  # fmt: skip


def test_numbers_are_supplied_facts_with_source_and_day() -> None:
    book, found = blocks(BODY)
    facts = {fact.fact_id: fact for fact in book.facts}
    assert set(facts) == {"text.views [draft].on_roll_", "text.views [draft].share"}
    pupils = facts["text.views [draft].on_roll_"]
    assert (pupils.origin, pupils.source, pupils.as_of, pupils.unit, pupils.value) == (
        "supplied", "school census", "2025-01-16", "pupils", 12480,
    )  # fmt: skip
    quoted = [name for paragraphs, items in found for words in (*paragraphs, *items) for name in fact_ids(words)]
    assert sorted(set(quoted)) == sorted(facts)


@settings(max_examples=40)
@for_all(st.text(st.sampled_from("ab 12,.*_-#>[]()`\n|{}:é£%<&"), min_size=1, max_size=60).filter(str.strip))
def test_whatever_is_written_no_digit_passes_for_a_number_of_the_run(body: str) -> None:
    head = HEAD.partition("facts:")[0] + "---\n"
    try:
        text = make_text(PATH, head + body)
    except DefinitionError:
        return
    written = hand_written(text, FactBook({}, "run"))
    for paragraphs, items in written.blocks:
        for words in (*paragraphs, *items):
            assert stray_digits(words.replace("<", "&lt;")) == []


def test_every_word_arrives(repository: Path) -> None:
    """Held against the file's own words, marks of Markdown taken away."""
    body = "One two\nthree\n\n1. four\n2) five\n   six\n\n> seven\n\n## eight ##\n* nine\n"
    _, found = blocks(body, HEAD.partition("facts:")[0] + "---\n")
    words = [w for paragraphs, items in found for text in (*paragraphs, *items) for w in as_plain(text).split()]
    assert words == ["One", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def test_a_character_that_could_pass_for_a_mark_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match=r"views \[draft\]\.md:21: a character of Unicode's private area\n  found: U\+E000"
    ):
        make_text(PATH, HEAD + BODY + "\ue000outlook.0.mean\ue00112\ue002")


def test_the_page_shows_it_as_written_by_people_and_escapes_it(repository: Path) -> None:
    held = given.assessment(Workspace(repository))
    text = hand_written(make_text(PATH, HEAD + BODY), held.book)
    page = build_assessment_page(replace(held, texts=[text]))
    assert '<div data-written>\n<h3 id="community_views-1">What residents of ward 4 said</h3>' in page
    assert "was said &lt;b&gt;loudly&lt;/b&gt;" in page
    assert 'data-fact="text.views [draft].share">4.25</data>' in page
    assert "Written by a group of residents, 1 September 2025." in page
    assert page.count("nobody has written this section yet") == 2
