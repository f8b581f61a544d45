"""Exports in shards: which rows stand where, that a split stays whole, and that nothing foreign is replaced."""

import json
from pathlib import Path

import pytest

from tests.operations.test_exports_operation import StoredRun, stored
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters import writing
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.exporters.validation_report import ProblemKind
from vqa_tui.operations.exports import export_run, validate_file

__all__ = ["stored"]


def _rows(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix in (".jsonl", ".json", ".part")}


async def test_shards_hold_the_rows_of_one_file_in_their_order(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 6))
    whole = await export_run(stored.workspace, 1, "qwen", tmp_path / "whole.jsonl")
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", shard_size=5)
    assert [file.records for file in report.files] == [4, 4, 2]  # the two rows of a picture stay together
    assert [file.name for file in report.files] == [f"x-0000{n}-of-00003.jsonl" for n in (1, 2, 3)]
    assert [row for file in report.files for row in _rows(tmp_path / file.name)] == _rows(tmp_path / "whole.jsonl")
    assert (report.pictures, report.pairs) == (whole.pictures, whole.pairs)
    assert read_manifest(report.manifest).shard_size == 5
    checked = validate_file(tmp_path / "x.jsonl")
    assert checked.stats.records == 10 and checked.stats.pictures == 5
    assert not any(problem.kind is ProblemKind.MANIFEST for problem in checked.problems)


async def test_a_picture_with_more_rows_makes_a_larger_file(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1], pairs=3)
    await stored.add([2], pairs=1)
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", shard_size=2)
    assert [file.records for file in report.files] == [3, 1]


async def test_equal_pictures_in_two_shards_of_a_side_are_no_leak(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 4), look=1)
    await stored.add(range(4, 12), look=2)
    out = tmp_path / "x.jsonl"
    report = await export_run(stored.workspace, 1, "qwen", out, split=(0.5, 0.5), seed=1, shard_size=2)
    assert {file.name.split("-")[0] for file in report.files} == {"x.train", "x.val"}
    for path in (out, tmp_path / report.files[0].name):
        assert not any(problem.kind is ProblemKind.SPLIT for problem in validate_file(path).problems)
    train, val = ([file.name for file in report.files if file.part == part] for part in ("train", "val"))
    leaked = _rows(tmp_path / train[0])[0]
    (tmp_path / val[-1]).write_text(leaked + "\n", "utf-8")
    assert json.loads(leaked)["image"]
    assert any(problem.kind is ProblemKind.SPLIT for problem in validate_file(out).problems)


async def test_shards_replace_own_ones_and_no_others(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 4))
    out = tmp_path / "x.jsonl"
    (tmp_path / "x-00002-of-00003.jsonl").write_text("mine", "utf-8")
    before = _names(tmp_path)
    with pytest.raises(VqaError, match="already exists"):
        await export_run(stored.workspace, 1, "qwen", out, shard_size=2)
    assert _names(tmp_path) == before
    (tmp_path / "x-00002-of-00003.jsonl").unlink()
    await export_run(stored.workspace, 1, "qwen", out, shard_size=2)
    await export_run(stored.workspace, 1, "qwen", out, shard_size=2)
    again = await export_run(stored.workspace, 1, "qwen", out, shard_size=4)
    assert not (tmp_path / "x-00001-of-00003.jsonl").exists() and not again.warnings


async def test_too_many_shards_leave_nothing(
    stored: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored.add(range(1, 4))
    monkeypatch.setattr(writing, "MOST_SHARDS", 2)
    before = _names(tmp_path)
    with pytest.raises(VqaError, match="more than 2 files"):
        await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", shard_size=2)
    assert _names(tmp_path) == before


async def test_what_stood_there_before_goes_unless_somebody_has_changed_it(stored: StoredRun, tmp_path: Path) -> None:
    """Else a pattern over the shards would find two exports."""
    await stored.add(range(1, 6))
    out = tmp_path / "x.jsonl"
    await export_run(stored.workspace, 1, "qwen", out)
    await export_run(stored.workspace, 1, "qwen", out, shard_size=2)
    assert _names(tmp_path) == {*(f"x-0000{n}-of-00005.jsonl" for n in range(1, 6)), "x.jsonl.manifest.json"}
    (tmp_path / "x-00002-of-00005.jsonl").write_text("mine\n")
    report = await export_run(stored.workspace, 1, "qwen", out, shard_size=5)
    kept = "x-00002-of-00005.jsonl"
    assert _names(tmp_path) == {*(f"x-0000{n}-of-00003.jsonl" for n in range(1, 4)), kept, "x.jsonl.manifest.json"}
    assert [words for words in report.warnings if "still there" in words] == [
        f"{kept} of an earlier export is still there, and no manifest lists it any more"
    ]
    await export_run(stored.workspace, 1, "qwen", out)
    assert _names(tmp_path) == {"x.jsonl", kept, "x.jsonl.manifest.json"}
