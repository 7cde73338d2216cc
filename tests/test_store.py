"""The store: killed anywhere it ends up the same; what is there is never rewritten; a damaged part says what to do."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.store import Store


class Killed(BaseException):
    """The machine stops here: no handler for ordinary errors may catch it."""


@pytest.fixture
def files(workspace: Workspace, synthetic_region: SyntheticRegion) -> list[SourceFile]:
    police = workspace.read("source", "police_uk")
    deprivation = workspace.read("source", "deprivation")
    data, force = synthetic_region.directory, synthetic_region.force
    return [
        *find_files("police_uk", police, data, force=force, first_month="2024-05")[:6],
        *find_files("deprivation", deprivation, data, force=force)[:2],
    ]


def contents(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def stamps(root: Path) -> dict[str, tuple[int, int]]:
    return {p.as_posix(): (p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(root.rglob("*.parquet"))}


@pytest.fixture
def whole(files: list[SourceFile], tmp_path: Path) -> dict[str, bytes]:
    """The parts of a run that nobody stopped."""
    Store(tmp_path / "whole").ingest(files)
    parts = contents(tmp_path / "whole")
    assert len(parts) == len(files)
    return parts


@pytest.mark.parametrize("stage", ["reading", "writing", "halfway", "flushed", "renaming", "after"])
@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_run_that_is_killed_and_run_again_ends_like_one_that_was_not(
    stage: str, at: int, files: list[SourceFile], whole: dict[str, bytes], tmp_path: Path, monkeypatch
):
    root = tmp_path / "store"
    store = Store(root)
    seen = {"calls": 0}

    def once(act):
        """Let the first ``at`` files through, then stop."""

        def counted(*args, **kwargs):
            seen["calls"] += 1
            if seen["calls"] == at + 1:
                return act(*args, **kwargs)
            return original(*args, **kwargs)

        return counted

    def stop(*args, **kwargs):
        raise Killed

    def write_half(table, out, **kwargs):
        original(table, out, **kwargs)
        out.truncate(out.tell() // 2)
        raise Killed

    with monkeypatch.context() as patch:
        if stage == "reading":
            original = SourceFile.text
            patch.setattr(SourceFile, "text", once(stop))
        elif stage in ("writing", "halfway"):
            original = pq.write_table
            patch.setattr(pq, "write_table", once(stop if stage == "writing" else write_half))
        elif stage == "flushed":
            original = os.fsync
            patch.setattr(os, "fsync", once(stop))
        elif stage == "renaming":
            original = Path.replace
            patch.setattr(Path, "replace", once(stop))
        else:
            original = Path.glob
            patch.setattr(Path, "glob", once(stop))
        with pytest.raises(Killed):
            store.ingest(files)
    for name, content in contents(root).items():
        if name.endswith(".parquet"):
            assert whole[name] == content
    before = stamps(root)
    again = store.ingest(files)
    assert len(again.read) + len(again.skipped) == len(files)
    assert contents(root) == whole
    assert before.items() <= stamps(root).items()


def test_a_partial_file_of_another_process_is_no_part_and_is_cleared(files, whole, tmp_path: Path):
    root = tmp_path / "store"
    name = next(iter(whole))
    (root / name).parent.mkdir(parents=True)
    (root / f"{name}.99999.partial").write_bytes(b"half a part")
    done = Store(root).ingest(files)
    assert len(done.read) == len(files)
    assert contents(root) == whole


def test_what_was_read_is_skipped_and_never_rewritten(files, tmp_path: Path):
    store = Store(tmp_path / "store")
    assert store.ingest(files).skipped == ()
    before = stamps(store.root)
    done = store.ingest(reversed(files))
    assert done.read == ()
    assert sorted(done.skipped) == sorted(f.name for f in files)
    assert stamps(store.root) == before


def test_changed_content_is_read_again_and_the_old_part_stays(workspace, synthetic_region, tmp_path: Path):
    import gzip

    spec = workspace.read("source", "police_uk")
    month = synthetic_region.months[-1]
    name = f"{month}-{synthetic_region.force}-street.csv"
    text = gzip.decompress((synthetic_region.directory / "police" / month / f"{name}.gz").read_bytes())
    folder = tmp_path / "data" / "police" / month
    folder.mkdir(parents=True)
    (folder / name).write_bytes(text)
    store = Store(tmp_path / "store")

    def found() -> list[SourceFile]:
        return find_files("police_uk", spec, tmp_path / "data", force=synthetic_region.force)

    first = found()
    store.ingest(first)
    before = contents(store.root)
    (folder / name).write_bytes(b"\n".join(text.splitlines()[:-5]) + b"\n")
    second = found()
    assert store.ingest(second).read == (second[0].name,)
    assert before.items() < contents(store.root).items()
    assert store.read(first[0]).table.num_rows >= store.read(second[0]).table.num_rows
    # A new clock time alone is no new content.
    os.utime(folder / name, (1, 1))
    assert store.ingest(found()).read == ()


def test_the_definition_of_a_file_is_part_of_what_it_is(files, tmp_path: Path):
    store = Store(tmp_path / "store")
    own = files[-1]
    store.ingest([own])
    fewer = dict(list(own.spec.measures.items())[:1])
    other = replace(own, spec=own.spec.model_copy(update={"measures": fewer}))
    assert store.ingest([other]).read == (own.name,)
    assert set(store.read(other).table["measure"].to_pylist()) == set(fewer)
    later = replace(own, published=own.published.replace(year=2031))
    assert store.ingest([later]).skipped == (own.name,)


@pytest.mark.parametrize("damage", ["empty", "half", "other"])
def test_a_damaged_part_is_refused_with_what_to_do(damage: str, files, whole, tmp_path: Path):
    store = Store(tmp_path / "whole")
    own = files[2]
    [path] = [p for p in store.root.rglob("*.parquet") if p.name.startswith(own.sha256[:24])]
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "half": content[: len(content) // 2], "other": b"not a part"}[damage])
    with pytest.raises(DataFileError, match="a stored part cannot be read") as caught:
        store.read(own)
    assert path.as_posix() in str(caught.value)
    assert "delete this file and run again" in str(caught.value)
    path.unlink()
    store.ingest(files)
    assert contents(store.root) == whole


def test_a_missing_part_says_so(files, tmp_path: Path):
    with pytest.raises(DataFileError, match="a stored part cannot be read"):
        Store(tmp_path / "nothing").read(files[0])


def test_a_part_holds_what_its_reader_made(files, tmp_path: Path):
    from riskmodel.contracts.registry import load

    store = Store(tmp_path / "store")
    store.ingest(files)
    for file in files:
        made, kept = load("reader", file.source_spec.reader)(file), store.read(file)
        assert kept.table.select(made.table.column_names).to_pydict() == made.table.to_pydict()
        assert kept.counted == made.counted


def test_observations_carry_when_they_could_be_known(files, tmp_path: Path):
    store = Store(tmp_path / "store")
    store.ingest(files)
    frame = store.observations(files)
    keyed = frame.groupby(["source", "period", "published"]).ngroups
    assert keyed == len({(f.source, f.period, f.published) for f in files})
    own = files[0]
    rows = frame[(frame.source == own.source) & (frame.period == own.period) & (frame.published == str(own.published))]
    assert rows.value.sum() == sum(store.read(own).table["value"].to_pylist())
    assert store.observations([]).empty


def test_a_file_that_is_refused_leaves_nothing_and_keeps_those_before_it(files, tmp_path: Path):
    bad = tmp_path / "bad.csv"
    bad.write_text("not,a,police,file\n", encoding="utf-8")
    broken = replace(files[1], path=bad, member=None, name="bad.csv")
    store = Store(tmp_path / "store")
    with pytest.raises(DataFileError, match=r"bad\.csv"):
        store.ingest([files[0], broken, files[2]])
    assert len(contents(store.root)) == 1
    assert store.ingest(files).skipped == (files[0].name,)
