"""Pages of partners: the few stable conditions each can act on, or none established."""

from __future__ import annotations

from pathlib import Path

import pytest

from narrative.assessment.test_places import words
from narrative.assessment_tables import FIRST, SECOND, TITLES, UNSURE, assessment
from narrative.page_reader import Reader
from riskmodel.contracts.tables import TableError
from riskmodel.narrative.assessment import Assessment, build_partner_page, write_partners
from riskmodel.narrative.assessment.partner import LEVERS
from riskmodel.narrative.language import lint_html


@pytest.fixture(scope="module")
def held() -> Assessment:
    return assessment()


# By the catalogue and the stability of the invented tables.
NAMED = {
    "council": {"Ties between neighbours", "Hardship of households", "Homes over shops"},
    "community": {"Ties between neighbours"},
    "housing": {"Hardship of households"},
    "education": {"Hardship of households"},
    "health": set(),
    "youth_justice": set(),
    "police": set(),
}


@pytest.mark.parametrize("lever", LEVERS)
def test_each_partner_has_the_stable_conditions_it_can_act_on(held: Assessment, lever: str) -> None:
    page = words(build_partner_page(held, lever))
    found = page[page.index("Conditions that are sure enough to name") :]
    headed = {title for title in TITLES.values() if f"{title} " in found or f"{title}," in found}
    assert headed == NAMED[lever]
    assert TITLES[UNSURE] not in page
    assert ("None established" in page) == (not NAMED[lever])


def test_where_lists_districts_by_name_with_their_intervals(held: Assessment) -> None:
    page = build_partner_page(held, "community")
    table = Reader(page.replace("<body>", '<body><script type="application/json">[]</script>', 1)).tables["where-1"]
    assert [row[0] for row in table] == ["Ashford Vale", "Bramley"]
    held_rows = held.book.tables["ledger"].query("unit == 'community/ties' and level == 'lad24'").set_index("location")
    for row, code in zip(table, (FIRST, SECOND), strict=True):
        own = held_rows.loc[code]
        assert row[1] == f"\N{MULTIPLICATION SIGN} {own['multiplier']:.2f}"
        assert row[2] == f"{own['low']:.2f} to {own['high']:.2f}"
        assert row[3] == f"{own['ledger']} recorded violence"
    shops = Reader(
        build_partner_page(held, "council").replace("<body>", '<body><script type="application/json">[]</script>', 1)
    ).tables["where-3"]
    assert {row[3] for row in shops} == {"about as in the average place"}


def test_gaps_are_those_that_name_the_partner(held: Assessment) -> None:
    assert "Places in youth clubs" in words(build_partner_page(held, "community"))
    assert "Exclusions from school" not in words(build_partner_page(held, "community"))
    assert "Exclusions from school" in words(build_partner_page(held, "education"))
    assert "No gap that is listed names this partner" in words(build_partner_page(held, "police"))


def test_the_linter_finds_nothing_and_files_are_written(held: Assessment, tmp_path: Path) -> None:
    written = write_partners(held, tmp_path)
    assert [path.stem for path in written] == list(LEVERS)
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert lint_html(text, names=frozenset(held.book.tables["places"]["name"])) == []
        assert 'href="../index.html"' in text and "<script" not in text


def test_an_unknown_partner_is_refused(held: Assessment) -> None:
    with pytest.raises(TableError, match="no such partner"):
        build_partner_page(held, "army")
