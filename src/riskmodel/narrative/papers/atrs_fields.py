"""The fields of the UK's Algorithmic Transparency Recording Standard, version 4.0 (July 2025), in its order.

Each has the standard's number and name, a slug of ours to fill it by, and in our words what it asks for. In: nothing.
Out: ``FIELDS``, and ``field_of`` to find one by number or slug.

Version 4.0's guidance and template are published as PDF and spreadsheet only. Read in records published under 4.0, or
in a third party's crosswalk of it: 0.1 to 0.5, tier 1, 2.1.1 to 2.1.4, 2.2.1, 2.3.2, 2.3.5, 2.4.1.2, 2.4.1.3, 2.4.1.5,
2.4.2.2, 2.4.2.7, 2.4.3.1, 2.4.3.4, 2.4.4.2, 2.5.1, 2.5.2. The others continue version 3.0's table under names and
numbers recalled from published records and not verified: docs/decisions holds the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["FIELDS", "STANDARD", "STANDARD_VERSION", "Answer", "Field", "field_of"]

STANDARD, STANDARD_VERSION = "Algorithmic Transparency Recording Standard", "4.0"


@dataclass(frozen=True)
class Field:
    """One field of the record: its number and name in the standard, our slug, and what it asks for in our words."""

    number: str
    name: str
    slug: str
    asks: str
    section: str


@dataclass(frozen=True)
class Answer:
    """What a run can say to a field, what that rests on, and what only a person can add."""

    text: str = ""
    rests_on: str = ""
    remains: str = ""


def _section(heading: str, *fields: tuple[str, str, str, str]) -> list[Field]:
    return [Field(*field, heading) for field in fields]


FIELDS: tuple[Field, ...] = (
    *_section(
        "Title information",
        ("0.1", "Title", "title", "what the record is headed with"),
        ("0.2", "Organisation name", "organisation_name", "the public body that publishes the record"),
        ("0.3", "Phase", "phase", "how far the tool is: idea, pre-deployment, pilot, production, retired"),
        ("0.4", "Region", "region", "where the people live whom it affects"),
        ("0.5", "One sentence description", "one_sentence_description", "the tool in one sentence"),
    ),
    *_section(
        "Tier 1: summary",
        ("1.1", "Name", "name", "what the tool is called"),
        ("1.2", "Description", "description", "what it is, how it is used and why, for anybody"),
        ("1.3", "Website URL", "website_url", "a page that says more"),
        ("1.4", "Contact email", "contact_email", "a shared address that answers questions"),
    ),
    *_section(
        "Tier 2: owner and responsibility",
        ("2.1.1", "Organisation or department", "organisation", "who is responsible for its use"),
        ("2.1.2", "Team", "team", "the team that is responsible"),
        ("2.1.3", "Senior responsible owner", "senior_responsible_owner", "the role that answers for it"),
        ("2.1.4", "Third party involvement", "third_party_involvement", "whether others build or run it"),
        ("2.1.4.1", "Third party", "third_party", "their names"),
        ("2.1.4.2", "Companies House number", "companies_house_number", "their numbers, where they have one"),
        ("2.1.4.3", "Third party role", "third_party_role", "what each of them does"),
        ("2.1.4.4", "Procurement procedure type", "procurement_procedure_type", "how they were contracted"),
        ("2.1.4.5", "Third party data access terms", "third_party_data_access_terms", "which data they may see"),
    ),
    *_section(
        "Tier 2: description and rationale",
        ("2.2.1", "Detailed description", "detailed_description", "how it works, in technical detail"),
        ("2.2.2", "Benefits", "benefits", "what is expected of it, and how that is to be known"),
        ("2.2.3", "Previous process", "previous_process", "how it was decided before"),
        ("2.2.4", "Alternatives considered", "alternatives_considered", "what else was weighed, without a model too"),
    ),
    *_section(
        "Tier 2: deployment context",
        ("2.3.1", "Integration into broader operational process", "process_integration",
         "which decisions it feeds, and how much weight it has"),
        ("2.3.2", "Human review", "human_review", "who looks at its results, and when"),
        ("2.3.3", "Frequency and scale of usage", "frequency_and_scale", "how often it is used, for how many"),
        ("2.3.4", "Required training", "required_training", "what its users must learn first"),
        ("2.3.5", "Appeals and review", "appeals_and_review", "how the public can challenge a result, or its use"),
    ),
    *_section(
        "Tier 2: tool specification",
        ("2.4.1.1", "System architecture", "system_architecture", "its parts"),
        ("2.4.1.2", "System-level input", "system_level_input", "what goes into it"),
        ("2.4.1.3", "System-level output", "system_level_output", "what comes out of it"),
        ("2.4.1.4", "Maintenance", "maintenance", "when it is reviewed and mended, by whom"),
        ("2.4.1.5", "Models", "models", "the models in it"),
    ),
    *_section(
        "Tier 2: model specification",
        ("2.4.2.1", "Model name", "model_name", "the model's name"),
        ("2.4.2.2", "Model version", "model_version", "its version"),
        ("2.4.2.3", "Model task", "model_task", "what it is made to do"),
        ("2.4.2.4", "Model input", "model_input", "what it is given"),
        ("2.4.2.5", "Model output", "model_output", "what it gives"),
        ("2.4.2.6", "Model architecture", "model_architecture", "what kind of model it is"),
        ("2.4.2.7", "Model performance", "model_performance", "how well it does, for groups of people too"),
        ("2.4.2.8", "Datasets and their purposes", "datasets", "which data serve for learning and for judging"),
    ),
    *_section(
        "Tier 2: development data specification",
        ("2.4.3.1", "Development data description", "development_data_description", "what the data are about"),
        ("2.4.3.2", "Data modality", "development_data_modality", "text, tables, pictures"),
        ("2.4.3.3", "Data quantities", "development_data_quantities", "how much, and how split"),
        ("2.4.3.4", "Sensitive attributes", "development_sensitive_attributes",
         "personal data, characteristics the law names, and what stands in for them"),
        ("2.4.3.5", "Data completeness and representativeness", "development_data_completeness",
         "what is missing, and whom the data stand for"),
        ("2.4.3.6", "Data cleaning", "development_data_cleaning", "what was done to them"),
        ("2.4.3.7", "Data collection", "development_data_collection", "who collected them, and what for"),
        ("2.4.3.8", "Data access and storage", "development_data_access", "who holds them, where, how long"),
        ("2.4.3.9", "Data sharing agreements", "development_data_sharing", "on what footing they are held"),
    ),
    *_section(
        "Tier 2: operational data specification",
        ("2.4.4.1", "Data sources", "operational_data_sources", "which data it runs on"),
        ("2.4.4.2", "Sensitive attributes", "operational_sensitive_attributes", "the same question, of those data"),
        ("2.4.4.3", "Data processing methods", "operational_data_processing", "what is done to them in use"),
        ("2.4.4.4", "Data access and storage", "operational_data_access", "who holds them, where, how long"),
        ("2.4.4.5", "Data sharing agreements", "operational_data_sharing", "on what footing they are held"),
    ),
    *_section(
        "Tier 2: risks, mitigations and impact assessments",
        ("2.5.1", "Impact assessments", "impact_assessments", "which were made, when, with what result"),
        ("2.5.2", "Risks and mitigations", "risks_and_mitigations", "what may go wrong, and what is done about it"),
    ),
)  # fmt: skip
_BY_KEY = MappingProxyType({key: field for field in FIELDS for key in (field.number, field.slug)})


def field_of(key: str) -> Field | None:
    """The field with this number or slug, or None.

    Examples
    --------
    >>> field_of("2.1.2").name, field_of("team").number, field_of("colour")
    ('Team', '2.1.2', None)
    """
    return _BY_KEY.get(key)
