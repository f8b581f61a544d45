"""Choosing which column of a table holds the picture, the question and the rest."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Label, Select, Static

from vqa_tui.operations.table_columns import TableColumns, columns_line
from vqa_tui.safe_text import clean
from vqa_tui.sources.columns import PARTS
from vqa_tui.tui.screens.dialogs import Dialog

_NONE = ""
_NAME_LIMIT = 60
_LABELS = {"question_type": "Type"}
_NEEDS = "A question needs a column for its answer, and an answer one for its question."


class ColumnsDialog(Dialog[str]):
    """Answers the entries PART=COLUMN on one line, as the import takes them, or None."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "choose_columns.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "Take", id="columns.take", tooltip="Take these columns", priority=True),
    ]

    def __init__(self, found: TableColumns, chosen: Mapping[str, str]) -> None:
        """`chosen` is what was said before; where nothing was, columns that are known by their names are chosen."""
        super().__init__()
        self._names = found.names
        self._chosen = {part: column for part, column in (chosen or found.known).items() if column in found.names}

    def compose(self) -> ComposeResult:
        options = [
            (Content(clean(name, one_line=True, limit=_NAME_LIMIT) or "(no name)"), name) for name in self._names
        ]
        with Vertical(classes="dialog", id="choose-columns") as box:
            box.border_title = "Which column holds what"
            box.border_subtitle = "ctrl+s takes them · esc leaves"
            for part in PARTS:
                nothing = [] if part == "picture" else [(Content("–"), _NONE)]
                first = self._names[0] if part == "picture" else _NONE
                with Horizontal(classes="form-row"):
                    yield Label(_LABELS.get(part, part.capitalize()))
                    yield Select(
                        [*nothing, *options],
                        value=self._chosen.get(part, first),
                        allow_blank=False,
                        id=f"part-{part}",
                        compact=True,
                    )
            yield Static("", id="columns-problem", classes="problem")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Cancel (esc)", id="cancel", compact=True)
                yield Button("Take (ctrl+s)", id="take", compact=True, variant="primary")

    @property
    def _taken(self) -> dict[str, str]:
        return {part: str(self.query_one(f"#part-{part}", Select).value) for part in PARTS}

    @on(Select.Changed)
    def _show_missing(self) -> None:
        taken = self._taken
        is_half = bool(taken["question"]) != bool(taken["answer"])
        self.query_one("#columns-problem", Static).update(_NEEDS if is_half else "")
        self.query_one("#take", Button).disabled = is_half

    @on(Button.Pressed, "#take")
    def action_take(self) -> None:
        if not self.query_one("#take", Button).disabled:
            self.dismiss(columns_line(self._taken))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
