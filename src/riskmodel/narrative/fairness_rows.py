"""The audit as the fairness page reads it: in go the audit's rows, out come findings with names, in the order shown.

A row whose verdict is ``suppressed`` keeps its key and its verdict and nothing else: no number of it reaches the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.fairness.cross_stream import part_of
from riskmodel.narrative.facts.formulas import Formula
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_words import characteristic_words, members_words, verdict_words
from riskmodel.narrative.model_words import unit_words
from riskmodel.narrative.quoted import Quoted, counted, declared, quoted_rows, with_positions

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["ALL", "JUDGED", "NO_SOURCE", "STRENGTH", "Audited", "Finding", "as_ratio", "code_number", "make_audited"]

JUDGED = frozenset({"concern", "no_evidence"})
"""Verdicts that say something of a group."""
ALL = "all"
"""The part that is the whole region and every origin."""
NO_SOURCE = "none"
"""Stands for a source where none gives counts by group."""
STRENGTH = (
    "concern", "no_evidence", "insufficient", "not_visible", "suppressed", "not_assessable", "described",
)  # fmt: skip
"""Verdicts from the one that says most."""
_NUMBERS = tuple(c.name for c in AUDIT.columns if c.dtype == "float")
_CODE = re.compile(r"M(\d+)")
_OF_FINDING = (
    "characteristic", "group", "evidence", "source", "model_id", "part", "verdict", "severity", "per_1000",
    "per_1000_low", "per_1000_high", "people", "explanation", "direction", "statistic", "low", "high", "unit",
    "per_1000_smallest_seen", "row",
)  # fmt: skip
_SUPPRESSED = "Withheld: numbers this small could tell something about single people."


@dataclass(frozen=True)
class Finding:
    """One row of the check that carries a verdict; a ratio of 1 is no difference."""

    characteristic: str
    group: str
    evidence: str
    source: str
    model_id: str
    part: str
    verdict: str
    severity: str
    direction: str
    ratio: float
    low: float
    high: float
    per_1000: float
    per_1000_low: float
    per_1000_high: float
    smallest: float
    people: float
    explanation: str
    quoted: Quoted = field(repr=False, compare=False)

    @property
    def row(self) -> int:
        """The position of its row in the published audit."""
        return int(self.quoted["row"])

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What is asked, whichever model it is asked of."""
        return self.characteristic, self.group, self.evidence, self.source

    @property
    def hidden(self) -> bool:
        """Whether its numbers are withheld."""
        return self.verdict == "suppressed"

    @property
    def drawable(self) -> bool:
        """Whether its figure may be shown to a reader as evidence: what is not visible is not."""
        return self.verdict in (*JUDGED, "insufficient") and math.isfinite(self.ratio)

    @property
    def said(self) -> str:
        """Its verdict in words."""
        return verdict_words(self.verdict, self.severity, self.direction)


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit with what names it.

    Parameters
    ----------
    rows : DataFrame
        The audit, with no number where a row is suppressed, and the position of each row as it is published.
    model_id, baseline : str
        The model shown, and counting beside it.
    source : str
        Of the target: other sources are held against it.
    policy : PolicySpec
    characteristics : mapping of str to CharacteristicSpec
    sources : mapping of str to str
        Titles of sources.
    book : FactBook, optional
        What the numbers are written through, so that each knows its cell.
    policy_source : str
        The file that declares the policy's bounds.
    elsewhere : str
        Where the audit is, if it is not this run's.
    """

    rows: pd.DataFrame
    model_id: str
    baseline: str
    source: str
    policy: PolicySpec
    characteristics: Mapping[str, CharacteristicSpec]
    sources: Mapping[str, str]
    book: FactBook | None = field(default=None, repr=False)
    policy_source: str = ""
    elsewhere: str = ""

    @cached_property
    def findings(self) -> list[Finding]:
        """Every row with a verdict of the model shown and of counting, intersections and parts of the region too."""
        own = self.rows[(self.rows["code"] == "M2") & self.rows["model_id"].isin([self.model_id, self.baseline])]
        return [_finding(row) for row in self.quoted(own[list(_OF_FINDING)])]

    def quoted(self, rows: pd.DataFrame) -> list[Quoted]:
        """Rows of the audit, ready to be quoted."""
        return quoted_rows(rows, "earlier_audit" if self.elsewhere else "audit", self.book, self.elsewhere)

    def declared(self, name: str, value: float, form: str = "as_given") -> str:
        """A number of the policy in words."""
        return declared(self.book, f"policy.{name}", value, form, self.policy_source)

    def counted(self, name: str, rows: Iterable[int], formula: Formula | None = None) -> str:
        """How many rows of the audit there are, in words."""
        held = set(rows)
        if self.elsewhere:
            return declared(self.book, f"earlier_audit.{name}", len(held), "whole", self.elsewhere)
        return counted(self.book, f"fairness.{name}", "audit", held, formula)

    def groups(
        self, name: str, keys: Iterable[tuple[str, str]], verdicts: Sequence[str] = (), *, less: Sequence[str] = (),
        direction: str = "", crossed: bool = False,
    ) -> str:  # fmt: skip
        """How many groups of the model shown there are, in words.

        Parameters
        ----------
        name : str
            The fact's.
        keys : iterable of (characteristic, group)
        verdicts, direction : sequence of str, str
            What the groups have on some evidence; nothing where it is any.
        less : sequence of str
            Verdicts that they do not have.
        crossed : bool
            Whether they are meetings of groups.
        """
        way = {"direction": direction} if direction else {}

        def those(held: Sequence[str]) -> Formula:
            where = self.where(({"verdict": list(held)} if held else {}) | way, crossed=crossed)
            return ["distinct", "audit", ["characteristic", "group"], where]

        formula = ["subtract", those(verdicts), those(less)] if less else those(verdicts)
        return self.counted(name, [self.first_rows[key] for key in keys], formula)

    def with_status(self, name: str, keys: Iterable[tuple[str, str]], verdict: str, *, crossed: bool = False) -> str:
        """How many groups have a verdict and none that says more, in words."""
        at = STRENGTH.index(verdict)
        return self.groups(f"{name}.{verdict}", keys, STRENGTH[: at + 1], less=STRENGTH[:at], crossed=crossed)

    def where(self, limits: Mapping[str, Any], *, model_id: str = "", crossed: bool = False) -> dict[str, Any]:
        """The conditions that the findings of one model meet, and what else is asked of them."""
        names = list(dict.fromkeys(f.characteristic for f in self.shown(crossed=crossed)))
        wanted = {"code": "M2", "part": ALL, "model_id": model_id or self.model_id, "characteristic": names}
        return {**wanted, **limits}

    @cached_property
    def first_rows(self) -> dict[tuple[str, str], int]:
        """One row of each group or meeting of groups: what stands for it where groups are counted."""
        found: dict[tuple[str, str], int] = {}
        for finding in [*self.shown(), *self.shown(crossed=True)]:
            found.setdefault((finding.characteristic, finding.group), finding.row)
        return found

    def shown(self, *, crossed: bool = False, model_id: str = "") -> list[Finding]:
        """The findings of one model on all that was audited, for single characteristics or where they meet."""
        wanted = model_id or self.model_id
        return [
            f for f in self.findings
            if f.model_id == wanted and f.part == ALL and (" x " in f.characteristic) == crossed
        ]  # fmt: skip

    def of(self, model_id: str, findings: Sequence[Finding]) -> list[Finding | None]:
        """The same questions asked of another model, in the same order."""
        held = {(f.key, f.part): f for f in self.findings if f.model_id == model_id}
        return [held.get((f.key, f.part)) for f in findings]

    @cached_property
    def against_others(self) -> list[Finding]:
        """The findings of the model shown held against the records of other services."""
        return [f for f in self.findings if f.model_id == self.model_id and f.part.startswith(part_of(""))]

    @property
    def is_counting(self) -> bool:
        """Whether the model shown is the baseline itself."""
        return self.model_id == self.baseline

    def title(self, characteristic: str) -> str:
        """A characteristic, or several, as a reader knows them."""
        return characteristic_words(characteristic, self.characteristics)

    def group(self, characteristic: str, group: str) -> str:
        """A group, or several that meet, as a reader knows them."""
        return members_words(characteristic, group, self.characteristics)

    def name(self, characteristic: str, group: str) -> str:
        """Group and characteristic; the groups alone where several meet."""
        said = self.group(characteristic, group)
        return said if " x " in characteristic else f"{said} ({self.title(characteristic).lower()})"

    def named(self, finding: Finding) -> str:
        """The group a finding is on, as it is named in a sentence."""
        return self.name(finding.characteristic, finding.group)

    def source_title(self, source: str) -> str:
        """A source as a reader knows it."""
        return bare(self.sources.get(source, unit_words(source, {})))

    def evidence(self, finding: Finding) -> str:
        """What kind of evidence a finding rests on, and whose records."""
        if finding.source == NO_SOURCE:
            return "counts by group (no source held)"
        if finding.evidence == "outcomes":
            return f"counts by group ({self.source_title(finding.source)})"
        return "where people live"

    def statuses(self) -> dict[tuple[str, str], str]:
        """The strongest verdict on each single group, whatever the evidence: what its status is."""
        found: dict[tuple[str, str], str] = {}
        for finding in self.shown():
            key = finding.characteristic, finding.group
            found[key] = min(found.get(key, finding.verdict), finding.verdict, key=STRENGTH.index)
        return found

    @cached_property
    def unseen(self) -> set[tuple[str, str, str, str]]:
        """The questions whose evidence can show nothing: figures that come of them would only seem to reassure."""
        seen = self.rows[(self.rows["code"] == "M2") & (self.rows["part"] == ALL)]
        blind = seen[seen["verdict"].isin(["not_visible", "not_assessable"]) & (seen["model_id"] == self.model_id)]
        return set(zip(*(blind[name] for name in ("characteristic", "group", "evidence", "source")), strict=True))

    def withheld(self, characteristic: str, group: str) -> bool:
        """Whether what is said of where people of the group live is withheld."""
        return any(f.hidden for f in self.findings if (f.characteristic, f.group) == (characteristic, group)
                   and f.evidence != "outcomes" and f.part == ALL)  # fmt: skip


def make_audited(
    audit: pd.DataFrame,
    *,
    model_id: str,
    baseline: str,
    source: str,
    policy: PolicySpec,
    characteristics: Mapping[str, CharacteristicSpec],
    sources: Mapping[str, str],
    book: FactBook | None = None,
    policy_source: str = "",
    elsewhere: str = "",
) -> Audited:
    """The audit ready to be shown: checked, in the order pages list it, nothing of a suppressed row but its verdict.

    Raises
    ------
    TableError
        If the audit breaks its record.
    """
    rows = with_positions(audit, AUDIT)
    hidden = _hidden(rows)
    rows.loc[hidden, "verdict"] = "suppressed"
    rows.loc[hidden, list(_NUMBERS)] = float("nan")
    rows.loc[hidden, "explanation"] = _SUPPRESSED
    rows.loc[hidden, ["direction", "severity"]] = ""
    order = {name: number for number, name in enumerate([*policy.characteristics, *characteristics])}
    at = rows["characteristic"].map(lambda name: tuple(order.get(part, 99) for part in name.split(" x ")))
    places = {name: {group: n for n, group in enumerate(spec.names)} for name, spec in characteristics.items()}
    keyed = rows.assign(
        _several=at.map(len), _at=at, _group=_places_of(rows, places), _code=rows["code"].map(code_number),
        _evidence=rows["evidence"] != "composition",
        _other=rows["source"] != source,
    )  # fmt: skip
    keyed = keyed.sort_values(["_several", "_at", "_evidence", "_other", "source", "_group", "_code"], kind="stable")
    return Audited(
        rows.loc[keyed.index].reset_index(drop=True), model_id, baseline, source, policy, characteristics, sources,
        book, policy_source, elsewhere,
    )  # fmt: skip


def _places_of(rows: pd.DataFrame, places: Mapping[str, Mapping[str, int]]) -> pd.Series[Any]:
    """Where each row's group, or each of those that meet, stands in the file of its characteristic."""
    import pandas as pd

    pairs = list(zip(rows["characteristic"], rows["group"], strict=True))
    at = {
        (names, group): tuple(
            places.get(name, {}).get(part, 99)
            for name, part in zip(names.split(" x "), group.split(" & "), strict=False)
        )
        for names, group in set(pairs)
    }
    return pd.Series([at[pair] for pair in pairs], index=rows.index, dtype="object")


