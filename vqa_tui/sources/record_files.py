"""Records one by one from a file that is a JSON list or JSON lines, each with its place."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem
from vqa_tui.sources.json_stream import first_byte, open_bytes, stream_items
from vqa_tui.sources.nesting import why_unreadable

_LONGEST_LINE = 16 << 20
"""Bytes of one JSON line; longer ones are refused so that memory stays bounded."""


def numbered_records(file: Path, expected: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of every record, in constant memory; an ImportProblem stands for a line that is no JSON.

    A place is `file.json record 3` or `file.jsonl line 3`. Raises VqaError, with `expected` as its hint, for a file
    that is neither a list nor lines, and for a list that is broken, naming the line and column.
    """
    opening = first_byte(file)
    if not opening:
        raise VqaError(f"{file} is empty", hint=expected)
    if opening == b"[" and not _is_lines_of_lists(file):
        yield from _list_entries(file)
    elif opening in (b"{", b"["):
        yield from _lines(file, expected)
    else:
        is_visible = 0x20 < opening[0] < 0x7F
        start = f"`{opening.decode('ascii')}`" if is_visible else f"the byte 0x{opening[0]:02x}"
        raise VqaError(f"{file} starts with {start}, which no JSON list of records does", hint=expected)


def _is_lines_of_lists(file: Path) -> bool:
    """Return whether the first line is a whole list and another line follows, as where records are packed.

    A `.json` file is one value, whatever its lines are.
    """
    if file.suffix.lower() == ".json":
        return False
    first, second = next(lines := _whole_lines(file), None), next(lines, None)
    if first is None or second is None or first[1] is None:
        return False
    try:
        return isinstance(json.loads(first[1]), list)
    except (ValueError, RecursionError):
        return False


def _list_entries(file: Path) -> Iterator[tuple[str, Any]]:
    for number, record in enumerate(stream_items(file, "item"), start=1):
        yield f"{file.name} record {number}", record


def _lines(file: Path, expected: str) -> Iterator[tuple[str, Any]]:
    readable, foreign = 0, ""
    for number, line in _whole_lines(file):
        place = f"{file.name} line {number}"
        if line is None:
            yield place, ImportProblem(place, place, f"is longer than {_LONGEST_LINE >> 20} MiB")
            continue
        try:
            record = json.loads(line, parse_constant=lambda word: None)
        except json.JSONDecodeError as error:
            if number == 1 and file.suffix.lower() == ".json":
                break
            yield place, ImportProblem(place, place, f"is not valid JSON: {error.msg} at column {error.colno}")
            continue
        except (ValueError, RecursionError) as error:
            if isinstance(error, UnicodeDecodeError) and not foreign:
                foreign = f"line {number} {why_unreadable(error)}"
            if number == 1 and file.suffix.lower() == ".json":
                break
            yield place, ImportProblem(place, place, why_unreadable(error))
            continue
        readable += 1
        yield place, record
    if not readable and foreign:
        raise VqaError(f"{file} {foreign}", hint="Save it as UTF-8.")
    if not readable:
        raise VqaError(f"{file} is neither a JSON list of records nor JSON lines", hint=expected)


def _whole_lines(file: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, line) of every line that is not blank; None for one that is too long to hold."""
    with open_bytes(file) as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE):
            number += 1
            too_long = len(line) == _LONGEST_LINE and not line.endswith(b"\n")
            while too_long and line and not line.endswith(b"\n"):
                line = stream.readline(_LONGEST_LINE)
            if too_long or line.strip():
                yield number, None if too_long else line
