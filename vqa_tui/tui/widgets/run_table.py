"""The table of runs: a live table whose rows can be marked, two at a time."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.present.run_rows import RUN_COLUMNS
from vqa_tui.tui.widgets.live_table import LiveTable

MOST_MARKED = 2
"""Two runs are compared; with a third mark the oldest one goes."""


class RunTable(LiveTable):
    """Lists runs; Space marks those that are to be compared."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "mark", "mark", id="runs.mark", tooltip="Mark this run to compare it with another", show=False
        ),
    ]

    class MarksChanged(Message):
        """Other runs are marked than before."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(RUN_COLUMNS, id=id, empty=Content(""), picks=True)
        self._marked: list[int] = []

    @property
    def marked(self) -> tuple[int, ...]:
        """The runs that are marked, in the order in which they were."""
        return tuple(self._marked)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show `rows`; what is not shown any more is not marked any more."""
        shown = {row.id for row in rows}
        if any(run_id not in shown for run_id in self._marked):
            self._marked = [run_id for run_id in self._marked if run_id in shown]
            self.post_message(self.MarksChanged())
        super().set_rows(rows)

    def say_nothing(self, words: Content) -> None:
        """Set what stands in the list when it has no rows."""
        if not words.is_same(self._empty):
            self._empty = words
            if not self.rows:
                self.refresh()

    def row_marked(self, index: int) -> bool:
        return self.rows[index].id in self._marked

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor and go to the next."""
        run_id = self.cursor_id
        if not isinstance(run_id, int):
            return
        if run_id in self._marked:
            self._marked.remove(run_id)
        else:
            self._marked = [*self._marked, run_id][-MOST_MARKED:]
        self.redraw_rows(range(len(self.rows)))
        self.cursor += 1
        self.post_message(self.MarksChanged())

    def unmark_all(self) -> None:
        self._marked = []
        self.redraw_rows(range(len(self.rows)))
        self.post_message(self.MarksChanged())
