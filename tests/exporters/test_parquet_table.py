"""The parquet table of TRL's records: what is in it, in which groups, and what is said of one that is broken."""

import builtins
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.written import pictures_with_pairs, raw_records, write_export
from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters import parquet_table
from vqa_tui.exporters.picture_copies import PictureUse
from vqa_tui.exporters.record_reading import read_records
from vqa_tui.exporters.validation import validate_export
from vqa_tui.exporters.validation_report import ProblemKind

parquet: Any = pytest.importorskip("pyarrow.parquet", reason="pyarrow (the extra hf) is not installed")


def written(tmp_path: Path, count: int = 3) -> Path:
    out = tmp_path / "x.parquet"
    write_export(out, "trl-parquet", pictures_with_pairs(tmp_path, count), use=PictureUse.INLINE)
    return out


def test_the_bytes_of_the_files_stand_in_it(tmp_path: Path) -> None:
    out = written(tmp_path)
    rows = parquet.read_table(out).to_pylist()
    files = sorted((tmp_path / "pictures").iterdir())
    assert [row["images"][0]["bytes"] for row in rows] == [file.read_bytes() for file in files for _ in range(2)]
    assert [part["type"] for part in rows[0]["messages"][0]["content"]] == ["image", "text"]
    report = validate_export(out)
    assert report.ok, report.problems
    assert (report.stats.formats, report.stats.records, report.stats.pictures) == (("trl-parquet",), 6, 3)


def test_a_group_of_rows_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_table, "_ROWS_OF_A_GROUP", 4)
    with parquet.ParquetFile(written(tmp_path, 5)) as opened:
        assert [opened.metadata.row_group(number).num_rows for number in range(opened.num_row_groups)] == [4, 4, 2]
    monkeypatch.setattr(parquet_table, "_BYTES_OF_A_GROUP", 1)
    with parquet.ParquetFile(written(tmp_path, 2)) as opened:
        assert opened.num_row_groups == 4


def test_a_broken_table_is_a_problem_in_words(tmp_path: Path) -> None:
    out = written(tmp_path)
    out.write_bytes(out.read_bytes()[:-40])
    (entry,) = read_records(out)
    assert entry.record is None and entry.problem.startswith("the parquet table breaks off here: ")
    problems = validate_export(out).problems
    assert any(problem.kind is ProblemKind.UNREADABLE for problem in problems)


def test_a_picture_that_is_none_is_found_in_its_row(tmp_path: Path) -> None:
    out = written(tmp_path)
    table = parquet.read_table(out)
    rows = table.to_pylist()
    rows[3]["images"] = [{"bytes": b"no picture", "path": None}] * 2
    other = tmp_path / "y.parquet"
    parquet.write_table(type(table).from_pylist(rows, schema=table.schema), other)
    messages = [str(problem.message) for problem in validate_export(other).problems if problem.line == 4]
    assert "1 image parts for 2 image file(s)" in messages
    assert any("picture in the record" in message or "image in the record" in message for message in messages), messages


def test_without_pyarrow_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    pictures = pictures_with_pairs(tmp_path)
    with pytest.raises(VqaError, match="parquet files need pyarrow") as refused:
        write_export(tmp_path / "x.parquet", "trl-parquet", pictures, use=PictureUse.INLINE)
    assert "vqa-tui[hf]" in refused.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_records_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    first = raw_records(written(tmp_path))[0]
    assert first["images"][0].startswith("data:image/png;base64,")
    assert first["messages"][0]["content"][0] == {"type": "image"}
