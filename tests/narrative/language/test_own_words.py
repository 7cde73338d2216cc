"""The package's own words are held to its own rules: pages, the sentences they are made of, documents, definitions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from narrative.fairness_tables import invented as audited
from narrative.model_tables import modelled
from narrative.outlook_tables import invented
from narrative.papers.papers_tables import make_papers
from narrative.test_fairness_page import page_of as fairness_page
from narrative.test_forecast_page import page_of as forecast_page
from narrative.test_model_page import page_of as model_page
from riskmodel.contracts.tables import TABLES
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.language import (
    Context,
    Finding,
    Passage,
    classes,
    html_passages,
    lint_html,
    lint_markdown,
    lint_passages,
    lint_text,
    markdown_passages,
    reading_ages,
)
from riskmodel.narrative.language.rules import UNDECLARED
from riskmodel.narrative.papers import papers_of
from riskmodel.workflow.language_checks import SHOWN, language_problems

REPOSITORY = Path(__file__).resolve().parents[3]
NARRATIVE = REPOSITORY / "src" / "riskmodel" / "narrative"
# The rules themselves hold what they look for.
MODULES = sorted(p for p in NARRATIVE.rglob("*.py") if p.parent.name != "language")
MODULES += sorted((NARRATIVE.parent / "fairness").rglob("*.py"))
DOCUMENTS = [REPOSITORY / f"{name}.md" for name in ("README", "GLOSSARY", "CONTRIBUTING", "CHANGELOG")]
DOCUMENTS += sorted((REPOSITORY / "docs").rglob("*.md")) + sorted((REPOSITORY / "fairness").rglob("*.md"))
OURS = Context(generated=True)
PAGES = ["forecast", "model", "fairness"]
# The how-to lists, class by class, what the rules find.
LISTED = REPOSITORY / "docs" / "how-to" / "write-text.md"


def told(findings: list[Finding]) -> list[str]:
    return [f"{f.line}: {f.rule}: {f.excerpt}, in: {f.sentence[:200]}" for f in findings]


def strings_of(module: Path) -> Iterator[str]:
    """Every string of a module that reads as words, those that describe the code left out."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    notes = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in notes]
    yield from (n.value for n in constants if isinstance(n.value, str) and n.value.count(" ") >= 2)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {
        "forecast": forecast_page(invented(120)),
        "model": model_page(modelled()),
        "fairness": fairness_page(audited()),
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_nothing_it_should_not(pages: dict[str, str], name: str) -> None:
    assert told(lint_html(pages[name])) == []


@pytest.mark.parametrize("name", PAGES)
def test_the_sections_of_a_page_have_a_reading_age(pages: dict[str, str], name: str) -> None:
    """No page is harder than a text for adults with long words in it; most of ours are tables and captions."""
    ages = [age for age in reading_ages(html_passages(pages[name])).values() if not age.is_rough]
    assert ages and all(age.years is not None and 9 < age.years < 17 for age in ages)


@pytest.mark.parametrize("module", MODULES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_sentence_that_pages_are_made_of_breaks_a_rule(module: Path) -> None:
    """What begins with a small letter may stand under words that deny it; the pages themselves are linted whole."""
    for text in strings_of(module):
        entry = text[0].islower()
        passage = Passage(text, 1, 0, "What it is not for" if entry else "", "item" if entry else "prose")
        assert told(lint_passages([passage], context=OURS)) == []


def test_the_papers_for_reviewers_say_nothing_they_should_not() -> None:
    for name, text in papers_of(make_papers(REPOSITORY)).items():
        if name.endswith(".md"):
            assert told(lint_passages(markdown_passages(text), context=OURS)) == [], name


def test_templates_say_nothing_they_should_not() -> None:
    for path in sorted((NARRATIVE / "templates").glob("*.html")):
        words = re.sub(r"\{[{%#].*?[}%#]\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert told(lint_html(words)) == [], path.name


def test_the_notes_on_tables_say_nothing_they_should_not() -> None:
    """They reach people in the workbook and in the description beside the tables."""
    for table in TABLES.values():
        for column in table.columns:
            assert told(lint_text(column.description)) == [], (table.name, column.name)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_documents_say_nothing_they_should_not(path: Path) -> None:
    found = lint_markdown(path)
    if path == LISTED:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [f for f in found if not lines[f.line - 1].startswith("| `")]
    assert told(found) == []


def test_the_how_to_lists_every_class_with_words_it_finds_and_words_it_does_not() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \|$", LISTED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = {name: (bad, good) for name, bad, good in rows if name in classes()}
    assert set(listed) == set(classes())
    for name, (bad, good) in listed.items():
        assert name in {f.rule for f in lint_text(bad)}, bad
        assert lint_text(good) == [], good
    assert f"`{UNDECLARED}`" in LISTED.read_text(encoding="utf-8")


def test_the_definitions_and_texts_shipped_say_nothing_they_should_not() -> None:
    number, problems = language_problems(Workspace(REPOSITORY))
    assert [str(p) for p in problems] == []
    assert number > 300 and set(SHOWN) >= {"experiment", "target", "factor", "characteristic", "policy"}


def test_what_a_page_must_not_say_would_be_found_on_it(pages: dict[str, str]) -> None:
    for name, page in pages.items():
        spoilt = page.replace("</main>", "<p>Violence will rise.</p></main>")
        assert [f.rule for f in lint_html(spoilt)] == ["certainty"], name
