"""The README's pictures: each is there, says what it shows, asks for nothing from elsewhere, and can be made again."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from deciding_builders import Stored, audit_rows, new_workspace, store_audited
from riskmodel.contracts.errors import UsageError
from riskmodel.narrative.language import lint_html, lint_text
from riskmodel.workflow.readme_pictures import NAMES, readme_pictures, write_readme_pictures

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
NAMED = re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", README)
SVG = "{http://www.w3.org/2000/svg}"
STATE = "Draft: not approved for use. Lindenshire is an invented region."
GROUPS = ({"group": "most_deprived_fifth"}, {"group": "least_deprived_fifth", "statistic": -0.02})


def test_the_readme_names_every_picture_and_no_other() -> None:
    assert [path for _, path in NAMED] == [f"docs/pictures/{name}" for name in NAMES]
    assert {p.name for p in (REPOSITORY / "docs" / "pictures").iterdir()} == set(NAMES)


@pytest.mark.parametrize(("words", "path"), NAMED, ids=lambda part: Path(part).stem)
def test_a_picture_says_what_it_shows_and_asks_for_nothing(words: str, path: str) -> None:
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    assert len(text.encode()) < 300_000
    root = ET.fromstring(text)
    title, description = (root.findtext(f"{SVG}{name}") for name in ("title", "desc"))
    assert title
    assert description
    assert {root.get("role"), root.get("aria-labelledby")} == {"img", "title words"}
    assert STATE in [element.text for element in root.iter(f"{SVG}text")]
    # Nothing shines through on a dark page.
    first = next(root.iter(f"{SVG}rect"))
    backgrounds = [r for r in root.findall(f"{SVG}rect") if (r.get("width"), r.get("fill")) == ("100%", "#ffffff")]
    assert backgrounds, first.attrib
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)|href|@import|<script|<image|url\((?!#)", text)
    assert lint_html(text) == []
    assert lint_text(" ".join(words.split())) == []
    assert len(words) > 60


@pytest.fixture(scope="module")
def invented(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A stored run that says its region is invented, with an audit of groups of places."""
    rows = audit_rows(*({"characteristic": "deprivation"} | group for group in GROUPS))
    root = new_workspace(tmp_path_factory.mktemp("pictures") / "w")
    return store_audited(small_run.workspace, root, rows, invented=True)


def test_a_run_gives_the_same_pictures_whenever_it_is_asked(invented: Stored) -> None:
    first, second = (readme_pictures(invented.bundle, workspace=invented.root) for _ in range(2))
    assert first == second
    # A run of two months has no map of the next twelve.
    assert list(first) == [name for name in NAMES if name != "map.svg"]
    assert all(STATE in text for text in first.values())
    assert "Most deprived fifth" in first["audit.svg"]


def test_a_picture_is_wide_enough_for_its_title(invented: Stored) -> None:
    for text in readme_pictures(invented.bundle, workspace=invented.root).values():
        root = ET.fromstring(text)
        longest = max(len(str(root.findtext(f"{SVG}title"))), len(STATE))
        assert int(str(root.get("width"))) >= 7 * longest


def test_no_real_place_is_shown(small_run: Any) -> None:
    with pytest.raises(UsageError, match="the README shows no real place"):
        readme_pictures(small_run.out, workspace=small_run.workspace)


def test_what_cannot_be_drawn_is_named_and_nothing_is_written(invented: Stored, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to draw") as caught:
        write_readme_pictures(invented.bundle, tmp_path / "pictures", workspace=invented.root)
    assert "found: map.svg" in str(caught.value)
    assert not (tmp_path / "pictures").exists()
