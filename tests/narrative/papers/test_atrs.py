"""The transparency record: all fields once and in order, each from the run, from its owner or marked, in two forms."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from narrative.papers.paper_reader import fields_of
from narrative.papers.papers_tables import make_papers
from riskmodel.contracts.specs import PolicySpec
from riskmodel.narrative.papers import Papers, record_problems
from riskmodel.narrative.papers.atrs import atrs_json, atrs_md
from riskmodel.narrative.papers.atrs_fields import FIELDS
from riskmodel.narrative.papers.markdown import TO_BE_COMPLETED, plain

# What nobody but the organisation can know.
OWNERS = {
    "organisation_name", "phase", "website_url", "contact_email", "organisation", "team", "senior_responsible_owner",
    "third_party_involvement", "third_party", "companies_house_number", "third_party_role",
    "procurement_procedure_type", "third_party_data_access_terms", "required_training", "appeals_and_review",
    "development_data_access", "operational_data_access",
}  # fmt: skip
OWNER_TEXT = "We are the unit.\n\n# Not a heading\n- <b>bold</b> | a bar"


def record_of(papers: Papers) -> dict[str, dict[str, Any]]:
    return {field["slug"]: field for field in json.loads(atrs_json(papers))["fields"]}


def with_record(repository: Path, record: dict[str, str], **texts: str) -> Papers:
    papers = make_papers(repository)
    return replace(papers, policy=papers.policy.model_copy(update={"record": record, **texts}))


@pytest.fixture(scope="module")
def papers(repository: Path) -> Papers:
    return make_papers(repository)


def test_every_field_stands_once_and_in_the_order_of_its_number(papers: Papers) -> None:
    numbers = [tuple(map(int, field.number.split("."))) for field in FIELDS]
    assert numbers == sorted(set(numbers))
    assert len({field.slug for field in FIELDS}) == len(FIELDS)
    expected = [(field.number, field.name, field.slug) for field in FIELDS]
    assert [(f["number"], f["name"], f["slug"]) for f in json.loads(atrs_json(papers))["fields"]] == expected
    assert [(f.number, f.name, f.slug) for f in fields_of(atrs_md(papers))] == expected


def test_no_number_of_the_standard_has_a_gap() -> None:
    """Every field but the first of its parent follows the one before it by one."""
    seen: set[tuple[int, ...]] = set()
    for field in FIELDS:
        parts = tuple(map(int, field.number.split(".")))
        before = (*parts[:-1], parts[-1] - 1)
        parent = parts[:-1]
        assert parts[-1] == 1 or before in seen or any(s[: len(before)] == before for s in seen), field.number
        seen |= {parts, parent}


@pytest.mark.parametrize("record", [{}, {"team": "The unit", "2.4.2.7": "Looked at by us.", "description": " "}])
def test_a_field_is_from_the_run_or_its_owner_or_marked(repository: Path, record: dict[str, str]) -> None:
    for slug, field in record_of(with_record(repository, record)).items():
        said = bool(field["from_run"]) + bool(field["from_owner"])
        assert bool(said) == bool(field["source"]), slug
        assert ("run: " in field["source"]) == bool(field["from_run"]), slug
        assert ("policy." in field["source"]) == bool(field["from_owner"]), slug
        assert said or field["to_be_completed"].startswith(f"{TO_BE_COMPLETED}: "), slug
        assert (TO_BE_COMPLETED in field["status"]) == bool(field["to_be_completed"]), slug


def test_nothing_of_the_organisation_is_filled_by_the_program(papers: Papers) -> None:
    record = record_of(papers)
    assert {slug for slug, field in record.items() if field["status"] == TO_BE_COMPLETED} == OWNERS
    assert all(record[slug]["source"] == record[slug]["from_run"] == "" for slug in OWNERS)


@pytest.mark.parametrize(
    "record", [{}, {"team": OWNER_TEXT, "model_performance": OWNER_TEXT, "2.5.1": "Done | in May"}]
)
def test_the_two_forms_say_the_same(repository: Path, record: dict[str, str]) -> None:
    papers = with_record(repository, record, contact="unit@example.org")
    held, text = json.loads(atrs_json(papers)), atrs_md(papers)
    read = fields_of(text)
    assert len(read) == len(held["fields"])
    for one, field in zip(read, held["fields"], strict=True):
        assert one.status == field["status"]
        assert one.source == field["source"]
        assert one.owner == plain(field["from_owner"])
        assert one.run == field["from_run"]
        assert one.marked == field["to_be_completed"]
    marked = sum(bool(field["to_be_completed"]) for field in held["fields"])
    assert held["fields_to_be_completed"] == marked
    assert f"{len(FIELDS)}, of which {marked} are to be completed" in text


@pytest.mark.parametrize("key", ["senior_responsible_owner", "2.1.3"])
def test_an_owner_fills_a_field_by_slug_or_number(repository: Path, key: str) -> None:
    field = record_of(with_record(repository, {key: "Director of the unit"}))["senior_responsible_owner"]
    assert field["from_owner"] == "Director of the unit"
    assert field["source"] == f"policy.record.{key}"
    assert field["status"] == "filled by the owner"
    assert field["to_be_completed"] == ""


def test_an_owner_adds_to_what_was_measured_and_cannot_write_it_away(repository: Path, papers: Papers) -> None:
    before = record_of(papers)["model_performance"]
    after = record_of(with_record(repository, {"model_performance": "Very good."}))["model_performance"]
    assert after["from_owner"] == "Very good."
    assert after["from_run"] == before["from_run"]
    assert "Black (ethnic group): 1.12 times" in after["from_run"]
    assert after["status"] == "filled from the run and by the owner"


def test_the_policys_texts_fill_their_fields_and_the_record_goes_before_them(repository: Path) -> None:
    filled = record_of(with_record(repository, {}, contact="a@example.org", how_to_challenge="Write to us."))
    assert (filled["contact_email"]["from_owner"], filled["contact_email"]["source"]) == (
        "a@example.org",
        "policy.contact",
    )
    assert filled["appeals_and_review"]["from_owner"] == "Write to us."
    record = record_of(with_record(repository, {"contact_email": "b@example.org"}, contact="a@example.org"))
    assert record["contact_email"]["from_owner"] == "b@example.org"


def test_the_evaluation_over_groups_stands_in_the_models_performance(papers: Papers) -> None:
    said = record_of(papers)["model_performance"]["from_run"]
    assert said.startswith(papers.headline)
    for words in (
        "Black (ethnic group): 1.12 times (90 % interval 1.07 to 1.18 times; 1.00 times with no difference)",
        "Most deprived fifth (income deprivation): 0.92 times",
        "cannot be seen this way: 2",
        "Concerns of the baseline, for comparison:",
        "recorded at 0.8 times the rate of others', the verdict would be: not enough data to tell",
    ):
        assert words in said


def test_sensitive_inputs_are_found_by_their_measure(papers: Papers) -> None:
    said = record_of(papers)["development_sensitive_attributes"]["from_run"]
    assert "Model inputs that say who lives in a place: individual/aged_15_to_19 (age)." in said
    assert "- Black: community/private_renting.latest" in said


def problems_of(folder: Path, record: dict[str, str]) -> list[str]:
    path = folder / "p.yaml"
    lines = ["title: P", "use_statement: U", "record:", *(f'  "{key}": text' for key in record)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    policy = PolicySpec(title="P", use_statement="U", record=record)
    return [str(problem) for problem in record_problems(policy, path)]


def test_every_field_may_be_filled_by_slug_or_by_number(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {field.slug: "text" for field in FIELDS}) == []
    assert problems_of(tmp_path, {field.number: "text" for field in FIELDS}) == []


def test_a_slip_in_any_field_is_refused_on_its_line_with_the_word_meant(tmp_path: Path) -> None:
    slips = {f"{field.slug}s": field.slug for field in FIELDS}
    problems = problems_of(tmp_path, dict.fromkeys(slips, "text"))
    assert len(problems) == len(FIELDS)
    for line, (problem, (wrong, meant)) in enumerate(zip(problems, slips.items(), strict=True), start=4):
        assert problem.startswith(
            f"{(tmp_path / 'p.yaml').as_posix()}:{line}: the transparency record has no field '{wrong}'"
        )
        assert f"did you mean '{meant}'?" in problem


def test_a_field_filled_twice_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, {"team": "a", "2.1.2": "b"})
    assert ":5: the field 'team' of the transparency record is filled twice" in problem
