"""What could not be imported: a virtual list, and the one under the cursor in full."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from vqa_tui.domain.item import ImportProblem
from vqa_tui.tui.present.dataset_items import PROBLEM_COLUMNS, problem_cells, problem_text
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.widgets.paged_list import PagedList


class ProblemPane(Vertical):
    """Shows the problems of one dataset, however many there are."""

    @dataclass
    class RowsWanted(Message):
        """Problems are about to be seen that have not been read."""

        dataset: str
        ids: tuple[int, ...]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._dataset = ""

    def compose(self) -> ComposeResult:
        yield PagedList[ImportProblem](PROBLEM_COLUMNS, problem_cells, id="problem-list")
        yield Static("", id="problem-text")

    @property
    def list(self) -> PagedList[ImportProblem]:
        return self.query_one(PagedList)

    def show_ids(self, ids: "array[int]", dataset: str) -> None:
        """Show these problems of a dataset; their rows are asked for when they come into sight."""
        self._dataset = dataset
        self.display = bool(ids)
        self.list.border_title = f"Not imported ({count(len(ids))})"
        self.list.set_ids(ids)

    def show_these(self, problems: Sequence[ImportProblem], *, of: int) -> None:
        """Show the first of `of` problems that are kept nowhere."""
        self.display = bool(problems)
        more = f", the first of {count(of)}" if of > len(problems) else ""
        self.list.border_title = f"Not imported ({count(len(problems))}{more})"
        self.list.set_ids(array("q", range(len(problems))))
        self.put(dict(enumerate(problems)))

    def put(self, rows: Mapping[int, ImportProblem]) -> None:
        """Take in rows that were read."""
        self.list.put(rows)

    @on(PagedList.RowsWanted)
    def _rows_wanted(self, event: PagedList.RowsWanted) -> None:
        event.stop()
        if self._dataset:
            self.post_message(self.RowsWanted(self._dataset, event.ids))

    @on(PagedList.CursorMoved)
    def _show_text(self, event: PagedList.CursorMoved) -> None:
        event.stop()
        row = self.list.current_row
        self.query_one("#problem-text", Static).update(problem_text(row) if row is not None else Content(""))
