"""What changed since an earlier assessment: in go two narrations, out comes the published table ``since``.

Every value is taken from a table that one of the two runs has published already, so the table says nothing new of any
place. What is counted in another way now is said to be, and not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.assessment_tables import SINCE
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.tables import as_table
from riskmodel.explain.thresholds import STABLE
from riskmodel.fairness.audit import WHOLE
from riskmodel.narrative.published import WIDE
from riskmodel.workflow.narration import About, Narration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SINCE_NEEDS", "build_since", "with_since"]

SINCE_NEEDS = ("outlook", "history", "places", "streams", "stability", "audit")
"""The tables of the earlier run that are read."""
_AUDIT_KEY = ["check", "characteristic", "group", "evidence", "source", "level", "part"]


@dataclass(frozen=True)
class _Row:
    """One row of the table, and which of its two numbers are withheld."""

    what: str
    name: str
    target: str = ""
    level: str = ""
    location: str = ""
    before: float = float("nan")
    now: float = float("nan")
    before_words: str = ""
    now_words: str = ""
    note: str = ""
    before_withheld: bool = False
    now_withheld: bool = False


def with_since(now: Narration, before: Narration) -> Narration:
    """A narration that also holds what changed since an earlier one.

    Raises
    ------
    UsageError
        If the two runs cannot be compared.
    """
    table, withheld = build_since(now, before)
    return replace(
        now,
        about=now.about.model_copy(update={"tables": {**now.about.tables, "since": "csv"}}),
        tables={**now.tables, "since": table},
        withheld={**now.withheld, "since": withheld},
        before=before,
    )


def build_since(now: Narration, before: Narration) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table ``since``, and which of its cells are withheld.

    Parameters
    ----------
    now, before : Narration
        Of the earlier one, only ``SINCE_NEEDS`` are read.

    Raises
    ------
    UsageError
        If they are of different regions, the earlier one is later, both are the same run, or the earlier one is for
        partners and this one for everybody.
    """
    import pandas as pd

    _require_comparable(now.about, before.about)
    parts: tuple[Callable[[Narration, Narration], Iterator[_Row]], ...] = (
        _runs, _definitions, _counts, _conditions, _verdicts, _sources,
    )  # fmt: skip
    whole = now.tables["places"]
    region = str(whole.loc[whole["level"] == "pfa", "location"].iloc[0])
    empty = {"target": now.about.target, "level": "pfa", "location": region}
    rows = [row for part in parts for row in part(now, before)]
    given = [{k: v or empty.get(k, v) for k, v in vars(row).items()} for row in rows]
    frame = pd.DataFrame(given).replace("", np.nan)
    made = as_table(frame[SINCE.names], SINCE)
    withheld = pd.DataFrame(np.zeros(made.shape, dtype=bool), columns=made.columns)
    for end in ("before", "now"):
        withheld[end] = [bool(row[f"{end}_withheld"]) for row in given]
    return made, withheld


def _require_comparable(now: About, before: About) -> None:
    if now.region != before.region:
        raise UsageError(
            "the two runs are of different regions", found=before.region, allowed=now.region,
            hint="name an earlier run of the same region with --since",
        )  # fmt: skip
    if now.run_id == before.run_id:
        raise UsageError("a run cannot be compared with itself", found=before.run_id, hint="name an earlier run")
    if before.as_of > now.as_of:
        raise UsageError(
            "the run after --since is the later of the two",
            found=f"as of {before.as_of.isoformat()}", allowed=f"as of {now.as_of.isoformat()} or earlier",
            hint="change the two runs over",
        )  # fmt: skip
    if (before.audience, now.audience) == ("partners", "public"):
        raise UsageError(
            "the earlier run was written for partners, and this one is for everybody",
            hint="run the earlier one again for the public, or this one for partners",
        )


