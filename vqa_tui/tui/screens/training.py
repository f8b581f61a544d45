"""Mode 6: the trainings of the workspace; of the chosen one curves, facts, answers, checkpoints, evaluation and log."""

import asyncio
import time
from collections.abc import Callable, Hashable
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from vqa_tui.domain.training import TrainingSummary, place_in_line
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.safe_text import clean
from vqa_tui.tui.messages import ModeWanted
from vqa_tui.tui.present.numbers import count
from vqa_tui.tui.present.training_entries import entry_of_row
from vqa_tui.tui.present.training_facts import training_facts, training_header
from vqa_tui.tui.present.training_rows import (
    CHECKPOINT_COLUMNS,
    SPIKE_COLUMNS,
    TRAINING_COLUMNS,
    checkpoint_rows,
    sample_rows,
    spike_rows,
    training_row,
    trainings_empty,
)
from vqa_tui.tui.screens.full_text import FullText
from vqa_tui.tui.screens.training_answers import TrainingAnswers
from vqa_tui.tui.screens.training_rows import TrainingRowsDialog
from vqa_tui.tui.services import Services
from vqa_tui.tui.services.trainings import Followed
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.watch import Watch
from vqa_tui.tui.widgets.course_panel import CoursePanel
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.live_table import LiveTable
from vqa_tui.tui.widgets.log_pane import LogPane
from vqa_tui.tui.widgets.zoomed_text import ZoomedText

_LOOK_EVERY_S = 0.5
_MOST_YANKED = 100_000


