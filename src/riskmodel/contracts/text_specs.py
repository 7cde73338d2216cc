"""What the head of a hand-written text says: whose it is, where it belongs, and every number in it with its source.

A text is a Markdown file under ``experiments/<name>/text`` with this head between two lines ``---``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from riskmodel.contracts.source_specs import Spec, Text
from riskmodel.contracts.target_specs import SLUG

__all__ = ["KeptSpec", "TextFactSpec", "TextSpec"]


class TextFactSpec(Spec):
    """One number a person wrote, and where it is from."""

    id: Annotated[str, Field(pattern=SLUG, description="the text shows it as {{fact:id}}")]
    value: int | Annotated[float, Field(allow_inf_nan=False)]
    unit: Text = Field(description="what is counted, e.g. pupils")
    source: Text
    date: date

    @property
    def shown(self) -> str:
        """The number as a text shows it.

        Examples
        --------
        >>> counted = {"unit": "pupils", "source": "school census", "date": date(2025, 1, 16)}
        >>> TextFactSpec(id="on_roll", value=12480, **counted).shown
        '12,480'
        """
        return f"{self.value:,}"


class KeptSpec(Spec):
    """Words that stay although a rule finds them: a name, or somebody's own words."""

    words: Text
    because: Text


class TextSpec(Spec):
    """The head of one text."""

    title: Text
    section: Literal["community_views", "services_and_gaps", "recommendations", "other"]
    written_by: Text
    written_on: date
    facts: list[TextFactSpec] = Field(default_factory=list)
    kept: list[KeptSpec] = Field(default_factory=list, description="words the rules find and that stay, each with why")

    @field_validator("facts")
    @classmethod
    def _facts_differ(cls, facts: list[TextFactSpec]) -> list[TextFactSpec]:
        ids = [fact.id for fact in facts]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"two facts have the same id: {', '.join(twice)}")
        return facts
