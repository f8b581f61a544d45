"""Any table: columns that are named or known, and cells that are not what they should be."""

import base64
import io
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import PIXEL_LIMIT, ImportProblem, SourceItem
from vqa_tui.sources.columns import parse_columns, parse_columns_line
from vqa_tui.sources.probe import UnusablePicture, probe
from vqa_tui.sources.registry import open_source
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]


def read(kind: str, path: Path, scratch: SqliteScratch, **columns: str) -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(open_source(kind, path, columns=columns).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow (the extra hf) is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def encoded(format_: str, mode: str = "RGB", size: tuple[int, int] = (20, 10), **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, format_, **options)
    return stream.getvalue()


def pairs(item: SourceItem) -> list[tuple[str, str, str]]:
    return [(asked.question, asked.answer, asked.question_type) for asked in item.truth.questions]


ROWS = [
    {"image": "a.jpg", "question": "What?", "answer": "A cat", "split": "train", "note": "n1"},
    {"image": "b.jpg", "question": "Where?", "answer": "There", "split": "val", "note": "n2"},
    {"image": "a.jpg", "question": "How many?", "answer": "2", "split": "train", "note": "n3"},
]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_usual_names_of_columns_are_known_in_every_form(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, kind: str
) -> None:
    make_picture("images/a.jpg")
    make_picture("b.jpg")
    path = tmp_path / f"set.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    elif kind == "csv":
        path.write_text("\n".join([",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]))
    else:
        parquet(path, ROWS)
    (first, second), problems = read(kind, path, scratch)
    assert problems == []
    assert (first.key, first.path, first.split) == ("a.jpg", "images/a.jpg", "train")
    assert pairs(first) == [("What?", "A cat", ""), ("How many?", "2", "")]
    assert first.truth.extra == {"rows": [{"note": "n1"}, {"note": "n3"}]}
    assert (second.path, second.split) == ("b.jpg", "val")


def test_columns_are_mapped_and_the_others_are_kept(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    path = tmp_path / "set.csv"
    path.write_text('\ufeffwo;frage;antwort;art;wörter\r\na.jpg;"Was; genau?";"Eine ""Katze""\nda";was;x\r\n')
    columns = parse_columns(["picture=wo", "question=frage", "answer=antwort", "question_type=art"])
    (item,), problems = read("csv", path, scratch, **columns)
    assert problems == []
    assert pairs(item) == [("Was; genau?", 'Eine "Katze"\nda', "was")]
    assert item.truth.extra == {"rows": [{"wörter": "x"}]}


def test_lists_of_questions_captions_and_categories(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    record = {"image": "a.jpg", "question": ["What?", "Many?"], "answer": ["A cat", 4.0], "caption": ["c", "d"]}
    other = {"image": "a.jpg", "category": "cat", "question": "Unanswered?", "answer": None}
    uneven = {"image": "a.jpg", "question": ["What?"], "answer": ["A", "B"]}
    path = tmp_path / "set.json"
    path.write_text(json.dumps([record, other, uneven]))
    (item,), (problem,) = read("jsonl", path, scratch)
    assert pairs(item) == [("What?", "A cat", ""), ("Many?", "4", "")]
    assert (item.truth.captions, item.truth.categories) == (("c", "d"), ("cat",))
    assert item.truth.extra == {"rows": [{"question": "Unanswered?"}]}
    assert (problem.where, problem.reason) == ("set.json record 3", "has 1 questions, but 2 answers")


def test_a_list_of_pictures_is_an_item_of_them_and_objects_have_columns(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    make_picture("b.jpg")
    row = {"images": ["a.jpg"], "question": "Q?", "answer": "A.", "metadata": {"question_type": "count", "n": 1}}
    path = tmp_path / "set.jsonl"
    rows = (row, row | {"images": ["a.jpg", "b.jpg"]}, row | {"images": []}, row | {"images": ["a.jpg"] * 101})
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    (item, both), problems = read("jsonl", path, scratch)
    assert pairs(item) == [("Q?", "A.", "count")] == pairs(both)
    assert item.truth.extra["rows"] == [{"metadata": row["metadata"]}]
    assert (item.key, item.path, item.further) == ("a.jpg", "a.jpg", ())
    assert (both.key, both.path, both.further) == ("a.jpg + b.jpg", "a.jpg", ("b.jpg",))
    assert [problem.reason for problem in problems] == [
        "has no picture in `images`", "holds 101 pictures; rows about 1 to 100 are read",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "asked", "captions", "kept"),
    [
        ({"text": "What?", "response": "A cat"}, [("What?", "A cat", "")], (), {}),
        ({"text": "A cat on a mat"}, [], ("A cat on a mat",), {}),
        ({"answer": "A cat"}, [], (), {"rows": [{"answer": "A cat"}]}),
    ],
)
def test_text_is_a_question_where_there_is_an_answer_and_else_a_caption(
    tmp_path: Path,
    make_picture: MakePicture,
    scratch: SqliteScratch,
    record: dict[str, str],
    asked: list[tuple[str, str, str]],
    captions: tuple[str, ...],
    kept: dict[str, Any],
) -> None:
    make_picture("a.jpg")
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"image": "a.jpg", **record}))
    (item,), problems = read("jsonl", path, scratch)
    assert problems == []
    assert (pairs(item), item.truth.captions, item.truth.extra) == (asked, captions, kept)


def test_pictures_inside_parquet_files_of_a_folder(tmp_path: Path, scratch: SqliteScratch) -> None:
    picture = encoded("PNG")
    rows = [{"image": {"bytes": picture, "path": None}, "caption": "one", "blob": b"\xff", "n": 1}]
    parquet(tmp_path / "hf" / "data" / "train-00000.parquet", rows)
    parquet(tmp_path / "hf" / "data" / "test-00000.parquet", [{**rows[0], "caption": "two"}])
    (item,), problems = read("parquet", tmp_path / "hf", scratch)
    assert problems == []
    assert item.truth.captions == ("two", "one"), "files are read in the order of their names"
    assert item.truth.extra == {"rows": [{"n": 1}, {"n": 1}]}, "bytes are no ground truth"
    assert item.split is None
    assert (tmp_path / "hf" / item.path).read_bytes() == picture


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_hostile_picture_is_a_problem_of_its_row_or_of_its_file(tmp_path: Path, scratch: SqliteScratch) -> None:
    side = int((PIXEL_LIMIT + 1) ** 0.5) + 1
    jpeg = encoded("JPEG", size=(400, 300))
    frames = encoded("GIF", save_all=True, append_images=[Image.new("RGB", (20, 10), "red")])
    cases = [
        (encoded("PNG", "L", (side, side)), "more than the limit"),
        (b"", "is empty (0 bytes)"),
        (frames, "holds 2 frames"),
        (b"<svg/>", "SVG"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "is a HEIC photograph"),
        (jpeg[: len(jpeg) // 2], "damaged"),
    ]
    good = [encoded("JPEG", "CMYK"), encoded("PNG", "I;16"), encoded("PNG", "P"), encoded("JPEG", size=(20_000, 400))]
    pictures = [picture for picture, _ in cases] + good
    items, problems = read("parquet", parquet(tmp_path / "x.parquet", [{"image": each} for each in pictures]), scratch)
    reasons = [problem.reason for problem in problems]
    # A picture is only decoded when the import opens it, so what is cut short is found there.
    usable = []
    for item in items:
        try:
            usable.append(probe(tmp_path / item.path))
        except UnusablePicture as error:
            reasons.append(error.reason)
    assert len(reasons) == len(cases)
    for reason, (_picture, words) in zip(reasons, cases, strict=True):
        assert words in reason
    assert [facts.width for facts in usable] == [20, 20, 20, 20_000]


def test_bad_rows_of_a_csv_file_are_told_by_their_line(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    path = tmp_path / "set.csv"
    rows = [b'a.jpg,"two\nlines"', b"a.jpg", b"a.jpg,b,c", b"\xff.jpg,b", b",b", b"", b"../a.jpg,b", b"a.jpg,fine"]
    path.write_bytes(b"file_name,caption\n" + b"\n".join(rows))
    (item,), problems = read("csv", path, scratch)
    assert item.truth.captions == ("two\nlines", "fine")
    assert {problem.where: problem.reason[:34] for problem in problems} == {
        "set.csv line 4": "has 1 cells, but there are 2 colum",
        "set.csv line 5": "has 3 cells, but there are 2 colum",
        "set.csv line 6": "is not UTF-8 text",
        "set.csv line 7": "has no picture in `file_name`",
        "set.csv line 9": "the picture `../a.jpg` has a `..` ",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("image,image\na,b\n", "line 1: the column `image` is there twice"),
        ('image,caption\na,"open\n', "line 2: unexpected end of data"),
        ("wo,was\na,b\n", "no column is known to hold the picture"),
    ],
)
def test_a_csv_file_that_is_none_is_refused_with_the_line(
    tmp_path: Path, scratch: SqliteScratch, text: str, words: str
) -> None:
    path = tmp_path / "set.csv"
    path.write_text(text)
    with pytest.raises(VqaError, match=words):
        read("csv", path, scratch)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (["picture"], "is not PART=COLUMN"),
        (["picture="], "is not PART=COLUMN"),
        (["pictures=a"], "there is no part `pictures`"),
        (["picture=a", "picture=b"], "a column for picture twice: a and b"),
    ],
)
def test_a_mapping_that_says_nothing_is_refused(entries: list[str], words: str) -> None:
    with pytest.raises(VqaError, match=words):
        parse_columns(entries)


def test_a_line_of_columns_is_read_as_a_shell_would() -> None:
    assert parse_columns_line("picture='file name' caption=c") == {"picture": "file name", "caption": "c"}
    with pytest.raises(VqaError, match="a quote is not closed"):
        parse_columns_line("picture='a")


@pytest.mark.parametrize(
    ("columns", "words", "hint"),
    [
        ({"picture": "imag"}, "has no column `imag`", "Did you mean `image`"),
        ({"caption": "question"}, "no column is known to hold the picture", "--map picture=COLUMN"),
        ({"picture": "image", "question": "question"}, "names no column for answer", "with its answer"),
    ],
)
def test_a_mapping_that_does_not_fit_the_table_is_refused(
    tmp_path: Path, scratch: SqliteScratch, columns: dict[str, str], words: str, hint: str
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    with pytest.raises(VqaError, match=words) as refused:
        read("jsonl", path, scratch, **columns)
    assert hint in refused.value.hint


def test_links_to_files_elsewhere_are_followed_only_when_that_is_allowed(
    tmp_path: Path, scratch: SqliteScratch
) -> None:
    rows = [{"image": {"bytes": encoded("PNG"), "path": None}, "caption": "one"}]
    blob = parquet(tmp_path / "blobs" / "x.parquet", rows)
    (tmp_path / "snapshot").mkdir()
    (tmp_path / "snapshot" / "train.parquet").symlink_to(blob)
    with pytest.raises(VqaError, match="are links, such as train"):
        read("parquet", tmp_path / "snapshot", scratch)
    (item,) = open_source("parquet", tmp_path / "snapshot", allow_outside=True).records(scratch)
    assert isinstance(item, SourceItem) and item.split == "train"


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, scratch: SqliteScratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(VqaError, match="need pyarrow") as refused:
        read("parquet", tmp_path / "a.parquet", scratch)
    assert "vqa-tui[hf]" in refused.value.hint


def test_columns_do_not_go_with_a_kind_whose_fields_are_known(tmp_path: Path) -> None:
    with pytest.raises(VqaError, match="--map does not go with kind `folder`"):
        open_source("folder", tmp_path, columns={"picture": "a"})


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    picture = base64.b64encode(encoded("PNG")).decode()

    def peak(number: int) -> int:
        path = tmp_path / f"{number}.csv"
        with path.open("w") as stream:
            stream.write("image,question,answer\n")
            for each in range(number):
                stream.write(f"data:image/png;base64,{picture},Question {each}?,Yes\n" if each < 5 else f"{each},q,a\n")
        tracemalloc.start()
        try:
            with SqliteScratch() as scratch:
                for _ in open_source("csv", path).records(scratch):
                    pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    assert peak(8_000) < peak(4_000) * 1.3


@pytest.mark.parametrize("column", ["categories", "metadata.categories"])
def test_an_empty_list_of_categories_says_that_there_is_nothing(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, column: str
) -> None:
    """As `stcray-flat` writes it, where the dataset states it; one row that names something outweighs it."""
    path = tmp_path / "x.jsonl"
    with path.open("w") as stream:
        for name, stated in [("a", []), ("b", []), ("b", ["Gun"]), ("c", None)]:
            make_picture(f"{name}.jpg")
            within = {"categories": stated}
            row = {"image": f"{name}.jpg"} | (within if column == "categories" else {"metadata": within})
            stream.write(json.dumps(row) + "\n")
    items, problems = read("jsonl", path, scratch)
    assert problems == []
    assert [(item.truth.categories, item.truth.states_none) for item in items] == [
        ((), True),
        (("Gun",), False),
        ((), False),
    ]