def _runs(now: Narration, before: Narration) -> Iterator[_Row]:
    yield _Row("run", "run", before_words=before.about.run_id, now_words=now.about.run_id)
    days = (before.about.as_of.isoformat(), now.about.as_of.isoformat())
    yield _Row("as_of", "as_of", before_words=days[0], now_words=days[1])
    yield _Row("model", "model", before_words=before.about.model_id, now_words=now.about.model_id)


def _hashes(narration: Narration) -> dict[str, str]:
    streams = narration.tables["streams"]
    return dict(zip(streams["target"], streams["definition_sha256"], strict=True))


def _same_targets(now: Narration, before: Narration) -> list[str]:
    """Targets that are counted in the same way in both, the headline first."""
    own, other = _hashes(now), _hashes(before)
    return [label for label in now.about.targets if label in own and own[label] == other.get(label)]


def _definitions(now: Narration, before: Narration) -> Iterator[_Row]:
    """Targets that are new, gone, or counted in another way."""
    ours, theirs = ({label.partition("@")[0]: label for label in n.about.targets} for n in (now, before))
    same = _same_targets(now, before)
    for name in dict.fromkeys([*ours, *theirs]):
        label, old = ours.get(name, ""), theirs.get(name, "")
        if label in same:
            continue
        note = "counted in another way now" if label and old else "counted now alone" if label else "no longer counted"
        titles = (now.about.targets, before.about.targets)
        title = titles[0][label].title if label else titles[1][old].title
        yield _Row("definition", title, target=label or old, before_words=old, now_words=label, note=note)


def _counts(now: Narration, before: Narration) -> Iterator[_Row]:
    """Twelve months recorded and expected, by partnership and district, then and now."""
    for label in _same_targets(now, before):
        for what, find in (("expected", _expected), ("recorded", _recorded)):
            ours, theirs = find(now, label), find(before, label)
            names = {**_names(before), **_names(now)}
            for place in dict.fromkeys([*ours, *theirs]):
                new, old = ours.get(place, {}), theirs.get(place, {})
                note = _reading(old, new) if what == "expected" else ""
                for column in dict.fromkeys([*new, *old]):
                    value, hidden, span = new.get(column, _NOTHING)
                    value_before, hidden_before, span_before = old.get(column, _NOTHING)
                    yield _Row(
                        column, names[place], label, *place, value_before, value, span_before, span,
                        note if column == "expected" else "", hidden_before, hidden,
                    )  # fmt: skip


_Cells = Mapping[str, tuple[float, bool, str]]
_NOTHING = (float("nan"), False, "")


def _names(narration: Narration) -> dict[tuple[str, str], str]:
    places = narration.tables["places"]
    return {(a, b): str(c) for a, b, c in places[["level", "location", "name"]].itertuples(index=False)}


def _expected(narration: Narration, label: str) -> dict[tuple[str, str], _Cells]:
    columns = {"mean": "expected", "low": "expected_low", "high": "expected_high"}
    return _cells(narration, "outlook", label, columns)


def _recorded(narration: Narration, label: str) -> dict[tuple[str, str], _Cells]:
    return _cells(narration, "history", label, {"recorded": "recorded"})


def _cells(narration: Narration, name: str, label: str, columns: Mapping[str, str]) -> dict[tuple[str, str], _Cells]:
    """The newest whole twelve months of each wide place: number, whether it is withheld, and the months."""
    table, mask = narration.tables[name], narration.withheld.get(name)
    kept = table[(table["target"] == label) & (table["window"] == "12_months") & table["level"].isin(WIDE)]
    if name == "history":
        kept = kept[kept["months_held"] == kept["months_of"]]
    kept = kept[kept["end"] == kept["end"].max()]
    hidden = None if mask is None else mask.set_axis(table.index)
    found: dict[tuple[str, str], _Cells] = {}
    for at, row in kept.iterrows():
        span = f"{row['start'].date().isoformat()} to {row['end'].date().isoformat()}"
        found[str(row["level"]), str(row["location"])] = {
            what: (float(row[column]), hidden is not None and bool(hidden.loc[at, column]), span)
            for column, what in columns.items()
        }
    return found


