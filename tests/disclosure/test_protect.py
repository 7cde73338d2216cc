"""The law of the room: no suppressed cell can be worked out, from tables or from what is drawn of them."""

from __future__ import annotations

import html
import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure_attacker import Known, by_subtraction, known_cells, worked_out
from disclosure_regions import make_areas, make_forecasts, make_history, make_outlook
from riskmodel.contracts.errors import DisclosureGate
from riskmodel.contracts.tables import TABLES, TableError
from riskmodel.disclosure import (
    DECLARATIONS,
    PROTECTS,
    PUBLISHED,
    ROUNDED,
    SMALL,
    Declaration,
    Parts,
    Rule,
    audit_disclosure,
    protect_bundle,
)  # fmt: skip
from riskmodel.disclosure import views as views_module

TARGET = "callouts@1"
FIRST = 2021 * 12 + 3
RULE = Rule()


def make_counts(rng: np.random.Generator, lsoas: int, months: int, rate: float) -> np.ndarray:
    """Counts by area and month, some areas far above the rest."""
    return rng.poisson(rng.gamma(1.0, rate, (lsoas, 1)), (lsoas, months)).astype(float)


def make_bundle(seed: int, lsoas: int = 6, months: int = 24, rate: float = 1.2):
    rng = np.random.default_rng(seed)
    areas = make_areas(rng, lsoas)
    counts = make_counts(rng, lsoas, months, rate)
    expected = np.repeat(counts.mean(axis=1, keepdims=True) + 0.05, 12, axis=1)
    outlook = make_outlook(areas, counts, expected, FIRST, TARGET)
    tables = {
        "history": make_history(areas, counts, FIRST, TARGET),
        "outlook": outlook,
        "forecasts": make_forecasts(outlook),
        "areas": areas,
    }
    return tables, areas, counts


def protect(tables, areas, **more):
    return protect_bundle(tables, DECLARATIONS, RULE, [TARGET], areas=areas, **more)


def published_history(protected) -> pd.DataFrame:
    return protected.with_states("history")


@given(seed=st.integers(0, 10**6), lsoas=st.integers(4, 8), rate=st.sampled_from([0.15, 0.6, 1.2, 3.0]))
@settings(max_examples=12)
def test_no_suppressed_cell_can_be_worked_out(seed, lsoas, rate):
    """All relations at once, over single areas and months: no interval narrower than the rule allows."""
    rng = np.random.default_rng(seed)
    areas = make_areas(rng, lsoas)
    history = make_history(areas, make_counts(rng, lsoas, 24, rate), FIRST, TARGET)
    cells = known_cells(published_history(protect({"history": history}, areas)), areas)
    assert by_subtraction(cells) == []
    narrow = [(c, low, high) for c, low, high in worked_out(cells) if high - low < RULE.width]
    assert narrow == []


def test_the_attacker_recovers_what_primary_suppression_alone_leaves_open():
    """The attack can succeed, so that its failing above says something."""
    tables, areas, _ = make_bundle(3)
    laxer = Rule(secondary=False)
    open_ = protect_bundle({"history": tables["history"]}, DECLARATIONS, laxer, [TARGET], areas=areas)
    cells = known_cells(open_.with_states("history"), areas)
    assert by_subtraction(cells)
    assert any(high - low < RULE.width for _, low, high in worked_out(cells))
    assert not audit_disclosure(open_, DECLARATIONS, laxer, [TARGET], areas=areas).certified


