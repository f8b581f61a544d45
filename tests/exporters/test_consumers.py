"""Exports loaded by the library that trainers load them with; skipped where the extra `consumers` is not installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.exporters.written import pictures_with_pairs, raw_records, write_export
from vqa_tui.domain.export import ExportPicture
from vqa_tui.exporters.formats import FORMATS, Naming
from vqa_tui.exporters.picture_copies import PictureUse

# The library takes seconds to load, which every process that only collects this file would wait for.
pytestmark = pytest.mark.skipif(
    find_spec("datasets") is None, reason="needs the extra `consumers` (Hugging Face datasets)"
)

_LINES_AND_LISTS = [name for name in FORMATS if name not in ("vqa-v2", "vqa-rad-enhanced", "csv", "trl-parquet")]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[ExportPicture]:
    """Three pictures below the current folder, against which the library resolves relative paths."""
    monkeypatch.chdir(tmp_path)
    return pictures_with_pairs(tmp_path)


def _loaded(out: Path, cache: Path, builder: str = "json", **more: Any) -> Any:
    import datasets

    return datasets.load_dataset(builder, data_files=str(out), split="train", cache_dir=str(cache), **more)


@pytest.mark.parametrize("form", _LINES_AND_LISTS)
def test_datasets_reads_every_record_with_one_schema(form: str, pictures: list[ExportPicture], tmp_path: Path) -> None:
    known = FORMATS[form]
    out = tmp_path / f"x{known.suffix}"
    use = PictureUse.INLINE if known.naming is Naming.INLINE else PictureUse.IN_PLACE
    write_export(out, form, pictures, use=use)
    found = _loaded(out, tmp_path / "cache")
    assert [_without_nulls(row) for row in found] == raw_records(out)


def test_datasets_reads_the_table(pictures: list[ExportPicture], tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    write_export(out, "csv", pictures)
    assert list(_loaded(out, tmp_path / "cache", "csv")) == raw_records(out)


def test_datasets_reads_the_questions_of_vqa_v2(pictures: list[ExportPicture], tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    write_export(out, "vqa-v2", pictures)
    found = _loaded(out, tmp_path / "cache", field="questions")
    assert [row["question_id"] for row in found] == [row["question_id"] for row in raw_records(out)]


@pytest.mark.parametrize("use", [PictureUse.IN_PLACE, PictureUse.COPY])
def test_the_images_of_trl_open_as_pictures(use: PictureUse, pictures: list[ExportPicture], tmp_path: Path) -> None:
    import datasets

    out = tmp_path / "x.jsonl"
    write_export(out, "trl", pictures, grouped=True, use=use)
    found = _loaded(out, tmp_path / "cache").cast_column("images", datasets.List(datasets.Image()))
    assert [[image.size for image in row["images"]] for row in found] == [[(20 + n, 16)] for n in range(3)]


def test_the_pictures_of_a_parquet_table_open_as_they_are(pictures: list[ExportPicture], tmp_path: Path) -> None:
    import datasets

    out = tmp_path / "x.parquet"
    write_export(out, "trl-parquet", pictures, grouped=True, use=PictureUse.INLINE)
    found = _loaded(out, tmp_path / "cache", "parquet")
    assert found.features["images"] == datasets.List(datasets.Image())
    assert [[image.size for image in row["images"]] for row in found] == [[(20 + n, 16)] for n in range(3)]
    written = raw_records(out)
    assert [_without_nulls(row["messages"]) for row in found] == [record["messages"] for record in written]
    assert found[0]["messages"][0]["content"][0]["type"] == "image"


def _without_nulls(value: Any) -> Any:
    """Return `value` without what Arrow adds for keys that other records have."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
