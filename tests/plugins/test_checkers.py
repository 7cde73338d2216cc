"""The checkers for plugins: every built-in passes them, and each rule is broken by something that must not pass."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from builders import FIRST, HISTORY, TARGET, tiny_panel
from riskmodel.backtest.metrics import Undefined, mae
from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.registry import load, names
from riskmodel.contracts.specs import FileSpec, SourceSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.fairness.checks.exposure import ExposureBias
from riskmodel.features.transforms import Lag
from riskmodel.models.base import Baseline
from riskmodel.models.baselines import Rolling12
from riskmodel.models.ensemble import Ensemble
from riskmodel.models.poisson import PoissonRidge
from riskmodel.sources.files import find_files
from riskmodel.sources.nomis import read as read_nomis
from riskmodel.sources.observed import Counted, Observed, SourceFile
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.testing import (
    VALUES,
    BrokenRule,
    check_baseline,
    check_fairness_check,
    check_metric,
    check_model,
    check_reader,
    check_transform,
)
from riskmodel.workflow.starter import starter_folder

pytestmark = pytest.mark.usefixtures("one_thread")
ORIGINS = [FIRST + 19, FIRST + 24, FIRST + 30, FIRST + 33]
PANEL = tiny_panel(months=36, missing=[7], again=[(5, 15), (14, 26), (12, 40)])
SMALL = {name: {"trees": 8, "minimum_rows": 5} for name in ("lightgbm", "histogram_boosting")}


PARTS = {
    "police_uk": {"raw rows": ["duplicates", VALUES]},
    "tidy_table": {"raw rows": ["rows kept", "rows of other values", "rows without a period"]},
}


def published(region: SyntheticRegion, reader: str) -> list[SourceFile]:
    """A file of every role that a built-in reader reads in the invented region."""
    found = []
    sources = Workspace(starter_folder()).read_all("source")
    for name, spec in sources.items():
        if spec.reader == reader:
            files = find_files(name, spec, region.directory, force=region.force)
            found += list({file.role: file for file in files}.values())
    return found


@pytest.mark.parametrize("name", [name for name in names("reader")])
def test_built_in_readers(name: str, synthetic_region: SyntheticRegion) -> None:
    files = published(synthetic_region, name)
    assert files
    for file in files[:4]:
        check_reader(load("reader", name), file, adds_up=PARTS.get(name))


@pytest.mark.parametrize("name", [name for name in names("model") if name != "ensemble"])
def test_built_in_models(name: str) -> None:
    cls = load("model", name)
    check_model(cls, SMALL.get(name, {}))
    if issubclass(cls, Baseline):
        check_baseline(cls, panel=PANEL, target=TARGET, origins=ORIGINS, horizons=(1, 12))


class Settled(Ensemble):
    """An ensemble's weights are settled by the forecast, from its members; here they are equal as soon as it is fit."""

    def fit(self, X, y, **given):
        return super().fit(X, y, **given).weigh(None)


def test_the_ensemble_once_its_weights_are_settled() -> None:
    check_model(Settled, {"members": ["a", "b"]})


@pytest.mark.parametrize("name", names("metric"))
def test_built_in_metrics(name: str) -> None:
    check_metric(load("metric", name))


@pytest.mark.parametrize("name", names("check"))
def test_built_in_fairness_checks(name: str) -> None:
    check_fairness_check(load("check", name))


CENSUS = b"geography code,Residents\nE01000001,12\nE01000002,7\nE01000003,9\n"


@pytest.fixture
def census(tmp_path: Path) -> SourceFile:
    path = tmp_path / "people.csv"
    path.write_bytes(CENSUS)
    file = FileSpec(path=path.name, published=date(2022, 11, 2), period="2021", measures={"residents": "Residents"})
    source = SourceSpec(title="t", publisher="p", licence="l", reader="nomis", evidence="e", files={"people": file})
    return SourceFile("census", "people", path.name, path, None, "2021", date(2022, 11, 2), file, source)


def with_table(edit: Any) -> Any:
    """A sound reader whose table is edited on the way out."""

    def read(file: SourceFile) -> Observed:
        found = read_nomis(file)
        return Observed(edit(found.table), found.counted)

    return read


def with_counts(*counted: Counted) -> Any:
    return lambda file: Observed(read_nomis(file).table, counted)


def column(name: str, cells: list[Any], kind: pa.DataType) -> Any:
    return lambda table: table.set_column(table.column_names.index(name), name, pa.array(cells, kind))


def reads_the_half(file: SourceFile) -> Observed:
    """Cells are cut at the last comma, so half a row is a row."""
    try:
        return read_nomis(file)
    except DataFileError:
        if b"<" in file.raw or b"\0" in file.raw or not file.raw:
            raise
        return Observed(pa.table({}), (Counted("raw rows", 1),))


