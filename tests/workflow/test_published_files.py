"""The files a run leaves beside a restricted source, attacked as they lie: tables, page, map and sheets."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from disclosure_attacker import Known, by_subtraction, known_cells, worked_out
from narrative.page_reader import Reader
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.forecast_page import build_forecast_page
from riskmodel.narrative.forecast_words import Counted
from riskmodel.narrative.maps import Outlines
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.audit_pages import audit_text
from riskmodel.workflow.comparing import compare
from riskmodel.workflow.definitions import read_definitions
from riskmodel.workflow.leave import write_outcome
from riskmodel.workflow.narrating import review_of
from riskmodel.workflow.narration import make_narration, read_about, save_narration
from riskmodel.workflow.outlooks import draw_all
from riskmodel.workflow.publishing import Published, all_tables, publish
from riskmodel.workflow.session import open_session
from riskmodel.workflow.steps import train
from riskmodel.workflow.streams import forecast_streams

pytestmark = pytest.mark.usefixtures("one_thread")

RESTRICTED = "ambulance_night@1"
EXPERIMENT = """question: What is recorded, and what do ambulances see?
region: {force: FORCE}
data: build/synthetic
feature_set: history
models:
  - {use: rolling_12}
  - {use: historic_mean}
horizons: 12
draws: 100
backtest: {first_origin: 2025-02, every_months: 5}
also:
  - {target: ambulance_night, models: [historic_mean]}
"""


@dataclass(frozen=True)
class Left:
    """What a run has left: its folder, the true tables it was made from, and what pages are made from."""

    folder: Path
    true: dict[str, pd.DataFrame]
    safe: Published
    shapes: dict[str, Outlines]
    as_of: date

    def table(self, name: str) -> pd.DataFrame:
        """The restricted target's rows of a table, as they lie in the bundle."""
        read = pd.read_csv(self.folder / "tables" / f"{name}.csv")
        read = read[read["target"].str.partition(":")[0] == RESTRICTED].reset_index(drop=True)
        days = [column for column in ("start", "end") if column in read]
        return read.assign(**{column: pd.to_datetime(read[column]) for column in days})


@pytest.fixture(scope="module")
def left(repository: Path, tmp_path_factory: pytest.TempPathFactory, synthetic_region: SyntheticRegion) -> Left:
    root = tmp_path_factory.mktemp("published")
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, root / room)
    workspace = Workspace(root)
    force = read_definitions(workspace, "demo").experiment.region.force
    workspace.path("experiment", "seen").write_text(EXPERIMENT.replace("FORCE", force), encoding="utf-8", newline="\n")
    session = open_session(read_definitions(workspace, "seen"), data=synthetic_region.directory)
    comparison, forecasts = compare(session), train(session)
    draw_all(session, session.definitions.plan, forecasts, comparison.backtest.made)
    side = forecast_streams(session)
    tables = all_tables(session, comparison, forecasts, "historic_mean", side)
    safe = publish(session, comparison, tables, "historic_mean", side, audience="public")
    narration, stored = make_narration(session, safe), root / "narration"
    safe = replace(safe, audit=audit_text(narration))
    save_narration(narration, stored)
    review = review_of(read_about(stored), hashlib.sha256((safe.audit or "").encode()).hexdigest(), workspace)
    write_outcome(safe, stored, review, root / "bundle")
    return Left(root / "bundle", tables, safe, narration.outlines, session.as_of)


@pytest.fixture(scope="module")
def history(left: Left) -> pd.DataFrame:
    """A blank whose months are all held was suppressed; the file does not say why."""
    rows = left.table("history")
    whole = rows[rows["months_held"] == rows["months_of"]].reset_index(drop=True)
    return whole.assign(state=np.where(whole["recorded"].isna(), "suppressed", "rounded"))


@dataclass(frozen=True)
class Unsaid(Known):
    """A cell as a reader of the files knows it: a blank may be any count."""

    def bounds(self, threshold: int, base: int) -> tuple[float, float]:
        return (0.0, float("inf")) if self.state == "suppressed" else super().bounds(threshold, base)


def test_no_suppressed_count_can_be_worked_out_from_the_files(left: Left, history: pd.DataFrame) -> None:
    areas = pd.read_csv(left.folder / "tables" / "areas.csv")
    blank = history["state"] == "suppressed"
    assert blank.sum() > 50 and (~blank).sum() > 50
    cells = [Unsaid(c.areas, c.months, c.state, c.value) for c in known_cells(history, areas)]
    assert by_subtraction(cells) == []
    assert [c for c, low, high in worked_out(cells, at_most=12) if high - low < 5] == []


def test_every_file_is_blank_where_the_rule_wants_it_and_rounded_elsewhere(left: Left, history: pd.DataFrame) -> None:
    outlook, forecasts = left.table("outlook"), left.table("forecasts")
    finer = pd.read_parquet(left.folder / "tables" / "forecasts.parquet")
    finer = finer[finer["target"].astype(str).str.partition(":")[0] == RESTRICTED]
    for shown in (history["recorded"], outlook["mean"], outlook["last_year"], forecasts["value"], finer["value"]):
        held = shown.dropna()
        assert len(held) and (held % 5 == 0).all() and (held >= 10).all()
    assert outlook.loc[outlook["mean"].isna(), ["low", "median", "high", "change"]].isna().all(axis=None)
    true = left.true["outlook"]
    small = true[(true["target"] == RESTRICTED) & (true["mean"] < 10)]
    key = ["window", "level", "location", "start"]
    both = outlook.merge(small[key].assign(small=True), on=key, how="left")
    assert both.loc[both["small"].notna(), "mean"].isna().all()
    months = finer["target"].astype(str).str.endswith(":month")
    assert not finer.loc[months, "level"].isin(["lsoa21", "msoa21", "ward24"]).any()


