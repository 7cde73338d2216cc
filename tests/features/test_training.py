"""Training sets against a plain loop: only published labels, only origins with a past, never a made-up zero."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FEATURES, FIRST, LAG, TARGET, tiny_geography, tiny_panel, tiny_plan
from riskmodel.contracts.periods import month_start
from riskmodel.features.training import FeatureBlocks, build_training_set, labels, months_held
from riskmodel.forecast.fitting import training_origins
from riskmodel.testing import exact

GEOGRAPHY = tiny_geography()


@given(
    st.integers(8, 30),
    st.sets(st.integers(0, 20), max_size=8),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 4),
)
@settings(max_examples=60)
def test_a_training_set_is_what_the_loop_says(months, missing, horizon, minimum, later):
    panel = tiny_panel(months=months, missing=sorted(missing - {months - 1}), geography=GEOGRAPHY)
    view = panel.as_of(month_start(FIRST + months - 1 + LAG + later))
    origins = tuple(range(FIRST + 1, view.origin + 1))
    blocks = FeatureBlocks(view, FEATURES, origins)
    made = build_training_set(blocks, TARGET, horizon, minimum_months=minimum)

    lateness = LAG + later
    held = {r.month for r in panel.monthly["police"].releases}
    series = view.series("police", ["violence"])
    rows = {}
    for origin in origins:
        forecast = origin + horizon - 1
        recent = [m for m in range(origin - lateness - 11, origin - lateness + 1) if m in held and m >= FIRST]
        if forecast in held and forecast <= view.origin - lateness and len(recent) >= minimum:
            values = np.stack([f.transform(view.at(origin), f.input, horizon) for f in FEATURES], axis=1)
            for area in range(6):
                rows[area, origin] = (float(series[area, forecast - FIRST]), values[area])
    found = {
        (int(area), origins[origin]): (y, x)
        for area, origin, y, x in zip(made.area, made.origin, made.y, made.X, strict=True)
    }
    assert list(found) == sorted(rows)
    for key, (y, values) in rows.items():
        assert found[key][0] == y
        assert exact(found[key][1]) == exact(values)
    assert np.array_equal(made.exposure, GEOGRAPHY.population[made.area])


def test_a_missing_month_gives_no_label():
    panel = tiny_panel(months=30, missing=[20])
    view = panel.as_of(month_start(FIRST + 32))
    origins = [FIRST + m for m in range(12, 33)]
    y = labels(view, TARGET, origins, 3)
    absent = [o for o, column in zip(origins, y.T, strict=True) if np.isnan(column).all()]
    # The months forecast are origin + 2; 20 is missing and from 30 on nothing is visible.
    assert [o - FIRST + 2 for o in absent] == [20, 30, 31, 32, 33, 34]
    assert np.isfinite(np.delete(y, [o - origins[0] for o in absent], axis=1)).all()
    made = build_training_set(FeatureBlocks(view, FEATURES, tuple(origins)), TARGET, 3, minimum_months=6)
    assert np.isfinite(made.y).all()
    assert FIRST + 18 not in {origins[o] for o in made.origin}


def test_a_revision_published_by_the_day_is_the_label():
    panel = tiny_panel(months=24, again=[(15, 22)])
    origin, labelled = FIRST + 24, FIRST + 15
    source = panel.monthly["police"]
    newest = [i for i, r in enumerate(source.releases) if r.month == labelled][-1]
    at = [list(source.codes).index(area) for area in panel.geography.areas[:-2]]
    y = labels(panel.as_of(month_start(origin)), TARGET, [labelled], 1)[:-2, 0]
    assert y.tolist() == source.counts[1, at, newest].tolist()
    before = labels(panel.as_of(month_start(FIRST + 21)), TARGET, [labelled], 1)[:-2, 0]
    assert before.tolist() != y.tolist()


def test_months_held_counts_calendar_months_and_not_records():
    view = tiny_panel(months=24, missing=[13, 14, 15, 16, 17]).as_of(month_start(FIRST + 26))
    expected = []
    for origin in range(FIRST, FIRST + 27):
        visible = range(max(0, origin - FIRST - LAG - 11), origin - FIRST - LAG + 1)
        expected.append(sum(1 for m in visible if not 13 <= m <= 17))
    assert months_held(view, TARGET, list(range(FIRST, FIRST + 27))).tolist() == expected


def test_the_horizon_changes_only_the_features_that_use_it():
    view = tiny_panel(months=30).as_of(month_start(FIRST + 32))
    blocks = FeatureBlocks(view, FEATURES, tuple(range(FIRST + 12, FIRST + 33)))
    near, far = blocks.at(2), blocks.at(9)
    for column, feature in enumerate(FEATURES):
        assert np.array_equal(near[:, :, column], far[:, :, column], equal_nan=True) != feature.uses_horizon


def test_the_frame_says_which_row_is_what():
    view = tiny_panel(months=24).as_of(month_start(FIRST + 26))
    made = build_training_set(FeatureBlocks(view, FEATURES, (FIRST + 15, FIRST + 16)), TARGET, 2, minimum_months=6)
    frame = made.frame(view.geography.areas)
    assert list(frame.columns) == ["area", "origin", "horizon", "y", "exposure", *[f.label for f in FEATURES]]
    assert not frame.duplicated(["area", "origin", "horizon"]).any()
    row = frame[(frame.area == view.geography.areas[2]) & (frame.origin == "2021-04-01")].iloc[0]
    assert row.y == view.series("police", ["violence"])[2, 16]
    assert row.exposure == view.geography.population[2]


def test_training_origins_end_with_the_day_itself_and_are_cut_to_the_newest():
    view = tiny_panel(months=24).as_of(month_start(FIRST + 26))
    every = training_origins(view, tiny_plan())
    assert every == tuple(range(FIRST + LAG, FIRST + 27))
    assert training_origins(view, tiny_plan(training_origins=4)) == every[-5:]
    empty = build_training_set(FeatureBlocks(view, FEATURES, every[-1:]), TARGET, 1, minimum_months=6)
    assert empty.X.shape == (0, len(FEATURES))
    assert math.isclose(empty.y.sum(), 0.0)


def test_months_before_the_axis_have_no_label():
    view = tiny_panel(months=24).as_of(month_start(FIRST + 26))
    y = labels(view, TARGET, [FIRST - 3, FIRST - 1, FIRST], 2)
    assert np.isnan(y[:, 0]).all()
    assert np.array_equal(y[:, 1:], view.series("police", ["violence"])[:, :2])
