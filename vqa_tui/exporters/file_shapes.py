"""Telling the shape of a training file by its first signs."""

import re
from enum import StrEnum
from pathlib import Path

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LOOKED_AT = 4096
_COLUMNS = frozenset({b"question", b"answer"})
_HASH_FIRST = re.compile(rb'\{\s*"[0-9a-f]{32}(-\d+)?"\s*:')
_VQA_V2_FIRST = re.compile(rb'\{\s*"(info|task_type|data_type|data_subtype|license|questions)"\s*:')


class FileShape(StrEnum):
    LINES = "lines"
    """JSON Lines."""
    LIST = "list"
    """One JSON list of records."""
    OBJECT = "object"
    """One JSON object, whose keys are the hashes of pictures (VQA-RAD enhanced)."""
    QUESTIONS = "questions"
    """One JSON object with a list of `questions` (VQA v2)."""
    TABLE = "table"
    """Comma separated values with a header."""

    PARQUET = "parquet"
    """A parquet table with a record a row."""

    @property
    def has_lines(self) -> bool:
        """Whether a record is found by its line, and not by its number."""
        return self in (FileShape.LINES, FileShape.TABLE)


def file_shape(path: Path) -> FileShape:
    """Return the shape of a file by what it begins with, a table also by its name. Raises OSError."""
    with open(path, "rb") as file:
        start = file.read(_LOOKED_AT).removeprefix(BYTE_ORDER_MARK).lstrip()
    if start.startswith(b"PAR1"):
        return FileShape.PARQUET
    header = start.partition(b"\n")[0].rstrip(b"\r")
    if not start.startswith((b"[", b"{")) and (path.suffix.lower() == ".csv" or _COLUMNS.issubset(header.split(b","))):
        return FileShape.TABLE
    if start.startswith(b"["):
        return FileShape.LIST
    if _HASH_FIRST.match(start):
        return FileShape.OBJECT
    return FileShape.QUESTIONS if _VQA_V2_FIRST.match(start) else FileShape.LINES
