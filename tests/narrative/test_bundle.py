"""What a run leaves: every file hashed, readable, the same in two forms, and silent about who made it where."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import socket
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from conftest import read_back
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.tables import BACKTEST, FORECASTS, as_table
from riskmodel.contracts.tables import TABLES as RECORDS
from riskmodel.forecast.hubverse import check_hubverse
from riskmodel.forecast.outlook import QUANTILES, published_grain
from riskmodel.narrative.bundle import DRAFT, file_sha256, write_bundle, write_table
from riskmodel.narrative.csvw import CSVW_FILE

TABLES = {
    "tables/forecasts.parquet", "tables/forecasts.csv", "tables/backtest.parquet", "tables/scores.csv",
    "tables/comparison.csv", "tables/factors.csv", "tables/targets.csv", "tables/quality.csv",
}  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_manifest_holds_the_hash_of_every_other_file(small_run: Any) -> None:
    held = files(small_run.out)
    manifest = json.loads(held.pop("manifest.json"))
    assert manifest["files"] == {name: hashlib.sha256(content).hexdigest() for name, content in held.items()}
    assert set(held) >= TABLES


def test_the_manifest_says_what_the_run_rests_on(small_run: Any) -> None:
    manifest = json.loads((small_run.out / "manifest.json").read_text(encoding="utf-8"))
    result = small_run.first.json
    for key in ("run_id", "experiment", "region", "as_of", "target", "headline", "state"):
        assert manifest[key] == result[key]
    data = small_run.workspace / "build" / "synthetic"
    assert len(manifest["inputs"]) >= 39
    for name, digest in manifest["inputs"].items():
        if (data / name).is_file():
            assert re.fullmatch("[0-9a-f]{64}", digest)
    assert result["manifest_sha256"] == file_sha256(small_run.out / "manifest.json")


def test_two_runs_with_one_and_two_threads_leave_the_same_bytes(small_run: Any) -> None:
    first, again = files(small_run.out), files(small_run.again)
    assert set(first) == set(again)
    assert [name for name in first if first[name] != again[name]] == []


def test_no_file_says_when_where_or_by_whom_it_was_made(small_run: Any) -> None:
    today = date.today().isoformat()
    told = [str(small_run.workspace), small_run.workspace.parent.name, today]
    user, machine = getpass.getuser(), socket.gethostname()
    for name, content in files(small_run.out).items():
        for word in [*told, *([machine] if len(machine) > 4 else [])]:
            assert word.encode() not in content, (name, word)
        if len(user) > 4 or name.endswith((".json", ".svg")):
            assert re.search(rb"(?<![A-Za-z])" + re.escape(user.encode()) + rb"(?![A-Za-z])", content) is None, name


@pytest.mark.parametrize("name", ["skill_by_horizon", "region_total"])
def test_a_figure_is_an_svg_without_a_date(small_run: Any, name: str) -> None:
    text = (small_run.out / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert text.rstrip().endswith("</svg>")
    assert "dc:date" not in text
    assert "http" not in re.sub(r'xmlns[^"]*"[^"]*"|<!DOCTYPE[^>]*>|rdf:resource="[^"]*"', "", text)


def test_a_figure_carries_the_draft_words(small_run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Letters are drawn as paths, so the words are sought in a copy whose letters stay letters."""
    import matplotlib as mpl

    from riskmodel.narrative.charts import draw_charts

    comparison = pd.read_csv(small_run.out / "tables" / "comparison.csv", dtype={"horizon": "str"})
    backtest = pd.read_parquet(small_run.out / "tables" / "backtest.parquet")
    kept = mpl.rc_context
    monkeypatch.setattr(mpl, "rc_context", lambda rc: kept({**rc, "svg.fonttype": "none"}))
    draw_charts(tmp_path, comparison=comparison, backtest=backtest, title="Lindenshire", state=DRAFT)
    for path in tmp_path.glob("*.svg"):
        assert DRAFT in path.read_text(encoding="utf-8")


def test_every_table_has_a_record_and_keeps_it(small_run: Any) -> None:
    held = sorted(p for p in (small_run.out / "tables").iterdir() if p.suffix in (".csv", ".parquet"))
    assert {p.stem for p in held} <= set(RECORDS)
    read = {p.name: as_table(read_back(p), RECORDS[p.stem]) for p in held}
    assert all(len(frame) for frame in read.values())
    assert set(read["factors.csv"]["feature"]) >= {"target.lag_0", "society/owned_homes.latest"}
    assert read["targets.csv"]["target"].tolist() == ["recorded_violence@1"]


def test_every_csv_file_is_described_beside_it(small_run: Any) -> None:
    folder = small_run.out / "tables"
    described = json.loads((folder / CSVW_FILE).read_text(encoding="utf-8"))["tables"]
    assert sorted(t["url"] for t in described) == sorted(p.name for p in folder.glob("*.csv"))


