"""The parts pages are made of: words for numbers, packed tables, outlines, pictures of time and the shared frame."""

from __future__ import annotations

import re
from functools import reduce

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.errors import UsageError
from riskmodel.narrative.chance import change_by_chance
from riskmodel.narrative.facts import as_plain, bare
from riskmodel.narrative.facts.marks import LIGHT, LIGHT_END, mark
from riskmodel.narrative.fans import Series, draw_fan, draw_share
from riskmodel.narrative.forecast_words import MINUS, change_words, expected_words, rank_words, recorded_words
from riskmodel.narrative.frame import PageLink, render_page
from riskmodel.narrative.maps import make_outlines
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row, pack


def number(words: str) -> float:
    return float(words.replace(",", "").replace(MINUS, "-").rstrip("%"))


@given(st.floats(0, 1e7))
def test_an_expected_count_is_never_further_off_than_its_last_digit(value: float) -> None:
    words = expected_words(value)
    if words == "under 0.1":
        assert 0 < value < 0.05
    else:
        assert abs(number(words) - value) <= (0.05 if value < 9.95 else 0.5) + 1e-9
        assert ("." in words) == (value < 9.95)


@given(st.integers(0, 10**7))
def test_a_count_is_written_whole(count: int) -> None:
    assert number(recorded_words(float(count))) == count


@given(st.floats(-0.99, 20))
def test_a_change_has_its_sign_and_no_false_precision(value: float) -> None:
    words = change_words(value)
    assert re.fullmatch(rf"[+{MINUS}]?[\d,]+%", words)
    assert abs(number(words) - 100 * value) <= 0.5 + 1e-9
    assert (words[0] in f"+{MINUS}") == (words != "0%")


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.integers(1, n), st.integers(1, n), st.just(n))))
def test_a_band_of_ranks_never_names_a_single_middle_rank(ranks: tuple[int, int, int]) -> None:
    low, high = sorted(ranks[:2])
    words = rank_words(low, high, ranks[2])
    assert words.endswith(str(ranks[2]))
    named = [int(n) for n in re.findall(r"\d+", words.removesuffix(str(ranks[2])))]
    if words.startswith("between"):
        assert named == [low, high] and low < high
    elif words.startswith("among"):
        top = "highest" in words
        assert named[0] >= (high if top else ranks[2] - low + 1)
    else:
        assert (low, high) in ((1, ranks[2]), (1, 1), (ranks[2], ranks[2]))


def test_the_range_by_chance_holds_no_change_nine_times_in_ten() -> None:
    rng = np.random.default_rng(4)
    for mean in (30, 400):
        low, high = change_by_chance(*rng.poisson(mean, (2, 40_000)).astype(float))
        assert np.mean((low <= 0) & (high >= 0)) == pytest.approx(0.9, abs=0.012)
    low, high = change_by_chance(np.array([9.0, 0.0, np.nan]), np.array([50.0, 50.0, 50.0]))
    assert np.isnan(low).all() and np.isnan(high).all()


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "long text", "other text", "<b>", "0", ""]), min_size=2, max_size=2), max_size=40
    ),
    st.integers(1, 10),
)
def test_a_packed_table_unpacks_to_its_rows(cells: list[list[str]], page: int) -> None:
    rows = [Row([first, Cell(second, order=float(len(second)))]) for first, second in cells]
    table = HtmlTable("t", "c", [Heading("a"), Heading("b")], rows, page=page)
    words, packed = pack([table])
    held = packed.get("t", {})
    rest = [[words[c] if isinstance(c, int) else c for c in row] for row in held.get("rows", [])]
    assert rest == cells[page:]
    assert len(table.first_rows) + len(rest) == len(cells)
    assert held.get("orders", {}) == {second: float(len(second)) for _, second in cells}


@given(st.lists(st.lists(st.integers(0, 99), max_size=4, unique=True), min_size=2, max_size=9))
def test_a_packed_cell_that_lists_rows_of_a_table_still_knows_each(listed: list[list[int]]) -> None:
    texts = ["\n".join(f"Name {mark(f't.{at}.v', str(at))}, sure" for at in own) or "none" for own in listed]
    rows = [Row([f"place {n}", text]) for n, text in enumerate(texts)]
    words, packed = pack([HtmlTable("t", "c", [Heading("a"), Heading("b")], rows, page=1)])
    held = packed["t"]
    for number, (_, cell) in enumerate(held["rows"], start=1):
        pieces = cell if isinstance(cell, list) else [cell]
        text = "".join(words[piece] if isinstance(piece, int) else piece for piece in pieces)
        assert as_plain(text) == as_plain(texts[number])
        known = re.findall(f"{LIGHT}([^{LIGHT_END}]*){LIGHT_END}", text)
        if "lists" in held:
            assert held["facts"] == {"1": [["t", "v"]]}
            assert [str(at) for at in held["lists"]["1"][number - 1]] == known == [str(at) for at in listed[number]]
        elif known:
            assert [str(held["at"]["t"][number - 1])] == known == [str(at) for at in listed[number]]


def squares(side: int) -> np.ndarray:
    x, y = np.divmod(np.arange(side * side), side)
    return shapely.box(-2 + 0.02 * x, 51 + 0.01 * y, -2 + 0.02 * (x + 1), 51 + 0.01 * (y + 1))


