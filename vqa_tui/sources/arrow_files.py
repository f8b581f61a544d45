"""Rows of parquet and Arrow files, the form in which Hugging Face keeps datasets; needs pyarrow (the extra `hf`)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem

ARROW_SUFFIXES = frozenset({".parquet", ".arrow"})
_BATCH = 32
"""Rows in memory at a time: each may hold a picture."""


def arrow_files(path: Path, *, links: bool = False) -> list[Path]:
    """Return the data files at `path`, sorted: itself, or those below a folder; hidden ones do not count.

    Links count with `links` only: the cache of Hugging Face holds links to files elsewhere. Raises VqaError when there
    are links alone and they do not count.
    """
    if path.is_file():
        return [path]
    found = [file for file in path.rglob("*") if file.suffix.lower() in ARROW_SUFFIXES]
    linked = [file for file in found if file.is_symlink()]
    if found and len(linked) == len(found) and not links:
        raise VqaError(
            f"the parquet and Arrow files in {path} are links, such as {linked[0].name}",
            hint="Name the folder of the files themselves, or follow the links with --allow-outside.",
        )
    found = [file for file in found if links or not file.is_symlink()]
    visible = (file for file in found if not any(part.startswith(".") for part in file.relative_to(path).parts))
    return sorted(file for file in visible if file.is_file())


def column_names(file: Path) -> list[str]:
    """Return the names of the columns. Raises VqaError for a file that cannot be read and without pyarrow."""
    pyarrow = _pyarrow()
    try:
        if file.suffix.lower() == ".arrow":
            with pyarrow.memory_map(str(file)) as mapped:
                return list(_arrow_reader(mapped).schema.names)
        with pyarrow.parquet.ParquetFile(file) as opened:
            return list(opened.schema_arrow.names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(file, error) from error


def numbered_rows(file: Path) -> Iterator[tuple[str, "dict[str, Any] | ImportProblem"]]:
    """Yield (place, row) with the values as Python's own, a batch in memory at a time.

    An ImportProblem stands for a row that holds a text which is none. Raises as `column_names`.
    """
    pyarrow = _pyarrow()
    number = 0
    try:
        for batch in _batches(pyarrow, file):
            for start in range(0, batch.num_rows, _BATCH):
                for row in _rows_of(batch.slice(start, _BATCH)):
                    number += 1
                    place = f"{file.name} row {number}"
                    yield place, row if isinstance(row, dict) else ImportProblem(place, place, row)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(file, error, number) from error


def column_names_in(stream: BinaryIO, name: str) -> list[str]:
    """Return the names of the columns of an opened parquet file. Raises as `column_names`."""
    pyarrow = _pyarrow()
    try:
        return list(pyarrow.parquet.ParquetFile(stream).schema_arrow.names)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(Path(name), error) from error


def numbered_rows_in(stream: BinaryIO, name: str) -> Iterator[tuple[str, "dict[str, Any] | ImportProblem"]]:
    """Yield (place, row) of an opened parquet file called `name`, as `numbered_rows` does."""
    pyarrow = _pyarrow()
    number = 0
    try:
        for batch in pyarrow.parquet.ParquetFile(stream).iter_batches(batch_size=_BATCH):
            for row in _rows_of(batch):
                number += 1
                place = f"{name} row {number}"
                yield place, row if isinstance(row, dict) else ImportProblem(place, place, row)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        raise _unreadable(Path(name), error, number) from error


def json_value(value: Any) -> Any:
    """Return a value of a row as JSON has it: bytes become null, days and times their ISO text."""
    if isinstance(value, dict):
        return {str(name): json_value(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(entry) for entry in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return None if isinstance(value, bytes) else str(value)


def _rows_of(batch: Any) -> Iterator[dict[str, Any] | str]:
    """Yield the rows of a batch; in the place of one whose text is no UTF-8, which no check of pyarrow finds before,
    the reason."""
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    for number in range(batch.num_rows):
        try:
            yield from batch.slice(number, 1).to_pylist()
        except UnicodeDecodeError:
            yield f"is not UTF-8 text in {', '.join(_no_text_in(batch, number))}"


def _no_text_in(batch: Any, number: int) -> Iterator[str]:
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            column.slice(number, 1).to_pylist()
        except UnicodeDecodeError:
            yield f"`{name}`"


def _batches(pyarrow: Any, file: Path) -> Iterator[Any]:
    if file.suffix.lower() == ".arrow":
        with pyarrow.memory_map(str(file)) as mapped:
            reader = _arrow_reader(mapped)
            if hasattr(reader, "num_record_batches"):
                yield from (reader.get_batch(each) for each in range(reader.num_record_batches))
            else:
                yield from reader
    else:
        with pyarrow.parquet.ParquetFile(file) as opened:
            yield from opened.iter_batches(batch_size=_BATCH)


def _arrow_reader(mapped: Any) -> Any:
    """Return the reader of an Arrow file of either form: `datasets` writes streams, others files with a footer."""
    ipc = _pyarrow().ipc
    if mapped.read(6) == b"ARROW1":
        mapped.seek(0)
        return ipc.open_file(mapped)
    mapped.seek(0)
    return ipc.open_stream(mapped)


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise VqaError(
            "parquet and Arrow files need pyarrow, which is not installed",
            hint="Install it with: pip install 'vqa-tui[hf]'",
        ) from error
    return pyarrow


def _unreadable(file: Path, error: Exception, rows: int = 0) -> VqaError:
    lines = str(error).splitlines()
    what = lines[0].rstrip(".")[:300] if lines else type(error).__name__
    after = f" after row {rows}" if rows else ""
    kind = "an Arrow" if file.suffix.lower() == ".arrow" else "a parquet"
    return VqaError(
        f"{file} cannot be read as {kind} file{after}: {what}", hint="A download may have been cut short; get it again."
    )
