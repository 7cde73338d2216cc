"""The fairness page without a browser: its numbers are the tables' own, hidden ones stay hidden, words are careful."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from narrative.fairness_tables import (
    BASELINE,
    MODEL,
    RUN,
    SHA,
    SOURCE,
    Invented,
    decided,
    decision,
    invented,
)
from narrative.page_reader import Reader
from narrative.test_model_page import FORBIDDEN, HOSTILE
from riskmodel.contracts.policy_specs import PolicySpec, StopRuleSpec
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.decision_files import form_text
from riskmodel.fairness.gate import gate_of
from riskmodel.fairness.poor_base import WITHOUT_POOR_BASE
from riskmodel.narrative.bundle import MANIFEST, write_table
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.facts.file import FACTS_FILE, write_facts
from riskmodel.narrative.fairness_facts import effect_words
from riskmodel.narrative.fairness_page import build_fairness_page
from riskmodel.narrative.fairness_questions import rules_section
from riskmodel.narrative.fairness_rows import make_audited
from riskmodel.narrative.fairness_words import (
    READ,
    VERDICTS,
    group_words,
    number_words,
    per_cent_words,
    verdict_words,
)
from riskmodel.narrative.forecast_words import MINUS
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.model_words import times_words
from riskmodel.narrative.quoted import Quoted
from riskmodel.narrative.verify import verify_bundle

# What no page may say of a model: that it passes, is fair, or is free of bias.
JUDGING = re.compile(
    r"\b(pass|passes|passed|passing|fair|unfair|fairer|fairly|unbiased|bias-free|no bias)\b", re.IGNORECASE
)
KEY = ["characteristic", "group", "evidence", "source"]


def page_of(made: Invented, **changes: Any) -> str:
    shown = {
        "policy": made.policy, "characteristics": made.characteristics, "title": "Exmere",
        "target": "Recorded violence", "source": SOURCE, "model_id": MODEL, "baseline": BASELINE,
        "as_of": date(2025, 9, 1), "run_id": RUN, "audit_sha256": SHA, "state": "Draft: not approved for use",
        "tested": made.tested, "sources": made.sources, "shapes": made.shapes, "form_text": form_text(RUN, SHA),
        "links": [PageLink("forecast.html", "Forecast"), PageLink("fairness.html", "Fairness audit", True)],
    }  # fmt: skip
    return build_fairness_page(changes.pop("tables", made.tables), **(shown | changes))


def read_of(made: Invented, **changes: Any) -> Reader:
    return Reader(page_of(made, **changes))


def words_of(read: Reader) -> str:
    return re.sub(r"\s+", " ", " ".join(read.words))


def with_audit(made: Invented, audit: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {**made.tables, "audit": audit}


def with_policy(made: Invented, **changes: Any) -> PolicySpec:
    return PolicySpec.model_validate(made.policy.model_dump() | changes)


def judged_rows(made: Invented, model: str = MODEL) -> pd.DataFrame:
    """The rows that carry a verdict on single groups of one model."""
    audit = made.tables["audit"]
    kept = (audit["code"] == "M2") & (audit["part"] == "all") & (audit["model_id"] == model)
    return audit[kept & ~audit["characteristic"].str.contains(" x ", regex=False)]


def signed(value: float, digits: int = 1) -> str:
    """A signed number, written another way than the page does."""
    if round(abs(value), digits) == 0:
        return f"{0:.{digits}f}"
    return f"{value:+.{digits}f}".replace("-", MINUS)


@pytest.fixture(scope="module")
def made() -> Invented:
    return invented()


@pytest.fixture(scope="module")
def text(made: Invented) -> str:
    return page_of(made)


@pytest.fixture(scope="module")
def read(text: str) -> Reader:
    return Reader(text)


@given(st.floats(-1e4, 1e4), st.floats(-50, 50), st.floats(-50, 50))
def test_a_difference_in_words_is_never_further_off_than_its_last_digit(value: float, low: float, high: float) -> None:
    ends = dict(zip(("per_1000_low", "per_1000_high"), sorted((low, high)), strict=True))
    said = effect_words(Quoted({"per_1000": value, **ends}))
    number, way = re.match(r"([\d,.]+) (more|fewer)", said).groups()
    shown = float(number.replace(",", "")) * (1 if way == "more" else -1)
    assert abs(shown - value) <= 0.05 + 1e-6
    ends = re.search(r"between ([\d.]+)(?: (more|fewer))? and ([\d.]+) (more|fewer)", said)
    first, one, second, other = ends.groups()
    found = sorted([float(first) * (1 if (one or other) == "more" else -1),
                    float(second) * (1 if other == "more" else -1)])  # fmt: skip
    assert np.allclose(found, sorted((low, high)), atol=0.05 + 1e-6)


@given(st.floats(0.2, 5))
def test_a_ratio_in_words_keeps_its_direction(ratio: float) -> None:
    said = per_cent_words(ratio)
    whole = round(100 * (ratio - 1))
    assert said == ("as much" if whole == 0 else f"{abs(whole)}% {'more' if whole > 0 else 'less'}")


def test_the_first_line_says_what_a_forecast_of_totals_cannot_be_judged_on(read: Reader) -> None:
    after = words_of(read).partition("Fairness audit: Recorded violence")[2]
    line = after.partition("Fairness audit: Recorded violence")[2].strip()
    assert line.startswith("A forecast of totals alone cannot be judged on sex or disability:")
    assert "Counts by sex and disability, where a source gives them, were judged instead." in line[:400]


def test_the_first_line_follows_the_rows(made: Invented) -> None:
    audit = made.tables["audit"]
    no_counts = audit[~((audit["evidence"] == "outcomes") & (audit["characteristic"] == "disability"))]
    assert "For disability there were none." in page_of(made, tables=with_audit(made, no_counts))
    seen = audit.assign(verdict=audit["verdict"].replace("not_visible", "insufficient"))
    assert "cannot be judged on" not in page_of(made, tables=with_audit(made, seen))
    one = audit.copy()
    female = (one["group"] == "female") & (one["verdict"] == "not_visible")
    one.loc[female, "verdict"] = "insufficient"
    assert "cannot be judged on disability:" in page_of(made, tables=with_audit(made, one))


def test_the_counts_in_brief_are_of_groups(made: Invented, read: Reader) -> None:
    rows = judged_rows(made)
    groups = rows.groupby(["characteristic", "group"])["verdict"].agg(set)
    judged = sum(bool(verdicts & {"concern", "no_evidence"}) for verdicts in groups)
    said = words_of(read)
    assert f"groups could be judged {judged} of {len(groups)}" in said
    for way, words in (("under", "less"), ("over", "more")):
        held = rows[(rows["verdict"] == "concern") & (rows["direction"] == way)]
        number = held.groupby(["characteristic", "group"]).ngroups
        assert f"groups with a concern: {words} forecast than recorded {number}" in said


def test_every_row_that_was_asked_stands_with_its_verdict(made: Invented, read: Reader) -> None:
    rows = judged_rows(made)
    assert set(rows["verdict"]) == set(VERDICTS) - {"described"}
    wanted = sorted(verdict_words(v, s, d) for v, s, d in
                    zip(rows["verdict"], rows["severity"].fillna(""), rows["direction"].fillna(""),
                        strict=True))  # fmt: skip
    assert sorted(read.column("seen-table", "What can be said")) == wanted
    for verdict, words in VERDICTS.items():
        assert verdict == "described" or words in words_of(read).lower()


@pytest.mark.parametrize(("model", "start"), [(MODEL, "Forecast less recorded"), (BASELINE, "Counting: forecast less")])
def test_the_findings_are_the_tables_own_for_the_model_and_for_counting(
    made: Invented, read: Reader, model: str, start: str
) -> None:
    rows = judged_rows(made, model)
    hidden = judged_rows(made)[lambda t: t["verdict"] == "suppressed"].set_index(KEY).index
    wanted = []
    for row in rows[rows["source"].isin([SOURCE, "police_victims"])].itertuples():
        if (row.characteristic, row.group, row.evidence, row.source) in hidden:
            wanted.append("suppressed")
        elif row.verdict in ("not_visible", "not_assessable"):
            wanted.append("none")
        else:
            span = f"({signed(row.per_1000_low)} to {signed(row.per_1000_high)})"
            wanted.append(f"{signed(row.per_1000)}\n{span}")
    assert sorted(read.column("findings-table", start)) == sorted(wanted)


def test_each_concern_is_said_in_peoples_terms_and_read_by_use(made: Invented, read: Reader) -> None:
    said = words_of(read)
    rows = judged_rows(made)
    for row in rows[rows["verdict"] == "concern"].itertuples():
        way = "fewer" if row.per_1000 < 0 else "more"
        assert f"{abs(row.per_1000):.1f} {way} records forecast than recorded per 1,000 residents a year" in said
    assert READ["offers_of_support", "under"] in said and READ["offers_of_support", "over"] in said
    assert READ["enforcement", "under"] not in said


def test_for_enforcement_the_harms_turn_round(made: Invented) -> None:
    basis = {"legal_basis": "An act", "agreed_by": ["A"], "agreed_on": date(2025, 1, 1), "minutes": "m.pdf"}
    said = words_of(read_of(made, policy=with_policy(made, use="enforcement", enforcement=basis)))
    assert READ["enforcement", "under"] in said and READ["enforcement", "over"] in said
    assert READ["offers_of_support", "under"] not in said
    assert "An act" in said and "m.pdf" in said


def test_no_concern_is_not_called_good_news(made: Invented) -> None:
    audit = made.tables["audit"]
    calm = audit.assign(verdict=audit["verdict"].replace("concern", "no_evidence"), severity="")
    said = words_of(read_of(made, tables=with_audit(made, calm)))
    assert said.count("That is no proof that there is nothing.") == 2
    assert "No concern was found in the groups that could be judged." in said
    assert JUDGING.findall(said) == []


def test_a_suppressed_row_shows_no_number_anywhere(made: Invented) -> None:
    audit = made.tables["audit"].copy()
    own = (audit["group"] == "jewish") & (audit["source"] == SOURCE)
    numbers = {"statistic": 0.31337, "low": 0.31331, "high": 0.31339, "p": 0.31317, "per_1000": 31337.7,
               "per_1000_low": 31331.1, "per_1000_high": 31339.9, "smallest_seen": 0.31333,
               "per_1000_smallest_seen": 31333.3, "people": 313373.0}  # fmt: skip
    for name, value in numbers.items():
        audit.loc[own, name] = value
    audit.loc[own, "blocks"] = 31337
    audit.loc[own, "explanation"] = "31337 records"
    tipping = made.tables["tipping_points"].copy()
    tip = tipping["group"] == "jewish"
    tipping.loc[tip, ["prioritised_share", "need_share", "statistic"]] = [0.31337, 0.31337, np.log(1.31337)]
    tipping.loc[tip, "verdict"] = "concern"
    refits = (
        made.tables["audit_refits"]
        .iloc[[0]]
        .assign(characteristic="religion", group="jewish", people_moved=0.31337, calibration_change=math.log(1.31337))
    )
    tables = {**with_audit(made, audit), "tipping_points": tipping,
              "audit_refits": pd.concat([made.tables["audit_refits"], refits], ignore_index=True)}  # fmt: skip
    read = read_of(made, tables=tables)
    said = " ".join([*read.words, *read.packed]).replace(",", "")
    assert re.findall(r"313[0-9]|31\.3|31%", said + " ".join(read.data)) == []
    shown = [row for name in ("seen-table", "findings-table", "audit-table") for row in read.tables[name]
             if row[0] == "Jewish" and "no source" not in row[3] and "none" not in row[4]]  # fmt: skip
    assert shown and all(VERDICTS["suppressed"] in " ".join(row) for row in shown)


def test_where_nothing_can_be_seen_no_figure_reassures(made: Invented, read: Reader) -> None:
    blind = judged_rows(made)[lambda t: t["verdict"] == "not_visible"]
    assert len(blind) == 4
    assert blind["per_1000"].notna().all()
    for row in read.tables["findings-table"]:
        if row[1] in ("Sex", "Disability") and row[2] == "where people live":
            assert row[4:6] == ["none", "none"]
    drawn = [f"{t}" for t in read.words if t.startswith("Sex, by ")]
    assert drawn and all("counts by group" in title for title in drawn)
    for name in ("measures-table", "parts-table"):
        assert not {row[1] for row in read.tables[name]} & {"Sex", "Disability"}


def test_each_picture_says_what_its_table_says(made: Invented, read: Reader, text: str) -> None:
    rows = judged_rows(made)
    kept = rows["verdict"].isin(["concern", "no_evidence", "insufficient"]) & rows["source"].isin(
        [SOURCE, "police_victims"]
    )
    told = " ".join(re.findall(r'<desc id="contrast-\d+-words">(.*?)</desc>', text))
    for row in rows[kept].itertuples():
        ratio = math.exp(row.statistic)
        span = f"({signed(100 * math.expm1(row.low), 0)}% to {signed(100 * math.expm1(row.high), 0)}%)"
        assert f"the forecast {per_cent_words(ratio)} {span}" in told
    assert told.count("the forecast ") == kept.sum() == told.count("counting ")
    shares = read.column("findings-table", "The same, as a share")
    assert sum(words not in ("none", "suppressed") for words in shares) == kept.sum()


def test_counting_stands_beside_the_model(made: Invented, read: Reader) -> None:
    for model, start in ((MODEL, "The forecast"), (BASELINE, "Counting")):
        hidden = judged_rows(made)[lambda t: t["verdict"] == "suppressed"].set_index(KEY).index
        rows = judged_rows(made, model)
        verdicts = rows["verdict"].mask(rows.set_index(KEY).index.isin(hidden), "suppressed")
        counted = dict(zip(read.column("counting-table", "Verdict"), read.column("counting-table", start), strict=True))
        assert int(counted[VERDICTS["suppressed"]]) == (verdicts == "suppressed").sum()
        assert int(counted[VERDICTS["insufficient"]]) == (verdicts == "insufficient").sum()
        concerns = [int(n) for words, n in counted.items() if words.startswith("concern")]
        assert sum(concerns) == (verdicts == "concern").sum()


def test_a_forecast_that_is_counting_is_said_to_be(made: Invented) -> None:
    read = read_of(made, model_id=BASELINE)
    assert "The forecast shown is counting itself" in words_of(read)
    assert "first-counting" not in {a.get("id") for _, a in read.tags}


def test_intersections_stand_with_bounds_and_a_mark_where_they_rest_on_the_estimate(
    made: Invented, read: Reader
) -> None:
    bounds = made.tables["intersections"]
    own = bounds[bounds["model_id"] == MODEL]
    band = own[own["knowledge"] == "band"]
    point = own[own["knowledge"] == "independent"]
    assert sorted(read.column("crossing-table", "Forecast over")) == sorted(times_words(p) for p in point["point"])
    assert sorted(read.column("crossing-table", "Bounds: likely")) == sorted(
        f"{a:.2f} to {b:.2f}" for a, b in zip(band["low"], band["high"], strict=True)
    )
    marks = read.column("crossing-table", "Rests on")
    assert marks.count("yes") == (band["depends"] == "yes").sum() > 0
    assert set(read.column("crossing-table", "Bounds: all")) <= {f"{0.3 * p:.2f} and more" for p in point["point"]}


def test_the_tipping_point_is_the_supposition_nearest_to_equal(made: Invented, read: Reader) -> None:
    tipping = made.tables["tipping_points"]
    own = tipping[(tipping["model_id"] == MODEL) & (tipping["verdict"] != "suppressed")]
    changed = own[(own["changes"] == "yes") & (own["group"] != "jewish")]
    nearest = changed.groupby(["characteristic", "group"])["recorded_share"].max()
    said = [words for words in read.column("tipping-table", "If recorded less") if words != "the same verdict"]
    assert sorted(said) == sorted(f"{share:g} times as fully: concern" for share in nearest)
    assert set(read.column("tipping-table", "If recorded more")) == {"the same verdict"}


def test_the_simulation_ends_where_the_table_does(made: Invented, read: Reader) -> None:
    feedback = made.tables["feedback"]
    end = feedback[feedback["step"] == feedback["step"].max()]
    gain = end["uplift"] * end["discovered"]
    wanted = [f"{v:.2f}" for v in end.loc[gain > 0, "index"]] + ["1.06"]
    assert sorted(read.column("feedback-table", "Index")) == sorted(wanted)
    assert f"{end['index'].max():.2f} times their true share, against 1.06 if nothing" in words_of(read)


def test_parts_of_the_region_and_of_time_stand_apart(made: Invented, read: Reader) -> None:
    audit = made.tables["audit"]
    own = audit[audit["code"].isin(["M9", "M11"]) & (audit["part"] != "all") & (audit["model_id"] == MODEL)]
    assert sorted(read.column("parts-table", "Part")) == sorted(part[:1].upper() + part[1:] for part in own["part"])
    kinds = set(zip(*(read.column("parts-table", name) for name in ("Part", "Kind of part")), strict=True))
    for part, kind in (("Origin 2023-07", "origin"), ("District East", "district"),
                       ("Fifth 2 by level expected", "kind of place")):  # fmt: skip
        assert (part, kind) in kinds
    drawn = [a["id"] for t, a in read.tags if t == "title" and (a.get("id") or "").startswith("parts-")]
    assert len(drawn) == 3  # the concerns by where people live


def test_places_put_first_are_the_tables_own_and_no_map_shows_groups(made: Invented, read: Reader) -> None:
    places = made.tables["audit_places"]
    for model, start in ((MODEL, "Living in"), (BASELINE, "By counting")):
        own = places[(places["model_id"] == model) & (places["level"] == "msoa21")].sort_values("location")
        assert read.column("first-forecast-table", start) == [f"{100 * v:.0f}%" for v in own["put_first"]]
        district = places[(places["model_id"] == model) & (places["level"] == "lad24")].sort_values("location")
        column = "The forecast beside" if model == MODEL else "Counting"
        assert read.column("districts-table", column) == [per_cent_words(v) for v in district["ratio"]]
    assert {a["id"] for t, a in read.tags if t == "h3" and "-heading" in (a.get("id") or "")} == {
        "first-forecast-heading", "first-counting-heading", "map-districts-heading"
    }  # fmt: skip


def test_the_audit_without_places_of_visitors_stands_beside_the_whole(made: Invented, read: Reader) -> None:
    audit = made.tables["audit"]
    again = audit[(audit["code"] == "M2") & (audit["part"] == WITHOUT_POOR_BASE) & (audit["model_id"] == MODEL)]
    assert len(read.tables["without-table"]) == len(again) > 0
    marked = (made.tables["poor_base"]["poor_base"] == "yes").sum()
    assert f"{marked} of {len(made.tables['poor_base'])} small areas are marked" in words_of(read)


def test_each_request_is_ready_to_be_sent(made: Invented, read: Reader) -> None:
    requests = made.tables["data_requests"]
    said = words_of(read)
    for row in requests.itertuples():
        for words in (row.wanted, row.columns, row.breakdowns, row.who, group_words(row.group)):
            assert words in said
    assert "records needed of each group: 2,400" in said


def test_many_groups_of_one_request_are_counted_and_listed(made: Invented) -> None:
    held = made.tables["data_requests"]
    many = pd.concat([held.iloc[:1].assign(group=f"group_{n}", least_records=200.0 + n) for n in range(9)])
    read = read_of(made, tables={**made.tables, "data_requests": many})
    said = words_of(read)
    assert "9 groups: " in said
    assert "records needed of each group: 200 to 208, by group" in said
    assert "Group 1" not in said.partition("Every group that is asked about")[0]
    assert [row[0] for row in read.tables["requests-table"]] == [f"Group {n}" for n in range(9)]


def test_other_services_records_stand_apart_and_meet_no_stop_rule(made: Invented, read: Reader) -> None:
    audit, said = made.tables["audit"], words_of(read)
    beside = audit[(audit["part"] == "against ambulance") & (audit["model_id"] == MODEL)]
    assert len(read.tables["streams-table"]) == len(beside) > 0
    assert "Beside other services' records Compared with everyone else, less was forecast than recorded" in said
    assert "Whose violence does each service see" in said
    of_parts = audit.assign(verdict=audit["verdict"].where(audit["part"] != "all", "no_evidence"))
    page = words_of(read_of(made, tables={**made.tables, "audit": of_parts}))
    assert "This audit has no such concern." in page
    assert "This audit has that" not in page


@pytest.mark.parametrize("when", ["concern_at_action", "concern_at_notice"])
def test_a_stop_rule_is_said_to_be_met_where_the_gate_says_so(made: Invented, when: str) -> None:
    rule = StopRuleSpec.model_validate({"when": when, "then": "It is not used."})
    policy = made.policy.model_copy(update={"stop_rules": [rule]})
    for model in (MODEL, BASELINE):
        met = gate_of(made.tables["audit"], policy, model).stops
        said = words_of(read_of(made, policy=policy, model_id=model))
        assert ("This audit has that: " in said) == met
    assert "TO BE COMPLETED" in said.partition("Asked of, by whom and when")[2][:30]


def test_what_changed_is_what_differs_from_the_last_audit(made: Invented) -> None:
    earlier = made.tables["audit"].copy()
    white = judged_rows(made)[lambda t: t["group"] == "white"].index
    earlier.loc[white, ["verdict", "severity"]] = ["insufficient", ""]
    earlier = earlier[earlier["group"] != "asian"]
    read = read_of(made, earlier=earlier, earlier_run="fedcba9876543210")
    changed = {(row[0], row[3], row[4]) for row in read.tables["changed-table"] if "and" not in row[0]}
    assert ("White", VERDICTS["insufficient"], verdict_words("concern", "notice", "over")) in changed
    assert {then for group, then, _ in changed if group == "Asian"} == {"not audited"}
    assert {group for group, _, _ in changed} == {"White", "Asian"}
    assert "Compared with the audit of run fedcba9876543210" in words_of(read)
    assert "changed-table" not in read_of(made, earlier=made.tables["audit"]).tables


def test_without_an_earlier_audit_that_is_said(read: Reader) -> None:
    assert "No earlier audit was named to compare with." in words_of(read)


def test_what_the_policy_leaves_empty_is_to_be_completed(made: Invented, read: Reader) -> None:
    for term in ("Contact", "How to challenge", "View of the community"):
        assert f"{term} TO BE COMPLETED" in words_of(read)
    filled = with_policy(
        made, contact="ethics@example.org", how_to_challenge="Write to us", community_view="Heard in May"
    )
    said = words_of(read_of(made, policy=filled))
    for words in ("Contact ethics@example.org", "How to challenge Write to us", "View of the community Heard in May"):
        assert words in said
    assert "No view of the community is recorded" not in said


def test_stop_rules_say_whether_they_are_met(made: Invented) -> None:
    rules = [
        {"when": "concern_at_action", "characteristics": ["ethnic_group"], "then": "Stop."},
        {"when": "concern_at_action", "characteristics": ["religion"], "then": "Stop too."},
        {"when": "concern_at_notice", "characteristics": ["deprivation"], "then": "Tell."},
    ]
    said = words_of(read_of(made, policy=with_policy(made, stop_rules=rules)))
    assert "on ethnic group: Stop. This audit has that: Black (ethnic group)." in said
    assert "on religion: Stop too. This audit has no such concern." in said
    assert re.search(r"on deprivation: Tell\. This audit has that: .*Most deprived fifth", said)


@pytest.mark.parametrize("when", ["concern_at_action", "concern_at_notice"])
@pytest.mark.parametrize("names", [[], ["sex"], ["religion"], ["deprivation", "age_band"]])
def test_the_page_and_the_gate_agree_on_stop_rules(made: Invented, when: str, names: list[str]) -> None:
    rule = {"when": when, "characteristics": names, "then": "Stop."}
    policy = with_policy(made, stop_rules=[rule])
    audited = make_audited(made.tables["audit"], model_id=MODEL, baseline=BASELINE, source=SOURCE, policy=policy,
                           characteristics=made.characteristics, sources={})  # fmt: skip
    said = rules_section(audited, as_of=date(2025, 9, 1)).parts[0].bullets
    assert ("This audit has that" in said[0]) == gate_of(made.tables["audit"], policy, MODEL).stops


def test_a_concern_of_another_packages_check_is_said(made: Invented) -> None:
    audit = made.tables["audit"].copy()
    row = audit.index[(audit["code"] == "M5") & (audit["model_id"] == MODEL) & (audit["group"] == "asian")]
    audit.loc[row, ["code", "verdict", "severity", "explanation"]] = ["X1", "concern", "notice", "Farther off."]
    said = words_of(read_of(made, tables=with_audit(made, audit)))
    assert "Concerns of other checks" in said and "Farther off." in said


def test_a_permission_that_ran_out_permits_nothing(made: Invented) -> None:
    held = [
        {"factor": "community/knife_records", "reason": "A trial", "decided_by": "The board", "expires": expires}
        for expires in (date(2025, 8, 31), date(2025, 9, 1))
    ]
    said = words_of(read_of(made, policy=with_policy(made, permitted_factors=held)))
    assert "ran out on 31 August 2025: it permits nothing any more" in said
    assert "runs out on 1 September 2025." in said
    assert said.count("A trial. Decided by The board") == 2


def test_the_form_names_exactly_this_audit_and_all_answers(made: Invented, read: Reader) -> None:
    form = words_of(read).rpartition("Decision form")[2]
    for words in (
        RUN,
        SHA,
        made.policy.rules_sha256[:16],
        MODEL,
        f"riskmodel decide {RUN} --form FILE",
        f'run: "{RUN}"',
    ):
        assert words in form
    for code in ("accept", "accept_with_conditions", "defer", "refuse"):
        assert f" {code} " in form
    for words in ("Reasons", "Information needed", "Dissent", "Interests declared", "Decided by", "Link to the minutes",
                  "Review on"):  # fmt: skip
        assert words in form
    assert read.headings["conditions"] == ["Number", "Condition", "Owner", "Due by"]
    assert not read.of("form") and not read.of("input")[3:]


def test_decisions_stand_or_are_void_with_the_reason(made: Invented, read: Reader) -> None:
    assert "Nothing is decided yet." in words_of(read)
    first = decision(
        verdict="defer", conditions=[], information_needed=["Counts by disability"], decided_on=date(2025, 9, 9)
    )
    held = [decided(first), decided(decision(), "the audit is not the one that was decided on", "another policy")]
    said = words_of(read_of(made, decisions=held))
    assert "is void: the audit is not the one that was decided on; another policy." in said
    assert said.index("2 October 2025: Accept with conditions (void)") < said.index("9 September 2025: Defer")
    for words in ("Counts by disability", "Ask for counts by disability (The unit's analyst, by 31 January 2026)",
                  "One member held", "minutes/2025-10-02.pdf", "A. Reviewer and B. Reviewer"):  # fmt: skip
        assert words in said
    standing = words_of(read_of(made, decisions=[decided(decision())]))
    assert "The newest decision stands: Accept with conditions, on 2 October 2025." in standing


def test_what_is_measured_and_what_is_tested_are_apart_and_marked(made: Invented, read: Reader) -> None:
    said = words_of(read)
    assert "What was found Measured on your data" in said
    assert "How good this audit is Tested on an invented region" in said
    listed = {tuple(row[:2]): row[3] for row in read.tables["tested-table"]}
    assert listed == {(t.what, t.evidence): f"{100 * t.found:.0f}%" for t in made.tested}
    assert "Where nothing was wrong, at most: a concern in 2% of 400 regions" in said
    assert "The wrong it missed most often: a concern in 44% of 400 regions" in said
    assert "The wrong it found most often: a concern in 96% of 400 regions" in said
    apart = words_of(read_of(made, invented=True))
    assert "Measured on this run's data: Exmere is an invented region" in apart
    assert "Measured on your data" not in apart
    assert "docs/benchmarks.md has them" in words_of(read_of(made, tested=[]))


def test_the_questions_come_of_what_was_found(made: Invented, read: Reader) -> None:
    said = words_of(read).partition("On what was found")[2]
    assert said.strip().startswith("Less was forecast than recorded for Black (ethnic group)")
    audit = made.tables["audit"]
    calm = audit[audit["verdict"] == "no_evidence"]
    quiet = words_of(read_of(made, tables={"audit": calm, "places": made.tables["places"]}))
    assert "On what could not be seen" not in quiet and "On what was found" not in quiet
    assert "What would make you stop using the forecast?" in quiet


def test_the_analysts_table_is_the_audit(made: Invented, read: Reader) -> None:
    audit = made.tables["audit"]
    crossed = audit["characteristic"].str.contains(" x ", regex=False)
    kept = (audit["part"] == "all") & (~crossed | (audit["model_id"].isin([MODEL, BASELINE]) & (audit["code"] == "M2")))
    hidden = audit[(audit["verdict"] == "suppressed")].set_index(KEY).index
    rows = audit[kept]
    secret = rows.set_index(KEY).index.isin(hidden)
    wanted = sorted(
        f"{v:.3g}".replace("-", MINUS) if v == v else "not available" for v in rows.loc[~secret, "statistic"]
    )
    assert sorted([*wanted, *["suppressed"] * int(secret.sum())]) == sorted(read.column("audit-table", "Statistic"))
    assert "the group live than where others do" in words_of(read)


@pytest.mark.parametrize(
    "name",
    [
        "audit_places",
        "audit_refits",
        "data_requests",
        "feedback",
        "intersections",
        "poor_base",
        "proxies",
        "tipping_points",
    ],
)
def test_a_table_that_is_not_there_is_said_to_be(made: Invented, name: str) -> None:
    tables = {key: table for key, table in made.tables.items() if key != name}
    read = read_of(made, tables=tables)
    named = [a["id"] for _, a in read.tags if a.get("id")]
    assert len(named) == len(set(named))
    assert "Decision form" in words_of(read)


def test_the_audit_and_places_are_enough(made: Invented) -> None:
    said = words_of(read_of(made, tables={n: made.tables[n] for n in ("audit", "places")}, shapes={}))
    assert said.count("This was not worked out in this run.") >= 4


def test_nothing_passes_is_fair_or_speaks_of_causes(read: Reader) -> None:
    said = " ".join([*read.words, *read.data])
    assert JUDGING.findall(said) == []
    assert FORBIDDEN.findall(said) == []


def test_every_picture_has_a_title_a_text_and_its_own_ids(read: Reader) -> None:
    named = [a["id"] for _, a in read.tags if a.get("id")]
    assert len(named) == len(set(named))
    for drawn in read.of("svg"):
        if drawn.get("role") == "img":
            wanted = f"{drawn['aria-labelledby']} {drawn.get('aria-describedby') or ''}".split()
            assert set(wanted) <= set(named)


def test_it_asks_nothing_of_anyone_and_is_the_same_twice(made: Invented, read: Reader, text: str) -> None:
    assert [a for _, a in read.tags if a.get("src") or (a.get("href") or "").startswith(("http", "//"))] == []
    assert page_of(made) == text


def test_hostile_names_are_words(made: Invented) -> None:
    turned = {group: f"{HOSTILE[n % len(HOSTILE)]} {n}" for n, group in
              enumerate(sorted(set(made.tables["audit"]["group"]) - {"female", "male"}))}  # fmt: skip
    tables = {
        name: table.assign(group=table["group"].replace(turned)) if "group" in table else table
        for name, table in made.tables.items()
    }
    tables["audit"] = tables["audit"].assign(explanation=HOSTILE[0], question=HOSTILE[3])
    tables["data_requests"] = tables["data_requests"].assign(wanted=HOSTILE[0], who=HOSTILE[1])
    tables["places"] = tables["places"].assign(name=HOSTILE[3])
    policy = with_policy(made, contact=HOSTILE[0], use_statement=HOSTILE[3])
    spec = decision(reasons=HOSTILE[0], dissent=HOSTILE[3], minutes="javascript:alert(1)")
    text = page_of(made, tables=tables, policy=policy, decisions=[decided(spec, HOSTILE[0])], title=HOSTILE[1],
                   form_text=HOSTILE[0], tested=[replace(made.tested[0], what=HOSTILE[3])])  # fmt: skip
    read = Reader(text)
    assert {t for t, _ in read.tags} == {t for t, _ in Reader(page_of(made, decisions=[decided(spec)])).tags}
    assert not read.of("b") and not any("onmouseover" in a for _, a in read.tags)
    assert HOSTILE[0] in " ".join(read.words)
    assert not any((a.get("href") or "").startswith("javascript") for _, a in read.tags)


def test_nine_models_fifty_groups_and_1500_areas_stay_under_three_megabytes() -> None:
    large = invented(models=9, crossed=5, more=True, areas=1500)
    single = large.tables["audit"][
        lambda t: ~t["characteristic"].str.contains(" x ", regex=False) & (t["part"] == "all")
    ]
    assert single.groupby(["characteristic", "group"]).ngroups >= 50
    assert single["code"].nunique() == 11 and single["model_id"].nunique() == 9
    text = page_of(large, book=FactBook(large.tables, RUN))
    assert len(text.encode()) < 3_000_000
    assert len(Reader(text).tables["audit-table"]) >= len(single)


def test_a_signed_number_is_read_as_it_is(made: Invented) -> None:
    for value in made.tables["audit"]["per_1000"].dropna().head(200):
        assert number_words(value) == signed(value)


def test_with_a_book_the_page_says_the_same_and_every_number_is_a_fact(made: Invented, tmp_path: Path) -> None:
    """The facts are worked out again from the tables as they are written, and held against the page."""
    tables = {name: table.round(6) for name, table in made.tables.items()}
    read = read_of(made, tables=tables)
    book = FactBook(tables, RUN)
    page = page_of(made, tables=tables, book=book, policy_source="fairness/policies/default.yaml")
    other = Reader(page)
    assert other.tables == read.tables
    assert "".join(words_of(other).split()) == "".join(words_of(read).split())
    (tmp_path / "tables").mkdir()
    for name, table in tables.items():
        write_table(tmp_path / "tables" / f"{name}.csv", table)
    (tmp_path / "fairness.html").write_text(page, encoding="utf-8")
    write_facts(tmp_path / FACTS_FILE, book)
    (tmp_path / MANIFEST).write_text(json.dumps({"files": {}, "run_id": RUN}), encoding="utf-8")
    held = verify_bundle(tmp_path)
    assert held.wrong == ()
    assert held.quoted > 5_000
    quoted = {fact.fact_id: fact for fact in book.facts}
    declared = {fact.fact_id: fact.value for fact in book.facts if fact.source == "fairness/policies/default.yaml"}
    assert declared["policy.bounds.calibration_ratio.notice"] == made.policy.bounds.calibration_ratio.notice
    assert quoted["fairness.judged"].formulas[0][0] == "distinct"


def test_nothing_of_a_withheld_row_is_a_fact(made: Invented) -> None:
    """Even where the table still holds its numbers, and where only another model's row is withheld."""
    book = FactBook(made.tables, RUN)
    page_of(made, book=book)
    audit = made.tables["audit"].reset_index(drop=True)
    secret = audit[(audit["verdict"] == "suppressed") & (audit["code"] == "M2") & (audit["part"] == "all")]
    hidden = audit.set_index(KEY).index.isin(secret.set_index(KEY).index) | (audit["verdict"] == "suppressed")
    assert hidden.sum() > len(secret) > 0
    assert audit.loc[hidden, "statistic"].notna().any()
    cells = {tuple(f[1:3]) for fact in book.facts for f in fact.formulas if f[0] == "cell" and f[1] == "audit"}
    assert len(cells) > 500
    assert not cells & {("audit", int(row)) for row in audit.index[hidden]}


