"""What changed since an earlier run: every value is one that a run has published, and like is compared with like."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import assessment_builders as given
from conftest import contents
from deciding_builders import AUDITED, Stored, audit_rows, new_workspace, store_audited
from riskmodel.contracts.errors import UsageError
from riskmodel.narrative.verify import verify_bundle
from riskmodel.tracking import find_run
from riskmodel.workflow import narrate_run
from riskmodel.workflow.deciding import decide_run
from riskmodel.workflow.narrating import fetch_kept, since_of
from riskmodel.workflow.narration import Narration, read_narration
from riskmodel.workflow.since import SINCE_NEEDS, build_since

EARLIER, THEN = "0000aaaa0000aaaa", date(2025, 9, 1)
DAY = {"decided_on": "2026-05-02", "decided_by": '["A. Name"]', "reasons": '"Read."'}
CHANGED = [row | ({"verdict": "not_visible"} if row.get("group") == "asian" else {}) for row in AUDITED]


@pytest.fixture(scope="module")
def stored(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Two runs in one store: an earlier one with another answer in its audit, then the small run itself."""
    root = new_workspace(tmp_path_factory.mktemp("since") / "w")
    store_audited(small_run.workspace, root, audit_rows(*CHANGED), run_id=EARLIER, as_of=THEN)
    return store_audited(small_run.workspace, root, audit_rows(*AUDITED))


@pytest.fixture(scope="module")
def now(stored: Stored) -> Narration:
    """The small run with invented counts: its own forecast does not reach over twelve months."""
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(find_run("small@latest", workspace=stored.root), Path(scratch))
        held = read_narration(kept.narration, kept.bundle / "tables", only=SINCE_NEEDS)
    counts = {name: given.tables()[name] for name in ("outlook", "history", "places")}
    return replace(held, tables={**held.tables, **counts})


def earlier(now: Narration, about: dict[str, Any] | None = None, **tables: Callable[[pd.DataFrame], Any]) -> Narration:
    """The narration as an earlier run, with some of its tables changed."""
    changed = {name: change(now.tables[name].copy()) for name, change in tables.items()}
    said = now.about.model_copy(update={"run_id": EARLIER, "as_of": THEN, **(about or {})})
    return replace(now, about=said, tables={**now.tables, **changed})


def rows(table: pd.DataFrame, what: str) -> pd.DataFrame:
    return table[table["what"] == what]


def test_expected_and_recorded_are_those_of_both_runs(now: Narration) -> None:
    """Held against a plain loop over both runs' tables."""
    shares = np.resize([0.5, 1.0, 2.0], len(now.tables["outlook"]))
    ends = ("mean", "low", "high")
    before = earlier(now, outlook=lambda t: t.assign(**{end: t[end] * shares for end in ends}))
    table, withheld = build_since(now, before)
    assert not withheld.any(axis=None)
    outlook, history = now.tables["outlook"], now.tables["history"]
    wide = {"pfa", "csp24", "lad24", "local"}
    expected = {
        (r["target"], r["location"]): (r, share)
        for r, share in zip(outlook.to_dict("records"), shares, strict=True)
        if r["window"] == "12_months" and r["level"] in wide
    }
    found = rows(table, "expected")
    assert len(found) == len(expected) > 0
    for row in found.to_dict("records"):
        own, share = expected[row["target"], row["location"]]
        assert (row["before"], row["now"]) == (own["mean"] * share, own["mean"])
        assert row["note"] == {0.5: "more", 1.0: "the ranges meet", 2.0: "fewer"}[share]
    for row in rows(table, "recorded").to_dict("records"):
        whole = [
            r for r in history.to_dict("records")
            if r["window"] == "12_months" and r["months_held"] == r["months_of"]
            and (r["target"], r["location"]) == (row["target"], row["location"])
        ]  # fmt: skip
        newest = max(whole, key=lambda r: r["end"])
        assert row["before"] == row["now"] == newest["recorded"] == 3023
        assert row["now_words"].endswith(str(newest["end"].date()))


def test_nothing_but_the_days_differs_between_equal_runs(now: Narration) -> None:
    table, _ = build_since(now, earlier(now))
    assert set(table["what"]) == {"run", "as_of", "model", "expected", "expected_low", "expected_high", "recorded"}
    numbers = table[["before", "now"]].to_numpy()
    np.testing.assert_array_equal(numbers[:, 0], numbers[:, 1])


def test_a_withheld_number_stays_withheld(now: Narration) -> None:
    outlook = now.tables["outlook"]
    mask = pd.DataFrame(data=False, index=outlook.index, columns=outlook.columns)
    one = outlook.index[(outlook["window"] == "12_months") & (outlook["level"] == "lad24")][0]
    mask.loc[one, "mean"] = True
    before = replace(
        earlier(now, outlook=lambda t: t.assign(mean=t["mean"].mask(t.index == one))), withheld={"outlook": mask}
    )
    table, withheld = build_since(now, before)
    (at,) = withheld.index[withheld["before"]]
    assert (table["what"][at], table["location"][at]) == ("expected", outlook["location"][one])
    assert np.isnan(table["before"][at])
    assert not withheld["now"].any()


def test_a_target_that_is_counted_in_another_way_is_said_and_not_compared(now: Narration) -> None:
    label = now.about.target
    changed = earlier(now, streams=lambda t: t.assign(definition_sha256="another"))
    table, _ = build_since(now, changed)
    (row,) = rows(table, "definition").to_dict("records")
    assert (row["target"], row["note"]) == (label, "counted in another way now")
    assert not len(rows(table, "expected"))
    renamed = label.replace("@1", "@2")
    targets = {renamed: now.about.targets[label]}
    table, _ = build_since(now, earlier(now, {"targets": targets}, streams=lambda t: t.assign(target=renamed)))
    (row,) = rows(table, "definition").to_dict("records")
    assert (row["before_words"], row["now_words"]) == (renamed, label)
    assert not len(rows(table, "recorded"))


