"""What a reader meets: in pages all that is shown or said, in Markdown the prose; findings are those of the words."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrative.language.corpus import BAD, GOOD
from riskmodel.narrative.language import (
    Context,
    html_passages,
    lint_html,
    lint_markdown,
    lint_passages,
    lint_text,
    markdown_passages,
)

BOTH = [s.text for s in (*BAD, *GOOD) if not s.names]
GENERATED = Context(generated=True)


def said(findings: list) -> list[tuple[str, str]]:
    return [(f.rule, f.excerpt) for f in findings]


@given(st.lists(st.sampled_from(BOTH), min_size=1, max_size=5))
def test_a_page_says_what_its_words_say(sentences: list[str]) -> None:
    page = "<main>" + "".join(f"<p>{escape(s)}</p>" for s in sentences) + "</main>"
    assert said(lint_html(page)) == [f for s in sentences for f in said(lint_text(s, context=GENERATED))]


@given(st.lists(st.sampled_from(BOTH), min_size=1, max_size=5))
def test_markdown_says_what_its_words_say(sentences: list[str]) -> None:
    text = "\n\n".join(sentences)
    passages = markdown_passages(text)
    assert [text[p.start : p.start + len(p.text)] for p in passages] == [p.text for p in passages]
    assert said(lint_passages(passages)) == [f for s in sentences for f in said(lint_text(s))]


@pytest.mark.parametrize(
    "page",
    [
        "<p>A no-go area</p>", "<p>A <b>no-go</b> <i>area</i></p>", "<p>A no-go\n   area</p>", "<td>no-go area</td>",
        "<caption>No-go area</caption>", "<title>No-go area</title>", '<svg aria-label="no-go area"></svg>',
        '<svg><title>no-go area</title></svg>', '<img alt="no-go area">', '<p title="no-go area">x</p>',
        '<script type="application/json">{"rows": [[1, "no-go area"]]}</script>', "<option>no-go area</option>",
        '<input placeholder="no-go area">', '<meta name="description" content="no-go area">', "<p>no&#45;go area</p>",
        "<details hidden><summary>no-go area</summary></details>", "<figcaption>no-go area</figcaption>",
        "<li>no-go area", "no-go area",
    ],
)  # fmt: skip
def test_whatever_is_shown_or_said_is_read(page: str) -> None:
    assert said(lint_html(page)) == [("place_label", said(lint_html(page))[0][1])]


@pytest.mark.parametrize(
    "page",
    [
        "<style>.no-go area {}</style>", "<script>let a = 'no-go area'</script>", "<!-- no-go area -->",
        '<p class="no-go area">x</p>', "<td>no-go</td><td>area</td>", "<p>no-go</p><p>area</p>", "<li>no-go<li>area",
        '<script type="application/json">["no-go", "area"]</script>', '<a href="no-go area">x</a>',
    ],
)  # fmt: skip
def test_what_nobody_reads_or_what_stands_apart_is_not(page: str) -> None:
    assert lint_html(page) == []


def test_a_finding_on_a_page_has_the_line_of_its_words() -> None:
    page = '<html>\n<body>\n<p>\n  Well.\n  A no-go area.\n</p>\n<svg\n aria-label="A ghetto"></svg></body></html>'
    assert [(f.line, f.excerpt) for f in lint_html(page)] == [(5, "no-go area"), (7, "ghetto")]


def test_headings_and_kinds() -> None:
    page = "<h2>One</h2><p>a</p><ul><li>b</li></ul><h3>Two</h3><table><tr><td>c</td></tr></table>"
    assert [(p.kind, p.text, p.heading) for p in html_passages(page)] == [
        ("heading", "One", ""), ("prose", "a", "One"), ("item", "b", "One"),
        ("heading", "Two", ""), ("cell", "c", "Two"),
    ]  # fmt: skip
    same = "## One\n\na\n\n- b\n\n### Two\n\n| c |\n|---|\n"
    assert [(p.kind, p.text.strip(), p.heading) for p in markdown_passages(same)] == [
        (p.kind, p.text, p.heading) for p in html_passages(page)
    ]


def test_what_a_person_wrote_on_a_page_is_held_to_the_rules_for_people() -> None:
    page = (
        "<main><p>We will meet.</p><section data-written><h2>a</h2><p>We will meet.<br>A <b>ghetto</b>.</p></section>"
    )
    assert said(lint_html(page + "<p>They will meet.</p></main>")) == [
        ("certainty", "will"), ("place_label", "ghetto"), ("certainty", "will"),
    ]  # fmt: skip


def test_rows_of_a_script_need_not_be_words() -> None:
    rows = json.dumps({"rows": [[None, 1.5, True, "a ghetto"]], "n": 3})
    assert [f.excerpt for f in lint_html(f'<script type="application/json">{rows}</script>')] == ["ghetto"]


def test_markdown_code_links_and_comments_are_no_prose(tmp_path: Path) -> None:
    path = tmp_path / "text.md"
    path.write_text(
        "# A *no-go* area\n\nSee `no-go area`, [this](no-go-area.md) and <!-- a ghetto\nor two -->\n\n```\nno-go area\n"
        "```\n\n1. One\n2. A no-go\n   area\n\n> A ghetto\n\n| a | slum |\n| --- | --- |\n",
        encoding="utf-8",
    )
    found = lint_markdown(path)
    assert [(f.line, f.excerpt) for f in found] == [
        (1, "no-go area"),
        (11, "no-go area"),
        (14, "ghetto"),
        (16, "slum"),
    ]


def test_a_list_or_heading_that_denies_reaches_its_entries() -> None:
    entries = "- pursuing people\n- league tables\n"
    assert said(lint_passages(markdown_passages(entries))) == [
        ("enforcement", "pursuing people"), ("rank_alone", "league tables"),
    ]  # fmt: skip
    assert lint_passages(markdown_passages(f"It must not be used for:\n\n{entries}")) == []
    assert lint_passages(markdown_passages(f"## What it is not for\n\n{entries}")) == []
    assert lint_passages(markdown_passages("It must not be used for:\n\n- a ghetto\n")) != []
    assert lint_passages(markdown_passages("## Words not used\n\n| BAME | the group |\n")) == []
    assert lint_passages(markdown_passages(f"It must not be used for:\n\n- x\n\nWe like:\n\n{entries}")) != []
