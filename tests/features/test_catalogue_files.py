"""The shipped catalogue: factors enough, honest directions, nothing refused let in, every column in the real files."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders import FIRST, tiny_geography
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.specs import FactorSpec, FeatureSetSpec, FeatureSpec, FileSpec, SourceSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.features.catalogue import Input, resolve_features
from riskmodel.panel.view import Panel, Static, View, Vintage
from riskmodel.workflow import read_definitions
from riskmodel.workflow.held import ingest

CATALOGUE = Workspace(Path(__file__).resolve().parents[2])
SOURCES: dict[str, SourceSpec] = CATALOGUE.read_all("source")
DOMAINS = CATALOGUE.read_all("factor")
FACTORS: dict[str, FactorSpec] = {f"{d}/{n}": f for d, held in DOMAINS.items() for n, f in held.factors.items()}
REFUSED = {
    name
    for name, factor in FACTORS.items()
    if factor.contains_outcome
    or factor.police_generated
    or factor.measure in SOURCES[factor.source].police_generated
    or factor.characteristic
}
OPEN = {name: factor for name, factor in FACTORS.items() if name not in REFUSED}
PUBLIC = [name for name, source in SOURCES.items() if source.sensitivity == "public" and not source.frame]
READ_BY_THE_TEST = sorted(name for name, f in FACTORS.items() if f.source != "police_uk")

# What the publishers count, whatever the catalogue says of it.
OUTCOME = re.compile(
    r"crime|violence|stalking|burglary|theft|criminal|anti_social|public_order|IMD_rank", flags=re.IGNORECASE
)
CHARACTERISTICS = {
    "ts008": "sex", "ts016": "ethnic_group", "ts021": "ethnic_group", "ts029": "ethnic_group", "ts030": "religion",
    "ts038": "disability",
}  # fmt: skip
STIGMATISING = [
    "addict", "at risk", "bad area", "BAME", "blackspot", "broken", "criminal", "deviant", "disorderly",
    "dysfunctional", "failing", "gang", "ghetto", "handicapped", "hard to reach", "hotspot", "immigrant", "inner-city",
    "left behind", "non-white", "offender", "perpetrator", "problem", "rough area", "sink", "slum", "troubled",
    "underclass", "unfit", "victim", "violent", "vulnerable", "workless", "yob",
]  # fmt: skip
RECORDED_OFFENCE_TITLES = {"community/criminal_damage", "community/criminal_damage_2025"}


def published_columns(source: str, measure: str) -> set[str]:
    return {f.measures[measure] for f in SOURCES[source].files.values() if measure in f.measures}


def of(*names: str) -> FeatureSetSpec:
    monthly = {"transform": "rolling_mean", "params": {"window": 12}}
    one = {name: monthly if FACTORS[name].source == "police_uk" else {"transform": "latest"} for name in names}
    return FeatureSetSpec(title="t", features=[FeatureSpec(of=name, **how) for name, how in one.items()])


def resolved(features: FeatureSetSpec) -> list[str]:
    target, policy = CATALOGUE.read("target", "recorded_violence"), CATALOGUE.read("policy", "default")
    return [f.factor for f in resolve_features(CATALOGUE, features, target, policy=policy, where="a set")]


def test_there_are_factors_enough_and_protective_ones_among_them() -> None:
    assert set(DOMAINS) >= {"individual", "relationships", "community", "society", "adversity"}
    assert len(OPEN) >= 60
    assert sum(factor.role == "protective" for factor in OPEN.values()) >= 15
    assert {factor.stage for factor in OPEN.values()} == {"early_years", "school_age", "youth", "adulthood", "all"}
    levers = {lever for factor in OPEN.values() for lever in factor.levers}
    assert levers == {"council", "education", "health", "housing", "police", "youth_justice", "community"}


@pytest.mark.parametrize("domain", ["individual", "relationships", "community", "society", "adversity"])
def test_every_domain_says_what_nobody_supplies(domain: str) -> None:
    held = DOMAINS[domain]
    assert held.gaps
    assert not set(held.gaps) & set(held.factors)


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_measures_are_supplied_and_a_ratio_is_of_one_table(name: str) -> None:
    factor = FACTORS[name]
    files = [f for f in SOURCES[factor.source].files.values() if factor.measure in f.measures]
    assert files, factor.measure
    if factor.per is not None:
        under = [f for f in SOURCES[factor.source].files.values() if factor.per in f.measures]
        assert {(f.path, f.published, f.period) for f in files} == {(f.path, f.published, f.period) for f in under}


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_direction_role_and_evidence_agree(name: str) -> None:
    factor = FACTORS[name]
    allowed = {"risk": {"higher", "unclear"}, "protective": {"lower", "unclear"}}
    assert factor.expected in allowed.get(factor.role, {"higher", "lower", "unclear"})
    assert (factor.expected == "unclear") == factor.evidence.startswith("unclear: ")
    if factor.expected != "unclear":
        assert re.search(r"\b(19|20)[0-9]{2}\b", factor.evidence), "a source has a year"
    assert "\n" not in factor.evidence.strip()
    if name in REFUSED:
        assert (factor.role, factor.expected) == ("context", "unclear"), "nothing refused is called a risk"


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_what_holds_the_outcome_or_a_characteristic_says_so(name: str) -> None:
    """By the publishers' own headings, not by our words for them."""
    factor = FACTORS[name]
    columns = published_columns(factor.source, factor.measure)
    if factor.source != "police_uk" and any(OUTCOME.search(column) for column in columns):
        assert factor.contains_outcome
    tables = {r for r, f in SOURCES[factor.source].files.items() if factor.measure in f.measures}
    for table in tables & set(CHARACTERISTICS) if factor.source == "census2021" else set():
        assert factor.characteristic == CHARACTERISTICS[table]
    if any("English" in column or "outside the UK" in column for column in columns):
        assert factor.characteristic == "ethnic_group"
    if any("disability" in column.lower() for column in columns) and not columns & {"Health_rank"}:
        assert factor.characteristic == "disability"
    if "weapons" in factor.measure or factor.measure == "drugs":
        assert name in REFUSED


