"""Any table of pictures: JSON records, CSV, parquet or Arrow, with a column for each part of a row."""

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.arrow_files import ARROW_SUFFIXES, arrow_files, column_names, numbered_rows
from vqa_tui.sources.columns import chosen_columns
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.csv_files import csv_rows
from vqa_tui.sources.picture_cells import PictureCells
from vqa_tui.sources.record_files import numbered_records
from vqa_tui.sources.record_truth import BadRecord
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.sources.splits import split_in_name, split_in_path
from vqa_tui.sources.table_rows import table_row

_LOOKED_AT = 100
"""JSON records whose fields are looked at to know the columns; a field that is null is often left out."""
_EXPECTED = "Expected a JSON list of records, or one JSON record per line."


class TableSource:
    """Rows of a file, or of the parquet and Arrow files below a folder, in the form `jsonl`, `csv` or `parquet`.

    `columns` gives the column of `picture` and perhaps of `question` and `answer`, `question_type`, `caption`,
    `categories`, `split`; without it the columns are known by usual names. The picture is a name, a data URI or the
    encoded bytes (`{bytes, path}` as Hugging Face writes it), or a list of one such. In JSON, a column may be a field
    of an object: `metadata.question_type`. A cell may hold lists of questions and answers of the same length. Other
    columns are kept in `extra`. The split is the cell, or else that of the file's name or folder.
    The root is `images` when given, else the folder of the file.
    """

    def __init__(
        self,
        form: str,
        path: Path,
        images: Path | None = None,
        *,
        columns: Mapping[str, str] | None = None,
        allow_outside: bool = False,
    ) -> None:
        self._form = form
        self._base = path if path.is_dir() else path.parent
        self._files = arrow_files(path, links=allow_outside)
        if not self._files:
            raise VqaError(f"{path} holds no file that ends in {' or '.join(sorted(ARROW_SUFFIXES))}")
        self._given = columns or {}
        contained = ContainedRoot(images or self._base, allow_outside=allow_outside)
        self._pictures = PictureCells(contained)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the files; see Source.records."""
        return joined_items(self._rows(), scratch, self._pictures.find)

    def _rows(self) -> Iterator[Row | ImportProblem]:
        for file in self._files:
            inner = file.relative_to(self._base).as_posix()
            split = split_in_name(file.stem) or split_in_path(inner) or split_in_name(self._base.name)
            places, columns = self._opened(file)
            for place, value in places:
                where = f"{inner.removesuffix(file.name)}{place}"
                if isinstance(value, ImportProblem):
                    yield ImportProblem(where, where, value.reason)
                    continue
                try:
                    yield table_row(self._pictures, where, value, columns, split)
                except BadRecord as error:
                    yield ImportProblem(where, where, error.reason)

    def _opened(self, file: Path) -> tuple[Iterator[tuple[str, Any]], dict[str, str]]:
        """Return the rows of a file with their places, and the column for each part."""
        if self._form == "parquet":
            return numbered_rows(file), chosen_columns(self._given, column_names(file), str(file))
        rows = csv_rows(file) if self._form == "csv" else numbered_records(file, _EXPECTED)
        first = list(islice(rows, _LOOKED_AT))
        names = dict.fromkeys(name for _place, value in first if isinstance(value, dict) for name in _names(value))
        if not names:
            # What there is are problems, or nothing.
            return chain(first, rows), dict(self._given) or {"picture": "picture"}
        return chain(first, rows), chosen_columns(self._given, names, str(file))


def _names(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the fields, and those of objects in them as `metadata.question_type`."""
    for name, value in record.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value if isinstance(inner, str))
