"""Every number of the page on the models is a fact: worked out again from the tables it was written with."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from narrative.model_tables import Modelled, modelled
from narrative.page_reader import Reader
from narrative.test_model_page import HOSTILE, built, page_of
from riskmodel.contracts.tables import TableError
from riskmodel.narrative.bundle import MANIFEST, write_table
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.facts.book import Fact
from riskmodel.narrative.facts.file import FACTS_FILE, write_facts
from riskmodel.narrative.verify import Verified, verify_bundle
from riskmodel.workflow.narration import LONG

RUN = "exmere-1a2b"
GLASS = {"glass": ["glass_2"]}


def with_history(made: Modelled) -> dict[str, pd.DataFrame]:
    """The tables with the newest counts of places, of which one is withheld, and a comparison with a glass box."""
    codes = made.tables["places"]["location"].to_list()
    history = pd.DataFrame(
        {"target": made.tables["attributions"]["target"].iloc[0], "window": "12_months", "location": codes,
         "end": pd.Timestamp("2025-08-31"), "recorded": np.arange(len(codes)) * 17.0}
    )  # fmt: skip
    history.loc[3, "recorded"] = np.nan
    pairwise = pd.DataFrame(
        [{"model_id": "glass_2", "against": "poisson_ridge", "metric": "poisson_deviance", "horizons": "all",
          "skill": -0.0123, "standard_error": 0.0045, "low": -0.02, "high": -0.004, "block_low": -0.02,
          "block_high": -0.004, "p": 0.01, "p_baseline": 0.5, "p_all": 0.2, "forecasts": 900, "only_one": 0,
          "month_blocks": 16, "verdict": "no difference shown"}]
    )  # fmt: skip
    return {**made.tables, "history": history, "pairwise": pairwise}


@pytest.fixture(scope="module")
def made() -> Modelled:
    return modelled()


@pytest.fixture(scope="module")
def tables(made: Modelled) -> dict[str, pd.DataFrame]:
    return with_history(made)


@pytest.fixture(scope="module")
def book(tables: dict[str, pd.DataFrame]) -> FactBook:
    return FactBook(tables, RUN)


@pytest.fixture(scope="module")
def page(made: Modelled, tables: dict[str, pd.DataFrame], book: FactBook) -> str:
    return page_of(made, tables=tables, book=book, **GLASS)


@pytest.fixture(scope="module")
def facts(page: str, book: FactBook) -> dict[str, Fact]:
    assert page
    return {fact.fact_id: fact for fact in book.facts}


@pytest.fixture
def bundle(page: str, tables: dict[str, pd.DataFrame], book: FactBook, tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    for name, table in tables.items():
        write_table(tmp_path / "tables" / f"{name}.{'parquet' if name in LONG else 'csv'}", table)
    (tmp_path / "model.html").write_text(page, encoding="utf-8", newline="\n")
    write_facts(tmp_path / FACTS_FILE, book)
    (tmp_path / MANIFEST).write_text(json.dumps({"files": {}, "run_id": RUN}), encoding="utf-8")
    return tmp_path


def verified(bundle: Path, page: str) -> Verified:
    (bundle / "model.html").write_text(page, encoding="utf-8", newline="\n")
    return verify_bundle(bundle)


def test_with_a_book_the_page_says_the_same(made: Modelled, tables: dict[str, pd.DataFrame], page: str) -> None:
    plain, read = Reader(page_of(made, tables=tables, **GLASS)), Reader(page)
    assert read.tables == plain.tables
    assert "".join("".join(read.words).split()) == "".join("".join(plain.words).split())
    own = built(made, tables=tables, **GLASS)
    assert built(made, tables=tables, book=FactBook(tables, RUN), **GLASS).figures == own.figures


def test_every_number_is_a_fact_that_the_tables_give_again(bundle: Path) -> None:
    held = verify_bundle(bundle)
    assert held.wrong == ()
    assert held.quoted > 3_000


def test_a_changed_digit_of_any_number_is_found(bundle: Path, page: str) -> None:
    """In the text, in tables, in pictures, and in rows that wait for the script: all at once, and each is named."""

    def other(found: re.Match[str]) -> str:
        return f"{found[1]}{(int(found[2]) + 1) % 10}{found[3]}"

    changed, shown = re.subn(r'(data-fact="[^"]*"[^>]*>[^<]*)(\d)([^<\d]*</)', other, page)
    packed = [words for text in Reader(page).packed for words in re.findall("[\ue001\ue005]([^\ue002\ue006]*)", text)]
    waiting = sum(any(letter.isdigit() for letter in words) for words in packed)
    changed = re.sub("([\ue001\ue005][^\ue002\ue006]*)(\\d)([^\ue002\ue006\\d]*)", other, changed)
    assert shown > 500 and waiting > 500
    assert len(verified(bundle, changed).wrong) == shown + waiting


def test_packed_rows_that_cannot_be_read_are_found(bundle: Path, page: str) -> None:
    broken = {'"lists":{': '"list":{', '"rows":[[': '"rows":[[99999999,', '"facts":{': '"facts":[{'}
    for old, new in broken.items():
        assert old in page
        found = verified(bundle, page.replace(old, new)).wrong
        assert found and all(said.startswith("model.html: ") for said in found)


def test_a_number_that_is_no_fact_stops_the_page(made: Modelled, tables: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(TableError, match="numbers that are no facts"):
        page_of(made, tables=tables, book=FactBook(tables, RUN), headline="Better than counting by 4.6 points.")


def test_counts_and_statistics_have_formulas_that_name_what_they_are_of(
    tables: dict[str, pd.DataFrame], facts: dict[str, Fact]
) -> None:
    stability = tables["stability"]
    domains = stability[(stability["kind"] == "domain") & (stability["unit"] != "people")]
    stable = facts["model.domains.stable"]
    assert (stable.value, stable.formulas[0][0]) == ((domains["mark"] == "stable").sum(), "subtract")
    scenarios = tables["scenarios"]
    refused = facts["model.scenarios.refused"]
    assert (refused.value, refused.formulas[0][0]) == (scenarios["refused"].notna().sum(), "count")
    own = tables["attributions"].query("horizon == 1 and role != 'model'")
    spread = own.groupby("feature")["value"].agg(lambda held: (held - held.mean()).abs().mean())
    first = own[own["feature"] == spread.idxmax()]
    assert facts["model.dots-1.0.quantile.0.5"].value == pytest.approx(first["value"].median())
    high = first[first["third"] == "high"]["value"].mean()
    assert facts["model.dots-1.0.mean.high"].value == pytest.approx(high)
    assert facts["model.thresholds.resamples"].origin == "declared"


def test_every_number_of_a_ledger_knows_its_row(tables: dict[str, pd.DataFrame], facts: dict[str, Fact]) -> None:
    ledger = tables["ledger"].reset_index(drop=True)
    total = ledger[ledger["kind"] == "total"].index
    for row in total[[0, len(total) // 2, -1]]:
        band = facts[f"ledger.{row}.multiplier+low+high"]
        assert [formula[1:] for formula in band.formulas] == [["ledger", row, c] for c in ("multiplier", "low", "high")]
        same = (ledger["location"] == ledger.loc[row, "location"]) & (ledger["kind"] == "cluster")
        unsure = facts[f"ledger.{row}.unsure"]
        assert unsure.formulas[0][2] == ledger[same & (ledger["mark"] == "do not narrate")].index.to_list()


def test_a_withheld_count_is_not_asked_for(tables: dict[str, pd.DataFrame], page: str, facts: dict[str, Fact]) -> None:
    asked = {fact.fact_id for fact in facts.values() if fact.fact_id.startswith("history.")}
    places = tables["places"]
    assert asked == {f"history.{row}.a_month" for row in range(len(places)) if row != 3}
    read = Reader(page)
    recorded = dict(zip(read.column("ledger-table", "Code"), read.column("ledger-table", "Recorded"), strict=True))
    assert recorded[places["location"].iloc[3]] == "not available"
    assert recorded[places["location"].iloc[12]] == "17"


def test_whether_a_glass_box_would_do_is_said_from_the_comparison(page: str, facts: dict[str, Fact]) -> None:
    said = "".join(Reader(page).words)
    assert "The glass box glass_2 is not recommended instead of poisson_ridge: it is 1.2% behind" in said
    assert {"pairwise.0.skill", "pairwise.0.standard_error"} <= set(facts)


def test_hostile_names_are_words_and_their_digits_are_no_numbers(made: Modelled) -> None:
    hostile = [f"{words} {n}" for n, words in enumerate(HOSTILE)]
    places = made.tables["places"].assign(name=[hostile[n % len(hostile)] for n in range(len(made.tables["places"]))])
    titles = {unit: hostile[n % len(hostile)] for n, unit in enumerate(made.tables["stability"]["unit"])}
    left = pd.DataFrame({"what": [hostile[0]], "reason": [hostile[3]]})
    tables = {**made.tables, "places": places, "explain_left_out": left}
    changes: dict[str, Any] = {"tables": tables, "titles": titles, "title": hostile[1], "target": hostile[0]}
    read = Reader(page_of(made, book=FactBook(tables, RUN), **changes))
    plain = Reader(page_of(made, **changes))
    assert len(read.of("script")) == len(plain.of("script"))
    assert not read.of("b") and not any("onmouseover" in a for _, a in read.tags)
    assert all(words in " ".join(read.words) for words in (hostile[0], hostile[1]))
    assert read.tables == plain.tables
