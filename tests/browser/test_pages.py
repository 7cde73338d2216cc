"""The pages in a real browser: they paint, ask nothing of the network, and fit a narrow screen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.explore_page import write_explore_page
from riskmodel.workflow import read_definitions
from riskmodel.workflow.exploring import explore

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--allow-file-access-from-files",
    "--virtual-time-budget=10000",
]
# The page itself may run no script, so another page holds it in a frame and looks at it from outside.
WATCHER = """<!doctype html><html><body><iframe id="page" src="page.html" width="WIDTH" height="900"></iframe>
<pre id="seen"></pre><script>
document.getElementById("page").addEventListener("load", (event) => {
  const page = event.target.contentDocument, root = page.documentElement;
  const areas = [...page.querySelectorAll("svg path")].filter((p) => p.getBoundingClientRect().width > 0);
  const wide = [...page.querySelectorAll("body *")].filter((e) => {
    const right = e.getBoundingClientRect().right;
    return right > root.clientWidth + 1 && !e.closest("svg") && !e.closest("table") && !e.closest("details");
  });
  document.getElementById("seen").textContent = JSON.stringify({
    heading: page.querySelector("h1").textContent, painted: areas.length, scripts: page.scripts.length,
    requests: [
      ...event.target.contentWindow.performance.getEntriesByType("resource").map((r) => r.name),
      ...[...page.querySelectorAll("[src], [srcset], link[href], object[data], use")].map((e) => e.tagName),
    ],
    overflow: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)),
    draft: page.body.innerText.includes("Draft: not approved for use"),
  });
});
</script></body></html>"""


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.fail(f"no browser on this machine; looked for {', '.join(NAMES)}")
    return found


@pytest.fixture(scope="module")
def page(small_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    definitions = read_definitions(Workspace(small_workspace), "small")
    found = explore(definitions, "society/income_deprivation", data=small_workspace / "build" / "synthetic")
    path = tmp_path_factory.mktemp("pages") / "page.html"
    write_explore_page(found, path)
    return path


def seen_in(browser: str, page: Path, width: int) -> dict[str, Any]:
    watcher = page.with_name(f"watch{width}.html")
    watcher.write_text(WATCHER.replace("WIDTH", str(width)), encoding="utf-8")
    profile = page.with_name(f"profile{width}")
    command = [browser, *QUIET, f"--user-data-dir={profile}", "--window-size=1400,1000", "--dump-dom", watcher.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    match = re.search(r'<pre id="seen">(.+?)</pre>', done.stdout, flags=re.DOTALL)
    assert match is not None, f"the browser saw no page: {done.stdout[-500:]} {done.stderr[-500:]}"
    found: dict[str, Any] = json.loads(unescape(match[1]))
    return found


@pytest.mark.parametrize("width", [320, 1200])
def test_the_page_of_a_factor_paints_asks_for_nothing_and_fits(browser: str, page: Path, width: int) -> None:
    seen = seen_in(browser, page, width)
    assert seen["heading"].startswith("Income deprivation")
    assert seen["painted"] >= 40, "every area of the region is drawn"
    assert seen["requests"] == []
    assert seen["scripts"] == 0
    assert seen["draft"]
    assert seen["wide"] == []
    assert seen["overflow"] <= 0


def test_the_watcher_sees_a_request_and_an_overflow(browser: str, page: Path, tmp_path: Path) -> None:
    """The same eyes on a page that does what ours may not."""
    wide = '<div style="width: 900px">wide</div><img src="picture.png" alt="">'
    (tmp_path / "page.html").write_text(f"<!doctype html><h1>Other</h1>{wide}", encoding="utf-8")
    seen = seen_in(browser, tmp_path / "page.html", 320)
    assert seen["requests"] != []
    assert seen["overflow"] > 0
    assert not seen["draft"]
