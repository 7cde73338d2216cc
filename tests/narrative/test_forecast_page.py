"""The forecast page without a browser: every number is the tables' own, nothing withheld is shown, all can read it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from narrative.outlook_tables import HEADLINE, MODEL, WEAPONS, Invented, invented
from narrative.page_reader import Reader
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.tables import TableError
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.forecast_page import build_forecast_page
from riskmodel.narrative.forecast_words import MINUS, recorded_words
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.workbook_text import SourceNote

SENTINEL = 987_654.0
HOSTILE = (
    "<script>alert(1)</script>", '"onmouseover="alert(1)', "{{ 7 * 7 }}", "</script><b>", "&amp;<!--",
    "\\u0022</title>",
)  # fmt: skip
STATE = "Draft: not approved for use"


def page_of(made: Invented, **changes: Any) -> str:
    given = {
        "title": "Exmere", "question": "How much?", "targets": made.targets, "model_id": MODEL,
        "as_of": date(2025, 9, 1), "run_id": "exmere-1a2b", "headline": "Better than counting: by 4.6 %.",
        "state": STATE, "shapes": made.shapes, "suppressed": made.suppressed,
        "sources": [SourceNote("Street-level crime", "police.uk", "OGL v3.0")],
        "links": [PageLink("index.html", "Overview"), PageLink("forecast.html", "Forecast", current=True)],
    }  # fmt: skip
    return build_forecast_page(changes.pop("tables", made.tables), **(given | changes))


@pytest.fixture(scope="module")
def made() -> Invented:
    return invented(120)


@pytest.fixture(scope="module")
def text(made: Invented) -> str:
    return page_of(made)


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


def number(words: str) -> float:
    return float(words.replace(",", "").replace(MINUS, "-").rstrip("%"))


def rows_of(made: Invented, level: str, windows: tuple[str, ...], target: str = HEADLINE) -> pd.DataFrame:
    rows = made.tables["outlook"]
    return rows[(rows["target"] == target) & (rows["level"] == level) & rows["window"].isin(windows)]


def period(start: pd.Timestamp, end: pd.Timestamp) -> str:
    first = start.strftime("%B" if start.year == end.year else "%B %Y")
    return f"{first} to {end.strftime('%B %Y')}"


@pytest.mark.parametrize(
    ("table", "level", "windows"),
    [
        ("lsoa21-periods", "lsoa21", ("12_months", "financial_year")),
        ("msoa21-periods", "msoa21", ("quarter", "financial_year")),
        ("ward24-periods", "ward24", ("quarter", "financial_year")),
        ("t2-lsoa21-periods", "lsoa21", ("12_months",)),
    ],
)
def test_every_row_of_the_tables_is_on_the_page_with_its_own_numbers(
    made: Invented, read: Reader, table: str, level: str, windows: tuple[str, ...]
) -> None:
    rows = rows_of(made, level, windows, WEAPONS if table.startswith("t2") else HEADLINE)
    keys = zip(rows["location"], rows["start"], rows["end"], strict=True)
    own = {(code, period(start, end)): row for (code, start, end), row in zip(keys, rows.itertuples(), strict=True)}
    compared = next(h[:6] for h in read.headings[table] if h.startswith(("A year", "Newest 12")))
    columns = [read.column(table, start) for start in ("Code", "Period", "Expected", "Likely", compared)]
    assert sorted(zip(columns[0], columns[1], strict=True)) == sorted(own)
    for code, when, expected, reach, before in zip(*columns, strict=True):
        row = own[code, when]
        value = 0.0 if expected == "under 0.1" else number(expected)
        assert abs(value - row.mean) <= (0.5 if row.mean >= 10 else 0.05) + 1e-9
        assert [number(end) for end in reach.split(" to ")] == [row.low, row.high]
        if not when.startswith("September 2025"):
            assert before == ("not available" if np.isnan(row.last_year) else f"{row.last_year:,.0f}")


def test_a_change_is_the_tables_own_and_is_not_given_on_a_small_base(made: Invented, read: Reader) -> None:
    rows = rows_of(made, "lsoa21", ("financial_year",)).set_index("location")
    columns = [read.column("lsoa21-periods", start) for start in ("Code", "Period", "Expected change")]
    changes = {code: words for code, when, words in zip(*columns, strict=True) if when == "April 2025 to March 2026"}
    assert set(changes) == set(rows.index)
    small = rows["last_year"] < 10
    assert small.any() and not small.all()
    assert {changes[code] for code in rows.index[small]} == {"base below 10"}
    own = 100 * rows[["change", "change_low", "change_high"]].astype(float)
    for code in rows.index[~small]:
        said = [number(words) for words in re.findall(rf"[+{MINUS}]?[\d,]+%", changes[code])]
        np.testing.assert_allclose(said, own.loc[code], atol=0.5001)


def test_the_next_year_is_compared_with_the_newest_where_the_year_before_is_not_published_yet(
    made: Invented, read: Reader
) -> None:
    history = made.tables["history"]
    assert rows_of(made, "lad24", ("12_months",))["last_year"].isna().all()
    newest = history[
        (history["target"] == HEADLINE) & (history["window"] == "12_months") & (history["end"] == "2025-06-30")
    ].set_index("location")["recorded"]
    places = made.tables["places"].set_index(["level", "name"])["location"]
    names, kinds, before = (read.column("year", start) for start in ("Place", "Kind", "Newest 12"))
    levels = {"Police force area": "pfa", "Community safety partnership": "csp24"}
    for name, kind, words in zip(names, kinds, before, strict=True):
        assert number(words) == newest[places[levels.get(kind, "lad24"), name]]
    for table in ("year", "ward24", "lsoa21-periods", "t1-lsoa21-periods"):
        assert any("July 2024 to June 2025" in h for h in read.headings[table]), table
    assert not any("July 2024" in h for table in ("quarter", "msoa21-periods") for h in read.headings[table])
    ahead = [r for r in read.tables["all-years"] if r[2] == "12 months" and r[4] == "expected"]
    assert ahead and {r[8] for r in ahead} == {"compared with July 2024 to June 2025"}


def test_where_the_year_before_is_held_it_is_what_is_compared_with(made: Invented) -> None:
    outlook = made.tables["outlook"]
    year = (outlook["window"] == "12_months") & (outlook["target"] == HEADLINE)
    known = outlook.assign(last_year=outlook["last_year"].mask(year, 77.0))
    page = Reader(page_of(made, tables={**made.tables, "outlook": known}))
    assert set(page.column("year", "A year before")) == {"77"}


def test_a_partnership_that_is_one_district_is_listed_once(read: Reader) -> None:
    assert list(zip(read.column("year", "Place"), read.column("year", "Kind"), strict=True)) == [
        ("Exmere", "Police force area"),
        ("Dunmere and Eastwick", "Community safety partnership"),
        ("Ashford Vale", "Partnership and district"),
        ("Bramley", "Partnership and district"),
        ("Cold Harbour", "Partnership and district"),
        ("Dunmere", "District"),
        ("Eastwick", "District"),
        ("Fenton Forest", "District"),
    ]
    assert "Partnerships are listed only where it is certain" in " ".join(read.words)


def test_nothing_withheld_is_anywhere_on_the_page(made: Invented, text: str, read: Reader) -> None:
    """Even where the tables still hold what is withheld, not a digit of it or of what follows from it is shown."""
    tables = dict(made.tables)
    for name, mask in made.suppressed.items():
        numbers = [c for c in mask.columns if mask[c].any()]
        tables[name] = tables[name].assign(**{c: tables[name][c].mask(mask[c], SENTINEL) for c in numbers})
    assert page_of(made, tables=tables) == text
    rows, mask = made.tables["outlook"], made.suppressed["outlook"]["mean"]
    hidden = set(rows.loc[mask & (rows["level"] == "lsoa21") & (rows["window"] == "12_months"), "location"])
    starts = ("Code", "Period", "Expected", "Likely", "Expected change")
    columns = [read.column("t1-lsoa21-periods", start) for start in starts]
    shown = {code: cells for code, when, *cells in zip(*columns, strict=True) if when.startswith("September 2025")}
    assert hidden and {code for code, cells in shown.items() if cells[0] == "suppressed"} == hidden
    assert all(set(shown[code]) == {"suppressed"} for code in hidden)


@pytest.mark.parametrize("column", ["mean", "low", "high", "last_year"])
def test_a_change_that_would_give_away_a_withheld_count_is_withheld_too(made: Invented, column: str) -> None:
    rows = made.tables["outlook"]
    one = rows_of(made, "lad24", ("financial_year",)).index[0]
    mask = made.suppressed["outlook"].copy()
    mask.loc[one, column] = True
    read = Reader(page_of(made, suppressed={**made.suppressed, "outlook": mask}))
    place = made.tables["places"].set_index("location").loc[rows.loc[one, "location"], "name"]
    row = read.column("financial-year", "Place").index(place)
    assert read.column("financial-year", "Expected change")[row] == "suppressed"
    years = [r for r in read.tables["all-years"] if r[0] == place and r[4] == "expected" and r[2] == "Financial year"]
    assert [r[6:8] for r in years] == [["suppressed", "suppressed"]]
    if column != "last_year":
        assert "suppressed" in years[0][5]


def test_a_missing_month_is_a_gap_and_never_a_nought(text: str, read: Reader) -> None:
    months = [r for r in read.tables["over-time"] if r[2] == "March 2021"]
    assert months and {r[4] for r in months} == {"missing"}
    assert "<title>Mar 2021: missing</title>" in text
    lines = re.findall(r'<polyline class="line" points="([^"]+)"', text)
    assert [len(lines[0].split()), len(lines[1].split())] == [35, 51], "the force's line, before and after the gap"
    years = [r for r in read.tables["all-years"] if r[3] == "April 2020 to March 2021"]
    assert years and {r[5] for r in years} == {"missing: 1 of 12"}
    assert {r[6] for r in years} == {"not available"}


def test_a_change_in_recording_is_marked(read: Reader) -> None:
    remarks = {r[3]: r[8] for r in read.tables["all-years"] if r[0] == "Exmere" and r[4] == "recorded"}
    assert "recording changed" in remarks["April 2022 to March 2023"]
    assert "recording changed" not in remarks["April 2023 to March 2024"]
    assert any("November 2022: recording changed" in words for words in read.words)
    assert [h for h in read.headings["lsoa21-years"] if "recording changed" in h] == ["2022/23 recording changed"]


def test_a_rank_is_always_said_as_a_band(read: Reader) -> None:
    bands = read.column("year", "Rank")
    assert bands[0] == "not ranked"
    assert all(re.match(r"(among the \d|between |the highest|the lowest|anywhere)", band) for band in bands[1:])


def test_the_headline_never_follows_the_police_and_each_target_has_its_title(made: Invented) -> None:
    words = " ".join(Reader(page_of(made, targets=[made.targets[2], *made.targets[:2]])).words)
    assert words.index(f"{made.targets[0].title}: the next 12 months in brief") < words.index("All years held")
    for other in made.targets[1:]:
        assert words.index("Newest change") < words.rindex(other.title)
    with pytest.raises(UsageError, match="follows what the police do"):
        page_of(made, targets=[replace(t, police_generated=True) for t in made.targets])


def test_sections_come_in_the_order_a_planner_reads(text: str) -> None:
    assert re.findall(r'<h2 id="([^"]+)"', text) == [
        "answer", "places", "periods", "time", "maps", "smallest", "years", "target-1", "target-2", "reading",
    ]  # fmt: skip


def test_the_answer_says_what_the_number_is_and_is_not(made: Invented, text: str) -> None:
    answer = text[text.index('<h2 id="answer"') : text.index('<h2 id="places"')]
    row = rows_of(made, "pfa", ("12_months",)).iloc[0]
    for words in (
        f"{row['mean']:,.0f} records are expected", recorded_words(row["low"]), recorded_words(row["high"]),
        "September 2025 to August 2026", "Better than counting", "too few past months", "It is not all violence",
        "robbery", "July 2024 to June 2025",
    ):  # fmt: skip
        assert words in answer


def test_whatever_an_area_is_called_it_is_only_a_name(made: Invented, read: Reader) -> None:
    places = made.tables["places"].copy()
    places["name"] = [f"{HOSTILE[n % len(HOSTILE)]} {n}" for n in range(len(places))]
    targets = [replace(t, title=f"{t.title} <img src=x onerror=alert(1)>") for t in made.targets]
    tables = {**made.tables, "places": places}
    hostile = Reader(page_of(made, tables=tables, targets=targets, title=HOSTILE[0], run_id=HOSTILE[1]))
    assert not {"b", "img"} & {tag for tag, _ in hostile.tags}
    assert len(hostile.of("script")) <= len(read.of("script"))
    plain = {name for _, attributes in read.tags for name in attributes}
    assert {name for _, attributes in hostile.tags for name in attributes} <= plain
    assert not any(name.startswith("on") or name == "style" for name in plain)
    names = list(places.loc[places["level"] == "lsoa21", "name"])
    assert sorted(hostile.column("lsoa21-periods", "Place")) == sorted(names * 2)


def test_a_browser_may_run_and_load_nothing_but_the_pages_own(text: str, read: Reader) -> None:
    policy = next(m["content"] for m in read.of("meta") if m.get("http-equiv") == "Content-Security-Policy")
    style = re.search(r"<style>(.*?)</style>", text, flags=re.DOTALL)[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (style, *scripts)]
    assert len(scripts) == 1
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest[0]}'; script-src 'sha256-{digest[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert {s.get("type") for s in read.of("script")} == {None, "application/json"}
    assert not {"link", "iframe", "object", "form", "img", "image", "use"} & {tag for tag, _ in read.tags}
    assert "url(http" not in text and "@import" not in text and "eval(" not in scripts[0]
    assert {a["href"] for a in read.of("a") if not a["href"].startswith("#")} == {"index.html", "forecast.html"}


def test_the_page_can_be_read_without_seeing_it(read: Reader) -> None:
    assert (len(read.of("h1")), len(read.of("main")), read.of("html")[0]["lang"]) == (1, 1, "en-GB")
    identifiers = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert len(read.of("caption")) == len(read.of("table"))
    assert {cell.get("scope") for cell in read.of("th")} == {"col", "row"}
    pictures = [svg for svg in read.of("svg") if svg.get("aria-hidden") != "true"]
    assert len(pictures) >= 7 + 1 + 2
    for svg in pictures:
        assert svg["role"] == "img" and set(svg["aria-labelledby"].split()) <= set(identifiers)
    assert all(link["href"][1:] in identifiers for link in read.of("a") if link["href"].startswith("#"))
    assert all(box.get("tabindex") == "0" for _, box in read.tags if box.get("class") == "scroll")
    assert all(len(row) == len(read.headings[name]) for name, rows in read.tables.items() for row in rows)


def test_each_area_of_a_map_has_its_row_and_its_words(made: Invented, text: str, read: Reader) -> None:
    for level in ("ward24", "msoa21"):
        figure = text[text.index(f'id="map-{level}-heading"') : text.index(f'id="{level}-caption"')]
        drawn = re.findall(r'<path class="area [^"]+" data-code="([^"]+)" d="M[^"]+z"><title>', figure)
        assert sorted(drawn) == sorted(read.column(level, "Code")) == sorted(set(made.parents[level]))
    assert len(re.findall(r'<path class="border"', text)) == 2 * made.parents["lad24"].nunique()


@pytest.mark.parametrize("level", ["ward24", "msoa21"])
def test_places_whose_residents_are_a_poor_base_have_a_count_and_no_rate(made: Invented, level: str) -> None:
    code = made.parents[level].iloc[0]
    page = page_of(made, no_rate={level: frozenset([code])})
    read = Reader(page)
    rates = dict(zip(read.column(level, "Code"), read.column(level, "Per 1,000"), strict=True))
    assert {c for c, words in rates.items() if words == "count only"} == {code}
    assert re.findall(r'<path class="area count-only" data-code="([^"]+)"', page) == [code]
    people = made.tables["places"].set_index("location")["population"]
    means = rows_of(made, level, ("12_months",)).set_index("location")["mean"]
    for other in set(rates) - {code}:
        assert number(rates[other]) == pytest.approx(1000 * means[other] / people[other], abs=0.5001)


@pytest.mark.parametrize("level", ["lsoa21", "msoa21", "ward24"])
def test_among_the_smallest_areas_a_poor_base_is_a_remark(made: Invented, read: Reader, level: str) -> None:
    """These tables give no rate; the remark keeps readers from making one."""
    code = made.parents[level].iloc[1]
    marked, table = Reader(page_of(made, no_rate={level: frozenset([code])})), f"{level}-periods"
    remarks = list(zip(marked.column(table, "Code"), marked.column(table, "Remark"), strict=True))
    assert {c for c, words in remarks if words} == {code}
    assert {words for _, words in remarks} == {"residents are a poor base", ""}
    assert "Remark" not in read.headings[table]


def test_a_withheld_ward_is_hatched(made: Invented) -> None:
    rows = made.tables["outlook"]
    one = rows_of(made, "ward24", ("12_months",)).index[0]
    mask = made.suppressed["outlook"].copy()
    mask.loc[one, ["mean", "low", "high", "median"]] = True
    page = page_of(made, suppressed={**made.suppressed, "outlook": mask})
    assert re.findall(r'<path class="area none" data-code="([^"]+)"', page) == [rows.loc[one, "location"]]
    assert "suppressed (1)" in page


@pytest.mark.parametrize(
    ("level", "window"), [("lsoa21", "month"), ("lsoa21", "quarter"), ("msoa21", "month"), ("oa21", "month")]
)
def test_rows_finer_than_the_published_grain_are_refused(made: Invented, level: str, window: str) -> None:
    rows = made.tables["outlook"]
    finer = rows.iloc[[0]].assign(level=level, window=window)
    masks = pd.concat([made.suppressed["outlook"], made.suppressed["outlook"].iloc[[0]]])
    with pytest.raises(TableError, match="finer than the published grain"):
        page_of(made, tables={**made.tables, "outlook": pd.concat([rows, finer])}, suppressed={"outlook": masks})


def test_unknown_targets_and_places_are_refused(made: Invented) -> None:
    with pytest.raises(TableError, match="no title"):
        page_of(made, targets=made.targets[:2])
    places = made.tables["places"].iloc[1:]
    with pytest.raises(TableError, match="not in the table 'places'"):
        page_of(made, tables={**made.tables, "places": places})


def test_the_same_tables_give_the_same_bytes_in_whatever_order_their_rows_come(made: Invented, text: str) -> None:
    order = np.random.default_rng(0).permutation(len(made.tables["outlook"]))
    shuffled = {**made.tables, "outlook": made.tables["outlook"].iloc[order], "places": made.tables["places"][::-1]}
    masks = {**made.suppressed, "outlook": made.suppressed["outlook"].iloc[order]}
    assert page_of(made, tables=shuffled, suppressed=masks) == text
    assert text.endswith("</html>\n") and "\r" not in text


def test_tables_that_are_not_given_leave_no_empty_section(made: Invented) -> None:
    few = {"outlook": made.tables["outlook"], "places": made.tables["places"]}
    text = page_of(made, tables=few, suppressed={"outlook": made.suppressed["outlook"]}, shapes=None)
    read = Reader(text)
    assert re.findall(r'<h2 id="([^"]+)"', text)[:5] == ["answer", "places", "periods", "maps", "smallest"]
    assert set(read.column("year", "A year")) == {"not available"}
    assert all(read.tables.values())


def test_beside_every_skill_stands_what_is_possible_at_all(read: Reader) -> None:
    rows = read.tables["noise-floor"]
    assert [row[0].partition(" ")[0] for row in rows] == ["Each"] * 4
    assert [row[2:] for row in rows] == [
        ["+13.1%", "+10.1% to +14.1%"], ["+16.1%", "+13.1% to +17.1%"],
        ["+8.7%", "+5.7% to +9.7%"], ["+11.7%", "+8.7% to +12.7%"],
    ]  # fmt: skip
    assert "40" not in " ".join(" ".join(row) for row in rows), "another model's scatter says nothing of this one"
    assert list(read.tables).index("noise-floor") == list(read.tables).index("comparison") + 1


def test_no_sentence_speaks_of_causes_certainty_or_people_to_pursue(read: Reader) -> None:
    banned = re.compile(
        r"\b(will|cause[sd]?|drives?|driven|leads? to|due to|raises|lowers|hotspots?|flagged|champion|worst|"
        r"dangerous|offenders?|victims?|demand|threat|protected)\b", re.I,
    )  # fmt: skip
    words = " ".join(read.words)
    found = banned.search(words.replace("nothing here shows causes", ""))
    assert found is None, found
    for needed in ("Places and groups, never individuals", "enforcement", "Licence: OGL", "It is not a league table"):
        assert needed in words
    assert words.count(STATE) == 2


def test_a_page_of_1500_areas_weighs_less_than_three_megabytes() -> None:
    made = invented(1500, districts=8, draws=40)
    text = page_of(made, book=FactBook(made.tables, "run", withheld=made.suppressed), headline="")
    assert len(text.encode()) < 3_000_000
    assert len(Reader(text).tables["lsoa21-periods"]) == 3000


def test_with_a_book_the_page_says_the_same_and_every_number_is_a_fact(made: Invented, read: Reader) -> None:
    """A headline with digits of its own would be refused: sentences of other rooms come in marked, or in words."""
    book = FactBook(made.tables, "exmere-1a2b", withheld=made.suppressed)
    headline = f"Better than counting: by {book.declared('skill', 4.6, form='one_decimal', source='test')} %."
    targets = [replace(t, headline="") for t in made.targets]
    state = "Approved for offers of support: decision of 2 May 2026, with 2 conditions"
    page = page_of(made, headline=headline, book=book, targets=targets, state=state)
    assert page.partition("</style>")[2].count(state) == 2, "a decision's own digits are no number of the run"
    other = Reader(page)
    assert other.tables == read.tables
    facts = {fact.fact_id: fact for fact in book.facts}
    assert len(facts) > 3_000
    quoted = [(a["data-fact"], a.get("value")) for tag, a in other.tags if "data-fact" in a]
    assert quoted
    for name, value in quoted:
        assert (value is None) == (not np.isfinite(facts[name].value)), name
    for column, table in (("mean", "outlook"), ("recorded", "history")):
        own = [f for name, f in facts.items() if re.fullmatch(rf"{table}\.\d+\.{column}", name)]
        assert own
        for fact in own:
            row = int(fact.fact_id.split(".")[1])
            assert fact.value == made.tables[table][column].iloc[row] or fact.state == "suppressed"
    with pytest.raises(TableError, match="numbers that are no facts"):
        page_of(made, headline="Better by 4.6 %.", book=book, targets=targets)
