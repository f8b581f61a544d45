"""The list of clusters of failures, of which several can be marked."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.failure_rows import FAILURE_COLUMNS
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.widgets.live_table import LiveTable


class ClusterList(LiveTable):
    """A live table whose rows can be marked; a mark goes with its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark", id="failures.mark", tooltip="Mark or unmark this cluster and go on"),
        Binding(
            "asterisk",
            "mark_all",
            "Mark all",
            id="failures.mark-all",
            tooltip="Mark every cluster, or none",
            show=False,
        ),
    ]

    @dataclass
    class MarksChanged(Message):
        """Other clusters are marked than before."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(FAILURE_COLUMNS, id=id, empty=Content(""), picks=True)
        self._marked: set[Hashable] = set()

    @property
    def marked(self) -> frozenset[Hashable]:
        return frozenset(self._marked)

    def row_marked(self, index: int) -> bool:
        return self.rows[index].id in self._marked

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show `rows`; what is not shown any more is not marked any more."""
        super().set_rows(rows)
        left = self._marked.intersection(row.id for row in rows)
        if left != self._marked:
            self._mark(left)

    def unmark_all(self) -> None:
        self._mark(set())

    def action_mark(self) -> None:
        if (row_id := self.cursor_id) is not None:
            self._mark(self._marked ^ {row_id})
            self.cursor += 1

    def action_mark_all(self) -> None:
        every = {row.id for row in self.rows}
        self._mark(set() if self._marked == every else every)

    def _mark(self, marked: set[Hashable]) -> None:
        changed = marked ^ self._marked
        self._marked = marked
        if changed:
            self.redraw_rows([index for index, row in enumerate(self.rows) if row.id in changed])
            self.post_message(self.MarksChanged(len(marked)))
