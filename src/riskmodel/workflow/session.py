"""An experiment, its data and its as-of: where every verb begins, and what names a run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from riskmodel import __version__
from riskmodel.workflow.definitions import Definitions
from riskmodel.workflow.held import Held, data_folder, ingest, resolve_as_of
from riskmodel.workflow.progress import Listener, Silent

__all__ = ["Session", "code_version", "open_session"]


@dataclass(frozen=True, eq=False)
class Session:
    """An experiment, its data and its as-of: where every verb begins."""

    held: Held
    as_of: date
    jobs: int
    listener: Listener

    @property
    def definitions(self) -> Definitions:
        """The experiment and all it names."""
        return self.held.definitions

    @property
    def run_id(self) -> str:
        """The hash of inputs, definitions, code version, seed and as-of."""
        content = {
            "inputs": self.held.inputs_sha256,
            "definitions": self.definitions.digest,
            "code": code_version(),
            "seed": self.definitions.experiment.seed,
            "as_of": self.as_of.isoformat(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def horizons(self) -> tuple[int, ...]:
        """1 to the experiment's last."""
        return tuple(range(1, self.definitions.experiment.horizons + 1))

    @property
    def title(self) -> str:
        """The region and the target, for headings."""
        return f"{self.held.panel.geography.title}: {self.definitions.target.title}"


@cache
def code_version() -> str:
    """The package's version and the hash of its own source files."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{__version__}+{digest.hexdigest()[:12]}"


def open_session(
    definitions: Definitions,
    *,
    data: Path | None = None,
    as_of: date | None = None,
    jobs: int = 1,
    listener: Listener | None = None,
) -> Session:
    """Ingest what is new and settle the as-of."""
    listener = listener or Silent()
    held = ingest(definitions, data_folder(definitions, data), listener=listener)
    return Session(held, resolve_as_of(held, as_of), jobs, listener)
