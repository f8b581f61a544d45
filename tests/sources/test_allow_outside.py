"""Files outside the folder of a dataset: refused by every kind with the way out named, read where it is allowed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]


def _folder(root: Path, out: Path) -> Path:
    (root / "a.jpg").symlink_to(out)
    return root


def _stcray(root: Path, out: Path) -> Path:
    return _written(root / "annotations.json", [{"image_path": f"../{out.name}", "categories": ["Knife"]}])


def _absolute(root: Path, out: Path) -> Path:
    return _written(root / "annotations.json", [{"image_path_absolute": str(out), "categories": ["Knife"]}])


def _coco(root: Path, out: Path) -> Path:
    return _written(root / "instances.json", {"images": [{"id": 1, "file_name": str(out)}], "annotations": []})


def _tree(root: Path, out: Path) -> Path:
    folder = root / "STCray_TrainSet" / "Images" / "Class 1_Gun"
    folder.mkdir(parents=True)
    (folder / "a.jpg").symlink_to(out)
    return root


def _written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


@pytest.mark.parametrize(
    ("kind", "made"),
    [("folder", _folder), ("stcray", _stcray), ("stcray", _absolute), ("coco", _coco), ("stcray-tree", _tree)],
)
def test_a_file_outside_is_read_only_where_that_is_allowed(
    tmp_path: Path,
    make_picture: MakePicture,
    scratch: SqliteScratch,
    kind: str,
    made: Callable[[Path, Path], Path],
) -> None:
    out, root = make_picture("elsewhere.jpg"), tmp_path / "set"
    root.mkdir()
    path = made(root, out)
    (problem,) = open_source(kind, path).records(scratch)
    assert isinstance(problem, ImportProblem)
    assert "--allow-outside" in problem.reason
    with SqliteScratch() as other:
        source = open_source(kind, path, allow_outside=True)
        (item,) = source.records(other)
    assert isinstance(item, SourceItem)
    assert Path(source.root, item.path).resolve() == out.resolve()


def test_a_sidecar_that_is_a_link_leads_out_only_where_that_is_allowed(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("set/a.jpg")
    (tmp_path / "secret.txt").write_text("a secret")
    (tmp_path / "set" / "a.txt").symlink_to(tmp_path / "secret.txt")
    (problem,) = open_source("folder", tmp_path / "set").records(scratch)
    assert isinstance(problem, ImportProblem) and "--allow-outside" in problem.reason
    (item,) = open_source("folder", tmp_path / "set", allow_outside=True).records(scratch)
    assert isinstance(item, SourceItem) and item.truth.captions == ("a secret",)
