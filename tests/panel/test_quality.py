"""The quality table: for every month and measure the rows add up, and every issue not used is named."""

from __future__ import annotations

import zipfile
from datetime import date

import pandas as pd
import pytest

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.panel.build import default_as_of
from riskmodel.panel.quality import build_quality, quality_row
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.definitions import read_definitions
from riskmodel.workflow.held import Held, ingest


@pytest.fixture
def held(workspace: Workspace, synthetic_region: SyntheticRegion) -> Held:
    return ingest(read_definitions(workspace, "demo"), synthetic_region.directory)


def quality(held: Held, day: date, **extra) -> pd.DataFrame:
    return build_quality(held.panel, held.store, held.files, as_of=day, **extra)


def police(table: pd.DataFrame) -> pd.DataFrame:
    return table[table.source == "police_uk"]


def test_every_raw_row_is_in_one_place(held: Held):
    """For each month and measure: raw rows = duplicates + unlocated + out of force + located."""
    table = police(quality(held, default_as_of(held.panel, "police_uk")))
    wide = table.pivot_table(index=["file", "period", "measure"], columns="rule", values="rows")
    used = wide.dropna(subset=["located"])
    # A measure nobody recorded in a month has no row of its own in that file.
    counted = used[["raw rows", "duplicates", "unlocated", "out of force", "located"]].fillna(0)
    parts = counted["duplicates"] + counted["unlocated"] + counted["out of force"] + counted["located"]
    assert (counted["raw rows"] == parts).all()
    assert len(used) == used.index.get_level_values("period").nunique() * 15
    assert (used["rows without an LSOA"].fillna(0) == used["unlocated"]).all()
    assert counted["duplicates"].sum() > 0
    assert counted["out of force"].sum() > 0


def test_all_is_the_sum_of_the_measures(held: Held):
    table = police(quality(held, default_as_of(held.panel, "police_uk")))
    for rule in ("located", "unlocated", "out of force", "raw rows", "duplicates"):
        rows = table[table.rule == rule]
        total = rows[rows.measure == "all"].set_index(["file", "period"]).rows
        parts = rows[rows.measure != "all"].groupby(["file", "period"]).rows.sum()
        assert (total == parts.loc[total.index]).all(), rule


def test_raw_rows_are_the_lines_of_the_files(held: Held, synthetic_region: SyntheticRegion):
    table = police(quality(held, default_as_of(held.panel, "police_uk")))
    raw = table[(table.rule == "raw rows") & (table.measure == "all")].set_index("file").rows
    for name, rows in raw.items():
        if "!" in name:
            archive, member = name.split("!")
            with zipfile.ZipFile(synthetic_region.directory / archive) as opened, opened.open(member) as text:
                lines = len(pd.read_csv(text, dtype=str))
        else:
            lines = len(pd.read_csv(synthetic_region.directory / name, dtype=str))
        assert rows == lines


def test_issues_not_used_are_named_with_the_reason(held: Held, synthetic_region: SyntheticRegion):
    revised = set(synthetic_region.revised_months)
    before, after = (police(quality(held, day)) for day in (date(2025, 4, 1), date(2025, 5, 1)))
    unseen = before[before.rule == "issue not yet visible"]
    again = unseen[unseen.file.str.contains("zip!")]
    assert set(again.period) == revised
    # On 2025-04-01 the month 2025-01 is the newest.
    assert set(unseen.period) - revised == {m for m in synthetic_region.months if m > "2025-01"}
    superseded = after[after.rule == "issue superseded"]
    assert set(superseded.period) == revised
    assert not superseded.file.str.contains("zip!").any()
    assert before[before.rule == "issue superseded"].empty


def test_a_missing_month_is_said_to_be_missing(held: Held, synthetic_region: SyntheticRegion):
    table = police(quality(held, default_as_of(held.panel, "police_uk")))
    assert tuple(table[table.rule == "month missing"].period) == synthetic_region.missing_months


def test_rows_of_other_rooms_are_kept_and_the_order_is_fixed(held: Held):
    day = default_as_of(held.panel, "police_uk")
    extra = [quality_row("run", "factor left out", 1, note="n"), quality_row("a", "b", 2)]
    table = quality(held, day, extra=extra)
    assert set(table[table.source.isin(["run", "a"])].rule) == {"factor left out", "b"}
    assert table.equals(quality(held, day, extra=reversed(extra)))
    keys = table[["source", "period", "file", "measure", "rule"]].apply(tuple, axis=1).tolist()
    assert keys == sorted(keys)
