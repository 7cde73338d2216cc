"""The law, for people who write their own: change all that was published later, and nothing may change.

In: a panel, past origins, something computed from a view. Out: nothing, or an error that names the origin, the change
and what differed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import month_from_date, month_label, month_start
from riskmodel.panel.view import Monthly, Panel, Release, Static, View, Vintage
from riskmodel.testing.rules import BrokenRule

__all__ = ["changed_futures", "check_future_blindness", "exact", "without_revisions"]

Contents = Mapping[str, object]
Issues = list[tuple[Release, npt.NDArray[np.int64]]]


def check_future_blindness(
    panel: Panel, compute: Callable[[View], Contents], *, origins: Sequence[int], seed: int = 0
) -> None:
    """Change everything published after each origin; what is computed there must not change by one bit.

    Parameters
    ----------
    panel : Panel
        Holding issues published after the origins.
    compute : callable
        View -> name -> array, bytes or anything whose ``repr`` says it all.
    origins : sequence of int
        Month numbers.
    seed : int
        For the invented futures.

    Raises
    ------
    BrokenRule
        Naming the origin, the change and the first thing that differed.
    """
    for origin in origins:
        day = month_start(origin)
        before = {name: exact(value) for name, value in compute(panel.as_of(day)).items()}
        for change, other in changed_futures(panel, day, seed=seed):
            after = {name: exact(value) for name, value in compute(other.as_of(day)).items()}
            differing = [n for n in (*before, *after) if before.get(n) != after.get(n)]
            if differing:
                raise BrokenRule(
                    "no look ahead",
                    f"'{differing[0]}' at {month_label(origin)} depends on what was published later: "
                    f"it changed when {change}",
                )


def changed_futures(panel: Panel, day: date, *, seed: int = 0) -> Iterator[tuple[str, Panel]]:
    """Panels that differ from this one only in what was published after a day, each with what was changed.

    Parameters
    ----------
    panel : Panel
        The panel as it is.
    day : date
        What was published by then stays.
    seed : int
        For invented counts.
    """
    random = np.random.default_rng(seed)
    later = day + timedelta(days=40)
    for change, edit in _EDITS.items():
        monthly = {}
        for name, source in panel.monthly.items():
            issues: Issues = [(r, source.counts[:, :, i]) for i, r in enumerate(source.releases)]
            kept = edit(issues, day, later, random)
            if kept:
                monthly[name] = _issued(source, kept)
        first = min((s.releases[0].month for s in monthly.values()), default=panel.first_month)
        yield change, replace(panel, monthly=monthly, first_month=min(panel.first_month, first))
    named = {name: _with_names(source, panel, later, random) for name, source in panel.monthly.items()}
    yield "a code and a measure appeared that were never seen before", replace(panel, monthly=named)
    yield "later vintages were changed", replace(panel, static=_later_vintages(panel.static, day, random))
    held = {k: [v for v in vs if v.published <= day] for k, vs in panel.static.vintages.items()}
    yield "later vintages were removed", replace(panel, static=Static(held))
    added = {
        k: [
            *vs,
            replace(vs[-1], published=max(later, vs[-1].published), values=random.uniform(0, 9, len(vs[-1].codes))),
        ]
        for k, vs in panel.static.vintages.items()
        if vs
    }
    yield "a newer vintage was added", replace(panel, static=Static(added))


def without_revisions(panel: Panel, origins: Sequence[int]) -> tuple[Panel, list[int]]:
    """The panel as if every month had been issued once, equally late; and the origins whose newest month is held.

    Parameters
    ----------
    panel : Panel
        Of whose static measures the oldest vintage is kept.
    origins : sequence of int
        Month numbers.
    """
    monthly, fresh = {}, set(origins)
    for name, source in panel.monthly.items():
        lag = min(month_from_date(r.published) - r.month for r in source.releases)
        newest = {r.month: (r, source.counts[:, :, i]) for i, r in enumerate(source.releases)}
        issues = [(replace(r, published=month_start(r.month + lag)), c) for r, c in newest.values()]
        monthly[name] = _issued(source, issues)
        fresh &= {month + lag for month in newest}
    static = Static({key: held[:1] for key, held in panel.static.vintages.items()})
    return replace(panel, monthly=monthly, static=static), sorted(fresh)


def _others(issues: Issues, day: date, later: date, random: np.random.Generator) -> Issues:
    return [(r, c if r.published <= day else random.poisson(40, c.shape)) for r, c in issues]


def _removed(issues: Issues, day: date, later: date, random: np.random.Generator) -> Issues:
    return [(r, c) for r, c in issues if r.published <= day]


def _again(issues: Issues, day: date, later: date, random: np.random.Generator) -> Issues:
    months = sorted({r.month for r, _ in issues})
    return _with_months(issues, months, later, random)


def _filled(issues: Issues, day: date, later: date, random: np.random.Generator) -> Issues:
    months = {r.month for r, _ in issues}
    holes = [m for m in range(min(months) - 5, max(months)) if m not in months]
    return _with_months(issues, holes, later, random)


def _longer(issues: Issues, day: date, later: date, random: np.random.Generator) -> Issues:
    last = max(r.month for r, _ in issues)
    return _with_months(issues, range(last + 1, last + 4), later, random)


def _with_months(issues: Issues, months: Sequence[int], later: date, random: np.random.Generator) -> Issues:
    shape = issues[0][1].shape
    return [*issues, *((Release(m, later, f"later {m}"), random.poisson(40, shape)) for m in months)]


_EDITS: dict[str, Callable[[Issues, date, date, np.random.Generator], Issues]] = {
    "later issues held other counts": _others,
    "later issues were removed": _removed,
    "every month was issued again later": _again,
    "missing and earlier months were filled in later": _filled,
    "new months were added": _longer,
}


def _issued(source: Monthly, issues: Issues) -> Monthly:
    issues = sorted(issues, key=lambda issue: (issue[0].month, issue[0].published, issue[0].file))
    counts = np.stack([c for _, c in issues], axis=2).astype(np.int64)
    return Monthly(source.source, source.measures, source.codes, tuple(r for r, _ in issues), counts)


def _with_names(source: Monthly, panel: Panel, later: date, random: np.random.Generator) -> Monthly:
    unseen = np.setdiff1d(panel.geography.conversion.known, source.codes)[:2]
    codes = np.union1d(source.codes, unseen)
    measures = tuple(sorted((*source.measures, "a_measure_never_seen")))
    counts = np.zeros((len(measures), len(codes), len(source.releases)), dtype=np.int64)
    rows = np.asarray([measures.index(m) for m in source.measures])
    counts[np.ix_(rows, np.searchsorted(codes, source.codes))] = source.counts
    issues: Issues = [(r, counts[:, :, i]) for i, r in enumerate(source.releases)]
    wider = replace(source, measures=measures, codes=codes, _converted=[])
    return _issued(wider, _with_months(issues, [max(r.month for r, _ in issues) + 1], later, random))


def _later_vintages(static: Static, day: date, random: np.random.Generator) -> Static:
    def other(vintage: Vintage) -> Vintage:
        seen = vintage.published <= day
        return vintage if seen else replace(vintage, values=random.uniform(0, 9, len(vintage.values)))

    return Static({key: [other(v) for v in held] for key, held in static.vintages.items()})


def exact(value: object) -> Any:
    """Every bit of a value, in a form that compares equal only to itself; one kind of NaN."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufM":
        plain = np.where(np.isnan(value), np.nan, value).astype(value.dtype) if value.dtype.kind == "f" else value
        return value.dtype.str, value.shape, np.ascontiguousarray(plain).tobytes()
    if isinstance(value, np.ndarray):
        return value.shape, value.astype(str).tolist()
    return value if isinstance(value, bytes) else repr(value)
