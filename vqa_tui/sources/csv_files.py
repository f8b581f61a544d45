"""Rows of a CSV or TSV file, each with the line it begins on."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.sources.json_stream import open_bytes

_TOLD_SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?\s*', re.IGNORECASE)
_LONGEST_LINE = 16 << 20
"""Bytes of one line, and characters of one cell: a picture fits into it as a data URI."""


def csv_rows(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield (place, row) with the texts by column; an ImportProblem stands for a row of the wrong length or encoding.

    The first line names the columns. They are separated by the one of comma, semicolon and tab that it holds most of,
    or by what a line `sep=;` before it says, as Excel reads and writes it; quotes are doubled inside quotes (RFC 4180),
    and a cell may hold line breaks. Raises VqaError with the line for a
    file that cannot be read further.
    """
    lines = _lines(file)
    header = next(lines, "")
    told = _TOLD_SEPARATOR.fullmatch(header)
    if told:
        header = next(lines, "")
    before = 1 if told else 0
    delimiter = told[1] if told else max(",;\t", key=header.count)
    csv.field_size_limit(_LONGEST_LINE)

    def all_lines() -> Iterator[str]:
        yield header
        yield from lines

    reader = csv.reader(all_lines(), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        if not any(names):
            raise VqaError(f"{file} is empty", hint="The first line of a CSV file names its columns.")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise VqaError(f"{file} line {before + 1}: the column `{twice}` is there twice", hint="Rename one of them.")
        _require_text(file, names)
        begins = before + reader.line_num + 1
        for cells in reader:
            place, begins = f"{file.name} line {begins}", before + reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(names):
                yield place, ImportProblem(place, place, f"has {len(cells)} cells, but there are {len(names)} columns")
            elif not all(map(_is_text, cells)):
                yield place, ImportProblem(place, place, "is not UTF-8 text")
            else:
                yield place, dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise VqaError(
            f"{file} line {before + reader.line_num}: {error}",
            hint="A quote may be open, or the file cut short; repair it there.",
        ) from error


def _lines(file: Path) -> Iterator[str]:
    with open_bytes(file) as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                raise VqaError(f"{file} line {number} is longer than {_LONGEST_LINE >> 20} MiB")
            # What is no UTF-8 is told row by row, so it must not end the reading here.
            yield line.decode("utf-8", "surrogateescape")


def _require_text(file: Path, names: list[str]) -> None:
    if not all(map(_is_text, names)):
        raise VqaError(f"{file} line 1 is not UTF-8 text", hint="Save the file as UTF-8.")


def _is_text(cell: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in cell) if not cell.isascii() else True
