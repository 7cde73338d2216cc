"""Pages of places: their numbers are the tables', their words follow from them, and nothing else gets onto them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from narrative.assessment_tables import FIRST, LINKS, SECOND, assessment, small
from narrative.outlook_tables import HEADLINE, Invented
from narrative.page_reader import Reader
from riskmodel.contracts.tables import TableError
from riskmodel.narrative.assessment import Assessment, build_assessment_page, build_place_page, write_places
from riskmodel.narrative.assessment.place_rows import page_file, place_of
from riskmodel.narrative.forecast_words import change_words, expected_words
from riskmodel.narrative.language import lint_html

HOSTILE = '<script>alert(1)</script>"onmouseover="x'


@pytest.fixture(scope="module")
def held() -> Assessment:
    return assessment()


def words(page: str) -> str:
    """What a page says, without its pictures."""
    main = re.sub(r"<svg.*?</svg>", "", page[page.index("<main") : page.index("</main>")], flags=re.DOTALL)
    main = re.sub(r"</?data[^>]*>", "", main)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


def row_of(held: Assessment, table: str, **where: object) -> pd.Series:
    frame = held.book.tables[table]
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return frame.iloc[-1]


@pytest.mark.parametrize("level,code", [("lad24", FIRST), ("msoa21", "E02010001"), ("ward24", "E05000000")])
def test_its_numbers_are_those_of_the_tables(held: Assessment, level: str, code: str) -> None:
    page = words(build_place_page(held, level, code))
    of = {"target": HEADLINE, "window": "12_months", "level": level, "location": code}
    ahead, past = row_of(held, "outlook", **of), row_of(held, "history", **of)
    people = row_of(held, "places", level=level, location=code)["population"]
    girls = row_of(held, "place_groups", level=level, location=code, group="female")["people"]
    for number in (ahead["low"], ahead["high"], past["recorded"], people, girls):
        assert re.search(rf"(?<![\d,.]){number:,.0f}(?![\d])", page), number
    assert expected_words(ahead["mean"]) in page
    years = held.book.tables["history"].query(
        "target == @HEADLINE and window == 'financial_year' and level == @level and location == @code"
    )
    for recorded in years["recorded"].dropna():
        assert f"{recorded:,.0f}" in page


def test_every_number_is_a_fact_that_the_book_can_say_again(held: Assessment) -> None:
    page = build_place_page(held, "lad24", FIRST)
    facts = {fact.fact_id: fact for fact in held.book.facts}
    shown = re.findall(r'<(?:data|tspan)(?: (?:data-)?value="([^"]*)")? data-fact="([^"]+)">([^<]*)<', page)
    assert len(shown) > 60
    for value, name, text in shown:
        assert facts[unescape(name)].words == unescape(text)
        assert not value or float(value) == pytest.approx(facts[unescape(name)].value, rel=1e-9)
    sums = row_of(held, "ledger", level="lad24", location=FIRST, unit="society/hardship")
    assert f"\N{MULTIPLICATION SIGN} {sums['multiplier']:.2f}" in words(page)


def test_only_stable_conditions_are_named_and_what_is_left_out_is_counted(held: Assessment) -> None:
    page = words(build_place_page(held, "lad24", FIRST))
    conditions = page[page.index("Conditions of this place") :]
    assert "unsure" not in page.replace("unsure to say", "").lower()
    assert "Left out as too unsure to say: 1 conditions. About as in the average place: homes over shops." in conditions


def test_places_that_differ_read_differently(held: Assessment) -> None:
    one, two = (words(build_place_page(held, "lad24", code)) for code in (FIRST, SECOND))
    assert "Held to protect, and found with lower recorded violence here: ties between neighbours" in one
    assert "As it stands here, found with lower recorded violence: hardship of households, together with" in two
    assert "Ties between neighbours: what does this look like" in one
    assert "does this weigh less on people here" in two
    assert "fewer are aged 0 to 14" in one and "more are aged 0 to 14" in two
    assert "All conditions together are found with higher" in one
    assert "All conditions together cannot be told apart" in two
    assert "Ties between neighbours: 41.3, in similar districts 28.2 to 33.8" in one
    assert "than in any district like this one" in one and "than in any district like this one" not in two


def test_how_a_condition_stands_here_follows_its_direction(held: Assessment) -> None:
    stability = held.book.tables["stability"]
    found = stability[stability["kind"] == "factor"].set_index("unit")["found"]
    seen = set()
    for code in (FIRST, SECOND):
        page = words(build_place_page(held, "lad24", code))
        for c in place_of(held, "lad24", code).conditions:
            expected = {"near": ""}.get(c.side, "above" if found[c.factor] == c.side else "below")
            # One of two conditions named together has no direction of its own here: that of the other is taken.
            assert c.stands == expected
            seen.add(expected)
            if c.side in ("higher", "lower"):
                assert f"({'higher' if expected == 'above' else 'lower'} here; \N{MULTIPLICATION SIGN}" in page
    assert seen == {"", "above", "below"}


def with_counts(before: float, after: float, note: str = "") -> Assessment:
    """The first district's newest two spans of twelve months as given."""
    made = small()
    history = made.tables["history"]
    own = (history["target"] == HEADLINE) & (history["window"] == "12_months") & (history["location"] == FIRST)
    rows = history.index[own & (history["months_held"] == 12)][-2:]
    history.loc[rows, "recorded"] = [before, after]
    history.loc[rows, "note"] = note
    return assessment(made)


