"""Choosing the model that an endpoint is to be asked for, from its own list or as typed."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.rows import Row
from vqa_tui.tui.present.wizard_rows import MODEL_COLUMNS, model_row
from vqa_tui.tui.screens.dialogs import Dialog
from vqa_tui.tui.toasts import error_words
from vqa_tui.tui.widgets.choice_list import ChoiceTable
from vqa_tui.tui.widgets.live_table import LiveTable

_MOST_SHOWN = 500
_IN_FILE = "the file's"


class ModelDialog(Dialog[str]):
    """Answers the name of a model, or None when it stays. What is typed narrows the list, and can be taken itself."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "model_choice.tcss"]
    AUTO_FOCUS = "#model"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Down", id="model.down", tooltip="One model down", show=False),
        Binding("up", "move(-1)", "Up", id="model.up", tooltip="One model up", show=False),
    ]

    def __init__(
        self, endpoint: str, *, current: str, in_file: str, read: Callable[[], Awaitable[Sequence[str]]]
    ) -> None:
        super().__init__()
        self._endpoint, self._current, self._in_file, self._read = endpoint, current, in_file, read
        self._names: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"Model of {clean(self._endpoint, one_line=True, limit=40)}")
            box.border_subtitle = "enter takes · esc leaves"
            yield Input(id="model", compact=True, placeholder="type to narrow, or any model by its name")
            yield Static(Content.styled("asking the endpoint for its list …", "$foreground 60%"), id="model-words")
            yield ChoiceTable(MODEL_COLUMNS, id="models", picks=True, empty=Content.styled("none", "$foreground 60%"))

    def on_mount(self) -> None:
        self._show()
        self._read_names()

    @work(group="models", exclusive=True, exit_on_error=False)
    async def _read_names(self) -> None:
        words = self.query_one("#model-words", Static)
        try:
            self._names = tuple(await self._read())
        except VqaError as error:
            words.update(Content.styled(f"▲ {clean(error_words(error), limit=600)}", "$text-warning"))
            return
        cut = f"; of those that fit {_MOST_SHOWN} are shown" if len(self._names) > _MOST_SHOWN else ""
        words.update(Content.styled(f"{count(len(self._names))} offered{cut}", "$foreground 60%"))
        self._show()

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._show()

    def _show(self) -> None:
        """Show the models that hold what is typed, and last what is typed itself."""
        typed = self.query_one("#model", Input).value.strip()
        names = list(dict.fromkeys((self._in_file, self._current, *self._names)))
        rows: list[Row] = []
        for name in names:
            if typed.casefold() in name.casefold() and len(rows) < _MOST_SHOWN:
                remark = _IN_FILE if name == self._in_file else ""
                rows.append(model_row(name, chosen=name == self._current, remark=remark))
        if typed and typed not in names:
            rows.append(model_row(typed, chosen=False, remark="as typed"))
        table = self.query_one(ChoiceTable)
        table.set_rows(rows)
        table.cursor = 0 if typed else next((i for i, row in enumerate(rows) if row.id == self._current), 0)

    def action_move(self, by: int) -> None:
        self.query_one(ChoiceTable).action_move(by)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one(ChoiceTable).pick()

    @on(LiveTable.Picked)
    def _picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.dismiss(str(event.row_id))
