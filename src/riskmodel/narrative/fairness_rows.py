"""The audit as the fairness page reads it: in go the audit's rows, out come findings with names, in the order shown.

A row whose verdict is ``suppressed`` keeps its key and its verdict and nothing else: no number of it reaches the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.contracts.tables import as_table
from riskmodel.narrative.fairness_words import group_words, short_title, verdict_words
from riskmodel.narrative.model_sections import records
from riskmodel.narrative.model_words import unit_words

if TYPE_CHECKING:
    import pandas as pd

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
    "per_1000_smallest_seen",
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
        The audit, with no number where a row is suppressed.
    model_id, baseline : str
        The model shown, and counting beside it.
    source : str
        Of the target: other sources are held against it.
    policy : PolicySpec
    characteristics : mapping of str to CharacteristicSpec
    sources : mapping of str to str
        Titles of sources.
    """

    rows: pd.DataFrame
    model_id: str
    baseline: str
    source: str
    policy: PolicySpec
    characteristics: Mapping[str, CharacteristicSpec]
    sources: Mapping[str, str]

    @cached_property
    def findings(self) -> list[Finding]:
        """Every row with a verdict of the model shown and of counting, intersections and parts of the region too."""
        own = self.rows[(self.rows["code"] == "M2") & self.rows["model_id"].isin([self.model_id, self.baseline])]
        return [_finding(row) for row in records(own[list(_OF_FINDING)])]

    def shown(self, *, crossed: bool = False, model_id: str = "") -> list[Finding]:
        """The findings of one model on all that was audited, for single characteristics or where they meet."""
        wanted = model_id or self.model_id
        return [
            f for f in self.findings
            if f.model_id == wanted and f.part == ALL and (" x " in f.characteristic) == crossed
        ]  # fmt: skip

    def of(self, model_id: str, findings: Sequence[Finding]) -> list[Finding | None]:
        """The same questions asked of another model, in the same order."""
        held = {f.key: f for f in self.findings if f.model_id == model_id and f.part == ALL}
        return [held.get(f.key) for f in findings]

    @property
    def is_counting(self) -> bool:
        """Whether the model shown is the baseline itself."""
        return self.model_id == self.baseline

    def title(self, characteristic: str) -> str:
        """A characteristic, or several, as a reader knows them."""
        known = self.characteristics
        return " \N{MULTIPLICATION SIGN} ".join(
            short_title(known[name].title) if name in known else unit_words(name, {})
            for name in characteristic.split(" x ")
        )

    def group(self, characteristic: str, group: str) -> str:
        """A group, or several that meet, as a reader knows them."""
        known = self.characteristics
        questions = [known[name].question if name in known else "" for name in characteristic.split(" x ")]
        return group_words(group, tuple(questions))

    def name(self, characteristic: str, group: str) -> str:
        """Group and characteristic; the groups alone where several meet."""
        said = self.group(characteristic, group)
        return said if " x " in characteristic else f"{said} ({self.title(characteristic).lower()})"

    def named(self, finding: Finding) -> str:
        """The group a finding is on, as it is named in a sentence."""
        return self.name(finding.characteristic, finding.group)

    def source_title(self, source: str) -> str:
        """A source as a reader knows it."""
        return self.sources.get(source, unit_words(source, {}))

    def evidence(self, finding: Finding) -> str:
        """What kind of evidence a finding rests on, and whose records."""
        if finding.source == NO_SOURCE:
            return "counts by group (no source held)"
        if finding.evidence == "outcomes":
            return f"counts by group ({self.source_title(finding.source)})"
        if finding.source != self.source:
            return f"where people live, held against {self.source_title(finding.source)}"
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

    def is_other_stream(self, finding: Finding) -> bool:
        """Whether the forecast is held against the records of another service."""
        return finding.evidence != "outcomes" and finding.source != self.source


def make_audited(
    audit: pd.DataFrame,
    *,
    model_id: str,
    baseline: str,
    source: str,
    policy: PolicySpec,
    characteristics: Mapping[str, CharacteristicSpec],
    sources: Mapping[str, str],
) -> Audited:
    """The audit ready to be shown: checked, in the order pages list it, nothing of a suppressed row but its verdict.

    Raises
    ------
    TableError
        If the audit breaks its record.
    """
    rows = as_table(audit, AUDIT)
    hidden = _hidden(rows)
    rows.loc[hidden, "verdict"] = "suppressed"
    rows.loc[hidden, list(_NUMBERS)] = float("nan")
    rows.loc[hidden, "explanation"] = _SUPPRESSED
    rows.loc[hidden, ["direction", "severity"]] = ""
    order = {name: number for number, name in enumerate([*policy.characteristics, *characteristics])}
    at = rows["characteristic"].map(lambda name: tuple(order.get(part, 99) for part in name.split(" x ")))
    keyed = rows.assign(
        _several=at.map(len), _at=at, _code=rows["code"].map(code_number), _evidence=rows["evidence"] != "composition",
        _other=rows["source"] != source,
    )  # fmt: skip
    keyed = keyed.sort_values(["_several", "_at", "_evidence", "_other", "source", "_code"], kind="stable")
    return Audited(
        rows.loc[keyed.index].reset_index(drop=True), model_id, baseline, source, policy, characteristics, sources
    )


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


def _finding(row: Mapping[str, Any]) -> Finding:
    ratio, low, high = (as_ratio(row[name], row["unit"]) for name in ("statistic", "low", "high"))
    return Finding(
        **{name: row[name] for name in _OF_FINDING[:13]},
        direction=row["direction"] or ("over" if ratio > 1 else "under" if ratio < 1 else ""),
        ratio=ratio, low=low, high=high, smallest=row["per_1000_smallest_seen"],
    )  # fmt: skip


def as_ratio(value: float, unit: str) -> float:
    """A contrast on the log scale as a ratio; a ratio as it is."""
    return math.exp(value) if unit == "log ratio" else value
