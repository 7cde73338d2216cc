"""The forecast page in a real browser: read by all, used by keyboard alone, on any width, asking nothing of anyone."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from narrative.outlook_tables import MODEL, Invented, invented
from riskmodel.narrative.forecast_page import build_forecast_page
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.workbook_text import SourceNote

pytestmark = pytest.mark.browser

HOSTILE = ("<script>alert(1)</script>", '"onmouseover="alert(1)', "<img src=x onerror=alert(1)>", "</script><b>")
UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"
FOCUS = "() => document.activeElement.id || document.activeElement.textContent.trim()"


def write(folder: Path, made: Invented) -> Path:
    path = folder / "forecast.html"
    text = build_forecast_page(
        made.tables,
        title="Exmere",
        question="How much recorded violence should partners plan for?",
        targets=made.targets,
        model_id=MODEL,
        as_of=date(2025, 9, 1),
        run_id="exmere-1a2b",
        headline="Better than counting: by 4.6 %.",
        state="Draft: not approved for use",
        shapes=made.shapes,
        suppressed=made.suppressed,
        sources=[SourceNote("Street-level crime", "police.uk", "OGL v3.0")],
        links=[PageLink("index.html", "Overview"), PageLink("forecast.html", "Forecast", current=True)],
    )
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


@pytest.fixture(scope="module")
def small_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every kind of thing once: two districts, and of the targets the headline and the restricted one."""
    made = invented(24, districts=2)
    made.targets.pop()
    for name in ("outlook", "history"):
        kept = made.tables[name]["target"].isin([t.target for t in made.targets])
        made.tables[name], made.suppressed[name] = made.tables[name][kept], made.suppressed[name][kept]
    return write(tmp_path_factory.mktemp("small"), made)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("forecast"), invented(160))


def box_of(page: Any, table: str) -> Any:
    return page.locator(f".data:has(#{table})")


def column_of(page: Any, table: str, position: int) -> list[str]:
    return [words.strip() for words in page.locator(f"#{table} tbody tr > :nth-child({position})").all_inner_texts()]


@pytest.mark.parametrize("width", [320, 640, 768, 1280])
def test_it_fits_every_width_and_asks_for_nothing(open_page: Any, path: Path, width: int) -> None:
    """640 px is a window of 1280 px at 200 % zoom, 320 px one at 400 %."""
    seen = open_page(path, width=width)
    seen.page.evaluate(UNFOLD)
    assert seen.page.locator("h1").inner_text() == "Expected recorded violence in Exmere"
    assert (seen.asked_for(), seen.errors, seen.wide()) == ([], [], [])
    assert seen.overflow() <= 0


@pytest.mark.parametrize("width", [320, 1280])
def test_it_has_no_barrier_folded_or_not(open_page: Any, small_path: Path, width: int) -> None:
    seen = open_page(small_path, width=width)
    if width == 1280:
        seen.page.evaluate(UNFOLD)
    assert seen.violations() == []


