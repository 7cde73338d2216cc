"""An assessment of an invented force: two districts that differ in what is found, every kind of condition once."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from narrative.outlook_tables import AMBULANCE, MODEL, Invented, invented, invented_parents
from riskmodel.contracts.assessment_tables import CATALOGUE, COMPARED, GAPS
from riskmodel.contracts.explain_tables import LEDGER, STABILITY
from riskmodel.contracts.planner_tables import AREAS
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import Assessment
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.published import publish
from riskmodel.narrative.workbook_text import SourceNote
from riskmodel.panel.place_groups import build_place_groups

REPOSITORY = Path(__file__).resolve().parents[2]
TIES, HARDSHIP, SHOPS, LEARNING, UNSURE = (
    "community/ties", "society/hardship", "community/shops", "individual/learning", "individual/unsure",
)  # fmt: skip
TITLES = {
    TIES: "Ties between neighbours", HARDSHIP: "Hardship of households", SHOPS: "Homes over shops",
    LEARNING: "Missed learning", UNSURE: "Something unsure", "policing/stops": "Stops by patrols",
}  # fmt: skip
FIRST, SECOND = "E07000000", "E07000001"
# Multiplier and interval of each condition in the two districts and all that lies in them.
CONDITIONS = {
    TIES: ((0.88, 0.84, 0.93), (1.09, 1.05, 1.13)),
    HARDSHIP: ((1.21, 1.15, 1.27), (0.87, 0.83, 0.92)),
    SHOPS: ((1.004, 0.99, 1.02), (1.0, 0.99, 1.01)),
    UNSURE: ((1.3, 0.8, 1.9), (0.7, 0.5, 1.4)),
}
LINKS = [PageLink("index.html", "Assessment", current=True), PageLink("forecast.html", "Forecast")]


@cache
def _small() -> Invented:
    return invented(24, districts=2, draws=40)


@cache
def _policy() -> PolicySpec:
    return Workspace(REPOSITORY).read("policy", "default")


def small() -> Invented:
    """An invented force of two districts; whoever asks may change its tables."""
    made = _small()
    copies = ({n: t.copy() for n, t in held.items()} for held in (made.tables, made.suppressed))
    return Invented(*(next(copies), list(made.targets), next(copies)), made.shapes, made.parents, made.draws)


def assessment(
    made: Invented | None = None, *, places: list[tuple[str, str]] | None = None, no_rate: frozenset[str] = frozenset(),
    without: str = "", **more: pd.DataFrame,
) -> Assessment:  # fmt: skip
    """The assessment, with a page for every district and MSOA unless other places are given, and ``more`` tables."""
    made = small() if made is None else made
    tables = {n: t.reset_index(drop=True) for n, t in made.tables.items()} | own_tables(made.parents) | more
    tables.pop(without, None)
    book = FactBook(tables, "exmere-1a2b", withheld=made.suppressed, rounded=[AMBULANCE])
    shown = {n: tables[n] for n in ("outlook", "history", "places", "calibration", "recording", "comparison")}
    held = tables["places"]
    wide = held[held["level"].isin(["lad24", "msoa21"])]
    return Assessment(
        book=book, region="Exmere", question="How much should partners plan for?", run_id="exmere-1a2b",
        model_id=MODEL, baseline="rolling_12", as_of=date(2025, 9, 1), state="Draft: not approved for use",
        decision="Nothing is decided yet.", targets=made.targets,
        published=publish(shown, made.targets, made.suppressed, book)[0],
        policy=_policy(), titles=TITLES,
        sources=[SourceNote("Street-level crime", "police.uk", "OGL v3.0")], links=LINKS, no_rate={"lsoa21": no_rate},
        places=list(zip(wide["level"], wide["location"], strict=True)) if places is None else places,
    )  # fmt: skip


def own_tables(parents: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """The tables that pages of places and partners need beside those of the forecast."""
    parents = invented_parents(24, 2) if parents is None else parents
    areas = parents.rename(columns={"lsoa21": "location"}).assign(local="", local_name="")
    return {
        "areas": as_table(areas, AREAS),
        "place_groups": build_place_groups(
            groups(parents), parents.set_index("lsoa21"), ["msoa21", "ward24", "lad24", "csp24", "pfa"]
        ),
        "ledger": ledger(parents),
        "stability": stability(),
        "catalogue": catalogue(),
        "compared": compared(),
        "gaps": as_table(pd.DataFrame([
            ("community", "clubs", "Places in youth clubs", "No open register.", "The council's youth service",
             "council; community"),
            ("individual", "exclusions", "Exclusions from school", "No open table.", "The education service",
             "education"),
        ], columns=GAPS.names), GAPS),
    }  # fmt: skip


def groups(parents: pd.DataFrame) -> pd.DataFrame:
    """Sex evenly; older residents in the first district, younger ones in the second."""
    frames = []
    first = (parents["lad24"] == FIRST).to_numpy()
    for characteristic, named in {
        "sex": {"female": np.full(len(parents), 0.51), "male": np.full(len(parents), 0.49)},
        "age_band": {"aged_0_to_14": np.where(first, 0.1, 0.3), "aged_65_and_over": np.where(first, 0.9, 0.7)},
    }.items():
        for group, share in named.items():
            frames.append(pd.DataFrame({
                "characteristic": characteristic, "group": group, "area": parents["lsoa21"],
                "population": (share * parents["population"]).round(), "share": share, "period": "2021",
            }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def ledger(parents: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for level in ("lad24", "msoa21"):
        for code, district in parents.drop_duplicates(level)[[level, "lad24"]].itertuples(index=False):
            which = 0 if district == FIRST else 1
            total = (1.1, 1.02, 1.2) if which == 0 else (1.0, 0.9, 1.1)
            rows.append(_line(level, code, "total", "all", "", total, "stable", 4.0))
            for unit, ends in CONDITIONS.items():
                members = f"{unit}; {LEARNING}" if unit == HARDSHIP else unit
                mark = "uncertain" if unit == UNSURE else "stable"
                rows.append(_line(level, code, "cluster", unit, members, ends[which], mark, np.nan))
    return as_table(pd.DataFrame(rows, columns=LEDGER.names), LEDGER)


def _line(
    level: str, code: str, kind: str, unit: str, members: str, ends: tuple[float, ...], mark: str, records: float
) -> dict[str, object]:
    return {
        "model_id": "conditions", "level": level, "location": code, "kind": kind, "unit": unit, "members": members,
        "ledger": "higher" if ends[0] > 1 else "lower", "multiplier": ends[0], "low": ends[1], "high": ends[2],
        "sign_agreement": 1.0, "mark": mark, "expected_records": records,
    }  # fmt: skip


def stability() -> pd.DataFrame:
    rows = []
    of = ((TIES, "lower", 1.11), (HARDSHIP, "higher", 1.17), (SHOPS, "higher", 1.05), (UNSURE, "mixed", 1.2))
    for rank, (unit, found, times) in enumerate(of, start=1):
        for kind in ("factor", "cluster"):
            members = f"{unit}; {LEARNING}" if unit == HARDSHIP and kind == "cluster" else unit
            rows.append({
                "model_id": "conditions", "kind": kind, "unit": unit, "members": members,
                "domain": unit.partition("/")[0], "strength": np.log(times), "multiplier": times,
                "low": np.log(times) - 0.02, "high": np.log(times) + 0.02, "rank": rank, "rank_low": 1.0,
                "rank_high": 4.0, "of": 4, "sign_agreement": 0.97, "z": 4.0, "z_check": 4.0,
                "found": found if kind == "factor" else "", "expected": "", "direction": "",
                "mark": "uncertain" if unit == UNSURE else "stable", "why": "", "reasons": "",
            })  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=STABILITY.names), STABILITY)


def catalogue() -> pd.DataFrame:
    of = (
        (TIES, "protective", "all", "community; council", "lower", "conditions"),
        (HARDSHIP, "risk", "adulthood", "council; housing", "higher", "forecast; conditions"),
        (LEARNING, "risk", "school_age", "education", "higher", "conditions"),
        (SHOPS, "context", "all", "council", "unclear", "conditions"),
        (UNSURE, "risk", "youth", "youth_justice; health", "higher", "conditions"),
        ("policing/stops", "context", "all", "police", "unclear", ""),
    )  # fmt: skip
    rows = [
        {"factor": factor, "title": TITLES[factor], "domain": factor.partition("/")[0], "role": role, "stage": stage,
         "levers": levers, "expected": expected, "evidence": f"A review of 1998 of {TITLES[factor].lower()}",
         "unit": "per cent of residents", "source": "census2021", "caveat": "", "used_in": used}
        for factor, role, stage, levers, expected, used in of
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=CATALOGUE.names), CATALOGUE)


def compared() -> pd.DataFrame:
    rows = [
        {"level": "lad24", "location": code, "factor": factor, "value": value, "force": 30.5, "similar": 31.5,
         "similar_low": 28.25, "similar_high": 33.75, "country": 29.0, "period": "2021", "note": ""}
        for code, factor, value in ((FIRST, TIES, 41.27), (FIRST, HARDSHIP, 12.0), (SECOND, TIES, 31.16))
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=COMPARED.names), COMPARED)