def test_every_refused_factor_is_refused_at_once_with_who_may_permit_it() -> None:
    assert {FACTORS[n].characteristic for n in REFUSED} >= {"sex", "ethnic_group", "disability", "religion"}
    with pytest.raises(DefinitionError) as caught:
        resolved(of(*sorted(REFUSED)))
    message = str(caught.value)
    assert [name for name in sorted(REFUSED) if f"'{name}' is refused as a feature" not in message] == []
    assert "fairness/policies" in message


@pytest.mark.parametrize("name", sorted(FACTORS))
def test_titles_speak_of_no_place_or_group_with_contempt(name: str) -> None:
    factor = FACTORS[name]
    said = " ".join([factor.title, factor.unit, factor.caveat, factor.evidence.removeprefix("unclear:")])
    wrong = [w for w in STIGMATISING if re.search(rf"\b{re.escape(w)}", said, flags=re.IGNORECASE)]
    if name in RECORDED_OFFENCE_TITLES:
        wrong = [w for w in wrong if w != "criminal"]
    assert wrong == []
    assert not re.search(r"\b(causes?|leads? to|drives?|due to)\b", said), "association is no cause"


def test_the_full_set_is_the_first_one_and_every_factor_that_may_be_a_feature() -> None:
    full, first = CATALOGUE.read("set", "full"), CATALOGUE.read("set", "first")
    assert [f for f in first.features if f not in full.features] == []
    assert {f.of for f in full.features} - {"target", "exposure"} == set(OPEN)
    assert set(resolved(full)) >= set(OPEN)


def test_the_conditions_set_holds_no_history_of_recorded_crime() -> None:
    conditions = CATALOGUE.read("set", "conditions")
    names = [f.of for f in conditions.features]
    assert len(names) == len(set(names))
    assert {"exposure", "community/density"} <= set(names)
    assert 25 <= len(names) <= 40
    assert {f.transform for f in conditions.features} == {"latest"}
    assert "police_uk" not in {FACTORS[n].source for n in names if n != "exposure"}
    assert {FACTORS[n].role for n in names if n != "exposure"} == {"risk", "protective", "context"}
    assert resolved(conditions)


def test_zero_is_zero_means_an_area_that_a_register_does_not_name_and_no_blank() -> None:
    geography = tiny_geography()
    first, second = geography.areas[:2]
    codes = np.array([first, second])

    def view_of(level: str, codes: np.ndarray, values: list[float]) -> View:
        vintage = Vintage("2021", date(2021, 1, 1), level, codes, np.array(values), "register.csv")
        return Panel(geography, {}, Static({("register", "schools"): [vintage]}), FIRST).as_of(date(2022, 1, 1))

    schools = Input("community/schools", "static", "register", ("schools",))
    register = replace(schools, absent_is_zero=True)
    view = view_of("lsoa21", codes, [2.0, np.nan])
    np.testing.assert_array_equal(schools.values(view), [2, np.nan, *[np.nan] * 4])
    np.testing.assert_array_equal(register.values(view), [2, np.nan, 0, 0, 0, 0])
    split = view_of("lsoa11", np.array([first, "E01009999"]), [2.0, 1.0])
    rural = replace(register, travels="population_weighted_mean")
    np.testing.assert_array_equal(rural.values(split), [2, 0, 0, 0, 1, 1])
    assert register.values(split)[-2:].sum() == pytest.approx(1)
    district = view_of("lad24", np.array(["E07000001"]), [4.0])
    np.testing.assert_array_equal(rural.values(district), [4, 4, 4, 0, 0, 0])


