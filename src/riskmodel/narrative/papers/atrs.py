"""The draft transparency record: every field of the standard, filled from the run or the policy, or marked.

In: the papers' contents. Out: ``atrs.json`` and ``atrs.md``, which say the same; and what is wrong with the fields that
a policy fills.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.yaml_files import place_in
from riskmodel.narrative.papers.atrs_data import data_answers
from riskmodel.narrative.papers.atrs_fields import FIELDS, STANDARD, STANDARD_VERSION, Answer, field_of
from riskmodel.narrative.papers.atrs_tool import tool_answers
from riskmodel.narrative.papers.audit_json import as_json
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.markdown import TO_BE_COMPLETED, opening, page, plain, section

__all__ = [
    "FROM_OWNER",
    "FROM_RUN",
    "PARTLY",
    "WHOLE",
    "Filled",
    "atrs_json",
    "atrs_md",
    "fill_record",
    "record_problems",
]

FROM_RUN, FROM_OWNER, BOTH = "filled from the run", "filled by the owner", "filled from the run and by the owner"
PARTLY = f"filled from the run; the rest {TO_BE_COMPLETED}"
WHOLE = TO_BE_COMPLETED
_POLICY_TEXTS = {"contact_email": "contact", "appeals_and_review": "how_to_challenge"}
_PURPOSE = (
    "What this is for: a draft of the record that public bodies publish about an algorithmic tool. Its owner checks "
    "every field, completes those that are marked, and publishes it; the program publishes nothing."
)


@dataclass(frozen=True)
class Filled:
    """One field of the record with what fills it.

    ``source`` names where each part comes from; it is empty only where the whole field is to be completed.
    """

    number: str
    name: str
    slug: str
    section: str
    asks: str
    status: str
    from_owner: str
    from_run: str
    to_be_completed: str
    source: str


def fill_record(papers: Papers) -> list[Filled]:
    """Every field of the standard, once and in order.

    An owner's text stands before the run's and never in its place: what was measured cannot be written away.
    """
    answers = tool_answers(papers) | data_answers(papers)
    owned = _owned(papers.policy)
    return [_filled(field, answers.get(field.slug, Answer()), *owned.get(field.slug, ("", ""))) for field in FIELDS]


def _filled(field: Any, answer: Answer, owner: str, owner_source: str) -> Filled:
    text = plain(answer.text)
    remains = "" if owner else answer.remains if text else field.asks
    from_run = PARTLY if remains else FROM_RUN
    status = (BOTH if text else FROM_OWNER) if owner else from_run if text else WHOLE
    sources = [owner_source, f"run: {answer.rests_on}" if text else ""]
    return Filled(
        field.number, field.name, field.slug, field.section, field.asks, status, owner, text,
        f"{TO_BE_COMPLETED}: {remains}" if remains else "", "; ".join(filter(None, sources)),
    )  # fmt: skip


def _owned(policy: PolicySpec) -> dict[str, tuple[str, str]]:
    """What the policy says, by slug: text and where it stands. A field of ``record`` goes before the policy's texts."""
    held = {slug: (getattr(policy, name).strip(), f"policy.{name}") for slug, name in _POLICY_TEXTS.items()}
    for key, text in policy.record.items():
        field = field_of(key)
        if field is not None and text.strip():
            held[field.slug] = (text.strip(), f"policy.record.{key}")
    return {slug: (text, source) for slug, (text, source) in held.items() if text}


def record_problems(policy: PolicySpec, path: Path) -> list[RiskmodelError | str]:
    """What is wrong with the fields that a policy fills: keys the record does not have, and fields filled twice.

    Parameters
    ----------
    policy : PolicySpec
    path : Path
        Its file, for the message.
    """
    problems: list[RiskmodelError | str] = []
    seen: dict[str, str] = {}
    known = [key for field in FIELDS for key in (field.slug, field.number)]
    for key in policy.record:
        field = field_of(key)
        if field is None:
            problems.append(
                DefinitionError(
                    f"the transparency record has no field '{key}'",
                    where=place_in(path, "record", key),
                    allowed=[field.slug for field in FIELDS],
                    hint=did_you_mean(key, known) or "name a field by its slug or number, as atrs.md lists them",
                )
            )
        elif field.slug in seen:
            problems.append(
                DefinitionError(
                    f"the field '{field.slug}' of the transparency record is filled twice",
                    where=place_in(path, "record", key),
                    found=[seen[field.slug], key],
                    hint="keep one of them",
                )
            )
        else:
            seen[field.slug] = key
    return problems


def atrs_json(papers: Papers) -> str:
    """The record for programs."""
    filled = fill_record(papers)
    return as_json(
        {
            "standard": STANDARD,
            "standard_version": STANDARD_VERSION,
            "state": papers.state,
            "run_id": papers.run_id,
            "experiment": papers.experiment,
            "as_of": papers.as_of.isoformat(),
            "model_id": papers.model_id,
            "fields_to_be_completed": sum(bool(field.to_be_completed) for field in filled),
            "fields": [asdict(field) for field in filled],
        }
    )


def atrs_md(papers: Papers) -> str:
    """The record for people."""
    filled = fill_record(papers)
    marked = sum(bool(field.to_be_completed) for field in filled)
    parts = [
        *opening(papers, f"Algorithmic transparency record, draft: {papers.title}", _PURPOSE),
        f"Fields of the {STANDARD}, version {STANDARD_VERSION}: {len(filled)}, of which {marked} are to be completed. "
        f"An owner fills them under 'record' in fairness/policies/{papers.policy_name}.yaml, by the name in brackets.",
    ]
    heading = ""
    for field in filled:
        if field.section != heading:
            heading = field.section
            parts.append(f"## {heading}")
        parts.append(_field_md(field))
    return page(parts)


def _field_md(field: Filled) -> str:
    return section(
        f"{field.number} {field.name} [{field.slug}]",
        f"Status: {field.status}." + (f" Source: {field.source}." if field.source else ""),
        f"From the owner:\n\n{plain(field.from_owner)}" if field.from_owner else "",
        f"From the run:\n\n{field.from_run}" if field.from_run else "",
        f"**{plain(field.to_be_completed)}**" if field.to_be_completed else "",
        level=3,
    )
