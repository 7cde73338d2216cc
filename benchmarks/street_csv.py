"""Street-level CSV to counts: the reader beside polars doing the same job, and beside its bare count.

Run: ``python benchmarks/street_csv.py [ROWS]``; it writes one large file of a made-up month to the system's temporary
folder. The job: drop repeats of a Crime ID (the first located row stays, else the first), keep every row without an ID,
count by crime type and area, and count what has no area.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
from measuring import Cost, measure, table

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.sources.observed import SourceFile
from riskmodel.sources.police_uk import COLUMNS, CRIME_TYPES, read

PERIOD = "2025-06"
USED = ["Crime ID", "LSOA code", "Crime type"]


def write_street(path: Path, rows: int, *, seed: int = 1) -> None:
    """A file as published: 64 hexadecimal digits an ID, anti-social behaviour without one, some repeats and blanks."""
    random = np.random.default_rng(seed)
    types = np.array(list(CRIME_TYPES))
    kind = random.integers(0, len(types), rows)
    digits = random.integers(0, 2**64, (rows, 4), dtype=np.uint64)
    again = random.random(rows) < 0.02
    digits[again] = digits[random.integers(0, rows, int(again.sum()))]
    hexadecimal = np.frombuffer(digits.tobytes().hex().encode("ascii"), dtype="S64").astype("U64")
    ids = np.where(types[kind] == "Anti-social behaviour", "", hexadecimal)
    area = random.integers(0, 35_672, rows)
    codes = np.array([f"E010{i:05d}" for i in range(35_672)])
    names = np.array([f"District {i // 100:03d} {i % 100:02d}A" for i in range(35_672)])
    located = random.random(rows) > 0.02
    east = np.char.mod("%.6f", random.uniform(-5, 1, 1000))[random.integers(0, 1000, rows)]
    north = np.char.mod("%.6f", random.uniform(50, 55, 1000))[random.integers(0, 1000, rows)]
    columns = [
        ids, np.full(rows, PERIOD), np.full(rows, "A Police"), np.full(rows, "A Police"), east, north,
        np.full(rows, "On or near Supermarket"), np.where(located, codes[area], ""),
        np.where(located, names[area], ""), types[kind],
        np.where(ids == "", "", "Investigation complete; no suspect identified"), np.full(rows, ""),
    ]  # fmt: skip
    written = pa.table(dict(zip(COLUMNS, columns, strict=True)))
    pacsv.write_csv(written, path, pacsv.WriteOptions(quoting_style="none"))


def street_file(path: Path) -> SourceFile:
    """The file as the store would hand it to the reader."""
    spec = Workspace(Path(__file__).resolve().parents[1]).read("source", "police_uk")
    role, form = next(iter(spec.files.items()))
    return SourceFile("police_uk", role, path.name, path, None, PERIOD, date(2025, 9, 1), form, spec)


def same_job(path: Path) -> tuple[pl.DataFrame, int, int]:
    """Counts by type and area of what stays, repeats dropped and unlocated rows kept, in polars."""
    rows = pl.scan_csv(path, schema_overrides=dict.fromkeys(USED, pl.String)).select(USED)
    rows = rows.with_columns(pl.col(USED).fill_null("")).with_row_index("at").collect(engine="streaming")
    named = rows.filter(pl.col("Crime ID") != "").with_columns((pl.col("LSOA code") == "").alias("nowhere"))
    again = named.filter(pl.col("Crime ID").is_duplicated())
    kept = again.sort("nowhere", "at").unique("Crime ID", keep="first", maintain_order=True)
    dropped = again.select("at").join(kept.select("at"), on="at", how="anti")
    rest = rows.join(dropped, on="at", how="anti")
    counts = rest.group_by("Crime type", "LSOA code").len()
    return counts, len(dropped), int(rest.select((pl.col("LSOA code") == "").sum()).item())


def bare_count(path: Path) -> pl.DataFrame:
    """Counts by type and area of every row: nothing dropped, nothing checked."""
    return pl.scan_csv(path).group_by("Crime type", "LSOA code").len().collect(engine="streaming")


def require_equal(path: Path) -> None:
    """Refuse to time two answers that differ."""
    observed = read(street_file(path))
    counts, dropped, nowhere = same_job(path)
    mine = pl.from_arrow(observed.table)
    assert isinstance(mine, pl.DataFrame)
    theirs = counts.select(
        pl.col("Crime type").replace_strict(CRIME_TYPES).alias("measure"),
        pl.col("LSOA code").alias("area"),
        pl.col("len").cast(pl.Float64).alias("value"),
    )
    assert mine.select("measure", "area", "value").sort("measure", "area").equals(theirs.sort("measure", "area"))
    told = {c.rule: c.rows for c in observed.counted if c.measure == "all"}
    assert (told["duplicates"], told["rows without an LSOA"]) == (dropped, nowhere)


def run(rows: int = 5_000_000, *, repeats: int = 3) -> list[tuple[str, Cost]]:
    """Check that all agree, then time them in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{PERIOD}-made-up-street.csv"
        write_street(path, rows)
        require_equal(path)

        def timed(work: Any) -> Cost:
            return measure(lambda _: work(), repeats=repeats)

        return [
            ("riskmodel, file to counts", timed(lambda: read(street_file(path)))),
            ("polars, the same job", timed(lambda: same_job(path))),
            ("polars, bare count", timed(lambda: bare_count(path))),
        ]


if __name__ == "__main__":
    found = run(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
    sys.stdout.write(table(found, found[0][0]) + "\n")
