"""What an import holds in memory at a time, and what it does not read a second time."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from tests.ego4d import kitchen, query
from vqa_tui.operations import dataset_import
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.workspace import Workspace, open_workspace
from vqa_tui.video import fingerprint
from vqa_tui.video.leave import Leave


@pytest.fixture
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with open_workspace(tmp_path / "work") as opened:
        yield opened


async def test_pictures_with_very_much_about_them_are_taken_a_few_at_a_time(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_import, "_ENTRIES", 100)
    seen: list[int] = []
    for number in range(12):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number:02}.png")
        pairs = [{"question": f"q{each}", "answer": "a"} for each in range(30)]
        (tmp_path / f"{number:02}.json").write_text(json.dumps({"questions": pairs}))
    report = await import_dataset(
        workspace, "folder", tmp_path, name="x", progress=lambda progress: seen.append(progress.seen)
    )
    assert report.added == 12 and seen == [4, 8, 12]


async def test_a_new_clip_of_a_known_video_does_not_have_all_of_it_read_again(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av", reason="the extra `video` is not installed")
    read: list[str] = []
    hashed = fingerprint._hashed

    def counting(path: Path, leave: Leave) -> str:
        read.append(path.name)
        return hashed(path, leave)

    monkeypatch.setattr(fingerprint, "_hashed", counting)
    monkeypatch.setattr(fingerprint, "_known", type(fingerprint._known)())
    folder = kitchen(tmp_path / "k")
    assert (await import_dataset(workspace, "ego4d-nlq", folder, name="kitchen")).added == 3
    assert len(read) == len(set(read)) == 2
    # Another process knows nothing of them but what is stored.
    monkeypatch.setattr(fingerprint, "_known", type(fingerprint._known)())
    asked = json.loads((folder / "nlq_train.json").read_text())
    asked["videos"][0]["clips"][0]["annotations"][0]["language_queries"].append(query(1, 2))
    (folder / "nlq_train.json").write_text(json.dumps(asked))
    again = await import_dataset(workspace, "ego4d-nlq", folder)
    assert (again.added, again.unchanged, len(read)) == (1, 3, 2)
