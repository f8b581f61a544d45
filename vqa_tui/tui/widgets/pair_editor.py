"""Question and answer of a pair in place of the text that shows them, to be changed."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Label, Static, TextArea

from vqa_tui.domain.review import Edit, ReviewPair
from vqa_tui.safe_text import clean

_HINT = Content.styled("ctrl+s or f2 saves and accepts · tab other field · esc leaves it as it was", "$foreground 60%")


class PairEditor(Vertical):
    """Edits the pair that it is given and tells what became of it; the pair itself stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,f2", "save", "save", id="pair-editor.save", tooltip="Accept the pair with this text"),
        Binding("escape", "leave", "leave", id="pair-editor.leave", tooltip="Leave the pair as it was"),
    ]

    @dataclass
    class Saved(Message):
        """The text is as it should be; None where nothing was changed."""

        pair: ReviewPair
        edit: Edit | None

    class Left(Message):
        """The pair is to stay as it was."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pair: ReviewPair | None = None

    def compose(self) -> ComposeResult:
        yield Label("Question")
        yield TextArea(id="edit-question", compact=True, show_line_numbers=False, soft_wrap=True)
        yield Label("Answer")
        yield TextArea(id="edit-answer", compact=True, show_line_numbers=False, soft_wrap=True)
        yield Static(_HINT, id="edit-hint")

    def take(self, pair: ReviewPair) -> None:
        """Show the text of a pair, made safe for a terminal, and put the cursor behind the answer."""
        self._pair = pair
        question, answer = self.query_one("#edit-question", TextArea), self.query_one("#edit-answer", TextArea)
        question.load_text(clean(pair.sample.final_question))
        answer.load_text(clean(pair.sample.final_answer))
        self.query_one("#edit-hint", Static).update(_HINT)
        answer.move_cursor(answer.document.end)
        answer.focus()

    def action_save(self) -> None:
        if self._pair is None:
            return
        sample = self._pair.sample
        question, answer = self._typed("question"), self._typed("answer")
        for field, typed in (("question", question), ("answer", answer)):
            if not typed:
                words = f"The {field} is empty. Write one, or press esc and reject the pair."
                self.query_one("#edit-hint", Static).update(Content.styled(words, "$text-error"))
                self.query_one(f"#edit-{field}", TextArea).focus()
                return
        # What a terminal cannot be shown is not in the field: a part that was not touched stays to the byte.
        same_question = question == clean(sample.final_question).strip()
        same_answer = answer == clean(sample.final_answer).strip()
        edit = None
        if not (same_question and same_answer):
            edit = Edit(
                sample.final_question if same_question else question, sample.final_answer if same_answer else answer
            )
        self.post_message(self.Saved(self._pair, edit))

    def _typed(self, field: str) -> str:
        return self.query_one(f"#edit-{field}", TextArea).text.strip()

    def action_leave(self) -> None:
        self.post_message(self.Left())