def test_a_table_is_sorted_by_keyboard_alone_and_says_so(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    button = seen.page.locator("#lsoa21-periods thead button", has_text="Expected").first
    button.focus()
    seen.page.keyboard.press("Enter")
    header = seen.page.locator("#lsoa21-periods th[aria-sort=ascending]")
    assert header.count() == 1 and header.inner_text().startswith("Expected")
    seen.page.keyboard.press("Space")
    assert seen.page.locator("#lsoa21-periods th[aria-sort=descending]").count() == 1
    shown = [float(words.replace(",", "")) for words in column_of(seen.page, "lsoa21-periods", 5)]
    assert shown == sorted(shown, reverse=True) and shown[0] > shown[-1]
    status = box_of(seen.page, "lsoa21-periods").get_by_role("status").inner_text()
    assert status == "Rows 1 to 15 of 320, sorted by Expected, descending"


@pytest.mark.parametrize("presses", [1, 2])
def test_what_is_suppressed_comes_last_whichever_way_a_table_is_sorted(
    open_page: Any, path: Path, presses: int
) -> None:
    seen = open_page(path)
    seen.page.locator("#target-1 ~ details > summary").click()
    button = seen.page.locator("#t1-lsoa21-periods thead button", has_text="Expected").first
    for _ in range(presses):
        button.click()
    assert "suppressed" not in column_of(seen.page, "t1-lsoa21-periods", 5)
    box = box_of(seen.page, "t1-lsoa21-periods")
    for _ in range(10):
        box.get_by_role("button", name="Next rows").click()
    assert set(column_of(seen.page, "t1-lsoa21-periods", 5)) == {"suppressed"}


def test_a_change_sorts_by_its_number_minus_signs_included(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    seen.page.locator("#year thead button", has_text="Expected change").click()
    shown = [float(re.match(r"[+\u2212]?\d+", w)[0].replace("\u2212", "-")) for w in column_of(seen.page, "year", 6)]
    assert shown == sorted(shown) and len(shown) == 8


def test_rows_are_searched_filtered_and_paged_and_the_count_is_spoken(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    box = box_of(seen.page, "lsoa21-periods")
    status = box.get_by_role("status")
    assert status.inner_text() == "Rows 1 to 15 of 320"
    first = column_of(seen.page, "lsoa21-periods", 2)
    box.get_by_role("button", name="Next rows").click()
    assert status.inner_text() == "Rows 16 to 30 of 320"
    assert not set(first) & set(column_of(seen.page, "lsoa21-periods", 2)[1:])
    box.get_by_label("Search by name or code").press_sequentially("bramley 002")
    assert set(column_of(seen.page, "lsoa21-periods", 3)) == {"Bramley"}
    assert status.inner_text() == "10 rows of 320"
    box.get_by_label("Period").select_option("April 2025 to March 2026")
    assert status.inner_text() == "5 rows of 320"
    box.get_by_label("District").select_option("Fenton Forest")
    assert status.inner_text() == "No row fits. Change the search or the choice."
    assert column_of(seen.page, "lsoa21-periods", 1) == []
    assert seen.errors == []


def test_a_place_is_chosen_by_typing_and_its_numbers_are_spoken(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    figure = seen.page.locator("figure:has(#map-msoa21-find)")
    field = figure.get_by_label("Choose a place: type its name")
    field.press_sequentially("bramley 003")
    field.press("Enter")
    card = figure.locator("[data-chosen]")
    assert card.get_attribute("role") == "status"
    assert card.inner_text().startswith("Bramley 003") and "Likely range" in card.inner_text()
    assert figure.locator("path.chosen-area").count() == 1
    code = figure.locator("path.chosen-area").get_attribute("data-code")
    assert code in card.inner_text()
    field.fill("nowhere at all")
    field.press("Enter")
    assert card.inner_text() == 'No place here has "nowhere at all" in its name.'
    assert figure.locator("path.chosen-area").count() == 0
    figure.locator("path[data-code]").first.dispatch_event("click")
    assert figure.locator("path.chosen-area").count() == 1


def test_the_keyboard_alone_reaches_a_map_and_goes_on_to_its_table(open_page: Any, path: Path) -> None:
    page = open_page(path).page
    page.locator(".contents a").last.focus()
    reached = []
    while "map-msoa21-find" not in reached and len(reached) < 80:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    page.keyboard.type("bramley 003")
    page.keyboard.press("Enter")
    figure = page.locator("figure:has(#map-msoa21-find)")
    assert figure.get_by_role("status").first.inner_text().startswith("Bramley 003")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('figure').dataset.map") == ""
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_keyboard_goes_straight_to_the_content_and_focus_is_seen(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate(FOCUS) == "Skip to the content"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate(FOCUS) == "content"
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        outline = seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", seen.page.evaluate(FOCUS)


def test_whatever_an_area_is_called_nothing_of_it_runs(open_page: Any, tmp_path: Path) -> None:
    made = invented(60)
    places = made.tables["places"]
    places["name"] = [f"{HOSTILE[n % len(HOSTILE)]} {n}" for n in range(len(places))]
    seen = open_page(write(tmp_path, made))
    for table in ("lsoa21-periods", "msoa21-periods"):
        box_of(seen.page, table).get_by_role("button", name="Next rows").click()
        seen.page.locator(f"#{table} thead button").first.click()
    field = seen.page.locator("#map-msoa21-find")
    field.fill("<img")
    field.press("Enter")
    assert "alert(1)" in seen.page.locator("figure:has(#map-msoa21-find) [data-chosen]").inner_text()
    assert seen.page.evaluate("document.querySelectorAll('[onmouseover], [onerror], img, main b').length") == 0
    assert (seen.asked_for(), seen.errors) == ([], [])


def test_the_policy_stops_a_script_that_is_not_the_pages_own(open_page: Any, path: Path, tmp_path: Path) -> None:
    """The same eyes on a page somebody has added a script and a picture to."""
    text = path.read_text(encoding="utf-8")
    added = "<script>document.title = 'taken over'</script><img src='https://example.org/seen.png' alt=''></main>"
    (tmp_path / "changed.html").write_text(text.replace("</main>", added), encoding="utf-8")
    seen = open_page(tmp_path / "changed.html")
    assert seen.page.title() == "Expected recorded violence in Exmere - Exmere"
    assert len([words for words in seen.errors if "Content Security Policy" in words]) == 2


def test_without_scripts_the_answer_the_pictures_and_the_first_rows_are_there(open_page: Any, path: Path) -> None:
    seen = open_page(path, scripts=False, width=320)
    words = seen.page.locator("main").inner_text()
    assert "records are expected from September 2025 to August 2026" in words
    assert "These are the first 15 of 320 rows" in words
    assert len(column_of(seen.page, "year", 1)) == 8
    assert seen.page.locator("main input:visible, main select:visible, main button:visible").count() == 0
    assert seen.overflow() <= 0


def test_a_print_unfolds_what_is_folded_and_drops_what_paper_cannot_do(open_page: Any, path: Path) -> None:
    seen = open_page(path)
    seen.page.emulate_media(media="print")
    seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert seen.page.locator("details:not([open])").count() == 0
    assert seen.page.locator(".controls:visible, .pages button:visible, nav:visible").count() == 0
    assert seen.page.locator(".draft").first.is_visible()
    seen.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert seen.page.locator("details[open]").count() == 0


def test_1500_areas_open_and_answer_at_once(open_page: Any, tmp_path: Path) -> None:
    seen = open_page(write(tmp_path, invented(1500, districts=8, draws=40)))
    box = box_of(seen.page, "lsoa21-periods")
    box.get_by_label("Search by name or code").fill("E01001499")
    assert box.get_by_role("status").inner_text() == "2 rows of 3,000"
    taken = seen.page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    print(f"loaded in {taken:.0f} ms; {seen.page.evaluate('document.querySelectorAll(`*`).length')} elements")
    assert seen.errors == []
