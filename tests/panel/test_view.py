"""Views: what was known on a day, and the same knowledge rewound; against plain dictionaries of issues."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FIRST, LAG, MEASURES, TARGET, code, issue, tiny_geography, tiny_panel
from riskmodel.contracts.errors import NotYetPublished
from riskmodel.contracts.periods import month_start
from riskmodel.panel.build import default_as_of
from riskmodel.panel.view import Monthly, Panel, Static
from riskmodel.testing import exact, without_revisions

GEOGRAPHY = tiny_geography()


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    months = draw(st.integers(16, 26))
    missing = draw(st.sets(st.integers(0, months - 1), max_size=4))
    again = draw(st.lists(st.tuples(st.integers(0, months - 1), st.integers(LAG + 1, months + 8)), max_size=4))
    again = [(held, when) for held, when in dict(again).items() if when > held + LAG]
    return tiny_panel(
        months=months, missing=sorted(missing), again=again, seed=draw(st.integers(0, 99)), geography=GEOGRAPHY
    )


def known(panel: Panel, day: date) -> dict[int, np.ndarray]:
    """The oracle: month -> its newest issue published by the day, [measure, area] without split and other codes."""
    source = panel.monthly["police"]
    newest: dict[int, tuple[date, int]] = {}
    for index, release in enumerate(source.releases):
        if release.published <= day and release.published >= newest.get(release.month, (date.min, 0))[0]:
            newest[release.month] = (release.published, index)
    at = [list(source.codes).index(area) for area in panel.geography.areas[:-2]]
    return {month: source.counts[:, at, index] for month, (_, index) in newest.items()}


@given(panels(), st.integers(6, 32))
@settings(max_examples=60)
def test_a_view_shows_the_newest_issue_published_by_its_day(panel: Panel, offset: int):
    day = month_start(FIRST + offset)
    held = known(panel, day)
    if not held:
        return
    view = panel.as_of(day)
    assert view.lateness("police") == FIRST + offset - max(held)
    for row, measure in enumerate(MEASURES):
        series = view.series("police", [measure])
        assert series.dtype == np.float32
        assert series.shape == (6, max(held) - FIRST + 1)
        for column in range(series.shape[1]):
            if FIRST + column in held:
                assert series[:-2, column].tolist() == held[FIRST + column][row].tolist()
            else:
                assert np.isnan(series[:, column]).all()
    assert view.present("police").tolist() == [FIRST + c in held for c in range(series.shape[1])]


@given(panels(), st.data())
@settings(max_examples=40)
def test_rewinding_equals_looking_then_where_nothing_was_revised(panel: Panel, data: st.DataObject):
    origins = [FIRST + m for m in range(4, 30)]
    plain, fresh = without_revisions(panel, origins)
    if len(fresh) < 2:
        return
    now = data.draw(st.sampled_from(fresh[1:]))
    then = data.draw(st.sampled_from([o for o in fresh if o < now]))
    rewound, seen = plain.as_of(month_start(now)).at(then), plain.as_of(month_start(then))
    assert rewound.day == seen.day
    for measures in (["violence"], ["burglary"], ["burglary", "violence"]):
        assert exact(rewound.series("police", measures)) == exact(seen.series("police", measures))
        assert exact(rewound.unlocated("police", measures)) == exact(seen.unlocated("police", measures))
    assert exact(rewound.present("police")) == exact(seen.present("police"))
    assert rewound.lateness("police") == seen.lateness("police")


@given(panels(), st.integers(8, 30), st.integers(0, 20))
@settings(max_examples=40)
def test_rewinding_cuts_what_is_known_now_and_keeps_the_lateness(panel: Panel, offset: int, back: int):
    if not known(panel, month_start(FIRST + offset)):
        return
    view = panel.as_of(month_start(FIRST + offset))
    earlier = view.at(FIRST + offset - back)
    whole = view.series("police", TARGET.measures)
    cut = earlier.series("police", TARGET.measures)
    assert earlier.lateness("police") == view.lateness("police")
    assert cut.shape[1] == max(0, whole.shape[1] - back)
    assert exact(cut) == exact(whole[:, : cut.shape[1]])


def test_a_revision_shows_from_its_day_on_and_in_the_rewound_past():
    panel = tiny_panel(months=24, again=[(8, 15)])
    before, after = panel.as_of(month_start(FIRST + 14)), panel.as_of(month_start(FIRST + 15))
    old, new = (v.series("police", TARGET.measures)[:, 8] for v in (before, after))
    assert not np.array_equal(old, new)
    assert exact(after.at(FIRST + 12).series("police", TARGET.measures)[:, 8]) == exact(new)
    assert exact(panel.as_of(month_start(FIRST + 12)).series("police", TARGET.measures)[:, 8]) == exact(old)


def test_a_late_feed_is_equally_late_at_every_origin():
    panel = tiny_panel(months=24, missing=[20, 21])
    now = panel.as_of(month_start(FIRST + 24))
    assert now.lateness("police") == LAG + 2
    for origin in range(FIRST + 6, FIRST + 25):
        newest = now.at(origin).series("police", TARGET.measures).shape[1] - 1
        assert FIRST + newest == origin - LAG - 2


def test_a_view_cannot_be_wound_forward():
    view = tiny_panel().as_of(month_start(FIRST + 20))
    view.at(FIRST + 20)
    with pytest.raises(ValueError, match="lies after"):
        view.at(FIRST + 21)
    with pytest.raises(ValueError, match="lies after"):
        view.at(FIRST + 12).at(FIRST + 21)


def test_an_origin_is_the_first_day_of_a_month():
    with pytest.raises(ValueError, match="first day of a month"):
        tiny_panel().as_of(date(2021, 3, 2))


def test_static_vintages_are_the_newest_known_on_the_day_even_when_rewound():
    panel = tiny_panel()
    old, new = panel.static.vintages["iod", "income"]
    assert panel.as_of(month_start(FIRST + 19)).vintage("iod", "income") is old
    later = panel.as_of(month_start(FIRST + 20))
    assert later.vintage("iod", "income") is new
    assert later.at(FIRST + 10).vintage("iod", "income") is new
    assert later.static("iod", "income", travels="share").tolist() == new.values.tolist()


def test_what_is_not_published_is_named_with_its_day():
    panel = tiny_panel()
    early = panel.as_of(month_start(FIRST + 2))
    with pytest.raises(NotYetPublished, match=r"nothing of 'police' was published by 2020-03-01") as caught:
        early.series("police", ["violence"])
    assert caught.value.found == "first published 2020-04-01"
    with pytest.raises(NotYetPublished, match="no file held"):
        early.lateness("ambulance")
    with pytest.raises(NotYetPublished, match="no file held"):
        early.vintage("iod", "crime")
    unborn = Panel(panel.geography, {}, panel.static, FIRST)
    with pytest.raises(NotYetPublished, match="first published 2019-09-26"):
        unborn.as_of(date(2019, 9, 1)).vintage("iod", "income")


def test_views_are_read_only():
    series = tiny_panel().as_of(month_start(FIRST + 12)).series("police", ["violence"])
    with pytest.raises(ValueError, match="read-only"):
        series[0, 0] = 1.0


@given(panels(), st.integers(8, 30))
@settings(max_examples=30)
def test_every_record_of_the_issues_shown_is_in_one_place(panel: Panel, offset: int):
    day = month_start(FIRST + offset)
    source = panel.monthly["police"]
    chosen = source.known_on(day)
    if not chosen:
        return
    placed = source.converted(chosen, panel.geography)
    shown = slice(0, len(chosen))
    total = placed.located.sum(axis=1)[:, shown] + placed.unlocated[:, shown] + placed.out_of_force[:, shown]
    assert total.tolist() == source.counts[:, :, list(chosen)].sum(axis=1).tolist()
    blank = list(source.codes).index("")
    assert placed.unlocated[:, shown].tolist() == source.counts[:, blank][:, list(chosen)].tolist()
    elsewhere = list(source.codes).index("E01008888")
    assert placed.out_of_force[:, shown].tolist() == source.counts[:, elsewhere][:, list(chosen)].tolist()


@given(panels(), st.lists(st.integers(6, 32), min_size=2, max_size=5))
@settings(max_examples=30)
def test_the_order_of_asking_does_not_matter(panel: Panel, offsets: list[int]):
    fresh = {}
    for offset in offsets:
        copy = Panel(GEOGRAPHY, {"police": _again(panel.monthly["police"])}, panel.static, FIRST)
        fresh[offset] = copy.as_of(month_start(FIRST + offset))
    for offset in offsets:
        view = panel.as_of(month_start(FIRST + offset))
        if known(panel, view.day):
            assert exact(view.series("police", MEASURES)) == exact(fresh[offset].series("police", MEASURES))


def _again(source: Monthly) -> Monthly:
    return Monthly(source.source, source.measures, source.codes, source.releases, source.counts)


def test_months_before_the_axis_are_left_out_of_it_but_still_share_out_split_areas():
    whole, short = tiny_panel(), tiny_panel(first_month=FIRST + 5)
    day = month_start(FIRST + 20)
    series = whole.as_of(day).series("police", TARGET.measures)
    assert exact(short.as_of(day).series("police", TARGET.measures)) == exact(series[:, 5:])
    with pytest.raises(NotYetPublished):
        short.as_of(month_start(FIRST + LAG + 4)).series("police", TARGET.measures)


def test_the_default_day_is_the_first_on_which_the_newest_month_shows():
    panel = tiny_panel(months=24)
    day = default_as_of(panel, "police")
    assert day == month_start(FIRST + 23 + LAG)
    assert panel.as_of(day).series("police", TARGET.measures).shape[1] == 24
    once = (issue(FIRST, date(2020, 4, 17)),)
    odd = Monthly("police", ("violence",), np.array([code(0)]), once, np.ones((1, 1, 1), dtype=int))
    assert default_as_of(Panel(GEOGRAPHY, {"police": odd}, Static({}), FIRST), "police") == date(2020, 5, 1)
