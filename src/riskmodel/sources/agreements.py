"""The footing a partner's data are held on: in goes a source's definition and a day, out comes a refusal or nothing."""

from __future__ import annotations

from datetime import date

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.specs import SourceSpec

__all__ = ["require_agreement"]


def require_agreement(name: str, spec: SourceSpec, *, today: date | None = None) -> None:
    """Refuse a restricted source whose sharing agreement has run out; its last day still counts.

    Parameters
    ----------
    name : str
        The source's name, as its definition file is called.
    spec : SourceSpec
        Its definition.
    today : date, optional
        The day to judge by; the machine's own day if absent.

    Raises
    ------
    DataFileError
        Naming the agreement, the day it ended and whom to ask.
    """
    if spec.sensitivity != "restricted" or spec.sharing is None:
        return
    day = today or date.today()
    if spec.sharing.expires < day:
        raise DataFileError(
            f"the agreement to share '{name}' has ended, so nothing of it is read",
            where=f"features/sources/{name}.yaml",
            found=f"{spec.sharing.agreement}, until {spec.sharing.expires.isoformat()}",
            allowed=f"an agreement in force on {day.isoformat()}",
            hint=f"ask {spec.sharing.controller} to renew it and write its new day under sharing: expires, "
            "or leave the factors of this source out",
        )  # fmt: skip
