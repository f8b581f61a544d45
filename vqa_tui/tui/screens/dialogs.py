"""Small dialogs: a question with its consequence, and one value with its check."""

from collections.abc import Callable
from pathlib import PurePath
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Select, Static
from textual.worker import Worker

from vqa_tui.domain.failure import VqaError
from vqa_tui.safe_text import clean
from vqa_tui.tui.screens.leaving import LeavableScreen
from vqa_tui.tui.toasts import tell, tell_worker_failure

Result = TypeVar("Result")

READ_S = 0.3
"""Seconds in which a question that came late takes no yes: the key was meant for what was on screen before."""


class Dialog(ModalScreen[Result], LeavableScreen[Result]):
    """Base of all dialogs: Esc leaves, page keys scroll what does not fit, F1 helps, and `?` outside text."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Cancel", id="dialog.leave", tooltip="Leave and change nothing"),
        Binding(
            "f1,question_mark",
            "app.help",
            "Help",
            key_display="F1 ?",
            id="dialog.help",
            tooltip="The keys of this dialog",
        ),
        Binding("pagedown", "page(1)", "Down", id="dialog.page-down", tooltip="Scroll the dialog down", show=False),
        Binding("pageup", "page(-1)", "Up", id="dialog.page-up", tooltip="Scroll the dialog up", show=False),
    ]

    _refused: tuple[object, ...] | None = None
    """The fields as they stood when what is wrong with them was said; None while nothing is said."""

    def refuse(self, words: str) -> None:
        """Say in the dialog what is wrong, until a field is another one."""
        if self.is_left:
            return
        problem = self.query_one("#problem", Static)
        problem.update(Content(clean(words, limit=1_000)))
        problem.display = True
        self.call_after_refresh(problem.scroll_visible, animate=False)
        self.note_refused()

    def note_refused(self) -> None:
        """Remember the fields that were refused."""
        self._refused = self._fields()

    def forgive(self) -> None:
        """Say nothing more of what was wrong."""
        if self._refused is None:
            return
        self._refused = None
        problem = self.query_one("#problem", Static)
        problem.display = False
        problem.update("")

    def _fields(self) -> tuple[object, ...]:
        fields = self.query("Input, Select, Checkbox")
        return tuple(each.value for each in fields if isinstance(each, Input | Select | Checkbox))

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def _field_changed(self) -> None:
        """A word about a field that is another one by now misleads; the last key before it was said may come late."""
        if self._refused is not None and self._fields() != self._refused:
            self.forgive()

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_page(self, by: int) -> None:
        """Scroll by half a page: the line that one reads stays in sight."""
        box = self.query_one(".dialog")
        box.scroll_relative(y=by * max(box.scrollable_content_region.height // 2, 1), animate=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        tell_worker_failure(self, event)


class Question(Dialog[bool]):
    """Asks before something that cannot be taken back; the safe answer has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="question.yes", tooltip="Do it"),
        Binding("n", "answer(False)", "No", id="question.no", tooltip="Leave everything as it is"),
        Binding("left,h", "app.focus_previous", "Previous", id="question.previous", tooltip="Other answer", show=False),
        Binding("right,l", "app.focus_next", "Next", id="question.next", tooltip="Other answer", show=False),
    ]

    def __init__(self, title: str, body: str, *, yes: str, no: str = "No", late: bool = False) -> None:
        """`late`: it comes some time after the key that asked for it, when other keys may be under way."""
        super().__init__()
        self._title, self._body, self._yes, self._no = title, body, yes, no
        self._late = late and READ_S > 0

    @property
    def about(self) -> str:
        """What is asked, in a line."""
        return self._title

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small") as box:
            box.border_title = self._title
            yield Static(Content(clean(self._body, limit=1_000)), classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{self._no} (n)", id="no", compact=True)
                yield Button(f"{self._yes} ({'…' if self._late else 'y'})", id="yes", compact=True, variant="warning")

    def on_mount(self) -> None:
        self.query_one("#no").focus()
        if self._late:
            self.set_timer(READ_S, self._name_key)

    def _name_key(self) -> None:
        """Say that `y` is taken from now on."""
        self._late = False
        self.query_one("#yes", Button).label = f"{self._yes} (y)"

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        if yes and self._late:
            tell(self, "This question has only just come. Read it, and press y again.", severity="warning")
            return
        self.dismiss(yes)

    def action_leave(self) -> None:
        self.dismiss(False)


class LeaveQuestion(Question):
    """Asks before the app is left while something works that ends with it."""


class ValueDialog(Dialog[str]):
    """Asks for one value and answers it, or None when it stays; what is wrong with it is said inside the dialog."""

    def __init__(self, title: str, body: str, *, value: str, check: Callable[[str], None], verb: str = "sets") -> None:
        """`verb` says what Enter does with the value."""
        super().__init__()
        self._title, self._body, self._value, self._check, self._verb = title, body, value, check, verb

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -small") as box:
            box.border_title = self._title
            box.border_subtitle = f"enter {self._verb} · esc leaves"
            yield Static(Content(clean(self._body, limit=1_000)), classes="dialog-text")
            yield Input(self._value, id="value", compact=True, select_on_focus=True)
            yield Static("", id="problem", classes="problem")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        """Answer the value; the one that it has already is no change, as is leaving."""
        if event.value.strip() == self._value:
            self.dismiss(None)
            return
        try:
            self._check(event.value.strip())
        except VqaError as error:
            self.refuse(str(error))
            return
        self.dismiss(event.value.strip())
