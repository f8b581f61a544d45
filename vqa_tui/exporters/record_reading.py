"""Reading training files record by record: JSON Lines, or one JSON list, told apart by their first sign."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ijson

MAX_LINE_BYTES = 16_000_000
"""Longest line of JSON Lines; a longer one is a problem of its own, and is not held in memory."""
MAX_DEPTH = 100
"""Deepest nesting of a JSON list that is read."""
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record, or why there is none. `number` is a line of JSON Lines, or an entry (from 1) of a JSON list."""

    number: int
    record: dict[str, Any] | None
    problem: str = ""


def is_json_list(path: Path) -> bool:
    """Return whether the first sign of the file, apart from white space and a byte order mark, is `[`."""
    with open(path, "rb") as file:
        start = file.read(4096).removeprefix(_BYTE_ORDER_MARK).lstrip()
    return start.startswith(b"[")


def read_records(path: Path) -> Iterator[Entry]:
    """Yield every record of a file; blank lines are passed over. Raises OSError."""
    with open(path, "rb") as file:
        if file.read(3) != _BYTE_ORDER_MARK:
            file.seek(0)
        yield from _list_entries(file) if is_json_list(path) else _lines(file)


def _lines(file: IO[bytes]) -> Iterator[Entry]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE_BYTES)
            yield Entry(number, None, f"the line is longer than {MAX_LINE_BYTES:,} bytes")
        elif line.strip():
            yield _line(number, line)


def _line(number: int, line: bytes) -> Entry:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Entry(number, None, f"not UTF-8: {error.reason} at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        return Entry(number, None, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError):
        return Entry(number, None, "not JSON that can be read: nested too deeply, or a number is too long")
    return _checked(number, value)


def _list_entries(file: IO[bytes]) -> Iterator[Entry]:
    number = 0
    try:
        for value in _elements(file):
            number += 1
            yield _checked(number, value)
    except (ijson.JSONError, UnicodeDecodeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        yield Entry(number + 1, None, f"the JSON list breaks off here: {reason}")


def _elements(file: IO[bytes]) -> Iterator[Any]:
    """Yield the elements of a JSON list one by one.

    ijson.items would do it in one call, but its time grows with the square of the nesting.
    """
    depth = 0
    builder = ijson.ObjectBuilder()
    for event, value in ijson.basic_parse(file, use_float=True):
        depth -= event in _ENDS
        if depth:
            builder.event(event, value)
            if depth == 1 and event not in _STARTS and event != "map_key":
                yield builder.value
                builder = ijson.ObjectBuilder()
        depth += event in _STARTS
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


_STARTS = frozenset({"start_map", "start_array"})
_ENDS = frozenset({"end_map", "end_array"})


def _checked(number: int, value: Any) -> Entry:
    if isinstance(value, dict):
        return Entry(number, value)
    return Entry(number, None, f"not an object but {_IN_WORDS.get(type(value), 'a value')}")


_IN_WORDS = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "a boolean", type(None): "null"}
