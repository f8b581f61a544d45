"""A folder tree: fixed order, hidden files passed over, sidecars read, broken ones named by file and line."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.folder import FolderSource
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
PICTURES = Path(__file__).parents[3] / "shared" / "data" / "cc0_images"


def read(folder: Path, scratch: SqliteScratch) -> tuple[dict[str, SourceItem], dict[str, ImportProblem]]:
    found = list(FolderSource(folder).records(scratch))
    items = {record.key: record for record in found if isinstance(record, SourceItem)}
    return items, {record.key: record for record in found if isinstance(record, ImportProblem)}


def test_the_order_is_the_same_every_time_and_other_files_are_passed_over(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("b/2.jpg", "b/10.jpg", "a/z.PNG", "c.jpg", "a/inner/x.webp", ".hidden/h.jpg", ".h.jpg"):
        make_picture(name)
    (tmp_path / "notes.md").write_text("no picture")
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"\0")
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["c.jpg", "a/z.PNG", "a/inner/x.webp", "b/10.jpg", "b/2.jpg"]
    assert problems == {}


def test_a_link_that_leads_in_a_circle_costs_no_other_picture(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("a.jpg", "sub/b.jpg"):
        make_picture(name)
    for name in ("self", "sub/self", "sub/c.jpg"):
        (tmp_path / name).symlink_to(Path(name).name)
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["a.jpg", "sub/b.jpg"]
    assert list(problems) == ["sub/c.jpg"]


def test_pictures_that_are_not_read_are_told(tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch) -> None:
    make_picture("a.jpg")
    for name in ("b/photo.HEIC", "c.svg", ".hidden.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["a.jpg"]
    assert sorted(problems) == ["b/photo.HEIC", "c.svg"]
    assert "is a picture in a format that is not read here (.heic)" in problems["b/photo.HEIC"].reason


def test_shadow_files_are_reported_once_for_all(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    for name in ("a.jpg", "._a.jpg", "sub/._b.jpg"):
        make_picture(name)
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["a.jpg"]
    assert "skipped 2 macOS shadow files" in problems["._ files"].reason
    assert problems["._ files"].where == "._a.jpg"


def test_links_stay_inside_and_linked_folders_are_not_followed(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("outside.jpg")
    make_picture("set/a.jpg")
    (tmp_path / "set" / "again.jpg").symlink_to("a.jpg")
    (tmp_path / "set" / "out.jpg").symlink_to(tmp_path / "outside.jpg")
    (tmp_path / "set" / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "set" / "loop").symlink_to(tmp_path / "set")
    items, problems = read(tmp_path / "set", scratch)
    assert list(items) == ["a.jpg", "again.jpg"]
    assert {key: problem.reason.split(",")[0] for key, problem in problems.items()} == {
        "loop/": "is a link to a folder",
        "gone.jpg": "is a link to a file that does not exist",
        "out.jpg": f"is a link that leads out of {tmp_path / 'set'}",
    }


def test_a_name_that_is_not_utf8_is_a_problem_that_can_be_stored(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    picture = make_picture("a.jpg")
    os.rename(picture, os.fsencode(tmp_path) + b"/caf\xe9.jpg")
    items, problems = read(tmp_path, scratch)
    assert items == {}
    (problem,) = problems.values()
    assert "not valid Unicode" in problem.reason
    problem.key.encode("utf-8")


def test_a_folder_that_cannot_be_read_is_a_problem(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_picture("good/a.jpg")
    make_picture("locked/b.jpg")
    scandir = os.scandir

    def refuse(path: str | Path) -> Any:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("vqa_tui.sources.tree_walk.os.scandir", refuse)
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["good/a.jpg"]
    assert "Permission denied" in problems["locked/"].reason


def test_sidecars_say_what_is_known(tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch) -> None:
    for name in ("plain.jpg", "named.jpg", "rich.png", "train/none.jpg"):
        make_picture(name)
    (tmp_path / "plain.txt").write_text("  a caption\n", "utf-8-sig")
    (tmp_path / "named.jpg.txt").write_text("the exact name wins")
    (tmp_path / "named.txt").write_text("not this one")
    (tmp_path / "rich.txt").write_text("from text")
    rich = {
        "caption": "from json",
        "captions": ["and another", "from json"],
        "boxes": [{"label": "cat", "bbox": [1, 2, 3, 4]}, {"label": "dog", "x": 5, "y": 6, "width": 7, "height": 8}],
        "questions": [{"question": "How many?", "answer": "two", "question_type": "count"}],
        "split": "val",
        "photographer": "unknown",
    }
    (tmp_path / "rich.json").write_text(json.dumps(rich))
    items, problems = read(tmp_path, scratch)
    assert problems == {}
    assert items["plain.jpg"].truth.captions == ("a caption",)
    assert items["named.jpg"].truth.captions == ("the exact name wins",)
    assert items["train/none.jpg"].split == "train"
    truth = items["rich.png"].truth
    assert truth.captions == ("from text", "from json", "and another")
    assert truth.categories == ("cat", "dog")
    assert [(box.label, box.x, box.height) for box in truth.boxes] == [("cat", 1, 4), ("dog", 5, 8)]
    assert [(entry.question, entry.answer, entry.question_type) for entry in truth.questions] == [
        ("How many?", "two", "count")
    ]
    assert (items["rich.png"].split, truth.extra) == ("val", {"photographer": "unknown"})


@pytest.mark.parametrize(
    ("name", "content", "where", "words"),
    [
        ("a.json", b'{\n "caption": oops\n}', "a.json line 2 column 13", "not valid JSON"),
        ("a.json", b"[]", "a.json line 1", "is a list, not an object"),
        ("a.json", b'{"boxes": [1]}', "a.json line 1", "entry 1 is not an object"),
        ("a.json", b"[" * 100_000, "a.json line 1", "is nested too deeply"),
        ("a.json", b'{"caption": ' + b"9" * 5000 + b"}", "a.json line 1", "readable JSON"),
        ("a.txt", b"fine\nfine\n\xff\xfe", "a.txt line 3", "not UTF-8"),
        ("a.jpg.txt", b"\xff", "a.jpg.txt line 1", "not UTF-8"),
    ],
)
def test_a_malformed_sidecar_is_named_by_file_and_line_and_its_picture_waits(
    tmp_path: Path,
    make_picture: MakePicture,
    scratch: SqliteScratch,
    name: str,
    content: bytes,
    where: str,
    words: str,
) -> None:
    make_picture("a.jpg")
    make_picture("b.jpg")
    (tmp_path / name).write_bytes(content)
    items, problems = read(tmp_path, scratch)
    assert list(items) == ["b.jpg"]
    assert problems["a.jpg"].where == where
    assert words in problems["a.jpg"].reason


def test_a_sidecar_that_leads_out_or_is_huge_is_refused(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    make_picture("set/a.jpg")
    make_picture("set/b.jpg")
    (tmp_path / "set" / "a.txt").symlink_to(tmp_path / "secret.txt")
    with (tmp_path / "set" / "b.txt").open("wb") as sparse:
        sparse.truncate((16 << 20) + 1)
    items, problems = read(tmp_path / "set", scratch)
    assert items == {}
    assert "leads out" in problems["a.jpg"].reason
    assert "larger than 16 MiB" in problems["b.jpg"].reason


def test_a_garbage_box_in_a_sidecar_is_noted_and_the_picture_imported(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    (tmp_path / "a.json").write_text('{"boxes": [{"label": "cat"}, {"bbox": [1, 2, 3, 4]}]}')
    items, problems = read(tmp_path, scratch)
    assert items["a.jpg"].truth.boxes == ()
    assert "not a number" in problems["a.jpg box 1"].reason
    assert "no category" in problems["a.jpg box 2"].reason


def test_the_real_pictures_are_all_found(scratch: SqliteScratch) -> None:
    if not PICTURES.is_dir():
        pytest.skip("the shared sample data is absent")
    items, problems = read(PICTURES, scratch)
    assert sorted(items) == sorted(os.listdir(PICTURES))
    assert problems == {}


@pytest.mark.parametrize(
    ("sidecar", "none", "annotated"),
    [
        (None, False, False),
        ({"caption": "A bag."}, False, False),
        ({"categories": []}, True, True),
        ({"boxes": []}, True, True),
        ({"categories": [], "boxes": [{"bbox": [1, 2, 3, 4]}]}, False, False),
        ({"categories": ["Gun"]}, False, True),
    ],
)
def test_only_a_sidecar_that_says_so_states_none(
    tmp_path: Path,
    make_picture: MakePicture,
    scratch: SqliteScratch,
    sidecar: dict[str, Any] | None,
    none: bool,
    annotated: bool,
) -> None:
    make_picture("a.jpg")
    if sidecar is not None:
        (tmp_path / "a.json").write_text(json.dumps(sidecar))
    items, _ = read(tmp_path, scratch)
    assert (items["a.jpg"].truth.states_none, items["a.jpg"].truth.annotated) == (none, annotated)
