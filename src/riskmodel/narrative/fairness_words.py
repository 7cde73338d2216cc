"""The words of the fairness page: in go verdicts, directions and numbers, out comes what a lay reviewer reads.

Nothing passes and nothing is fair: a verdict says what was found, or that it could not be seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from riskmodel.contracts.policy_specs import Use
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import MINUS, NOT_AVAILABLE, expected_words, recorded_words
from riskmodel.narrative.model_words import unit_words

__all__ = [
    "ANSWERS",
    "MARKS_OF",
    "MEANS",
    "READ",
    "VERDICTS",
    "characteristic_words",
    "figure_words",
    "group_words",
    "members_words",
    "more_words",
    "number_words",
    "part_order",
    "part_words",
    "people_words",
    "per_cent_words",
    "seen_words",
    "short_title",
    "signed_ratio_words",
    "verdict_words",
]

VERDICTS = {
    "concern": "concern",
    "no_evidence": "no evidence of a difference",
    "insufficient": "not enough data to tell",
    "not_visible": "cannot be seen this way",
    "not_assessable": "no data to judge by",
    "suppressed": "withheld to protect people",
    "described": "described, not judged",
}
"""Each verdict of the audit in a reader's words."""
MEANS = {
    "concern": "A difference was found that is hard to explain by chance and large enough for the policy to notice. "
    "Where the policy asks for action, the verdict says so.",
    "no_evidence": "The likely range lies inside what the policy lets go unnoticed. A smaller difference may still be "
    "there, and one that the records hide.",
    "insufficient": "The likely range is too wide to say either way. The smallest difference that would be found is "
    "named.",
    "not_visible": "People of the group live nearly everywhere in like shares, so that even a large difference between "
    "people would hardly show between places. Finding nothing here says nothing.",
    "not_assessable": "There are too few people, places or records, or none at all.",
    "suppressed": "Numbers this small could tell something about single people.",
    "described": "A figure is given to look at; no test was made of it.",
}
"""What each verdict means, in a sentence or two."""
MARKS_OF = {
    "concern": "mark-notice",
    "no_evidence": "mark-looked",
    "insufficient": "mark-few",
    "not_visible": "mark-none",
    "not_assessable": "mark-none",
    "suppressed": "mark-none",
    "described": "mark-described",
}
"""The style of each verdict: a sign before the words; none of them is a tick."""
READ: dict[tuple[Use, str], str] = {
    ("offers_of_support", "under"): "Read for offers of support: help may be missed. A place where less is forecast "
    "than is recorded may wait longer for an offer.",
    ("offers_of_support", "over"): "Read for offers of support: attention may be given where it is not needed, and be "
    "missing elsewhere.",
    ("enforcement", "over"): "Read for enforcement: people who live there may meet more enforcement than what is "
    "recorded there speaks for.",
    ("enforcement", "under"): "Read for enforcement: violence that people who live there suffer may get less of an "
    "answer than what is recorded there speaks for.",
}
"""What a difference in either direction means for people, by use."""
ANSWERS = {
    "accept": "Accept",
    "accept_with_conditions": "Accept with conditions",
    "defer": "Defer: more information is needed",
    "refuse": "Refuse",
}
"""The four answers of the decision form."""
_AS_WRITTEN = frozenset({"race", "religion"})


def short_title(title: str) -> str:
    """A characteristic's title without its remark on classes.

    Examples
    --------
    >>> short_title("Ethnic group, five groups")
    'Ethnic group'
    """
    return title.partition(",")[0]


def group_words(group: str, questions: tuple[str, ...] = ()) -> str:
    """A group as it is said; names of ethnic groups and religions keep their capital.

    Parameters
    ----------
    group : str
        Several joined by ' & ' for an intersection.
    questions : tuple of str
        The question of the characteristic of each part.

    Examples
    --------
    >>> group_words("not_disabled"), group_words("female & black & disabled", ("gender", "race", "disability"))
    ('Not disabled', 'Female, Black and disabled')
    """
    parts = [unit_words(part, {}) for part in group.split(" & ")]
    kept = [
        part if n == 0 or question in _AS_WRITTEN else part[:1].lower() + part[1:]
        for n, (part, question) in enumerate(zip(parts, [*questions, *[""] * len(parts)], strict=False))
    ]
    return " and ".join(filter(None, [", ".join(kept[:-1]), kept[-1]]))


def characteristic_words(characteristic: str, known: Mapping[str, CharacteristicSpec]) -> str:
    """A characteristic, or several that meet, as a reader knows them."""
    said = (
        short_title(known[name].title) if name in known else unit_words(name, {})
        for name in characteristic.split(" x ")
    )
    return bare(" \N{MULTIPLICATION SIGN} ".join(said))