def test_no_other_file_holds_a_count_of_the_restricted_target(left: Left) -> None:
    """What else names it holds no count of an area and period."""
    named = set()
    for path in sorted((left.folder / "tables").glob("*.*")):
        if path.suffix not in (".csv", ".parquet"):
            continue
        table = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        if "target" in table and table["target"].astype(str).str.startswith(RESTRICTED).any():
            named.add(path.stem)
    assert named >= {"history", "outlook", "forecasts", "streams"}
    assert named <= {"history", "outlook", "forecasts", "streams", "stream_comparison", "agreement"}


def test_the_page_says_what_the_tables_say(left: Left, history: pd.DataFrame) -> None:
    text = (left.folder / "forecast.html").read_text(encoding="utf-8")
    read, outlook, seen = Reader(text), left.table("outlook"), 0
    for level in ("msoa21", "ward24"):
        years = history[(history["level"] == level) & (history["window"] == "financial_year")]
        recorded = {(r.location, f"{r.start.year}/{r.end:%y}"): r.recorded for r in years.itertuples()}
        for heading in {year for _, year in recorded}:
            column = read.column(f"t1-{level}-years", heading)
            for code, words in zip(read.column(f"t1-{level}-years", "Code"), column, strict=True):
                assert words == said(recorded[code, heading]), (code, heading)
                seen += words == "suppressed"
    for level, table in (("msoa21", "t1-msoa21"), ("ward24", "t1-ward24"), ("lsoa21", "t1-lsoa21-periods")):
        expected = dict(zip(read.column(table, "Code"), read.column(table, "Expected"), strict=True))
        assert expected == {code: said(mean) for code, mean in next_year(outlook, level).items()}
        seen += list(expected.values()).count("suppressed")
    assert seen > 20
    pictures = text[text.index('id="target-1"') : text.index('id="reading"')]
    assert all(title.endswith("missing") for title in re.findall(r"<title>([^<]*)</title>", pictures))


def test_a_map_of_the_restricted_target_says_what_the_tables_say(left: Left) -> None:
    """A page whose headline is restricted, made from the same published tables: every area of a map has its words."""
    own = {name: left.safe.tables[name] for name in ("outlook", "history", "places")}
    kept = {name: own[name]["target"] == RESTRICTED for name in ("outlook", "history")}
    target = Counted(RESTRICTED, "Call-outs", "all", "none", stream="ambulance", restricted=True)
    text = build_forecast_page(
        own | {name: own[name][kept[name]] for name in kept},
        title="Here", question="What is seen?", targets=[target], model_id="historic_mean", as_of=left.as_of,
        run_id="1", headline="", state="Draft", shapes=left.shapes,
        suppressed={name: left.safe.withheld[name][kept[name]] for name in kept},
    )  # fmt: skip
    outlook, suppressed = left.table("outlook"), 0
    for level in ("ward24", "msoa21"):
        figure = text[text.index(f'id="map-{level}-heading"') : text.index(f'id="{level}-caption"')]
        drawn = re.findall(r'<path class="area ([^"]+)" data-code="([^"]+)"[^>]*><title>[^<]+: ([^<]+)</title>', figure)
        means = next_year(outlook, level)
        assert {code: words.partition(",  ")[0].split(", ")[0] for _, code, words in drawn} == {
            code: said(mean).split(", ")[0] for code, mean in means.items()
        }
        assert {code for style, code, _ in drawn if style == "none"} == set(means.index[means.isna()])
        suppressed += means.isna().sum()
    assert suppressed > 0


def test_the_sheets_say_what_the_tables_say(left: Left) -> None:
    book = openpyxl.load_workbook(left.folder / "tables" / "planner.xlsx")
    outlook, withheld = left.table("outlook"), 0
    for name, level in (("Wards", "ward24"), ("MSOAs", "msoa21")):
        rows = list(book[name].iter_rows(values_only=True))
        head = next(row for row in rows if row[0] == "Area name")
        counts = [n for n, words in enumerate(head) if words and "(records)" in words]
        own = [row for row in rows if str(row[3]).startswith("Ambulance call-outs")]
        expected = {row[1]: "suppressed" if row[4] == "[c]" else said(row[4]) for row in own}
        assert expected == {code: said(mean) for code, mean in next_year(outlook, level).items()}
        shown = [row[n] for row in own for n in counts]
        assert all(cell in ("[c]", "[x]", 0) or (cell >= 10 and cell % 5 == 0) for cell in shown)
        withheld += shown.count("[c]")
    assert withheld > 5


def next_year(outlook: pd.DataFrame, level: str) -> pd.Series:
    rows = outlook[(outlook["level"] == level) & (outlook["window"] == "12_months")]
    return rows.set_index("location")["mean"]


def said(count: float) -> str:
    return "suppressed" if np.isnan(count) else f"{count:,.0f}"
