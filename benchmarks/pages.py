"""How heavy are the pages of 1,500 areas, and how soon do their tables work in a browser?

Run: ``python benchmarks/pages.py``; a minute. It needs what tests need, and a Chromium. All numbers are made up;
each is a fact, as on the pages of a run.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
AREAS, DISTRICTS, REPEATS = 1_500, 8, 5
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# A table that the search is tried in, folded or not, and what is typed.
TABLES = {"forecast": ("lsoa21-periods", "E01001499"), "model": ("ledger-table", "E01001499"),
          "fairness": ("audit-table", "zzzz")}  # fmt: skip
WORKS = """([name, words]) => {
  const field = document.getElementById(`${name}-search`);
  field.value = words;
  field.dispatchEvent(new Event("input"));
  return field.closest(".data").querySelector("[role=status]").textContent;
}"""
LOADED = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"


@dataclass(frozen=True)
class Opened:
    """One page: its weight, and the seconds until it is loaded and until a search in a table is answered."""

    name: str
    megabytes: float
    loaded: float
    works: float
    slowest: float
    elements: int


def build(folder: Path) -> dict[str, Path]:
    """The three long pages of an invented region."""
    from narrative import (
        fairness_tables,
        model_tables,
        outlook_tables,
        test_fairness_page,
        test_forecast_page,
        test_model_page,
    )
    from riskmodel.narrative.facts import FactBook

    outlook = outlook_tables.invented(AREAS, districts=DISTRICTS, draws=40)
    modelled = model_tables.modelled(AREAS)
    audited = fairness_tables.invented(models=9, crossed=5, more=True, areas=AREAS)
    book = FactBook(outlook.tables, "run", withheld=outlook.suppressed)
    texts = {
        "forecast": test_forecast_page.page_of(outlook, book=book, headline=""),
        "model": test_model_page.page_of(modelled, book=FactBook(modelled.tables, "run")),
        "fairness": test_fairness_page.page_of(audited, book=FactBook(audited.tables, "run")),
    }
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8", newline="\n")
    return {name: folder / f"{name}.html" for name in texts}


def run(repeats: int = REPEATS) -> list[Opened]:
    """Each page opened several times, each in a browser window of its own."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit(f"no browser on this machine; looked for {', '.join(NAMES)}")
    found = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pages = build(Path(folder))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, file in pages.items():
            loads, answers, elements = [], [], 0
            for _ in range(repeats):
                context = browser.new_context(viewport={"width": 1280, "height": 900})
                page = context.new_page()
                began = time.perf_counter()
                page.goto(file.as_uri())
                page.evaluate(WORKS, TABLES[name])
                answers.append(time.perf_counter() - began)
                loads.append(page.evaluate(LOADED) / 1000)
                elements = page.evaluate("document.querySelectorAll('*').length")
                context.close()
            weight = file.stat().st_size / 1e6
            found.append(
                Opened(name, weight, statistics.median(loads), statistics.median(answers), max(answers), elements)
            )
        browser.close()
    return found


def report(found: list[Opened]) -> str:
    """The table, and whether each page keeps to what was promised."""
    lines = [
        "| page | MB | loaded, s | a search is answered, s | the slowest, s | elements | under 3 MB | under 2 s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.name}.html` | {f.megabytes:.2f} | {f.loaded:.2f} | {f.works:.2f} | {f.slowest:.2f} | {f.elements:,} "
        f"| {'met' if f.megabytes < 3 else 'not met'} | {'met' if f.slowest < 2 else 'not met'} |"
        for f in found
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{report(run())}\n")
