"""Reading a table of comma separated values row by row."""

import csv
import io
from collections.abc import Iterator
from typing import IO

from vqa_tui.exporters.record_entry import Entry

MAX_FIELD_CHARS = 1_000_000


def table_entries(file: IO[bytes]) -> Iterator[Entry]:
    """Yield every row as a record by column names; the number of a row is the line on which it ends.

    Fields may hold line breaks (RFC 4180). A row with too few or too many fields is a problem of its own.
    """
    text = io.TextIOWrapper(file, "utf-8", newline="")
    rows = csv.reader(text, strict=True)
    before = csv.field_size_limit(MAX_FIELD_CHARS)
    try:
        header = next(rows, [])
        if len(set(header)) < len(header):
            yield Entry(1, None, "a column name stands twice in the header")
            return
        for row in rows:
            if len(row) == len(header):
                yield Entry(rows.line_num, dict(zip(header, row, strict=True)))
            else:
                yield Entry(rows.line_num, None, f"{len(row)} fields for {len(header)} columns")
    except csv.Error as error:
        yield Entry(rows.line_num, None, f"not a table that can be read: {error}", breaks_off=True)
    except UnicodeDecodeError as error:
        yield Entry(rows.line_num + 1, None, f"not UTF-8: {error.reason}", breaks_off=True)
    finally:
        csv.field_size_limit(before)
        text.detach()
