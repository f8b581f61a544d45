"""TRL's records as a parquet table with the pictures in it, written and read back; needs pyarrow (the extra `hf`)."""

import base64
import json
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any

from vqa_tui.domain.failure import VqaError
from vqa_tui.exporters.layouts import Record
from vqa_tui.exporters.placed import uri_of
from vqa_tui.exporters.record_entry import Entry

MAGIC = b"PAR1"
"""What a parquet file begins and ends with."""
_ROWS_OF_A_GROUP = 100
"""As `datasets` writes tables of pictures: a reader holds a whole group."""
_BYTES_OF_A_GROUP = 32 << 20
_ROWS_READ = 16

_TEXT = {"dtype": "string", "_type": "Value"}
_FEATURES = {
    "images": {"feature": {"_type": "Image"}, "_type": "List"},
    "messages": {
        "feature": {"role": _TEXT, "content": {"feature": {"type": _TEXT, "text": _TEXT}, "_type": "List"}},
        "_type": "List",
    },
}
"""By which `datasets` decodes the pictures when it loads the file (datasets 5, Features.to_dict)."""


class TrlTable:
    """A layout of records with `images` as data URIs and `messages`; pictures stand in the table as bytes."""

    def __init__(self) -> None:
        """Raises VqaError without pyarrow."""
        pyarrow = _pyarrow()
        part = pyarrow.struct([("type", pyarrow.string()), ("text", pyarrow.string())])
        message = pyarrow.struct([("role", pyarrow.string()), ("content", pyarrow.list_(part))])
        image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        columns = [("images", pyarrow.list_(image)), ("messages", pyarrow.list_(message))]
        told = {b"huggingface": json.dumps({"info": {"features": _FEATURES}}).encode()}
        self._schema = pyarrow.schema(columns, metadata=told)
        self._written = _Written()
        self._writer = pyarrow.parquet.ParquetWriter(pyarrow.PythonFile(self._written, mode="w"), self._schema)
        self._rows: list[Record] = []
        self._bytes = 0

    def record(self, record: Record) -> bytes:
        pictures = [base64.b64decode(uri.partition(",")[2]) for uri in record["images"]]
        images = [{"bytes": picture, "path": None} for picture in pictures]
        self._rows.append({"images": images, "messages": record["messages"]})
        self._bytes += sum(map(len, pictures))
        if len(self._rows) >= _ROWS_OF_A_GROUP or self._bytes >= _BYTES_OF_A_GROUP:
            self._write_group()
        return self._written.taken()

    def end(self) -> bytes:
        if self._rows:
            self._write_group()
        self._writer.close()
        return self._written.taken()

    def _write_group(self) -> None:
        self._writer.write_table(_pyarrow().Table.from_pylist(self._rows, schema=self._schema))
        self._rows, self._bytes = [], 0


class _Written(RawIOBase):
    """A file that keeps what is written until it is taken, and knows how far it is."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self._position += len(self._pieces[-1])
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def parquet_entries(path: Path) -> Iterator[Entry]:
    """Yield every row as a record by column names; pictures in it become data URIs. Raises VqaError without pyarrow."""
    pyarrow = _pyarrow()
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=_ROWS_READ):
                for row in batch.to_pylist():
                    number += 1
                    yield Entry(number, {name: _readable(value) for name, value in row.items()})
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")[:200] or type(error).__name__
        yield Entry(number + 1, None, f"the parquet table breaks off here: {reason}", breaks_off=True)


def _readable(value: Any) -> Any:
    if isinstance(value, list):
        return [_readable(each) for each in value]
    if isinstance(value, dict):
        data = value.get("bytes")
        if isinstance(data, bytes):
            return uri_of(data)
        if value.keys() == {"bytes", "path"}:
            return value["path"]
        # Arrow gives every part of a message the fields of all others.
        return {name: _readable(each) for name, each in value.items() if each is not None}
    return value


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise VqaError(
            "parquet files need pyarrow, which is not installed",
            hint="Install it with: pip install 'vqa-tui[hf]'",
        ) from error
    return pyarrow
