"""scikit-learn models on disk without pickle: skops files that load only types named here.

skops writes object addresses and the time of day; both are taken out, so that the same model is the same bytes.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DataFileError

__all__ = ["TRUSTED", "read_skops", "write_skops"]

TRUSTED = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""The only types beyond skops' own list that a stored model may hold; never taken from a file."""

_SCHEMA = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_skops(path: Path, model: Any) -> None:
    """Write a fitted scikit-learn model; the same model gives the same bytes.

    Parameters
    ----------
    path : Path
        A ``.skops`` file.
    model : estimator
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as written:
        content = {name: written.read(name) for name in written.namelist()}
    schema = json.loads(content.pop(_SCHEMA))
    names: dict[str, str] = {}
    _renumber(schema, {}, names)
    entries = {_SCHEMA: json.dumps(schema, indent=1).encode("utf-8")}
    entries |= {new: content[old] for old, new in names.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, held in entries.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), held, compress_type=zipfile.ZIP_DEFLATED)


def read_skops(path: Path) -> Any:
    """Read what ``write_skops`` wrote.

    Raises
    ------
    DataFileError
        If the file is damaged, or holds a type that is not trusted.
    """
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.io.load(path, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise DataFileError(
            "a stored model holds a type that no model of this package has", where=path, found=str(error),
            hint="do not load it; run the experiment again",
        ) from error  # fmt: skip
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DataFileError(
            "a stored model cannot be read", where=path, found=str(error), hint="run the experiment again"
        ) from error


def _renumber(node: Any, numbers: dict[int, int], names: dict[str, str]) -> None:
    """Replace addresses by running numbers, and the names of array files by theirs, in the order met.

    Plain values need no identity: which of them share an object depends on how the model was made.
    """
    if isinstance(node, list):
        for part in node:
            _renumber(part, numbers, names)
    elif isinstance(node, dict):
        if "__id__" in node:
            fresh = len(numbers)
            known = fresh if node.get("is_json") else numbers.get(node["__id__"], fresh)
            numbers[-1 - fresh if node.get("is_json") else node["__id__"]] = known
            node["__id__"] = known
        if isinstance(node.get("file"), str):
            node["file"] = names.setdefault(node["file"], f"{len(names)}{Path(node['file']).suffix}")
        for part in node.values():
            _renumber(part, numbers, names)
