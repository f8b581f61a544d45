"""A list to choose one thing from: j/k, narrowed by typing, and where wanted a line for a path."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from vqa_tui.tui.present.columns import Column
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.widgets.live_table import LiveTable


class ChoiceTable(LiveTable):
    """The table of a ChoiceList: its cursor shows what Enter takes wherever the focus is."""

    def key_words(self, action: str) -> str | None:
        return "take" if action == "pick" else None

    @property
    def shows_cursor(self) -> bool:
        return True


class ChoiceList(Vertical):
    """Rows of which one is taken with Enter; `/` narrows them to those that hold what is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "narrow", "narrow", id="choice.narrow", tooltip="Show only what holds the typed words"),
        Binding("escape", "widen", "all", id="choice.widen", tooltip="Show everything again", show=False),
        Binding("down", "to_rows", "To the list", id="choice.to-rows", tooltip="From the line to the list", show=False),
    ]

    @dataclass
    class Moved(Message):
        """Another row is under the cursor; None when there is none."""

        choices: "ChoiceList"
        row_id: Hashable | None

        @property
        def control(self) -> "ChoiceList":
            return self.choices

    @dataclass
    class Taken(Message):
        """A row was chosen with Enter or a double click."""

        choices: "ChoiceList"
        row_id: Hashable

        @property
        def control(self) -> "ChoiceList":
            return self.choices

    @dataclass
    class PathTyped(Message):
        """A path was given instead of a row."""

        choices: "ChoiceList"
        path: str

        @property
        def control(self) -> "ChoiceList":
            return self.choices

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str,
        title: str,
        path_hint: str = "",
    ) -> None:
        """`path_hint` stands in the line for a path; without it there is no such line."""
        super().__init__(id=id, classes="choice-list")
        self._columns, self._title, self._path_hint = columns, title, path_hint
        self._all: tuple[Row, ...] = ()

    def compose(self) -> ComposeResult:
        table = ChoiceTable(self._columns, picks=True, empty=Content.styled("reading …", "$foreground 60%"))
        table.border_title = self._title
        yield table
        narrow = Input(placeholder="type to narrow the list; enter, then enter takes", classes="narrow", compact=True)
        narrow.display = False
        yield narrow
        if self._path_hint:
            yield Input(placeholder=self._path_hint, classes="path", compact=True)

    @property
    def table(self) -> ChoiceTable:
        return self.query_one(ChoiceTable)

    @property
    def cursor_id(self) -> Hashable | None:
        return self.table.cursor_id

    @property
    def _narrow(self) -> Input:
        return self.query_one(".narrow", Input)

    def show(self, rows: Sequence[Row], *, cursor: Hashable | None = None, none: str = "none") -> None:
        """Show rows; the cursor goes to the row `cursor`, else stays. `none` stands where there are no rows."""
        self._all = tuple(rows)
        self._show_narrowed(none=none)
        if cursor is not None:
            self.put_cursor(cursor)

    def put_cursor(self, row_id: Hashable) -> None:
        """Put the cursor on a row; where it is narrowed away everything is shown again."""
        if row_id in {row.id for row in self._all} and row_id not in {row.id for row in self.table.rows}:
            self._narrow.value = ""
            self._show_narrowed()
        found = next((index for index, row in enumerate(self.table.rows) if row.id == row_id), None)
        if found is not None:
            self.table.cursor = found

    def focus_rows(self) -> None:
        self.table.focus()

    def submit_path(self) -> bool:
        """Hand on the path, if the focus is in its line and one was typed; return whether that was so."""
        line = self.query(".path").results(Input)
        typed = next((each.value.strip() for each in line if each.has_focus), "")
        if typed:
            self.post_message(self.PathTyped(self, typed))
        return bool(typed)

    def _show_narrowed(self, *, none: str = "none") -> None:
        words = self._narrow.value.casefold().split()
        rows = [row for row in self._all if _holds(row, words)]
        self.table.set_empty(Content.styled("nothing holds what is typed" if words else none, "$foreground 60%"))
        self.table.set_rows(rows)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc widens only what was narrowed; otherwise it is the screen's."""
        if action == "widen":
            return self._narrow.display
        if action == "to_rows":
            return not self.table.has_focus
        return True

    def action_narrow(self) -> None:
        self._narrow.display = True
        self._narrow.focus()

    def action_widen(self) -> None:
        self._narrow.value = ""
        self._narrow.display = False
        self._show_narrowed()
        self.focus_rows()

    def action_to_rows(self) -> None:
        self.focus_rows()

    @on(Input.Changed, ".narrow")
    def _narrowed(self, event: Input.Changed) -> None:
        event.stop()
        self._show_narrowed()
        if words := event.value.casefold().split():
            self.table.cursor = _closest(self.table.rows, words[0])

    @on(Input.Submitted, ".narrow")
    def _narrowing_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_rows()

    @on(Input.Submitted, ".path")
    def _path_given(self, event: Input.Submitted) -> None:
        event.stop()
        self.submit_path()

    @on(LiveTable.CursorMoved)
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self.post_message(self.Moved(self, event.row_id))

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.post_message(self.Taken(self, event.row_id))


def _closest(rows: Sequence[Row], word: str) -> int:
    """Return the index of the row whose name begins with the word that was typed, else of one whose name, not its
    description alone, holds it: two times Enter must not take another."""
    names = [str(row.id).casefold() for row in rows]
    ranks = [0 if name.startswith(word) else 1 if word in name else 2 for name in names]
    return ranks.index(min(ranks)) if ranks else 0


def _holds(row: Row, words: Sequence[str]) -> bool:
    text = " ".join(cell.plain for cell in row.cells).casefold()
    return all(word in text for word in words)
