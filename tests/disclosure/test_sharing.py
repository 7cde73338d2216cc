"""Who gets what: audiences, sharing terms, the finest grain, private tables, and what a page says of its sources."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from disclosure_regions import make_areas, make_history
from riskmodel.contracts.source_specs import DisclosureSpec, FileSpec, SharingSpec, SourceSpec
from riskmodel.contracts.specs import PolicySpec
from riskmodel.contracts.tables import QUALITY, as_table
from riskmodel.contracts.target_specs import TargetSpec
from riskmodel.disclosure import (
    DECLARATIONS,
    Parts,
    Rule,
    make_rule,
    parts_of,
    protect_bundle,
    sharing_of,
    status_of,
    within_grain,
)  # fmt: skip

FILES = {"all": FileSpec(path="a.csv", published=date(2024, 1, 1), period="2021", measures={"callouts": "n"})}
WORDS = {"publisher": "p", "licence": "l", "reader": "tidy_table", "evidence": "e", "files": FILES}
PUBLIC = SourceSpec(title="Police records", **WORDS)


def restricted_source(audiences, disclosure=None) -> SourceSpec:
    terms = SharingSpec(
        controller="c", agreement="a", expires=date(2099, 1, 1), lawful_basis="b", audiences=audiences,
        disclosure=disclosure,
    )  # fmt: skip
    return SourceSpec(title="Ambulance call-outs", sensitivity="restricted", sharing=terms, **WORDS)


@pytest.mark.parametrize("laxer", [{"suppress_below": 5}, {"round_to": 3}, {"secondary": False}])
def test_a_laxer_rule_needs_a_reason(laxer):
    with pytest.raises(ValidationError, match="state the 'reason'"):
        DisclosureSpec(**laxer)
    assert make_rule(DisclosureSpec(**laxer, reason="as agreed")) == Rule(**laxer)


def test_a_stricter_rule_needs_none_and_a_policy_may_state_it():
    policy = PolicySpec(title="t", use_statement="u", disclosure=DisclosureSpec(suppress_below=20, round_to=10))
    assert make_rule(policy.disclosure) == Rule(20, 10)
    assert make_rule(PolicySpec(title="t", use_statement="u").disclosure) == Rule(10, 5)


@pytest.mark.parametrize("rule", [Rule(), Rule(12, 5), Rule(20, 10), Rule(10, 6), Rule(10, 1)])
def test_what_rounding_leaves_open_is_what_rounds_to_it(rule):
    whole = np.arange(rule.suppress_below, 200, dtype=float)
    low, high = rule.rounded_range(rule.rounded(whole), np.ones(len(whole), dtype=bool))
    for value, least, most in zip(whole, low, high, strict=True):
        same = whole[rule.rounded(whole) == rule.rounded(np.array([value]))]
        assert (least, most) == (same.min(), same.max()) or most > 190


def test_audiences_and_terms():
    terms = DisclosureSpec(suppress_below=5, round_to=1, reason="the agreement's")
    sources = {
        "v@1": PUBLIC,
        "open@1": restricted_source(["public", "partners"]),
        "own@1": restricted_source(["partners"], terms),
    }
    public = sharing_of(sources, "public", DisclosureSpec(suppress_below=20))
    assert public.restricted == {"open@1", "own@1"}
    assert public.not_shared == {"own@1"}
    assert public.rules["open@1"] == Rule(20)
    assert public.rules["own@1"] == Rule(20)
    partners = sharing_of(sources, "partners")
    assert partners.not_shared == frozenset()
    assert partners.rules == {"open@1": Rule(), "own@1": Rule(5, 1)}


def test_a_forecast_of_public_counts_stays_public_and_says_what_it_uses():
    used = status_of(PUBLIC, {"ambulance": restricted_source(["partners"]), "census": PUBLIC})
    assert not used.restricted
    assert "public" in used.sentence
    assert "Ambulance call-outs" in used.sentence
    assert "Police records" not in used.sentence
    assert status_of(PUBLIC, {"census": PUBLIC}).sentence == "All numbers come from public sources."
    assert status_of(restricted_source(["public"]), {}).restricted


def make_tables():
    rng = np.random.default_rng(0)
    areas = make_areas(rng, 6)
    counts = rng.poisson(4.0, (6, 24)).astype(float)
    grain = {level: ("month", "quarter", "financial_year") for level in ("lsoa21", "msoa21", "ward24", "lad24")}
    history = pd.concat([make_history(areas, counts, 2021 * 12 + 3, t, grain) for t in ("a@1", "b@1", "police@1")])
    return history.reset_index(drop=True), areas


def test_rows_finer_than_the_grain_are_left_out_and_counted():
    history, _ = make_tables()
    kept, gone = within_grain(history, ["a@1"])
    mine = kept[kept["target"] == "a@1"].groupby("level")["window"].unique().map(set).to_dict()
    assert mine == {
        "lsoa21": {"financial_year"},
        "msoa21": {"quarter", "financial_year"},
        "ward24": {"quarter", "financial_year"},
        "lad24": {"month", "quarter", "financial_year"},
    }
    assert len(kept) + gone == len(history)
    assert (kept["target"] == "police@1").sum() == (history["target"] == "police@1").sum()


def test_what_an_audience_does_not_get_is_left_out_and_counted_everywhere():
    history, areas = make_tables()
    scores = pd.DataFrame({"target": ["a@1", "b@1:quarter", "police@1"], "location": "x", "value": 1.0})
    quality = pd.DataFrame({"source": ["ambulance", "police"], "rows": 3.0})
    recording = pd.DataFrame({"period": ["2021-04"], "located": [3.0]})
    tables = {"history": history, "scores": scores, "quality": quality, "recording": recording, "areas": areas}
    out = protect_bundle(
        tables, DECLARATIONS, Rule(), ["a@1"], areas=areas, not_shared=["b@1"], restricted_sources=["ambulance"],
        headline="police@1",
    )  # fmt: skip
    assert set(out.tables["history"]["target"]) == {"a@1", "police@1"}
    assert out.tables["scores"]["target"].tolist() == ["police@1"]
    assert out.tables["quality"]["source"].tolist() == ["police"]
    assert out.tables["recording"] is recording
    rows = as_table(out.quality_rows, QUALITY)
    counted = rows[rows["rule"].str.startswith("rows left out")].groupby("file")["rows"].sum().to_dict()
    assert counted["history"] == len(history) - len(out.tables["history"])
    assert counted["scores"] == 2
    headline = protect_bundle(tables, DECLARATIONS, Rule(), ["a@1"], areas=areas, headline="a@1")
    assert "recording" not in headline.tables


def test_targets_that_are_parts_of_others_are_found():
    words = {"title": "t", "version": 1, "covers": "c", "leaves_out": "l", "differs": "d", "source": "ed"}

    def target(**more):
        return TargetSpec(**words, measures=["assaults"], **more)

    targets = {
        "all@1": target(),
        "women@1": target(breakdown={"sex": "female"}),
        "men@1": target(breakdown={"sex": "male"}),
        "young@1": target(breakdown={"age_band": ["0_17", "18_24"]}),
        "other@1": TargetSpec(**(words | {"source": "ambulance"}), measures=["assaults"]),
    }
    assert parts_of(targets) == [Parts("all@1", ("men@1", "women@1")), Parts("all@1", ("young@1",))]
