"""Another stream's records: only where they lie counts, few of them stay few, and missing months are counted."""

from __future__ import annotations

import numpy as np
import pytest

from crossing_builders import area_codes
from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.cross_stream import against, part_of
from riskmodel.fairness.evidence import Evidence

AREAS = 30


def make_evidence(seed: int = 1) -> Evidence:
    chance = np.random.default_rng(seed)
    mean = chance.gamma(4, 2, (2, 3, 4, AREAS))
    cells = np.ones((3, 4), dtype=bool)
    cells[2, 3] = False
    return Evidence(
        target="recorded_violence@1", level="lsoa21", source="police_uk", models=("a", "b"), baseline="b",
        origins=np.array([24000, 24002, 24004]), horizons=np.array([1, 2, 3, 4]), areas=area_codes(AREAS), mean=mean,
        low=mean * 0.5, high=mean * 1.5, observed=chance.poisson(mean[0]).astype(float), cells=cells,
        residents=np.full(AREAS, 1500.0), points=chance.uniform(0, 9, (AREAS, 2)),
        district=np.zeros(AREAS, dtype=np.intp), districts=("one",), left_out={"areas": 2},
    )  # fmt: skip


def test_each_model_adds_up_to_the_other_streams_records_which_stay_as_they_are() -> None:
    own = make_evidence()
    records = np.random.default_rng(2).poisson(0.4, own.observed.shape).astype(float)
    made = against(own, records, source="emergency_department", restricted=True)
    assert (made.observed == records).all()
    for model in range(2):
        assert made.mean[model][made.cells].sum() == pytest.approx(records[made.cells].sum())
        shape = made.mean[model] / own.mean[model]
        assert shape == pytest.approx(np.full(shape.shape, shape.flat[0]))
    assert (made.source, made.restricted) == ("emergency_department", True)
    assert np.isnan(made.low).all()
    assert (own.source, own.restricted) == ("police_uk", False)


def test_a_stream_twice_as_large_gives_the_same_contrasts() -> None:
    own = make_evidence()
    records = np.random.default_rng(3).poisson(2.0, own.observed.shape).astype(float)
    one, two = (against(own, records * times, source="ambulance", restricted=False) for times in (1.0, 2.0))
    assert two.mean == pytest.approx(2.0 * one.mean)


def test_months_that_the_other_stream_lacks_are_left_out_and_counted() -> None:
    own = make_evidence()
    records = np.ones(own.observed.shape)
    records[0, 1, 7] = np.nan
    made = against(own, records, source="ambulance", restricted=False)
    assert not made.cells[0, 1]
    assert made.cells.sum() == own.cells.sum() - 1
    assert made.left_out == {"areas": 2, "months of origins without the other stream": 1}


def test_records_that_do_not_fit_or_say_nothing_are_refused() -> None:
    own = make_evidence()
    with pytest.raises(TableError, match="do not fit"):
        against(own, np.ones((3, 4, 2)), source="ambulance", restricted=False)
    for nothing in (np.zeros(own.observed.shape), np.full(own.observed.shape, np.nan)):
        with pytest.raises(NotEnoughHistory, match="says nothing"):
            against(own, nothing, source="ambulance", restricted=False)


def test_the_part_names_the_stream() -> None:
    assert part_of("ambulance") == "against ambulance"
