"""The page on the models in a real browser: read by all, on any width, a place found by typing, asking nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from narrative.model_tables import Modelled, modelled
from narrative.test_model_page import page_of
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.model_words import times_words

pytestmark = pytest.mark.browser

UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"


@pytest.fixture(scope="module")
def made() -> Modelled:
    return modelled(60)


@pytest.fixture(scope="module")
def path(made: Modelled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.html"
    path.write_text(page_of(made, book=FactBook(made.tables, "run")), encoding="utf-8", newline="\n")
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


def test_a_place_is_found_by_typing_and_has_both_ledgers(open_page: Any, path: Path, made: Modelled) -> None:
    ledger = made.tables["ledger"]
    code = ledger.loc[ledger["level"] == "lsoa21", "location"].iloc[-1]
    total = ledger[(ledger["location"] == code) & (ledger["kind"] == "total")].iloc[0]
    seen = open_page(path)
    seen.page.locator("#ledger-find").press_sequentially(f"Lea {code}"[:-1])
    assert seen.page.locator("[data-chosen]").first.inner_text() == ""
    seen.page.locator("#ledger-find").press_sequentially(code[-1])
    seen.page.keyboard.press("Enter")
    said = seen.page.locator("[data-chosen]").first.inner_text()
    assert f"Lea {code}" in said and times_words(total["multiplier"]) in said
    assert "Found with higher recorded violence" in said and "Found with lower recorded violence" in said
    quoted = seen.page.eval_on_selector_all(
        "[data-chosen] data", "all => all.map((found) => [found.dataset.fact, found.textContent])"
    )
    held = {name: words for name, words in quoted if name.endswith(".multiplier+low+high")}
    own = ledger[ledger["location"] == code]
    rows = own[(own["kind"] == "total") | (own["kind"].eq("domain") & own["mark"].ne("do not narrate"))].index
    assert len(rows) > 1
    for row in rows:
        assert held[f"ledger.{row}.multiplier+low+high"].startswith(times_words(ledger.loc[row, "multiplier"]))


def test_without_scripts_it_reads_on(open_page: Any, path: Path) -> None:
    seen = open_page(path, scripts=False)
    assert seen.page.locator("h1").inner_text().startswith("What the models rest on")
    assert not seen.page.locator(".find").first.is_visible()
    assert seen.page.locator("#leaning tbody tr").count() > 0
