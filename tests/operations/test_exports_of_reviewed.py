"""Exports after a review: which pairs are taken, edited text, and what the manifest says of verdicts."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.operations.test_exports_operation import StoredRun, stored
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.manifest import read_manifest
from vqa_tui.operations.exports import export_run, validate_file

__all__ = ["stored"]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_verdicts_decide_what_is_exported_and_edits_stand_for_the_text(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 4))
    await stored.reject(3)
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE task_id = 1")
        await transaction.execute(
            "UPDATE sample SET edited_answer = 'A better answer.' WHERE task_id = 1 AND ordinal = 1"
        )
        await transaction.execute("UPDATE sample SET verdict = 'unsure' WHERE task_id = 2 AND ordinal = 0")
    out = tmp_path / "train.jsonl"
    accepted = await export_run(stored.workspace, 1, "qwen", out, reviewed="accepted")
    assert [line["conversations"][1]["value"] for line in _lines(out)] == ["Answer 0 [image] é.", "A better answer."]
    assert "2 rejected pairs were left out" in accepted.warnings
    assert "2 pairs that nobody accepted were left out" in accepted.warnings
    manifest = read_manifest(accepted.manifest)
    assert (manifest.reviewed, manifest.verdicts) == ("accepted", {"accepted": 1, "edited": 1})
    assert (manifest.skipped.rejected_pairs, manifest.skipped.unaccepted_pairs) == (2, 2)
    assert validate_file(out).ok
    manifest = read_manifest((await export_run(stored.workspace, 1, "qwen", out)).manifest)
    assert manifest.verdicts == {"accepted": 1, "edited": 1, "not reviewed": 1, "unsure": 1}
    assert (manifest.reviewed, manifest.skipped.rejected_pairs) == ("not-rejected", 2)
    every = await export_run(stored.workspace, 1, "qwen", out, reviewed="any")
    assert every.pairs == 6 and "2 rejected pairs are in the file, because any were asked for" in every.warnings
    assert read_manifest(every.manifest).skipped.rejected_pairs == 0


async def test_a_split_of_accepted_pairs_counts_their_pictures_only(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add(range(1, 9))
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE task_id <= 4")
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", split=(0.5, 0.5), reviewed="accepted")
    assert [file.pictures for file in report.files] == [2, 2]


async def test_an_export_of_accepted_pairs_needs_some(stored: StoredRun, tmp_path: Path) -> None:
    await stored.add([1])
    with pytest.raises(VqaError, match="no question-answer pair of the run first has been accepted"):
        await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", reviewed="accepted")
    with pytest.raises(VqaError, match="'good' does not say which pairs"):
        await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl", reviewed="good")


async def test_pairs_of_a_reply_that_was_cut_are_told_until_somebody_accepts_them(
    stored: StoredRun, tmp_path: Path
) -> None:
    await stored.add(range(1, 4))
    async with stored.workspace.db.write() as transaction:
        await transaction.execute('UPDATE sample SET flags = \'["cut_reply","short_answer"]\' WHERE task_id < 3')
        await transaction.execute("UPDATE sample SET flags = '[\"short_answer\"]' WHERE task_id = 3")
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    (said,) = (warning for warning in report.warnings if "cut off" in warning)
    assert said.startswith("4 pairs are of replies that were cut off: `flag:cut_reply` finds them")
    assert read_manifest(report.manifest).flags == {"cut_reply": 4, "short_answer": 6}
    async with stored.workspace.db.write() as transaction:
        await transaction.execute("UPDATE sample SET verdict = 'accepted' WHERE task_id = 1")
        await transaction.execute("UPDATE sample SET verdict = 'rejected' WHERE task_id = 2 AND ordinal = 0")
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    assert any(warning.startswith("1 pair is of a reply that was cut off") for warning in report.warnings)
    assert read_manifest(report.manifest).flags == {"cut_reply": 1, "short_answer": 3}
    await stored.reject(2)
    report = await export_run(stored.workspace, 1, "qwen", tmp_path / "x.jsonl")
    assert not any("cut off" in warning for warning in report.warnings)
