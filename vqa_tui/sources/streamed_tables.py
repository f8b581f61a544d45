"""Tables of pictures that are read from elsewhere while they are imported, and never lie on this disk as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from vqa_tui.domain.failure import VqaError
from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch
from vqa_tui.sources.arrow_files import column_names_in, numbered_rows_in
from vqa_tui.sources.columns import chosen_columns
from vqa_tui.sources.contained import ContainedRoot
from vqa_tui.sources.picture_cells import PictureCells
from vqa_tui.sources.record_truth import BadRecord
from vqa_tui.sources.rows import Row, joined_items
from vqa_tui.sources.splits import split_in_name, split_in_path
from vqa_tui.sources.table_rows import table_row


class StreamedFile(Protocol):
    """A parquet file somewhere."""

    @property
    def name(self) -> str:
        """Its POSIX path."""
        ...

    def opened(self) -> AbstractContextManager[BinaryIO]:
        """Open it; it can be sought in, and what is read of it is all that comes."""
        ...


class StreamedTable:
    """Parquet files in the order given; each different picture is written once into `vqa_pictures` in `root`.

    `columns` and the split of a row are as in TableSource. The folder `root` is made.
    """

    def __init__(self, files: Sequence[StreamedFile], root: Path, *, columns: Mapping[str, str] | None = None) -> None:
        self._files = files
        self._given = columns or {}
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VqaError(
                f"the folder for the pictures, {root}, cannot be made: {error.strerror}",
                hint="Name another one with --images.",
            ) from error
        contained = ContainedRoot(root)
        self._pictures = PictureCells(contained)
        self.root = contained.path

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield the items in the order of the files; see Source.records."""
        return joined_items(self._rows(), scratch, self._pictures.find)

    def _rows(self) -> Iterator[Row | ImportProblem]:
        for file in self._files:
            split = split_in_name(Path(file.name).stem) or split_in_path(file.name)
            with file.opened() as stream:
                columns = chosen_columns(self._given, column_names_in(stream, file.name), file.name)
                for place, value in numbered_rows_in(stream, file.name):
                    if isinstance(value, ImportProblem):
                        yield value
                        continue
                    try:
                        yield table_row(self._pictures, place, value, columns, split)
                    except BadRecord as error:
                        yield ImportProblem(place, place, error.reason)
