"""The page on the models without a browser: its numbers are the tables' own, its words careful, all of it escaped."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from narrative.model_tables import Modelled, modelled
from narrative.page_reader import Reader
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.model_page import ModelPage, build_model_page
from riskmodel.narrative.model_words import MARKS, mark_words, percent_words, times_words

HOSTILE = ("<script>alert(1)</script>", '"onmouseover="alert(1)', "{{ 7 * 7 }}", "</script><b>", "&amp;<!--")
FORBIDDEN = re.compile(
    r"\b(causes?|caused|causing|drives?|drivers?|driven|driving|raises?|raised|raising|lowers|lowered|lowering|will|"
    r"flagged|hotspots?|leads? to|results? in)\b",
    re.IGNORECASE,
)


def built(made: Modelled, **changes: Any) -> ModelPage:
    given = {
        "title": "Exmere", "target": "Recorded violence", "model_id": "poisson_ridge", "as_of": date(2025, 9, 1),
        "run_id": "exmere-1a2b", "headline": "Better than counting.", "state": "Draft: not approved for use",
        "shapes": made.shapes, "links": [PageLink("forecast.html", "Forecast"), PageLink("model.html", "Models", True)],
    }  # fmt: skip
    return build_model_page(changes.pop("tables", made.tables), **(given | changes))


def page_of(made: Modelled, **changes: Any) -> str:
    return built(made, **changes).text


def between_times(low: float, high: float) -> str:
    return f"{low:.2f} to {high:.2f}"


@pytest.fixture(scope="module")
def made() -> Modelled:
    return modelled()


@pytest.fixture(scope="module")
def text(made: Modelled) -> str:
    return page_of(made)


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


def test_the_first_line_says_what_the_factors_add(read: Reader) -> None:
    words = " ".join(read.words).split("Recorded violence", 2)[-1]
    assert words.strip().startswith(
        "The factors add nothing to the forecast beyond the area's own past: with them it is 5.7%"
    )


def test_without_an_ablation_the_first_line_says_that_nothing_was_measured(made: Modelled) -> None:
    tables = {name: table for name, table in made.tables.items() if name != "domains"}
    assert "What the factors add to the forecast was not measured" in page_of(made, tables=tables)


@pytest.mark.parametrize("only", [("places",), ("places", "leaning"), ("places", "leaning", "attributions", "domains")])
def test_a_run_without_a_conditions_model_says_so(made: Modelled, only: tuple[str, ...]) -> None:
    text = page_of(made, tables={name: made.tables[name] for name in only})
    assert "no explained conditions model" in text
    assert 'id="ledger-table"' not in text


def test_nothing_that_is_said_speaks_of_causes(read: Reader) -> None:
    assert FORBIDDEN.findall(" ".join([*read.words, *read.data])) == []


def test_the_leaning_is_the_tables_own(made: Modelled, read: Reader) -> None:
    held = made.tables["leaning"]
    assert read.column("leaning", "Share") == [percent_words(share) for share in held["share"]]
    assert read.column("leaning", "Moves") == [times_words(value) for value in held["multiplier"]]


def test_every_domain_and_cluster_stands_with_its_interval_and_mark(made: Modelled, read: Reader) -> None:
    for table, kind, first in (("domains-found", "domain", ["rank"]), ("factors-found", "cluster", ["sure", "rank"])):
        rows = made.tables["stability"]
        rows = rows[rows["kind"] == kind].assign(sure=rows["mark"].map(list(MARKS).index)).sort_values(first)
        said = [between_times(np.exp(a), np.exp(b)) for a, b in zip(rows["low"], rows["high"], strict=True)]
        assert read.column(table, "Interval") == said
        assert read.column(table, "How sure") == [mark_words(mark) for mark in rows["mark"]]


def brief(text: str) -> str:
    return " ".join(Reader(text).words).split("In brief")[-1].partition("What the forecast leans on")[0]


def test_only_what_is_stable_is_named_in_brief_and_counter_findings_are_called_so(made: Modelled) -> None:
    stability = made.tables["stability"]
    chosen = stability.loc[stability["kind"] == "cluster", "unit"].iloc[3]
    members = stability.loc[(stability["kind"] == "cluster") & (stability["unit"] == chosen), "members"].iloc[0]
    mine = stability["unit"].isin(members.split("; ")) & (stability["kind"] != "domain")
    marked = stability.assign(mark="uncertain", found="lower", expected="higher", direction="as expected")
    marked.loc[mine, ["mark", "direction"]] = ["stable", "counter to expectation"]
    titles = {unit: f"Title of {unit}" for unit in stability.loc[stability["kind"] == "factor", "unit"]}
    said = brief(page_of(made, tables={**made.tables, "stability": marked}, titles=titles))
    listed = said.partition("Stable, found with lower recorded violence")[2]
    assert f"Title of {chosen}" in listed.partition("(counter to expectation)")[0]
    assert [unit for unit in titles if f"itle of {unit}" in said] == sorted(members.split("; "), key=list(titles).index)
    assert "found with higher" not in said
    nothing = brief(page_of(made, tables={**made.tables, "stability": marked.assign(mark="do not narrate")}))
    assert "None is stable by itself" in nothing and "nothing firm can be said" in nothing


def test_every_picture_is_a_file_that_says_the_same_and_asks_for_nothing(made: Modelled) -> None:
    page = built(made)
    said = " ".join(Reader(page.text).words)
    drawn = [a["aria-labelledby"].split()[0] for a in Reader(page.text).of("svg") if a.get("role") == "img"]
    assert {name.removesuffix("-title").removesuffix("-heading") for name in drawn} == set(page.figures)
    assert any(name.startswith("map-of-") for name in page.figures)
    for text in page.figures.values():
        root = ElementTree.fromstring(text)
        words = " ".join(root.itertext())
        title, description = root[0].text, root[1].text
        assert title and description and description in said
        assert "Draft: not approved for use" in words
        assert not re.search(r"href|src=|@import|https?://(?!www\.w3\.org/2000/svg)", text)
    assert built(made).figures == page.figures


def test_the_dots_shades_are_in_their_table(made: Modelled, read: Reader) -> None:
    held = made.tables["attributions"].query("horizon == 1 and role != 'model'")
    features = read.column("dots-1-table", "Feature")
    for heading, third in (("Mean where it is low", "low"), ("Mean where it is high", "high")):
        for feature, shown in zip(features, read.column("dots-1-table", heading), strict=True):
            own = held[(held["feature"] == feature) & (held["third"] == third)]["value"]
            assert shown == written("three_decimals", [own.mean()])


def test_a_finding_too_unsure_to_say_has_no_direction(made: Modelled) -> None:
    stability = made.tables["stability"].assign(mark="do not narrate")
    read = Reader(page_of(made, tables={**made.tables, "stability": stability}))
    assert set(read.column("factors-found", "Where it is higher")) == {"too unsure to say"}


def test_a_place_has_both_ledgers_and_a_count_for_the_total_alone(made: Modelled, read: Reader) -> None:
    ledger = made.tables["ledger"]
    codes = read.column("ledger-table", "Code")
    assert sorted(codes) == sorted(ledger.loc[ledger["kind"] == "total", "location"])
    for code in (codes[0], codes[-1]):
        own = ledger[(ledger["location"] == code) & (ledger["kind"] == "domain") & (ledger["mark"] != "do not narrate")]
        row = codes.index(code)
        for side, start in (("higher", "Found with higher"), ("lower", "Found with lower")):
            lines = read.column("ledger-table", start)[row].split("\n")
            wanted = [f"{times_words(r.multiplier)} ({between_times(r.low, r.high)}), {mark_words(r.mark)}"
                      for r in own[own["ledger"] == side].itertuples()]  # fmt: skip
            assert len(lines) == max(1, len(wanted))
            assert all(any(line.endswith(entry) for line in lines) for entry in wanted)


def test_what_is_too_unsure_to_say_is_in_no_list_but_counted(made: Modelled) -> None:
    ledger = made.tables["ledger"].copy()
    ledger.loc[ledger["kind"] != "total", "mark"] = "do not narrate"
    read = Reader(page_of(made, tables={**made.tables, "ledger": ledger}))
    assert set(read.column("ledger-table", "Found with higher")) == {"none"}
    clusters = ledger[ledger["kind"] == "cluster"].groupby("location").size()
    assert {int(n) for n in read.column("ledger-table", "Left out")} == set(clusters)


def test_the_maps_say_what_their_tables_say(made: Modelled, read: Reader) -> None:
    held = made.tables["ledger"]
    domains = held.loc[held["kind"] == "domain", "unit"].unique()
    for domain in domains:
        rows = held[(held["level"] == "msoa21") & (held["unit"] == domain) & (held["kind"] == "domain")]
        rows = rows.sort_values("location")
        assert read.column(f"map-{domain}", "Multiplier") == [times_words(v) for v in rows["multiplier"]]
    drawn = [a["data-code"] for a in read.of("path") if "data-code" in a]
    assert len(drawn) == len(domains) * held.loc[held["level"] == "msoa21", "location"].nunique()


def test_without_outlines_there_are_tables_and_that_is_said(made: Modelled) -> None:
    text = page_of(made, shapes={})
    assert "Outlines of the areas are not held" in text
    assert 'id="map-community"' in text


def test_a_refused_scenario_gives_no_number(made: Modelled, read: Reader) -> None:
    scenarios = made.tables["scenarios"]
    shown = scenarios[scenarios["refused"].isna()]
    assert len(shown) < len(scenarios)
    assert len(read.tables["scenario-table"]) == len(shown)
    assert f"{len(scenarios) - len(shown):,} are refused" in " ".join(read.words)


def test_the_curves_and_groups_are_the_tables_own(made: Modelled, read: Reader) -> None:
    effects = made.tables["effects"]
    assert read.column("curves-table", "Multiplier") == [times_words(np.exp(v)) for v in effects["effect"]]
    assert read.column("curves-table", "Supported") == effects["supported"].to_list()
    differences = made.tables["group_differences"]
    rows = differences[(differences["other"] == "everyone") & (differences["part"] == "all")]
    assert read.column("groups-table", "All together") == [times_words(v) for v in rows["multiplier"]]


def test_every_picture_has_a_title_a_text_and_its_own_ids(read: Reader) -> None:
    named = [a["id"] for _, a in read.tags if a.get("id")]
    assert len(named) == len(set(named))
    for drawn in read.of("svg"):
        if drawn.get("role") == "img":
            wanted = f"{drawn['aria-labelledby']} {drawn.get('aria-describedby') or ''}".split()
            assert set(wanted) <= set(named)


def test_it_asks_nothing_of_anyone(read: Reader) -> None:
    assert [a for _, a in read.tags if a.get("src") or (a.get("href") or "").startswith(("http", "//"))] == []


def test_the_same_tables_give_the_same_bytes(made: Modelled, text: str) -> None:
    assert page_of(made) == text


def test_hostile_names_are_words(made: Modelled) -> None:
    places = made.tables["places"].copy()
    places["name"] = [HOSTILE[n % len(HOSTILE)] for n in range(len(places))]
    titles = {unit: HOSTILE[n % len(HOSTILE)] for n, unit in enumerate(made.tables["stability"]["unit"])}
    left = pd.DataFrame({"what": [HOSTILE[0]], "reason": [HOSTILE[3]]})
    text = page_of(
        made, tables={**made.tables, "places": places, "explain_left_out": left}, titles=titles, title=HOSTILE[1]
    )
    read = Reader(text)
    assert len(read.of("script")) == len(Reader(page_of(made)).of("script"))
    assert not read.of("b") and not any("onmouseover" in a for _, a in read.tags)
    assert HOSTILE[0] in " ".join(read.words) and "49" not in text.split("{{ 7 * 7 }}")[0][-5:]


def test_a_large_region_stays_under_three_megabytes() -> None:
    made = modelled(1500)
    for book in (None, FactBook(made.tables, "run")):
        assert len(page_of(made, book=book).encode()) < 3_000_000