@given(values=st.lists(st.integers(0, 24), min_size=2, max_size=4))
@settings(max_examples=25)
def test_trying_every_whole_number_finds_no_suppressed_cell(values):
    """One total and its parts by brute force; the numbers that fit spread as far as the rule demands."""
    areas = pd.DataFrame({"location": [f"a{n}" for n in range(len(values))], "lad24": "d"})
    counts = np.zeros((len(values), 12))
    counts[:, 0] = values
    grain = {"lsoa21": ("financial_year",), "lad24": ("financial_year",)}
    history = make_history(areas, counts, FIRST, TARGET, grain)
    cells = known_cells(published_history(protect({"history": history}, areas)), areas)
    total, parts = cells[-1], cells[:-1]
    ranges = []
    for cell in parts:
        low, high = cell.bounds(10, 5)
        ranges.append(range(int(low), int(min(high, 30)) + 1))
    low, high = total.bounds(10, 5)
    fits = np.array([c for c in itertools.product(*ranges) if low <= sum(c) <= high])
    for n, cell in enumerate(parts):
        if cell.state.startswith("suppressed"):
            assert np.ptp(fits[:, n]) >= RULE.width


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2)
def test_what_pages_show_gives_no_more_away(seed):
    """Numbers read back from JSON and from tooltips: the same attack, and no number below the threshold anywhere."""
    tables, areas, _ = make_bundle(seed, lsoas=6)
    protected = protect(tables, areas)
    facts = json.loads(published_history(protected).to_json(orient="records", date_format="iso"))
    read = pd.DataFrame(facts)
    read[["start", "end"]] = read[["start", "end"]].apply(pd.to_datetime)
    tooltips = "".join(
        f"<circle data-row='{n}'><title>{html.escape(r.location)}, {r.window} from {r.start:%Y-%m}: "
        f"{'withheld' if np.isnan(r.recorded) else f'{r.recorded:.0f}'}</title></circle>"
        for n, r in enumerate(published_history(protected).itertuples())
    )
    told = {int(n): float(v) for n, v in re.findall(r"data-row='(\d+)'><title>[^<]*: (\d+)</title>", tooltips)}
    assert told == read["recorded"].dropna().to_dict()
    assert min(told.values(), default=10.0) >= RULE.suppress_below
    assert [c for c, low, high in worked_out(known_cells(read, areas)) if high - low < RULE.width] == []


@given(seed=st.integers(0, 10**6))
@settings(max_examples=2)
def test_every_table_of_a_bundle_treats_a_cell_alike(seed):
    tables, areas, _ = make_bundle(seed)
    protected = protect(tables, areas)
    outlook, history, forecasts = (protected.with_states(n) for n in ("outlook", "history", "forecasts"))
    means = forecasts[forecasts["output_type"] == "mean"].reset_index(drop=True)
    assert means["state"].tolist() == outlook["state"].tolist()
    assert means["value"].equals(outlook["mean"])
    year_before = outlook.assign(start=outlook["start"] - pd.DateOffset(years=1))
    same = year_before.merge(history, on=["level", "location", "start", "window"], suffixes=("", "_history"))
    assert len(same)
    assert (same["last_year_state"] == same["state_history"]).all()
    assert same["last_year"].equals(same["recorded"])


