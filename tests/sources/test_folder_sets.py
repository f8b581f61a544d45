"""Folders whose pictures belong together: one item for each, in the order of names, and what is said of the rest."""

from collections.abc import Callable
from pathlib import Path

from vqa_tui.domain.item import MOST_PICTURES, ImportProblem, SourceItem
from vqa_tui.operations.dataset_contents import dataset_items
from vqa_tui.operations.datasets import import_dataset
from vqa_tui.operations.workspace import open_workspace
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]


def read(folder: Path, scratch: SqliteScratch) -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(open_source("folder-sets", folder).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def test_every_folder_is_one_item(tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch) -> None:
    for name in ("b.png", "a.png", "train/x/2.jpg", "train/x/1.jpg", "train/y/1.jpg", "val/z/1.jpg"):
        make_picture(f"set/{name}")
    folder = tmp_path / "set"
    (folder / "train/x/2.txt").write_text("The bag from above.")
    (folder / "train/x/1.txt").write_text("The bag from the side.")
    (folder / "train/w").mkdir()
    (folder / "train/w/3.heic").write_bytes(b"?")
    (folder / "empty").mkdir()
    items, problems = read(folder, scratch)
    assert [(item.key, item.path, item.further, item.split) for item in items] == [
        (".", "a.png", ("b.png",), None),
        ("train/x", "train/x/1.jpg", ("train/x/2.jpg",), "train"),
        ("train/y", "train/y/1.jpg", (), "train"),
        ("val/z", "val/z/1.jpg", (), "val"),
    ]
    assert items[1].truth.captions == ("The bag from the side.", "The bag from above.")
    assert [problem.where for problem in problems] == ["train/w/3.heic"]


def test_a_set_with_a_picture_missing_is_none(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("a.png", "one/1.png", "two/1.png", "whole/1.png"):
        make_picture(f"set/{name}")
    folder = tmp_path / "set"
    (folder / "one/2.heic").write_bytes(b"?")
    (folder / "two/2.png").symlink_to("gone.png")
    (folder / "two/3.png").symlink_to("/dev/null")
    (folder / "whole/elsewhere").symlink_to(folder / "one")
    (folder / "whole/._1.png").write_bytes(b"?")
    items, problems = read(folder, scratch)
    assert [item.key for item in items] == [".", "whole"]
    reasons = {problem.key: problem.reason for problem in problems}
    assert reasons["one"] == "is left out as a whole until `one/2.heic` is repaired or removed"
    assert reasons["two"] == "is left out as a whole until 2 files (first: `two/2.png`) are repaired or removed"
    assert {"one/2.heic", "two/2.png", "two/3.png", "whole/elsewhere/"} < reasons.keys()
    (folder / "one/2.heic").unlink()
    assert [item.key for item in read(folder, scratch)[0]] == [".", "one", "whole"]


def test_what_cannot_be_one_item_is_listed(tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch) -> None:
    picture = make_picture("set/many/0.png")
    for number in range(1, MOST_PICTURES + 1):
        (picture.parent / f"{number}.png").symlink_to(picture)
    make_picture("set/torn/1.png")
    (tmp_path / "set/torn/1.txt").write_bytes(b"\xff\xfe\x00")
    items, problems = read(tmp_path / "set", scratch)
    assert items == []
    assert {problem.where: problem.reason.partition(";")[0] for problem in problems}["many"] == "holds 101 pictures"
    assert any("left out until it is repaired" in problem.reason for problem in problems)


async def test_a_folder_that_gets_a_picture_is_updated(tmp_path: Path, make_picture: MakePicture) -> None:
    for name in ("set/x/1.png", "set/x/2.png", "set/y/1.png"):
        make_picture(name)
    async with open_workspace(tmp_path) as workspace:
        await import_dataset(workspace, "folder-sets", tmp_path / "set", name="sets")
        make_picture("set/x/3.png")
        again = await import_dataset(workspace, "folder-sets", tmp_path / "set")
        assert (again.dataset, again.added, again.unchanged, again.updated) == ("sets", 0, 1, 1)
        sizes = {item.key: len(item.pictures) async for item in dataset_items(workspace, "sets")}
    assert sizes == {"x": 3, "y": 1}
