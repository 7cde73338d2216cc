"""What the assessment's pages are made from, and the few questions all of them ask of it.

In: what ``workflow`` holds. Out: one frozen record; its numbers are taken through its book of facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.approach_specs import ApproachSpec
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.narrative.facts.book import FactBook
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_words import characteristic_words, members_words
from riskmodel.narrative.forecast_words import Counted
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.model_words import unit_words
from riskmodel.narrative.published import Published
from riskmodel.narrative.workbook_text import SourceNote

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TO_BE_COMPLETED", "Assessment", "HandWritten"]

TO_BE_COMPLETED = "TO BE COMPLETED"


@dataclass(frozen=True)
class HandWritten:
    """A section that people wrote: its place, heading and blocks, whose it is, and since when.

    A block is paragraphs, then the items of a list. Numbers in them are marked as supplied facts already.
    """

    section: str
    title: str
    blocks: Sequence[tuple[Sequence[str], Sequence[str]]]
    written_by: str
    written_on: date


@dataclass(frozen=True, eq=False)
class Assessment:
    """One run, as the assessment's pages see it.

    Parameters
    ----------
    book : FactBook
        Of the published tables.
    region, question, run_id, model_id, baseline : str
    as_of : date
    state : str
        Stands on top of every page and at its foot.
    decision : str
        Where the decision on the audit stands, in a sentence.
    targets : sequence of Counted
        The headline first.
    published : Published
        The headline's named rows.
    policy : PolicySpec
    titles : mapping of str to str
        Titles of factors by domain/name.
    characteristics : mapping of str to CharacteristicSpec
        Those that the audit may ask about, by name.
    sources : sequence of SourceNote
    outlines : mapping of level to Outlines
    texts : sequence of HandWritten
    links : sequence of PageLink
    no_rate : mapping of level to frozenset of str
        Places whose residents are a poor base for a rate.
    approaches : mapping of str to ApproachSpec
        What the workspace keeps on approaches to prevention, by file name.
    places : sequence of (level, code)
        Places that have a page of their own.
    invented : bool
        Whether the region is made up, which the first page then says.
    """

    book: FactBook
    region: str
    question: str
    run_id: str
    model_id: str
    baseline: str
    as_of: date
    state: str
    decision: str
    targets: Sequence[Counted]
    published: Published
    policy: PolicySpec
    titles: Mapping[str, str]
    sources: Sequence[SourceNote]
    characteristics: Mapping[str, CharacteristicSpec] = field(default_factory=dict)
    invented: bool = False
    outlines: Mapping[str, Outlines] = field(default_factory=dict)
    texts: Sequence[HandWritten] = ()
    links: Sequence[PageLink] = ()
    no_rate: Mapping[str, frozenset[str]] = field(default_factory=dict)
    approaches: Mapping[str, ApproachSpec] = field(default_factory=dict)
    places: Sequence[tuple[str, str]] = ()

    @property
    def target(self) -> Counted:
        """The headline."""
        return self.targets[0]

    def table(self, name: str) -> pd.DataFrame | None:
        """A published table, or None where the run has none or it has no rows."""
        held = self.book.tables.get(name)
        return held if held is not None and len(held) else None

    def say(self, table: str, row: Any, column: str, form: str) -> str:
        """A number of a table, marked."""
        return self.book.cell(table, int(row), column, form=form)

    def unit(self, name: str) -> str:
        """A factor or a domain as a reader knows it."""
        return bare(unit_words(name, self.titles))

    def characteristic(self, name: str) -> str:
        """A characteristic, or several that meet, as a reader knows them."""
        return characteristic_words(name, self.characteristics)

    def group(self, characteristic: str, group: str) -> str:
        """A group, or several that meet, as a reader knows them."""
        return members_words(characteristic, group, self.characteristics)

    def written(self, section: str) -> list[HandWritten]:
        """What people wrote for a section."""
        return [text for text in self.texts if text.section == section]