def fails_in_its_own_words(file: SourceFile) -> Observed:
    if not file.raw.endswith(b"9\n"):
        raise ValueError("cannot read")
    return read_nomis(file)


def says_not_which(file: SourceFile) -> Observed:
    try:
        return read_nomis(file)
    except DataFileError as error:
        raise DataFileError("a file is damaged") from error


def never_the_same() -> Any:
    times: list[int] = []

    def read(file: SourceFile) -> Observed:
        times.append(1)
        return Observed(read_nomis(file).table, (Counted("raw rows", len(times)),))

    return read


def tidies_up(file: SourceFile) -> Observed:
    found = read_nomis(file)
    file.path.write_bytes(file.raw.replace(b"12", b"13"))
    return found


E, T, F = ["E01000001", "E01000002", "E01000003"], pa.string(), pa.float64()
BROKEN_READERS = {
    "columns are": (with_table(lambda t: t.drop_columns(["breakdown"])), "table"),
    "has nulls": (with_table(column("area", [E[0], None, E[2]], T)), "table"),
    "'value' is float": (with_table(column("value", [1, 2, 3], pa.float32())), "table"),
    "infinite or NaN": (with_table(column("value", [1.0, np.inf, 3.0], F)), "table"),
    "'area' is int": (with_table(column("area", [1, 2, 3], pa.int64())), "table"),
    "blank cells": (with_table(column("breakdown", ["total", "", "total"], T)), "table"),
    "not in the source's definition": (with_table(column("measure", ["residents", "people", "residents"], T)), "table"),
    "repeat a measure": (with_table(column("area", [E[0], E[0], E[2]], T)), "table"),
    "no row of the file is counted": (with_counts(), "counts"),
    "0 or more": (with_counts(Counted("raw rows", -1)), "counts"),
    "counted twice": (with_counts(Counted("raw rows", 28), Counted("raw rows", 28)), "counts"),
    "is not counted": (with_counts(Counted("areas", 3)), "counts"),
    "its parts": (with_counts(Counted("raw rows", 29)), "counts"),
    "two reads": (never_the_same(), "deterministic"),
    "as if it were whole": (reads_the_half, "refuses damage"),
    "not DataFileError": (fails_in_its_own_words, "refuses damage"),
    "does not name it": (says_not_which, "refuses damage"),
    "was changed": (tidies_up, "leaves files alone"),
}


@pytest.mark.parametrize("seen", BROKEN_READERS)
def test_a_broken_reader_is_caught(seen: str, census: SourceFile) -> None:
    read, rule = BROKEN_READERS[seen]
    adds_up = {"raw rows": [VALUES]} if rule == "counts" else None
    with pytest.raises(BrokenRule) as caught:
        check_reader(read, census, adds_up=adds_up)
    assert caught.value.rule == rule
    assert seen in caught.value.seen


def test_what_no_reader_could_notice_can_be_taken_out_and_more_put_in(census: SourceFile) -> None:
    check_reader(read_nomis, census)
    check_reader(reads_the_half, census, damaged={"truncated": None})
    with pytest.raises(BrokenRule, match=r"\(no rows\)"):
        check_reader(reads_the_half, census, damaged={"truncated": None, "no rows": CENSUS[:25]})


class ForgetsAParameter(PoissonRidge):
    def __init__(self, alpha: float = 1.0, plus: float = 0.25, offset: str = "rolling_12", level: str = "offset"):
        super().__init__(alpha, plus, offset, level)
        self.alpha = 1.0


class NeedsAnOffset(PoissonRidge):
    def fit(self, X, y, *, offset, **given):
        return super().fit(X, y, offset=offset, **given)


class ReturnsNothing(PoissonRidge):
    def fit(self, X, y, **given):
        super().fit(X, y, **given)


class TunesItself(PoissonRidge):
    def fit(self, X, y, **given):
        self.alpha = self.alpha / 2
        return super().fit(X, y, **given)


class GuessesBeforeLearning(PoissonRidge):
    def predict(self, X, *, exposure=None, offset=None):
        known = hasattr(self, "coefficients_")
        return super().predict(X, exposure=exposure, offset=offset) if known else np.ones(len(X))


class FallsToNought(PoissonRidge):
    def predict(self, X, **given):
        mean = super().predict(X, **given)
        return np.where(mean > np.median(mean), mean, 0.0)


class AddsToTheOffset(PoissonRidge):
    def predict(self, X, **given):
        return super().predict(X, **given) + 0.5


class IgnoresTheExposure(PoissonRidge):
    def fit(self, X, y, *, exposure=None, **given):
        return super().fit(X, y, **given)


