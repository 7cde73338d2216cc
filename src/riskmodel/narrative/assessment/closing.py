"""What is expected, what it may cost, what people wrote, what this is not for, and what it rests on."""

from __future__ import annotations

from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED, Assessment, HandWritten
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_maps import place_map
from riskmodel.narrative.forecast_rows import outlook_table
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.published import WIDE
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row
from riskmodel.narrative.workbook_text import day_words

__all__ = ["cost_section", "expected_section", "method_section", "not_for_section", "written_sections"]

_PLACE = ["name", "kind", "expected", "range", "last_year", "change", "drawn", "rank", "reliability"]
_MAPPED = ["name", "location", "district", "expected", "range", "rate", "rank", "reliability"]
_NOT_FOR = (
    "decisions about any person, or pursuing people",
    "enforcement, patrols, searches or surveillance",
    "judging a place or the people who live in it, or league tables of places",
    "measuring the performance of the police or of a partner",
    "saying why violence happens: nothing here shows causes",
)
_WRITTEN = {
    "community_views": "What communities say",
    "services_and_gaps": "Services and gaps",
    "recommendations": "Recommendations",
    "other": "Also written for this assessment",
}


def expected_section(assessment: Assessment) -> Section:
    """The next 12 months by partnership and district, and a map of neighbourhoods."""
    published = assessment.published
    year = published.outlook.where(windows=["12_months"], levels=WIDE)
    if not len(year):
        return Section("expected", "What is expected", ["No forecast of the next 12 months is held."])
    caption = f"{published.counted.title}: expected in the next 12 months"
    table = outlook_table(year, _PLACE, name="sna-year", caption=caption, page=0, base=published.base)
    maps = []
    small = published.outlook.where(windows=["12_months"], levels=["msoa21"])
    if len(small) and "msoa21" in assessment.outlines:
        poor = assessment.no_rate.get("msoa21", frozenset())
        beside = outlook_table(
            small, _MAPPED, name="sna-msoa", caption="Neighbourhoods (MSOAs), the next 12 months",
            filters=("district",), places=True, no_rate=poor, page=10, base=published.base,
        )  # fmt: skip
        districts = published.outlook.where(levels=["lad24"]).rows
        names = dict(zip(districts["location"], districts["name"], strict=True))
        maps.append(
            place_map(
                small, assessment.outlines["msoa21"], beside, name="sna-map", no_rate=poor,
                title="Neighbourhoods: expected records per 1,000 residents, the next 12 months",
                districts=assessment.outlines.get("lad24"), district_names=names,
            )
        )  # fmt: skip
    words = (
        "What is expected is a forecast of records, with a range that holds the count about nine times in ten. Where "
        "the range of a change holds both fewer and more, the forecast leaves open which it is. Places are listed by "
        "name; a band of ranks is given because places close together cannot be told apart. In town centres violence "
        "falls on visitors too, so that a rate per resident overstates what residents live with."
    )
    return Section("expected", "What is expected in the next 12 months", [words], tables=[table], maps=maps)


def cost_section(assessment: Assessment) -> Section | None:
    """Declared unit costs times expected records."""
    held = assessment.table("costs")
    if held is None:
        return None
    names = dict(
        zip(assessment.book.tables["places"]["location"], assessment.book.tables["places"]["name"], strict=True)
    )
    whole = held[held["level"].isin(["pfa", "lad24"])]
    rows = [
        Row(
            (
                bare(str(names.get(r["location"], r["location"]))),
                bare(str(r["title"])),
                assessment.say("costs", at, "expected", "rounded_money"),
                " to ".join(assessment.say("costs", at, end, "rounded_money") for end in ("low", "high")),
            )
        )
        for at, r in whole.iterrows()
    ]
    first = int(held.index[0])
    words = (
        f"A published unit cost, {assessment.say('costs', first, 'unit_cost', 'money')} in prices of "
        f"{bare(str(held['price_year'].iloc[0]))} ({bare(str(held['source'].iloc[0]))}), times the records expected in "
        "the next 12 months. It is given only where the estimate is of the very offence that is counted. It is not "
        "what any partner spends, and not what prevention would save."
    )
    headings = [
        Heading("Place"),
        Heading("What is costed"),
        Heading("Expected", number=True),
        Heading("Likely range", number=True, unit="9 in 10"),
    ]
    return Section(
        "cost",
        "What it may cost",
        [words],
        tables=[HtmlTable("costs", "Cost of expected records", headings, rows, page=0)],
    )


def written_sections(assessment: Assessment) -> list[Section]:
    """What people wrote; a section nobody wrote yet says so."""
    found = []
    for name, heading in _WRITTEN.items():
        texts = assessment.written(name)
        if not texts:
            if name != "other":
                found.append(Section(name, heading, [f"{TO_BE_COMPLETED}: nobody has written this section yet."]))
            continue
        parts = [
            Section(f"{name}-{number}", bare(text.title), parts=_blocks(text, f"{name}-{number}"), written=True)
            for number, text in enumerate(texts, start=1)
        ]
        found.append(Section(name, heading, parts=parts))
    return found


def _blocks(text: HandWritten, name: str) -> list[Section]:
    signed = bare(f"Written by {text.written_by}, {day_words(text.written_on)}.")
    blocks = [*text.blocks, ([signed], [])]
    return [
        Section(f"{name}-{number}", "", paragraphs, bullets=bullets)
        for number, (paragraphs, bullets) in enumerate(blocks, start=1)
    ]


def not_for_section(assessment: Assessment) -> Section:
    """What this must not be used for, and how to challenge it."""
    policy = assessment.policy
    points = [
        ("What it is for", bare(policy.use_statement)),
        (
            "How to challenge it",
            bare(policy.how_to_challenge) or f"{TO_BE_COMPLETED}: how a person or a group can challenge this",
        ),
        ("Who answers questions", bare(policy.contact) or f"{TO_BE_COMPLETED}: name, organisation and address"),
        (
            "What communities say of its use",
            bare(policy.community_view) or f"{TO_BE_COMPLETED}: no view has been gathered",
        ),
    ]
    asked = Section("asking", "Its use, questions and challenges", points=points)
    words = "Places and groups, never individuals. This assessment must not be used for:"
    return Section("not-for", "What this must not be used for", [words], bullets=_NOT_FOR, parts=[asked])


def method_section(assessment: Assessment) -> Section:
    """The method in a few lines, and the sources with their licences."""
    bullets = (
        "Only what had been published by the day of the forecast is used.",
        "The forecast of each small area is drawn many times; districts, partnerships and years are sums of the same "
        "draws, so that all levels agree.",
        "The same forecast was made at past dates and held against what was then recorded.",
        "Conditions are explained by a second model that knows no history, because history would hide them.",
        "Small numbers of restricted sources are suppressed, and so is what they could be worked out from.",
        "Every number here is a fact with its table and cell: riskmodel verify checks them all.",
    )
    facts = [
        (bare(f"Source {n}"), bare(f"{s.title}. {s.publisher}. Licence: {s.licence}."))
        for n, s in enumerate(assessment.sources, start=1)
    ]
    facts += [
        ("As of", bare(day_words(assessment.as_of))),
        ("Model", bare(assessment.model_id)),
        ("Run", bare(assessment.run_id)),
    ]
    return Section("method", "Method and sources", bullets=bullets, facts=facts)
