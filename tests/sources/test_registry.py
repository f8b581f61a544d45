"""Kinds of dataset by name, and paths that are not what a kind needs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.sources.registry import KINDS, open_source
from vqa_tui.sources.splits import split_in_name, split_in_path


def test_every_kind_says_in_one_line_what_it_is() -> None:
    assert list(KINDS) == [
        "folder", "folder-sets", "stcray", "stcray-tree", "coco", "vqa-rad", "vqa-v2", "ego4d-nlq", "video",
        "llava", "sharegpt", "qwen", "model-garden", "jsonl", "csv", "parquet", "hf",
    ]  # fmt: skip
    assert all(kind.help and "\n" not in kind.help for kind in KINDS.values())


def test_a_relative_path_is_made_absolute(
    tmp_path: Path, make_picture: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_picture("set/a.jpg")
    monkeypatch.chdir(tmp_path)
    assert open_source("folder", Path("set")).root == (tmp_path / "set").resolve()


def test_the_nearest_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(VqaError) as refused:
        open_source("stcary", tmp_path)
    assert "Did you mean `stcray`?" in refused.value.hint


@pytest.mark.parametrize(
    ("kind", "path", "images", "words"),
    [
        ("folder", "none", None, "does not exist"),
        ("folder", "file.json", None, "is not a folder"),
        ("stcray", ".", None, "is not a file"),
        ("stcray", "file.json", "none", "does not exist"),
        ("folder", ".", ".", "--images does not go with"),
    ],
)
def test_a_path_of_the_wrong_sort_is_refused(
    tmp_path: Path, kind: str, path: str, images: str | None, words: str
) -> None:
    (tmp_path / "file.json").write_text("[]")
    with pytest.raises(VqaError, match=words):
        open_source(kind, tmp_path / path, images=tmp_path / images if images else None)


@pytest.mark.parametrize(("kind", "name"), [("vqa-rad", "vqa-rad"), ("stcray-tree", "stcray"), ("folder", "")])
def test_what_can_be_fetched_is_told_where_it_is_not_there(tmp_path: Path, kind: str, name: str) -> None:
    with pytest.raises(VqaError) as refused:
        open_source(kind, tmp_path / "none")
    assert refused.value.hint.endswith(f"`dataset download {name}` fetches it." if name else "the current folder.")


def test_what_a_path_could_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text("[]")
    with pytest.raises(VqaError) as of_a_folder:
        open_source("stcray", tmp_path)
    assert of_a_folder.value.hint.startswith("Kinds that take a folder: folder, folder-sets, stcray-tree, coco, ")
    with pytest.raises(VqaError) as of_a_file:
        open_source("folder", tmp_path / "file.json")
    assert of_a_file.value.hint.startswith("Kinds that take a file: stcray, coco, ")


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("STCray_TrainSet", "train"),
        ("instances_val2017", "val"),
        ("test", "test"),
        ("Validation", "val"),
        ("sample2017", None),
        ("latest", None),
        ("train-val", None),
    ],
)
def test_a_split_is_only_read_from_a_whole_word(name: str, split: str | None) -> None:
    assert split_in_name(name) == split


def test_the_innermost_folder_decides_and_the_file_name_does_not() -> None:
    assert split_in_path("train/val/a.jpg") == "val"
    assert split_in_path("train/test.jpg") == "train"
    assert split_in_path("test.jpg") is None
