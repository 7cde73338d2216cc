"""Texts that people write: their head, their numbers, and every problem at once with its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.narrative.language import lint_written, read_text

HEAD = """---
title: What residents said
section: community_views
written_by: a group of residents
written_on: 2025-09-01
facts:
  - {id: asked, value: 1240, unit: residents, source: survey, date: 2025-06-30}
  - {id: share, value: 4.5, unit: per cent, source: survey, date: 2025-06-30}
---
"""
BODY = "We asked {{fact:asked}} people. {{ fact:share }} per cent answered.\n"


@pytest.fixture
def written(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "text.md"
        path.write_bytes(text.encode())
        return path

    return write


def refused(path: Path) -> str:
    with pytest.raises(DefinitionError) as raised:
        read_text(path)
    return str(raised.value)


def numbers(path: Path) -> list[tuple[int, str]]:
    return [(f.line, f.excerpt) for f in lint_written(read_text(path)) if f.rule == "undeclared_number"]


def test_a_text_is_read_with_its_facts(written) -> None:
    text = read_text(written(HEAD + BODY))
    assert (text.spec.section, text.spec.written_on, text.line) == ("community_views", date(2025, 9, 1), 10)
    assert text.facts["asked"].source == "survey"
    assert text.filled == "We asked 1,240 people. 4.5 per cent answered.\n"
    assert lint_written(text) == []


@pytest.mark.parametrize("change", [lambda t: t.replace("\n", "\r\n"), lambda t: "\ufeff" + t])
def test_how_an_editor_saves_it_changes_nothing(written, change) -> None:
    plain, other = read_text(written(HEAD + BODY)), read_text(written(change(HEAD + BODY)))
    assert (other.spec, other.body, other.line) == (plain.spec, plain.body, plain.line)


def test_every_problem_of_the_head_is_told_with_its_line(written) -> None:
    text = (
        HEAD.replace("community_views", "voices").replace("written_by", "author").replace("date: 2025", "day: 2025", 1)
    )
    said = refused(written(text + BODY))
    for words in ("text.md:3: 'section'", "text.md:4: unknown key 'author'", "'written_by' is missing", "text.md:7:"):
        assert words in said
    assert "unknown key 'facts.0.day'" in said


@pytest.mark.parametrize("text", ["", "Words.\n", "# Title\n", "----\n", "---\ntitle: x\n"])
def test_a_text_without_a_head_is_shown_how_to_begin(written, text: str) -> None:
    said = refused(written(text))
    assert "text.md:1: a text begins with a head" in said and "section: community_views" in said


def test_facts_that_are_unknown_unused_or_told_wrongly(written) -> None:
    said = refused(written(HEAD + "One.\n\nTwo {{fact:aked}} and {{asked}}\nand {{fact:nothing_like_it}}.\n"))
    for words in (
        "text.md:12: the head declares no fact 'aked'", "did you mean 'asked'?", "text.md:12: not the name of a fact",
        "text.md:13: the head declares no fact 'nothing_like_it'", "add it to 'facts'",
        "text.md:7: the text does not use the fact 'asked'", "text.md:8: the text does not use the fact 'share'",
    ):  # fmt: skip
        assert words in said


def test_two_facts_of_one_id_and_a_text_without_words(written) -> None:
    assert "two facts have the same id: asked" in refused(written(HEAD.replace("id: share", "id: asked") + BODY))
    bare = HEAD.split("facts:")[0] + "---\n"
    assert "a head and no words" in refused(written(bare + "\n\n"))


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "text.md"
    path.write_bytes(b"---\ntitle: caf\xe9\n---\n")
    assert "not UTF-8" in refused(path)


BARE = HEAD.split("facts:")[0] + "---\n"


@pytest.mark.parametrize(
    "words",
    [
        "In March 2025 and on 3 April.", "On 3rd April 2025.", "Since 2021.", "By 2025-06-30.", "In 2024/25.",
        "Over 12 March\n2025.", "## 2.1 Services\n\nText.", "## 3 Services\n\nText.", "1. One\n2. Two", "See `12`.",
        "[a plan](plan-12.md)", "<!-- 12 -->Text.", "Text twelve.",
    ],
)  # fmt: skip
def test_dates_and_numbers_of_headings_are_no_undeclared_numbers(written, words: str) -> None:
    assert numbers(written(BARE + words + "\n")) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("We met 12 people.", "12"), ("It costs £12.50.", "£12.50"), ("Some 4.5% came.", "4.5"), ("Or 1,240.", "1,240"),
        ("Around 2012 people.", "2012"), ("Children aged 12.", "12"), ("## Services for 40 people\n\nText.", "40"),
        ("| a | 7 |", "7"), ("- 7 clubs", "7"), ("> 7 clubs", "7"), ("*7* clubs", "7"),
    ],
)  # fmt: skip
def test_any_other_digit_is(written, words: str, found: str) -> None:
    assert numbers(written(BARE + words + "\n")) == [(BARE.count("\n") + 1, found)]


def test_words_are_held_to_the_rules_on_the_lines_of_the_file(written) -> None:
    text = HEAD.replace("What residents said", "A no-go area") + BODY + "\nIt is\na ghetto.\n"
    found = [(f.line, f.rule, f.excerpt) for f in lint_written(read_text(written(text)))]
    assert found == [(2, "place_label", "no-go area"), (13, "place_label", "ghetto")]


def test_a_fact_is_read_as_the_number_it_is(written) -> None:
    text = HEAD.replace("value: 4.5", "value: 4.52") + BODY
    assert [(f.line, f.rule) for f in lint_written(read_text(written(text)))] == [(10, "false_precision")]


def test_words_that_are_kept_stay_and_have_a_reason(written) -> None:
    kept = BARE.replace("---\n", "", 1).replace(
        "---\n",
        'kept:\n  - words: "no-go area"\n    because: her own words\n  - {words: aged 16, because: a law}\n---\n',
    )
    body = 'She called it a "no-go area". Those aged 16 vote. The other is a no-go zone for 12.\n'
    found = [(f.rule, f.excerpt) for f in lint_written(read_text(written("---\n" + kept + body)))]
    assert found == [("place_label", "no-go zone"), ("undeclared_number", "12")]
    said = refused(written("---\n" + kept + "Nothing of it, nor of {{fact:none}}.\n"))
    assert "the head declares no fact 'none'" in said
    assert "text.md:7: the text does not hold the kept words 'no-go area'" in said
    assert "text.md:9: the text does not hold the kept words 'aged 16'" in said
