"""What a person is told of a dataset: its splits, its categories, and the nearest name where there is none."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.datasets import dataset_detail, import_dataset, list_datasets
from vqa_tui.operations.workspace import Workspace
from vqa_tui.paths import WorkspacePaths
from vqa_tui.store.db import Database


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    paths = WorkspacePaths(tmp_path / "work" / ".vqa")
    async with Database.open(paths) as database:
        yield Workspace(paths, database)


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), "teal").save(path)


async def test_an_unknown_dataset_names_the_nearest(workspace: Workspace, tmp_path: Path) -> None:
    picture(tmp_path / "bags" / "a.jpg")
    await import_dataset(workspace, "folder", tmp_path / "bags")
    with pytest.raises(VqaError) as refused:
        await dataset_detail(workspace, "bgas")
    assert "Did you mean bags?" in refused.value.hint
    with pytest.raises(VqaError) as refused:
        await dataset_detail(workspace, "nosuch")
    assert refused.value.hint == "Known: bags."
    for number in range(6):
        await import_dataset(workspace, "folder", tmp_path / "bags", name=f"set{number}")
    with pytest.raises(VqaError) as refused:
        await dataset_detail(workspace, "nosuch")
    assert "set3 and 2 more" in refused.value.hint


async def test_detail_tells_splits_and_categories(workspace: Workspace, tmp_path: Path) -> None:
    for name, label in (("train/a", "Knife"), ("train/b", "Gun"), ("test/c", "Knife")):
        picture(tmp_path / "bags" / f"{name}.jpg")
        (tmp_path / "bags" / f"{name}.json").write_text(json.dumps({"categories": [label]}))
    await import_dataset(workspace, "folder", tmp_path / "bags")
    detail = await dataset_detail(workspace, "bags")
    assert detail.splits == {"test": 1, "train": 2}
    assert [(entry.name, entry.pictures) for entry in detail.categories] == [("Knife", 2), ("Gun", 1)]
    (view,) = await list_datasets(workspace)
    assert (view, view.items, view.root) == (detail.view, 3, str((tmp_path / "bags").resolve()))
