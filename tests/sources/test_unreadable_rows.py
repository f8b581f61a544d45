"""Tables with a part that cannot be read: it is a problem of its row, and what a file says of itself is heard."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.sources import rows
from vqa_tui.sources.registry import open_source
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.store.scratch import SqliteScratch

MakePicture = Callable[..., Path]
BAD_TEXT = b"caf\xe9"


def read(kind: str, path: Path, scratch: SqliteScratch) -> tuple[list[SourceItem], list[ImportProblem]]:
    found = list(open_source(kind, path).records(scratch))
    items = [record for record in found if isinstance(record, SourceItem)]
    return items, [record for record in found if isinstance(record, ImportProblem)]


def write_with_bad_text(path: Path, count: int, bad: int) -> None:
    """Write `count` rows about one picture, in one of which the answer is no UTF-8: no writer looks at that."""
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow (the extra hf) is not installed")
    answers = [BAD_TEXT if number == bad else f"answer {number}".encode() for number in range(count)]
    columns = {
        "image": pyarrow.array(["a.jpg"] * count),
        "question": pyarrow.array([f"q{number}?" for number in range(count)]),
        "answer": pyarrow.array(answers, pyarrow.binary()).view(pyarrow.string()),
    }
    table = pyarrow.table(columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".arrow":
        with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        pytest.importorskip("pyarrow.parquet").write_table(table, path)


@pytest.mark.parametrize("name", ["rows.parquet", "rows.arrow"])
def test_a_text_that_is_none_is_a_problem_of_its_row(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, name: str
) -> None:
    make_picture("a.jpg")
    write_with_bad_text(tmp_path / name, 100, bad=40)
    (item,), problems = read("parquet", tmp_path / name, scratch)
    assert [asked.question for asked in item.truth.questions] == [f"q{each}?" for each in range(100) if each != 40]
    assert [(each.where, each.reason) for each in problems] == [(f"{name} row 41", "is not UTF-8 text in `answer`")]


def test_such_rows_of_files_of_one_name_are_told_apart(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch
) -> None:
    make_picture("a.jpg")
    for folder in ("one", "two"):
        write_with_bad_text(tmp_path / folder / "rows.parquet", 3, bad=1)
    _items, problems = read("parquet", tmp_path, scratch)
    assert [each.key for each in problems] == ["one/rows.parquet row 2", "two/rows.parquet row 2"]


@pytest.mark.parametrize(
    ("line", "separator"), [("sep=;", ";"), ('"sep=|"', "|"), ("SEP=\t", "\t"), ("\ufeffsep=;", ";")]
)
def test_a_line_that_tells_the_separator_is_heard(
    tmp_path: Path, make_picture: MakePicture, scratch: SqliteScratch, line: str, separator: str
) -> None:
    make_picture("a.jpg")
    rows = ["image@question@answer", "a.jpg@What, then?@A cat", "a.jpg@too short"]
    text = "\r\n".join([line, *(row.replace("@", separator) for row in rows)])
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8", newline="")
    (item,), problems = read("csv", tmp_path / "rows.csv", scratch)
    assert [(asked.question, asked.answer) for asked in item.truth.questions] == [("What, then?", "A cat")]
    assert [(each.where, each.reason) for each in problems] == [
        ("rows.csv line 4", "has 2 cells, but there are 3 columns")
    ]


def test_lines_are_counted_from_the_top_where_the_separator_is_told(tmp_path: Path, scratch: SqliteScratch) -> None:
    (tmp_path / "twice.csv").write_text("sep=;\nimage;image\n")
    with pytest.raises(VqaError, match=r"line 2: the column `image` is there twice"):
        read("csv", tmp_path / "twice.csv", scratch)
    (tmp_path / "open.csv").write_text('sep=;\nimage;question\na.jpg;"open\n')
    with pytest.raises(VqaError, match=r"open\.csv line 3"):
        read("csv", tmp_path / "open.csv", scratch)


class Counting(SqliteScratch):
    """Notes how many rows were brought back at once."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[int] = []

    def get_many(self, table: str, keys: Sequence[str]) -> dict[str, list[str]]:
        found = super().get_many(table, keys)
        if table == "rows":
            self.fetched.append(sum(map(len, found.values())))
        return found


@pytest.mark.parametrize(("pictures", "each"), [(60, 200), (300, 1)])
def test_the_more_rows_a_picture_has_the_fewer_are_joined_at_a_time(pictures: int, each: int) -> None:
    assert rows._JOINED_ROWS < 60 * 200
    given = [Row(f"p{picture}", f"row {number}") for number in range(each) for picture in range(pictures)]
    with Counting() as scratch:
        items = list(joined_items(given, scratch, lambda key: key))
        assert sum(scratch.fetched) == pictures * each and max(scratch.fetched) <= rows._JOINED_ROWS
        # Few rows each do not mean a look at the file for every picture.
        assert each > 1 or len(scratch.fetched) < 15
    assert [item.key for item in items if isinstance(item, SourceItem)] == [f"p{number}" for number in range(pictures)]
