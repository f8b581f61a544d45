"""How the records of an export become the bytes of one file: lines, a list, an object, a document, a table."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any, Protocol

Record = dict[str, Any]


class Layout(Protocol):
    """The form of one file while it is written; each file has one of its own."""

    def record(self, record: Record) -> bytes:
        """Return the bytes of the next record, with what must stand before it."""
        ...

    def end(self) -> bytes:
        """Return what ends the file; together with the records it makes a whole one, even without any."""
        ...


_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")
"""OWASP, CSV injection."""

LayoutMaker = Callable[[], Layout]


class JsonLines:
    """One JSON object a line."""

    def record(self, record: Record) -> bytes:
        return json_bytes(record) + b"\n"

    def end(self) -> bytes:
        return b""


class JsonDocument:
    """A JSON object of fixed members and one list, `{"info": …, "questions": [`, with a record a line."""

    def __init__(self, head: Record, list_key: str) -> None:
        members = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
        self._lead = f"{{\n{members}{json.dumps(list_key)}: [\n".encode()
        self._lead_of_next = b",\n"
        self._end = b"\n]\n}\n"

    def record(self, record: Record) -> bytes:
        lead, self._lead = self._lead, self._lead_of_next
        return lead + json_bytes(record)

    def end(self) -> bytes:
        return self._end if self._lead == self._lead_of_next else self._lead + self._end.lstrip(b"\n")


class JsonList(JsonDocument):
    """One JSON list with a record a line."""

    def __init__(self) -> None:
        self._lead, self._lead_of_next, self._end = b"[\n", b",\n", b"\n]\n"


class JsonObject:
    """One JSON object; the first member of a record is its key.

    A key that stands there already gets `-2`, `-3` …: a parser would keep only the last of several.
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def record(self, record: Record) -> bytes:
        ((key, value),) = record.items()
        lead = b",\n" if self._times else b"{\n"
        times = self._times[key] = self._times.get(key, 0) + 1
        return lead + json_bytes(key if times == 1 else f"{key}-{times}") + b": " + json_bytes(value)

    def end(self) -> bytes:
        return b"\n}\n" if self._times else b"{}\n"


class CsvTable:
    """A header and one row a record (RFC 4180, UTF-8)."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.formulas = 0
        """Records with a text that a spreadsheet would take for a formula; it is written as it is, for data frames."""
        self._text = io.StringIO(newline="")
        # Only signs of the line's end are quoted: with a line feed alone a bare carriage return would be lost.
        self._writer = csv.DictWriter(self._text, columns, lineterminator="\r\n")
        self._writer.writeheader()

    def record(self, record: Record) -> bytes:
        self.formulas += any(str(text).startswith(_FORMULA_BEGINS) for text in record.values())
        self._writer.writerow(record)
        return self.end()

    def end(self) -> bytes:
        written = self._text.getvalue().encode("utf-8")
        self._text.seek(0)
        self._text.truncate()
        return written


def json_bytes(value: Any) -> bytes:
    """Return `value` as JSON in UTF-8, letters as they are."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8")
