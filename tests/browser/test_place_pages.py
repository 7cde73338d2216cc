"""Pages of a place and of a partner in a real browser: no barrier on any width, a summary that is one printed page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from narrative.assessment_tables import FIRST, assessment
from riskmodel.narrative.assessment import build_partner_page, build_place_page

pytestmark = pytest.mark.browser
A4_WIDTH, A4_HEIGHT = 703, 1031
"""A sheet inside margins of 12 mm, at 96 dots an inch."""


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    held, folder = assessment(), tmp_path_factory.mktemp("pages")
    pages = {"place": build_place_page(held, "lad24", FIRST), "partner": build_partner_page(held, "council")}
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8", newline="\n")
    return {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", ["place", "partner"])
def test_it_has_no_barrier_fits_and_asks_for_nothing(
    open_page: Any, paths: dict[str, Path], name: str, width: int
) -> None:
    seen = open_page(paths[name], width=width)
    assert (seen.violations(), seen.wide(), seen.errors, seen.asked_for()) == ([], [], [], [])
    assert seen.overflow() <= 0


@pytest.mark.parametrize("name", ["place", "partner"])
def test_the_summary_is_one_printed_page_of_its_own(open_page: Any, paths: dict[str, Path], name: str) -> None:
    seen = open_page(paths[name], width=A4_WIDTH)
    seen.page.emulate_media(media="print")
    summary = seen.page.locator("section.alone")
    assert summary.count() == 1
    assert summary.evaluate("e => e.getBoundingClientRect().bottom + scrollY") < A4_HEIGHT
    assert summary.evaluate("e => getComputedStyle(e).breakAfter") == "page"