@pytest.mark.parametrize(
    "before,after,note,said",
    [
        (400.0, 420.0, "", "no clear change (+5%"),
        (400.0, 600.0, "", "more than counting alone leaves open (+50%"),
        (600.0, 400.0, "", f"fewer than counting alone leaves open ({change_words(-1 / 3)}"),
        (400.0, 600.0, "recording changed: located share", "Recording changed in these months, so this shows no trend"),
        (4.0, 6.0, "", "too few for a change to be told from chance"),
    ],
)
def test_a_change_is_said_only_where_its_range_holds_no_other(
    before: float, after: float, note: str, said: str
) -> None:
    page = words(build_place_page(with_counts(before, after, note), "lad24", FIRST))
    assert said in page
    others = {"no clear change (", "more than counting", "fewer than counting", "shows no trend", "told from chance"}
    past = page[page.index("In the twelve months before") : page.index("Expected From")]
    assert sum(other in past for other in others) == 1


def test_the_change_ahead_follows_its_range(held: Assessment) -> None:
    """Said of every place as its own row says it."""
    said: set[str] = set()
    for level, code in held.places:
        ahead = held.published.outlook.rows.query(
            "window == '12_months' and level == @level and location == @code"
        ).iloc[0]
        page = words(build_place_page(held, level, code))
        low, high = ahead["change_low"], ahead["change_high"]
        kind = "no clear change" if low <= 0 <= high else "above" if low > 0 else "below"
        wanted = {"no clear change": "that is no clear change", "above": "lies above", "below": "lies below"}
        assert wanted[kind] in page
        said.add(kind)
    assert "no clear change" in said


def test_where_residents_are_a_poor_base_there_is_a_count_and_no_rate() -> None:
    area = "E01000000"
    marked = assessment(no_rate=frozenset([area]))
    msoa = row_of(marked, "areas", location=area)["msoa21"]
    page = words(build_place_page(marked, "msoa21", msoa))
    assert "Expected per 1,000 residents" not in page
    assert "In Ashford Vale 001A visitors are many beside residents" in page
    assert "Expected per 1,000 residents" in words(build_place_page(marked, "lad24", FIRST))
    assert "Expected per 1,000 residents" in words(build_place_page(assessment(), "msoa21", msoa))


def hidden_place() -> tuple[Invented, str, str]:
    """All counts of one MSOA withheld, and a number in them that must be seen nowhere."""
    made, code = small(), "E02000000"
    for name, columns in (
        ("outlook", ["mean", "low", "median", "high", "recorded_part", "last_year", "rank_low", "rank_high"]),
        ("history", ["recorded"]),
    ):
        own = made.tables[name]["location"] == code
        made.tables[name].loc[own, columns] = 987654.0
        made.suppressed[name].loc[own, columns] = True
        if name == "outlook":
            changes = ["change", "change_low", "change_high", "chance_higher"]
            made.suppressed[name].loc[own, changes] = True
            made.tables[name].loc[own, changes] = 0.987654
    return made, "msoa21", code