def test_a_counted_fact_counts_what_the_page_counts(made: Invented) -> None:
    """Conditions are used where they give the number, and rows are named where the page withholds more."""
    whole = FactBook(made.tables, RUN)
    page_of(made, book=whole)
    facts = {fact.fact_id: fact for fact in whole.facts}
    audit = made.tables["audit"]
    hidden = audit[audit["verdict"] == "suppressed"].set_index(KEY).index
    rows = judged_rows(made, BASELINE)
    rows = rows.assign(verdict=rows["verdict"].mask(rows.set_index(KEY).index.isin(hidden), "suppressed"))
    for verdict, number in rows["verdict"].value_counts().items():
        if verdict != "concern":
            assert facts[f"fairness.counting.counting.{verdict}"].value == number
    assert facts["fairness.counting.counting.suppressed"].formulas[0][0] == "rows"
    assert facts["fairness.counting.forecast.suppressed"].formulas[0][0] == "count"


def test_whatever_people_write_a_page_with_a_book_can_be_made(made: Invented) -> None:
    """Digits of names, dates and other people's sentences are no numbers of the run; those of an audit before are."""
    policy = with_policy(
        made, contact="Room 4, 01452 000000", use_statement="Offers for 12 weeks", community_view="Heard on 3 May",
        how_to_challenge="Within 28 days", title="Version 2",
        stop_rules=[{"when": "concern_at_notice", "characteristics": [], "then": "Stop within 5 days."}],
        permitted_factors=[{"factor": "community/pm2_5", "reason": "Agreed 2 to 1", "decided_by": "Board 7",
                            "expires": date(2025, 9, 1)}],
    )  # fmt: skip
    names = made.tables["places"].assign(name=[f"Ward {n}" for n in range(len(made.tables["places"]))])
    tables = {**made.tables, "places": names}
    changes = {
        "policy": policy, "tables": tables, "decisions": [decided(decision(), "the audit of 4 May")],
        "title": "Region 9", "target": "Violence, 2 kinds", "earlier_run": "fedcba9876543210",
        "earlier_model": BASELINE, "earlier": made.tables["audit"].assign(verdict="insufficient", severity=""),
    }  # fmt: skip
    book = FactBook(tables, RUN)
    page = page_of(made, book=book, **changes)
    assert Reader(page).tables == Reader(page_of(made, **changes)).tables
    before = [fact for fact in book.facts if fact.fact_id.startswith("earlier_audit.")]
    assert before and {fact.origin for fact in before} == {"declared"}
    assert all("fedcba9876543210" in fact.source for fact in before)
    with pytest.raises(TableError, match="numbers that are no facts"):
        page_of(made, book=FactBook(tables, RUN), tested=[replace(made.tested[0], evidence="the 3 counts")])
