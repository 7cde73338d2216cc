"""The pages of one bundle as three people walk them: a planner, an analyst, a member of an ethics committee."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from riskmodel.narrative.bundle import DRAFT

if TYPE_CHECKING:
    from conftest import SmallRun

pytestmark = pytest.mark.browser

# An A4 sheet less margins of 12 mm, at 96 pixels an inch.
SHEET = {"width": 703, "height": 1032}
FOCUS = "() => document.activeElement.textContent.trim()"


def column_of(page: Any, table: str, position: int) -> list[str]:
    return [words.strip() for words in page.locator(f"#{table} tbody tr > :nth-child({position})").all_inner_texts()]


def press_link(page: Any, scope: str, words: str) -> None:
    """A link followed with the keyboard."""
    page.locator(scope).get_by_role("link", name=words, exact=True).focus()
    page.keyboard.press("Enter")


def printed(page: Any) -> int:
    """The page laid out for a sheet of A4; how many sheets it takes."""
    page.set_viewport_size(SHEET)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))


def told(page: Any) -> dict[str, str]:
    """What the open panel says."""
    panel = page.get_by_role("dialog")
    terms, words = panel.locator("dt").all_inner_texts(), panel.locator("dd").all_inner_texts()
    return dict(zip(terms, words, strict=True))


def cell(bundle: Path, file: str, row: int, column: str) -> float:
    """What a person finds who opens the file and goes to the row and column."""
    if file.endswith(".parquet"):
        return float(pd.read_parquet(bundle / file)[column].iloc[row - 1])
    with (bundle / file).open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    return float(rows[row - 1][rows[0].index(column)])


def whole(words: str) -> int:
    return int(re.match(r"[\d,]+", words)[0].replace(",", ""))


def test_a_planner_finds_an_area_and_prints_a_place(open_page: Any, small_run: SmallRun) -> None:
    seen = open_page(small_run.out / "index.html")
    page = seen.page
    press_link(page, "nav[aria-label=Pages]", "Forecast")
    page.wait_for_url("**/forecast.html")
    name, district = column_of(page, "lsoa21-periods", 1)[3], column_of(page, "lsoa21-periods", 3)[3]
    box = page.locator(".data:has(#lsoa21-periods)")
    box.get_by_label("Search by name or code").press_sequentially(name)
    assert column_of(page, "lsoa21-periods", 1) == [name]
    box.get_by_label("Search by name or code").fill("")
    box.locator("thead button", has_text="Expected").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    box.get_by_label("District").select_option(district)
    assert set(column_of(page, "lsoa21-periods", 3)) == {district}
    shown = [float(words.replace(",", "")) for words in column_of(page, "lsoa21-periods", 5)]
    assert len(shown) > 1 and shown == sorted(shown, reverse=True)
    assert "sorted by Expected, descending" in box.get_by_role("status").inner_text()
    press_link(page, "nav[aria-label=Pages]", "Assessment")
    press_link(page, ".contents", "Places and partners")
    assert page.url.endswith("#places-and-partners")
    press_link(page, "section[aria-labelledby=places-and-partners]", district)
    page.wait_for_url("**/places/*.html")
    assert district in page.locator("h1").inner_text()
    assert printed(page) > 1
    summary = page.locator("section.alone")
    assert summary.evaluate("e => e.getBoundingClientRect().bottom + scrollY") < SHEET["height"]
    assert summary.evaluate("e => getComputedStyle(e).breakAfter") == "page"
    state = page.locator(".draft").first
    assert state.inner_text().startswith(DRAFT) and state.bounding_box()["y"] < summary.bounding_box()["y"]
    assert seen.errors == [] and all(url.startswith("file://") for url in seen.requests)


@pytest.mark.parametrize("name", ["index", "model", "forecast"])
def test_an_analyst_follows_a_number_to_its_cell_with_the_mouse(open_page: Any, small_run: SmallRun, name: str) -> None:
    page = open_page(small_run.out / f"{name}.html").page
    followed = 0
    for number in page.locator("main data[data-fact]:visible").all()[:30:2]:
        number.click()
        said = told(page)
        assert said["Number"] == number.inner_text() and said["Run"] and "riskmodel verify" in said["To check it"]
        if "Table" in said and said.get("Column"):
            column = said["Column"].partition(":")[0]
            found = cell(small_run.out, said["Table"], whole(said["Row"]), column)
            assert math.isclose(found, float(number.get_attribute("value")), rel_tol=1e-8), said
            followed += 1
        page.get_by_role("button", name="Close").click()
    assert followed > 3


def test_an_analyst_follows_a_number_with_the_keyboard_alone(open_page: Any, small_run: SmallRun) -> None:
    seen = open_page(small_run.out / "index.html")
    page = seen.page
    before = page.locator("main [tabindex='0']").count()
    page.get_by_role("button", name="Show where numbers are from").focus()
    page.keyboard.press("Enter")
    assert "press Enter" in page.locator(".follow [role=status]").inner_text()
    press_link(page, ".contents", "What was recorded")
    number = "section[aria-labelledby=recorded] data[role=button]"
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("number => document.activeElement.matches(number)", number):
            break
    words = page.evaluate(FOCUS)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert told(page)["Number"] == words and page.evaluate(FOCUS) == "Where this number is from"
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Close"
    page.keyboard.press("Escape")
    assert page.locator("dialog").is_visible() is False and page.evaluate(FOCUS) == words
    # Rows that the script puts in are numbers like all others, and all is as before once the switch is turned back.
    box = page.locator(".data:has(#sna-years)")
    box.get_by_role("button", name="Next rows").click()
    waiting = page.locator("#sna-years tbody data[role=button]").last
    waiting.focus()
    page.keyboard.press("Space")
    assert told(page)["Number"] == waiting.inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show where numbers are from").click()
    assert page.locator("main [tabindex='0']").count() == before
    assert seen.errors == [] and seen.asked_for() == []


def test_an_ethics_reviewer_reads_filters_and_prints_the_form(open_page: Any, small_run: SmallRun) -> None:
    seen = open_page(small_run.out / "index.html")
    page = seen.page
    press_link(page, "nav[aria-label=Pages]", "Fairness audit")
    page.wait_for_url("**/fairness.html")
    lead = page.locator(".answer .lead")
    assert page.locator(".lede").inner_text() and lead.inner_text()
    assert lead.bounding_box()["y"] < 1200
    folded = page.locator("details:has(#findings-table)")
    folded.locator("> summary").focus()
    page.keyboard.press("Enter")
    rows, whole_table = page.locator("#findings-table tbody tr"), page.locator("#findings-table tbody tr").count()
    choice = folded.locator(".controls select").first
    wanted = choice.locator("option").nth(1).inner_text()
    choice.focus()
    page.keyboard.press("ArrowDown")
    assert 0 < rows.count() < whole_table
    column = int(choice.get_attribute("id").rpartition("-")[2]) + 1
    assert set(column_of(page, "findings-table", column)) == {wanted}
    press_link(page, ".contents", "Decision form")
    assert page.url.endswith("#decision")
    form = page.locator("section.form")
    assert abs(form.locator("h2").bounding_box()["y"]) < 200
    assert printed(page) > 3
    assert form.evaluate("e => getComputedStyle(e).breakBefore") == "page"
    ticks = form.locator(".ticks li")
    assert ticks.count() >= 3 and all(tick.is_visible() for tick in ticks.all())
    drawn = "e => { const box = getComputedStyle(e, '::before'); return [box.width, box.borderTopStyle]; }"
    assert all(tick.evaluate(drawn)[1] == "solid" for tick in ticks.all())
    assert form.locator(".write").first.is_visible()
    assert seen.errors == [] and all(url.startswith("file://") for url in seen.requests)