class TrainingScreen(TrainingAnswers):
    """The list, and all panels beside it; one panel at a time where there is no room."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["training.tcss"]
    AUTO_FOCUS = "#trainings"
    KEYS_LAST: ClassVar[tuple[str, ...]] = ("smooth", "log_scale", "yank", "follow")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="training.back", tooltip="Out of the zoom, or to the runs", show=False),
        Binding(
            "o",
            "rows",
            "open rows",
            id="training.rows",
            tooltip="Open the rows of the marked step, or the worst of the evaluation",
        ),
        Binding("f", "follow", "follow", id="training.follow", tooltip="To the newest line of the log, and stay there"),
        Binding("slash", "search", "Search", id="training.search", tooltip="Find words in the log", show=False),
        Binding("L", "log_scale", "log scale", id="training.log-scale", tooltip="Loss over a logarithmic axis, or not"),
        Binding("S", "smooth", "smooth", id="training.smooth", tooltip="Smooth the loss, or show it as it is"),
        Binding("y", "yank", "yank", id="training.yank", tooltip="Copy the line, the answer or the folder (OSC 52)"),
    ]

    def __init__(self, services: Services, watch: Watch) -> None:
        super().__init__(services, watch)
        self._found: tuple[TrainingSummary, ...] = ()
        self._followed: Followed | None = None
        self._drawn: dict[str, object] = {}
        """What each panel was last drawn from."""
        self._go_to: int | None = None
        self._reading: Hashable | None = None
        """The training that the present look, or the last one, reads."""
        self._new_list = True

    def compose(self) -> ComposeResult:
        yield Static(training_header(None, None), id="training-header")
        yield Static("", id="training-panels")
        with Container(id="training-body"):
            yield LiveTable(TRAINING_COLUMNS, id="trainings", empty=Content(""))
            yield CoursePanel(id="course")
            yield ZoomedText(id="facts")
            yield from self.compose_answers()
            yield LiveTable(CHECKPOINT_COLUMNS, id="checkpoints", empty=Content("no checkpoint yet"))
            yield ZoomedText(id="evaluation")
            yield LogPane(id="log")
            yield LiveTable(SPIKE_COLUMNS, id="spikes", empty=Content("no step stands out"), picks=True)
        with Vertical(id="training-empty"):
            yield Static(trainings_empty(self.services.command), id="training-empty-text")
        yield Input(id="log-search", compact=True, placeholder="words in the log; enter searches, esc leaves")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#training-empty").display = False
        self.query_one("#log-search").display = False
        self.lay_out()
        self.set_interval(_LOOK_EVERY_S, self._look_if_shown)

    def on_screen_resume(self) -> None:
        self._look_if_shown()

    def _look_if_shown(self) -> None:
        if self.is_current and not self.at_work("trainings"):
            self.look()

    def action_back(self) -> None:
        """Out of the search, then out of the zoom, then to the runs."""
        if self.query_one("#log-search").display:
            self._leave_search("")
        elif self.zoomed:
            self.action_zoom()
        else:
            self.post_message(ModeWanted("runs"))

    # What is shown.

    @property
    def chosen(self) -> TrainingSummary | None:
        chosen = self.query_one("#trainings", LiveTable).cursor_id
        return next((each for each in self._found if each.id == chosen), None)

    @property
    def found(self) -> tuple[TrainingSummary, ...]:
        return self._found

    @property
    def followed(self) -> Followed | None:
        training, known = self.chosen, self._followed
        return known if known is not None and training is not None and known.id == training.id else None

    @property
    def course(self) -> TrainingCourse:
        known = self.followed
        return known.course if known is not None else TrainingCourse()

    def look_again(self, training_id: int | None = None) -> None:
        self.services.trainings.forget()
        self._go_to = training_id
        self.look()

    @work(group="trainings", exclusive=True, exit_on_error=False)
    async def look(self) -> None:
        """Read what is new of the list, and of the training under the cursor."""
        table = self.query_one("#trainings", LiveTable)
        found = await self.services.trainings.all()
        if found is not self._found or self._new_list:
            self._found, self._new_list = found, False
            self.query_one("#training-body").display = bool(found)
            self.query_one("#training-empty").display = not found
        self._draw("list", (found, int(time.time() // 60)), lambda: self._show_list(found))
        if self._go_to is not None and any(each.id == self._go_to for each in found):
            table.cursor = [each.id for each in found].index(self._go_to)
            self._go_to = None
        chosen = self._reading = table.cursor_id
        if not isinstance(chosen, int):
            self._followed = None
            self._show_line("training-header", training_header(None, None))
            return
        try:
            if self._followed is None or self._followed.id != chosen:
                self._followed = await self.services.trainings.follow(chosen)
            shown = time.monotonic()
            while await self.services.trainings.read_on(self._followed):
                if time.monotonic() - shown > _LOOK_EVERY_S:
                    self._show(self._followed)
                    shown = time.monotonic()
                await asyncio.sleep(0)
            self._show(self._followed)
        except asyncio.CancelledError:
            self._followed = None  # it may have taken in half of what it read
            raise

    def _show_list(self, found: tuple[TrainingSummary, ...]) -> None:
        rows = [training_row(each, time.time(), place_in_line(each, found)) for each in found]
        self.query_one("#trainings", LiveTable).set_rows(rows)
        self.lay_out()
        self.refresh_bindings()

    def _draw(self, name: str, of: object, draw: Callable[[], None]) -> None:
        """Draw a panel where what it is drawn from is another than before."""
        if self._drawn.get(name) != of:
            self._drawn[name] = of
            draw()

    def _show(self, known: Followed) -> None:
        training = self.chosen
        if training is None or training.id != known.id:
            return
        course, key = known.course, (known.id, training)
        second = int(time.time()) if training.at_work else 0
        self._show_line("training-header", training_header(training, course))
        self._draw("titles", known.id, self.mark_titles)
        self.query_one(CoursePanel).show_course(course, known.version)
        self.query_one(LogPane).show_log(known.log)
        line = self._found if training.at_work else ()
        self._draw(
            "facts", (key, known.version, second, line, known.serving), lambda: self._show_facts(training, known)
        )
        self._draw("samples", (known.id, len(course.answers), course.sessions), lambda: self._show_samples(course))
        self._draw(
            "checkpoints",
            (known.id, len(course.saved), course.sessions, known.kept),
            lambda: self.query_one("#checkpoints", LiveTable).set_rows(checkpoint_rows(course, known.kept)),
        )
        self._draw(
            "evaluation",
            (known.id, known.sight, known.serving, self.reason("evaluate"), int(time.time() // 60)),
            lambda: self.show_evaluation(known),
        )
        self._draw(
            "spikes",
            (known.id, course.sessions, tuple(course.spikes())),
            lambda: self.query_one("#spikes", LiveTable).set_rows(spike_rows(course)),
        )

    def _show_samples(self, course: TrainingCourse) -> None:
        self.query_one("#samples", LiveTable).set_rows(sample_rows(course))
        self.lay_out()

    def _show_facts(self, training: TrainingSummary, known: Followed) -> None:
        parts = known.parts

        def text(width: int, _height: int) -> Content:
            return training_facts(
                training,
                known.course,
                parts.config,
                source=known.source,
                folder=parts.folder,
                command=parts.command,
                every=self._found,
                serving=known.serving,
                now=time.time(),
                width=width,
            )

        self.query_one("#facts", ZoomedText).show(text)

    @on(LiveTable.CursorMoved, "#trainings")
    def _moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        if event.row_id != self._reading:
            self.look()

    # What keys do with it.

    def why_not(self, action: str) -> str | None:
        """Return why that cannot be done now."""
        if action in ("follow", "search", "yank", "smooth", "log_scale", "rows") and not self._found:
            return "There is no training yet."
        if action == "rows" and self.evaluation_focused:
            known = self.followed
            return None if known is not None and known.sight.found else "There is no evaluation yet. Press t for one."
        if action == "rows" and self._marked is None:
            return "Point at a step first: ← and → on the curves, or a line of the spikes."
        return super().why_not(action)

    def key_words(self, action: str) -> str | None:
        return "worst rows" if action == "rows" and self.evaluation_focused else super().key_words(action)

    @property
    def _marked(self) -> int | None:
        """The step whose rows are wanted: the line of the spikes under the cursor, or the mark on the curves."""
        spikes = self.query_one("#spikes", LiveTable)
        if spikes.has_focus:
            return spikes.cursor_id if isinstance(spikes.cursor_id, int) else None
        return self.query_one(CoursePanel).marked

    @on(CoursePanel.Marked)
    def _step_marked(self, event: CoursePanel.Marked) -> None:
        event.stop()
        self.refresh_bindings()

    @on(LiveTable.CursorMoved, "#spikes")
    def _spike_moved(self, event: LiveTable.CursorMoved) -> None:
        event.stop()
        if event.table.has_focus and isinstance(event.row_id, int):
            self.query_one(CoursePanel).mark(event.row_id)

    @on(LiveTable.Picked, "#spikes")
    def _spike_picked(self, event: LiveTable.Picked) -> None:
        event.stop()
        self.action_rows()

    @work(group="rows", exclusive=True, exit_on_error=False)
    async def action_rows(self) -> None:
        """Open the rows behind the step that is pointed at, or those that were answered worst."""
        if self.evaluation_focused:
            await self.open_worst()
            return
        step, known = self._marked, self._shown_one()
        if step is None or known is None:
            return
        ids = known.course.rows_of(step)
        found = await self.services.trainings.rows(known.id, ids)
        if not found:
            tell(self, f"The metrics name no rows of step {count(step)} that the data has.", severity="warning")
            return
        entries = [entry_of_row(found[each]) for each in ids if each in found]
        await self.ask(TrainingRowsDialog(self.services, f"Rows of step {count(step)}", entries))

    def action_smooth(self) -> None:
        panel = self.query_one(CoursePanel)
        panel.look(smooth=not panel.looks.smooth)

    def action_log_scale(self) -> None:
        panel = self.query_one(CoursePanel)
        panel.look(log_scale=not panel.looks.log_scale)

    def action_follow(self) -> None:
        self.focus_panel("log")
        self.query_one(LogPane).action_move_to_end()

    @on(LogPane.Picked)
    def _line_picked(self, event: LogPane.Picked) -> None:
        event.stop()
        self.app.push_screen(FullText(f"Line {event.number} of the log as it is shown", event.line))

    @on(LogPane.SearchWanted)
    def _search_wanted(self, event: LogPane.SearchWanted) -> None:
        event.stop()
        self.action_search()

    def action_search(self) -> None:
        """Let words be typed that are then searched for in the log."""
        self.focus_panel("log")
        line = self.query_one("#log-search", Input)
        line.display = True
        line.value = self.query_one(LogPane).searched
        line.focus()

    @on(Input.Submitted, "#log-search")
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave_search(event.value.strip())

    def _leave_search(self, words: str) -> None:
        self.query_one("#log-search").display = False
        pane = self.query_one(LogPane)
        pane.focus()
        pane.search(words)

    @on(LogPane.NotFound)
    def _not_found(self, event: LogPane.NotFound) -> None:
        event.stop()
        tell(self, f"No line of the log holds {event.words!r}.", severity="warning")

    def action_yank(self) -> None:
        """Copy what is under the cursor: a line of the log, an answer, else the folder of the training."""
        if (known := self._shown_one()) is not None:
            words = self._yanked(self.focused) or str(known.parts.folder)
            self.app.copy_to_clipboard(clean(words, limit=_MOST_YANKED))
            tell(self, f"Copied {count(len(words))} characters.")

    def _shown_one(self) -> Followed | None:
        """Return the training under the cursor; say so where the panels do not show it yet."""
        known = self.followed
        if known is not None and self._drawn.get("titles") == known.id:
            return known
        tell(self, "The panels do not show this training yet: press the key again when they do.", severity="warning")
        return None

    def _yanked(self, focused: Widget | None) -> str:
        if isinstance(focused, LogPane):
            return focused.line
        if isinstance(focused, LiveTable) and focused.id == "samples" and self._answer is not None:
            return self._answer.answer
        return ""