def members_words(characteristic: str, group: str, known: Mapping[str, CharacteristicSpec]) -> str:
    """A group of a characteristic, or several that meet, as a reader knows them."""
    questions = [known[name].question if name in known else "" for name in characteristic.split(" x ")]
    return bare(group_words(group, tuple(questions)))


def part_words(part: str, known: Mapping[str, CharacteristicSpec]) -> str:
    """A part of the audit as a reader knows it.

    Examples
    --------
    >>> part_words("urban_rural: rural", {}), part_words("expected: fourth fifth", {}), part_words("district East", {})
    ('Urban rural: rural', 'Expected records: fourth fifth', 'District East')
    """
    kind, _, rest = part.partition(": ")
    if not rest:
        return bare(f"{part[:1].upper()}{part[1:]}")
    title = "Expected records" if kind == "expected" else characteristic_words(kind, known)
    return bare(f"{title}: {rest.replace('_', ' ')}")


def part_order(part: str, known: Mapping[str, CharacteristicSpec]) -> tuple[str, int, str]:
    """Where a part stands among the others: fifths from the lowest, groups as their file has them."""
    kind, _, rest = part.partition(": ")
    fifths = ["lowest fifth", "second fifth", "third fifth", "fourth fifth", "highest fifth"]
    order = known[kind].names if kind in known else fifths
    return kind if rest else "", order.index(rest) if rest in order else len(order), part


def verdict_words(verdict: str, severity: str = "", direction: str = "") -> str:
    """A verdict with what the policy asks for and the direction it was found in.

    Examples
    --------
    >>> verdict_words("concern", "action", "under")
    'concern, calls for action: less forecast than recorded'
    >>> verdict_words("insufficient")
    'not enough data to tell'
    """
    said = VERDICTS.get(verdict, verdict)
    if verdict != "concern":
        return said
    asks = {"action": ", calls for action", "notice": ", to be noticed"}.get(severity, "")
    way = {"over": ": more forecast than recorded", "under": ": less forecast than recorded"}.get(direction, "")
    return f"{said}{asks}{way}"


def number_words(value: float, digits: int = 1) -> str:
    """A signed number, with the minus that screen readers say.

    Examples
    --------
    >>> number_words(1.94), number_words(-0.31) == f"{MINUS}0.3", number_words(-0.01), number_words(float("nan"))
    ('+1.9', True, '0.0', 'not available')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    shown = f"{abs(value):,.{digits}f}"
    if not float(shown.replace(",", "")):
        return shown
    return f"{MINUS if value < 0 else '+'}{shown}"


def per_cent_words(ratio: float) -> str:
    """A ratio as so many per cent more or less.

    Examples
    --------
    >>> per_cent_words(1.062), per_cent_words(0.9), per_cent_words(1.001), per_cent_words(float("nan"))
    ('6% more', '10% less', 'as much', 'not available')
    """
    if not math.isfinite(ratio):
        return NOT_AVAILABLE
    whole = round(100 * (ratio - 1))
    return "as much" if not whole else f"{abs(whole):,}% {'more' if whole > 0 else 'less'}"


def signed_ratio_words(ratio: float) -> str:
    """A ratio as a signed per cent.

    Examples
    --------
    >>> signed_ratio_words(1.021), signed_ratio_words(0.981) == f"{MINUS}2%"
    ('+2%', True)
    """
    return f"{number_words(100 * (ratio - 1), 0)}%" if math.isfinite(ratio) else NOT_AVAILABLE


def more_words(value: float) -> str:
    """A difference as so many more or fewer.

    Examples
    --------
    >>> more_words(1.94), more_words(-0.6)
    ('1.9 more', '0.6 fewer')
    """
    return f"{abs(value):,.1f} {'fewer' if value < 0 else 'more'}" if math.isfinite(value) else NOT_AVAILABLE


def figure_words(value: float) -> str:
    """A statistic with the digits an analyst needs.

    Examples
    --------
    >>> figure_words(0.01234), figure_words(-0.5) == f"{MINUS}0.5", figure_words(float("nan"))
    ('0.0123', True, 'not available')
    """
    return f"{value:.3g}".replace("-", MINUS) if math.isfinite(value) else NOT_AVAILABLE


def seen_words(smallest: float) -> str:
    """The minimum detectable effect for a table's cell.

    Examples
    --------
    >>> seen_words(-4.06), seen_words(float("nan"))
    ('4.1', 'not available')
    """
    return expected_words(abs(smallest)) if math.isfinite(smallest) else NOT_AVAILABLE


def people_words(people: float) -> str:
    """How many people there are.

    Examples
    --------
    >>> people_words(321456.0)
    '321,456'
    """
    return recorded_words(round(people)) if math.isfinite(people) else NOT_AVAILABLE
