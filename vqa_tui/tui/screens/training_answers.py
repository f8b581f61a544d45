"""What a model answered to held-out rows: beside the list the picture of one where there is room, and all of a row."""

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from vqa_tui.domain.training_events import Answered
from vqa_tui.tui.picture_mode import PictureMode, usual_pictures
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.phases import QUIET
from vqa_tui.tui.present.training_entries import answer_text, entries_of_answers
from vqa_tui.tui.present.training_rows import SAMPLE_COLUMNS
from vqa_tui.tui.screens.shown_file import show_file
from vqa_tui.tui.screens.training_layout import TrainingLayout
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.services import Services
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.picture import Picture
from vqa_tui.tui.widgets.titles import show_title

_BESIDE_ALL_FROM = 190
"""Columns from which the list of answers is wide enough for a picture at its side, with all panels shown."""
_BESIDE_ALONE_FROM = (110, 28)
"""Columns and rows from which it is so where no other panel stands beside it."""


class TrainingAnswers(TrainingLayout):
    """A screen with the panel `#answers`."""

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._shown_answer: tuple[int, Answered] | None = None
        """The training and the answer whose picture is shown."""
        self._drawn_for: object = None
        """What its size follows from: what the terminal itself draws is made for one size."""

    def compose_answers(self) -> ComposeResult:
        with Horizontal(id="answers"):
            yield LiveTable(SAMPLE_COLUMNS, id="samples", empty=Content("no answer yet"), picks=True)
            with Vertical(id="answer-box"):
                yield Picture(id="answer-picture")
                yield Static("", id="answer-words")

    def lay_out(self) -> None:
        """Give the picture a place beside the list where there is one."""
        super().lay_out()
        shown = self.query_one("#samples").display
        self.query_one("#answers").display = shown
        columns, rows = self.size
        least = _BESIDE_ALONE_FROM
        room = columns >= _BESIDE_ALL_FROM if self.has_class("-all") else columns >= least[0] and rows >= least[1]
        self.query_one("#answer-box").display = shown and room and bool(self.course.answers)
        self.show_answer()
        if (room_now := (self.size, self.zoomed)) != self._drawn_for:
            self._drawn_for = room_now
            self.call_after_refresh(self.query_one(Picture).draw_native)

    def show_answer(self) -> None:
        """Show the picture of the answer under the cursor, where it is not on screen."""
        answer, known = self._answer, self.followed
        if answer is None or known is None or not self.query_one("#answer-box").display:
            return
        if self._shown_answer == (known.id, answer):
            return
        self._shown_answer = (known.id, answer)
        show_title(self.query_one("#answer-box"), f"Row {count(answer.row)}")
        self.query_one("#answer-words", Static).update(answer_text(answer))
        self._read_answer_picture(answer.picture)

    @property
    def _answer(self) -> Answered | None:
        """The answer under the cursor."""
        index, answers = self.query_one("#samples", LiveTable).cursor_id, self.course.answers
        return answers[index] if isinstance(index, int) and index < len(answers) else None

    @work(group="answer-picture", exclusive=True, exit_on_error=False)
    async def _read_answer_picture(self, path: str) -> None:
        picture, mode = self.query_one(Picture), usual_pictures(self.services.preferences.settings.pictures).mode
        if not path or mode is PictureMode.NONE:
            words = "this row has no picture" if not path else "pictures are switched off in the settings"
            picture.show_remark(Content.styled(words, QUIET))
            return
        picture.set_mode(mode)
        await show_file(picture, self.services, path)

    @on(LiveTable.CursorMoved, "#samples")
    def _answer_moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        self.show_answer()

    @on(LiveTable.Picked, "#samples")
    def _answer_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self._open_answers()

    @work(group="rows", exclusive=True, exit_on_error=False)
    async def _open_answers(self) -> None:
        """Show all that was answered to that row, look by look, beside its picture."""
        if (chosen := self._answer) is None:
            return
        same = [each for each in self.course.answers if each.row == chosen.row]
        dialog = TrainingRowsDialog(
            self.services, f"Held-out row {count(chosen.row)}", entries_of_answers(same), chosen=same.index(chosen)
        )
        await self.ask(dialog)
