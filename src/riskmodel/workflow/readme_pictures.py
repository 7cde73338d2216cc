"""The README's pictures, from a bundle of the invented region: the same shapes that its pages show, as files.

In: a bundle, and the run it is of. Out: SVG files that hold their title, their equal in words, where the run stands and
that its region is invented; the same run gives the same bytes. ``make docs`` writes them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.workflow.narrating import fetch_kept, review_of
from riskmodel.workflow.narration import Narration, read_narration
from riskmodel.workflow.pages import assessment_of, book_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmodel.narrative.assessment import Assessment
    from riskmodel.narrative.facts.book import FactBook
    from riskmodel.narrative.forecast_maps import PlaceMap
    from riskmodel.narrative.pictures import Picture

__all__ = ["NAMES", "readme_pictures", "write_readme_pictures"]

NAMES = ("recorded-and-expected.svg", "audit.svg", "map.svg")
_AUDITED = "deprivation"
"""The characteristic whose picture is shown: its groups are places, and every one of them can be seen in a region."""


def write_readme_pictures(bundle: Path, folder: Path, *, workspace: Path) -> list[Path]:
    """Write every picture of the README.

    Parameters
    ----------
    bundle : Path
        Of a run in the invented region.
    folder : Path
        Where the pictures shall lie; made if absent.
    workspace : Path
        Where the run is stored.

    Raises
    ------
    UsageError
        If the bundle is of no invented region, holds too little for one of them, or its run is not stored in the
        workspace.
    """
    pictures = readme_pictures(bundle, workspace=workspace)
    lacking = [name for name in NAMES if name not in pictures]
    if lacking:
        raise UsageError("the bundle has nothing to draw this from", where=bundle, found=lacking)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in pictures.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def readme_pictures(bundle: Path, *, workspace: Path) -> dict[str, str]:
    """File name -> SVG of those pictures that the bundle holds enough for; nothing is written."""
    from riskmodel.narrative.assessment.closing import expected_section
    from riskmodel.narrative.bundle import MANIFEST
    from riskmodel.narrative.figures import figure_svg
    from riskmodel.tracking import find_run

    run_id = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["run_id"]
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(find_run(run_id, workspace=workspace), Path(scratch))
        narration = read_narration(kept.narration, kept.bundle / "tables")
    about = narration.about
    if not about.invented:
        raise UsageError(
            "the README shows no real place", where=bundle, found=about.region, allowed="a bundle of an invented region"
        )
    book = book_of(narration)
    review = review_of(about, kept.audit_sha256, Workspace(workspace))
    state = f"{review.state.words}. {about.region} is an invented region."
    assessment = assessment_of(narration, book, review)
    drawn: list[Sequence[Picture | PlaceMap]] = [
        _over_time(assessment), _audit(narration, book), expected_section(assessment).maps,
    ]  # fmt: skip
    return {name: figure_svg(found[0], state) for name, found in zip(NAMES, drawn, strict=True) if found}


def _over_time(assessment: Assessment) -> Sequence[Picture]:
    """What was recorded in the force area, and what is expected."""
    from riskmodel.narrative.forecast_pictures import over_time

    found = over_time(assessment.published, "")
    return () if found is None else found.large


def _audit(narration: Narration, book: FactBook) -> Sequence[Picture]:
    """The forecast beside what was recorded, group by group."""
    from riskmodel.narrative.fairness_findings import contrast_pictures
    from riskmodel.narrative.fairness_rows import make_audited

    about = narration.about
    audited = make_audited(
        narration.tables["audit"], model_id=about.model_id, baseline=about.baseline,
        source=about.targets[about.target].source, policy=about.policy, characteristics=about.characteristics,
        sources={name: spec.title for name, spec in about.sources.items()}, book=book,
    )  # fmt: skip
    findings = [found for found in audited.shown() if found.characteristic == _AUDITED and found.drawable]
    return contrast_pictures(audited, findings)


if __name__ == "__main__":
    write_readme_pictures(Path(sys.argv[1]), Path(sys.argv[2]), workspace=Path())
