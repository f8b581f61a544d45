"""A small table of rows that change several times a second: runs, keys, requests in flight, events."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from vqa_tui.tui.present.columns import Column, Placed, place
from vqa_tui.tui.present.rows import Row, RowsWhenDrawn, widest
from vqa_tui.tui.widgets.row_list import RowList


class LiveTable(RowList):
    """Holds all its rows; only lines whose text or style changed are drawn again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "open", id="table.open", tooltip="Open the row under the cursor"),
    ]

    @dataclass
    class Picked(Message):
        """A row was chosen with Enter or a double click."""

        table: "LiveTable"
        row_id: Hashable

        @property
        def control(self) -> "LiveTable":
            return self.table

    @dataclass
    class CursorMoved(Message):
        """Another row is under the cursor; None when there is none."""

        table: "LiveTable"
        row_id: Hashable | None

        @property
        def control(self) -> "LiveTable":
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,
        empty: Content | None = None,
        picks: bool = False,
        newest_first: bool = False,
    ) -> None:
        """`newest_first`: rows come in at the top, and stay in sight until a person goes to another row."""
        super().__init__(columns, id=id, empty=empty)
        self._rows: Sequence[Row] = ()
        self._row_ids: Sequence[Hashable] = ()
        self._picks = picks
        self._newest_first = newest_first
        self._told: Hashable | None = None

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def cursor_id(self) -> Hashable | None:
        """The id of the row under the cursor, if there is one."""
        return self._row_ids[self.cursor] if self.cursor < len(self._row_ids) else None

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show `rows`; the cursor stays on the row that it was on."""
        if isinstance(rows, RowsWhenDrawn):
            self._take(rows, rows.ids)
        else:
            held = tuple(rows)
            self._take(held, [row.id for row in held])

    def _take(self, rows: Sequence[Row], ids: Sequence[Hashable]) -> None:
        """Show rows whose ids are given beside them, so that no row has to be made to compare them."""
        before, before_ids, chosen = self._rows, self._row_ids, self.cursor_id
        at_top = self._newest_first and (not self.has_focus or not self.cursor)
        self._rows, self._row_ids = rows, ids
        if before_ids != ids:
            self.rebuild()
            if at_top:
                self.cursor = 0
                self.scroll_to(y=0, animate=False, immediate=True)
            else:
                self._follow(chosen)
            self._tell_cursor()
            return
        if self._placed_for(self.scrollable_content_region.width) != self._placed:
            self.rebuild()
            return
        # A row out of sight that was not drawn yet will be drawn as it is now. One in sight can be on screen though its
        # strip is gone: a change of styles takes that away.
        in_sight = range(self.first_visible, self.first_visible + self.rows_visible)
        drawn = {*self._strips, *in_sight}
        self.redraw_rows([i for i in sorted(drawn) if i < len(rows) and not rows[i].same_as(before[i])])

    def _follow(self, chosen: Hashable | None) -> None:
        if chosen is None or self.cursor_id == chosen:
            return
        found = next((index for index, row_id in enumerate(self._row_ids) if row_id == chosen), None)
        if found is not None:
            self.cursor = found

    def _placed_for(self, width: int) -> tuple[Placed, ...]:
        return self.place_columns(max(width - 2, 1))

    def place_columns(self, width: int) -> tuple[Placed, ...]:
        measured = self._rows.to_measure() if isinstance(self._rows, RowsWhenDrawn) else self._rows
        return place(self.columns, widest(self.columns, measured), width)

    def row_count(self) -> int:
        return len(self._rows)

    def row_cells(self, index: int) -> tuple[Content, ...]:
        return self._rows[index].cells

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        self._tell_cursor()

    def _tell_cursor(self) -> None:
        if self.cursor_id != self._told:
            self._told = self.cursor_id
            self.post_message(self.CursorMoved(self, self._told))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rows that lead nowhere have no key to open them."""
        return action != "pick" or self._picks

    def pick(self) -> None:
        if self._picks and (row_id := self.cursor_id) is not None:
            self.post_message(self.Picked(self, row_id))

    def action_pick(self) -> None:
        self.pick()
