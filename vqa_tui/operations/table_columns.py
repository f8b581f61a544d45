"""The columns of a table before it is imported, and what each part of a row would be taken from."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from vqa_tui.domain.failure import VqaError
from vqa_tui.hub.streaming import table_files
from vqa_tui.operations.hub_source import hub_place, takes_columns
from vqa_tui.sources.arrow_files import arrow_files, column_names, column_names_in
from vqa_tui.sources.columns import PARTS, chosen_columns
from vqa_tui.sources.csv_files import csv_rows
from vqa_tui.sources.record_files import numbered_records
from vqa_tui.sources.registry import KINDS

_LOOKED_AT = 100
"""JSON records whose fields are looked at, as for an import."""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """What a table offers. Names of columns are hostile text."""

    names: tuple[str, ...]
    known: Mapping[str, str]
    """The column for each part as it is known by its name; empty where none for the picture is."""


def table_columns(kind: str, path: Path) -> TableColumns:
    """Return the columns of the table at `path`, or of the dataset at the Hub that it names: of its first file.

    Blocks. Raises VqaError when the kind has no columns to choose, and for what cannot be read.
    """
    if not takes_columns(kind):
        taking = ", ".join(name for name, each in KINDS.items() if each.takes_columns)
        raise VqaError(f"the columns of kind `{kind}` are known", hint=f"They are chosen for {taking}.")
    names = tuple(_names(kind, path))
    if not names:
        raise VqaError(f"{path} has no columns", hint="Is it of this kind?")
    try:
        known = chosen_columns({}, names, str(path))
    except VqaError:
        # That none is known to hold the picture is what the person is asked for next.
        known = {}
    return TableColumns(names, known)


def columns_line(chosen: Mapping[str, str]) -> str:
    """Return the entries PART=COLUMN as one line, in the order of the parts, quoted as `parse_columns_line` reads."""
    return " ".join(shlex.quote(f"{part}={chosen[part]}") for part in PARTS if chosen.get(part))


def _names(kind: str, path: Path) -> list[str]:
    place = hub_place(kind, path)
    if place is not None:
        first = table_files(place.repo_id, place.revision)[0]
        with first.opened() as stream:
            return column_names_in(stream, first.name)
    path = path.expanduser().absolute()
    if not path.exists():
        raise VqaError(f"{path} does not exist", hint="Check the path; it is taken from the current folder.")
    if kind in ("jsonl", "csv"):
        rows = csv_rows(path) if kind == "csv" else numbered_records(path, "Expected JSON records.")
        some = [value for _place, value in islice(rows, _LOOKED_AT)]
        return list(dict.fromkeys(name for value in some if isinstance(value, dict) for name in value))
    files = arrow_files(path, links=True)
    if not files:
        raise VqaError(f"{path} holds no parquet or Arrow file")
    return column_names(files[0])