def test_nothing_withheld_is_shown() -> None:
    made, level, code = hidden_place()
    page = build_place_page(assessment(made), level, code)
    assert "987" not in page and "suppressed" in page
    assert "to protect people" in words(page)


def test_whatever_a_place_is_called_it_shows_as_text() -> None:
    made = small()
    made.tables["places"]["name"] = [f"{HOSTILE} {n}" for n in range(len(made.tables["places"]))]
    page = build_place_page(assessment(made), "lad24", FIRST)
    reader = Reader(page.replace("<body>", '<body><script type="application/json">[]</script>', 1))
    assert "alert(1)" in " ".join(reader.words)
    assert [tag for tag, _ in reader.tags if tag == "script"] == ["script"]
    assert not [a for _, a in reader.tags if "onmouseover" in a]


def test_the_linter_finds_nothing_on_any_page(held: Assessment) -> None:
    names = frozenset(held.book.tables["places"]["name"])
    found = [f for level, code in held.places for f in lint_html(build_place_page(held, level, code), names=names)]
    assert found == []


def test_a_place_without_strength_data_or_groups_says_so(held: Assessment) -> None:
    left = {n: t for n, t in held.book.tables.items() if n not in ("ledger", "place_groups", "catalogue", "compared")}
    bare_book = type(held.book)(left, "run")
    poor = replace(held, book=bare_book, published=replace_book(held, bare_book))
    page = words(build_place_page(poor, "lad24", SECOND))
    assert "No strength data are held for this kind of place." in page
    assert "No count of groups is held for this place." in page
    assert "cannot be judged on sex or disability" in page


def replace_book(held: Assessment, book: object) -> object:
    published = held.published
    return replace(
        published, outlook=replace(published.outlook, book=book), history=replace(published.history, book=book)
    )


def test_files_links_and_the_first_page_agree(tmp_path: Path) -> None:
    held = assessment()
    held = replace(held, places=[*held.places, ("csp24", "E22000000")])
    written = write_places(held, tmp_path)
    index = build_assessment_page(held)
    (tmp_path / "index.html").write_text(index, encoding="utf-8")
    linked = set(re.findall(r'href="(places/[^"]+)"', index))
    # The partnership is the first district under another code: one page, not two.
    assert linked == {f"places/{path.name}" for path in written}
    assert len(written) == len(held.places) - 1
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r'<nav aria-label="Pages">.*?</nav>', text, re.DOTALL)
        assert {href for href in re.findall(r'href="([^"#]+)"', text)} == {f"../{link.href}" for link in LINKS}
        assert "<script" not in text and len(text) < 300_000


@pytest.mark.parametrize(
    "wrong",
    [
        lambda held, folder: build_place_page(held, "lad24", "E07999999"),
        lambda held, folder: write_places(replace(held, places=[("lad24", "nowhere")]), folder),
    ],
)
def test_an_unknown_place_is_refused(held: Assessment, tmp_path: Path, wrong: Callable[..., object]) -> None:
    with pytest.raises(TableError, match="place"):
        wrong(held, tmp_path)


def test_codes_of_a_users_own_make_safe_and_different_files() -> None:
    codes = ["a/b", "a.b", "..", "a_b", "\N{LATIN SMALL LETTER E WITH ACUTE}", "a b", "E07000078"]
    files = [page_file(code) for code in codes]
    assert len(set(files)) == len(codes)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+\.html", name) for name in files)


def test_the_same_tables_give_the_same_bytes() -> None:
    assert build_place_page(assessment(), "lad24", FIRST) == build_place_page(assessment(), "lad24", FIRST)


def test_sentences_never_hold_a_blank(held: Assessment) -> None:
    for level, code in held.places:
        page = words(build_place_page(held, level, code))
        assert not re.search(r"\bnan\b|\bNone\b(?! )|\(\)| ,|: \.| \.", page)