def _hidden(rows: pd.DataFrame) -> pd.Series[bool]:
    """Suppressed rows, and all that is said of the same people on the same evidence: one could betray the other."""
    import pandas as pd

    key = pd.MultiIndex.from_frame(rows[["characteristic", "group", "evidence", "source"]])
    judged = (rows["verdict"] == "suppressed") & (rows["code"] == "M2") & (rows["part"] == ALL)
    return (rows["verdict"] == "suppressed") | pd.Series(key.isin(key[judged]), index=rows.index)


def code_number(code: str) -> int:
    """M2 as 2; another package's code goes last."""
    found = _CODE.fullmatch(code)
    return int(found[1]) if found else 99


def _finding(row: Quoted) -> Finding:
    ratio, low, high = (as_ratio(row[name], row["unit"]) for name in ("statistic", "low", "high"))
    return Finding(
        **{name: row[name] for name in _OF_FINDING[:13]},
        direction=row["direction"] or ("over" if ratio > 1 else "under" if ratio < 1 else ""),
        ratio=ratio, low=low, high=high, smallest=row["per_1000_smallest_seen"], quoted=row,
    )  # fmt: skip


def as_ratio(value: float, unit: str) -> float:
    """A contrast on the log scale as a ratio; a ratio as it is."""
    return math.exp(value) if unit == "log ratio" else value
