"""VQA-RAD: dirty values of the authors' JSON, and the rows of the Hugging Face copy with their pictures."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
REAL = Path(__file__).parents[3] / "shared" / "data" / "vqa_rad" / "VQA_RAD Dataset Public.json"
RECORD = {"qid": 1, "phrase_type": "freeform", "image_name": "a.jpg", "question": "Is it normal?", "answer": "No"}


def read(
    path: Path, scratch: SqliteScratch, images: Path | None = None
) -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(open_source("vqa-rad", path, images=images).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def write(path: Path, *changes: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([{**RECORD, **change} for change in changes]))
    return path


def encoded(colour: str, format_: str = "PNG", mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (20, 10), colour).convert(mode).save(stream, format_)
    return stream.getvalue()


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow (the extra hf) is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pyarrow.Table.from_pylist(list(rows))
    if path.suffix == ".arrow":
        with pyarrow.OSFile(str(path), "wb") as stream, pyarrow.ipc.new_stream(stream, table.schema) as writer:
            writer.write_table(table)
    else:
        parquet.write_table(table, path)
    return path


def row(picture: bytes, question: str = "is it normal?", answer: Any = "no") -> dict[str, Any]:
    return {"image": {"bytes": picture, "path": None}, "question": question, "answer": answer}


@pytest.mark.skipif(not REAL.is_file(), reason="the shared sample data is absent")
def test_every_value_of_the_real_file_is_read_without_loss(tmp_path: Path, scratch: SqliteScratch) -> None:
    rows = json.loads(REAL.read_bytes())
    for name in {record["image_name"] for record in rows}:
        (tmp_path / name).write_bytes(b"")
    items, problems = read(REAL, scratch, tmp_path)
    assert problems == []
    assert sum(len(item.truth.questions) for item in items) == len(rows) == 2248
    kept = [record for item in items for record in item.truth.extra["rows"]]
    assert sorted(kept, key=repr) == sorted(rows, key=repr), "the records stay as they stand in the file"
    asked = [question for item in items for question in item.truth.questions]
    assert sum(question.split == "test" for question in asked) == 308 + 143
    assert all(question.question and question.answer == question.answer.strip() for question in asked)
    numbers = {str(record["answer"]) for record in rows if isinstance(record["answer"], int)}
    assert numbers and numbers <= {question.answer for question in asked}


def test_dirty_values_are_read_and_kept_as_they_are(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("set/VQA_RAD Image Folder/a.jpg")
    path = write(
        tmp_path / "set" / "rad.json",
        {"qid": "0", "answer": 4, "answer_type": "CLOSED ", "question_rephrase": "NULL"},
        {"qid": 2, "answer": "a mass\t", "phrase_type": "test_para", "question_type": "PRSE, ATRIB"},
    )
    (item,), problems = read(path, scratch)
    assert problems == []
    assert [question.model_dump() for question in item.truth.questions] == [
        {"question": "Is it normal?", "answer": "4", "question_type": "", "split": "train"},
        {"question": "Is it normal?", "answer": "a mass", "question_type": "PRSE, ATRIB", "split": "test"},
    ]
    first, second = item.truth.extra["rows"]
    assert (first["qid"], first["answer"], first["answer_type"], first["question_rephrase"]) == (
        "0", 4, "CLOSED ", "NULL"
    )  # fmt: skip
    assert second["answer"] == "a mass\t" and "question_rephrase" not in second
    assert (item.key, item.path) == ("a.jpg", "VQA_RAD Image Folder/a.jpg")
    assert item.split is None, "its questions are in both splits"


def test_what_is_wrong_with_a_row_is_said_with_its_place(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("set/a.jpg")
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    path = write(
        tmp_path / "set" / "rad.json",
        {"qid": 1},
        {"qid": 1, "question": "Again?"},
        {"qid": 3, "answer": None},
        {"qid": 4, "question": ["no text"]},
        {"qid": 5, "image_name": "../a.jpg"},
        {"qid": 6, "image_name": "gone.jpg"},
        {"qid": 7, "note": deep},
        {"qid": 8, "image_name": ""},
        {"qid": 9, "image_name": "https://example.org/a.jpg"},
    )
    (item,), problems = read(path, scratch)
    assert len(item.truth.questions) == 2
    assert {problem.where: problem.reason.split(";")[0][:44] for problem in problems} == {
        "rad.json record 2": "has the qid 1 of rad.json record 1",
        "rad.json record 3": "has no `answer`",
        "rad.json record 4": "`question` is a list, not text",
        "rad.json record 5": "the picture `../a.jpg` has a `..` step",
        "rad.json record 6": f"no such picture in {tmp_path / 'set'}"[:44],
        "rad.json record 7": "is nested more than 32 levels deep",
        "rad.json record 8": "names no picture",
        "rad.json record 9": "the picture is a web address, https://exampl",
    }


@pytest.mark.parametrize("name", ["data/train-00000-of-00001.parquet", "train/data-00000-of-00001.arrow"])
def test_rows_of_the_hugging_face_form_share_pictures_saved_once(
    tmp_path: Path, scratch: SqliteScratch, name: str
) -> None:
    teal, red = encoded("teal"), encoded("red", "JPEG")
    rows = [row(teal), row(red, "which organ?", "heart"), row(teal, "is there a mass?", "yes")]
    write_rows(tmp_path / "hf" / name, rows)
    write_rows(tmp_path / "hf" / name.replace("train", "test"), [row(encoded("teal", "BMP"), "and now?", "yes")])
    (tmp_path / "out").mkdir()
    items, problems = read(tmp_path / "hf", scratch, tmp_path / "out")
    assert problems == []
    digest = hashlib.md5(Image.new("RGB", (20, 10), "teal").tobytes()).hexdigest()
    by_key = {item.key: item for item in items}
    shared = by_key[f"md5_images/image_md5_{digest}.png"]
    asked = {(question.question, question.answer, question.split) for question in shared.truth.questions}
    assert asked == {
        ("is it normal?", "no", "train"),
        ("is there a mass?", "yes", "train"),
        ("and now?", "yes", "test"),
    }
    assert shared.split is None and len(items) == 2
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "md5_images").iterdir()}
    assert {path.name for path in written} == {Path(item.path).name for item in items}
    with SqliteScratch() as again:
        assert read(tmp_path / "hf", again, tmp_path / "out") == (items, [])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "md5_images").iterdir()} == written


def test_pictures_of_any_mode_are_saved_and_broken_ones_are_told(tmp_path: Path, scratch: SqliteScratch) -> None:
    modes = [encoded("teal", "JPEG", "CMYK"), encoded("red", "PNG", "P"), encoded("red", "PNG", "L")]
    deep = io.BytesIO()
    Image.new("I;16", (4, 4), 40_000).save(deep, "PNG")
    frames = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(frames, "GIF", save_all=True, append_images=[Image.new("RGB", (9, 9), "blue")])
    photo = encoded("teal", "JPEG")
    bad = [frames.getvalue(), photo[: len(photo) // 2], b"", b"<svg/>", b"\0\0\0\x18ftypheic" + bytes(99)]
    pictures = [*modes, deep.getvalue(), *bad]
    write_rows(tmp_path / "test.parquet", [*(row(picture) for picture in pictures), row(photo, answer=None)])
    items, problems = read(tmp_path / "test.parquet", scratch)
    assert len(items) == 4
    for item in items:
        with Image.open(tmp_path / item.path) as saved:
            saved.load()
    words = ["holds 2 frames", "damaged", "is empty", "SVG", "is a HEIC photograph", "has no `answer`"]
    for number, (problem, expected) in enumerate(zip(problems, words, strict=True), start=5):
        assert problem.where == f"test.parquet row {number}"
        assert expected in problem.reason


def test_pictures_of_one_content_and_two_sizes_do_not_replace_each_other(
    tmp_path: Path, scratch: SqliteScratch
) -> None:
    pictures = []
    for size in ((20, 10), (10, 20)):
        stream = io.BytesIO()
        Image.new("RGB", size, "teal").save(stream, "PNG")
        pictures.append(stream.getvalue())
    write_rows(tmp_path / "train.parquet", [row(picture) for picture in pictures])
    items, _ = read(tmp_path, scratch)
    sizes = []
    for item in items:
        with Image.open(tmp_path / item.path) as saved:
            sizes.append(saved.size)
    assert sizes == [(20, 10), (10, 20)]


def test_files_that_are_not_vqa_rad_are_refused_in_one_line(tmp_path: Path, scratch: SqliteScratch) -> None:
    write_rows(tmp_path / "other" / "a.parquet", [{"picture": "a", "question": "b", "answer": "c"}])
    with pytest.raises(VqaError, match="has no column image"):
        read(tmp_path / "other", scratch)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(VqaError, match="cannot be read as a parquet file"):
        read(tmp_path / "cut", scratch)
    (tmp_path / "empty").mkdir()
    with pytest.raises(VqaError, match="holds no VQA-RAD data"):
        read(tmp_path / "empty", scratch)


def test_the_folder_of_pictures_cannot_be_a_link(tmp_path: Path, scratch: SqliteScratch) -> None:
    write_rows(tmp_path / "set" / "train.parquet", [row(encoded("teal"))])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "set" / "md5_images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VqaError, match="is a link"):
        read(tmp_path / "set", scratch)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_enhanced_object_gives_reference_answers_back_and_no_error_text(
    tmp_path: Path, scratch: SqliteScratch
) -> None:
    (tmp_path / "md5_images").mkdir()
    name = f"image_md5_{'a' * 32}.png"
    (tmp_path / "md5_images" / name).write_bytes(encoded("teal", "PNG"))
    names = ("question", "original_answer", "descriptive_answer", "split")
    asked: list[Any] = [
        dict(zip(names, ("Is it?", "yes", "Error after 5 retries: 429", "test"), strict=True)),
        dict(zip(names, ("Why?", "", "Error generating answer: x", "train"), strict=True)),
        dict(zip(names, ("How?", None, "So. Explanation: so.", "train"), strict=True)),
        7,
    ]
    member = {"image_info": {"size": [2, 2], "split": "train"}, "image_path": f"elsewhere/{name}", "qa_pairs": asked}
    path = tmp_path / "vqa_rad_gemini_batch1_train.json"
    path.write_text(json.dumps({"a" * 32: member, f"{'a' * 32}-2": []}))
    (item,), problems = read(path, scratch)
    assert item.path == f"md5_images/{name}"
    assert [(each.question, each.answer, each.split) for each in item.truth.questions] == [
        ("Is it?", "yes", "test"),
        ("How?", "So. Explanation: so.", "train"),
    ]
    assert item.truth.extra["rows"] == [member]
    assert [problem.reason for problem in problems] == [
        "has the text of an error for an answer",
        "is a number, not an object",
        "is a list, not an object",
    ]