def test_forecasts_are_the_same_in_both_forms(small_run: Any) -> None:
    folder = small_run.out / "tables"
    text = pd.read_csv(folder / "forecasts.csv", parse_dates=["origin_date", "target_end_date"])
    whole = pd.read_parquet(folder / "forecasts.parquet")
    packed = published_grain(whole)
    assert 0 < len(packed) < len(whole), "areas by month are for analysts"
    assert list(text.columns) == list(packed.columns) == FORECASTS.names
    assert list(pd.read_parquet(folder / "backtest.parquet").columns) == BACKTEST.names
    for name in FORECASTS.names:
        if name == "value":
            np.testing.assert_allclose(text[name], packed[name], rtol=1e-9)
        elif name == "output_type_id":
            np.testing.assert_array_equal(text[name], packed[name])
        else:
            assert list(text[name]) == list(packed[name])


def test_forecasts_are_whole_and_in_order(small_run: Any) -> None:
    """Every area and month, those not yet published included, has a mean above the floor and quantiles in order."""
    frame = pd.read_parquet(small_run.out / "tables" / "forecasts.parquet")
    as_table(frame, FORECASTS)
    assert check_hubverse(frame) == []
    own = frame[(frame["level"] == "lsoa21") & (frame["target"] == "recorded_violence@1")]
    assert len(own) == 4 * 40 * (1 + len(QUANTILES))
    assert len(set(frame["model_id"])) == 1
    assert np.isfinite(frame["value"]).all()
    assert own.loc[own["output_type"] == "mean", "value"].min() >= 0.05
    assert set(frame["origin_date"]) == {pd.Timestamp("2026-03-01")}
    assert set(zip(own["horizon"], own["target_end_date"], strict=True)) == {
        (-1, pd.Timestamp("2026-01-31")), (0, pd.Timestamp("2026-02-28")),
        (1, pd.Timestamp("2026-03-31")), (2, pd.Timestamp("2026-04-30")),
    }  # fmt: skip
    key = ["target", "level", "horizon", "location"]
    quantiles = frame[frame["output_type"] == "quantile"].sort_values([*key, "output_type_id"])
    assert (quantiles.groupby(key)["value"].diff().dropna() >= 0).all()


def test_every_candidate_is_kept_for_analysts(small_run: Any) -> None:
    frame = pd.read_parquet(small_run.out / "tables" / "candidates.parquet")
    as_table(frame, FORECASTS)
    assert len(frame) == 4 * 4 * 40 * 6


def small_bundle(out: Path, value: float, **manifest: str) -> str:
    table = pd.DataFrame({"place": ["a", "b"], "value": [value, 0.1]})
    return write_bundle(out, tables={"one": table}, parquet=frozenset(), add=None, manifest=manifest)


def test_a_bundle_is_replaced_whole_and_leaves_no_scraps(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    first = small_bundle(out, 1.0)
    (out / "note.txt").write_text("of the earlier bundle", encoding="utf-8")
    assert small_bundle(out, 2.0) != first
    assert not (out / "note.txt").exists()
    assert small_bundle(out, 1.0) == first
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_an_empty_folder_may_become_a_bundle_and_a_file_may_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    small_bundle(tmp_path / "empty", 1.0)
    (tmp_path / "file").write_text("text", encoding="utf-8")
    with pytest.raises(UsageError, match="not a bundle"):
        small_bundle(tmp_path / "file", 1.0)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "text"


def test_a_failure_while_writing_keeps_the_earlier_bundle(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    small_bundle(out, 1.0)
    before = files(out)

    def fails(_: Path) -> None:
        raise OSError("the disk is full")

    table = pd.DataFrame({"value": [2.0]})
    with pytest.raises(OSError, match="full"):
        write_bundle(out, tables={"one": table}, parquet=frozenset(), add=fails, manifest={})
    assert files(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["bundle"]


def test_a_csv_has_the_same_line_ends_and_dates_everywhere(tmp_path: Path) -> None:
    table = pd.DataFrame({"day": pd.to_datetime(["2025-09-01"]), "name": ["Łódź, or nearby"], "value": [1 / 3]})
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_bytes() == 'day,name,value\n2025-09-01,"Łódź, or nearby",0.3333333333\n'.encode()
    with pytest.raises(UsageError, match=r"\.csv or \.parquet"):
        write_table(tmp_path / "t.ods", table)


def test_a_feature_names_the_files_it_rests_on_by_their_content(small_run: Any) -> None:
    """``files_sha256`` can be worked out again from the manifest's own hashes."""
    inputs = json.loads((small_run.out / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    factors = pd.read_csv(small_run.out / "tables" / "factors.csv").set_index("feature")
    street = sorted(f"{sha}  {name}" for name, sha in inputs.items() if name.startswith("police/"))
    row = factors.loc["target.rolling_mean_12"]
    assert row["files"] == len(street) > 0
    assert row["files_sha256"] == hashlib.sha256("\n".join(street).encode()).hexdigest()