@given(seed=st.integers(0, 10**6))
@settings(max_examples=3)
def test_values_are_true_rounded_or_blank_and_nothing_derived_leaks(seed):
    tables, areas, _ = make_bundle(seed)
    protected = protect(tables, areas)
    for name, column in (("history", "recorded"), ("outlook", "mean"), ("outlook", "last_year")):
        true, shown = tables[name][column], protected.tables[name][column]
        held = shown.notna()
        assert (shown[held] % 5 == 0).all()
        assert ((shown - true).abs()[held] <= 2.5).all()
        assert (true[held] >= 10).all()
        assert protected.withheld[name][column].equals(true.notna() & shown.isna())
        small = protected.states[name][column] == SMALL
        assert small.equals(true < 10)
    outlook, state = protected.tables["outlook"], protected.states["outlook"]
    blank = outlook["mean"].isna()
    assert outlook.loc[blank, ["low", "median", "high", "change", "rank_low", "rank_high"]].isna().all(axis=None)
    assert outlook.loc[outlook["last_year"].isna(), ["change", "change_low", "change_high"]].isna().all(axis=None)
    assert outlook["chance_higher"].isna().all()
    again = outlook["mean"] / outlook["last_year"] - 1
    pd.testing.assert_series_equal(outlook["change"], again, check_names=False)
    rows = protected.tables["forecasts"]
    of_blank = np.tile(blank, len(rows) // len(outlook))  # the mean and the quantiles of a cell lie one outlook apart
    assert rows.loc[of_blank, "value"].isna().all()
    quantiles = rows.query("output_type == 'quantile'")["value"].dropna()
    assert (quantiles >= 10).all()
    assert (quantiles % 5 == 0).all()
    assert set(np.unique(state)) <= {PUBLISHED, SMALL, PROTECTS, ROUNDED}


def test_protecting_twice_changes_nothing_and_the_order_of_rows_does_not_matter():
    tables, areas, _ = make_bundle(5)
    once = protect(tables, areas)
    twice = protect(once.tables, areas)
    turned = {n: t.sample(frac=1, random_state=1) if n != "areas" else t for n, t in tables.items()}
    other = protect(turned, areas)
    for name in ("history", "outlook", "forecasts"):
        pd.testing.assert_frame_equal(once.tables[name], twice.tables[name])
        key = [c for c in ("target", "window", "level", "location", "start", "target_end_date", "output_type_id")
               if c in tables[name]]  # fmt: skip
        sort = [f.tables[name].sort_values(key).reset_index(drop=True) for f in (once, other)]
        pd.testing.assert_frame_equal(*sort)


@pytest.mark.parametrize("name", ["history", "scores", "scenarios", "forecasts"])
def test_a_table_without_rows_is_left_alone(name):
    tables, areas, _ = make_bundle(8)
    empty = pd.DataFrame({column: pd.Series(dtype="str") for column in TABLES[name].names})
    protected = protect(tables | {name: empty}, areas)
    pd.testing.assert_frame_equal(protected.tables[name], empty)


def test_a_public_run_is_left_alone():
    tables, areas, _ = make_bundle(1)
    out = protect_bundle(tables, {}, RULE, [], areas=areas)
    assert all(out.tables[n] is tables[n] for n in tables)
    assert out.quality_rows.empty


def test_a_public_target_beside_a_restricted_factor_is_left_alone_but_its_quality_rows():
    tables, areas, _ = make_bundle(1)
    tables["quality"] = pd.DataFrame({"source": ["ambulance", "police"], "rows": [3.0, 4.0]})
    out = protect_bundle(tables, DECLARATIONS, RULE, [], areas=areas, restricted_sources=["ambulance"])
    assert all(out.tables[n] is tables[n] for n in ("history", "outlook", "forecasts", "areas"))
    assert out.tables["quality"]["source"].tolist() == ["police"]
    assert out.withheld == {}


def test_rows_of_public_targets_keep_their_values_beside_restricted_ones():
    tables, areas, counts = make_bundle(2)
    public = make_history(areas, counts, FIRST, "police@1")
    both = {"history": pd.concat([tables["history"], public], ignore_index=True)}
    out = protect(both, areas)
    rows = out.tables["history"]["target"] == "police@1"
    kept = out.tables["history"][rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, public, check_flags=False)
    assert (out.states["history"].loc[rows, "recorded"] == PUBLISHED).all()


@given(seed=st.integers(0, 10**6), complete=st.booleans())
@settings(max_examples=4)
def test_groups_and_those_left_out_are_protected_with_their_total(seed, complete):
    """Total less part is a count of the others: it is not narrowed to a few people either."""
    rng = np.random.default_rng(seed)
    areas = make_areas(rng, 4)
    total = make_counts(rng, 4, 24, 2.0)
    part = rng.binomial(total.astype(int), 0.7).astype(float)
    series = {TARGET: total, "women@1": part} | ({"men@1": total - part} if complete else {})
    grain = {"lsoa21": ("financial_year",), "lad24": ("financial_year",)}
    history = pd.concat([make_history(areas, c, FIRST, t, grain) for t, c in series.items()], ignore_index=True)
    split = Parts(TARGET, tuple(t for t in series if t != TARGET), complete=complete)
    out = protect_bundle({"history": history}, DECLARATIONS, RULE, list(series), areas=areas, parts=[split])
    shown = out.with_states("history").set_index(["level", "location", "start", "target"])[["recorded", "state"]]
    for _, cell in shown.groupby(level=[0, 1, 2]):
        cell = cell.droplevel([0, 1, 2])
        blank = cell["state"].str.startswith("suppressed")
        if complete:
            assert blank.sum() != 1
        elif not blank.any():
            whole, some = (Known((), (), ROUNDED, cell.loc[t, "recorded"]).bounds(10, 5) for t in (TARGET, "women@1"))
            least, most = max(0.0, whole[0] - some[1]), whole[1] - some[0]
            assert most - least >= RULE.width or least >= RULE.suppress_below


def test_the_audit_of_published_tables_agrees():
    tables, areas, _ = make_bundle(7)
    protected = protect(tables, areas)
    audit = audit_disclosure(protected, DECLARATIONS, RULE, [TARGET], areas=areas)
    assert audit.certified
    assert audit.suppressed > 0


def test_large_problems_are_attacked_from_several_sides(monkeypatch):
    """Above the size at which all relations are solved together, each period and each place is certified apart."""
    monkeypatch.setattr(views_module, "ALL_AT_ONCE", 10)
    tables, areas, _ = make_bundle(11)
    protected = protect(tables, areas)
    audit = audit_disclosure(protected, DECLARATIONS, RULE, [TARGET], areas=areas)
    assert audit.certified
    assert audit.attacks == ("each period over all places", "each place over all periods")
    cells = known_cells(protected.with_states("history"), areas)
    assert by_subtraction(cells) == []


def test_areas_that_are_one_and_the_same_are_blank_together():
    """A partnership that is one district; and a blank code is no area."""
    areas = pd.DataFrame({"location": list("abcdef"), "csp24": ["x", "x", "y", "y", "", ""], "lad24": list("XXYYZZ")})
    counts = np.zeros((6, 12))
    counts[:, 0] = [2, 1, 30, 20, 15, 40]
    grain = {"csp24": ("financial_year",), "lad24": ("financial_year",)}
    history = make_history(areas, counts, FIRST, TARGET, grain)
    history = history[history["location"] != ""]
    shown = published_history(protect({"history": history}, areas)).set_index("location")["state"]
    assert shown["x"] == shown["X"] == SMALL
    assert shown[["y", "Y", "Z"]].tolist() == [ROUNDED] * 3


def test_parts_that_leave_nobody_out_are_taken_for_complete():
    areas = pd.DataFrame({"location": ["a", "b"], "lad24": "d"})
    men, women = np.zeros((2, 12)), np.zeros((2, 12))
    men[:, 0], women[:, 0] = [60, 40], [4, 30]
    grain = {"lsoa21": ("financial_year",)}
    series = {TARGET: men + women, "men@1": men, "women@1": women}
    history = pd.concat([make_history(areas, c, FIRST, t, grain) for t, c in series.items()], ignore_index=True)
    split = [Parts(TARGET, ("men@1", "women@1"))]
    out = protect_bundle({"history": history}, DECLARATIONS, RULE, list(series), areas=areas, parts=split)
    state = out.with_states("history").set_index(["location", "target"])["state"]
    assert state["a", "women@1"] == SMALL
    assert PROTECTS in {state["a", TARGET], state["a", "men@1"]}
    assert (state["b"] == ROUNDED).all()
    assert out.parts == (Parts(TARGET, ("men@1", "women@1"), complete=True),)
    assert audit_disclosure(out, DECLARATIONS, RULE, list(series), areas=areas).certified


def test_totals_that_are_not_the_sum_of_their_parts_are_refused():
    tables, areas, _ = make_bundle(4)
    broken = tables["history"].copy()
    broken.loc[broken["level"] == "lad24", "recorded"] += 3
    with pytest.raises(DisclosureGate, match="sum of its parts") as error:
        protect({"history": broken}, areas)
    assert error.value.exit_code == 21


def test_one_cell_with_two_values_is_refused():
    tables, areas, _ = make_bundle(4)
    tables["outlook"]["last_year"] += 1
    with pytest.raises(TableError, match="two values"):
        protect(tables, areas)


def test_a_table_that_declares_nothing_is_refused_only_where_it_matters():
    tables, areas, _ = make_bundle(4)
    tables["heat_map"] = tables["history"]
    with pytest.raises(DisclosureGate, match="does not say"):
        protect(tables, areas)
    assert protect_bundle(tables, DECLARATIONS, RULE, []).tables["heat_map"] is tables["history"]


def test_an_area_nobody_knows_is_refused():
    tables, areas, _ = make_bundle(4)
    with pytest.raises(DisclosureGate, match="does not hold"):
        protect({"history": tables["history"]}, areas.iloc[1:])


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)
def test_every_table_of_the_contracts_is_declared_with_columns_it_has(table):
    declared = DECLARATIONS.get(table.name)
    assert isinstance(declared, Declaration), f"{table.name}: say what in it is a count of a target"
    assert set(declared.columns) <= set(table.names)
    assert (declared.kind == "counts") == bool(declared.columns)
    numbers = {c.name for c in table.columns if c.unit == "records"}
    assert declared.kind != "counts" or numbers <= set(declared.columns)
