"""Every page of one bundle, as a run leaves it: no barrier, no request, no overflow, no link that leads nowhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from conftest import SmallRun

pytestmark = pytest.mark.browser

KINDS = ("index.html", "forecast.html", "model.html", "fairness.html", "places/*.html", "partners/*.html")
UNFOLD = "document.querySelectorAll('details').forEach((folded) => { folded.open = true; })"
LEVELS = "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((h) => Number(h.tagName[1]))"
SOURCELESS = """() => typeof sourceOf === "undefined" ? [] :
  [...document.querySelectorAll("main [data-fact]")].map((e) => e.dataset.fact).filter((fact) => !sourceOf(fact))"""


class Anchors(HTMLParser):
    """What a page can be linked to, and what it links to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.names.add(held.get("id") or "")
        if tag == "a":
            self.links.append(held["href"] or "")


def pages_of(bundle: Path, kind: str = "**/*.html") -> list[Path]:
    found = sorted(bundle.glob(kind))
    assert found, f"the bundle has no {kind}"
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_has_no_barrier_and_asks_for_nothing(open_page: Any, small_run: SmallRun, kind: str) -> None:
    """Unfolded, for then a page shows all that it has; folded, each kind is read by a test of its own."""
    for path in pages_of(small_run.out, kind):
        seen = open_page(path)
        seen.page.evaluate(UNFOLD)
        assert (seen.violations(), seen.errors, seen.asked_for()) == ([], [], []), path
        levels = seen.page.evaluate(LEVELS)
        assert levels[0] == 1 and levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), path
        assert seen.page.evaluate(SOURCELESS) == [], path


@pytest.mark.parametrize("kind", KINDS)
def test_every_page_fits_every_width_and_two_hundred_per_cent(open_page: Any, small_run: SmallRun, kind: str) -> None:
    for path in pages_of(small_run.out, kind):
        zoomed = open_page(path, width=1280, zoom=2)
        zoomed.page.evaluate(UNFOLD)
        assert zoomed.overflow() <= 0, (path, zoomed.wide())
        for width in (320, 768, 1280):
            zoomed.page.set_viewport_size({"width": width, "height": 900})
            assert zoomed.overflow() <= 0, (path, width, zoomed.wide())


def test_every_link_leads_somewhere(small_run: SmallRun) -> None:
    pages = {path.resolve(): Anchors(path) for path in pages_of(small_run.out)}
    reached = set()
    for path, held in pages.items():
        for link in held.links:
            assert not re.match(r"[a-z]+:", link), (path, link)
            file, _, name = link.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.is_file(), (path, link)
            assert not name or unquote(name) in pages[target].names, (path, link)
            reached.add(target)
    assert reached >= set(pages), "every page is linked from another"


def test_numbers_that_are_stops_of_the_tab_key_are_no_barrier(open_page: Any, small_run: SmallRun) -> None:
    seen = open_page(small_run.out / "index.html")
    seen.page.get_by_role("button", name="Show where numbers are from").click()
    assert seen.page.locator("data[role=button]").count() > 100
    assert seen.violations() == []
    seen.page.locator("data[role=button]").first.click()
    assert seen.page.get_by_role("dialog").is_visible()
    assert seen.violations(within="dialog") == []
    seen.page.set_viewport_size({"width": 320, "height": 500})
    assert seen.overflow() <= 0
