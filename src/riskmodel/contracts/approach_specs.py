"""What a file says of an approach: something partners can do, who found that it works, and how sure that is.

People keep these files. A run shows them beside the conditions they name and never chooses between them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from riskmodel.contracts.source_specs import Spec, Text

__all__ = ["ApproachSpec"]


class ApproachSpec(Spec):
    """One approach to prevention, with the evidence that somebody else has weighed."""

    title: Text
    factors: list[Text] = Field(min_length=1, description="conditions it is meant for, each as domain/name")
    prevention_level: Literal["primary", "secondary", "tertiary"] = Field(
        description="before anything happens, at first signs, or after harm"
    )
    evidence_rating: Literal["high", "moderate", "low", "not rated"] = Field(description="as the source rates it")
    source: Text = Field(description="who weighed the evidence")
    link: Annotated[str, Field(pattern=r"^https?://\S+$", description="where to read it")]
    looked_up: date = Field(description="the day on which somebody read the rating there")
    summary: Text = Field(description="what is done, in one or two sentences")