class DrawsAnew(PoissonRidge):
    draws = np.random.default_rng(3)

    def fit(self, X, y, **given):
        super().fit(X, y, **given)
        self.intercept_ += 1e-9 * self.draws.standard_normal()
        return self


class LooksAtItsNeighbours(PoissonRidge):
    def predict(self, X, **given):
        return super().predict(X, **given) * np.linspace(1, 2, len(X))


class TrustsTheFirstRows(PoissonRidge):
    def fit(self, X, y, *, offset=None, exposure=None, scales=None, directions=None):
        first = slice(0, len(X) // 2)
        offset = offset if offset is not None else exposure
        return super().fit(X[first], y[first], offset=None if offset is None else offset[first])


class RoundsWhenStored(PoissonRidge):
    def save(self, folder, stem):
        state = super().save(folder, stem)
        return {**state, "intercept_": round(state["intercept_"], 6)}


class StoresArrays(PoissonRidge):
    def save(self, folder, stem):
        return {**super().save(folder, stem), "mean_": self.mean_}


class StoresTheTime(PoissonRidge):
    times = iter(range(1000))

    def save(self, folder, stem):
        return {**super().save(folder, stem), "saved": next(self.times)}


class Pickles(PoissonRidge):
    def save(self, folder, stem):
        (folder / f"{stem}.bin").write_bytes(pickle.dumps(self.coefficients_))
        return super().save(folder, stem)


class WritesIntoItsRows(PoissonRidge):
    def fit(self, X, y, **given):
        X[np.isnan(X)] = 0.0
        return super().fit(X, y, **given)


BROKEN_MODELS = [
    (dict, {}, "shape", "not derived from CountModel"),
    (ForgetsAParameter, {"alpha": 2.0}, "shape", "alpha"),
    (NeedsAnOffset, {}, "shape", "TypeError"),
    (ReturnsNothing, {}, "shape", "NoneType"),
    (TunesItself, {}, "shape", "changes its parameters"),
    (GuessesBeforeLearning, {}, "not fitted", "before it has learned"),
    (FallsToNought, {}, "means", "not above 0"),
    (AddsToTheOffset, {}, "offset", "in proportion"),
    (IgnoresTheExposure, {}, "offset", "exposure"),
    (DrawsAnew, {}, "deterministic", "from the same rows"),
    (LooksAtItsNeighbours, {}, "row order", "predicted beside it"),
    (TrustsTheFirstRows, {}, "row order", "order of the training rows"),
    (RoundsWhenStored, {}, "storage", "other means"),
    (StoresArrays, {}, "storage", "no JSON"),
    (StoresTheTime, {}, "storage", "same bytes"),
    (Pickles, {}, "storage", "pickle"),
    (WritesIntoItsRows, {}, "leaves inputs alone", "read-only"),
]


@pytest.mark.parametrize(("cls", "settings", "rule", "seen"), BROKEN_MODELS, ids=lambda c: getattr(c, "__name__", ""))
def test_a_broken_model_is_caught(cls: type, settings: dict[str, Any], rule: str, seen: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_model(cls, settings)
    assert caught.value.rule == rule, caught.value
    assert seen in caught.value.seen


def test_a_model_that_draws_rows_by_position_says_so() -> None:
    check_model(TrustsTheFirstRows, row_order=None)


class Clairvoyant(Rolling12):
    def expected(self, view, target, origins, horizon):
        return super().expected(view.panel.as_of(month_start(view.origin + 12)), target, origins, horizon)


class LevelOfTheBatch(Rolling12):
    def expected(self, view, target, origins, horizon):
        found = super().expected(view, target, origins, horizon)
        return found / found.mean()


class InSinglePrecision(Rolling12):
    def expected(self, view, target, origins, horizon):
        return super().expected(view, target, origins, horizon).astype(np.float32)


class BelowNought(Rolling12):
    def expected(self, view, target, origins, horizon):
        return super().expected(view, target, origins, horizon) - 9.0


@pytest.mark.parametrize(
    ("cls", "rule"),
    [
        (Clairvoyant, "no look ahead"),
        (LevelOfTheBatch, "batch form"),
        (InSinglePrecision, "means"),
        (BelowNought, "means"),
        (PoissonRidge, "shape"),
    ],
)
def test_a_broken_baseline_is_caught(cls: type, rule: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_baseline(cls, panel=PANEL, target=TARGET, origins=ORIGINS, horizons=(1,))
    assert caught.value.rule == rule


def masked(observed, mean, mask):
    return mae(observed, mean)


def of_the_first_area(observed, mean):
    return float(mean[0]) if len(mean) else Undefined("no forecasts")


def divides(observed, mean):
    return float(np.sum(mean) / max(np.sum(observed), 1e-300)) if len(mean) else float("nan")


def without_a_reason(observed, mean):
    return mae(observed, mean) if len(mean) else Undefined(" ")


def fails_on_nothing(observed, mean):
    return float(max(mean))


def sorts_in_place(observed, mean):
    observed.sort()
    return mae(observed, observed)


def in_words(observed, mean):
    return "good"


def never(observed, mean):
    return Undefined("always")


class Drifts:
    times = 0

    def __call__(self, observed, mean):
        self.times += 1
        return float(self.times)


@pytest.mark.parametrize(
    ("metric", "rule"),
    [
        (masked, "inputs"),
        (of_the_first_area, "area order"),
        (divides, "defined or a reason"),
        (without_a_reason, "defined or a reason"),
        (fails_on_nothing, "defined or a reason"),
        (in_words, "defined or a reason"),
        (never, "defined or a reason"),
        (sorts_in_place, "leaves inputs alone"),
        (Drifts(), "deterministic"),
    ],
    ids=lambda case: getattr(case, "__name__", "") if callable(case) else "",
)
def test_a_broken_metric_is_caught(metric: Any, rule: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_metric(metric)
    assert caught.value.rule == rule, caught.value


class TakesNothingKnown(Lag):
    takes = ("monthly", "tea_leaves")


class OnAScaleOfItsOwn(Lag):
    scale = "stars"


class Infinite(Lag):
    def over(self, view, made_of, origins, horizon):
        return np.full((len(view.geography.areas), len(origins)), np.inf, dtype=np.float32)


class InDoublePrecision(Lag):
    def over(self, view, made_of, origins, horizon):
        return super().over(view, made_of, origins, horizon).astype(np.float64)


class StaticOnly(Lag):
    takes = ("static",)


@pytest.mark.parametrize(
    ("cls", "rule"),
    [
        (TakesNothingKnown, "declared"),
        (StaticOnly, "declared"),
        (OnAScaleOfItsOwn, "declared"),
        (Infinite, "no infinities"),
        (InDoublePrecision, "shape"),
    ],
)
def test_a_broken_transform_is_caught(cls: type, rule: str) -> None:
    """What looks ahead is in ``tests/laws``."""
    with pytest.raises(BrokenRule) as caught:
        check_transform(cls(), HISTORY, PANEL, origins=ORIGINS)
    assert caught.value.rule == rule


class WithoutAQuestion(ExposureBias):
    question = " "


class SaysAllIsWell(ExposureBias):
    reading = "Near nought the forecast is fair."


class AsksForAName(ExposureBias):
    question = "Is it off for {name}?"


class OneFigureForAll(ExposureBias):
    def statistic(self, sums):
        return super().statistic(sums)[:, :1]


class DividesByNought(ExposureBias):
    def statistic(self, sums):
        with np.errstate(divide="ignore", invalid="ignore"):
            return sums.residents("months") / (sums.residents("months") * 0)


class NeverAFigure(ExposureBias):
    def statistic(self, sums):
        return super().statistic(sums) * np.nan


class WithoutAReason(ExposureBias):
    def why_not(self, sums):
        return ""


class LooksAtTheFirstGroup(ExposureBias):
    def statistic(self, sums):
        found = super().statistic(sums)
        return found - found[:, :1]


class TrustsTheFirstArea(ExposureBias):
    def statistic(self, sums):
        return super().statistic(sums) + sums.area_values("expected")[:, 0]


class AgainstTheOtherModels(ExposureBias):
    def statistic(self, sums):
        found = super().statistic(sums)
        return found - found.mean(axis=2, keepdims=True)


class EachTimeAnother(ExposureBias):
    draws = np.random.default_rng(5)

    def statistic(self, sums):
        return super().statistic(sums) + self.draws.normal()


class AddsInPlace(ExposureBias):
    def statistic(self, sums):
        more = sums.group("expected")
        more -= sums.group("recorded")
        return more


@pytest.mark.parametrize(
    ("check", "rule"),
    [
        (PoissonRidge, "shape"),
        (WithoutAQuestion, "shape"),
        (AsksForAName, "shape"),
        (OneFigureForAll, "shape"),
        (SaysAllIsWell, "words"),
        (DividesByNought, "defined or a reason"),
        (NeverAFigure, "defined or a reason"),
        (WithoutAReason, "defined or a reason"),
        (LooksAtTheFirstGroup, "group order"),
        (TrustsTheFirstArea, "area order"),
        (AgainstTheOtherModels, "models"),
        (EachTimeAnother, "deterministic"),
        (AddsInPlace, "leaves inputs alone"),
    ],
)
def test_a_broken_fairness_check_is_caught(check: type, rule: str) -> None:
    with pytest.raises(BrokenRule) as caught:
        check_fairness_check(check)
    assert caught.value.rule == rule
