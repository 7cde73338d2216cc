"""A real browser for every page: it opens files, notes what they ask for and complain of, and reads them with axe."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The success criteria a public body must meet, and what axe holds to be good practice beside them.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What reaches over the right edge and neither scrolls in a region of its own nor is a picture's part.
WIDE = """() => {
  const root = document.documentElement;
  return [...document.querySelectorAll("body *")]
    .filter((e) => e.checkVisibility() && !e.closest("svg, .scroll, .unseen, template")
      && e.getBoundingClientRect().right > root.clientWidth + 1)
    .map((e) => e.outerHTML.slice(0, 120));
}"""


@dataclass
class Opened:
    """A page in the browser, and what it did while it was opened and used."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def asked_for(self) -> list[str]:
        """Every request but that for the page itself."""
        return [url for url in self.requests if url.partition("#")[0] != self.page.url.partition("#")[0]]

    def violations(self, within: str | None = None) -> list[str]:
        """What axe finds against WCAG 2.2 AA, each with the place it was found at."""
        only = {"runOnly": {"type": "tag", "values": WCAG}}
        found = Axe().run(self.page, context=within, options=only).response["violations"]
        return [f"{v['id']}: {v['help']}: {v['nodes'][0]['target']} {v['nodes'][0]['html'][:160]}" for v in found]

    def overflow(self) -> int:
        """By how much the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def wide(self) -> list[str]:
        """The elements that reach over the right edge."""
        seen: list[str] = self.page.evaluate(WIDE)
        return seen


Open = Callable[..., Opened]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser of this machine; nothing is downloaded."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(f"no browser on this machine; looked for {', '.join(NAMES)}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a file in a window of a given width and zoom, without scripts if asked."""
    contexts: list[Any] = []

    def opened(path: Path, *, width: int = 1280, scripts: bool = True, zoom: float = 1) -> Opened:
        # A zoomed window is one of fewer and larger pixels.
        context = browser.new_context(
            viewport={"width": int(width / zoom), "height": int(900 / zoom)}, device_scale_factor=zoom,
            java_script_enabled=scripts,
        )  # fmt: skip
        contexts.append(context)
        seen = Opened(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on(
            "console", lambda said: seen.errors.append(said.text) if said.type in ("error", "warning") else None
        )
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("dialog", lambda dialog: (seen.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        seen.page.goto(path.as_uri())
        return seen

    yield opened
    for context in contexts:
        context.close()
