"""The fairness page in a real browser: read by all, on any width and on paper, its form on a sheet of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from narrative.fairness_tables import RUN, Invented, decided, decision, invented
from narrative.test_fairness_page import page_of
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.fairness_words import VERDICTS

pytestmark = pytest.mark.browser

UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"
# An A4 sheet less margins of 12 mm, at 96 pixels an inch.
SHEET = (703, 1032)


@pytest.fixture(scope="module")
def made() -> Invented:
    return invented()


@pytest.fixture(scope="module")
def path(made: Invented, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fairness") / "fairness.html"
    book = FactBook(made.tables, RUN)
    text = page_of(made, decisions=[decided(decision(), "the audit is not the one that was decided on")], book=book)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_it_fits_every_width_and_asks_for_nothing(open_page: Any, path: Path, width: int) -> None:
    seen = open_page(path, width=width)
    seen.page.evaluate(UNFOLD)
    assert (seen.asked_for(), seen.errors, seen.wide()) == ([], [], [])
    assert seen.overflow() <= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_it_has_no_barrier_folded_or_not(open_page: Any, path: Path, width: int) -> None:
    seen = open_page(path, width=width)
    if width == 1280:
        seen.page.evaluate(UNFOLD)
    assert seen.violations() == []


def test_what_is_asked_and_what_cannot_be_judged_is_on_the_first_screens(open_page: Any, path: Path) -> None:
    page = open_page(path).page
    places = [page.locator(".lede"), page.locator(".answer .lead")]
    assert [p.inner_text()[:30] for p in places] == ["A forecast of totals alone can", "You are asked whether this for"]
    assert all(p.bounding_box()["y"] < 1200 for p in places)


def test_a_reader_with_a_keyboard_unfolds_and_filters(open_page: Any, path: Path) -> None:
    page = open_page(path).page
    rows = page.locator("#findings-table tbody tr")
    assert not page.locator("#findings-table").is_visible()
    page.locator("details:has(#findings-table) > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#findings-table").is_visible()
    whole = rows.count()
    page.locator("#findings-table-filter-3").select_option(VERDICTS["not_visible"])
    assert 0 < rows.count() < whole
    assert page.locator("#findings-table tbody tr td:nth-child(4)").all_inner_texts() == (
        [VERDICTS["not_visible"]] * rows.count()
    )
    page.locator("#findings-table thead button").nth(4).focus()
    page.keyboard.press("Enter")
    assert page.locator("#findings-table th[aria-sort=ascending]").inner_text().startswith("Forecast less recorded")


def test_it_prints_whole_and_the_form_has_a_sheet_of_its_own(open_page: Any, path: Path) -> None:
    page = open_page(path, width=SHEET[0]).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    form = page.locator("section.form")
    assert form.evaluate("e => getComputedStyle(e).breakBefore") == "page"
    assert form.bounding_box()["height"] + page.locator("footer").bounding_box()["height"] < SHEET[1]
    # A table wider than the sheet would shrink all print.
    right = "[...document.querySelectorAll('table')].map((t) => t.getBoundingClientRect().right)"
    assert max(page.evaluate(right)) <= SHEET[0]
    assert page.locator(".form .screen").first.is_visible() is False
    assert f"riskmodel decide {RUN} --form FILE" in form.inner_text()
    # Words stand in place of buttons, which are not repeated over the pages of a long table.
    head = page.locator("#seen-table thead th").first
    assert head.evaluate("e => getComputedStyle(e, '::before').content") == '"Group"'
    assert head.locator("button").is_visible() is False
    assert "/Type /Page" in page.pdf(format="A4").decode("latin-1")


def test_without_scripts_it_reads_on(open_page: Any, path: Path) -> None:
    page = open_page(path, scripts=False).page
    assert page.locator("h1").inner_text().startswith("Fairness audit")
    page.locator("details:has(#findings-table) > summary").click()
    assert page.locator("#findings-table tbody tr").count() > 30
    assert page.locator(".ticks li").count() == 4
