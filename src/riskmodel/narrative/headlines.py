"""The sentences about skill and factors that several pages open with, every number in them a fact."""

from __future__ import annotations

from riskmodel.narrative.facts.book import FactBook
from riskmodel.narrative.facts.marks import bare

__all__ = ["skill_sentence"]

_BETTER = "better than counting"


def skill_sentence(book: FactBook, *, model_id: str, metric: str = "poisson_deviance", target: str = "") -> str:
    """Whether the model shown beats counting, by how much, and what that rests on.

    Parameters
    ----------
    book : FactBook
        Its table ``comparison`` is read, or ``stream_comparison`` for a target beside the headline.
    model_id : str
        The model shown; the baseline itself has no skill to speak of.
    metric : str
    target : str
        The label of a target beside the headline.
    """
    table = "stream_comparison" if target else "comparison"
    held = book.tables.get(table)
    if held is None:
        return "Whether the forecast is better than counting has not been measured."
    rows = held[(held["origin_date"] == "all") & (held["horizon"] == "all") & (held["metric"] == metric)]
    rows = rows[rows["target"] == target] if target else rows
    own = rows[rows["model_id"] == model_id]
    if own.empty:
        best = rows[rows["skill"].notna()].sort_values("skill", ascending=False)
        if best.empty:
            return "Whether the forecast is better than counting has not been measured."
        opening = "No better than counting, and so the count itself is shown: the best of the models"
        own = best.iloc[:1]
    else:
        verdict = str(own["verdict"].iloc[0])
        opening = (
            "Better than counting: the forecast" if verdict == _BETTER else "No better than counting: the forecast"
        )
    row = int(own.index[0])

    def say(column: str, form: str) -> str:
        return book.cell(table, row, column, form=form)

    baseline = bare(str(own["baseline"].iloc[0]))
    if own["low"].isna().iloc[0]:
        return f"{opening} has {say('skill', 'percent')} less error than {baseline}, on too few months for an interval."
    return (
        f"{opening} has {say('skill', 'percent')} less error than {baseline} (nine times in ten between "
        f"{say('low', 'percent')} and {say('high', 'percent')}; {say('forecasts', 'whole')} forecasts of "
        f"{say('month_blocks', 'whole')} months)."
    )
