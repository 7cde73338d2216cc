"""Whether a bundle is what its run left: in goes a folder, out comes everything that does not hold.

Files are held against the manifest. Every fact is worked out again from the bundle's own tables, and every number on
every page is held against its fact: value, words and form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.tables import TABLES
from riskmodel.narrative.bundle import MANIFEST, file_sha256
from riskmodel.narrative.facts.file import FACTS_FILE, read_facts
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import evaluate
from riskmodel.narrative.facts.on_page import numbers_on
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED
from riskmodel.narrative.papers import is_of_tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Verified", "verify_bundle"]

_CLOSE = 1e-8
# A difference of two nearly equal numbers keeps fewer of the ten digits that tables are written with.
_CLOSE_TO_NOTHING = 1e-9


@dataclass(frozen=True)
class Verified:
    """What was checked, and what does not hold, each with its place."""

    manifest_sha256: str
    run_id: str
    files: int
    facts: int
    quoted: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    wrong: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.changed or self.missing or self.extra or self.wrong)

    @property
    def problems(self) -> list[str]:
        """Everything found, as sentences."""
        kinds = (("changed", self.changed), ("missing", self.missing), ("not in the manifest", self.extra))
        return [f"{name}: {kind}" for kind, names in kinds for name in names] + list(self.wrong)


def verify_bundle(folder: Path, *, expect: str | None = None) -> Verified:
    """Check every file and every fact of a bundle.

    Parameters
    ----------
    folder : Path
        What ``riskmodel run`` wrote.
    expect : str, optional
        The sha256 that its manifest should have: without it, whoever changed a file could have changed the manifest.

    Raises
    ------
    UsageError
        If the folder is no bundle.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError("this folder is no bundle", where=folder, hint=f"it holds no {MANIFEST}")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    digest = file_sha256(path)
    listed: dict[str, str] = manifest["files"]
    held = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    changed = [name for name in sorted(held & set(listed)) if file_sha256(folder / name) != listed[name]]
    wrong = []
    if expect is not None and digest != expect:
        wrong.append(f"{MANIFEST}: its sha256 is {digest}, not the expected {expect}")
    facts, found = _facts(folder)
    wrong += found
    quoted, found = _quoted(folder, facts)
    wrong += [*found, *_signed(folder)]
    return Verified(
        manifest_sha256=digest,
        run_id=str(manifest.get("run_id", "")),
        files=len(listed),
        facts=len(facts),
        quoted=quoted,
        changed=tuple(changed),
        missing=tuple(sorted(set(listed) - held)),
        extra=tuple(sorted(held - set(listed))),
        wrong=tuple(wrong),
    )


@dataclass(frozen=True)
class _Known:
    value: float
    words: frozenset[str]


def _facts(folder: Path) -> tuple[dict[str, _Known], list[str]]:
    """Every fact worked out again from the tables, and those that do not come out as they were written."""
    path = folder / FACTS_FILE
    if not path.is_file():
        return {}, [f"{FACTS_FILE}: missing, so no number can be checked"]
    tables = _Tables(folder / "tables")
    known: dict[str, _Known] = {}
    wrong: list[str] = []
    for fact in read_facts(path):
        name = str(fact["fact_id"])
        try:
            values = [evaluate(formula, tables) for formula in fact["formulas"]]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            wrong.append(f"{FACTS_FILE}: {name} cannot be worked out: {error}")
            continue
        hidden = fact["state"] == SUPPRESSED
        absent = fact["state"] == NOT_AVAILABLE and not np.isfinite(values).all()
        words = SUPPRESSED if hidden else NOT_AVAILABLE if absent else written(fact["form"], values)
        if hidden and fact["formulas"][0][0] == "cell" and np.isfinite(values).any():
            wrong.append(f"{FACTS_FILE}: {name} is said to be suppressed, and its table holds a number")
        listed = "words" in fact
        if listed and (fact["words"] != words or not _same(fact["value"], values[0], hidden=hidden)):
            wrong.append(f"{FACTS_FILE}: {name} says {fact['words']!r}, its tables say {words!r}")
        before = known.get(name)
        held = frozenset({words}) | (before.words if before else frozenset())
        known[name] = _Known(float("nan") if hidden else values[0], held)
        known[f"{name}.{fact['form']}"] = _Known(float("nan") if hidden else values[0], frozenset({words}))
    return known, wrong


def _signed(folder: Path) -> list[str]:
    """What reviewers decide on must be of the audit that lies in the bundle."""
    path = folder / "audit.json"
    if not path.is_file() or is_of_tables(path, folder / "tables"):
        return []
    return ["audit.json: it is of another audit than tables/audit.parquet holds"]


def _same(said: Any, found: float, *, hidden: bool) -> bool:
    if said is None or hidden:
        return said is None and (hidden or not np.isfinite(found))
    return bool(np.isclose(float(said), found, rtol=_CLOSE, atol=_CLOSE_TO_NOTHING, equal_nan=True))


def _quoted(folder: Path, facts: Mapping[str, _Known]) -> tuple[int, list[str]]:
    """How many numbers pages quote, and those that are not what their fact says."""
    count, wrong = 0, []
    for path in sorted(folder.rglob("*.html")):
        place = path.relative_to(folder).as_posix()
        try:
            numbers = list(numbers_on(path.read_text(encoding="utf-8")))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            wrong.append(f"{place}: its packed rows cannot be read: {error}")
            continue
        for name, value, words in numbers:
            count += 1
            known = facts.get(name)
            if known is None:
                wrong.append(f"{place}: a number quotes '{name}', which is no fact")
            elif words not in known.words:
                wrong.append(
                    f"{place}: {name} is written {words!r}, its table says {' or '.join(sorted(known.words))!r}"
                )
            elif value is not None and not _same(float(value) if value else None, known.value, hidden=not value):
                wrong.append(f"{place}: {name} has the value {value}, its table says {known.value:.10g}")
    return count, wrong


class _Tables(Mapping[str, "pd.DataFrame"]):
    """The tables of a bundle, each read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            import pandas as pd

            for path in (self._folder / f"{name}.parquet", self._folder / f"{name}.csv"):
                if path.is_file():
                    table = pd.read_parquet(path) if path.suffix == ".parquet" else _csv(path)
                    self._read[name] = table
                    break
            else:
                raise KeyError(f"the bundle has no table '{name}'")
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({p.stem for p in self._folder.iterdir()}))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    record = TABLES.get(path.stem)
    words = {c.name: "str" for c in record.columns if c.dtype == "str"} if record is not None else None
    # Only an empty cell is blank: an area may be called "None" or "NA".
    return pd.read_csv(path, encoding="utf-8", keep_default_na=False, na_values=[""], low_memory=False, dtype=words)
