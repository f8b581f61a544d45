"""STCray annotation lists: keys, pictures, splits, and what is wrong with each record."""

import json
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.stcray import StcraySource
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "synthetic"


def write(path: Path, records: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records))
    return path


def read(
    annotations: Path, scratch: SqliteScratch, images: Path | None = None
) -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(StcraySource(annotations, images).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def test_the_sample_imports_and_its_missing_picture_is_reported(scratch: SqliteScratch) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("the shared sample data is absent")
    items, problems = read(SAMPLES / "annotations.sample.json", scratch)
    assert [item.key for item in items] == [items[0].path]
    assert items[0].split == "train"
    assert [(box.label, box.x, box.width) for box in items[0].truth.boxes] == [("Battery", 118.0, 112.5)]
    assert items[0].truth.extra["class_name"] == "Class 10_Battery"
    assert [problem.key for problem in problems] == ["stcray_raw/missing.jpg"]
    assert "record 2" in problems[0].where and "no such picture" in problems[0].reason


def test_pictures_are_looked_for_in_the_documented_places(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("set/images/a.jpg")
    absolute = make_picture("set/deep/b.jpg")
    make_picture("set/c.jpg")
    records = [
        {"image_path": "set/images/a.jpg"},  # from the folder above the annotation file
        {"image_path": "images/a.jpg"},  # from the root
        {"image_id": 1, "image_path_absolute": str(absolute)},
        {"image_path": "gone/elsewhere/c.jpg"},  # by its last part
        {"image_id": 2, "image_filename": "a.jpg"},  # in the folder `images`
    ]
    items, problems = read(write(tmp_path / "set" / "annotations.json", records), scratch)
    assert problems == []
    assert [item.path for item in items] == ["images/a.jpg", "images/a.jpg", "deep/b.jpg", "c.jpg", "images/a.jpg"]


def test_a_folder_of_pictures_of_its_own_becomes_the_root(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("store/train/a.jpg")
    annotations = write(tmp_path / "notes" / "annotations.json", [{"image_path": "train/a.jpg"}])
    assert [problem.key for problem in read(annotations, scratch)[1]] == ["train/a.jpg"]
    items, problems = read(annotations, scratch, tmp_path / "store")
    assert (items[0].path, items[0].split, problems) == ("train/a.jpg", "train", [])


@pytest.mark.parametrize(
    "record",
    [
        {"image_path": "../secret.jpg"},
        {"image_path": "set/../../secret.jpg"},
        {"image_id": 1, "image_path_absolute": "SECRET"},
        {"image_id": 1, "image_filename": "../secret.jpg"},
        {"image_path": "link.jpg"},
        {"image_path": "SECRET"},
        {"image_path": "a\u0000.jpg"},
    ],
)
def test_no_record_reaches_a_picture_outside(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, record: dict[str, Any]
) -> None:
    secret = make_picture("secret.jpg")
    make_picture("set/a.jpg")
    (tmp_path / "set" / "link.jpg").symlink_to(secret)
    record = {field: str(secret) if value == "SECRET" else value for field, value in record.items()}
    items, problems = read(write(tmp_path / "set" / "annotations.json", [record]), scratch)
    assert items == []
    assert len(problems) == 1 and problems[0].reason


def test_keys_do_not_depend_on_the_order_of_the_records(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    make_picture("b.jpg")
    records: list[dict[str, Any]] = [
        {"image_path": "a.jpg", "image_id": 5},
        {"image_id": 7, "image_filename": "b.jpg"},
        {"image_filename": "b.jpg"},
    ]
    before = read(write(tmp_path / "annotations.json", records), scratch)[0]
    random.Random(1).shuffle(records)
    after = read(write(tmp_path / "annotations.json", [{"image_path": "new.jpg"}, *records]), scratch)[0]
    assert {item.key for item in before} == {item.key for item in after} == {"a.jpg", "image_id 7", "b.jpg"}


def test_one_bad_record_is_a_problem_and_the_rest_goes_on(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    bad: list[Any] = [7, None, [], {}, {"image_path": 3}, {"image_path": "a.jpg", "categories": "x", "bboxes": 5}]
    items, problems = read(write(tmp_path / "annotations.json", [*bad, {"image_path": "a.jpg"}]), scratch)
    assert [item.key for item in items] == ["a.jpg"]
    assert [problem.where for problem in problems] == [f"annotations.json record {n}" for n in range(1, 7)]


def test_a_garbage_box_is_noted_and_its_picture_imported(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    text = '[{"image_path": "a.jpg", "categories": ["Knife", "Gun"], "bboxes": [[1, 2, NaN, 4], [1, 2, 3, 4]]}]'
    (tmp_path / "annotations.json").write_text(text)
    items, problems = read(tmp_path / "annotations.json", scratch)
    assert [box.label for box in items[0].truth.boxes] == ["Gun"]
    assert items[0].truth.categories == ("Knife", "Gun")
    assert problems[0].key == "a.jpg box 1" and "not a number" in problems[0].reason


def test_json_lines_are_read_and_a_broken_line_is_named(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    make_picture("b.jpg")
    lines = ['{"image_path": "a.jpg", "score": NaN}', "", '{"image_path": ', "[" * 50_000, '{"image_path": "b.jpg"}']
    (tmp_path / "annotations.jsonl").write_text("\n".join(lines))
    items, problems = read(tmp_path / "annotations.jsonl", scratch)
    assert [item.key for item in items] == ["a.jpg", "b.jpg"]
    assert items[0].truth.extra["score"] is None
    assert [problem.where for problem in problems] == ["annotations.jsonl line 3", "annotations.jsonl line 4"]


def test_a_line_too_long_to_hold_is_passed_over(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vqa_tui.sources.record_files._LONGEST_LINE", 64)
    make_picture("a.jpg")
    long = json.dumps({"image_path": "a.jpg", "caption": "x" * 500})
    (tmp_path / "a.jsonl").write_text(
        f'{{"image_id": 1, "image_filename": "a.jpg"}}\n{long}\n{{"image_path": "a.jpg"}}'
    )
    items, problems = read(tmp_path / "a.jsonl", scratch)
    assert [item.key for item in items] == ["image_id 1", "a.jpg"]
    assert [problem.where for problem in problems] == ["a.jsonl line 2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("hello", "starts with `h`"),
        ("\x00\x01", "starts with the byte 0x00"),
        ("\x1b[31m", "starts with the byte 0x1b"),
        ('{"images": [],\n "annotations": []}', "neither a JSON list"),
        ('[{"image_path": "a.jpg"},', "line 1"),
    ],
)
def test_a_file_that_is_no_list_of_records_is_refused(
    tmp_path: Path, scratch: SqliteScratch, text: str, words: str
) -> None:
    (tmp_path / "annotations.json").write_text(text)
    with pytest.raises(VqaError, match=words) as refused:
        list(StcraySource(tmp_path / "annotations.json").records(scratch))
    assert str(tmp_path) in refused.value.message and refused.value.hint


def peak_memory(path: Path, count: int, scratch: SqliteScratch) -> int:
    with path.open("w") as out:
        out.write("[")
        for number in range(count):
            record = {
                "image_id": number,
                "image_filename": "a.jpg",
                "categories": ["Knife"],
                "caption": "free text " * 9,
            }
            out.write(("," if number else "") + json.dumps(record))
        out.write("]")
    source = StcraySource(path)
    tracemalloc.start()
    assert sum(isinstance(record, SourceItem) for record in source.records(scratch)) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_number_of_records(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    few = peak_memory(tmp_path / "few.json", 2_000, scratch)
    many = peak_memory(tmp_path / "many.json", 20_000, scratch)
    assert many < few * 1.3


@pytest.mark.parametrize(
    ("record", "none", "annotated"),
    [
        ({"categories": [], "bboxes": []}, True, True),
        ({"categories": []}, True, True),
        ({"categories": ["Gun"], "bboxes": []}, False, True),
        ({"categories": [], "bboxes": [[1, 2, 3, 4]]}, False, False),
        ({"categories": None, "bboxes": []}, False, False),
        ({"caption": "A bag."}, False, False),
    ],
)
def test_an_empty_list_states_none_and_a_missing_one_nothing(
    tmp_path: Path,
    make_picture: MakePicture,
    scratch: SqliteScratch,
    record: dict[str, Any],
    none: bool,
    annotated: bool,
) -> None:
    make_picture("a.jpg")
    (item,), _ = read(write(tmp_path / "annotations.json", [{"image_path": "a.jpg", **record}]), scratch)
    assert (item.truth.states_none, item.truth.annotated) == (none, annotated)


def test_a_record_that_names_no_picture_says_so(tmp_path: Path, scratch: SqliteScratch) -> None:
    records = [{"image_id": 1}, {}, {"image_id": 2, "image_path_absolute": "/elsewhere/a.jpg"}]
    _, problems = read(write(tmp_path / "annotations.json", records), scratch)
    assert [problem.reason.partition(":")[0] for problem in problems[:2]] == ["names no picture"] * 2
    assert "`image_path_absolute` /elsewhere/a.jpg lies outside" in problems[2].reason


@pytest.mark.parametrize("name", ["annotations.json", "annotations.jsonl"])
@pytest.mark.parametrize("half", ["\\ud800", "\\udc00"])
def test_a_name_with_half_a_surrogate_pair_is_named_as_that(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, half: str, name: str
) -> None:
    make_picture("images/a.jpg")
    line = f'{{"image_path": "images/{half}.jpg"}}'
    (tmp_path / name).write_text(line if name.endswith("l") else f"[{line}]")
    items, (problem,) = read(tmp_path / name, scratch)
    assert items == []
    assert "is not valid Unicode where the annotations name it" in problem.reason
    assert "no such picture" not in problem.reason