def _reading(old: _Cells, new: _Cells) -> str:
    """What the two ranges bear to be said."""
    ends = [cells.get(end, _NOTHING) for cells in (old, new) for end in ("expected_low", "expected_high")]
    if any(hidden or not np.isfinite(value) for value, hidden, _ in ends):
        return "cannot be said"
    (low, *_), (high, *_), (new_low, *_), (new_high, *_) = ends
    return "more" if new_low > high else "fewer" if new_high < low else "the ranges meet"


def _conditions(now: Narration, before: Narration) -> Iterator[_Row]:
    """Clusters of conditions that are stable in one of the runs alone."""
    ours, theirs = _clusters(now), _clusters(before)
    if not ours or not theirs:
        return
    shown = {c["members"]: c for held in (theirs, ours) for c in held.values() if c["mark"] == STABLE}
    for members, cluster in shown.items():
        new, old = (held.get(cluster["unit"]) for held in (ours, theirs))
        marks = [str(c["mark"]) if c else "not held" for c in (old, new)]
        if (marks[0] == STABLE) == (marks[1] == STABLE):
            continue
        agreed, agrees = (float(c["sign_agreement"]) if c else float("nan") for c in (old, new))
        regrouped = bool(old and new and old["members"] != new["members"])
        note = "grouped with other conditions in one of the runs" if regrouped else ""
        yield _Row(
            "condition", members, before=agreed, now=agrees, before_words=marks[0], now_words=marks[1], note=note
        )


def _clusters(narration: Narration) -> dict[str, dict[str, Any]]:
    """Factor -> the cluster it is in."""
    held = narration.tables.get("stability")
    if held is None:
        return {}
    rows = held[held["kind"] == "cluster"].to_dict("records")
    return {factor: {str(k): v for k, v in row.items()} for row in rows for factor in row["members"].split("; ")}


def _verdicts(now: Narration, before: Narration) -> Iterator[_Row]:
    """Answers of the audit of the model shown that are other than they were."""
    tables = [narration.tables.get("audit") for narration in (now, before)]
    if any(table is None or not len(table) for table in tables):
        return
    ours, theirs = (_asked(narration) for narration in (now, before))
    both = ours.merge(theirs, on=_AUDIT_KEY, suffixes=("", "_before"), validate="one_to_one")
    both = both[both["answer"] != both["answer_before"]]
    for row in both.to_dict("records"):
        yield _Row(
            "verdict", "; ".join(str(row[c]) for c in _AUDIT_KEY if c != "level"), "", row["level"], "",
            row["statistic_before"], row["statistic"], row["answer_before"], row["answer"],
            row["question"],
        )  # fmt: skip


def _asked(narration: Narration) -> pd.DataFrame:
    held, about = narration.tables["audit"], narration.about
    # What only describes has no answer that could change, and parts of the region are for the audit's own page.
    rows = held[(held["model_id"] == about.model_id) & (held["target"] == about.target)]
    rows = rows[(rows["code"] == "M2") & (rows["part"] == WHOLE)]
    severity = rows["severity"].fillna("").astype("str")
    answer = rows["verdict"].astype("str") + (": " + severity).where(severity != "", "")
    return rows.assign(answer=answer)[[*_AUDIT_KEY, "question", "statistic", "answer"]]


def _sources(now: Narration, before: Narration) -> Iterator[_Row]:
    ours, theirs = set(now.about.credited), set(before.about.credited)
    for name in sorted(ours ^ theirs):
        title = (now.about.sources if name in ours else before.about.sources)[name].title
        words = ("not held", "held") if name in ours else ("held", "not held")
        yield _Row("source", name, before_words=words[0], now_words=words[1], note=title)