def headings(path: Path) -> list[str]:
    with gzip.open(path, mode="rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open() as text:
        return list(pd.read_csv(text, nrows=0).columns)


def real_files() -> Iterator[tuple[str, str, FileSpec]]:
    for source in PUBLIC:
        for role, file in SOURCES[source].files.items():
            if not file.monthly:
                yield source, role, file


@pytest.mark.real
@pytest.mark.parametrize(
    ("source", "role", "file"), [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in real_files()]
)
def test_every_column_named_stands_in_the_real_file(source: str, role: str, file: FileSpec, real_data: Path) -> None:
    path = next(p for p in (real_data / file.path, real_data / f"{file.path}.gz") if p.is_file())
    held = {heading.removesuffix("; measures: Value") for heading in headings(path)}
    table = file.table
    if table is None:
        assert set(file.measures.values()) <= held
        return
    assert {table.area, *table.only, *([table.period] if table.period else [])} <= held
    if table.layout == "wide":
        assert set(file.measures.values()) <= held
    if table.layout == "long":
        assert {table.measure, table.value} <= held
        spelt = pd.read_csv(path, usecols=[str(table.measure)])[str(table.measure)]
        assert set(file.measures.values()) <= set(spelt)
    for column, kept in table.only.items():
        assert set(kept) <= set(pd.read_csv(path, usecols=[column])[column])


@pytest.fixture(scope="module")
def gloucestershire(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> pd.DataFrame:
    """Every factor but the monthly ones at the areas of Gloucestershire, through the readers and the panel."""
    folder = tmp_path_factory.mktemp("catalogue")
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(CATALOGUE.root / room, folder / room)
    features = "\n".join(f"  - {{of: {name}, transform: latest}}" for name in READ_BY_THE_TEST)
    permitted = "\n".join(
        f"  - {{factor: {name}, reason: a test, decided_by: a test, expires: 2100-01-01}}" for name in sorted(REFUSED)
    )
    written = {
        "features/sets/every.yaml": f"title: Every factor\nfeatures:\n{features}\n",
        "fairness/policies/every.yaml": f"title: t\nuse_statement: u\npermitted_factors:\n{permitted}\n",
        "experiments/every.yaml": (
            "question: Is it held?\nregion: {force: gloucestershire}\nfeature_set: every\npolicy: every\n"
            "models: [{use: rolling_12}]\nhistory: {first_month: 2025-06}\nbacktest: {first_origin: 2025-06}\n"
        ),
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    definitions = read_definitions(Workspace(folder), "every")
    view = ingest(definitions, real_data).panel.as_of(date(2026, 1, 1))
    values = {feature.factor: feature.input.values(view) for feature in definitions.features}
    return pd.DataFrame(values, index=view.geography.areas)


@pytest.mark.real
def test_nearly_every_area_has_a_value_unless_the_caveat_says_otherwise(gloucestershire: pd.DataFrame) -> None:
    coverage = gloucestershire.notna().mean()
    thin = set(coverage[coverage < 0.95].index)
    assert {name for name in thin if not FACTORS[name].caveat.startswith("Missing for")} == set()
    assert {name for name in FACTORS if FACTORS[name].caveat.startswith("Missing for")} == thin


@pytest.mark.real
def test_no_factor_is_the_same_everywhere(gloucestershire: pd.DataFrame) -> None:
    distinct = gloucestershire.nunique()
    assert list(distinct[distinct < 2].index) == []


@pytest.mark.real
def test_values_keep_to_what_their_unit_can_be(gloucestershire: pd.DataFrame) -> None:
    for name, column in gloucestershire.items():
        unit, values = FACTORS[str(name)].unit, column.dropna().to_numpy()
        highest = (
            100.0
            if unit.startswith(("per cent", "national percentile (100"))
            else 1.0
            if unit.startswith(("percentile", "national percentile (1 ", "1 = rural")) or unit.endswith("0 to 1")
            else np.inf
        )
        lowest = -np.inf if "score" in unit else 0.0
        assert lowest <= values.min() <= values.max() <= highest, (name, unit)


@pytest.mark.real
def test_no_two_conditions_say_the_same(gloucestershire: pd.DataFrame) -> None:
    names = [f.of for f in CATALOGUE.read("set", "conditions").features if f.of != "exposure"]
    ranks = gloucestershire[names].rank().corr().to_numpy()
    strongest = np.abs(np.triu(ranks, k=1))
    row, column = np.unravel_index(strongest.argmax(), strongest.shape)
    assert strongest[row, column] < 0.9, (names[row], names[column])


@pytest.mark.real
def test_values_are_those_of_the_published_tables(gloucestershire: pd.DataFrame, real_data: Path) -> None:
    """Counted again with pandas alone, one factor for each way a source is laid out."""
    lookup = pd.read_csv(real_data / "lookups" / "lookup_lsoa21_ward24_ltla24.csv.gz").set_index("lsoa21_code")
    district = lookup["ltla24_code"].reindex(gloucestershire.index)

    register = pd.read_csv(real_data / "context" / "gias_schools.csv.gz", low_memory=False)
    own = ["Academies", "Local authority maintained schools", "Free Schools"]
    primary = register[
        register["education_phase"].isin(["Primary", "Middle deemed primary"])
        & register["establishment_type_group"].isin(own)
    ]
    schools = primary.groupby("lsoa_code").size().reindex(gloucestershire.index, fill_value=0)
    assert schools.sum() > 200
    np.testing.assert_array_equal(gloucestershire["community/primary_schools"], schools)
    meals = primary.groupby("lsoa_code")["percentage_fsm"].agg(lambda s: s.mean(skipna=False))
    np.testing.assert_allclose(
        gloucestershire["community/free_school_meals"], meals.reindex(gloucestershire.index), rtol=1e-12
    )

    index = pd.read_csv(real_data / "context" / "england_health_index_indicators.csv.gz")
    poverty = index[(index["indicator"] == "Child poverty") & (index["year"] == 2021)].set_index("ltla21_code")["value"]
    np.testing.assert_allclose(gloucestershire["adversity/child_poverty"], district.map(poverty), rtol=1e-12)

    needs = pd.read_csv(real_data / "deprivation" / "cni2023_england_lsoa21.csv.gz").set_index("lsoa21_code")
    share = 100 * needs["Civic Assets Domain Rank"] / len(needs)
    assert needs["Civic Assets Domain Rank"].corr(needs["Civic Assets Domain Score"]) < -0.9, "a high score is a need"
    np.testing.assert_allclose(
        gloucestershire["community/civic_assets"], share.reindex(gloucestershire.index), rtol=1e-6
    )

    classes = pd.read_csv(real_data / "lookups" / "ruc21_lsoa21.csv.gz").set_index("lsoa21_code")["ruc"]
    rural = (classes.reindex(gloucestershire.index) == "Rural").astype(float)
    np.testing.assert_array_equal(gloucestershire["community/rural"], rural)

    homes = pd.read_csv(real_data / "census2021_derived" / "household_type21_lsoa21.csv.gz")
    flats = homes[homes["type"].str.startswith("In a purpose-built")].set_index("lsoa21_code")
    np.testing.assert_allclose(
        gloucestershire["community/purpose_built_flats"],
        (100 * flats["n"] / flats["total_households"]).reindex(gloucestershire.index),
        rtol=1e-6,
    )


@pytest.mark.real
def test_the_health_index_indicators_are_underlying_values_and_its_sub_domains_index_values(real_data: Path) -> None:
    """The two tables of one source speak differently: units and directions in the catalogue rest on it."""
    context = real_data / "context"
    values = pd.read_csv(context / "england_health_index_indicators.csv.gz")
    wide = values[values["year"] == 2021].pivot_table(index="ltla21_code", columns="indicator", values="value")
    index = pd.read_csv(context / "england_health_index_subdomains.csv.gz")
    index = index[index["year"] == 2021].set_index("ltla21_code").reindex(wide.index)
    assert index.median(numeric_only=True).drop("year").between(85, 115).all()
    assert wide["Child poverty"].median() < 30
    assert wide["Pupil attainment"].between(40, 90).all()
    signs = {
        ("Child poverty", "Economic and working conditions"): -1,
        ("Unemployment", "Economic and working conditions"): -1,
        ("Pupil absences", "Children and young people"): -1,
        ("Pupil attainment", "Children and young people"): 1,
        ("Early years development", "Children and young people"): 1,
        ("Young people in education, employment and apprenticeships", "Children and young people"): 1,
        ("Self-harm", "Mental health"): -1,
        ("Alcohol misuse", "Behavioural risk factors"): -1,
        ("Private outdoor space", "Access to green space"): 1,
        ("Life satisfaction", "Personal well-being"): 1,
        ("Personal crime", "Crime"): -1,
    }
    for (indicator, subdomain), sign in signs.items():
        assert sign * wide[indicator].rank().corr(index[subdomain].rank()) > 0.3, (indicator, subdomain)
