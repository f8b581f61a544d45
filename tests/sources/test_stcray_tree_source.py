"""The raw STCray tree: boxes from rectangles or polygons, captions, splits, labels, and what is missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.stcray_tree import StcrayTreeSource
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
TREE = Path(__file__).parents[3] / "shared" / "data" / "synthetic" / "stcray_raw"


def read(folder: Path, scratch: SqliteScratch) -> tuple[dict[str, SourceItem], dict[str, ImportProblem]]:
    found = list(StcrayTreeSource(folder).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    return items, {record.key: record for record in found if isinstance(record, ImportProblem)}


def annotate(path: Path, *shapes: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": "5.0.1", "shapes": list(shapes)}))


def shape(label: Any, *points: Any) -> dict[str, Any]:
    return {"label": label, "points": list(points), "shape_type": "polygon"}


def test_the_sample_tree_imports_with_its_junk_reported(scratch: SqliteScratch) -> None:
    if not TREE.is_dir():
        pytest.skip("the shared sample data is absent")
    items, problems = read(TREE, scratch)
    (item,) = items.values()
    assert item.key == item.path == next(iter(items))
    assert (item.split, item.truth.categories) == ("train", ("Battery",))
    assert [(box.x, box.y, box.width, box.height) for box in item.truth.boxes] == [(118.0, 55.0, 112.5, 95.0)]
    assert item.truth.captions[0].startswith("Stand-in caption")
    assert item.truth.extra == {"class_name": "Class 10_Battery"}
    assert list(problems) == ["._ files"]


def test_sets_give_splits_and_folders_give_labels(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in (
        "STCray_TrainSet/Images/Class 3_3D printed gun/a.jpg",
        "STCray_TestSet/Images/Class 21_Non Threat/b.jpg",
        "STCray_TestSet/Images/Class 22_Multilabel Threat/c.jpg",
    ):
        make_picture(name)
    annotate(
        tmp_path / "STCray_TestSet/Json/Class 22_Multilabel Threat/c.json",
        shape("Knife", [10, 20], [30, 5], [12, 40]),
        shape("Other Sharp Item", [1, 1], [2, 2]),
    )
    items, problems = read(tmp_path, scratch)
    assert problems == {}
    told = {item.key.split("/")[-1]: (item.split, item.truth.categories) for item in items.values()}
    assert told == {
        "b.jpg": ("test", ()),
        "c.jpg": ("test", ("Knife", "Other Sharp Items")),
        "a.jpg": ("train", ("3D Printed Gun",)),
    }
    stated = {item.key.split("/")[-1]: item.truth.states_none for item in items.values()}
    assert stated == {"a.jpg": False, "b.jpg": True, "c.jpg": False}
    polygon = items["STCray_TestSet/Images/Class 22_Multilabel Threat/c.jpg"].truth.boxes[0]
    assert (polygon.x, polygon.y, polygon.width, polygon.height) == (10, 5, 20, 35)


def test_rectangles_win_over_polygons_and_corners_may_be_swapped(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("Images/Class 1_Knife/a.jpg")
    annotate(tmp_path / "Json_BB/Class 1_Knife/a.json", shape("Knife", [30, 40], [10, 5]))
    annotate(tmp_path / "Json/Class 1_Knife/a.json", shape("Gun", [0, 0], [1, 1]))
    items, _ = read(tmp_path, scratch)
    box = items["Images/Class 1_Knife/a.jpg"].truth.boxes[0]
    assert (box.label, box.x, box.y, box.width, box.height) == ("Knife", 10, 5, 20, 35)


def test_a_broken_annotation_leaves_its_picture_out_and_names_the_line(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("Images/Class 1_Knife/a.jpg")
    make_picture("Images/Class 1_Knife/b.jpg")
    annotate(tmp_path / "Json_BB/Class 1_Knife/b.json", 7, shape("Knife", [1, 1]), shape(None, [1, 1], [2, 2]))
    (tmp_path / "Json_BB/Class 1_Knife/a.json").write_text('{"shapes":\n oops}')
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["Images/Class 1_Knife/b.jpg"]
    assert problems["Images/Class 1_Knife/a.jpg"].where == "Json_BB/Class 1_Knife/a.json line 2 column 2"
    assert [key for key in problems if " shape " in key] == [f"Images/Class 1_Knife/b.jpg shape {n}" for n in (1, 2, 3)]


def test_an_annotation_without_its_picture_is_reported_once(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("Images/Class 1_Knife/a.jpg")
    for folder in ("Json", "Json_BB"):
        for stem in ("a", "gone"):
            annotate(tmp_path / folder / "Class 1_Knife" / f"{stem}.json", shape("Knife", [1, 1], [2, 2]))
    _, problems = read(tmp_path, scratch)
    assert list(problems) == ["Images/Class 1_Knife/gone.jpg"]
    assert "no such picture" in problems["Images/Class 1_Knife/gone.jpg"].reason


def test_a_folder_that_is_no_such_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="holds no STCray set"):
        StcrayTreeSource(tmp_path)
