"""The Protocol that every dataset format implements."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

from vqa_tui.domain.item import ImportProblem, SourceItem
from vqa_tui.domain.ports import Scratch


class Source(Protocol):
    """Pictures and their ground truth in one format. Reading is synchronous: run it in a thread."""

    root: Path
    """The folder that item paths are relative to, absolute and with links resolved; nothing outside it is touched
    unless the source was opened with `allow_outside`."""

    def records(self, scratch: Scratch) -> Iterator[SourceItem | ImportProblem]:
        """Yield one SourceItem per picture whose file is there, and one ImportProblem per thing left out.

        The order is the same every time and memory stays constant; what must be joined goes through `scratch`.
        Raises VqaError when the source as a whole cannot be read, naming the file and the place in it.
        """
        ...


@runtime_checkable
class MakesFiles(Protocol):
    """A source some of whose items have no file before they are imported."""

    def make(self, item: SourceItem) -> None:
        """Make the file of an item, where it is not there yet. Blocks; any thread may call it.

        Raises probe.UnusablePicture with the reason where that is not possible.
        """
        ...