def test_conditions_that_became_or_ceased_to_be_stable_are_named(now: Narration) -> None:
    def clusters(*marks: str) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "kind": "cluster", "unit": ["society/a", "society/b", "society/c"],
                "members": ["society/a; society/d", "society/b", "society/c"], "mark": marks, "sign_agreement": 0.9,
            }
        )  # fmt: skip

    ours = replace(now, tables={**now.tables, "stability": clusters("stable", "uncertain", "stable")})
    table, _ = build_since(ours, earlier(ours, stability=lambda _: clusters("uncertain", "stable", "stable")))
    found = rows(table, "condition").set_index("name")
    assert found["before_words"].to_dict() == {"society/a; society/d": "uncertain", "society/b": "stable"}
    assert found["now_words"].to_dict() == {"society/a; society/d": "stable", "society/b": "uncertain"}
    assert (found[["before", "now"]] == 0.9).all(axis=None)


def test_sources_that_came_and_went_are_named(now: Narration) -> None:
    first, *others = now.about.credited
    table, _ = build_since(now, earlier(now, {"credited": others}))
    assert rows(table, "source")[["name", "before_words", "now_words"]].to_numpy().tolist() == [
        [first, "not held", "held"]
    ]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"region": "Elsewhere"}, "different regions"),
        ({"as_of": date(2199, 1, 1)}, "the later of the two"),
        ({"audience": "partners"}, "was written for partners"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(now: Narration, about: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build_since(now, earlier(now, about))
    with pytest.raises(UsageError, match="cannot be compared with itself"):
        build_since(now, now)


def test_narrate_since_an_earlier_run(stored: Stored, command_here: Any, tmp_path: Path) -> None:
    asked = ("narrate", "small@latest", "--workspace", stored.root, "--out")
    assert command_here(*asked, tmp_path / "plain").code == 0
    done = command_here(*asked, tmp_path / "since", "--since", EARLIER[:6], "--json")
    assert done.code == 0, done.err
    before, after = contents(tmp_path / "plain"), contents(tmp_path / "since")
    assert set(after) - set(before) == {"tables/since.csv"}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "index.html", "fairness.html", "narrative.docx", "facts.json", "manifest.json", "tables/csv-metadata.json",
    }  # fmt: skip
    ages = done.json["reading_ages"]
    assert set(ages) == {name for name in after if "/" not in name and name.endswith(".html")}
    assert all(8 < years < 18 for years in ages.values())
    found = verify_bundle(tmp_path / "since", expect=done.json["manifest_sha256"])
    assert found.holds, found.problems
    assert json.loads(after["manifest.json"])["since"] == EARLIER
    page = after["index.html"].decode()
    assert "What changed since the last assessment" in page
    assert f"The last assessment was made from run {EARLIER}, as of 1 September 2025." in page
    assert "cannot be seen this way" in page
    assert b"What changed since" not in before["index.html"]
    assert f"Compared with the audit of run {EARLIER}." in after["fairness.html"].decode()
    assert b"No earlier audit was named" in before["fairness.html"]
    again = narrate_run("small@latest", workspace=stored.root, out=tmp_path / "again", since=EARLIER)
    assert contents(again.out) == after
    unknown = command_here(*asked, tmp_path / "none", "--since", "ffff")
    assert unknown.code == 2
    assert not (tmp_path / "none").exists()


def test_a_decision_leaves_what_changed_on_the_pages(stored: Stored, tmp_path: Path) -> None:
    room, out = tmp_path / "w", tmp_path / "bundle"
    shutil.copytree(stored.root, room, ignore=shutil.ignore_patterns("build"))
    narrate_run("small@latest", workspace=room, out=out, since=EARLIER)
    form = replace(stored, bundle=out).form(tmp_path / "form.yaml", verdict="refuse", **DAY)
    done = decide_run("small@latest", form, workspace=room, out=out)
    assert done.narrated.review.state.words == "Refused on 2 May 2026: not for use"
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "What changed since the last assessment" in page and "Refused on 2 May 2026" in page
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["since"] == EARLIER
    assert verify_bundle(out, expect=done.narrated.manifest_sha256).holds


def test_a_decision_is_not_made_where_the_earlier_run_is_gone(stored: Stored, tmp_path: Path) -> None:
    room, out = tmp_path / "w", tmp_path / "bundle"
    shutil.copytree(stored.root, room, ignore=shutil.ignore_patterns("build"))
    narrate_run("small@latest", workspace=room, out=out, since=EARLIER)
    manifest = out / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(EARLIER, "f" * 16), encoding="utf-8")
    form = replace(stored, bundle=out).form(tmp_path / "form.yaml", verdict="refuse", **DAY)
    with pytest.raises(UsageError, match="not held any more"):
        decide_run("small@latest", form, workspace=room, out=out)
    assert not list((room / "fairness" / "decisions").glob("*.yaml"))


def test_only_a_bundle_of_the_same_run_says_what_it_was_compared_with(tmp_path: Path) -> None:
    assert since_of(tmp_path, "a") is None
    (tmp_path / "manifest.json").write_text('{"run_id": "a", "since": "b"}', encoding="utf-8")
    assert (since_of(tmp_path, "a"), since_of(tmp_path, "other")) == ("b", None)
    (tmp_path / "manifest.json").write_text('{"run_id": "a"}', encoding="utf-8")
    assert since_of(tmp_path, "a") is None
