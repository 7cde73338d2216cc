"""Numbers keep knowing what they are: through sentences, pages and files, and back to the cell they came from."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.tables import TableError
from riskmodel.narrative.bundle import write_bundle
from riskmodel.narrative.facts import FactBook, as_html, as_plain, bare, stray_digits
from riskmodel.narrative.facts.file import build_facts, read_facts, write_facts
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import evaluate
from riskmodel.narrative.facts.marks import mark
from riskmodel.narrative.verify import verify_bundle

PRIVATE = "".join(map(chr, range(0xE000, 0xE005)))
ordinary = st.text(st.characters(exclude_categories=["Cs", "Co", "Cc"]), max_size=30)


def tables() -> dict[str, pd.DataFrame]:
    outlook = pd.DataFrame(
        {
            "target": ["t@1", "t@1", "h@1"],
            "level": ["pfa", "lad24", "pfa"],
            "mean": [1234.4, 12.34, np.nan],
            "low": [1000.0, 8.0, np.nan],
            "high": [1500.0, 17.0, np.nan],
            "end": pd.to_datetime(["2025-08-31"] * 3),
        }
    )
    return {"outlook": outlook, "history": pd.DataFrame({"level": ["pfa", "pfa"], "recorded": [1100.0, 1200.0]})}


def withheld() -> dict[str, pd.DataFrame]:
    mask = pd.DataFrame(False, index=range(3), columns=tables()["outlook"].columns)
    mask.loc[2, ["mean", "low", "high"]] = True
    return {"outlook": mask}


def book() -> FactBook:
    return FactBook(tables(), "run", withheld=withheld())


@given(ordinary, ordinary, ordinary)
def test_marks_leave_words_as_they_are(before: str, words: str, after: str) -> None:
    marked = before + mark("t.0.c", words) + after
    assert as_plain(marked) == before + words + after
    page = as_html(f"<p>{escape(marked)}</p>", lambda name: "1.5")
    shown = re.sub(r"<[^>]*>", "", page)
    assert unescape(shown) == before + words + after
    assert f'<data value="1.5" data-fact="t.0.c">{escape(words)}</data>' in page
    assert not set(page) & set(PRIVATE)


@given(st.lists(st.sampled_from(["word ", "7", "12 months", "3.5 "]), max_size=6), st.booleans())
def test_every_digit_that_is_no_fact_is_found(parts: list[str], named: bool) -> None:
    text = "|".join(parts)
    found = stray_digits(f"<p>{bare(text) if named else text}</p>", phrases=["12 months"])
    assert len(found) == (0 if named else sum(part in ("7", "3.5 ") for part in parts))


def test_marks_in_titles_attributes_pictures_and_scripts() -> None:
    n = mark("t.0.c", "7")
    marked = (
        f'<html><head><title>{n}</title><script>x = "{n}"</script></head><body><img alt="{n}"><svg><desc>{n}</desc>'
        f"<text>{n} of</text></svg><p>{n}</p></body></html>"
    )
    page = as_html(marked, lambda name: "7.2")
    assert "<title>7</title>" in page and '<img alt="7">' in page and "<desc>7</desc>" in page
    assert '<text><tspan data-value="7.2" data-fact="t.0.c">7</tspan> of</text>' in page
    assert f'x = "{n}"' in page, "a script turns its own marks into elements"
    assert stray_digits(marked) == []
    assert stray_digits('<p title="3 of them">x</p>') == ["3 of them"]


def test_a_cell_is_a_fact_with_its_interval() -> None:
    own = book()
    text = own.only("outlook", {"level": "pfa", "target": "t@1"}, "mean", form="expected")
    assert as_plain(text) == "1,234"
    fact = own.facts[0]
    assert (fact.fact_id, fact.value, fact.low, fact.high) == (
        "outlook.0.mean",
        1234.4,
        "outlook.0.low",
        "outlook.0.high",
    )
    assert own.value_text("outlook.0.mean") == "1234.4"
    assert as_plain(own.cell("outlook", 0, "mean", form="one_decimal")) == "1,234.4"
    assert {f.form for f in own.facts} == {"expected", "one_decimal"}


def test_a_withheld_cell_has_no_value_anywhere() -> None:
    own = book()
    text = own.cell("outlook", 2, "mean", form="expected")
    text += own.made("outlook.more", ["subtract", ["cell", "outlook", 2, "mean"], ["number", 1]], form="whole")
    text += own.made("outlook.all", ["sum", "outlook", "mean", {"level": "pfa"}], form="whole")
    text += own.made("outlook.most", ["quantile", "outlook", "mean", {"level": "pfa"}, 1], form="whole")
    assert as_plain(text) == "suppressed" * 4
    assert all(own.value_text(fact.fact_id) == "" and fact.state == "suppressed" for fact in own.facts)
    assert "value=" not in as_html(f"<p>{text}</p>", own.value_text)


def test_a_name_stands_for_one_formula() -> None:
    own = book()
    own.made("n", ["number", 1], form="whole")
    with pytest.raises(TableError, match="one name"):
        own.made("n", ["number", 2], form="whole")
    with pytest.raises(TableError, match="no single row"):
        own.only("outlook", {"level": "pfa"}, "mean", form="expected")
    with pytest.raises(TableError, match="no single row"):
        own.only("outlook", {"level": "msoa21"}, "mean", form="expected")


numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(st.lists(numbers, min_size=1, max_size=8), st.integers(0, 7), numbers)
def test_formulas_are_arithmetic(column: list[float], row: int, number: float) -> None:
    row %= len(column)
    held = {"t": pd.DataFrame({"k": ["a", "b"] * len(column), "v": [*column, *column]})}
    cell, given_number = ["cell", "t", row, "v"], ["number", number]
    assert evaluate(["add", cell, given_number], held) == column[row] + number
    assert evaluate(["multiply", cell, given_number], held) == column[row] * number
    assert evaluate(["count", "t", {"k": "a"}], held) == len(column)
    assert evaluate(["distinct", "t", ["v"], {"k": ["a", "b"]}], held) == len(set(column))
    assert evaluate(["rows", "t", [row, row]], held) == 1
    with pytest.raises(IndexError, match="not all of the rows"):
        evaluate(["rows", "t", [row, 2 * len(column)]], held)
    both = [*column, *column]
    assert evaluate(["sum", "t", "v", {"k": ["a", "b"]}], held) == pytest.approx(sum(both), abs=1e-6)
    assert evaluate(["mean", "t", "v", {}], held) == pytest.approx(sum(column) / len(column), abs=1e-6)
    ends = [evaluate(["quantile", "t", "v", {}, share], held) for share in (0, 1)]
    assert ends == [min(column), max(column)]
    assert np.isnan(evaluate(["mean", "t", "v", {"k": "c"}], held))
    divided = evaluate(["divide", cell, given_number], held)
    assert divided == column[row] / number if number else np.isnan(divided)


def written_bundle(folder: Path) -> str:
    own = book()
    grown = ["divide", ["cell", "outlook", 0, "mean"], ["cell", "history", 1, "recorded"]]
    sentence = (
        f"{own.cell('outlook', 0, 'mean', form='expected')} and {own.cell('outlook', 2, 'mean', form='expected')}, "
        f"{own.made('grown', grown, form='percent')}"
        f", {own.declared('policy.share', 0.2, form='share', source='fairness/policies/default.yaml')}"
    )
    packed = json.dumps({"rows": [[own.cell("outlook", 1, "mean", form="expected")]]})

    def add(partial: Path) -> None:
        page = f'<html><p>{sentence}</p><script type="application/json" class="packed">{packed}</script></html>'
        (partial / "index.html").write_text(as_html(page, own.value_text), encoding="utf-8")
        write_facts(partial / "facts.json", own)

    return write_bundle(folder, tables=tables(), parquet=frozenset({"history"}), add=add, manifest={"run_id": "run"})


def test_a_bundle_verifies_and_one_changed_digit_anywhere_is_found(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    digest = written_bundle(out)
    whole = verify_bundle(out, expect=digest)
    assert whole.holds, whole.problems
    assert (whole.quoted, whole.facts > 0) == (5, True)
    for path in sorted(p for p in out.rglob("*") if p.is_file() and p.suffix in (".html", ".csv", ".json")):
        text = path.read_text(encoding="utf-8")
        places = [m.start() for m in re.finditer(r"\d", text)]
        for at in places:
            changed = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
            path.write_text(changed, encoding="utf-8", newline="\n")
            try:
                assert not verify_bundle(out, expect=digest).holds, (path.name, text[max(at - 30, 0) : at + 5])
            except ValueError:
                assert path.suffix == ".json", "only a broken JSON file may fail to be read"
        path.write_text(text, encoding="utf-8", newline="\n")
    assert verify_bundle(out, expect=digest).holds


def test_a_page_that_lies_is_found_even_with_a_manifest_made_anew(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    written_bundle(out)
    page = out / "index.html"
    text = page.read_text(encoding="utf-8")
    for old, new, said in (
        (">1,234<", ">1,235<", "is written '1,235'"),
        ('value="1234.4"', 'value="1234.5"', "has the value 1234.5"),
        ("outlook.0.mean", "outlook.9.mean", "which is no fact"),
        (">suppressed<", ">31<", "is written '31'"),
        ("\\ue00112", "\\ue00113", "is written '13'"),
    ):
        assert old in text, old
        page.write_text(text.replace(old, new), encoding="utf-8")
        assert any(said in problem for problem in verify_bundle(out).wrong), said
    page.write_text(text, encoding="utf-8")
    table = out / "tables" / "outlook.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("1234.4", "1239.4"), encoding="utf-8")
    assert any("outlook.0.mean" in problem for problem in verify_bundle(out).wrong)
    (out / "stray.txt").write_text("x", encoding="utf-8")
    (out / "tables" / "history.parquet").unlink()
    found = verify_bundle(out)
    assert found.extra == ("stray.txt",) and found.missing == ("tables/history.parquet",)


def test_what_was_suppressed_and_is_there_after_all_is_found(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    written_bundle(out)
    table = out / "tables" / "outlook.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("h@1,pfa,,", "h@1,pfa,3,"), encoding="utf-8")
    assert any("said to be suppressed" in problem for problem in verify_bundle(out).wrong)


def test_the_file_of_facts_and_the_table_hold_the_same(tmp_path: Path) -> None:
    own = book()
    own.cell("outlook", 0, "mean", form="expected")
    own.supplied("views.1", 12, form="whole", source="The board's survey", as_of="2025-05-01", unit="people")
    write_facts(tmp_path / "facts.json", own)
    ids = {fact["fact_id"] for fact in read_facts(tmp_path / "facts.json")}
    table = build_facts(own)
    assert ids == set(table["fact_id"])
    row = table.set_index("fact_id").loc["views.1"]
    assert (row["origin"], row["source"], row["as_of"]) == ("supplied", "The board's survey", "2025-05-01")


@given(
    st.floats(-1e4, 1e4), st.sampled_from(["change", "share", "whole", "one_decimal", "expected", "times", "percent"])
)
def test_words_are_the_same_after_a_table_was_written_and_read_back(value: float, form: str) -> None:
    assert written(form, [float(f"{value:.10g}")]) == written(form, [value])


def test_a_nought_has_no_sign_and_thousands_are_apart() -> None:
    noughts = {"one_decimal": "0.0", "three_decimals": "0.000", "points": "0.0", "size_points": "0.0"}
    assert {form: written(form, [-0.00001]) for form in noughts} == noughts
    assert written("points", [-0.0123]) == "\N{MINUS SIGN}1.2" and written("size_points", [-0.0123]) == "1.2"
    assert written("three_digits", [999.6]) == "1,000" and written("three_digits", [0.01234]) == "0.0123"
    assert written("times_band", [1.184, 1.049, 1.3]) == "\N{MULTIPLICATION SIGN} 1.18 (1.05 to 1.30)"
    assert written("times_band", [1.184, np.nan, 1.3]) == "\N{MULTIPLICATION SIGN} 1.18 (not available)"


@pytest.mark.parametrize("tenths", range(-45, 55, 10))
def test_a_half_is_rounded_to_one_side_however_it_was_worked_out(tenths: int) -> None:
    half = tenths / 1000
    around = {written("change", [value]) for value in (half, np.nextafter(half, 1), np.nextafter(half, -1))}
    assert len(around) == 1