def polygon_of(path: str) -> shapely.Geometry:
    rings = []
    for part in path.removesuffix("z").split("z"):
        start, steps = part.removeprefix("M").split("l")
        moves = np.array([start, *re.findall(r"-?\d+ -?\d+", steps)])
        rings.append(shapely.Polygon(np.cumsum([[int(v) for v in move.split()] for move in moves], axis=0)))
    return reduce(shapely.symmetric_difference, rings)


@pytest.mark.parametrize("side", [4, 9])
def test_outlines_of_every_level_fill_one_picture_and_fit_on_each_other(side: int) -> None:
    shapes = squares(side)
    small = [f"S{n:03d}" for n in range(len(shapes))]
    large = [f"L{n // side // 2}" for n in range(len(shapes))]
    one, other = make_outlines(shapes, small), make_outlines(shapes, large)
    assert (one.width, one.height) == (other.width, other.height)
    assert list(one.codes) == sorted(set(small)) and list(other.codes) == sorted(set(large))
    parts = {code: polygon_of(path) for code, path in zip(one.codes, one.paths, strict=True)}
    for code, path in zip(other.codes, other.paths, strict=True):
        own = shapely.union_all([parts[s] for s, member in zip(small, large, strict=True) if member == code])
        assert shapely.symmetric_difference(own, polygon_of(path)).area <= 0.02 * own.area
    assert sum(p.area for p in parts.values()) == pytest.approx(one.width * one.height, rel=0.02)


def test_outlines_keep_holes_leave_out_the_unplaced_and_refuse_a_wrong_length() -> None:
    shapes = squares(3)
    ring = make_outlines(shapes, ["A"] * 4 + ["B"] + ["A"] * 4)
    assert [path.count("M") for path in ring.paths] == [2, 1]
    assert make_outlines(shapes, [""] * 4 + ["B"] + [""] * 4).codes == ("B",)
    with pytest.raises(UsageError, match="each shape needs the code"):
        make_outlines(shapes, ["A"])


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=2, max_size=40), st.integers(1, 14))
def test_a_line_breaks_at_every_missing_month_and_nowhere_else(counts: list[int | None], ahead: int) -> None:
    recorded = np.array([np.nan if c is None else c for c in counts], dtype=float)
    months = 24_300 + np.arange(len(counts))
    mean = np.full(ahead, 100.0)
    series = Series(months, recorded, months[-1] + 1 + np.arange(ahead), mean, mean - 20, mean + 30)
    drawn = draw_fan(series, name="n", title="t", description="d")
    gaps = [shape.words for shape in drawn.shapes if shape.style == "gap"]
    lines = [dict(s.attributes)["points"].split() for s in drawn.shapes if s.style == "line"]
    dots = [s for s in drawn.shapes if s.style == "dot" and dict(s.attributes)["r"] == "2"]
    held = np.isfinite(recorded).astype(int)
    assert len(gaps) == (1 - held).sum() and all(words.endswith("missing") for words in gaps)
    assert len(lines) + len(dots) == held[0] + (np.diff(held) == 1).sum()
    assert sum(map(len, lines)) + len(dots) == held.sum()


def test_heights_are_the_numbers_and_the_axis_begins_at_nought() -> None:
    months = 24_300 + np.arange(3)
    none = np.array([])
    series = Series(months, np.array([0.0, 50.0, 100.0]), none.astype(int), none, none, none)
    drawn = draw_fan(series, name="n", title="t", description="d")
    line = next(dict(s.attributes)["points"] for s in drawn.shapes if s.style == "line")
    y = [float(point.split(",")[1]) for point in line.split()]
    assert y[0] - y[1] == pytest.approx(y[1] - y[2], abs=0.11)
    zero = next(dict(s.attributes) for s in drawn.shapes if s.style == "grid")
    assert float(zero["y1"]) == y[0]
    share = draw_share(months, np.array([0.8, np.nan, 0.96]), until=24_310, name="n", title="t", description="d")
    assert [s.words for s in share.shapes if s.style == "gap"] == [bare("Feb 2025") + ": missing"]


def test_the_frame_escapes_marks_the_current_page_and_runs_no_script_unasked() -> None:
    page = render_page(
        "explore.html", title="<b>", region="R & S", state="", contents=[], closing=["done"], sections=[],
        hatched=False, links=[PageLink("a.html", "A"), PageLink("b.html", "B", current=True)],
    )  # fmt: skip
    assert "<h1>&lt;b&gt;</h1>" in page and "R &amp; S" in page
    assert '<a href="b.html" aria-current="page">B</a>' in page and page.count('aria-current="page"') == 1
    assert "<script" not in page and "script-src" not in page and 'class="draft' not in page


@pytest.mark.parametrize("state", ["Draft: not approved for use", '"} </style><script>a()</script> \\22 \n é'])
def test_every_printed_sheet_says_the_state_whatever_it_holds(state: str) -> None:
    page = render_page(
        "explore.html", title="A", region="B", state=state, contents=[], closing=[], sections=[], hatched=False
    )
    style = page.partition("<style>")[2].partition("</style>")[0]
    said = re.search(r'@top-center \{ content: "([^"]*)"', style)[1]
    assert re.sub(r"\\([0-9a-f]+) ", lambda found: chr(int(found[1], 16)), said) == state
    assert page.count("<style>") == page.count("</style>") == 1 and "<script" not in page
