"""COCO: boxes and captions joined on disk, whatever order and gaps the files have."""

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.coco import CocoSource
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
COCO = Path(__file__).parents[3] / "shared" / "data" / "coco"
CATEGORIES = [{"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}]


def read(
    path: Path, scratch: SqliteScratch, images: Path | None = None
) -> tuple[dict[str, SourceItem], dict[str, ImportProblem]]:
    found = list(CocoSource(path, images).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    assert len(items) == sum(isinstance(record, SourceItem) for record in found), "a picture was yielded twice"
    return items, {record.key: record for record in found if isinstance(record, ImportProblem)}


def write(path: Path, **lists: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(lists))
    return path


@pytest.mark.skipif(not COCO.is_dir(), reason="the shared sample data is absent")
class TestRealSample:
    def test_every_picture_comes_with_its_boxes_and_captions(self, scratch: SqliteScratch) -> None:
        items, problems = read(COCO, scratch)
        assert problems == {}
        assert len(items) == 13
        assert sum(len(item.truth.boxes) for item in items.values()) == 87
        assert all(len(item.truth.captions) == 5 for item in items.values())
        without_boxes = {item.path for item in items.values() if not item.truth.boxes}
        assert without_boxes == {"images/000000226111.jpg", "images/000000058636.jpg"}

    def test_licence_and_origin_of_each_picture_are_kept(self, scratch: SqliteScratch) -> None:
        items, _ = read(COCO, scratch)
        assert all({"license", "flickr_url", "id"} <= item.truth.extra.keys() for item in items.values())

    def test_each_file_alone_gives_what_it_holds(self, scratch: SqliteScratch) -> None:
        captions, _ = read(COCO / "captions_sample2017.json", scratch)
        assert len(captions) == 13 and not any(item.truth.boxes for item in captions.values())


def test_names_of_files_give_splits_and_keys_and_pictures_lie_in_usual_places(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("train2017/1.jpg")
    make_picture("images/val2017/1.jpg")
    for name, split in (("train2017", "train"), ("val2017", "val")):
        write(
            tmp_path / "annotations" / f"instances_{name}.json",
            annotations=[{"image_id": 1, "category_id": 90, "bbox": [1, 2, 3, 4], "split": split}],
            categories=CATEGORIES,
            images=[{"id": 1, "file_name": "1.jpg"}],
        )
    for path in (tmp_path, tmp_path / "annotations"):
        items, problems = read(path, SqliteScratch())
        assert problems == {}
        assert {key: (item.split, item.path) for key, item in items.items()} == {
            "train2017/1.jpg": ("train", "train2017/1.jpg"),
            "val2017/1.jpg": ("val", "images/val2017/1.jpg"),
        }
        assert items["val2017/1.jpg"].truth.boxes[0].label == "toothbrush"


def test_a_picture_in_only_one_of_two_files_is_still_imported(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        make_picture(name)
    one, two, three = ({"id": n, "file_name": f"{n}.jpg"} for n in (1, 2, 3))
    write(tmp_path / "instances_x.json", images=[one, two], annotations=[], categories=[])
    captions = [{"image_id": n, "caption": f" caption {n} "} for n in (3, 2, 3)]
    write(tmp_path / "captions_x.json", images=[two, three], annotations=captions)
    items, problems = read(tmp_path, scratch)
    assert problems == {}
    assert {item.path: item.truth.captions for item in items.values()} == {
        "1.jpg": (),
        "2.jpg": ("caption 2",),
        "3.jpg": ("caption 3",),
    }


def test_pictures_that_share_an_id_are_named_and_left_out(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("a", "b", "c"):
        make_picture(f"{name}.jpg")
    path = write(
        tmp_path / "x.json",
        images=[{"id": number, "file_name": f"{name}.jpg"} for number, name in ((1, "a"), (1, "b"), (2, "c"))],
        annotations=[{"image_id": 1, "category_id": 90, "bbox": [1, 2, 3, 4]}],
        categories=CATEGORIES,
    )
    items, problems = read(path, scratch)
    assert list(items) == ["x/c.jpg"]
    assert [problem.where for problem in problems.values()] == ["x.json picture 1", "x.json picture 2"]
    assert [problem.reason.split(",")[0] for problem in problems.values()] == [
        "has the id 1 of b.jpg",
        "has the id 1 of a.jpg",
    ]


def test_files_that_name_one_id_otherwise_are_not_joined(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("a", "b", "c"):
        make_picture(f"{name}.jpg")
    listed = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "c.jpg"}]
    write(tmp_path / "instances_x.json", images=listed, annotations=[], categories=CATEGORIES)
    listed[0] = {"id": 1, "file_name": "b.jpg"}
    listed[1] = {"id": 2, "file_name": "x/c.jpg"}
    write(tmp_path / "captions_x.json", images=listed, annotations=[{"image_id": 1, "caption": "of b"}])
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["x/c.jpg"]
    assert "has the id 1 of b.jpg, too" in problems["instances_x.json picture 1"].reason


def test_crowd_regions_are_their_boxes_and_bad_annotations_are_named(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("1.jpg")
    annotations = [
        {
            "image_id": 1,
            "category_id": 1,
            "bbox": [1, 2, 3, 4],
            "iscrowd": 1,
            "segmentation": {"counts": [1], "size": [9, 9]},
        },
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 0, 4]},
        {"image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]},
        {"image_id": 1, "category_id": 1, "bbox": "wide"},
        {"category_id": 1, "bbox": [1, 2, 3, 4]},
        "junk",
        {"image_id": 99, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"image_id": 98, "category_id": 1, "bbox": [1, 2, 3, 4]},
    ]
    path = write(
        tmp_path / "instances_x.json",
        images=[{"id": 1, "file_name": "1.jpg"}],
        annotations=annotations,
        categories=[*CATEGORIES, "junk"],
    )
    items, problems = read(path, scratch)
    assert [box.label for box in items["x/1.jpg"].truth.boxes] == ["person"]
    assert {key: problem.reason.split(";")[0] for key, problem in problems.items()} == {
        "instances_x.json annotation 5": "has no `image_id`",
        "instances_x.json annotation 6": "has no `image_id`",
        "instances_x.json strays": "2 annotations name pictures that no file lists",
        "x/1.jpg box 2": "box 2 has no area (0×4)",
        "x/1.jpg box 3": "box 3 has no category",
        "x/1.jpg box 4": "box 4 is not four numbers [x, y, width, height]",
    }


def test_pictures_that_are_missing_or_lead_out_are_problems(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("secret.jpg")
    make_picture("set/1.jpg")
    images = [
        {"id": 1, "file_name": "1.jpg"},
        {"id": 2, "file_name": "gone.jpg"},
        {"id": 3, "file_name": "../secret.jpg"},
        {"id": 4},
        {"file_name": "1.jpg"},
        "junk",
    ]
    path = write(tmp_path / "set" / "instances_x.json", images=images, annotations=[], categories=[])
    items, problems = read(path, scratch)
    assert list(items) == ["x/1.jpg"]
    assert "--images" in problems["x/gone.jpg"].reason
    assert "`..`" in problems["x/../secret.jpg"].reason
    assert {"instances_x.json picture 4", "instances_x.json picture 5", "instances_x.json picture 6"} <= problems.keys()


def test_pictures_may_lie_in_a_folder_of_their_own(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("store/1.jpg")
    path = write(
        tmp_path / "labels" / "any.json", images=[{"id": 1, "file_name": "1.jpg"}], annotations=[], categories=[]
    )
    items, _ = read(path, scratch, tmp_path / "store")
    assert [(item.key, item.path) for item in items.values()] == [("any/1.jpg", "1.jpg")]


def test_what_is_not_coco_is_refused_in_words(tmp_path: Path, scratch: SqliteScratch) -> None:
    with pytest.raises(VqaError, match="holds no instances_"):
        CocoSource(tmp_path)
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(VqaError, match="not a COCO file"):
        read(tmp_path / "list.json", scratch)
    (tmp_path / "cut.json").write_text('{"images": [{"id": 1,')
    with pytest.raises(VqaError, match="line 1, column 22"):
        read(tmp_path / "cut.json", scratch)
    (tmp_path / "other.json").write_text('{"pictures": []}')
    assert "lists no pictures" in read(tmp_path / "other.json", scratch)[1]["other.json"].reason


def peak_memory(folder: Path, count: int) -> int:
    write(
        folder / "instances_x.json",
        images=[{"id": n, "file_name": "1.jpg"} for n in range(count)],
        annotations=[{"image_id": n, "category_id": 1, "bbox": [1, 2, 3, 4]} for n in reversed(range(count))],
        categories=CATEGORIES,
    )
    with SqliteScratch() as scratch:
        tracemalloc.start()
        found = CocoSource(folder).records(scratch)
        boxes = sum(len(record.truth.boxes) for record in found if isinstance(record, SourceItem))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert boxes == count
    return peak


def test_memory_does_not_grow_with_the_number_of_annotations(tmp_path: Path, make_picture: MakePicture) -> None:
    make_picture("few/1.jpg")
    make_picture("many/1.jpg")
    assert peak_memory(tmp_path / "many", 20_000) < peak_memory(tmp_path / "few", 4_000) * 1.3


def joined_sample(folder: Path, make_picture: MakePicture) -> None:
    """Instances and captions of one set in the layout of the published files: shuffled, with a crowd and gaps."""
    for number in (1, 2, 3):
        make_picture(f"images/{number:012}.jpg")
    pictures = [{"id": n, "file_name": f"{n:012}.jpg", "width": 40, "height": 30, "license": 4} for n in (1, 2, 3)]
    crowd = {"counts": [3, 4, 5], "size": [30, 40]}
    write(
        folder / "annotations" / "instances_val2017.json",
        info={"year": 2017},
        licenses=[{"id": 4, "name": "x", "url": "y"}],
        images=pictures,
        annotations=[
            {"id": 9, "image_id": 2, "category_id": 1, "bbox": [0, 0, 40, 15], "iscrowd": 1, "segmentation": crowd},
            {"id": 7, "image_id": 1, "category_id": 90, "bbox": [1.5, 2, 3, 4], "segmentation": [[1, 2, 3, 4]]},
            {"id": 8, "image_id": 1, "category_id": 1, "bbox": [5, 6, 7, 8], "iscrowd": 0},
            {"id": 6, "image_id": 1, "category_id": 1, "bbox": [9, 9, 2, 2], "iscrowd": 0},
        ],
        categories=CATEGORIES,
    )
    captions = [{"id": 50 + n, "image_id": n % 3 + 1, "caption": f"caption {n} "} for n in range(6)]
    write(folder / "annotations" / "captions_val2017.json", images=[*reversed(pictures)], annotations=captions)


def test_boxes_and_captions_of_two_files_meet_in_one_picture_each(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    joined_sample(tmp_path, make_picture)
    items, problems = read(tmp_path, scratch)
    assert problems == {}
    assert list(items) == [f"val2017/{n:012}.jpg" for n in (1, 2, 3)]
    first, crowd, clean = (item.truth for item in items.values())
    assert [(box.label, box.x, box.width) for box in first.boxes] == [
        ("toothbrush", 1.5, 3),
        ("person", 5, 7),
        ("person", 9, 2),
    ]
    assert first.categories == ("toothbrush", "person", "person")
    assert first.captions == ("caption 0", "caption 3")
    assert [(box.label, box.height) for box in crowd.boxes] == [("person", 15)]
    assert crowd.captions == ("caption 1", "caption 4")
    assert (clean.boxes, clean.captions, clean.extra["license"]) == ((), ("caption 2", "caption 5"), 4)


def test_only_a_file_with_categories_states_that_there_are_none(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    joined_sample(tmp_path, make_picture)
    items, _ = read(tmp_path, scratch)
    assert [item.truth.states_none for item in items.values()] == [False, False, True]
    captions, _ = read(tmp_path / "annotations" / "captions_val2017.json", SqliteScratch())
    assert len(captions) == 3
    assert not any(item.truth.annotated for item in captions.values())
    assert all(item.truth.captions for item in captions.values())


def test_a_picture_whose_only_box_is_garbage_is_not_called_clean(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("1.jpg")
    make_picture("2.jpg")
    path = write(
        tmp_path / "instances_x.json",
        images=[{"id": n, "file_name": f"{n}.jpg"} for n in (1, 2)],
        annotations=[{"image_id": 1, "category_id": 1, "bbox": [1, 2, 0, 0]}, {"image_id": 2, "category_id": 1}],
        categories=CATEGORIES,
    )
    items, _ = read(path, scratch)
    assert [item.truth.annotated for item in items.values()] == [False, False]
